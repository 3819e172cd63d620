"""Reports for IG: what a week counts, how it is shown, and that what is not known is said.  Counts only; nobody is named."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from policies.reasons import holding
from quarantine import promises
from quarantine.deadlines import OfficeHours
from quarantine.journal import read_journal
from quarantine.keyedhash import KeyedHash
from quarantine.model import State
from quarantine.notes import write_notes
from quarantine.notices import renderer
from quarantine.notices.render import ANSWER
from quarantine.reports import csvfiles, gather, page, tallies
from quarantine.reports.charts import Bar, bars
from quarantine.reports.figures import DomainLine, Figures, Register, Report
from quarantine.reports.tables import NOTICES, Column, Table, percent, span, tables
from quarantine.reports.tally import counted, domains_used
from quarantine.reports.week import Week
from tests.support import history
from tests.support.history import FIRST, REGISTER, SENDERS, ZONE, event, hashed, hold, journal, words
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, World, hold_object, outcome_object

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).with_name("golden_reports")
W47 = Week(date(2026, 11, 16), ZONE)
NOW = W47.end + 7 * 3600


def report(world: World, week: Week = W47, now: float = NOW, register: Register = REGISTER, **names: str) -> Report:
    return gather.report(world.records, week, now, world.settings.office, "Example Clinic", register, names)


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


# -- how it is shown -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Twelve weeks of history."""
    world = World(tmp_path_factory.mktemp("past"))
    history.make(world)
    return world


@pytest.mark.slow
def test_the_tables_of_twelve_weeks_are_as_checked_by_hand(past: World) -> None:
    """Golden CSV files; ``python -m tests.support.history`` makes them anew, a person reads them."""
    for table in tables(report(past), words):
        golden = GOLDEN / f"{table.name}.csv"
        assert csvfiles.text(table).encode() == golden.read_bytes(), table.name
    assert {p.stem for p in GOLDEN.glob("*.csv")} == {table.name for table in tables(report(past), words)}


def test_csv_is_what_programs_expect(past: World, tmp_path: Path) -> None:
    """RFC 4180: CRLF, a heading, as many cells in each line; numbers are numbers."""
    paths = csvfiles.write(tables(report(past), words), tmp_path / "new" / "folder", "2026-W47")
    for path in paths:
        text = path.read_bytes().decode("utf-8")
        assert text.endswith("\r\n") and text.replace("\r\n", "").count("\n") == 0
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert len({len(row) for row in rows}) == 1 and all(rows[0])
    weeks = list(csv.DictReader(io.StringIO((tmp_path / "new/folder/2026-W47-weeks.csv").read_text(), newline="")))
    assert len(weeks) == 12 and int(weeks[-1]["mail"]) == 310
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("evil", ["=1+1", "+A1", "-2", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", " =1"])
def test_no_cell_is_a_formula(evil: str) -> None:
    """A domain or an organisation's name may be written by somebody else."""
    table = Table("x", "X", (Column("a", "a"),), ((evil,),), "")
    (cell,) = list(csv.reader(io.StringIO(csvfiles.text(table), newline="")))[1]
    assert cell.startswith("'")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.scopes: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        told = dict(attrs)
        self.scopes[str(told.get("scope"))] += tag == "th"
        self.ids += [str(told["id"])] if "id" in told else []
        self.links += [str(told[name]) for name in ("src", "href") if name in told]


def test_the_page_stands_alone_and_is_accessible(past: World) -> None:
    """Nothing is loaded, no script; every heading of a table says what it heads; charts have a title and all their values."""
    made = report(past)
    text = page.html(made, tables(made, words))
    found = _Page()
    found.feed(text)
    assert found.tags["script"] == found.tags["img"] == found.tags["link"] == 0 and found.links == []
    assert found.scopes["None"] == 0 and found.scopes["col"] and found.scopes["row"]
    assert len(found.ids) == len(set(found.ids)) and found.tags["svg"] == found.tags["desc"] == 8
    assert 'lang="en"' in text and "@page { size: A4" in text and "url(" not in text and "@import" not in text
    assert "W36: 3; W37: 4" in text  # the values are read out


def test_whatever_stands_in_a_cell_is_text(tmp_path: Path) -> None:
    """Names of organisations come from a file that people edit."""
    evil = "<script>alert(1)</script>"
    register = Register(True, (DomainLine("a.example", None, evil),), (), 180)
    made = report(World(tmp_path), register=register)
    text = page.html(made, tables(made, words))
    assert evil not in text and "&lt;script&gt;" in text
    assert "<b>" not in bars("x", "<b>", [Bar("<b>", 1.0, "<b>")])


def test_a_report_names_nobody_unless_asked(past: World) -> None:
    """No address and no whole keyed hash stands in page or tables; with names the senders stand there."""
    made = report(past)
    found = tables(made, words)
    text = page.html(made, found) + "".join(map(csvfiles.text, found))
    assert "@own.example" not in text and not re.search(r"[0-9a-f]{32}", text)
    named = report(past, **{hashed(one): one for one in SENDERS})
    assert SENDERS[1] in page.html(named, tables(named, words))
    assert "as this one was" in page.html(named, tables(named, words))


def test_names_come_from_what_the_records_still_know(tmp_path: Path) -> None:
    """Senders of holds and of outcomes; by their keyed hash."""
    world = World(tmp_path)
    held = hold_object()
    world.take(held, outcome_object([held]), outcome_object(delivered=[PEER], name="two"))
    write_notes(world.records, world.store, world.public)
    hashes = KeyedHash.load(tmp_path / "hash.key")
    assert gather.names(world.records, hashes, 0.0, MONDAY * 2) == {hashes.address(SENDER): SENDER}


def test_many_domains_do_not_make_an_endless_page(tmp_path: Path) -> None:
    """Two hundred rows, and how many more stand in the file."""
    lines = tuple(DomainLine(f"d{number}.example", None, "") for number in range(1000))
    made = report(World(tmp_path), register=Register(True, lines, (), 180))
    found = tables(made, words)
    text = page.html(made, found)
    assert "And 800 more" in text and text.count("<td>never</td>") == 200
    assert csvfiles.text(next(t for t in found if t.name == "unused")).count("\r\n") == 1001


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "–"), (0.0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599.0, "59 min"), (3600, "1 h 00 min"), (90_000, "1 d 1 h")],
)
def test_spans_are_read_at_a_glance(seconds: float | None, shown: str) -> None:
    """Two units at most."""
    assert span(seconds) == shown


def test_a_share_of_nothing_is_nothing() -> None:
    """No division."""
    assert (percent(1, 6), percent(0, 0)) == ("17 %", "")


def test_a_chart_of_nothing_draws_nothing() -> None:
    """No bar, no division; a zero has its number and no bar."""
    assert "<rect" not in bars("x", "t", [])
    chart = bars("x", "t", [Bar("W1", 0.0, "0"), Bar("W2", None, "–")])
    assert "<rect" not in chart and ">0<" in chart


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


def test_a_code_may_be_broken_behind_its_dot_and_nothing_else_stands_in_the_page() -> None:
    """Symptom: on a telephone "Emerge ncies" and "unknow n": every word of a first column was broken anywhere."""
    column = Column("reason", "code")
    assert page.cell("consent.missing", column) == "consent.<wbr>missing"
    assert page.cell("a.<b>", column) == "a.<wbr>&lt;b&gt;"
    assert page.cell("<b>", Column("what it says", "words")) == "<b>"  # the template escapes it
