"""Deadlines: unanswered holds are reminded of, escalated and ended in time; nothing waits silently overnight."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quarantine.deadlines import (
    BACK_OFF,
    DAY,
    DEADLINES,
    HOUR,
    MINUTE,
    Due,
    OfficeHours,
    due,
    escalation_at,
    expiry,
    next_try,
    reminder_at,
)
from quarantine.durations import seconds
from quarantine.model import HoldRow, State
from quarantine.settings import QuarantineSettings
from tests.support.quarantine_kit import MONDAY

pytestmark = pytest.mark.unit

OFFICE = OfficeHours()
STATE = {"ASK": State.ASKED, "QUARANTINE": State.QUARANTINED, "DEFERRED": State.DEFERRED}


def hold(action: str = "ASK", urgency: str = "routine", created: float = MONDAY, **change: float) -> HoldRow:
    return HoldRow(
        id="ab" * 16, ref="R", state=STATE.get(action, State.QUARANTINED), version=0, created=created,
        deadline=expiry(created, action, urgency, DEADLINES), action=action, rule="r", reasons=(), releases="ig", key="review",
        sender="", recipients=(), urgency=urgency, **change,  # type: ignore[arg-type]  # a test's keyword arguments
    )  # fmt: skip


def at(row: HoldRow, now: float) -> list[Due]:
    return due(row, now, DEADLINES, OFFICE)


@pytest.mark.parametrize(
    ("action", "urgency", "after", "what"),
    [
        ("ASK", "routine", 4 * HOUR - 1, []),
        ("ASK", "routine", 4 * HOUR, [Due.REMIND]),
        ("ASK", "routine", 24 * HOUR, [Due.EXPIRE]),
        ("ASK", "urgent", 30 * MINUTE - 1, []),
        ("ASK", "urgent", 30 * MINUTE, [Due.REMIND, Due.ESCALATE]),
        ("QUARANTINE", "routine", 4 * HOUR, [Due.REMIND]),
        ("QUARANTINE", "urgent", 30 * MINUTE, [Due.REMIND, Due.ESCALATE]),
        ("QUARANTINE", "routine", 72 * HOUR, [Due.EXPIRE]),
        ("DEFERRED", "routine", 4 * HOUR - 1, []),
        ("DEFERRED", "routine", 4 * HOUR, [Due.EXPIRE]),
        ("DEFERRED", "urgent", 30 * MINUTE, [Due.ESCALATE]),
        ("no-such-action", "no-such-urgency", 30 * MINUTE, [Due.REMIND, Due.ESCALATE]),
    ],
)
def test_what_is_due_when(action: str, urgency: str, after: float, what: list[Due]) -> None:
    """Created on a Monday at noon, the office being open until half past five."""
    assert at(hold(action, urgency), MONDAY + after) == what


def test_each_thing_is_due_once() -> None:
    row = hold("ASK", "urgent", reminded=MONDAY, escalated=MONDAY)
    assert at(row, MONDAY + HOUR) == []


def test_a_reviewers_hold_still_open_when_the_office_closes_is_escalated_then() -> None:
    """17:30 in London, not the 24 hours of the table, which would be a silent night."""
    closing = datetime(2026, 11, 23, 17, 30, tzinfo=UTC).timestamp()
    row = hold("QUARANTINE")
    assert escalation_at(row, DEADLINES, OFFICE) == closing
    assert Due.ESCALATE in at(row, closing)


@pytest.mark.parametrize("created", [MONDAY + 8 * HOUR, MONDAY - DAY, MONDAY - 6 * HOUR])  # at night, on a Sunday, before eight
def test_a_reviewers_hold_made_while_the_office_is_closed_is_escalated_like_an_urgent_one(created: float) -> None:
    assert escalation_at(hold("QUARANTINE", created=created), DEADLINES, OFFICE) == created + 30 * MINUTE


def test_a_sender_is_reminded_before_going_home() -> None:
    afternoon = datetime(2026, 11, 23, 16, 0, tzinfo=UTC).timestamp()
    assert reminder_at(hold("ASK", created=afternoon), DEADLINES, OFFICE) == afternoon + 1.5 * HOUR


@given(st.sampled_from(sorted(STATE)), st.sampled_from(["routine", "urgent"]), st.floats(MONDAY, MONDAY + 14 * DAY))
def test_every_hold_ends_and_none_is_silent_for_a_night(action: str, urgency: str, created: float) -> None:
    row = hold(action, urgency, created)
    assert at(row, row.deadline) == [Due.EXPIRE]
    said = [t for t in (reminder_at(row, DEADLINES, OFFICE), escalation_at(row, DEADLINES, OFFICE)) if t is not None]
    assert min([*said, row.deadline]) <= created + 9.5 * HOUR


def test_summer_time_moves_the_closing_with_the_wall_clock() -> None:
    july = datetime(2026, 7, 6, 12, 0, tzinfo=UTC).timestamp()  # a Monday
    assert OFFICE.closing_after(july) == datetime(2026, 7, 6, 16, 30, tzinfo=UTC).timestamp()


def test_back_off_grows_and_then_stays() -> None:
    assert [next_try(n, 0.0) for n in range(6)] == [*BACK_OFF, BACK_OFF[-1], BACK_OFF[-1]] == [60, 300, 900, 3600, 3600, 3600]


@pytest.mark.parametrize(("text", "value"), [("30s", 30.0), ("15m", 900.0), ("4h", 14400.0), ("2 d", 172800.0), (7, 7)])
def test_spans_are_written_as_people_write_them(text: object, value: float) -> None:
    assert seconds(text) == value


def test_a_span_that_is_none_says_how_to_write_it() -> None:
    with pytest.raises(ValueError, match="30s, 15m"):
        seconds("soon")


ADDRESSES = {name: f"{name}@a.example" for name in ("sender", "ig", "mail_admin", "postmaster", "on_call")}


def test_one_changed_deadline_leaves_the_others() -> None:
    changed = QuarantineSettings.model_validate(
        {"addresses": ADDRESSES, "deadlines": {"ASK.routine": {"remind": "1h", "expire": "2h"}}}
    )
    assert changed.deadlines["ASK.routine"].expire == 2 * HOUR
    assert changed.deadlines["QUARANTINE.routine"] == DEADLINES["QUARANTINE.routine"]


@pytest.mark.parametrize(
    "bad",
    [
        {"deadlines": {"ASKED": {"expire": "1h"}}},
        {"deadlines": {"ASK.routine": {"expire": 0}}},
        {"office": {"zone": "Mars/Olympus"}},
        {"no_such_option": 1},
        {"addresses": {**ADDRESSES, "ig": "nobody"}},
        {"snapshot_every": "1h"},
    ],
)
def test_a_wrong_option_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        QuarantineSettings.model_validate({"addresses": ADDRESSES} | bad)


def test_every_option_is_described() -> None:
    """The reference of the options is made from these descriptions."""
    for name, field in QuarantineSettings.model_fields.items():
        described = field.description or (field.annotation is not None and field.annotation.__doc__)
        assert described, name
