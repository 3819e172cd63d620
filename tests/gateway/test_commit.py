"""Step 11, scene by scene: what happens when something breaks at the worst moment."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway import crash
from gateway.ids import ALPHABET, reference
from gateway.model import Hold, Plan, Received, Refusal, Reply
from gateway.outcomes.commit import CRASH_POINTS, Committer
from gateway.outcomes.objects import message_id
from quarantine import reading
from quarantine.deadlines import DEADLINES
from quarantine.model import State
from tests.support.commitworld import Killed, World, copy, named, received, without_fsync

pytestmark = pytest.mark.unit

A, B, C = "a@royal.example", "b@royal.example", "c@royal.example"
BOTH = Plan((copy([0], b"for a"), copy([1], b"for b")))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    without_fsync(monkeypatch)
    made = World(tmp_path)
    yield made
    made.ledger._disconnect()


def commit(world: World, plan: Plan, mail: Received, listener: str = "relay") -> list[Reply] | None:
    """One try; None (and a new process) when it died."""
    try:
        return asyncio.run(world.committer.commit(plan, mail, listener, world.now + 240))
    except Killed:
        world.boot()
        return None


def codes(replies: list[Reply] | None) -> list[int]:
    assert replies is not None
    return [one.code for one in replies]


def hold(*indexes: int, rule: str = "r-ask", action: str = "ASK") -> Hold:
    return Hold(indexes, action, rule, ("why",), "online", "sender", "N-1")


def states(world: World) -> dict[str, list[str]]:
    """address -> every state an outcome object gives it."""
    found: dict[str, list[str]] = {}
    for obj in world.outcomes:
        for line in obj.meta["recipients"]:
            found.setdefault(line["address"], []).append(line["state"])
    return found


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


def test_a_deferral_once_begun_is_not_sent_as_well(world: World) -> None:
    """P8: dead right after the DEFERRED hold was written; the retry leaves the sending to its re-submission."""
    mail = received([A, B])
    world.answers[B], world.die_at = "4yz", "commit.deferral-written"
    assert commit(world, BOTH, mail) is None
    world.answers.clear()
    assert codes(commit(world, BOTH, mail)) == [250]
    assert [address for address, _ in world.taken] == [A]
    assert (len(world.holds), states(world)) == (1, {A: ["delivered"], B: ["deferred"]})


def deferred_and_dead(world: World) -> Received:
    """A went; B and C were deferred into one hold, and we died before noting it.  Gives the re-submission of that hold."""
    world.answers.update({B: "4yz", C: "4yz"})
    world.die_at = "commit.deferral-written"
    assert commit(world, Plan((copy([0, 1, 2], b"data"),)), received([A, B, C])) is None
    world.answers.clear()
    [deferral] = world.holds
    return received([B, C], protocol="LMTP", release={"release": "r1", "hold": deferral.id})


RELEASED = Plan((copy([0, 1], b"data"),))


def test_a_deferral_is_not_sent_again_to_whom_a_later_try_reached(world: World) -> None:
    """P8: an upstream that groups anew sends to B alone, and the deferral written before is re-submitted for B and C."""
    release = deferred_and_dead(world)
    assert codes(commit(world, Plan((copy([0], b"data"),)), received([B]))) == [250]
    lines = [one.line() for one in commit(world, RELEASED, release, "release") or []]
    assert lines == ["250 2.0.0 DELIVERED"] * 2
    assert Counter(address for address, _ in world.taken) == {A: 1, B: 1, C: 1}
    assert states(world)[B] == ["delivered"]  # once in the disclosure ledger, too


def test_who_got_a_deferral_is_not_sent_the_message_again(world: World) -> None:
    """P8: the other way round; the upstream's try for B alone finds that B has got it."""
    release = deferred_and_dead(world)
    assert codes(commit(world, RELEASED, release, "release")) == [250, 250]
    assert codes(commit(world, Plan((copy([0], b"data"),)), received([B]))) == [250]
    assert Counter(address for address, _ in world.taken) == {A: 1, B: 1, C: 1}


def test_a_deferral_that_a_later_try_has_delivered_is_answered_so_however_often_its_release_asks(world: World) -> None:
    """P8: the answer to the release is lost, or we die right after claiming it; nobody is sent to again."""
    release = deferred_and_dead(world)
    assert codes(commit(world, Plan((copy([0], b"data"),)), received([B]))) == [250]
    world.die_at = "commit.claimed"
    assert commit(world, RELEASED, release, "release") is None
    for _ in range(3):
        lines = [one.line() for one in commit(world, RELEASED, release, "release") or []]
        assert lines == ["250 2.0.0 DELIVERED"] * 2
    assert Counter(address for address, _ in world.taken) == {A: 1, B: 1, C: 1}
    assert states(world)[B] == ["delivered"]


