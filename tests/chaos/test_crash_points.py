"""The gateway dies at each named point of step 11; the upstream MTA comes back; nothing is lost, leaked or told twice.

P1: every recipient ends delivered, held or refused.  P2: no byte of the unscrubbed image reaches the next hop.  P8: one hold,
one notice, and at most one duplicate delivery, which only a death between the next hop's answer and our note of it can cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from gateway.demo.samples import COLLEAGUE, FILE_SHARE, STRANGER
from gateway.outcomes.commit import CRASH_POINTS
from quarantine.model import ObjectKind
from tests.support.aftermath import addresses, both_listeners, notices, of_sender, records, sealed
from tests.support.canaries import judge
from tests.support.fussy import FussyMailbox
from tests.support.installation import Installation, free_port, listening, until
from tests.support.letters import DOMAIN, canary_photo, letter
from tests.support.mta import Queued, attempt, final, persist

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

BUSY = "dr.busy@royal-example.example"  # the next hop says 4yz
KILLED = 137
SENT = {"commit.sent", "commit.passed"}  # the next hop has it and nothing of ours says so: the one duplicate that may be


@dataclass(frozen=True)
class Scenario:
    """A message that has to pass a crash point."""

    name: str
    protocol: str
    recipients: tuple[str, ...]
    points: frozenset[str]
    pictures: int = 1
    held: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    deferred: tuple[str, ...] = ()
    told: int = 1

    @property
    def delivered(self) -> tuple[str, ...]:
        return tuple(one for one in self.recipients if one not in (*self.held, *self.refused, *self.deferred))


def points(*names: str) -> frozenset[str]:
    return frozenset(f"commit.{name}" for name in names)


ALWAYS = ("begin", "claimed", "sending", "sent", "settled", "outcome-written", "finished", "closed")
FATES = points(*ALWAYS, "holds-noted", "hold-written")
THREE = (COLLEAGUE, STRANGER, FILE_SHARE)
SCENARIOS = (
    Scenario("three-fates", "LMTP", THREE, FATES, held=(STRANGER,), refused=(FILE_SHARE,)),
    Scenario("three-fates", "SMTP", THREE, FATES, held=(STRANGER,), refused=(FILE_SHARE,)),
    Scenario("photo", "LMTP", (COLLEAGUE,), points(*ALWAYS)),
    Scenario("deferred", "SMTP", (COLLEAGUE, BUSY), points("deferral-noted", "deferral-written", "settled"), deferred=(BUSY,)),
    Scenario("text", "SMTP", (COLLEAGUE, STRANGER), points("begin", "sent", "passed"), pictures=0, told=0),
    Scenario("text", "LMTP", (COLLEAGUE, STRANGER), points("passed"), pictures=0, told=0),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One quarantine service and one mailbox for all; the gateway is started anew for each death."""
    made = Installation(tmp_path_factory.mktemp("crash"), mailbox=False, quarantine={"merge_window": 0.5, "poll": 0.1})
    made.mailbox = FussyMailbox(made.folder / "mailbox", made.ports.mailbox)
    made.mailbox.answers = {BUSY: "451 4.2.1 busy"}
    both_listeners(made, made.ports.gateway, free_port())
    made.mailbox.start()
    try:
        made.start("quarantine")
        yield made
    finally:
        made.close()


def ports(site: Installation) -> dict[str, int]:
    return {one["protocol"]: one["port"] for one in site.settings()["listeners"]}


def message(scenario: Scenario, point: str) -> Queued:
    name = f"{scenario.name}.{scenario.protocol}.{point.partition('.')[2]}".lower()
    sender = f"{name}@{DOMAIN}"
    photo = (canary_photo(),) * scenario.pictures
    return Queued(f"Q{name}", sender, scenario.recipients, letter(sender, scenario.recipients, pictures=photo))


def die_with(site: Installation, point: str, sent: Queued, protocol: str) -> dict[str, int]:
    """Start a gateway that dies at ``point``, hand it the message; what it had answered before."""
    gateway = site.spawn("gateway", env={"CLINIGATE_CRASH_AT": point})
    until(lambda: gateway.poll() is not None or all(listening(port) for port in ports(site).values()), "start")
    answers = attempt(ports(site)[protocol], protocol, sent)
    until(lambda: gateway.poll() is not None, f"death at {point}", 20)
    assert site.programs.pop("gateway").returncode == KILLED, f"it did not die at {point}:\n{site.log('gateway')[-2000:]}"
    return answers


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_a_death_at_this_point_loses_nothing_and_tells_nothing_twice(site: Installation, point: str) -> None:
    """P1, P2 and P8 at one named point, over LMTP and SMTP."""
    scenarios = [one for one in SCENARIOS if point in one.points]
    assert scenarios, "a crash point that no scenario passes is not tested"
    messages = {one: message(one, point) for one in scenarios}
    before = {one: die_with(site, point, sent, one.protocol) for one, sent in messages.items()}
    for answers in before.values():
        assert point == "commit.closed" or not any(map(final, answers.values())), "answered before it was durable"
    site.start("gateway")
    leak = judge()
    try:
        for one, sent in messages.items():
            answers = persist(ports(site)[one.protocol], one.protocol, sent, before[one])
            assert set(answers.values()) == {250}
        for one, sent in messages.items():
            check(site, one, sent, point, leak)
    finally:
        site.kill("gateway")


def check(site: Installation, one: Scenario, sent: Queued, point: str, leak: Callable[[bytes], str | None]) -> None:
    """What is left of one message."""
    assert site.mailbox is not None
    for recipient in one.recipients:
        got = [mail.read_bytes() for mail in site.mailbox.mails(recipient)]
        mine = [mail for mail in got if sent.sender.encode() in mail.partition(b"\r\n\r\n")[0]]
        assert all(leak(mail) is None for mail in mine), f"{recipient} got the image as it came"
        if recipient not in one.delivered:
            assert mine == [], f"{recipient} was to get nothing"
            continue
        assert len(mine) in ((1, 2) if point in SENT else (1,)), f"{len(mine)} copies for {recipient}"
        assert len({re.search(rb"(?mi)^message-id: *(\S+)", mail)[1] for mail in mine}) == 1  # type: ignore[index]  # each has one
    expected = notices(site, sent.sender, one.told)
    assert len(expected) == one.told, f"{len(expected)} notices"
    for notice in expected:
        text = notice.read_text("utf-8", "replace")
        assert all(recipient in text for recipient in (*one.held, *one.refused))
    holds = of_sender(sealed(site), sent.sender)
    assert sorted(map(str, (address for hold in holds for address in addresses(hold)))) == sorted((*one.held, *one.deferred))
    assert all(hold.content == sent.data for hold in holds), "a hold keeps the message as received"
    rows = records(site, "SELECT id FROM holds WHERE sender = ?", sent.sender)
    assert len(rows) == len(holds)
    if one.pictures:
        outcomes = of_sender(sealed(site, ObjectKind.OUTCOME), sent.sender)
        said = [(line["address"], line["state"]) for outcome in outcomes for line in outcome.meta["recipients"]]
        states = {
            **dict.fromkeys(one.delivered, "delivered"),
            **dict.fromkeys(one.held, "held"),
            **dict.fromkeys(one.refused, "refused"),
            **dict.fromkeys(one.deferred, "deferred"),
        }
        assert sorted(said) == sorted(states.items()), "one outcome per recipient"
