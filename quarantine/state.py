"""The states of a hold and every move between them, as a table; moving is compare-and-set.

What is not in ``TRANSITIONS`` is not allowed.  Every move leaves a line in the hold's history: who, in which role, when, why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quarantine import roles
from quarantine.database import Conflict
from quarantine.model import HoldRow, State, Transition
from quarantine.records import Records
from quarantine.records.holds import Change

__all__ = ["TERMINAL", "TRANSITIONS", "Change", "Conflict", "Event", "Move", "NotAllowed", "move"]


class Event(StrEnum):
    """What can happen to a hold."""

    RELEASE = "release"  # a person decides that it goes
    APPROVE = "approve"  # the first of two people agrees
    RETRY = "retry"  # the service sends a deferred one again
    SENT = "sent"  # the gateway has answered for every recipient
    HELD_AGAIN = "held-again"  # the gateway's policy held the release
    LATER = "later"  # a temporary failure: the release goes on
    PUT_OFF = "put-off"  # a temporary failure of what was deferred anyway
    FAILED = "failed"  # a permanent failure for everyone
    REFUSE = "refuse"  # a person decides that it does not go
    DELETE = "delete"  # a person takes it back
    ASK_IG = "ask-ig"  # the sender passes it to the reviewers
    RESENT = "resent"  # the sender has sent the same again, and that has gone
    EXPIRE = "expire"  # its time is over


@dataclass(frozen=True, slots=True)
class Move:
    """Where an event leads.  ``deciders``: people, by the hold's reasons (``quarantine.roles``); else the service itself.

    ``sender``: the sender may, whoever may decide: it lets nothing out.
    """

    target: State
    deciders: bool = False
    sender: bool = False


_HUMAN = True
TRANSITIONS: Mapping[tuple[State, Event], Move] = {
    (State.ASKED, Event.RELEASE): Move(State.RELEASING, _HUMAN),
    (State.ASKED, Event.APPROVE): Move(State.ASKED, _HUMAN),
    (State.ASKED, Event.REFUSE): Move(State.REFUSED, _HUMAN),
    (State.ASKED, Event.DELETE): Move(State.DELETED, _HUMAN, sender=True),
    (State.ASKED, Event.ASK_IG): Move(State.QUARANTINED, _HUMAN, sender=True),
    (State.ASKED, Event.RESENT): Move(State.DELETED),
    (State.ASKED, Event.EXPIRE): Move(State.EXPIRED),
    (State.QUARANTINED, Event.RELEASE): Move(State.RELEASING, _HUMAN),
    (State.QUARANTINED, Event.APPROVE): Move(State.QUARANTINED, _HUMAN),
    (State.QUARANTINED, Event.REFUSE): Move(State.REFUSED, _HUMAN),
    (State.QUARANTINED, Event.DELETE): Move(State.DELETED, _HUMAN, sender=True),
    (State.QUARANTINED, Event.EXPIRE): Move(State.EXPIRED),
    (State.DEFERRED, Event.RETRY): Move(State.RELEASING),
    (State.DEFERRED, Event.REFUSE): Move(State.REFUSED, _HUMAN),
    (State.DEFERRED, Event.DELETE): Move(State.DELETED, _HUMAN, sender=True),
    (State.DEFERRED, Event.EXPIRE): Move(State.EXPIRED),
    # Only the worker that sends ends a release: nobody takes back what may be on its way.
    (State.RELEASING, Event.SENT): Move(State.RELEASED),
    (State.RELEASING, Event.HELD_AGAIN): Move(State.QUARANTINED),
    (State.RELEASING, Event.LATER): Move(State.RELEASING),
    (State.RELEASING, Event.PUT_OFF): Move(State.DEFERRED),
    (State.RELEASING, Event.FAILED): Move(State.REFUSED),
    (State.RELEASING, Event.EXPIRE): Move(State.EXPIRED),
}
TERMINAL = frozenset({State.RELEASED, State.REFUSED, State.EXPIRED, State.DELETED})


class NotAllowed(Exception):
    """This move does not exist, or not for this person.  The text says which; it holds ids and codes only."""


def check(row: HoldRow, event: Event, role: str) -> Move:
    """The move an event makes, or ``NotAllowed``."""
    step = TRANSITIONS.get((row.state, event))
    if step is None:
        again = "; it is sent again by itself" if row.state is State.DEFERRED else ""
        raise NotAllowed(f"a hold that is {row.state} takes no {event}{again}")
    if not step.deciders:
        if role != roles.SYSTEM:
            raise NotAllowed(f"{event} is the service's own doing")
    elif not (step.sender and role == roles.SENDER) and not roles.may_decide(role, row.releases, row.reasons):
        needed = roles.required(row.releases, row.reasons)
        raise NotAllowed(f"{role} may not {event} this hold: it needs {needed}")
    return step


def move(
    records: Records,
    row: HoldRow,
    event: Event,
    actor: str,
    role: str,
    now: float,
    *,
    reason: str = "",
    change: Change | None = None,
) -> HoldRow:
    """Move a hold as ``row`` shows it.  Returns the new row.  Raises ``NotAllowed`` or ``Conflict`` (somebody was first).

    ``reason`` is a code.  A hold for two people is released only if another person approved the same terms (same ``reason``)
    since it was last held.
    """
    step = check(row, event, role)
    with records.transaction():
        if event is Event.RELEASE and roles.required(row.releases, row.reasons) == roles.TWO_PERSON:
            _two_people(records, row, actor, reason)
        note = Transition(row.id, row.version + 1, now, event, row.state, step.target, actor, role, reason)
        ends = step.target in TERMINAL
        # The terms may hold a statement in people's words: they are kept while the release needs them, and no longer.
        moved = records.advance(row, note, change or Change(release=None if ends else row.release), ends)
        if ends:
            records.outbox_cancel(row.id, now)
    return moved


def approvals(records: Records, row: HoldRow, reason: str) -> set[str]:
    """Who has approved these terms since the hold was last held."""
    found: set[str] = set()
    for line in records.transitions(row.id):
        if line.event == Event.HELD_AGAIN:
            found.clear()
        elif line.event == Event.APPROVE and line.reason == reason:
            found.add(line.actor)
    return found


def _two_people(records: Records, row: HoldRow, actor: str, reason: str) -> None:
    if not approvals(records, row, reason) - {actor}:
        raise NotAllowed("this hold needs two different people for the same terms; one more must release it")
