"""Reports for IG: what a week counts, and that what is not known is said."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from policies.reasons import holding
from quarantine import promises
from quarantine.deadlines import OfficeHours
from quarantine.journal import read_journal
from quarantine.model import State
from quarantine.notices import renderer
from quarantine.notices.render import ANSWER
from quarantine.reports import gather, page, tallies
from quarantine.reports.figures import Figures, Register
from quarantine.reports.tables import NOTICES, tables
from quarantine.reports.tally import counted, domains_used
from quarantine.reports.week import Week
from tests.support import history
from tests.support.history import FIRST, NOW, SENDERS, W47, ZONE, event, hashed, hold, journal, report, words
from tests.support.quarantine_kit import MONDAY, World

pytestmark = pytest.mark.unit


def figures(world: World, week: Week = W47, now: float = NOW) -> Figures:
    return gather.figures(world.records, week, now, tallies.began(world.records))


def told(world: World, week: Week = W47, now: float = NOW) -> str:
    return " ".join(page.caveats(report(world, week, now)))


def take(world: World, *events: dict[str, object], segment: int = 1) -> None:
    journal(world.settings.journal, list(events), segment)
    read_journal(world.settings.journal, world.records, world.settings.office)


def at(*when: int) -> float:
    return datetime(*when, tzinfo=ZoneInfo(ZONE)).timestamp()  # type: ignore[arg-type,misc]  # (Y, M, D, h, m)


# -- what an event counts as ---------------------------------------------------------------------------------------------


def test_an_event_counts_mail_pictures_people_and_reasons() -> None:
    """By hand: one mail of two pictures, one with a position, to one person for the first time, said to show no patient."""
    one = event(MONDAY, SENDERS[0], images=2, located=1, first_time=True, basis="not-patient", reasons=["consent.stated", "x.y"])
    who = hashed(SENDERS[0])
    assert counted(one) == Counter({
        ("mail", "pictures"): 1, ("reason", "consent.stated"): 1, ("reason", "x.y"): 1, ("fate", "delivered"): 1,
        ("mode", "enforce"): 1, ("recipient", "first-time"): 1, ("pictures", "all"): 2, ("pictures", "gps"): 1,
        ("group all", "dermatology"): 2, ("group gps", "dermatology"): 1, ("sender pictures", who): 1, ("sender gps", who): 1,
        ("sender not-patient", who): 1,
    })  # fmt: skip


def test_plain_mail_and_failures_count_as_what_they_are() -> None:
    """No picture: the mail only.  A failure: as such, whatever is in it."""
    plain = event(MONDAY, SENDERS[0], images=0, reasons=["link.file-share"], state="passed")
    assert counted(plain) == Counter({("mail", "plain"): 1, ("reason", "link.file-share"): 1})
    assert counted(event(MONDAY, SENDERS[0], failure="internal-error"))["mail", "failure"] == 1


def test_findings_beside_count_whether_a_rule_asked_or_not() -> None:
    """Links, cameras, aggregation, slips in an address: once a recipient; technical findings are not the report's."""
    one = event(MONDAY, SENDERS[0], reasons=["link.file-share"])
    one["record"]["recipients"][0]["facts"]["codes"] = ["link.file-share", "disclosure.aggregate", "exif.gps", "mime.odd"]
    found = counted(one)
    assert {key for measure, key in found if measure == "reason"} == {"link.file-share", "disclosure.aggregate"}
    assert found["reason", "link.file-share"] == 1


def test_a_release_is_not_a_second_mail() -> None:
    """It was counted when it came in; the domain it went to is in use all the same."""
    again = event(MONDAY, SENDERS[0], listener="release")
    assert counted(again) == Counter()
    assert list(domains_used(again)) == ["royal.example"]


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b'{"event":"message"}', b'{"event":"message","record":7,"at":1}', b'{"event":"other","record":{}}']
)
def test_what_is_no_message_counts_as_nothing(tmp_path: Path, line: bytes) -> None:
    """Half a line of a crash, another kind of event."""
    world = World(tmp_path)
    world.settings.journal.mkdir()
    (world.settings.journal / "g-00000001.jsonl").write_bytes(line + b"\n")
    read_journal(world.settings.journal, world.records)
    assert tallies.began(world.records) is None


