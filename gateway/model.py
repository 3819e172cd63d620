"""The words of the gateway: envelope, plan, outcome, reply.  RFC 5321 and RFC 3461 terms.

A message's life: ``Received`` (what the SMTP side took) -> ``Plan`` (steps 2-10, made by a compute process) ->
``Commit`` (step 11: deliver, hold, refuse) -> ``Reply`` (what the client is told).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.exitcheck import Cleared, Original


@dataclass(frozen=True, slots=True)
class Recipient:
    """One RCPT TO with its DSN parameters (RFC 3461 4.1, 4.2), kept in the case the client sent."""

    address: str = field(repr=False)
    notify: str | None = None  # NEVER or a comma list of SUCCESS,FAILURE,DELAY
    orcpt: str | None = field(default=None, repr=False)

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class Envelope:
    """The SMTP envelope and what the session says about the client."""

    sender: str = field(repr=False)  # "" is the null sender <>
    recipients: tuple[Recipient, ...] = field(repr=False)
    listener: str = "relay"  # name of the listener in the configuration
    smtputf8: bool = False
    body: str | None = None  # 7BIT | 8BITMIME
    ret: str | None = None  # FULL | HDRS
    envid: str | None = field(default=None, repr=False)
    size: int | None = None
    client: str = ""  # peer address as text
    helo: str = field(default="", repr=False)
    protocol: str = "SMTP"  # SMTP | LMTP
    xforward: Mapping[str, str] = field(default_factory=dict, repr=False)  # NAME ADDR PROTO HELO IDENT SOURCE
    release: Mapping[str, Any] | None = field(default=None, repr=False)  # verified CLINIGATE-RELEASE parameter


@dataclass(frozen=True, slots=True)
class Received:
    """One message as the SMTP side took it."""

    envelope: Envelope
    raw: bytes = field(repr=False)  # CRLF only, dot-unstuffed
    at: float  # POSIX time of the final dot
    key: str  # upstream's queue id (XFORWARD IDENT), else from the SHA-256 of all received bytes (gateway.inbound.twins)
    sha256: str = ""  # of ``raw``, hex, where it is known already


@dataclass(frozen=True, slots=True)
class Copy:
    """Finished bytes for one or more recipients, by index into the envelope's recipients."""

    recipients: tuple[int, ...]
    data: Cleared | Original
    route: str  # named next-hop route
    method: str  # none | route | smime | observe
    sender: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Hold:
    """Recipients held under one decision; the content is always the message as received."""

    recipients: tuple[int, ...]
    action: str  # ASK | QUARANTINE | DEFERRED
    rule: str
    reasons: tuple[str, ...]
    key: str  # online | review
    releases: str  # sender | mail-admin | ig | two-person
    notice: str | None = None
    answers: tuple[str, ...] = ()
    urgency: str = "routine"
    alert: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Recipients refused; no copy is kept."""

    recipients: tuple[int, ...]
    rule: str
    reasons: tuple[str, ...]
    notice: str | None = "N-4"
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What steps 2-10 decided.  Every recipient index appears in exactly one copy, hold or refusal."""

    copies: tuple[Copy, ...] = ()
    holds: tuple[Hold, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict, repr=False)  # facts, decisions, digests, timings: for the journal
    plain: bool = False  # image-free pass-through: nothing to tell, no outcome record
    sender_kind: str = "person"  # person | machine | null | auto | list: who may be sent a notice
    owner: str = field(default="", repr=False)  # who is told instead of the sender when sender_kind is not person
    meant: tuple[str, ...] = field(default=(), repr=False)  # "did you mean": one a recipient, "" = nothing; in no journal
    emergency: Mapping[str, str] = field(default_factory=dict, repr=False)  # {way, reason}: sealed for review, never recorded


@dataclass(frozen=True, slots=True)
class Result:
    """The next hop's answer for one recipient."""

    code: int  # SMTP code; 0 = no answer (connection lost, time-out)
    text: str = field(default="", repr=False)
    unknown: bool = False  # data was sent but the final reply never came: the next hop may have taken it

    @property
    def delivered(self) -> bool:
        return 200 <= self.code < 300

    @property
    def permanent(self) -> bool:
        return 500 <= self.code < 600


@dataclass(frozen=True, slots=True)
class Reply:
    """One SMTP reply line of ours."""

    code: int
    enhanced: str
    text: str

    def line(self) -> str:
        return f"{self.code} {self.enhanced} {self.text}"
