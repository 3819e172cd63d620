"""The counts in the records: written with the offset of the journal in one transaction, so that each event counts once."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from quarantine.deadlines import OfficeHours
from quarantine.records import Records
from quarantine.reports.tally import counted, domains_used
from quarantine.schema import tallies as sql

KEEP_PEOPLE = 100  # days; a report shows twelve weeks
KEEP = 800  # days
_SEGMENT = re.compile(r"(?P<name>.+)-(?P<number>[0-9]+)\.jsonl")


@dataclass(frozen=True, slots=True)
class Missing:
    """Segments of the journal that were never read: between ``first`` and ``last`` (days) counts are too low."""

    segments: tuple[str, ...]
    first: date | None
    last: date | None


class Tally:
    """Collects the counts of the events of one stretch of a segment."""

    def __init__(self, office: OfficeHours, segment: str) -> None:
        self._office, self._segment = office, segment
        self._counts: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        self._used: dict[str, str] = {}

    def take(self, event: Mapping[str, Any]) -> None:
        """Count one event under its day."""
        at = event.get("at")
        if not isinstance(at, int | float):
            return
        day = self._office.day_of(float(at)).isoformat()
        self._counts[day].update(counted(event))
        for domain in domains_used(event):
            self._used[domain] = max(day, self._used.get(domain, ""))

    def write(self, records: Records) -> None:
        """Add what was collected; inside the caller's transaction."""
        rows = [
            {"day": day, "measure": measure, "key": key, "n": n}
            for day, counts in self._counts.items()
            for (measure, key), n in counts.items()
        ]
        records.many(sql.ADD, rows)
        records.many(sql.USED, [{"domain": domain, "day": day} for domain, day in self._used.items()])
        if self._counts:
            records.run(sql.SEEN, {"segment": self._segment, "first": min(self._counts), "last": max(self._counts)})


def sums(records: Records, first: date, until: date) -> dict[str, Counter[str]]:
    """measure -> key -> count from the day ``first`` to before ``until``."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in records.all(sql.SUMS, {"first": first.isoformat(), "until": until.isoformat()}):
        found[row["measure"]][row["key"]] = int(row["n"])
    return found


def began(records: Records) -> date | None:
    """The first day anything was counted on; None before the first event."""
    row = records.one(sql.FIRST)
    return None if row is None or row["day"] is None else date.fromisoformat(row["day"])


def last_used(records: Records) -> dict[str, date]:
    """domain -> the last day it got a picture."""
    return {row["domain"]: date.fromisoformat(row["day"]) for row in records.all(sql.USES)}


def missing(records: Records) -> tuple[Missing, ...]:
    """Numbers left out between segments that were read, by journal."""
    days = {r["segment"]: (date.fromisoformat(r["first"]), date.fromisoformat(r["last"])) for r in records.all(sql.SEGMENTS)}
    read: dict[str, dict[int, str]] = defaultdict(dict)
    for row in records.all(sql.READ):
        if match := _SEGMENT.fullmatch(row["segment"]):
            read[match["name"]][int(match["number"])] = row["segment"]
    return tuple(gap for name, segments in sorted(read.items()) for gap in _gaps(name, segments, days))


def _gaps(name: str, segments: Mapping[int, str], days: Mapping[str, tuple[date, date]]) -> Iterable[Missing]:
    numbers = [0, *sorted(segments)]  # the first segment is number 1
    for before, after in pairwise(numbers):
        if after > before + 1:
            names = tuple(f"{name}-{number:08d}.jsonl" for number in range(before + 1, after))
            earlier, later = days.get(segments.get(before, "")), days.get(segments[after])
            yield Missing(names, earlier[1] if earlier else None, later[0] if later else None)


def forget(records: Records, today: date) -> int:
    """Drop counts by person, and later all counts, that no report shows any more."""
    people = {"before": (today - timedelta(days=KEEP_PEOPLE)).isoformat()}
    return records.run(sql.FORGET_PEOPLE, people) + records.run(
        sql.FORGET, {"before": (today - timedelta(days=KEEP)).isoformat()}
    )
