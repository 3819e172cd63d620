"""Notices about held mail say what the hold says today, and who decides about it is told in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from quarantine import promises
from quarantine.model import State
from quarantine.state import Event, move
from tests.support.noticeworld import CHEN, LEE, NOW, SENDER, SENT, SETTINGS, asked, line, sent
from tests.support.outboxworld import HOLD, World, parsed

pytestmark = pytest.mark.unit


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.records.close()


def test_held_mail_is_named_by_its_holds_reference_and_deadline(world: World) -> None:
    """The reference in the notice is the one "hold show" finds; the deadline is the hold's own."""
    world.hold(HOLD, LEE, deadline=SENT + 4 * 3600)
    world.outcome("o1", asked(hold=HOLD), sent())
    world.run()
    assert "(ref ABAB-2345)" in parsed(world.box.mails[0][1])["Subject"]
    assert "At 18:02 on Monday 3 March we delete the waiting copy." in world.box.texts()[0]
    assert "Reference: ABAB-2345, H7Q2-93KD." in world.box.texts()[0]


def test_late_notice_tells_what_is_true_now(world: World) -> None:
    """The relay was down for a day and the hold is over: nobody is asked to answer any more."""
    world.hold(HOLD, LEE)
    world.outcome("o1", asked(hold=HOLD))
    row = world.records.hold(HOLD)
    assert row is not None
    move(world.records, row, Event.EXPIRE, "service", "system", NOW)
    world.run()
    assert world.box.texts()[0].startswith(f"Your email to {LEE} was not sent. Its time ran out.")


def reminder(world: World, identity: str) -> None:
    row = world.records.hold(identity)
    assert row is not None
    promises.told(world.records, row, "N-1r", "sender", world.now, f"N-1r:{identity}")


def test_reminder(world: World) -> None:
    """A reminder is about what still waits, and says who has it already."""
    world.hold(HOLD, LEE)
    world.outcome("o1", asked(hold=HOLD), sent())
    world.run()
    reminder(world, HOLD)
    assert world.run() == 1
    text = world.box.texts()[1]
    assert text.startswith("Your email to 1 of 2 people is still waiting.")
    assert f"- {CHEN}: passed on" in text and "[consent verbal]" in text


def test_reminder_of_what_is_over_is_dropped(world: World) -> None:
    """Nobody is nagged about a hold that ended in between."""
    world.hold(HOLD, LEE)
    world.outcome("o1", asked(hold=HOLD))
    world.run()
    reminder(world, HOLD)
    world.records.set_recipient(HOLD, LEE, "delivered", "250")
    assert world.run() == 0
    assert world.pending() == 0


def test_two_holds_of_one_message_end_in_one_notice(world: World) -> None:
    """Both run out in the same round: one N-5."""
    other = "cd" * 16
    for identity, address in ((HOLD, LEE), (other, CHEN)):
        world.hold(identity, address)
    world.outcome("o1", asked(hold=HOLD), asked(CHEN, hold=other))
    world.run()
    for identity in (HOLD, other):
        row = world.records.hold(identity)
        assert row is not None
        moved = move(world.records, row, Event.EXPIRE, "service", "system", world.now)
        promises.decided_told(world.records, moved, world.now)
    assert world.run() == 1
    assert world.box.texts()[1].startswith("Your email was not sent to any of the 2 people. Its time ran out.")


@pytest.mark.parametrize(
    ("state", "recipient", "phrase"),
    [
        (State.RELEASED, "delivered", "was checked and has now been sent"),
        (State.REFUSED, "refused", "was checked and was not sent"),
        (State.DELETED, "deleted", "The waiting copy was deleted"),
        (State.REFUSED, "failed", "The other side did not take it"),
        (State.EXPIRED, "expired", "Its time ran out"),
    ],
)
def test_decisions(world: World, state: State, recipient: str, phrase: str) -> None:
    """N-5 says what IG or the clock decided."""
    world.hold(HOLD, LEE, state=state)
    world.records.set_recipient(HOLD, LEE, recipient)
    world.outcome("o1", line(LEE, "held", None, hold=HOLD))
    row = world.records.hold(HOLD)
    assert row is not None
    promises.decided_told(world.records, row, world.now)
    assert world.run() == 1
    assert phrase in world.box.texts()[0]