def test_an_event_of_an_older_version_counts_as_far_as_it_tells() -> None:
    """No mode, no facts, no codes."""
    old = {"event": "message", "at": MONDAY, "recipients": [{}], "record": {"images": [{}], "recipients": [{}]}}
    assert counted(old)["pictures", "all"] == 1


def test_each_event_counts_once(tmp_path: Path) -> None:
    """Read again, in two pieces, after a rebuild of the index."""
    world = World(tmp_path)
    take(world, event(MONDAY, SENDERS[0]))
    take(world, event(MONDAY, SENDERS[0]), event(MONDAY + 60, SENDERS[1]))
    read_journal(world.settings.journal, world.records, world.settings.office)
    world.intake.rebuild(world.now)
    assert figures(world, Week.of(date(2026, 11, 23), ZONE)).mail == {"pictures": 2}


def test_a_day_is_a_day_on_the_wall(tmp_path: Path) -> None:
    """Half past midnight in summer time is the new day, though not yet in UTC."""
    world = World(tmp_path)
    take(world, event(at(2026, 9, 7, 0, 30), SENDERS[0]), event(at(2026, 9, 6, 23, 30), SENDERS[0]))
    assert figures(world, Week.named("2026-W37", ZONE)).mail == {"pictures": 1}
    assert figures(world, Week.named("2026-W36", ZONE)).mail == {"pictures": 1}


def test_counts_by_person_are_forgotten_first(tmp_path: Path) -> None:
    """After a hundred days nobody's rate is known any more; the totals stay for comparison."""
    world = World(tmp_path)
    take(world, event(MONDAY, SENDERS[0], basis="not-patient"))
    week = Week.of(date(2026, 11, 23), ZONE)
    tallies.forget(world.records, date(2026, 11, 23) + timedelta(days=101))
    assert figures(world, week).not_patient == {} and figures(world, week).mail == {"pictures": 1}
    tallies.forget(world.records, date(2026, 11, 23) + timedelta(days=801))
    assert figures(world, week).mail == {}


def test_the_office_without_hours_still_counts(tmp_path: Path) -> None:
    """The zone is all that is needed."""
    world = World(tmp_path)
    journal(world.settings.journal, [event(MONDAY, SENDERS[0])])
    read_journal(world.settings.journal, world.records, OfficeHours(days=(), zone="Asia/Tokyo"))
    assert tallies.began(world.records) == date(2026, 11, 23)


def test_the_journal_of_the_generator_is_as_the_gateway_writes_it() -> None:
    """The keys that counting asks for stand in real events, too (tests/e2e/test_emergency.py reads real ones)."""
    line = json.loads(json.dumps(event(MONDAY, SENDERS[0])))
    assert set(line) >= {"event", "at", "recipients", "record", "listener"}
    assert FIRST.weekday() == 0


# -- weeks ---------------------------------------------------------------------------------------------------------------


def test_weeks_have_the_names_of_the_standard() -> None:
    """ISO 8601: 2026 has 53 weeks; the first days of January belong to the year before."""
    assert Week.of(date(2027, 1, 3), ZONE).name == "2026-W53"
    assert Week.named("2026w47", ZONE) == W47 and W47.name == "2026-W47"
    assert Week.named("2026-W53", ZONE).until == date(2027, 1, 4)


@pytest.mark.parametrize("word", ["", "47", "2026-W00", "2026-W54", "2025-W53", "W47-2026", "2026-W47x"])
def test_a_week_that_is_none_is_told_how_to_write(word: str) -> None:
    """With the word and the form."""
    with pytest.raises(ValueError, match="write it as 2026-W47"):
        Week.named(word, ZONE)


@pytest.mark.parametrize(("name", "hours"), [("2026-W13", 167), ("2026-W43", 169), ("2026-W47", 168)])
def test_a_week_of_a_clock_change_has_an_hour_less_or_more(name: str, hours: int) -> None:
    """March 29 and October 25 in London."""
    week = Week.named(name, ZONE)
    assert (week.end - week.start) / 3600 == hours


