"""Answers by sending again: a hold that asked its sender is over once the same images have gone to the same people.

Judged from what is on record, so that it does not matter which of the two messages was taken in first.
"""

from __future__ import annotations

from quarantine import roles
from quarantine.audit import Audit
from quarantine.keyedhash import KeyedHash
from quarantine.model import HoldRow, State
from quarantine.records import Records
from quarantine.state import Conflict, Event, move


def close_resent(records: Records, hashes: KeyedHash, audit: Audit, sender: str, now: float) -> int:
    """Close what ``sender`` has answered; how many holds.  Otherwise they would be told "not sent" of a mail that went."""
    closed = 0
    for row in records.holds_of_sender(State.ASKED, sender) if sender else ():
        _mark_answered(records, hashes, row)
        if any(one.state == "held" for one in records.recipients(row.id)):
            continue
        try:
            moved = move(records, row, Event.RESENT, "service", roles.SYSTEM, now, reason="answered.resent")
        except Conflict:
            continue  # somebody decided it this very moment
        audit.resent(moved)
        closed += 1
    return closed


def _mark_answered(records: Records, hashes: KeyedHash, row: HoldRow) -> None:
    waiting = records.hold_images(row.id)
    if not waiting:
        return  # not known yet what it waits with
    for one in records.recipients(row.id):
        if one.state == "held":
            gone = records.gone_since(hashes.address(row.sender), hashes.address(one.address), row.created, row.message)
            if waiting <= gone:
                records.set_recipient(row.id, one.address, "answered")
