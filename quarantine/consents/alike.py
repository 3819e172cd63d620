"""The very picture again, saved anew or made smaller: another file, the same to whoever looks at it.

What only resembles it, or is a part of it, is for a person to judge (``clinigate match``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from quarantine.database import Database
from quarantine.keyedhash import KeyedHash
from quarantine.ledger.fingerprint import Fingerprint, NotAFingerprint, apart, read, shape
from quarantine.ledger.fingerprintkey import FingerprintKey, OtherKey
from quarantine.ledger.matching import RESAVED
from quarantine.records import Records
from quarantine.schema import consents as sql

PAGE: Final = 5000
_BITS: Final = 1023


def resaved(records: Database, hashes: KeyedHash, images: Sequence[str]) -> frozenset[str]:
    """Pictures of the records (SHA-256) that are one of ``images``, saved anew.  One pass over all that have a fingerprint."""
    key = FingerprintKey(hashes)
    known = [one for image in images for row in records.all(sql.SHAPE, {"image": image}) for _, one in _opened(key, [row])]
    found: set[str] = set()
    after = ""
    while known and (rows := records.all(sql.SHAPES, {"after": after, "limit": PAGE})):
        found.update(_same(known, list(_opened(key, rows))))
        after = str(rows[-1]["image"])
    return frozenset(found)


def keep(records: Records, hashes: KeyedHash, image: str, likeness: bytes, at: float) -> bool:
    """Note what a picture given as a file looks like, so that it is known when it comes saved anew; False if there is nothing."""
    if not likeness or records.fingerprint(image) is not None:
        return False
    key = FingerprintKey(hashes)
    try:
        whole = shape(likeness)
    except NotAFingerprint:
        return False
    records.add_fingerprint(image, key.id, key.close(image, whole), key.close(image, likeness), at)
    return True


def _same(known: Sequence[Fingerprint], kept: Sequence[tuple[str, Fingerprint]]) -> Iterator[str]:
    if not kept:
        return
    signs = np.stack([one.signs for _, one in kept])
    for picture in known:
        near = np.bitwise_count(signs ^ picture.signs).sum(axis=1) <= RESAVED * _BITS
        yield from (kept[at][0] for at in map(int, np.flatnonzero(near)) if apart(picture, kept[at][1]) <= RESAVED)


def _opened(key: FingerprintKey, rows: Sequence[sqlite3.Row]) -> Iterator[tuple[str, Fingerprint]]:
    for row in rows:
        if row["key"] != key.id:
            continue
        try:
            yield str(row["image"]), read(key.open(str(row["image"]), bytes(row["shape"])))
        except (OtherKey, NotAFingerprint):
            continue