# -- figures -------------------------------------------------------------------------------------------------------------


def test_time_to_release_by_desk(tmp_path: Path) -> None:
    """By hand: ten holds of IG, 1 to 10 hours; half waited 5.5, nine in ten 9, the longest 10.  The sender's stand apart."""
    world = World(tmp_path)
    for number in range(1, 11):
        hold(world.records, f"ig{number}", W47.start + 3600, end="released", after=number * 3600.0)
    hold(
        world.records, "asked", W47.start, end="released", after=60.0, releases="sender", action="ASK", state=State.ASKED,
        reasons=("consent.missing",),
    )  # fmt: skip
    waits = {one.desk: one for one in figures(world).waits}
    assert (waits["ig"].count, waits["ig"].median, waits["ig"].most, waits["ig"].longest) == (10, 19_800, 32_400, 36_000)
    assert (waits["sender"].count, waits["sender"].longest) == (1, 60)


def test_ended_and_open_holds_are_told_apart(tmp_path: Path) -> None:
    """Expired means not sent.  The oldest that is open at the end of the week, not of today."""
    world = World(tmp_path)
    hold(world.records, "gone", W47.start, end="expired", after=3600.0)
    hold(world.records, "no", W47.start, end="refused", after=3600.0)
    hold(world.records, "open", W47.end - 7200)
    hold(world.records, "later", W47.end - 9000, end="expired", after=3 * 86_400)  # open at the week's end, ended since
    one = figures(world, now=NOW + 5 * 86_400)
    assert one.ended == {"EXPIRED": 1, "REFUSED": 1} and (one.open, one.oldest) == (2, 9000)
    assert one.held == 4 and one.held_for == {"domain.unknown": 4}


def test_what_speaks_for_sending_is_not_counted_as_a_reason_for_a_hold(tmp_path: Path) -> None:
    """"The agreement is stated" holds nothing: it stands beside the reason.  A rule that has no other reason still shows."""
    world = World(tmp_path)
    hold(world.records, "beside", W47.start, reasons=("consent.stated", "domain.unknown", "purpose.inferred", "domain.unknown"))
    hold(world.records, "put off", W47.start, reasons=("consent.stated",), action="DEFERRED", state=State.DEFERRED)
    one = gather.figures(world.records, W47, NOW, None, holding)
    assert (one.held, one.held_for) == (2, {"domain.unknown": 1})
    hold(world.records, "own rule", W47.start, reasons=("domain.own", "consent.stated"))
    assert gather.figures(world.records, W47, NOW, None, holding).held_for == {
        "domain.unknown": 1, "consent.stated": 1, "domain.own": 1,
    }  # fmt: skip


def test_a_hold_made_in_one_week_and_released_in_the_next_counts_where_it_happened(tmp_path: Path) -> None:
    """Made here, released there."""
    world = World(tmp_path)
    hold(world.records, "over", W47.start - 3600, end="released", after=7200.0)
    before, now = figures(world, W47.back(1)), figures(world)
    assert (before.held, len(before.waits), before.open) == (1, 0, 1)
    assert (now.held, len(now.waits), now.open) == (0, 1, 0)


def test_emergencies_in_time_late_overdue_and_waiting(tmp_path: Path) -> None:
    """Used on Monday, Tuesday, Wednesday and Friday; looked at on the Saturday after."""
    world = World(tmp_path)
    history.emergency(world.records, "a", W47.start + 10 * 3600, world.settings.office, reviewed=3600.0, informed="2026-11-17")
    history.emergency(world.records, "b", W47.start + 34 * 3600, world.settings.office, reviewed=3 * 86_400.0)
    history.emergency(world.records, "c", W47.start + 58 * 3600, world.settings.office)
    history.emergency(world.records, "d", W47.start + 106 * 3600, world.settings.office)
    found = figures(world, now=W47.start + 5 * 86_400 + 3600).emergencies
    assert (found.used, found.in_time, found.late, found.overdue, found.waiting, found.told) == (4, 1, 1, 1, 1, 1)


