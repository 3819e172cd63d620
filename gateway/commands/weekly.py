"""The weekly report for IG, for ``clinigate report weekly`` and the daily job: policy and records meet only here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table as Shown

from gateway import registerdue
from gateway.commands.hold import TROUBLE
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, fail, settings, user
from gateway.config import ConfigError, Settings, policy_files
from policies.counsel import CODES as COUNSEL
from policies.domains.recipients import CODES as RECIPIENTS
from policies.explain import sentences
from policies.lists.devices import CODES as DEVICES
from policies.load import PolicyError, load_policy
from policies.reasons import holding
from quarantine import roles
from quarantine.audit import Audit
from quarantine.keyedhash import KeyedHash
from quarantine.records import Records
from quarantine.reports import csvfiles, gather, page, tallies
from quarantine.reports.figures import WEEKS, Register, Report
from quarantine.reports.tables import Table, tables
from quarantine.reports.week import Week

FINDINGS: Final = {**RECIPIENTS, **COUNSEL, **DEVICES}


def weekly(
    config: ConfigOption = DEFAULT_CONFIG,
    week: Annotated[str, typer.Option(help="The week, as 2026-W47; default: the last one that is over.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write the report as one page to this file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write its tables as CSV into this folder.")] = None,
    names: Annotated[bool, typer.Option("--names", help="Name senders, not codes. IG only; recorded with your name.")] = False,
) -> None:
    """The report of one week for IG: holds and how long they waited, emergencies, positions, recipients, domains.

    Twelve weeks stand beside each other as charts. Counts only: it names nobody unless you ask.
    """
    whole = settings(config)
    office = whole.quarantine.office
    now = time.time()
    try:
        wanted = Week.named(week, office.zone) if week else Week.of(office.day_of(now), office.zone).back(1)
        records = Records(whole.quarantine.records)
        made = build(whole, records, wanted, now, _names(whole, records, wanted) if names else {})
    except ValueError as error:
        fail(str(error))
    except FileNotFoundError as error:
        fail(f"there are no records yet ({error.filename}): start the quarantine service once", code=1)
    except TROUBLE as error:
        fail(f"the records cannot be read ({error}); run this as a user who may read the quarantine's state", code=1)
    if html is None and csv is None:
        _print(made)
        return
    try:
        _written(made, html, csv)
    except OSError as error:
        fail(f"{error.filename or html or csv}: {error.strerror}; the report is not written", code=1)


def _written(made: Report, html: Path | None, csv: Path | None) -> None:
    found = tables(made, words)
    if html is not None:
        html.write_text(page.html(made, found), "utf-8")
        typer.echo(f"{html}: the report of {made.now.week.name}")
    for path in csvfiles.write(found, csv, made.now.week.name) if csv is not None else ():
        typer.echo(f"{path}")


def build(whole: Settings, records: Records, week: Week, now: float, names: dict[str, str] | None = None) -> Report:
    """The report of a week; where the policy cannot be read it says so instead."""
    told, today = whole.quarantine, whole.quarantine.office.day_of(now)
    try:
        files = policy_files(whole.policy)
        policy = load_policy({name: text.encode() for name, text in files.items()})
        used, began = tallies.last_used(records), tallies.began(records)
        register = registerdue.told(policy, today, used, began, told.reports.unused_days)
    except (PolicyError, ConfigError, OSError):
        register = Register()
    return gather.report(records, week, now, told.office, told.organisation, register, names, holding)


def write(made: Report, folder: Path) -> list[Path]:
    """Page and tables into a folder.  Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Table] = tables(made, words)
    path = folder / f"{made.now.week.name}.html"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(page.html(made, found), "utf-8")
    temporary.replace(path)
    return [path, *csvfiles.write(found, folder, made.now.week.name)]


def words(code: str) -> str:
    """The plain sentence of a reason code."""
    return " ".join(sentences((code,))) or FINDINGS.get(code, "")


def _names(whole: Settings, records: Records, week: Week) -> dict[str, str]:
    told, asking = whole.quarantine, user()
    if roles.IG not in told.reviewers.roles_of(asking):
        fail("only IG may ask for names: you are not in quarantine: reviewers: ig: of the configuration", code=1)
    hashes = KeyedHash.load(told.hash_key)
    Audit(told.audit, hashes, time.time).named(week.name, asking)
    return gather.names(records, hashes, week.back(WEEKS).start, week.end)


def _print(made: Report) -> None:
    typer.echo(f"{made.now.week.name}, {made.now.week.first:%-d %B %Y} and the six days after it")
    for one in page.caveats(made):
        typer.echo(f"! {one}")
    table = Shown(box=None, pad_edge=False)
    for column in ("", "this week", "week before"):
        table.add_column(column, justify="left" if not column else "right")
    for row in page.glance(made):
        table.add_row(*row)
    Console().print(table)
    typer.echo("The whole report: --html FILE, its tables: --csv FOLDER")
