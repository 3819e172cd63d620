"""Step 11, scene by scene: what happens when something breaks at the worst moment."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import crash
from gateway.model import Plan, Received, Refusal, Reply
from gateway.outcomes.commit import CRASH_POINTS, Committer
from tests.support.commitworld import BOTH, A, B, C, World, codes, commit, copy, hold, named, opened, received, states

pytestmark = pytest.mark.unit


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with opened(tmp_path, monkeypatch) as made:
        yield made


def test_an_answer_lost_twice_is_not_risked_a_third_time(world: World) -> None:
    """P8: dead twice between the next hop's yes and our note of it; the third try holds for a mail admin."""
    plan, mail = Plan((copy([0], b"data"),)), received([A])
    for _ in range(2):
        world.die_at = "commit.sent"
        assert commit(world, plan, mail) is None
    assert codes(commit(world, plan, mail)) == [250]
    assert len(world.taken) == 2
    [held] = world.holds
    assert (held.meta["rule"], held.meta["releases"], held.meta["uncertain"]) == ("delivery-unknown", "mail-admin", [A])


def test_a_hold_once_begun_stays_whatever_the_policy_says_next(world: World) -> None:
    """P8: dead right after the hold was written; a laxer policy must not deliver beside it, a stricter one not refuse."""
    mail = received([A])
    world.die_at = "commit.hold-written"
    assert commit(world, Plan((), (hold(0),)), mail) is None
    assert codes(commit(world, Plan((copy([0], b"data"),)), mail)) == [250]
    assert not world.taken
    assert [obj.id for obj in world.holds] == [world.outcomes[0].meta["recipients"][0]["hold"]]
    assert world.outcomes[0].meta["recipients"][0]["answers"] == []
    assert states(world) == {A: ["held"]}


def test_over_lmtp_everybody_is_named_in_one_outcome_object(world: World) -> None:
    """P8: dead after the outcome object; the retry repeats it for those it named, and names the others in another."""
    mail = received([A, B], protocol="LMTP")
    world.answers[B], world.die_at = "4yz", "commit.outcome-written"
    assert commit(world, BOTH, mail) is None
    world.answers.clear()
    assert codes(commit(world, BOTH, mail)) == [250, 250]
    assert states(world) == {A: ["delivered"], B: ["delivered"]}


@pytest.mark.parametrize("point", ["commit.holds-noted", "commit.settled"])
def test_a_regrouping_upstream_loses_nobody(world: World, point: str) -> None:
    """P1: dead with an object noted for two; the upstream retries them one by one, and each is in an object that was written."""
    world.die_at = point
    assert commit(world, Plan((), (hold(0, 1),)), received([A, B])) is None
    for address in (A, B):
        assert codes(commit(world, Plan((), (hold(0),)), received([address]))) == [250]
    assert {address for obj in world.holds for address in named(obj)} == {A, B}
    assert {address for obj in world.outcomes for address in named(obj)} == {A, B}


def test_a_failure_noted_is_not_forgotten_with_the_disk(world: World) -> None:
    """P8: the disk fills between the ledger's note and the outcome object; the retry writes that very object, once."""
    mail = received([A, B])
    world.answers[B], world.vault_broken = "5yz", True
    assert codes(commit(world, BOTH, mail)) == [451]
    world.vault_broken = False
    assert codes(commit(world, BOTH, mail)) == [250]
    assert [address for address, _ in world.handed] == [A, B]
    assert states(world) == {A: ["delivered"], B: ["failed"]}


@pytest.mark.parametrize("protocol", ["SMTP", "LMTP"])
@pytest.mark.parametrize("point", [point for point in CRASH_POINTS if point not in ("commit.passed", "commit.closed")])
def test_death_at_each_named_point_is_survived(world: World, point: str, protocol: str) -> None:
    """P1, P8: a hold, a refusal and three copies of which one is deferred; die at the point, come back, try again."""
    addresses = [A, B, C, "d@royal.example", "e@royal.example"]
    copies = (copy([0], b"a"), copy([1], b"b"), copy([2], b"c"))
    plan = Plan(copies, (hold(3),), (Refusal((4,), "r-no", ("why",)),))
    mail = received(addresses, protocol=protocol)
    world.answers[B], world.die_at = "4yz", point
    first = commit(world, plan, mail)
    assert first is None or (protocol == "LMTP" and "deferral" in point)  # LMTP defers nothing
    world.answers.clear()
    second = commit(world, plan, mail)
    assert set(codes(second)) == {250}
    assert {address: len(found) for address, found in states(world).items()} == dict.fromkeys(addresses, 1)
    doubled = {"commit.sent": A}.get(point)
    for address in (A, C):
        times = [one for one, _ in world.taken].count(address)
        assert times == (2 if address == doubled else 1)
    assert states(world)[addresses[3]] == ["held"]
    assert states(world)[addresses[4]] == ["refused"]