def test_notices_count_in_the_week_they_were_sent(tmp_path: Path) -> None:
    """Not those that wait or were dropped."""
    world = World(tmp_path)
    history.notice(world.records, "a", "N-2", W47.start + 5)
    history.notice(world.records, "b", "N-2", W47.end + 5)
    world.records.outbox_add("N-7", to="x@own.example", role="sender", due=W47.start, dedup="c", now=W47.start)
    assert figures(world).notices == {"N-2": 1}


def test_every_notice_there_is_has_words_in_the_report() -> None:
    """Symptom: "R-4: R-4", "answer: answer", and "domain-due" without words."""
    kinds = {*renderer.ALERTS, *renderer.PLAIN, *renderer.RECALLS, *renderer.REMINDERS, *promises.STRICTEST}
    assert kinds | {renderer.EMERGENCY, renderer.DIGEST, renderer.DSN, ANSWER} == set(NOTICES)


def test_last_use_of_a_domain_is_the_newest_day(tmp_path: Path) -> None:
    """Whatever order segments are read in; a hold is no use."""
    world = World(tmp_path)
    held = event(at(2026, 11, 21, 9, 0), SENDERS[0], state="held", domain="b.example")
    take(world, event(at(2026, 11, 20, 9, 0), SENDERS[0]), held)
    take(world, event(at(2026, 11, 2, 9, 0), SENDERS[0]), segment=2)
    assert tallies.last_used(world.records) == {"royal.example": date(2026, 11, 20)}


# -- what is not known is said -------------------------------------------------------------------------------------------


def test_a_fresh_install_says_that_nothing_was_counted(tmp_path: Path) -> None:
    """And every figure is a dash, not a zero that looks like a quiet week."""
    world = World(tmp_path)
    made = report(world)
    assert "No mail has been counted yet" in told(world)
    assert [row[1:] for row in page.glance(made)] == [("–", "–")] * 10
    assert "<rect" not in page.html(made, tables(made, words))


def test_the_first_week_says_since_when(tmp_path: Path) -> None:
    """Counting began on Wednesday; the weeks before it are unknown."""
    world = World(tmp_path)
    take(world, event(at(2026, 11, 18, 9, 0), SENDERS[0]))
    assert "Counting began on 18 November 2026: this week is not whole." in told(world)
    assert [one.known for one in report(world).weeks] == [False] * 11 + [True]


def test_an_empty_week_is_said(tmp_path: Path) -> None:
    """A week without any mail is more likely a fault than a holiday."""
    world = World(tmp_path)
    take(world, event(at(2026, 11, 2, 9, 0), SENDERS[0]))
    assert "No mail came in this week" in told(world)


def test_a_week_that_is_not_over_is_said(tmp_path: Path) -> None:
    """--week of the present week."""
    assert "The week is not over." in told(World(tmp_path), now=W47.end - 1)


def test_missing_segments_are_named_with_their_days(tmp_path: Path) -> None:
    """Number 1 was read, 4 was read: 2 and 3 are gone.  A report of weeks they cannot concern does not name them."""
    world = World(tmp_path)
    take(world, event(at(2026, 11, 10, 9, 0), SENDERS[0]))
    take(world, event(at(2026, 11, 17, 9, 0), SENDERS[0]), segment=4)
    assert "2 segments of the journal were never read (gate-00000002.jsonl to gate-00000003.jsonl)" in told(world)
    assert "about 10 November 2026 and 17 November 2026" in told(world)
    later = Week.named("2027-W20", ZONE)
    assert "segments" not in told(world, later, later.end)


def test_the_first_segment_may_be_missing_too(tmp_path: Path) -> None:
    """Numbers begin at 1."""
    world = World(tmp_path)
    take(world, event(at(2026, 11, 17, 9, 0), SENDERS[0]), segment=3)
    assert "2 segments" in told(world)


def test_a_register_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """Not shown as "every domain was used"."""
    world = World(tmp_path)
    made = report(world, register=Register())
    assert "could not be read" in " ".join(page.caveats(made))
    assert "known to be unused" not in page.html(made, tables(made, words))
