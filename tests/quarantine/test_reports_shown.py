"""How reports for IG are shown: tables, files, charts and a page everybody can read.  Counts only; nobody is named."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from quarantine.keyedhash import KeyedHash
from quarantine.notes import write_notes
from quarantine.reports import csvfiles, gather, page
from quarantine.reports.charts import Bar, bars
from quarantine.reports.figures import DomainLine, Register
from quarantine.reports.tables import Column, Table, percent, span, tables
from tests.support import history
from tests.support.history import SENDERS, hashed, report, words
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, World, hold_object, outcome_object

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).with_name("golden_reports")


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


def test_a_code_may_be_broken_behind_its_dot_and_nothing_else_stands_in_the_page() -> None:
    """Symptom: on a telephone "Emerge ncies" and "unknow n": every word of a first column was broken anywhere."""
    column = Column("reason", "code")
    assert page.cell("consent.missing", column) == "consent.<wbr>missing"
    assert page.cell("a.<b>", column) == "a.<wbr>&lt;b&gt;"
    assert page.cell("<b>", Column("what it says", "words")) == "<b>"  # the template escapes it
