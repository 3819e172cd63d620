"""Which pictures of the ledger are the picture at hand: the same file, the same picture saved anew, or a part of it.

Every fingerprint is looked at once, page by page: what may be alike is found by votes of equal pieces of corners, and only that
is laid over the picture at hand.  Numbers and their measurement: docs/matching.md.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quarantine.keyedhash import KeyedHash
from quarantine.ledger.alignment import aligned
from quarantine.ledger.fingerprint import Fingerprint, NotAFingerprint, Probe, apart, read
from quarantine.ledger.fingerprintkey import FingerprintKey, OtherKey
from quarantine.ledger.query import Entry, family, find
from quarantine.records import Records

RESAVED: Final = 0.04  # as a whole: saved anew, made smaller; another photograph of the same wound is farther away
NEAR: Final = 0.30  # as a whole: changed in light or colour, or taken a moment later
LIKELY: Final = 10  # corners that lie as they lay; by chance 8 at most (docs/matching.md)
VERY_LIKELY: Final = 20
_LAID: Final = 400  # pictures that are laid over the one at hand
_PIECES: Final = 8  # of 16 bits, of the surroundings of a corner
_LONGEST: Final = 480


class How(StrEnum):
    """In what way a picture of the ledger is the picture at hand; the surest first."""

    FILE = "file"
    PICTURE = "picture"
    VERY_LIKELY = "very-likely"
    LIKELY = "likely"


WORDS: Final[Mapping[How, str]] = {
    How.FILE: "the same file",
    How.PICTURE: "the same picture, saved anew",
    How.VERY_LIKELY: "very likely this picture, cut or edited, or one taken at the same moment",
    How.LIKELY: "likely this picture, cut or edited: look at both",
}
_ORDER: Final = tuple(How)


@dataclass(frozen=True, slots=True)
class Match:
    """``image``: SHA-256 as received.  ``corners`` lie as they lay; ``apart``: share of signs that differ as a whole."""

    image: str
    how: How
    corners: int = 0
    apart: float = 1.0
    entries: tuple[Entry, ...] = ()

    @property
    def words(self) -> str:
        """How sure it is, in plain words."""
        return WORDS[self.how]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, the surest first, and in how many pictures; ``unreadable`` are kept under another key."""

    matches: tuple[Match, ...]
    pictures: int
    unreadable: int


def match(records: Records, hashes: KeyedHash, sha256: str, probe: Probe = ()) -> Looked:
    """Every disclosure of the picture at hand: by its SHA-256 as received or as sent, then by what it looks like.

    ``probe`` is empty for a file that cannot be decoded.  Raises ``sqlite3.Error``.
    """
    looked = similar(records, hashes, sha256, probe)
    found = [_told(records, one) for one in looked.matches]
    return Looked(tuple(one for one in found if one.entries), looked.pictures, looked.unreadable)


def similar(records: Records, hashes: KeyedHash, sha256: str, probe: Probe = ()) -> Looked:
    """The same without the disclosures: pictures of the ledger, also of mail that waits."""
    same = family(records, sha256)
    key = FingerprintKey(hashes)
    count, other = records.fingerprint_count(key.id)
    alike = _alike(records, key, probe) if probe else []
    found = [Match(sha256, How.FILE, apart=0.0)] + [one for one in alike if one.image not in same]
    ranked = sorted(found, key=lambda one: (_ORDER.index(one.how), -one.corners, one.apart, one.image))
    return Looked(tuple(ranked), count, other)


def _told(records: Records, found: Match) -> Match:
    return Match(found.image, found.how, found.corners, found.apart, tuple(find(records, image=found.image)))


def judged(probe: Probe, kept: Fingerprint) -> tuple[How | None, int, float]:
    """(how sure, corners, share of signs) of one kept picture."""
    whole = min((apart(form, kept) for form in probe if max(form.width, form.height) == _LONGEST), default=1.0)
    if whole <= RESAVED:
        return How.PICTURE, 0, whole
    corners = aligned(probe, kept)
    if corners >= VERY_LIKELY or (whole <= NEAR and corners >= LIKELY):
        return How.VERY_LIKELY, corners, whole
    return (How.LIKELY if corners >= LIKELY or whole <= NEAR else None), corners, whole


def _alike(records: Records, key: FingerprintKey, probe: Probe) -> list[Match]:
    best: list[tuple[float, str, Fingerprint]] = []
    tables = _tables(probe)
    for page in records.fingerprints(key.id):
        kept = list(_opened(key, page))
        for rank, (image, one) in zip(ranks(probe, [one for _, one in kept], tables), kept, strict=True):
            entry = (rank, image, one)
            if len(best) < _LAID:
                heapq.heappush(best, entry)
            elif rank > best[0][0]:
                heapq.heapreplace(best, entry)
    judgements = ((image, judged(probe, one)) for _, image, one in best)
    return [Match(image, how, corners, whole) for image, (how, corners, whole) in judgements if how is not None]


def _opened(key: FingerprintKey, page: Iterable[tuple[str, bytes]]) -> Iterable[tuple[str, Fingerprint]]:
    for image, kept in page:
        try:
            yield image, read(key.open(image, kept))
        except (OtherKey, NotAFingerprint):
            continue


def _table(form: Fingerprint) -> NDArray[np.uint8]:
    """For every place of a piece and every value of it: whether a corner of ``form`` has it."""
    table = np.zeros((_PIECES, 1 << 16), np.uint8)
    pieces = form.around.view(np.uint16)
    for place in range(_PIECES):
        table[place, pieces[:, place]] = 1
    return table


def _tables(probe: Probe) -> list[NDArray[np.uint8]]:
    return [_table(form) for form in probe if len(form.around)]


def ranks(probe: Probe, kept: Sequence[Fingerprint], tables: list[NDArray[np.uint8]] | None = None) -> list[float]:
    """How promising each is: 1000 for one that is alike as a whole, else how far its votes stand above chance."""
    if not kept:
        return []
    tables = _tables(probe) if tables is None else tables
    found = np.zeros(len(kept))
    sizes = np.array([len(one.around) for one in kept])
    if tables and sizes.sum():
        pieces = np.concatenate([one.around for one in kept]).view(np.uint16)
        owner = np.repeat(np.arange(len(kept)), sizes)
        for table in tables:
            equal = np.zeros(len(pieces), np.uint8)
            for place in range(_PIECES):
                equal |= table[place][pieces[:, place]]
            votes = np.bincount(owner, equal, len(kept))
            chance = sizes * equal.mean()
            found = np.maximum(found, (votes - chance) / np.sqrt(chance + 1))
    signs = np.stack([one.signs for one in kept])
    for form in probe:
        if max(form.width, form.height) == _LONGEST:
            whole = np.bitwise_count(signs ^ form.signs).sum(axis=1) / 1023
            found = np.where(whole <= NEAR, 1000 + 1 - whole, found)
    return [float(one) for one in found]
