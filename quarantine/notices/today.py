"""What the records say today of a message: its outcomes with the present state of their holds laid over them.

A notice that was delayed, or one about a later change, must tell what is true now and not what was true then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from quarantine import roles
from quarantine.consents.ending import said
from quarantine.emergencies.model import ANSWERED
from quarantine.model import HeldRecipient, HoldRow, OutboxRow, State, Transition
from quarantine.records import OutcomeRow

RESENT = "resent"  # the event that ends a hold because its sender has sent the same again

# A held recipient's own state -> what a notice calls it; "held" is decided by the state of the hold.
_RECIPIENT: Mapping[str, str] = {"expired": "expired", "deleted": "deleted", "answered": "answered"}
_HOLD: Mapping[State, str] = {
    State.ASKED: "held",
    State.QUARANTINED: "held",
    State.DEFERRED: "deferred",
    State.RELEASED: "released",
    State.REFUSED: "not-released",
    State.EXPIRED: "expired",
    State.DELETED: "deleted",
}


class Index(Protocol):
    """The part of ``quarantine.records.Records`` that is read here."""

    def outcomes(self, message: str) -> list[OutcomeRow]: ...
    def outcomes_merged(self, merge: str) -> list[OutcomeRow]: ...
    def hold(self, hold: str) -> HoldRow | None: ...
    def recipients(self, hold: str) -> list[HeldRecipient]: ...
    def transitions(self, hold: str) -> list[Transition]: ...


def outcomes_of(index: Index, row: OutboxRow, reminder_at: Callable[[HoldRow], float | None]) -> list[dict[str, Any]]:
    """The meta of every outcome of the message that ``row`` is about, as it is today; of its hold if no outcome names it."""
    found = index.outcomes(row.message) if row.message else []
    for merge in dict.fromkeys([*(one.merge for one in found), row.merge]):
        known = {one.id for one in found}
        found += [one for one in index.outcomes_merged(merge) if one.id not in known] if merge else []
    metas = [_with_holds(index, {**one.meta, "created": one.created, "outcome": one.id}, reminder_at) for one in found]
    named = {str(line.get("hold")) for meta in metas for line in meta["recipients"]}
    hold = index.hold(row.hold) if row.hold and row.hold not in named else None
    return metas if hold is None else [*metas, _of_hold(index, hold, reminder_at)]


def _with_holds(index: Index, meta: dict[str, Any], reminder_at: Callable[[HoldRow], float | None]) -> dict[str, Any]:
    lines = []
    for line in meta.get("recipients", ()):
        hold = index.hold(str(line["hold"])) if line.get("hold") else None
        lines.append(dict(line) if hold is None else {**line, **_present(index, hold, str(line.get("address")), reminder_at)})
    return {**meta, "recipients": lines}


def _of_hold(index: Index, hold: HoldRow, reminder_at: Callable[[HoldRow], float | None]) -> dict[str, Any]:
    """An outcome's meta made from the hold's own row."""
    line = {"notice": hold.notice, "answers": hold.answers, "releases": hold.releases, "reasons": hold.reasons, "hold": hold.id}
    return {
        "created": hold.created,
        "ref": hold.ref,
        "message": hold.message,
        "sender_kind": hold.sender_kind,
        "owner": hold.owner,
        "envelope": {"sender": hold.sender, "recipients": []},
        "recipients": [
            {
                **line,
                "address": one.address,
                "notify": one.notify,
                "orcpt": one.orcpt,
                **_present(index, hold, one.address, reminder_at),
            }
            for one in index.recipients(hold.id)
        ],
    }


def _present(index: Index, hold: HoldRow, address: str, reminder_at: Callable[[HoldRow], float | None]) -> dict[str, Any]:
    one = next((r for r in index.recipients(hold.id) if r.address == address), None)
    state = _state(index, hold, one)
    present: dict[str, Any] = {"state": state, "deadline": hold.deadline, "ref": hold.ref}
    if state == "held":
        present["remind"] = reminder_at(hold)
        present["asked"] = hold.state is State.ASKED
        if hold.action == "ASK" and hold.state is State.QUARANTINED:  # answered, or passed on: people decide, no word helps
            present |= {"answers": (), "releases": roles.desk(hold.releases, hold.reasons)}
    if state == "released" and any(step.event == "release" and step.role == roles.SENDER for step in index.transitions(hold.id)):
        present["notice"] = "answered"
    if one is not None and one.code:
        present["code"] = one.code
    history = index.transitions(hold.id)
    if state == "expired" and history and history[-1].source == State.RELEASING:  # it was decided, but did not get through
        present |= {"words": "", "help": "", "said": [], "reasons": [], "answers": []}
    if hold.state is State.REFUSED and history and (words := said(history[-1].reason)):  # the patient's own no (N-4)
        present |= {"state": "refused", "words": words, "help": "", "reasons": ["consent.refused"], "answers": []}
    if state == "released" and any(step.reason == ANSWERED for step in index.transitions(hold.id)):
        present["notice"] = "N-6"  # the sender answered EMERGENCY, and is asked what every emergency is asked
    return present


def _state(index: Index, hold: HoldRow, one: HeldRecipient | None) -> str:
    """One recipient of a hold, in the words of ``fates.STATES``."""
    deferred = hold.action == "DEFERRED"
    if one is not None and one.state == "delivered":
        return "late" if deferred else "released"
    if one is not None and (one.state == "failed" or (one.state == "refused" and one.code.startswith("5"))):
        return "failed"
    if one is not None and one.state == "refused":
        return "not-released"
    if one is not None and one.state in _RECIPIENT and one.state != "deleted":
        return _RECIPIENT[one.state]
    if hold.state is State.RELEASING:
        return "deferred" if deferred or hold.attempts else "held"  # what was decided and does not get through is tried again
    if hold.state is State.DELETED and any(step.event == RESENT for step in index.transitions(hold.id)):
        return "answered"
    if hold.state is State.RELEASED and deferred:
        return "late"
    return _HOLD[hold.state]
