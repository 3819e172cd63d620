"""When a hold is reminded of, escalated and ended.  Pure: the clock comes in.

By action and urgency from one table (``DEADLINES``, configurable), and by the clock on the wall: nothing waits silently overnight
for office hours.  A hold that would still be open when the office closes is reminded of or escalated then; one that comes while
the office is closed is escalated as an urgent one is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from quarantine.durations import Span
from quarantine.model import HoldRow, State

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
BACK_OFF = (1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 1 * HOUR)  # between tries of what is sent again by itself; the last one repeats
UNTIL_RELEASED = 4 * HOUR  # how long a decided release is tried


class Deadline(BaseModel):
    """Spans after which something happens to an unanswered hold; none: it does not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remind: Span | None = Field(default=None, description="a second notice to whoever must answer (the sender of an ASK)", gt=0)
    escalate: Span | None = Field(default=None, description="the person on call is told", gt=0)
    expire: Span = Field(description="the hold ends; the sender is told that nothing was sent", gt=0)


DEADLINES: Mapping[str, Deadline] = {
    "ASK.routine": Deadline(remind=4 * HOUR, expire=24 * HOUR),
    "ASK.urgent": Deadline(remind=30 * MINUTE, escalate=30 * MINUTE, expire=24 * HOUR),
    "QUARANTINE.routine": Deadline(remind=4 * HOUR, escalate=24 * HOUR, expire=72 * HOUR),
    "QUARANTINE.urgent": Deadline(remind=30 * MINUTE, escalate=30 * MINUTE, expire=24 * HOUR),
    "DEFERRED.routine": Deadline(expire=4 * HOUR),
    "DEFERRED.urgent": Deadline(escalate=30 * MINUTE, expire=4 * HOUR),
}
_FALLBACK = "QUARANTINE.urgent"  # an unknown action or urgency is looked after soonest


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError("not a time zone of this system, such as Europe/London") from None
    return name


class OfficeHours(BaseModel):
    """When a reviewer is at the desk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: Annotated[str, AfterValidator(_zone)] = Field(default="Europe/London", description="time zone of the hours")
    opens: time = Field(default=time(8, 0), description="start of the working day")
    closes: time = Field(default=time(17, 30), description="end of the working day; what is still open then is not left silently")
    days: tuple[int, ...] = Field(default=(0, 1, 2, 3, 4), description="working days, Monday is 0")
    holidays: tuple[date, ...] = Field(default=(), description="days on which nobody works, such as bank holidays")

    def open_at(self, at: float) -> bool:
        """True if somebody is at the desk at this POSIX time."""
        local = datetime.fromtimestamp(at, ZoneInfo(self.zone))
        return self.works_on(local.date()) and self.opens <= local.time() < self.closes

    def works_on(self, day: date) -> bool:
        """True for a working day."""
        return day.weekday() in self.days and day not in self.holidays

    def day_of(self, at: float) -> date:
        """The day on the wall's calendar."""
        return datetime.fromtimestamp(at, ZoneInfo(self.zone)).date()

    def next_working_day(self, at: float) -> date:
        """The first working day after the day that ``at`` is in; the next day where nobody ever works."""
        day = self.day_of(at)
        following = (day + timedelta(days=ahead) for ahead in range(1, 400))
        return next((one for one in following if self.works_on(one)), day + timedelta(days=1))

    def opening_of(self, day: date) -> float:
        """POSIX time at which a day begins at the desk."""
        return datetime.combine(day, self.opens, ZoneInfo(self.zone)).timestamp()

    def closing_of(self, day: date) -> float:
        """POSIX time at which a day ends at the desk."""
        return datetime.combine(day, self.closes, ZoneInfo(self.zone)).timestamp()

    def closing_after(self, at: float) -> float:
        """POSIX time of the end of the working day that ``at`` is in."""
        return self.closing_of(self.day_of(at))


class Due(StrEnum):
    """What is due for a hold."""

    REMIND = "remind"
    ESCALATE = "escalate"
    EXPIRE = "expire"


def deadline_for(action: str, urgency: str, table: Mapping[str, Deadline] = DEADLINES) -> Deadline:
    """The row of the table for a hold."""
    found = table.get(f"{action}.{urgency}") or DEADLINES.get(f"{action}.{urgency}")
    return found or table.get(_FALLBACK) or DEADLINES[_FALLBACK]


def reminder_at(row: HoldRow, table: Mapping[str, Deadline], office: OfficeHours) -> float | None:
    """When whoever must answer is reminded; before the office closes if the answer would else wait for the morning."""
    span = deadline_for(row.action, row.urgency, table).remind
    if span is None:
        return None
    return _before_closing(row.created, row.created + span, office)


def escalation_at(row: HoldRow, table: Mapping[str, Deadline], office: OfficeHours) -> float | None:
    """When the person on call is told.  A reviewer's hold never waits for the morning unsaid."""
    spec = deadline_for(row.action, row.urgency, table)
    if row.action != "QUARANTINE":
        return None if spec.escalate is None else row.created + spec.escalate
    if not office.open_at(row.created):
        urgent = deadline_for(row.action, "urgent", table).escalate
        spans = [span for span in (spec.escalate, urgent) if span is not None]
        return row.created + min(spans, default=0.0)
    return _before_closing(row.created, row.created + (spec.escalate or spec.expire), office)


def due(row: HoldRow, now: float, table: Mapping[str, Deadline], office: OfficeHours) -> list[Due]:
    """Everything due for an open hold that was not done yet; an expired one is only ended."""
    if row.state not in (State.ASKED, State.QUARANTINED, State.DEFERRED):
        return []
    row = _waits_as(row, table)
    if now >= row.deadline:
        return [Due.EXPIRE]
    found: list[Due] = []
    for what, at, done in (
        (Due.REMIND, reminder_at(row, table, office), row.reminded),
        (Due.ESCALATE, escalation_at(row, table, office), row.escalated),
    ):
        if at is not None and done is None and now >= at:
            found.append(what)
    return found


def _waits_as(row: HoldRow, table: Mapping[str, Deadline]) -> HoldRow:
    """A hold that asked its sender and waits for reviewers now waits as theirs, since it came to them."""
    if row.state is not State.QUARANTINED or row.action == "QUARANTINE":
        return row
    since = row.deadline - deadline_for("QUARANTINE", row.urgency, table).expire
    return replace(row, action="QUARANTINE", created=max(row.created, since))


def next_try(attempts: int, now: float) -> float:
    """When to try again after ``attempts`` failed tries."""
    return now + BACK_OFF[min(attempts, len(BACK_OFF) - 1)]


def _before_closing(created: float, at: float, office: OfficeHours) -> float:
    if not office.open_at(created):
        return at
    return min(at, office.closing_after(created))


def expiry(created: float, action: str, urgency: str, table: Mapping[str, Deadline]) -> float:
    """POSIX time at which a hold ends by itself."""
    return created + timedelta(seconds=deadline_for(action, urgency, table).expire).total_seconds()