def test_a_deferral_held_again_does_not_forget_who_has_got_it(world: World) -> None:
    """P8: the policy holds what is left of the deferral; whoever was reached by a later try is delivered, today and tomorrow."""
    release = deferred_and_dead(world)
    assert codes(commit(world, Plan((copy([0], b"data"),)), received([B]))) == [250]
    held = Plan((), (hold(0, 1),))
    for plan in (held, held, RELEASED):
        lines = [one.line() for one in commit(world, plan, release, "release") or []]
        assert lines[0] == "250 2.0.0 DELIVERED"
    assert Counter(address for address, _ in world.taken) == {A: 1, B: 1, C: 1}


def test_a_deferral_remembers_that_the_message_may_have_arrived(world: World) -> None:
    """P8: the reply was lost once before deferring and once at the re-submission; nobody sends a third time."""
    world.answers[B] = "lost"
    assert codes(commit(world, BOTH, received([A, B]))) == [250]
    [deferred] = world.holds
    assert deferred.meta["uncertain"] == [B]
    release = received([B], protocol="LMTP", release={"release": "r1", "hold": deferred.id})
    plan = Plan((copy([0], b"for b"),))
    assert codes(commit(world, plan, release, "release")) == [451]
    world.answers.clear()
    [answer] = commit(world, plan, release, "release") or []
    assert answer.line() == "250 2.1.5 HELD-AGAIN delivery-unknown"
    assert [address for address, _ in world.taken] == [A, B, B]


def test_a_release_is_done_once_however_often_it_is_asked_for(world: World) -> None:
    """The service lost our answer: the same release id is answered again, not sent again; a new decision is sent."""
    release = received([A], protocol="LMTP", release={"release": "r1", "hold": "h1"})
    plan = Plan((copy([0], b"data"),))
    lines = [one.line() for _ in range(3) for one in commit(world, plan, release, "release") or []]
    assert lines == ["250 2.0.0 DELIVERED"] * 3
    assert len(world.taken) == 1
    again = received([A], protocol="LMTP", release={"release": "r2", "hold": "h1"})
    assert codes(commit(world, plan, again, "release")) == [250]
    assert len(world.taken) == 2
    assert sorted(obj.meta["message"] for obj in world.objects.values()) == ["release:r1", "release:r2"]


def test_a_release_tells_the_disclosure_ledger_what_went_and_who_let_it_go(world: World) -> None:
    """The statement is the one of the release's own decision; what goes back to its hold, or has no picture, tells nothing."""
    statement = {"status": "given", "form": "verbal", "carrier": "release", "identifiable": True, "child": False}
    why = {
        "mode": "enforce", "kind": "K3", "source": ["GMC 10"], "protection": "route safe", "stripped": True, "rule": "r-1",
        "facts": {"sender_group": "wards", "consent": {"statement": statement}}, "reasons": ["purpose.inferred"],
    }  # fmt: skip
    record = {
        "policy": "digest", "recipients": [why, why], "patients": ["hash"],
        "images": [{"part": "2", "sha256": "aa", "scrubbed": "bb", "kind": "K3", "format": "jpeg", "codes": ["exif.gps"]},
                   {"part": "3", "sha256": "aa", "scrubbed": "bb", "kind": "K3", "format": "jpeg", "codes": ["exif.gps"]}],
    }  # fmt: skip
    terms = {"release": "r1", "hold": "h1", "ref": "H7Q2-93KD", "message": "m1", "by": "ig1", "role": "ig", "decided": 5.0}
    release = received([A, B], protocol="LMTP", release={**terms, "statement": "CANARY", "envelope": {}})
    commit(world, Plan((copy([0], b"data"),), (hold(1),), record=record), release, "release")
    [outcome] = world.objects.values()
    meta = reading.kept(outcome.meta)
    assert meta["release"] == {name: terms[name] for name in terms if name != "ref"}
    assert (meta["ref"], meta["patients"], meta["sender_group"]) == ("H7Q2-93KD", ["hash"], "wards")
    [line] = meta["recipients"]
    said = {"status": "given", "form": "verbal", "carrier": "release", "purpose": "COC", "inferred": True}
    assert (line["address"], line["statement"], line["protection"], line["source"]) == (A, said, "route safe", ["GMC 10"])
    assert meta["images"] == [{"sha256": "aa", "scrubbed": "bb", "part": "2", "parts": ["2", "3"], "format": "jpeg", "kind": "K3",
                               "codes": ["exif.gps"]}]  # fmt: skip
    assert "CANARY" not in json.dumps(outcome.meta)
    world.objects.clear()
    plain = received([A], protocol="LMTP", release={**terms, "release": "r2"})
    commit(world, Plan((copy([0], b"data"),), record=record, plain=True), plain, "release")
    assert not world.objects


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


