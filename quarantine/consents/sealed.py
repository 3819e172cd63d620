"""Every entry of the register and every letter as a small sealed object of its own: no mail can say again what a patient said.

It is an OUTCOME object whose meta has ``consent`` or ``recall``; a rebuild reads it back.  Retention never touches an entry; a
letter that has ended goes with its addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quarantine.consents import recalls
from quarantine.consents.model import digest, from_meta, to_meta
from quarantine.keys import PublicKey
from quarantine.model import ObjectKind, SealedObject
from quarantine.records import Records
from quarantine.seal import seal_buffer
from quarantine.stores.api import Place, Store

VERSION: Final = 1


class NoEntry(Exception):
    """An object that says it is an entry or a letter, and is none."""


def write_entries(records: Records, store: Store, public_keys: Mapping[str, PublicKey]) -> int:
    """Write what is not written yet; how many.  Raises ``StoreError``: what is missing stays missing and is tried again."""
    waiting = records.consents_unwritten()
    for entry in waiting:
        meta = {"version": VERSION, "created": entry.noted, "consent": to_meta(entry)}
        _put(store, public_keys, digest("consent", entry.id), meta)
        records.consent_written(entry)
    return len(waiting)


def write_letters(records: Records, store: Store, public_keys: Mapping[str, PublicKey]) -> int:
    """The same for letters, each time one has changed."""
    waiting = recalls.unwritten(records)
    for letter in waiting:
        told = {**recalls.to_meta(letter), "images": [list(pair) for pair in recalls.images(records, letter)]}
        _put(store, public_keys, letter_id(letter), {"version": VERSION, "created": letter.drafted, "recall": told})
        recalls.written(records, letter)
    return len(waiting)


def letter_id(letter: recalls.Recall) -> str:
    """The id of a letter's object."""
    return digest("recall-object", letter.id)


def is_ours(meta: Mapping[str, Any]) -> bool:
    """True for the meta of an entry or a letter."""
    return isinstance(meta.get("consent"), dict) or isinstance(meta.get("recall"), dict)


def restore(records: Records, meta: Mapping[str, Any]) -> None:
    """Put an entry or a letter back.  Raises ``NoEntry``."""
    try:
        if isinstance(meta.get("consent"), dict):
            records.consent_put(from_meta(meta["consent"]))
        else:
            recalls.put(records, recalls.from_meta(meta["recall"]), [(str(o), str(i)) for o, i in meta["recall"]["images"]])
    except (KeyError, TypeError, ValueError):
        raise NoEntry("the object is no entry of the consent register") from None


def _put(store: Store, public_keys: Mapping[str, PublicKey], identity: str, meta: dict[str, Any]) -> None:
    obj = SealedObject(identity, ObjectKind.OUTCOME, "online", meta)
    store.put(identity, ObjectKind.OUTCOME, seal_buffer(obj, public_keys), Place.HELD, replace=True)
