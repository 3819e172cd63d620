"""Answers to hold notices (``hold+…@`` the replies domain): handed over sealed, never read, held, bounced or relayed.

Whether the secret is one of ours, who may answer and what they said is for the quarantine service; here it is only shape.  A
forged address is handed over like a genuine one: this process has no key to tell them apart with, and says nothing of either.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from gateway import crash
from gateway.carriers import statements
from gateway.identity import Identity, Vouches, identify
from gateway.message import parse
from gateway.model import Envelope, Received, Reply
from gateway.outcomes.commit import Vault
from gateway.outcomes.objects import HEADERS
from gateway.outcomes.replies import find, reply
from policies.register import a_label, plain_local, split_address
from quarantine.answers.secrets import LOCAL
from quarantine.model import ObjectKind, SealedObject
from quarantine.seal import SealError
from quarantine.settings import Replies
from quarantine.stores.api import StoreError

log = structlog.get_logger()

VERSION: Final = 1
LONGEST_SECRET: Final = 64  # RFC 5321 4.5.3.1.1: of a local part; what is longer is kept cut
ADDRESSES: Final = 3  # different reply addresses of one message that are handed over; people answer one
MINUTE: Final = 60.0


class TooMany(OSError):
    """More replies than a person can write: told to come later, so that nobody can fill the disk."""


def is_answer(address: str, domain: str) -> bool:
    """True for an address that only answers go to; ``domain``: of the replies, "" for none.  Case does not matter."""
    local, host = split_address(address)
    return bool(domain) and (a_label(host) or host) == (a_label(domain) or domain) and plain_local(local).startswith(LOCAL)


def split(envelope: Envelope, domain: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Indexes of the recipients that are people, and of those that are answers."""
    answers = tuple(at for at, one in enumerate(envelope.recipients) if is_answer(one.address, domain))
    return tuple(at for at in range(len(envelope.recipients)) if at not in answers), answers


def only(received: Received, indexes: Collection[int]) -> Received:
    """The message for these recipients alone."""
    kept = tuple(one for at, one in enumerate(received.envelope.recipients) if at in indexes)
    return replace(received, envelope=replace(received.envelope, recipients=kept))


@dataclass(frozen=True, slots=True)
class Trust:
    """What every listener vouches for, and whose Received line is believed."""

    vouches: Mapping[str, Vouches]
    hosts: tuple[str, ...]

    def of(self, envelope: Envelope, raw: bytes) -> Identity:
        """Who sent this, judged from the header alone."""
        head = raw[:HEADERS].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        message = parse(head)
        listener = self.vouches.get(envelope.listener, Vouches.NOTHING)
        return identify(message, envelope, statements(message), listener, self.hosts)


def reply_objects(received: Received, trust: Trust, largest: int) -> list[SealedObject]:
    """One REPLY for each recipient's address: the message as received, cut after ``largest`` octets.

    An answer is one word at the top; what hangs below it (the picture, attached once more) is not kept a second time.
    The ids are the same at every try of one message.
    """
    envelope, digest = received.envelope, received.sha256 or hashlib.sha256(received.raw).hexdigest()
    identity = trust.of(envelope, received.raw)
    secrets = sorted({plain_local(split_address(one.address)[0])[len(LOCAL) :][:LONGEST_SECRET] for one in envelope.recipients})
    common: dict[str, Any] = {
        "version": VERSION,
        "created": received.at,
        "envelope": {"sender": envelope.sender, "listener": envelope.listener},
        "identity": {"vouched": identity.vouched, "codes": sorted(identity.codes)},
        "cut": len(received.raw) > largest,
    }
    return [
        SealedObject(
            _id(received.key, digest, secret), ObjectKind.REPLY, "online", common | {"secret": secret}, received.raw[:largest]
        )
        for secret in secrets[:ADDRESSES]
    ]


class Pace:
    """How many replies are taken in a minute, from one sender and in all."""

    def __init__(self, settings: Replies, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._began = clock()
        self._seen: dict[str, int] = {}
        self._all = 0

    def take(self, sender: str) -> None:
        """Count one.  Raises ``TooMany``."""
        if self._clock() - self._began >= MINUTE:
            self._began, self._all = self._clock(), 0
            self._seen.clear()
        one = sender.casefold()
        count = self._seen.get(one, 0)
        if count >= self._settings.sender_a_minute or self._all >= self._settings.all_a_minute:
            raise TooMany("too many replies at once")
        self._seen[one] = count + 1
        self._all += 1


Take = Callable[[Received], Awaitable[list[Reply]]]


class Answers:
    """What stands in front of the pipeline: takes answers out of a message's recipients, lets the others go on."""

    def __init__(self, vault: Vault, settings: Replies, trust: Trust) -> None:
        self._vault, self._settings, self._trust, self._pace = vault, settings, trust, Pace(settings)

    async def take(self, received: Received, people: Take) -> list[Reply]:
        """Replies as ``people`` would give them (one over SMTP, one a recipient over LMTP); ``people``: the usual way."""
        others, asked = split(received.envelope, self._settings.domain)
        if not asked:
            return await people(received)
        answer = await self._hand_over(only(received, asked))
        if received.envelope.protocol != "LMTP":  # one answer for all: until the reply is durable nothing else begins
            return await people(only(received, others)) if others and answer.code == 250 else [answer]
        told = iter(await people(only(received, others)) if others else ())
        return [next(told) if at in others else answer for at in range(len(others) + len(asked))]

    async def _hand_over(self, received: Received) -> Reply:
        """Sealed and durable; else 451, and the client comes again."""
        protocol = received.envelope.protocol
        try:
            self._pace.take(received.envelope.sender)
            objects = await asyncio.to_thread(reply_objects, received, self._trust, self._settings.largest)
            for one in objects:
                await asyncio.to_thread(self._vault.put, one)
        except (OSError, StoreError, SealError) as error:
            log.error("answer.later", error=type(error).__name__)
            return reply(find("unwritten", False, "relay", protocol))
        crash.here("answer.written")
        log.info("answer.taken", listener=received.envelope.listener, number=len(objects))
        return reply(find("answer", False, "relay", protocol))


def _id(key: str, digest: str, secret: str) -> str:
    return hashlib.sha256(f"reply\0{key}\0{digest}\0{secret}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
