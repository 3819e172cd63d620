"""What waits for its sender and what was passed on to people: reminded, escalated and ended by the clock of whoever must act."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from quarantine.answers.model import Answer
from quarantine.deadlines import DEADLINES, Due, OfficeHours, due
from quarantine.lmtp import Answer as Heard
from quarantine.model import HoldRow, State
from quarantine.records import Records
from quarantine.service import Service
from tests.support.answerworld import AnswerWorld
from tests.support.quarantine_kit import MONDAY, NOON, SENDER, answering

pytestmark = pytest.mark.unit

HOUR = 3600.0
OFFICE = OfficeHours()
NIGHT = NOON + 10 * HOUR  # Sunday, 22:00


@pytest.fixture
def world(tmp_path: Path) -> AnswerWorld:
    return AnswerWorld(tmp_path)


def at(row: HoldRow, hours: float) -> list[Due]:
    return due(row, row.created + hours * HOUR, DEADLINES, OFFICE)


@pytest.mark.parametrize("created", [MONDAY, NIGHT])
def test_an_urgent_question_is_asked_again_and_escalated_after_half_an_hour(world: AnswerWorld, created: float) -> None:
    """By day and by night alike: nothing urgent waits silently for the office."""
    world.now = created
    row = world.ask(urgency="urgent", created=created)
    assert at(row, 0.49) == []
    assert at(row, 0.51) == [Due.REMIND, Due.ESCALATE]


@pytest.mark.parametrize(("created", "hours"), [(MONDAY, 4.0), (NIGHT, 4.0), (MONDAY + 3 * HOUR, 3.0)])
def test_a_routine_question_is_asked_again_after_four_hours_or_before_the_office_closes(
    world: AnswerWorld, created: float, hours: float
) -> None:
    world.now = created
    row = world.ask(created=created)
    closing = OFFICE.closing_after(created)
    hours = min(hours, (closing - created) / HOUR) if OFFICE.open_at(created) else hours
    assert at(row, hours - 0.01) == []
    assert at(row, hours + 0.01) == [Due.REMIND]


def test_every_question_ends_within_a_day(world: AnswerWorld) -> None:
    for urgency in ("routine", "urgent"):
        row = world.ask(urgency, urgency=urgency)
        assert Due.EXPIRE not in at(row, 23.9)
        assert at(row, 24) == [Due.EXPIRE]


def passed_on(world: AnswerWorld, urgency: str = "routine") -> HoldRow:
    row = world.ask(urgency=urgency)
    world.records.mark(row.id, "reminded", world.now)
    world.now += 2 * HOUR
    world.answers.answer(world.secret(row), Answer("ASK IG", "", SENDER), world.now)
    return world.row(row.id)


def test_what_is_passed_on_has_the_reviewers_time_from_then_on(world: AnswerWorld) -> None:
    """It is theirs from the moment it came to them, and they are reminded of it as of any of theirs."""
    row = passed_on(world)
    assert row.deadline == world.now + DEADLINES["QUARANTINE.routine"].expire
    assert due(row, world.now + 1, DEADLINES, OFFICE) == []
    assert Due.REMIND in due(row, world.now + 4 * HOUR, DEADLINES, OFFICE)
    assert Due.ESCALATE in due(row, world.now + 24 * HOUR, DEADLINES, OFFICE)


def test_an_urgent_one_that_was_passed_on_is_escalated_within_half_an_hour(world: AnswerWorld) -> None:
    row = passed_on(world, "urgent")
    assert due(row, world.now + 0.49 * HOUR, DEADLINES, OFFICE) == []
    assert Due.ESCALATE in due(row, world.now + 0.51 * HOUR, DEADLINES, OFFICE)


def test_a_reviewers_own_hold_keeps_its_own_clock(world: AnswerWorld) -> None:
    row = replace(world.ask(), state=State.QUARANTINED, action="QUARANTINE")
    assert Due.REMIND in at(row, 4.01)


async def test_an_answer_that_came_in_time_while_the_service_was_down_counts(tmp_path: Path) -> None:
    """Symptom: the service was down over the deadline; the sender had answered before it and was told that it was too late."""
    world = AnswerWorld(tmp_path, poll=0.01)
    row, late = world.ask(), world.ask("late")
    world.now = row.deadline - 60
    world.put(world.reply(row, "VERBAL"))
    world.now = row.deadline + 60
    world.put(world.reply(late, "VERBAL"))
    world.now = row.deadline + 3600
    world.records.close()
    service = Service(world.settings, clock=world.clock, deliver=answering(Heard(250, "2.0.0 DELIVERED", final=True)))
    running = asyncio.create_task(service.run())
    beside = Records(world.settings.records)
    async with asyncio.timeout(10):
        while {one.state for one in beside.holds()} & {State.ASKED, State.RELEASING}:
            await asyncio.sleep(0.01)
    service.stop()
    await running
    assert {one.id: one.state for one in beside.holds()} == {row.id: State.RELEASED, late.id: State.EXPIRED}
    beside.close()
