"""Answers to notices at the gateway: sealed as they came, never read, held, bounced or relayed, and never in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.answers import ADDRESSES, Answers, Pace, TooMany, Trust, is_answer, only, reply_objects, split
from gateway.identity import Vouches
from gateway.model import Envelope, Received, Recipient, Reply
from gateway.outcomes.replies import REPLIES
from quarantine.model import ObjectKind, SealedObject
from quarantine.settings import Replies
from quarantine.stores.api import StoreError

pytestmark = pytest.mark.unit

DOMAIN = "hold.clinic.example"
SECRET = "abcdefghijklmnopqrstuvwxyz234567" + "q" * 20
ANSWER = f"hold+{SECRET}@{DOMAIN}"
LEE, RAO = "dr.lee@royal.example", "dr.rao@hospice.example"
SENDER = "dr.adams@clinic.example"
RAW = f"From: {SENDER}\r\nTo: {ANSWER}\r\nSubject: Re: Waiting\r\n\r\nVERBAL\r\n".encode()
SETTINGS = Replies(domain=DOMAIN)
TRUST = Trust({"mta": Vouches.ENVELOPE_SENDER}, ())
PEOPLE = Reply(250, "2.0.0", "of the pipeline")


def received(*recipients: str, protocol: str = "LMTP", raw: bytes = RAW, sender: str = SENDER, listener: str = "mta") -> Received:
    envelope = Envelope(sender, tuple(Recipient(one) for one in recipients), listener, protocol=protocol)
    return Received(envelope, raw, 1000.0, "4Z5q1x")


class Box:
    """Stands for the vault, and for the pipeline behind."""

    def __init__(self, *, broken: bool = False) -> None:
        self.objects: dict[str, SealedObject] = {}
        self.went: list[tuple[str, ...]] = []
        self.broken = broken

    def put(self, obj: SealedObject) -> None:
        if self.broken:
            raise StoreError("no room")
        self.objects[obj.id] = obj

    async def people(self, message: Received) -> list[Reply]:
        self.went.append(tuple(one.address for one in message.envelope.recipients))
        return [PEOPLE] * (len(message.envelope.recipients) if message.envelope.protocol == "LMTP" else 1)

    def take(self, message: Received, settings: Replies = SETTINGS) -> list[Reply]:
        return asyncio.run(Answers(self, settings, TRUST).take(message, self.people))


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        (ANSWER, True),
        (ANSWER.upper(), True),
        (f"Hold+x@{DOMAIN}", True),  # forged or garbled: still never relayed
        (f'"hold+x y"@{DOMAIN}', True),
        (f"hold+@{DOMAIN}", True),
        (f"postmaster@{DOMAIN}", False),
        (f"holdx@{DOMAIN}", False),
        (f"hold+{SECRET}@clinic.example", False),
        (f"hold+{SECRET}@sub.{DOMAIN}", False),
        (LEE, False),
    ],
)
def test_which_addresses_are_answers(address: str, ours: bool) -> None:
    assert is_answer(address, DOMAIN) is ours


@given(st.text(max_size=40))
def test_without_a_domain_no_address_is_an_answer(text: str) -> None:
    assert not is_answer(f"hold+{text}@{text}", "")


@pytest.mark.parametrize("protocol", ["SMTP", "LMTP"])
def test_an_answer_is_sealed_to_the_service_as_it_came(protocol: str) -> None:
    """Its row of docs/replies.md."""
    box = Box()
    row = next(row for row in REPLIES if row.outcome == "answer")
    assert box.take(received(ANSWER, protocol=protocol)) == [Reply(row.code, row.enhanced, row.text)]
    [obj] = box.objects.values()
    assert (obj.kind, obj.key, obj.content, obj.meta["secret"]) == (ObjectKind.REPLY, "online", RAW, SECRET)
    assert obj.meta["envelope"] == {"sender": SENDER, "listener": "mta"}
    assert obj.meta["identity"] == {"vouched": True, "codes": []}
    assert box.went == [], "the pipeline never sees it"


def test_a_client_that_comes_again_writes_the_same_object() -> None:
    box = Box()
    for _ in range(3):
        box.take(received(ANSWER))
    box.take(received(ANSWER.upper()))
    assert len(box.objects) == 1


def test_a_reply_to_all_reaches_the_people_and_the_answer() -> None:
    """The people's copies go the usual way, without the reply address among them; every recipient has its own answer."""
    box = Box()
    replies = box.take(received(LEE, ANSWER, RAO))
    assert [one.text for one in replies] == ["of the pipeline", "accepted", "of the pipeline"]
    assert box.went == [(LEE, RAO)]
    assert len(box.objects) == 1
    assert box.take(received(LEE, ANSWER, protocol="SMTP")) == [PEOPLE]


