"""Whom to tell when a patient says no: every outside recipient of a picture, by the disclosure ledger.  Letters are drafts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from quarantine.consents import recalls
from quarantine.consents.naming import Named
from quarantine.consents.recalls import Recall, Sent
from quarantine.ledger.query import Entry, find
from quarantine.records import Records

_INSIDE: Final = frozenset({"O", "archive"})  # colleagues and our own archive: told by other means than a letter
_PATIENT: Final = "C"
# What can be done about a copy that has gone, by the way it went: nothing is promised that the gateway cannot do.
CAN_BE_DONE: Final = {
    "smime": "cannot be called back: ask the recipient to delete it",
    "route": "cannot be called back: ask the recipient to delete it",
    "pickup": "a copy that waits to be fetched cannot be taken back yet: ask the recipient to delete it",
    "portal": "a copy that waits to be fetched cannot be taken back yet: ask the recipient to delete it",
}
ASK: Final = "cannot be called back: ask the recipient to delete it"


@dataclass(slots=True)
class Holders:
    """Who has copies.  Addresses that retention has blanked are counted only."""

    outside: dict[str, list[Entry]] = field(default_factory=dict, repr=False)  # recipient (keyed hash) → what they got
    inside: dict[str, list[Entry]] = field(default_factory=dict, repr=False)
    patient: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)


def holders(records: Records, named: Named) -> Holders:
    """Everybody who got a picture under these patients, or one of these pictures in any form."""
    found: dict[tuple[str, str, str], Entry] = {}
    for patient in named.patients:
        found |= {(one.outcome, one.image, one.recipient): one for one in find(records, patient=patient)}
    for image in named.images:
        found |= {(one.outcome, one.image, one.recipient): one for one in find(records, image=image)}
    return _sorted(sorted(found.values(), key=lambda one: (one.at, one.outcome, one.image)))


def _sorted(entries: Iterable[Entry]) -> Holders:
    made = Holders()
    for one in entries:
        if one.cls == _PATIENT:
            made.patient.add(one.recipient)
        elif one.cls in _INSIDE:
            made.inside.setdefault(one.recipient, []).append(one)
        else:
            made.outside.setdefault(one.recipient, []).append(one)
    made.forgotten = {who for who, had in made.outside.items() if not any(one.recipient_address for one in had)}
    return made


def draft(records: Records, named: Named, event: str, by: str, now: float) -> list[Recall]:
    """A letter for every outside recipient, about what they were not asked before; those whose address is gone get none.

    A draft of the same event asks about the further copies, too.
    """
    made: list[Recall] = []
    for recipient, had in holders(records, named).outside.items():
        address = next((one.recipient_address for one in reversed(had) if one.recipient_address), "")
        known = recalls.asked(records, recipient)
        fresh = [one for one in had if (one.outcome, one.image) not in known]
        if not address or not fresh:
            continue
        letter = Recall(
            recalls.recall_id(event, recipient), event, recipient, address, address.rpartition("@")[2].lower(), mails(fresh),
            recalls.DRAFT, now, by,
        )  # fmt: skip
        pairs, there = [(one.outcome, one.image) for one in fresh], recalls.one(records, letter.id)
        if there is not None:
            recalls.extend(records, replace(there, mails=(*there.mails, *letter.mails)), pairs)
        elif recalls.add(records, letter, pairs):
            made.append(letter)
    return made


def mails(entries: Iterable[Entry]) -> tuple[Sent, ...]:
    """The emails behind ledger entries, oldest first."""
    by_outcome: dict[str, list[Entry]] = {}
    for one in entries:
        by_outcome.setdefault(one.outcome, []).append(one)
    return tuple(
        Sent(outcome, had[0].ref, had[0].at, len({one.image for one in had}), had[0].sender_address, had[0].method)
        for outcome, had in by_outcome.items()
    )


def told(holders: Holders) -> list[dict[str, Any]]:
    """Everybody as plain rows: who, when, how many pictures, how it went, and what can be done."""
    rows: list[dict[str, Any]] = []
    for where, people in (("outside", holders.outside), ("inside", holders.inside)):
        for recipient, had in people.items():
            for mail in mails(had):
                address = next((one.recipient_address for one in had if one.recipient_address), "")
                rows.append({
                    "where": where, "recipient": address, "who": recipient, "domain": had[0].domain, "at": mail.at,
                    "images": mail.images, "ref": mail.ref, "sender": mail.sender, "method": mail.method,
                    "can": CAN_BE_DONE.get(mail.method, ASK),
                })  # fmt: skip
    return sorted(rows, key=lambda row: row["at"])
