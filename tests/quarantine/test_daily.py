"""The daily job: each matter is promised once, on whatever day it runs and however often; a missed day is made up for."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from quarantine import daily
from quarantine.daily import Warned
from quarantine.journal import read_journal
from quarantine.model import OutboxRow
from quarantine.notices.renderer import Mail, Renderer
from quarantine.notices.settings import from_options
from quarantine.notices.wording import load
from quarantine.outbox import Outbox
from quarantine.reports import gather
from quarantine.reports.figures import Register
from quarantine.reports.week import Week
from quarantine.watch import look
from tests.support.history import SENDERS, ZONE, emergency, event, hold, journal
from tests.support.quarantine_kit import World

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 24)  # a Tuesday


def at(day: date, hour: int = 7) -> float:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(ZONE)).timestamp()


def rows(world: World, kind: str) -> list[OutboxRow]:
    return [row for row in world.records.outbox_due(1e12) if row.kind == kind]


def text(world: World, *found: OutboxRow) -> str:
    """The words of the mail that these rows make together."""
    made = Renderer(world.records, from_options(world.settings), load()).render(found, found[0].due)
    assert isinstance(made, Mail)
    head, _, body = made.data.decode().partition("\n\n")
    return " ".join((head + body.partition("text/html")[0]).replace("=\n", "").split())


def digest(world: World, today: date = TODAY, due: int = 0, *, empty: bool = False) -> bool:
    made = daily.digest(world.records, today, at(today), world.settings.office, due)
    return daily.promise_digest(world.records, made, at(today), empty=empty)


def busy(world: World) -> None:
    """A day with something of everything."""
    day = at(TODAY - timedelta(days=1), 10)
    journal(world.settings.journal, [
        event(day, SENDERS[0], images=2, located=2, first_time=True), event(day + 1, SENDERS[0], located=1),
        event(day + 2, SENDERS[1], failure="internal-error"),
    ])  # fmt: skip
    read_journal(world.settings.journal, world.records, world.settings.office)
    hold(world.records, "waits", day)
    hold(world.records, "older", day - 50 * 3600)
    hold(world.records, "gone", day - 90 * 3600, end="expired", after=89 * 3600.0)
    emergency(world.records, "e", day - 4 * 86_400, world.settings.office)


# -- N-8 -----------------------------------------------------------------------------------------------------------------


def test_the_digest_counts_and_names_nobody(tmp_path: Path) -> None:
    """By hand: two wait, the older since Saturday; one new; one not sent; one emergency overdue; one sender with a position."""
    world = World(tmp_path)
    busy(world)
    assert digest(world, due=3)
    ig, admins = rows(world, "N-8")
    assert (ig.role, admins.role) == ("ig", "mail-admin")
    said = text(world, ig)
    for words in (
        "figures to Monday 23 November", "what happened on Monday 23 November",
        "Held and waiting: 2; the oldest since 08:00 on Saturday 21",
        "Newly held: 1", "because nobody answered or decided in time: 1", "Emergencies to review: 1", "review is overdue: 1",
        "due in the register of domains: 3", "Senders with a position (GPS) in a picture: 1", "for the first time: 1",
        "could not be checked: 1",
    ):  # fmt: skip
        assert words in said, words
    assert "own.example" not in said.partition("What waits now")[2].replace("ig@own.example", "")
    assert "Released:" not in said  # a line without a number is left out


def test_a_quiet_day_makes_no_mail_unless_asked_for(tmp_path: Path) -> None:
    """digest_when_empty; either way the day is done with."""
    world = World(tmp_path)
    assert not digest(world)
    assert rows(world, "N-8") == []
    assert digest(world, TODAY + timedelta(days=1), empty=True)
    assert "what happened on Tuesday 24 November" in text(world, rows(world, "N-8")[0])


def test_a_digest_is_made_once_a_day(tmp_path: Path) -> None:
    """Twice in the morning, once more at night: one mail to each."""
    world = World(tmp_path)
    busy(world)
    assert [digest(world), digest(world), digest(world)] == [True, False, False]
    assert len(rows(world, "N-8")) == 2


def test_missed_days_are_in_the_next_digest(tmp_path: Path) -> None:
    """Off from Tuesday to Friday: the digest of Friday tells of three days; what happened on the first is in it."""
    world = World(tmp_path)
    assert not digest(world)
    hold(world.records, "missed", at(TODAY, 10))
    assert digest(world, TODAY + timedelta(days=3))
    said = text(world, rows(world, "N-8")[0])
    assert "from Tuesday 24 November to Thursday 26 November" in said and "Newly held: 1" in said


def test_a_digest_looks_back_a_month_at_most(tmp_path: Path) -> None:
    """After a year without a run nobody wants a year's figures in one mail."""
    world = World(tmp_path)
    digest(world)
    made = daily.digest(world.records, TODAY + timedelta(days=400), at(TODAY) + 400 * 86_400, world.settings.office, 0)
    assert (made.until - made.since).days == 31