def test_an_id_is_not_used_again_after_the_ledger_forgot(world: World) -> None:
    """P1: the same bytes a week later make a new hold; with the old id the quarantine service would take it for known."""
    plan, mail = Plan((), (hold(0),)), received([A])
    commit(world, plan, mail)
    world.now += 7 * 86400
    assert asyncio.run(world.committer.expire(world.now)) == 1
    commit(world, plan, mail)
    assert len(world.holds) == 2


def test_a_queue_id_used_again_is_another_message(world: World) -> None:
    """P1: Postfix's short queue ids come again; other bytes under the same id are never taken for delivered."""
    plan = Plan((copy([0], b"a"),))
    for raw in (b"Subject: one\r\n\r\n", b"Subject: two\r\n\r\n"):
        assert codes(commit(world, plan, received([A], raw))) == [250]
    assert len(world.taken) == 2


def test_objects_of_two_messages_under_one_queue_id_are_never_taken_for_one(world: World) -> None:
    """Symptom: a sender's notice was dropped, or named the recipients of somebody else's mail.  Cause: the quarantine service
    merges the objects of one message by ``message``; that was the upstream's queue id alone, and those are used again."""
    commit(world, Plan(holds=(hold(0),)), received([A], b"one"))
    commit(world, Plan(holds=(hold(0),)), received([A], b"two"))
    assert len({obj.meta["message"] for obj in world.outcomes}) == 2
    assert {obj.meta["message"] for obj in world.outcomes} == {obj.meta["message"] for obj in world.holds}


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


def test_no_address_stands_in_events_or_exceptions(world: World) -> None:
    """P5: the journal holds domains and codes."""
    commit(world, Plan((copy([0], b"a"),), (hold(1),)), received([A, B]))
    assert "a@" not in str(world.events) and "royal.example" in str(world.events)


def test_the_objects_tell_the_quarantine_service_what_it_needs(world: World) -> None:
    """Both objects are read by the service's own reader: rows, references, images, deadlines, consent."""
    why = {
        "class": "A",
        "rule": "r-1",
        "reasons": ["why"],
        "notice": "N-3",
        "consent": "refused",
        "expires": "2026-11-30",
        "urgency": "urgent",
    }
    record = {
        "policy": "digest", "recipients": [why, why, {**why, "facts": {"at": "now"}}], "patients": ["hash"],
        "images": [{"part": "2", "sha256": "aa", "scrubbed": "bb"}, {"part": "3", "sha256": "cc", "scrubbed": None}],
    }  # fmt: skip
    plan = Plan((copy([0], b"a"), copy([1], b"b")), (hold(2),), record=record)
    world.answers[B] = "4yz"
    commit(world, plan, received([A, B, C], notify="DELAY", envid="E1", ret="HDRS"))
    held = {obj.meta["action"]: reading.from_hold(obj, DEADLINES) for obj in world.holds}
    assert [one.address for one in held["ASK"][1]] == [C]
    assert (held["ASK"][0].state, held["DEFERRED"][0].state) == (State.ASKED, State.DEFERRED)
    assert held["DEFERRED"][0].urgency == "urgent"
    assert all(row.ref == reference(row.id) for row, _ in held.values())
    [outcome] = world.outcomes
    meta = reading.kept(outcome.meta)
    assert json.loads(json.dumps(outcome.meta)) == outcome.meta
    assert sorted(reading.named_holds(meta)) == sorted(obj.id for obj in world.holds)
    assert {row.id: row.action for row, _ in reading.holds_in_outcome(meta, {}, DEADLINES)} == {
        o.id: o.meta["action"] for o in world.holds
    }
    assert reading.images(meta) == [("aa", "bb"), ("cc", "")]
    assert (outcome.meta["patient"], outcome.meta["consent"], meta["message_id"]) == ("hash", "refused", "<1@trust.example>")
    assert meta["recipients"][0]["consent_until"] == datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    assert (meta["envelope"]["envid"], meta["envelope"]["ret"]) == ("E1", "HDRS")
    assert next(obj.meta["facts"] for obj in world.holds if obj.meta["action"] == "ASK") == {"at": "now"}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"Message-ID: <1@x>\r\n\r\n", "<1@x>"),
        (b"Subject: s\r\nmessage-id:\r\n <2@x>\r\n\r\nMessage-ID: <no@x>\r\n", "<2@x>"),
        (b"Subject: s\r\n\r\nMessage-ID: <no@x>\r\n", ""),
        (b"X-Message-ID: <no@x>\r\n\r\n", ""),
    ],
)
def test_the_message_id_is_read_from_the_header_only(raw: bytes, found: str) -> None:
    assert message_id(raw) == found


def test_references_can_be_read_out_on_the_telephone() -> None:
    """Eight letters none of which sounds or looks like another."""
    ref = reference("f" * 32)
    assert len(ref) == 9 and ref[4] == "-"
    assert set(ref) <= {*ALPHABET, "-"} and not set(ALPHABET) & set("01ILOU")


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
