"""What people do with holds: the command line's functions.  Plain dicts come back; nothing of the content is ever in them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarantine import keys, promises, roles
from quarantine.audit import Audit
from quarantine.deadlines import UNTIL_RELEASED
from quarantine.emergencies.model import ANSWERED
from quarantine.emergencies.opening import answered
from quarantine.keyedhash import KeyedHash
from quarantine.keys import PrivateKey, PublicKey
from quarantine.model import HoldRow, ObjectKind, State
from quarantine.records import Change, Records
from quarantine.release import end_recipients
from quarantine.seal import peek, rewrap
from quarantine.settings import QuarantineSettings
from quarantine.state import Event, NotAllowed, approvals, move
from quarantine.stores import STORES, Place, Store


class NotFound(Exception):
    """No hold has this reference, or more than one: use the id."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a reviewer's command needs.  ``private_keys`` may hold the review key, which the service may not have."""

    store: Store
    records: Records
    audit: Audit
    settings: QuarantineSettings
    public_keys: Mapping[str, PublicKey]
    private_keys: Mapping[str, PrivateKey]
    clock: Callable[[], float]


def open_desk(settings: QuarantineSettings, review_key: Path | None = None, clock: Callable[[], float] = time.time) -> Desk:
    """The desk of the command line, beside a running service.  ``review_key``: a private key kept elsewhere.

    Raises KeyFileError, OSError or sqlite3.Error; a private key that this user cannot read is simply not there.
    """
    private: dict[str, PrivateKey] = {}
    for name in keys.NAMES:
        path = settings.keys / f"{name}.key"
        if os.access(path, os.R_OK):
            private[name] = keys.load_private_file(path)
    if review_key is not None:
        private["review"] = keys.load_private_file(review_key)
    return Desk(
        store=STORES[settings.store_kind](settings.store),
        records=Records(settings.records),
        audit=Audit(settings.audit, KeyedHash.load(settings.hash_key), clock),
        settings=settings,
        public_keys=keys.load_public(settings.keys),
        private_keys=private,
        clock=clock,
    )


def list_holds(desk: Desk, *, everything: bool = False, state: str | None = None) -> list[dict[str, Any]]:
    """Open holds, oldest first (``everything``: ended ones too)."""
    if not everything and state is None:
        return [_facts(row) for row in desk.records.open_holds()]
    return [_facts(row) for row in desk.records.holds(State(state.upper()) if state else None)]


def show(desk: Desk, ref: str, user: str) -> dict[str, Any]:
    """All that may be said of one hold: facts, recipients and their fates, history.  Audited."""
    row = find(desk, ref)
    desk.audit.shown(row, user)
    people = [{"address": r.address, "state": r.state, "code": r.code} for r in desk.records.recipients(row.id)]
    history = [
        {"at": t.at, "event": t.event, "from": t.source, "to": t.target, "who": t.actor, "role": t.role, "reason": t.reason}
        for t in desk.records.transitions(row.id)
    ]
    return {
        **_facts(row), "answers": list(row.answers), "images": len(desk.records.hold_images(row.id)), "recipients": people,
        "history": history, "attempts": row.attempts, "next_try": row.next_try, "sender_kind": row.sender_kind,
        "owner": row.owner, "message": row.message,
        "complete": bool(row.complete), "purged": row.purged is not None,
    }  # fmt: skip


def release(
    desk: Desk, ref: str, user: str, *, accepted: Sequence[str] = (), statement: str | None = None, sender: bool = False,
    emergency: tuple[str, str] | None = None,
    informed: Sequence[str] = (),
) -> dict[str, Any]:
    """Let a hold go; for two people the first one approves.  ``accepted``: finding codes that may leave uninspected.

    ``statement``: a consent statement to be added, in the header's grammar.  ``sender``: the sender answered (the caller proved
    it).  ``emergency``: (way, reason) where the answer was EMERGENCY: both words stay sealed, and what goes is a case for review.
    ``informed``: what the patient was told, to stand in the statement (guidance S0-14).
    Raises ``NotAllowed``, ``NotFound``, ``Conflict``; ``NoKey`` when the review key is neither here nor with the service.
    """
    row = find(desk, ref)
    terms: dict[str, Any] = {"accepted": sorted(set(accepted)), "statement": statement}
    terms |= {"informed": sorted(set(informed))} if informed else {}
    reason = "terms:" + hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).hexdigest()[:16]
    needed = roles.required(row.releases, row.reasons)
    if not sender:
        needed = roles.for_terms(row.releases, row.reasons, accepted, statement is not None)
    role = roles.SENDER if sender else _role(desk, row, user, needed)
    if emergency is not None:
        sealed = answered(*emergency, statement or "", row.id, desk.public_keys)
        reason, terms = ANSWERED, terms | {"statement": None, "emergency": sealed}
    now, records = desk.clock(), desk.records
    if needed == roles.TWO_PERSON and not approvals(records, row, reason) - {user}:
        moved = move(records, row, Event.APPROVE, user, role, now, reason=reason)
        desk.audit.decided(moved, Event.APPROVE, user, role, reason)
        return {**_facts(moved), "needs": "another person must release it with the same terms"}
    _hand_over(desk, row)
    change = Change(
        deadline=max(row.deadline, now + UNTIL_RELEASED),
        attempts=0,
        round=row.round + 1,
        release=json.dumps(terms, sort_keys=True),
    )
    moved = move(records, row, Event.RELEASE, user, role, now, reason=reason, change=change)
    desk.audit.decided(moved, Event.RELEASE, user, role, reason)
    return _facts(moved)