def test_the_named_points_are_all_reached(world: World) -> None:
    """A name in the list that the code does not pass would be a hole in every crash test."""
    world.answers[B] = "4yz"
    commit(world, Plan(BOTH.copies, (hold(2),)), received([A, B, C]))
    asyncio.run(world.committer.went_on("Q1"))
    commit(world, Plan((copy([0], b"x"),), plain=True), received([A], key="Q2"))
    assert set(world.points) == set(CRASH_POINTS)


def test_the_same_bytes_again_are_a_retry_until_the_client_went_on(world: World) -> None:
    """A lost 250 is answered from the ledger; after the client went on the same bytes are delivered and held anew."""
    plan, mail = Plan((copy([0], b"a"),), (hold(1),)), received([A, B])
    assert [codes(commit(world, plan, mail)) for _ in range(2)] == [[250], [250]]
    assert (len(world.taken), len(world.holds), len(world.outcomes)) == (1, 1, 1)
    asyncio.run(world.committer.went_on("Q1"))
    assert codes(commit(world, plan, mail)) == [250]
    assert (len(world.taken), len(world.holds), len(world.outcomes)) == (2, 2, 2)


def test_a_queue_id_used_again_is_another_message(world: World) -> None:
    """P1: Postfix's short queue ids come again; other bytes under the same id are never taken for delivered."""
    plan = Plan((copy([0], b"a"),))
    for raw in (b"Subject: one\r\n\r\n", b"Subject: two\r\n\r\n"):
        assert codes(commit(world, plan, received([A], raw))) == [250]
    assert len(world.taken) == 2


def test_the_same_address_twice_is_two_recipients(world: World) -> None:
    """RFC 2033 4.2: LMTP owes a reply for each RCPT, also for a repeated one."""
    assert codes(commit(world, BOTH, received([A, A], protocol="LMTP"))) == [250, 250]
    assert len(world.taken) == 2


@pytest.mark.parametrize("broken", ["ledger_broken", "vault_broken", "journal_broken"])
def test_image_free_mail_flows_whatever_is_broken(world: World, broken: str) -> None:
    """It depends on the next hop alone; a clinical message waits with its sender, and comes through once."""
    setattr(world, broken, True)
    assert codes(commit(world, Plan((copy([0], b"text"),), plain=True), received([A], key="plain"))) == [250]
    clinical, mail = Plan((copy([0], b"photo"),)), received([A], key="clinical")
    assert codes(commit(world, clinical, mail)) == [451]
    assert [data for _, data in world.taken] == ([b"text"] if broken == "ledger_broken" else [b"text", b"photo"])
    setattr(world, broken, False)
    assert codes(commit(world, clinical, mail)) == [250]
    assert [data for _, data in world.taken] == [b"text", b"photo"]


def test_a_hold_that_cannot_be_written_stops_everything_before_a_byte_leaves(world: World) -> None:
    """Holds first: over SMTP nothing is sent, over LMTP only the held recipients have to come again."""
    plan = Plan((copy([0], b"a"),), (hold(1),))
    world.vault_broken = True
    assert codes(commit(world, plan, received([A, B]))) == [451]
    assert not world.handed


def test_over_lmtp_only_the_hold_that_failed_comes_again(world: World) -> None:
    """One hold on a full disk, then room again for the outcome object."""
    plan, mail = Plan((copy([0], b"a"),), (hold(1),)), received([A, B], protocol="LMTP")
    world.vault_broken = True
    world.on_send = lambda: setattr(world, "vault_broken", False)
    assert codes(commit(world, plan, mail)) == [250, 451]
    assert codes(commit(world, Plan((), (hold(0),)), received([B], protocol="LMTP"))) == [250]
    assert states(world) == {A: ["delivered"], B: ["held"]}


