"""A report as one self-contained page: tables, charts, and what the figures do not know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup

from quarantine.reports.charts import Bar, bars
from quarantine.reports.figures import Figures, Report
from quarantine.reports.tables import Cell, Column, Table, percent, span

MOST: Final = 200  # rows of one table on the page; the CSV file has them all
_FOLDER: Final = resources.files("quarantine") / "reports" / "templates"


def html(report: Report, tables: list[Table]) -> str:
    """The page.  Every value is escaped by the template."""
    shown = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # nothing is loaded from outside
    template = shown.from_string((_FOLDER / "report.html").read_text("utf-8"))
    week = report.now.week
    return template.render(
        report=report, week=week, caveats=caveats(report), glance=glance(report), tables=tables, cell=cell,
        charts=_charts(report), most=MOST, last=week.until - timedelta(days=1), made=_local(report.made, report.zone),
    )  # fmt: skip


def caveats(report: Report) -> list[str]:
    """What a reader must know before believing the figures."""
    now, told = report.now, []
    if report.began is None:
        told.append("No mail has been counted yet: the gateway has written no journal, or it was not read.")
    elif report.began > now.week.first and report.began < now.week.until:
        told.append(f"Counting began on {report.began:%-d %B %Y}: this week is not whole.")
    elif report.began >= now.week.until:
        told.append(f"Counting began on {report.began:%-d %B %Y}, after this week.")
    if not report.over:
        told.append("The week is not over.")
    elif report.began is not None and now.known and not sum(now.mail.values()):
        told.append("No mail came in this week. If people sent mail, it did not pass the gateway, or the journal was not read.")
    for gap in report.missing:
        between = " and ".join(f"{day:%-d %B %Y}" for day in (gap.first, gap.last) if day)
        told.append(
            f"{len(gap.segments)} segments of the journal were never read ({gap.segments[0]} to {gap.segments[-1]}): "
            f"counts are too low{f', about {between}' if between else ''}."
        )
    if not report.register.known:
        told.append("The register of domains could not be read; what it says is missing.")
    return told


def glance(report: Report) -> list[tuple[str, str, str]]:
    """(what, this week, the week before): the first thing on the page."""
    now, before = report.weeks[-1], report.weeks[-2]
    return [(what, say(now) if now.known else "–", say(before) if before.known else "–") for what, say in _GLANCE]


def cell(value: Cell, column: Column) -> str:
    """A cell as people read it; a code may be broken behind a dot, where a telephone is too narrow for it."""
    if value is None:
        return "–"
    if column.name == "code":
        return Markup(".<wbr>").join(str(value).split("."))  # join escapes what it joins
    return span(value) if column.span and isinstance(value, int | float) else str(value)


_GLANCE: Final[tuple[tuple[str, Callable[[Figures], str]], ...]] = (
    ("Mail", lambda f: f"{sum(f.mail.values())}"),
    ("… with pictures", lambda f: f"{f.mail.get('pictures', 0)}"),
    ("Held", lambda f: f"{f.held}"),
    ("Not sent because nobody answered or decided in time", lambda f: f"{f.ended.get('EXPIRED', 0)}"),
    ("Still held at the end; the oldest for", lambda f: f"{f.open}" + (f"; {span(f.oldest)}" if f.oldest is not None else "")),
    ("Emergencies; reviewed in time", lambda f: f"{f.emergencies.used}; {f.emergencies.in_time}"),
    ("Pictures with a position (GPS)", lambda f: _of(f.located, f.pictures)),
    ("Addresses written to for the first time", lambda f: f"{f.first_time}"),
    ("Sent without a patient's reference", lambda f: _of(f.unnamed, f.disclosed)),
    ("Failures", lambda f: f"{f.mail.get('failure', 0)}"),
)


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}" + (f" ({percent(part, whole)})" if whole else "")


def _median(one: Figures) -> tuple[float | None, str]:
    found = [wait for wait in one.waits if wait.desk in ("ig", "two-person")]
    if not found:
        return None, "–"
    longest = max(wait.median for wait in found)
    return longest, _brief(longest)


def _brief(seconds: float) -> str:
    """A span in the width of a bar: ``15m``, ``5.6h``, ``3.1d``."""
    if seconds < 3600:
        return f"{seconds / 60:.0f}m"
    return f"{seconds / 3600:.1f}h" if seconds < 172_800 else f"{seconds / 86_400:.1f}d"


def _share(part: int, whole: int) -> tuple[float | None, str]:
    return (100 * part / whole, percent(part, whole).replace(" ", "")) if whole else (None, "–")


_CHARTS: Final[tuple[tuple[str, str, Callable[[Figures], tuple[float | None, str]]], ...]] = (
    ("held", "Held", lambda f: (f.held, f"{f.held}")),
    ("expired", "Not sent: time was over", lambda f: (f.ended.get("EXPIRED", 0), f"{f.ended.get('EXPIRED', 0)}")),
    ("median", "Half of the IG team's holds waited at most", _median),
    ("emergencies", "Emergencies", lambda f: (f.emergencies.used, f"{f.emergencies.used}")),
    ("gps", "Pictures with a position", lambda f: (f.located, f"{f.located}")),
    ("first", "Addresses written to for the first time", lambda f: (f.first_time, f"{f.first_time}")),
    ("pictures", "Mail with pictures", lambda f: (f.mail.get("pictures", 0), f"{f.mail.get('pictures', 0)}")),
    ("unnamed", "Sent without a patient's reference", lambda f: _share(f.unnamed, f.disclosed)),
)


def _charts(report: Report) -> list[Markup]:
    made = []
    for identity, title, say in _CHARTS:
        series = [Bar(f"W{one.week.name[-2:]}", *(say(one) if one.known else (None, "–"))) for one in report.weeks]
        made.append(Markup(bars(identity, title, series)))  # noqa: S704 - made by charts.bars, which escapes its texts
    return made


def _local(at: float, zone: str) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone)).strftime("%-d %B %Y, %H:%M")