def state(desk: Desk, ref: str) -> dict[str, Any]:
    """How a hold stands now; ``held_again``: why its last release came back, "" when it did not.  Shows no more, so unaudited."""
    row = find(desk, ref)
    moves = desk.records.transitions(row.id)
    mark, _, why = (moves[-1].reason if moves else "").partition(":")
    return {**_facts(row), "held_again": why if mark == "held-again" else ""}


def refuse(desk: Desk, ref: str, user: str, reason: str) -> dict[str, Any]:
    """Decide that a hold does not go.  ``reason`` is a code (letters, digits, ``.-_``): it is kept and told."""
    return _end(desk, ref, user, Event.REFUSE, "refused", reason, sender=False)


def delete(desk: Desk, ref: str, user: str, reason: str = "deleted", *, sender: bool = False) -> dict[str, Any]:
    """Take a hold back; its content is erased when the retention says so."""
    return _end(desk, ref, user, Event.DELETE, "deleted", reason, sender=sender)


def find(desk: Desk, ref: str) -> HoldRow:
    """The one hold with this reference or id."""
    found = desk.records.find(ref.strip()) or desk.records.find(ref.strip().upper())
    if not found:
        raise NotFound("no hold has this reference")
    own = [row for row in found if ref.strip().upper() in (row.ref, row.id.upper())]
    if len(own or found) > 1:
        raise NotFound("more than one hold has this reference: " + ", ".join(row.id for row in own or found))
    return (own or found)[0]


def _end(desk: Desk, ref: str, user: str, event: Event, fate: str, reason: str, sender: bool) -> dict[str, Any]:
    if not reason or len(reason) > 64 or not all(c.isascii() and (c.isalnum() or c in ".-_") for c in reason):
        raise NotAllowed("the reason is a code of letters, digits, dots and hyphens (domain.not-approved): it is kept and told")
    row = find(desk, ref)
    role = roles.SENDER if sender else _role(desk, row, user)
    now, records = desk.clock(), desk.records
    with records.transaction():
        moved = move(records, row, event, user, role, now, reason=reason)
        end_recipients(records, row.id, fate)
        promises.decided_told(records, moved, now, reason=reason)
        desk.audit.decided(moved, event, user, role, reason)
    return _facts(moved)


def _role(desk: Desk, row: HoldRow, user: str, needed: str = "") -> str:
    """The role in which this user may decide this hold; the least one that suffices.

    ``needed``: what the terms of a release ask beside.  Raises ``NotAllowed`` where those are what the user lacks.
    """
    held = desk.settings.reviewers.roles_of(user)
    if not held:
        raise NotAllowed("you are in no reviewers' list of the configuration (quarantine: reviewers:)")
    may = [role for role in (roles.MAIL_ADMIN, roles.IG) if role in held and roles.may_decide(role, row.releases, row.reasons)]
    fitting = [role for role in may if not needed or role in roles.MAY_DECIDE[needed]]
    if may and not fitting:
        raise NotAllowed("only IG may release on these terms: what you accept or add is not a technical reason of this hold")
    return fitting[0] if fitting else sorted(held)[0]  # the latter is refused by the table, with its text


def _hand_over(desk: Desk, row: HoldRow) -> None:
    """A reviewer with the review key hands the object to the service: the data key is wrapped to ``online``; nothing is read."""
    data = desk.store.open(row.id, ObjectKind.HOLD, Place.HELD)
    if peek(data).key == "online" or not any(name.startswith("review") for name in desk.private_keys):
        return  # the service opens it itself, or says that it cannot
    desk.store.put(
        row.id, ObjectKind.HOLD, rewrap(data, desk.private_keys, "online", desk.public_keys["online"]), Place.HELD, replace=True
    )
    desk.records.set_key(row.id, "online")


def _facts(row: HoldRow) -> dict[str, Any]:
    return {
        "id": row.id, "ref": row.ref, "state": row.state.value, "created": row.created, "deadline": row.deadline,
        "action": row.action, "rule": row.rule, "reasons": list(row.reasons), "urgency": row.urgency,
        "releases": roles.required(row.releases, row.reasons), "sender": row.sender, "recipients": list(row.recipients),
        "key": row.key,
    }  # fmt: skip