# -- register, policy, lists ---------------------------------------------------------------------------------------------


def test_owners_are_warned_once_a_stage(tmp_path: Path) -> None:
    """60 days, then 30: two mails; a second run between them none.  Without an owner the IG team is told."""
    world = World(tmp_path)
    first = [Warned("expiring/a.example/2026-12-31/60", "owner@own.example", "The approval of a.example ends in 60 days.")]
    later = [Warned("expiring/a.example/2026-12-31/30", "owner@own.example", "The approval of a.example ends in 30 days.")]
    nobody = [Warned("review/b.example/2026-11-01", "", "The agreement with b.example was to be reviewed.")]
    assert [daily.warn(world.records, found, at(TODAY)) for found in (first, first, later, first + nobody)] == [1, 0, 1, 1]
    owner = [row for row in rows(world, "domain-due") if row.to == "owner@own.example"]
    assert [row.role for row in rows(world, "domain-due")] == ["owner", "owner", "ig"]
    said = text(world, *owner)
    assert "ends in 60 days." in said and "ends in 30 days." in said and "b.example" not in said


def test_warnings_to_one_owner_are_one_mail(tmp_path: Path) -> None:
    """A hundred domains are one letter, as the outbox groups them."""
    world = World(tmp_path)
    daily.warn(world.records, [Warned(f"k{n}", "owner@own.example", f"d{n}.example ends.") for n in range(100)], at(TODAY))
    sent: list[tuple[str, bytes]] = []

    class Relay:
        def send(self, to: str, data: bytes) -> None:
            sent.append((to, data))

    renderer = Renderer(world.records, from_options(world.settings), load())
    assert Outbox(world.records, Relay(), renderer, lambda: at(TODAY) + 1).run_due(1000) == 1
    assert sent[0][0] == "owner@own.example" and sent[0][1].count(b".example ends.") >= 100


def test_a_broken_policy_is_told_each_day_it_lasts(tmp_path: Path) -> None:
    """Once a day; mended and broken again is another matter."""
    world = World(tmp_path)
    since = at(TODAY) - 3600
    told = [daily.policy_broken(world.records, since, day, at(day)) for day in (TODAY, TODAY, TODAY + timedelta(days=1))]
    assert told == [True, False, True]
    assert "is not in force" in text(world, rows(world, "policy-broken")[0])
    assert daily.policy_broken(world.records, since + 60, TODAY, at(TODAY))


def test_old_lists_are_told_once_a_month(tmp_path: Path) -> None:
    """Nobody renews a list the same morning."""
    world = World(tmp_path)
    days = (TODAY, TODAY + timedelta(days=1), TODAY + timedelta(days=20))
    old = ["freemail.txt: taken on 2025-01-01"]
    assert [daily.lists_old(world.records, old, day, at(day)) for day in days] == [True, False, True]
    assert "freemail.txt: taken on 2025-01-01" in text(world, rows(world, "lists-old")[0])
    assert not daily.lists_old(world.records, [], TODAY + timedelta(days=90), at(TODAY))


# -- the weekly report ---------------------------------------------------------------------------------------------------


