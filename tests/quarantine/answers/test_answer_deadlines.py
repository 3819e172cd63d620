"""What waits for its sender and what was passed on to people: reminded, escalated and ended by the clock of whoever must act."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from quarantine.answers.model import Answer
from quarantine.deadlines import DEADLINES, Due, OfficeHours, due
from quarantine.model import HoldRow, State
from tests.support.answerworld import AnswerWorld
from tests.support.quarantine_kit import MONDAY, NOON, SENDER

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
