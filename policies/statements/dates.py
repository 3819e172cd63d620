"""Dates as people write them, read on the safe side.  No clock: the caller compares with its own day."""

from __future__ import annotations

import re
from datetime import date
from typing import Final, NamedTuple

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_WORD: Final = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_ISO: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_NUMERIC: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})")
_DAY_FIRST: Final = re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th)?[- ]?(?:of )?{_MONTH_WORD}[-, ]*(\d{{4}}|\d{{2}})", re.ASCII)
_MONTH_FIRST: Final = re.compile(rf"{_MONTH_WORD}\.? (\d{{1,2}})(?:st|nd|rd|th)?,? ?(\d{{4}})", re.ASCII)
_ALL: Final = (_ISO, _NUMERIC, _DAY_FIRST, _MONTH_FIRST)
DATE: Final = re.compile("|".join(f"(?<![\\w/.-]){one.pattern}(?![\\w/-])" for one in _ALL), re.I | re.A)
# A day without a year says nothing that can be checked; it is taken for a filler.
DAY_ONLY: Final = re.compile(
    rf"(?<![\w/.-])(?:\d{{1,2}}/\d{{1,2}}|\d{{1,2}}(?:st|nd|rd|th)? ?{_MONTH_WORD})(?![\w/-])", re.I | re.A
)


class Dated(NamedTuple):
    """The two readings of a date: equal unless day and month could be swapped."""

    day_first: date
    month_first: date

    @property
    def earlier(self) -> date:
        """The reading that ends a permission sooner: the safe one for ``expires``."""
        return min(self.day_first, self.month_first)


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None


def read_date(text: str) -> Dated | None:
    """Read one date in ISO, UK or US order, digits or month names; None if it is none.

    Where day and month could be swapped the day is taken first (UK), and ``earlier`` is the safe reading for an end date.
    """
    text = text.strip().lower()
    if match := _ISO.fullmatch(text):
        iso = _make(*(int(part) for part in match.groups()))
        return Dated(iso, iso) if iso else None
    if match := _NUMERIC.fullmatch(text):
        first, second, year = (int(part) for part in match.groups())
        british, american = _make(year, second, first), _make(year, first, second)
        day_first, month_first = british or american, american or british
        return Dated(day_first, month_first) if day_first and month_first else None
    named = None
    if match := _DAY_FIRST.fullmatch(text):
        named = _make(int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]))
    elif match := _MONTH_FIRST.fullmatch(text):
        named = _make(int(match[3]), _MONTHS.index(match[1]) + 1, int(match[2]))
    return Dated(named, named) if named else None