def test_a_next_hop_that_answers_for_too_few_is_not_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nonsense is no answer: 451, and noted as unknown."""

    async def nonsense(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(world, "send", nonsense)
    assert codes(commit(world, Plan((copy([0], b"a"),)), received([A]))) == [451]
    assert world.row_states() == ["UNKNOWN"]


def test_a_plan_that_forgets_somebody_is_not_carried_out(world: World) -> None:
    """P1: better 451 than a recipient nobody decided on."""
    with pytest.raises(ValueError, match="every recipient once"):
        commit(world, Plan((copy([0], b"a"),)), received([A, B]))
    assert not world.handed


@pytest.mark.parametrize("plain", [True, False])
def test_a_client_that_goes_away_does_not_stop_the_work(world: World, plain: bool) -> None:
    """Copies in flight finish; and since its answer is lost, the client's next try is answered and nothing sent again."""
    plan, mail = Plan((copy([0], b"a"),), plain=plain), received([A])

    async def scene() -> list[Reply]:
        started, go = asyncio.Event(), asyncio.Event()
        real = world.send

        async def slow(*args: Any) -> Any:
            started.set()
            await go.wait()
            return await real(*args)

        world.committer._next_hop = type("Slow", (), {"send": staticmethod(slow)})()
        task = asyncio.ensure_future(world.committer.commit(plan, mail, "relay", 1240.0))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()
        await world.committer.drain()
        return await world.committer.commit(plan, mail, "relay", 1240.0)

    assert codes(asyncio.run(scene())) == [250]
    assert len(world.taken) == 1
    assert len(world.outcomes) == (0 if plain else 1)


def test_two_connections_with_one_message_do_not_both_send_it(world: World) -> None:
    """The second finds a live claim and is told to come again."""
    plan, mail = Plan((copy([0], b"a"),)), received([A])

    async def scene() -> list[Reply]:
        second: list[Reply] = []
        real = world.send

        async def slow(*args: Any) -> Any:
            second.extend(await Committer.commit(world.committer, plan, mail, "relay", 1240.0))
            return await real(*args)

        world.committer._next_hop = type("Slow", (), {"send": staticmethod(slow)})()
        return [*await world.committer.commit(plan, mail, "relay", 1240.0), *second]

    assert codes(asyncio.run(scene())) == [250, 451]
    assert len(world.taken) == 1


def test_withdrawals_are_looked_at_once_more(world: World) -> None:
    """A consent withdrawn since the decision stops the copy."""

    class Withdrawn:
        async def still_allowed(self, plan: Plan, received: Received) -> Plan:
            return Plan((), (), (Refusal((0,), "withdrawn", ("consent.withdrawn",)),))

    world.committer._withdrawals = Withdrawn()
    assert codes(commit(world, Plan((copy([0], b"a"),)), received([A]))) == [250]
    assert (world.taken, states(world)) == ([], {A: ["refused"]})


def test_image_free_mail_to_recipients_who_differ(world: World) -> None:
    """One answer for all: who was refused gets a report, who must wait a DEFERRED hold, and nobody is sent to twice."""
    plan, mail = Plan((copy([0, 1, 2], b"text"),), plain=True), received([A, B, C])
    world.answers.update({B: "4yz", C: "5yz"})
    assert codes(commit(world, plan, mail)) == [250]
    assert states(world) == {A: ["delivered"], B: ["deferred"], C: ["failed"]}
    assert codes(commit(world, plan, mail)) == [250]
    assert len(world.handed) == 3


def test_the_crash_hook_kills_only_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inert without its variable, and at every other name."""
    died: list[int] = []
    monkeypatch.setattr(os, "_exit", died.append)
    for point in CRASH_POINTS:
        crash.here(point)
    assert not died
    monkeypatch.setattr(crash, "_AT", "commit.sent")
    for point in CRASH_POINTS:
        crash.here(point)
    assert died == [137]


TOLD = {"notice": "N-3-note", "rule": "NO-PICTURE", "reasons": ["kind.none"], "advised": ["link.file-share"]}
NOTED = {"recipients": [TOLD] * 2}


def test_advice_about_mail_without_a_picture_is_one_outcome_however_often_it_is_tried(world: World) -> None:
    """The short way stays: no ledger row; a client that tries again after a lost answer makes the same object again."""
    plan, mail = Plan((copy([0, 1], b"text"),), record=NOTED, plain=True), received([A, B])
    assert codes(commit(world, plan, mail)) == [250]
    assert codes(commit(world, plan, mail)) == [250]
    assert states(world) == {A: ["delivered"], B: ["delivered"]}
    [told] = world.outcomes
    assert [line["notice"] for line in told.meta["recipients"]] == ["N-3-note", "N-3-note"]
    assert told.meta["images"] == [] and world.row_states() == []


def test_mail_without_a_picture_goes_though_its_advice_cannot_be_written(world: World) -> None:
    """P3, design 2: it depends on the next hop alone."""
    world.vault_broken = True
    assert codes(commit(world, Plan((copy([0, 1], b"text"),), record=NOTED, plain=True), received([A, B]))) == [250]
    assert world.outcomes == [] and len(world.taken) == 2


def test_nobody_is_advised_about_what_did_not_go(world: World) -> None:
    world.answers = {A: "4yz", B: "4yz"}
    assert codes(commit(world, Plan((copy([0, 1], b"text"),), record=NOTED, plain=True), received([A, B]))) == [452]
    assert world.outcomes == []
