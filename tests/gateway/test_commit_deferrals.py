"""Step 11, deferrals and releases: whoever has got a message is not sent it again, whichever way it is tried next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model import Plan, Received
from tests.support.commitworld import BOTH, A, B, C, World, codes, commit, copy, hold, opened, received, states

pytestmark = pytest.mark.unit


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with opened(tmp_path, monkeypatch) as made:
        yield made


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
