"""One incoming mail transaction: what MAIL, RCPT and XFORWARD said, and the message's way to the intake."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.inbound import addresses, parameters
from gateway.inbound import replies as say
from gateway.inbound.intake import Intake, ListenerSettings, Reservation
from gateway.inbound.loops import loop_reply
from gateway.inbound.parameters import MailParameters
from gateway.model import Envelope, Received, Recipient, Reply

FIRST_SHARE = 2**16  # memory reserved for a message of undeclared size
STEP = 2**20  # memory grows in steps of so many bytes
INLINE_HASH = 2**18  # up to so many bytes hashing costs less than handing it to a thread


@dataclass(slots=True, eq=False)
class Incoming:
    """From XFORWARD or MAIL to the answer after the dot.  Never used for a second message: IDENT names one only."""

    sender: str | None = field(default=None, repr=False)  # None: no MAIL yet; "": the null sender
    parameters: MailParameters = field(default_factory=MailParameters, repr=False)
    recipients: list[Recipient] = field(default_factory=list, repr=False)
    xforward: dict[str, str] = field(default_factory=dict, repr=False)
    release: Mapping[str, Any] | None = field(default=None, repr=False)
    share: Reservation | None = None
    reserved: int = 0

    @property
    def open(self) -> bool:
        return self.sender is not None

    def mail(self, arg: str, announced: frozenset[str], settings: ListenerSettings, intake: Intake) -> None:
        """Open the transaction with MAIL's argument.  Raises say.Refused."""
        if self.open:
            raise say.Refused(say.NESTED)
        sender, rest = addresses.parse_path(_behind("FROM:", arg))
        given = parameters.mail_parameters(rest, announced)
        if not given.smtputf8:
            addresses.require_ascii(sender)
        if settings.kind == "release" and given.release is None:
            raise say.Refused(say.NOT_RELEASED)
        if given.size is not None and given.size > settings.max_size:
            raise say.Refused(say.TOO_BIG)
        if refusal := intake.admit(given.size):
            raise say.Refused(refusal)
        size = FIRST_SHARE if given.size is None else given.size
        share = intake.reserve(size)
        if share is None:
            raise say.Refused(say.NO_MEMORY)
        self.sender, self.parameters = _qualified(sender, settings), given
        self.share, self.reserved = share, size

    def rcpt(self, arg: str, announced: frozenset[str], settings: ListenerSettings) -> None:
        """Add a recipient.  Raises say.Refused."""
        if not self.open:
            raise say.Refused(say.NO_MAIL)
        address, rest = addresses.parse_path(_behind("TO:", arg))
        if not address:
            raise say.Refused(say.BAD_ADDRESS)
        given = parameters.rcpt_parameters(rest, announced, self.parameters.smtputf8)
        if not self.parameters.smtputf8:
            addresses.require_ascii(address)
        if len(self.recipients) >= settings.max_recipients:
            raise say.Refused(say.TOO_MANY)
        self.recipients.append(Recipient(_qualified(address, settings), given.notify, given.orcpt))

    def judged(self, envelope: Envelope, intake: Intake) -> Envelope:
        """The envelope with what its release token grants, from the sender who sent it at first: the re-submission itself comes
        from nobody (no bounce may answer it).  Raises say.Refused if the token is not valid for it.
        """
        token = self.parameters.release
        granted = intake.verify_release(token, envelope) if token else None
        if granted is None:
            raise say.Refused(say.NOT_RELEASED)
        first = granted.get("envelope") or {}
        sender = str(first.get("sender") or envelope.sender)
        return replace(envelope, release=granted, sender=sender, ret=first.get("ret"), envid=first.get("envid"))

    def grow(self, size: int) -> bool:
        """Memory for ``size`` bytes; asks the budget only at each STEP."""
        if size <= self.reserved:
            return True
        wanted = (size // STEP + 1) * STEP
        if self.share is None or not self.share.grow(wanted):
            return False
        self.reserved = wanted
        return True

    def end(self) -> None:
        """Give the memory back.  May be called more than once."""
        share, self.share = self.share, None
        if share is not None:
            share.release()

    def envelope(self, settings: ListenerSettings, client: str, helo: str) -> Envelope:
        assert self.sender is not None
        return Envelope(
            sender=self.sender,
            recipients=tuple(self.recipients),
            listener=settings.name,
            smtputf8=self.parameters.smtputf8,
            body=self.parameters.body,
            ret=self.parameters.ret,
            envid=self.parameters.envid,
            size=self.parameters.size,
            client=client,
            helo=helo,
            protocol=settings.protocol,
            xforward={name: value for name, value in self.xforward.items() if value},
            release=self.release,
        )


async def hand_over(incoming: Incoming, envelope: Envelope, raw: bytes, hostname: str, intake: Intake) -> tuple[str, list[Reply]]:
    """Give the message to the intake.  Returns its key ("" if the intake never saw it) and one reply per recipient or one in all.

    Runs in a task of its own and ends whatever the client does; the memory is given back here.
    """
    try:
        if loops := loop_reply(raw, hostname, envelope):
            return "", [loops] * (len(envelope.recipients) if envelope.protocol == "LMTP" else 1)
        ident = envelope.xforward.get("IDENT")
        digest = "" if ident else await _digest(raw)
        key = ident or intake.known_as(digest)
        try:
            return key, await intake.message(Received(envelope, raw, time.time(), key, digest))
        except BaseException:
            intake.left(key)
            raise
    finally:
        incoming.end()


def _behind(keyword: str, arg: str) -> str:
    """What stands behind FROM: or TO:.  Raises say.Refused."""
    if arg[: len(keyword)].upper() != keyword:
        raise say.Refused(say.BAD_SYNTAX)
    return arg[len(keyword) :]


def _qualified(address: str, settings: ListenerSettings) -> str:
    return f"{address}@{settings.hostname}" if address.lower() == "postmaster" else address


async def _digest(raw: bytes) -> str:
    """Hex SHA-256.  hashlib lets go of the interpreter lock, so a thread keeps the event loop free."""
    if len(raw) <= INLINE_HASH:
        return hashlib.sha256(raw).hexdigest()
    return (await asyncio.to_thread(hashlib.sha256, raw)).hexdigest()
