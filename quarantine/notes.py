"""Notes: every move of a hold as a small sealed object, so that the index can be rebuilt with the states it had.

A note is an OUTCOME object whose meta has ``note``; the service writes it to ``online`` once the move stands in the index.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

from quarantine.keys import PublicKey
from quarantine.model import ObjectKind, SealedObject, Transition
from quarantine.records import Records
from quarantine.records.holds import RESTORED
from quarantine.seal import seal_buffer
from quarantine.state import TERMINAL
from quarantine.stores.api import Place, Store

VERSION = 1


def note_id(hold: str, version: int) -> str:
    """The id of the note of one move."""
    return hashlib.sha256(f"note:{hold}:{version}".encode()).hexdigest()[:32]


def write_notes(records: Records, store: Store, public_keys: Mapping[str, PublicKey]) -> int:
    """Write every note that is missing; how many.  Raises ``StoreError``: what is missing stays missing and is tried again."""
    lines = records.unnoted()
    for line in lines:
        row = records.hold(line.hold)
        meta: dict[str, Any] = {
            "version": VERSION,
            "created": line.at,
            "note": dataclasses.asdict(line),
            "hold": {name: getattr(row, name) for name in RESTORED} if row else {},
            "recipients": [[r.address, r.state, r.code] for r in records.recipients(line.hold)],
        }
        identity = note_id(line.hold, line.version)
        obj = SealedObject(identity, ObjectKind.OUTCOME, "online", meta)
        store.put(identity, ObjectKind.OUTCOME, seal_buffer(obj, public_keys), Place.HELD, replace=True)
        records.noted(line)
    return len(lines)


def is_note(meta: Mapping[str, Any]) -> bool:
    """True for the meta of a note."""
    return "note" in meta


def replay(records: Records, metas: list[Mapping[str, Any]]) -> None:
    """Put moves back into the index, oldest first."""
    for meta in sorted(metas, key=lambda m: (str(m["note"]["hold"]), int(m["note"]["version"]))):
        line = Transition(**{name: meta["note"][name] for name in Transition.__slots__})
        records.restore(line, meta["hold"], line.target in TERMINAL)
        for address, state, code in meta["recipients"]:
            records.set_recipient(line.hold, address, state, code)
