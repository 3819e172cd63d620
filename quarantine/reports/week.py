"""Weeks as people know them: ISO 8601, Monday to Sunday, by the wall's clock (where clocks change, an hour more or less)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_WORD = re.compile(r"([0-9]{4})-?W([0-9]{1,2})", re.I)


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """One week by its Monday, in a zone."""

    first: date
    zone: str

    @classmethod
    def of(cls, day: date, zone: str) -> Week:
        """The week a day is in."""
        return cls(day - timedelta(days=day.weekday()), zone)

    @classmethod
    def named(cls, word: str, zone: str) -> Week:
        """``2026-W47``.  Raises ValueError with what to write."""
        match = _WORD.fullmatch(word.strip())
        try:
            if match is None:
                raise ValueError
            return cls(date.fromisocalendar(int(match[1]), int(match[2]), 1), zone)
        except ValueError:
            raise ValueError(f"{word[:20]!r} is no week: write it as 2026-W47") from None

    @property
    def name(self) -> str:
        """``2026-W47``."""
        year, week, _ = self.first.isocalendar()
        return f"{year}-W{week:02d}"

    @property
    def until(self) -> date:
        """The Monday after it."""
        return self.first + timedelta(days=7)

    @property
    def start(self) -> float:
        """POSIX seconds of its first moment."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> float:
        """POSIX seconds of the first moment after it."""
        return midnight(self.until, self.zone)

    def back(self, weeks: int) -> Week:
        """The week so many weeks before."""
        return Week(self.first - timedelta(weeks=weeks), self.zone)


def midnight(day: date, zone: str) -> float:
    """POSIX seconds of a day's first moment in a zone."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()
