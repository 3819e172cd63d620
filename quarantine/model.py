"""The words of the quarantine: sealed objects, holds, states.  Names as mail admins use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """States of a hold; allowed moves stand in ``quarantine.state.TRANSITIONS``."""

    ASKED = "ASKED"
    QUARANTINED = "QUARANTINED"
    DEFERRED = "DEFERRED"
    RELEASING = "RELEASING"
    RELEASED = "RELEASED"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"


class ObjectKind(StrEnum):
    HOLD = "hold"  # recipients held, with the message as received
    OUTCOME = "outcome"  # what became of every recipient of one message; no content


@dataclass(frozen=True, slots=True)
class SealedObject:
    """One self-describing object of ``incoming/``: everything needed to go on without any database.

    ``meta`` is JSON-able.  For a HOLD: version, created, message (message key), ref, envelope {sender, recipients
    [{address, notify, orcpt}], ret, envid, smtputf8, body}, identity, sha256 of content, action, rule, reasons, releases,
    notice, answers, urgency, alert, owner, sender_kind, facts, policy digest.  For an OUTCOME: version, created, message, ref, envelope,
    message_id, sender_kind, owner, recipients [{address, class, state, method, rule, reasons, notice, hold, answers, releases, code, kind}],
    images [sha256 …].
    """

    id: str  # 32 hex digits, deterministic for one outcome so that a retry writes the same object
    kind: ObjectKind
    key: str  # "online" | "review": which public key sealed it
    meta: Mapping[str, Any] = field(repr=False)
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HoldRow:
    """One hold as the index knows it (the object in the store is the truth)."""

    id: str
    ref: str  # short reference for people, "H7Q2-93KD"
    state: State
    version: int  # compare-and-set
    created: float
    deadline: float
    action: str
    rule: str
    reasons: tuple[str, ...]
    releases: str
    key: str
    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)
    message: str = ""
    attempts: int = 0
    next_try: float | None = None
    urgency: str = "routine"
