"""A consent register in a folder: what patients said, mail that went or waits under their number, and what the journal says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from quarantine.consents import desk as register
from quarantine.consents import naming
from quarantine.consents.desk import Noted, Word
from quarantine.consents.model import BY_COMMAND
from quarantine.consents.naming import Named
from quarantine.journal import read_journal
from quarantine.snapshot import Snapshot, write_snapshot
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, World, hex_id, hold_object, image, outcome_object

NHS = "9434765919"
STRANGER = "jane@newclinic.example"


def reference(world: World, number: str = NHS) -> str:
    return world.hashes.patient(number)


def named(world: World, number: str = NHS) -> Named:
    return naming.by_patients(world.records, [reference(world, number)], BY_COMMAND)


def note(world: World, status: str, who: Named | None = None, user: str = "ig1", **words: Any) -> Noted:
    world.now += 1
    return register.note(world.desk(), who or named(world), Word(status, **words), user)


def stands(world: World) -> dict[str, str]:
    return {subject: one.status for subject, one in world.records.consents_in_force()}


def snapshot(world: World) -> Snapshot:
    write_snapshot(world.settings.snapshot, world.records, world.now)
    return Snapshot(world.settings.snapshot, world.hashes, 900.0, world.clock)


def sent(world: World, *to: str, name: str = "mail", seed: str = "image", **meta: Any) -> None:
    """An email with a picture and the patient's number that went to these people."""
    meta.setdefault("patients", [reference(world)])
    world.take(outcome_object(delivered=to or (PEER,), name=name, images=[{"sha256": image(seed), "scrubbed": ""}], **meta))


def waits(world: World, name: str = "hold", seed: str = "held", patients: Sequence[str] | None = None, **meta: Any) -> str:
    """An email with a picture that is held; the hold's id."""
    obj = hold_object(name, **meta)
    about = {"patients": [reference(world)] if patients is None else list(patients), "images": [[image(seed), ""]]}
    world.take(obj, outcome_object([obj], name=f"of-{name}", **about))
    return obj.id


def event(world: World, *said: dict[str, Any], fates: Sequence[str] = ("delivered",), **record: Any) -> dict[str, Any]:
    """A journal line as ``gateway.outcomes.commit`` writes it."""
    lines = [
        {"consent": one.get("status"), "facts": {"consent": {"statement": one or None, "per_part": one.pop("per_part", [])}}}
        for one in map(dict, said)
    ]
    base = {
        "sender": world.hashes.address(SENDER), "patients": [reference(world)], "recipients": lines,
        "images": [{"part": "1.2", "sha256": image("x"), "scrubbed": image("x cleaned")}],
    }  # fmt: skip
    return {
        "event": "message", "at": MONDAY + 5, "seconds": 5, "message": "4XyZ", "outcomes": hex_id("outcome"),
        "recipients": [{"state": fate} for fate in fates], "record": base | record,
    }  # fmt: skip


def journal(world: World, *events: dict[str, Any]) -> None:
    world.settings.journal.mkdir(exist_ok=True)
    with (world.settings.journal / "gateway-00000001.jsonl").open("ab") as file:
        file.writelines(json.dumps(one).encode() + b"\n" for one in events)
    read_journal(world.settings.journal, world.records, world.settings.office)


GIVEN = {
    "status": "given", "form": "verbal", "given_by": "patient", "purpose": "COC", "scope": ["record"], "dated": "2026-11-20",
    "expires": "2027-05-20",
}  # fmt: skip