def counting(world: World, since: date) -> None:
    journal(world.settings.journal, [event(at(since), SENDERS[0])])
    read_journal(world.settings.journal, world.records, world.settings.office)


def test_each_week_is_reported_once_and_missed_ones_are_made_up_for(tmp_path: Path) -> None:
    """On any day of the week after it; three weeks without a run are three reports, half a year is eight."""
    world = World(tmp_path)
    counting(world, TODAY - timedelta(days=20))
    (week,) = daily.weeks_due(world.records, TODAY, ZONE)
    assert week.name == "2026-W47"
    made = gather.report(world.records, week, at(TODAY), world.settings.office, "", Register())
    assert daily.promise_week(world.records, made, "/srv/reports", at(TODAY))
    assert not daily.promise_week(world.records, made, "/srv/reports", at(TODAY))
    assert daily.weeks_due(world.records, TODAY, ZONE) == []
    later = daily.weeks_due(world.records, TODAY + timedelta(days=21), ZONE)
    assert [week.name for week in later] == ["2026-W48", "2026-W49", "2026-W50"]
    assert len(daily.weeks_due(world.records, TODAY + timedelta(days=180), ZONE)) == daily.MOST_WEEKS
    said = text(world, rows(world, "weekly")[0])
    assert "2026-W47" in said and "/srv/reports" in said


def test_no_report_of_a_week_before_anything_was_counted(tmp_path: Path) -> None:
    """Installed today: the first report comes when a week is over."""
    world = World(tmp_path)
    assert daily.weeks_due(world.records, TODAY, ZONE) == []
    counting(world, TODAY)
    assert daily.weeks_due(world.records, TODAY, ZONE) == []
    assert [w.name for w in daily.weeks_due(world.records, TODAY + timedelta(days=7), ZONE)] == ["2026-W48"]


def test_the_mail_about_a_week_holds_counts_only(tmp_path: Path) -> None:
    """No domain, no address."""
    world = World(tmp_path)
    busy(world)
    week = Week.of(TODAY, ZONE)
    made = gather.report(world.records, week, week.end, world.settings.office, "", Register())
    daily.promise_week(world.records, made, "reports", at(TODAY))
    said = text(world, rows(world, "weekly")[0])
    assert "Emails with pictures: 2" in said and "Pictures with a position (GPS): 3" in said
    assert "royal.example" not in said and SENDERS[0] not in said


# -- it is missed --------------------------------------------------------------------------------------------------------


def codes(world: World, now: float) -> set[str]:
    return {one.code for one in look(world.settings, now)}


@pytest.mark.parametrize(("days", "alarm"), [(0.0, False), (1.9, False), (2.0, False), (2.1, True), (30.0, True)])
def test_the_alarm_notices_when_the_job_has_not_run_for_two_days(tmp_path: Path, days: float, alarm: bool) -> None:
    """Two runs missed; a summer-time hour does not alarm."""
    world = World(tmp_path)
    daily.ran(world.records, at(TODAY))
    assert ("daily-not-run" in codes(world, at(TODAY) + days * 86_400)) is alarm


def test_a_job_that_never_ran_is_missed_from_the_first_start_on(tmp_path: Path) -> None:
    """Somebody forgot to enable the timer; before the service ever ran nothing is missed."""
    world = World(tmp_path)
    assert "daily-not-run" not in codes(world, at(TODAY))
    daily.expect(world.records, at(TODAY))
    daily.expect(world.records, at(TODAY) + 86_400)
    assert "daily-not-run" not in codes(world, at(TODAY) + 86_400)
    assert "daily-not-run" in codes(world, at(TODAY) + 2.1 * 86_400)


def test_what_a_digest_says_is_in_the_outbox_as_codes_and_counts(tmp_path: Path) -> None:
    """The outbox is a table of the records: nothing in it names anybody."""
    world = World(tmp_path)
    busy(world)
    digest(world)
    detail: dict[str, Any] = dict(rows(world, "N-8")[0].detail)
    assert set(detail) == {"counts", "days", "refs", "oldest"}
    assert all(value.isdigit() for value in detail["counts"].values())
