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
    REPLY = "reply"  # an answer to a hold notice, as received


@dataclass(frozen=True, slots=True)
class SealedObject:
    """One self-describing object of ``incoming/``: everything needed to go on without any database.

    ``meta`` is JSON-able.  For a HOLD: version, created, message (message key), ref, envelope {sender, recipients
    [{address, notify, orcpt}], ret, envid, smtputf8, body}, identity, sha256 of content, action, rule, reasons, releases,
    notice, answers, urgency, alert, owner, sender_kind, facts, policy digest.  For an OUTCOME: version, created, message, ref,
    envelope, message_id, sender_kind, owner, recipients [{address, class, state, method, rule, reasons, notice, hold, answers,
    releases, code, kind}], images [sha256 …].
    """

    id: str  # 32 hex digits, deterministic for one outcome so that a retry writes the same object
    kind: ObjectKind
    key: str  # "online" | "review": which public key sealed it
    meta: Mapping[str, Any] = field(repr=False)
    content: bytes = field(default=b"", repr=False)
    aside: str = field(default="", repr=False)  # the reason of an emergency: the vault seals it to ``review`` within the meta


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
    alert: bool = False  # a person on call is told at once
    notice: str | None = None
    answers: tuple[str, ...] = ()
    sender_kind: str = "person"  # person | machine | null | auto | list
    owner: str = field(default="", repr=False)  # who is told when sender_kind is not person
    complete: int = 0  # 0: header facts only; 1: with its outcome; 2: with the opened object
    round: int = 0  # releases decided so far; part of the release id, so that one decision is one delivery
    release: str | None = field(default=None, repr=False)  # JSON of the decision being carried out
    reminded: float | None = None
    escalated: float | None = None
    alarmed: float | None = None
    closed: float | None = None
    purged: float | None = None


@dataclass(frozen=True, slots=True)
class HeldRecipient:
    """One recipient of a hold and what became of it: held | delivered | refused | expired | deleted | answered."""

    address: str = field(repr=False)
    state: str = "held"
    code: str = ""  # SMTP code and enhanced code of the last answer
    notify: str | None = None
    orcpt: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of a hold's history."""

    hold: str
    version: int  # the version this move made
    at: float
    event: str
    source: str
    target: str
    actor: str
    role: str
    reason: str  # a code, never free text


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Something to be said to somebody.  Rendering and sending are the notices' business; this is the promise to do it.

    ``kind``: N-1 ... N-7 | N-1r (reminder) | alert (on call, reviewers) | damaged | dsn.
    ``role``: sender | owner | ig | on-call | mail-admin | postmaster.
    Rows with the same ``merge`` are copies of one message as its sender sees it: one notice may answer them all.
    """

    id: int
    kind: str
    message: str
    hold: str
    to: str = field(repr=False)
    role: str
    due: float
    merge: str = ""
    attempts: int = 0
    created: float = 0.0
    detail: Mapping[str, Any] = field(default_factory=dict, repr=False)  # codes only: state, reason, code, deadline
