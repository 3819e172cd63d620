"""Notes of cases: every version as a small sealed object, so that neither a case nor its review is lost with the index.

A note is an OUTCOME object whose meta has ``case``, sealed to ``online``; the reason within stays sealed to ``review``.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

from quarantine.emergencies.cases import Cases
from quarantine.emergencies.model import Case, Party
from quarantine.keys import PublicKey
from quarantine.model import ObjectKind, SealedObject
from quarantine.records import Records
from quarantine.seal import seal_buffer
from quarantine.stores.api import Place, Store

VERSION = 1


def note_id(case: str, version: int) -> str:
    """The id of the note of one version of a case."""
    return hashlib.sha256(f"emergency-note:{case}:{version}".encode()).hexdigest()[:32]


def write_notes(records: Records, store: Store, public_keys: Mapping[str, PublicKey]) -> int:
    """Write every note that is missing; how many.  Raises ``StoreError``: what is missing is tried again."""
    cases = Cases(records)
    waiting = cases.unnoted()
    for case in waiting:
        people = [dataclasses.asdict(one) for one in cases.people(case.id)]
        meta = {"version": VERSION, "created": case.at, "case": dataclasses.asdict(case), "people": people}
        identity = note_id(case.id, case.version)
        obj = SealedObject(identity, ObjectKind.OUTCOME, "online", meta)
        store.put(identity, ObjectKind.OUTCOME, seal_buffer(obj, public_keys), Place.HELD, replace=True)
        cases.noted(case)
    return len(waiting)


def is_note(meta: Mapping[str, Any]) -> bool:
    """True for the meta of a case's note."""
    return "case" in meta


def replay(records: Records, metas: list[Mapping[str, Any]]) -> None:
    """Put cases back into the index, the newest version last."""
    cases = Cases(records)
    for meta in sorted(metas, key=lambda one: (str(one["case"]["id"]), int(one["case"]["version"]))):
        case = Case(**{name: meta["case"][name] for name in Case.__slots__})
        cases.restore(case, [Party(**{name: one[name] for name in Party.__slots__}) for one in meta["people"]])
