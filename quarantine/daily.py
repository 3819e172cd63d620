"""What ``clinigate daily`` promises: once a day and matter, whatever day it runs on and however often.

The command knows the policy and the register; this side knows the records and who is told.  Every promise has a name that stays
the same until the next stage, so that a second run says nothing twice and a missed day is made up for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from quarantine.deadlines import OfficeHours
from quarantine.emergencies.cases import Cases
from quarantine.records import Records
from quarantine.reports import tallies
from quarantine.reports.figures import Report
from quarantine.reports.week import Week, midnight
from quarantine.schema import reports as sql

RAN: Final = "daily.ran"  # fact: POSIX time of the last run that came to its end
EXPECTED: Final = "daily.expected"  # fact: since when a run is to be expected (the first start of the service)
DIGEST: Final = "daily.digest"  # fact: the day up to which digests were made (not itself included)
REPORTED: Final = "daily.week"  # fact: Monday of the last week that was reported
MOST_WEEKS: Final = 8  # reports made up for after a long pause
_LONGEST: Final = timedelta(days=31)  # a digest looks no further back


@dataclass(frozen=True, slots=True)
class Warned:
    """One thing that is due in the register.  ``key`` names the stage; ``owner`` an address, "" is the IG team."""

    key: str
    owner: str = field(repr=False)
    sentence: str


@dataclass(frozen=True, slots=True)
class Digest:
    """The counts of N-8: days from ``since`` to before ``until``, and what waits now."""

    since: date
    until: date
    counts: Mapping[str, int]
    oldest: float | None  # POSIX seconds
    emergencies: tuple[str, ...]  # references of those nobody has reviewed

    @property
    def empty(self) -> bool:
        """Nothing to say."""
        return not any(self.counts.values())


def warn(records: Records, warnings: Iterable[Warned], now: float) -> int:
    """Promise what is due in the register to its owners, each stage once; how many are new."""
    count = 0
    with records.transaction():
        for one in warnings:
            count += records.outbox_add(
                "domain-due", to=one.owner, role="owner" if one.owner else "ig", due=now, dedup=f"domain:{one.key}", now=now,
                detail={"lines": [one.sentence]},
            )  # fmt: skip
    return count


def policy_broken(records: Records, since: float, day: date, now: float) -> bool:
    """Say once a day, while it lasts, that the policy in the folder is not the one in force."""
    return records.outbox_add(
        "policy-broken", to="", role="ig", due=now, dedup=f"policy-broken:{since}:{day}", now=now, detail={"sent": since}
    )


def lists_old(records: Records, sentences: Iterable[str], day: date, now: float) -> bool:
    """Say once a month that lists of names need renewing."""
    lines = list(sentences)
    if not lines:
        return False
    dedup = f"lists-old:{day:%Y-%m}"
    return records.outbox_add("lists-old", to="", role="ig", due=now, dedup=dedup, now=now, detail={"lines": lines})


def digest(records: Records, today: date, now: float, office: OfficeHours, due: int) -> Digest:
    """What N-8 says: since the last one, at least yesterday.  ``due``: how many things are due in the register."""
    since = _since(records, today)
    told = tallies.sums(records, since, today)
    span = {"since": _moment(since, office), "until": _moment(today, office)}
    closed = records.all(sql.HOLDS_CLOSED, span)
    waiting = records.open_holds()
    cases = Cases(records).waiting()
    counts = {
        "waiting": len(waiting),
        "held": len(records.all(sql.HOLDS_MADE, span)),
        "released": sum(1 for row in closed if row["state"] == "RELEASED"),
        "expired": sum(1 for row in closed if row["state"] == "EXPIRED"),
        "reviews": len(cases),
        "overdue": sum(1 for case in cases if case.overdue(now)),
        "domains": due,
        "located": len(told["sender gps"]),
        "first_time": told["recipient"]["first-time"],
        "failures": told["mail"]["failure"],
    }
    return Digest(since, today, counts, min((row.created for row in waiting), default=None), tuple(case.ref for case in cases))


def promise_digest(records: Records, made: Digest, now: float, *, empty: bool) -> bool:
    """N-8 to IG and mail admins, once for each day; nothing where there is nothing to say unless ``empty``."""
    with records.transaction():
        records.set_fact(DIGEST, made.until.isoformat())
        if made.empty and not empty:
            return False
        detail = {
            "counts": {name: str(number) for name, number in made.counts.items() if number},
            "days": [made.since.isoformat(), (made.until - timedelta(days=1)).isoformat()],
            "refs": list(made.emergencies),
            **({"oldest": made.oldest} if made.oldest is not None else {}),
        }
        new = [
            records.outbox_add("N-8", to="", role=role, due=now, dedup=f"N-8:{made.until}:{role}", now=now, detail=detail)
            for role in ("ig", "mail-admin")
        ]
    return any(new)


def weeks_due(records: Records, today: date, zone: str) -> list[Week]:
    """Weeks that are over and not yet reported, oldest first; the first time only the last one, if anything was counted."""
    last = Week.of(today, zone).back(1)
    told = records.fact(REPORTED)
    if told is None:
        began = tallies.began(records)
        return [last] if began is not None and began < last.until else []  # nothing was counted in it
    reported = Week.of(date.fromisoformat(told), zone)
    missed = [last.back(back) for back in range(MOST_WEEKS)]
    return sorted(week for week in missed if week > reported)


def promise_week(records: Records, made: Report, folder: str, now: float) -> bool:
    """The mail that a week's report is there: counts only."""
    one = made.now
    counts = {
        "held": one.held, "expired": one.ended.get("EXPIRED", 0), "emergencies": one.emergencies.used,
        "overdue": one.emergencies.overdue, "located": one.located, "first_time": one.first_time,
        "pictures": one.mail.get("pictures", 0), "failures": one.mail.get("failure", 0),
    }  # fmt: skip
    detail = {"counts": {name: str(number) for name, number in counts.items() if number}, "week": one.week.name, "folder": folder}
    with records.transaction():
        records.set_fact(REPORTED, one.week.first.isoformat())
        return records.outbox_add("weekly", to="", role="ig", due=now, dedup=f"weekly:{one.week.name}", now=now, detail=detail)


def ran(records: Records, now: float) -> None:
    """The run came to its end."""
    records.set_fact(RAN, str(now))


def expect(records: Records, now: float) -> None:
    """From now on a run is to be expected."""
    if records.fact(EXPECTED) is None:
        records.set_fact(EXPECTED, str(now))


def silent_for(records: Records, now: float) -> float | None:
    """Seconds since the last run, or since one was first expected; None where none is."""
    told = records.fact(RAN) or records.fact(EXPECTED)
    return None if told is None else now - float(told)


def _since(records: Records, today: date) -> date:
    yesterday = today - timedelta(days=1)
    told = records.fact(DIGEST)
    return max(min(date.fromisoformat(told), yesterday), today - _LONGEST) if told else yesterday


def _moment(day: date, office: OfficeHours) -> float:
    """POSIX time of a day's first moment, by the office's clock."""
    return midnight(day, office.zone)