def test_hold_without_outcome_is_told_of_all_the_same(world: World) -> None:
    """The OUTCOME object is damaged: the hold's own row is enough to tell its sender."""
    world.hold(HOLD, LEE)
    reminder(world, HOLD)
    assert world.run() == 1
    assert world.box.mails[0][0] == SENDER
    assert "[consent verbal]" in world.box.texts()[0]


def test_unreadable_hold_asks_to_send_again(world: World) -> None:
    """Our copy is damaged: the sender is not told that it waits."""
    world.hold(HOLD, LEE)
    world.outcome("o1", line(LEE, "held", None, hold=HOLD))
    row = world.records.hold(HOLD)
    assert row is not None
    promises.told(world.records, row, "N-7", "sender", world.now, "damaged", variant="stuck")
    assert world.run() == 1
    assert "We cannot read our waiting copy. This is our mistake, not yours." in world.box.texts()[0]


def test_who_decides_is_told_of_new_holds_in_one_mail(world: World) -> None:
    """A notice says "they are told of it": within ten minutes one mail to the mail admins and one to IG name what came in."""
    technical = {"reasons": ("opaque.corrupt",), "releases": "mail-admin"}
    for name, more in (("aa", technical), ("bb", technical), ("cc", {"reasons": ("domain.unknown",), "releases": "ig"})):
        world.hold(name * 16, LEE, state=State.QUARANTINED, action="QUARANTINE", message=name, answers=(), **more)
        row = world.records.hold(name * 16)
        assert row is not None
        promises.hold_told(world.records, row, world.now)
    assert world.run(promises.DESK_EVERY) == 2
    told = {to: text for (to, _), text in zip(world.box.mails, world.box.texts(), strict=True)}
    assert set(told) == {SETTINGS.mail_admin_address, SETTINGS.ig_address}
    assert "AAAA-2345" in told[SETTINGS.mail_admin_address] and "BBBB-2345" in told[SETTINGS.mail_admin_address]
    assert LEE not in "".join(told.values()) and SENDER not in "".join(told.values())


def test_telling_who_decides_is_not_telling_the_sender(world: World) -> None:
    """The alarm for a hold nobody was told of looks at the sender's notice; the desk's mail does not quiet it."""
    world.hold(HOLD, LEE, state=State.QUARANTINED, action="QUARANTINE", reasons=("opaque.corrupt",), releases="mail-admin")
    row = world.records.hold(HOLD)
    assert row is not None
    promises.hold_told(world.records, row, world.now)
    assert world.run(promises.DESK_EVERY) == 1
    assert [one.id for one in world.records.unnoticed(world.now)] == [HOLD]


def test_delayed_mail(world: World) -> None:
    """A deferred copy: told that we try again and until when; later that it went."""
    world.hold(HOLD, LEE, state=State.DEFERRED, action="DEFERRED", deadline=SENT + 4 * 3600, notice=None, answers=())
    world.outcome("o1", line(LEE, "deferred", None, hold=HOLD), sent(notice=None))
    row = world.records.hold(HOLD)
    assert row is not None
    promises.hold_told(world.records, row, world.now)
    assert world.run(900) == 1
    assert "We try again by ourselves until 18:02 on Monday 3 March." in world.box.texts()[0]
    world.records.set_recipient(HOLD, LEE, "delivered", "250")
    promises.decided_told(world.records, replace(row, state=State.RELEASED), world.now)
    assert world.run() == 1
    assert "was delayed and has now been sent" in world.box.texts()[1]
