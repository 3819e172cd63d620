"""Answers by sending again: a hold that asked its sender is over once the same images have gone to the same people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarantine import reading, roles
from quarantine.audit import Audit
from quarantine.model import State
from quarantine.records import Records
from quarantine.state import Conflict, Event, move


def close_resent(records: Records, audit: Audit, meta: Mapping[str, Any], now: float) -> int:
    """Close what this outcome answers; how many holds.  Otherwise the sender would be told "not sent" of a mail that went."""
    sender, message = str(meta.get("envelope", {}).get("sender", "")), str(meta.get("message", ""))
    gone = {str(line["address"]).casefold() for line in meta.get("recipients", ()) if line.get("state") == "delivered"}
    sent = {image for image, _ in reading.images(meta)}
    if not sender or not gone or not sent:
        return 0
    closed = 0
    for row in records.holds_of_sender(State.ASKED, sender):
        waiting = records.hold_images(row.id)
        if row.message == message or not waiting or not waiting <= sent or row.created > float(meta["created"]):
            continue
        for one in records.recipients(row.id):
            if one.address.casefold() in gone and one.state == "held":
                records.set_recipient(row.id, one.address, "answered")
        if all(one.state != "held" for one in records.recipients(row.id)):
            try:
                moved = move(records, row, Event.RESENT, "service", roles.SYSTEM, now, reason="answered.resent")
            except Conflict:
                continue  # somebody decided it this very moment
            audit.resent(moved, message)
            closed += 1
    return closed