def test_what_cannot_be_written_comes_again() -> None:
    """Over LMTP the people get theirs meanwhile; over SMTP nothing begins, for there is one answer for all."""
    box = Box(broken=True)
    assert [reply.code for reply in box.take(received(LEE, ANSWER))] == [250, 451]
    assert box.went == [(LEE,)]
    assert [reply.code for reply in box.take(received(LEE, ANSWER, protocol="SMTP"))] == [451]
    assert box.went == [(LEE,)]


def test_other_mail_is_not_touched() -> None:
    box = Box()
    assert box.take(received(LEE, RAO)) == [PEOPLE, PEOPLE]
    assert box.went == [(LEE, RAO)]
    assert box.objects == {}


def test_without_a_domain_all_mail_goes_the_usual_way() -> None:
    box = Box()
    box.take(received(ANSWER), Replies())
    assert box.went == [(ANSWER,)]


@pytest.mark.parametrize(
    ("listener", "sender", "raw", "codes"),
    [
        ("other", SENDER, RAW, ["identity.not-vouched"]),
        ("mta", "", RAW, ["identity.from-differs", "identity.null-sender"]),
        ("mta", "pa@clinic.example", RAW, ["identity.from-differs"]),
        ("mta", SENDER, b"Auto-Submitted: auto-replied\r\n" + RAW, ["redirect.auto-submitted"]),
        ("mta", SENDER, b"X-MS-Exchange-Inbox-Rules-Loop: x\r\n" + RAW, ["redirect.inbox-rule"]),
    ],
)
def test_who_wrote_it_is_judged_as_for_any_mail(listener: str, sender: str, raw: bytes, codes: list[str]) -> None:
    [obj] = reply_objects(received(ANSWER, listener=listener, sender=sender, raw=raw), TRUST, 10_000)
    assert obj.meta["identity"] == {"vouched": False, "codes": codes}


def test_a_huge_reply_is_kept_as_far_as_its_word() -> None:
    raw = RAW + b"x" * 1_000_000
    [obj] = reply_objects(received(ANSWER, raw=raw), TRUST, 20_000)
    assert (len(obj.content), obj.meta["cut"]) == (20_000, True)


def test_one_message_makes_few_objects_however_many_addresses_it_names() -> None:
    many = [f"hold+{number:052d}@{DOMAIN}" for number in range(50)]
    assert len(reply_objects(received(*many), TRUST, 10_000)) == ADDRESSES


@given(st.binary(max_size=300))
def test_any_bytes_are_handed_over(noise: bytes) -> None:
    [obj] = reply_objects(received(ANSWER, raw=noise), TRUST, 10_000)
    assert obj.content == noise


def test_nothing_of_an_answer_shows_in_a_repr() -> None:
    [obj] = reply_objects(received(ANSWER), TRUST, 10_000)
    assert "VERBAL" not in repr(obj)
    assert SECRET not in repr(obj)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(pace: Pace, sender: Callable[[int], str], tries: int) -> int:
    count = 0
    for number in range(tries):
        try:
            pace.take(sender(number))
        except TooMany:
            continue
        count += 1
    return count


def test_nobody_fills_the_disk_with_answers() -> None:
    """One sender is slowed down first; all together next; a minute later it goes on."""
    clock = Clock()
    pace = Pace(Replies(domain=DOMAIN, sender_a_minute=5, all_a_minute=12), clock)
    assert taken(pace, lambda _: SENDER, 100) == 5
    assert taken(pace, lambda number: f"{number}@clinic.example", 100) == 7
    clock.now = 61.0
    assert taken(pace, lambda _: SENDER.upper(), 100) == 5


def test_too_many_answers_are_told_to_come_later() -> None:
    box = Box()
    settings = Replies(domain=DOMAIN, sender_a_minute=1)
    gateway = Answers(box, settings, TRUST)

    async def both() -> list[list[Reply]]:
        first = await gateway.take(received(ANSWER), box.people)
        return [first, await gateway.take(received(ANSWER.replace("abc", "abd")), box.people)]

    assert [replies[0].code for replies in asyncio.run(both())] == [250, 451]
    assert len(box.objects) == 1


@pytest.mark.parametrize("recipients", [(LEE,), (ANSWER,), (LEE, ANSWER), (ANSWER, LEE, ANSWER, RAO)])
def test_every_recipient_is_a_person_or_an_answer(recipients: tuple[str, ...]) -> None:
    message = received(*recipients)
    people, asked = split(message.envelope, DOMAIN)
    assert sorted((*people, *asked)) == list(range(len(recipients)))
    kept: Any = only(message, people).envelope.recipients
    assert all(not is_answer(one.address, DOMAIN) for one in kept)
