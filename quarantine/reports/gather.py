"""The figures of weeks, out of the records."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from quarantine import roles
from quarantine.deadlines import OfficeHours
from quarantine.emergencies.cases import Cases
from quarantine.keyedhash import KeyedHash
from quarantine.ledger import summary
from quarantine.model import State
from quarantine.records import Records
from quarantine.reports import tallies
from quarantine.reports.figures import WEEKS, Emergencies, Figures, Register, Report, Waiting
from quarantine.reports.week import Week
from quarantine.schema import reports as sql

Holding = Callable[[Iterable[str]], tuple[str, ...]]  # of reason codes those that can be why an email waits
NINE_IN_TEN = 0.9
SERVICE = "service"  # nobody had to decide: mail that was only put off


def report(
    records: Records, week: Week, now: float, office: OfficeHours, organisation: str, register: Register,
    names: Mapping[str, str] | None = None, holding: Holding = tuple,
) -> Report:  # fmt: skip
    """The report about one week, with the weeks before it.  ``holding``: of reason codes those that can be why an email waits."""
    began = tallies.began(records)
    weeks = tuple(figures(records, week.back(back), now, began, holding) for back in range(WEEKS - 1, -1, -1))
    return Report(
        weeks=weeks,
        made=now,
        organisation=organisation,
        zone=office.zone,
        began=began,
        over=now >= week.end,
        missing=_concerning(tallies.missing(records), weeks[0].week.first, week.until),
        register=register,
        names=names or {},
    )


def figures(records: Records, week: Week, now: float, began: date | None, holding: Holding = tuple) -> Figures:
    """One week; what is still open is told as of its end, or of ``now`` if that comes first."""
    told = tallies.sums(records, week.first, week.until)
    at, span = min(week.end, now), {"since": week.start, "until": week.end}
    made = records.all(sql.HOLDS_MADE, span)
    closed = records.all(sql.HOLDS_CLOSED, span)
    oldest = records.one(sql.OLDEST_AT, {"at": at})
    still = records.one(sql.OPEN_AT, {"at": at})
    shares = summary.total(summary.shares(records, week.start, week.end))
    return Figures(
        week=week,
        known=bool(made or closed) or (began is not None and began < week.until),
        mail=told["mail"],
        fates=told["fate"],
        modes=told["mode"],
        reasons=told["reason"],
        held=len(made),
        held_for=Counter(code for row in made for code in _held_for(row, holding)),
        ended=Counter(str(row["state"]) for row in closed),
        waits=_waits(closed),
        open=int(still["n"]) if still else 0,
        oldest=None if oldest is None else at - float(oldest["created"]),
        emergencies=_emergencies(records, week, now),
        pictures=told["pictures"]["all"],
        located=told["pictures"]["gps"],
        senders_located=len(told["sender gps"]),
        groups={group: (count, told["group gps"][group]) for group, count in sorted(told["group all"].items())},
        first_time=told["recipient"]["first-time"],
        disclosed=shares.messages if shares else 0,
        unnamed=shares.unnamed if shares else 0,
        not_patient={who: (said, told["sender pictures"][who]) for who, said in sorted(told["sender not-patient"].items())},
        notices={row["kind"]: int(row["n"]) for row in records.all(sql.NOTICES, span)},
    )


def names(records: Records, hashes: KeyedHash, since: float, until: float) -> dict[str, str]:
    """keyed hash -> address of the senders that the records still name; only for a report that was asked to."""
    found = {str(row["sender"]) for row in records.all(sql.SENDERS)}
    for row in records.all(sql.OUTCOME_SENDERS, {"since": since, "until": until}):
        found.add(str((json.loads(row["meta"]).get("envelope") or {}).get("sender") or ""))
    return {hashes.address(address): address for address in sorted(found - {""})}


def _held_for(row: Any, holding: Holding) -> list[str]:
    """Each reason once.  A rule may hold for a reason that elsewhere speaks for sending; mail that was only put off never was."""
    codes = sorted(set(json.loads(row["reasons"])))
    kept = list(holding(codes))
    return kept if kept or row["action"] == "DEFERRED" else codes


def _waits(closed: Iterable[Any]) -> tuple[Waiting, ...]:
    spans: dict[str, list[float]] = defaultdict(list)
    for row in closed:
        if row["state"] == State.RELEASED.value:
            spans[_desk(row)].append(float(row["closed"]) - float(row["created"]))
    return tuple(_waiting(desk, sorted(found)) for desk, found in sorted(spans.items()))


def _desk(row: Any) -> str:
    if row["action"] == "DEFERRED" and not row["round"]:
        return SERVICE
    return roles.required(row["releases"], json.loads(row["reasons"]))


def _waiting(desk: str, spans: Sequence[float]) -> Waiting:
    most = spans[math.ceil(NINE_IN_TEN * len(spans)) - 1]
    return Waiting(desk, len(spans), statistics.median(spans), most, spans[-1])


def _emergencies(records: Records, week: Week, now: float) -> Emergencies:
    cases = Cases(records).between(week.start, week.end)
    done = [case for case in cases if case.reviewed is not None]
    in_time = sum(1 for case in done if case.reviewed is not None and case.reviewed <= case.due)
    overdue = sum(1 for case in cases if case.overdue(now))
    return Emergencies(
        used=len(cases),
        in_time=in_time,
        late=len(done) - in_time,
        overdue=overdue,
        waiting=len(cases) - len(done) - overdue,
        not_justified=sum(1 for case in done if case.verdict == "not-justified"),
        told=sum(1 for case in cases if case.informed),
    )


def _concerning(gaps: Iterable[tallies.Missing], first: date, until: date) -> tuple[tallies.Missing, ...]:
    """Gaps that may lie in these days."""
    return tuple(gap for gap in gaps if (gap.last is None or gap.last >= first) and (gap.first is None or gap.first < until))
