"""``clinigate emergency``: the IG team's review of what went on the emergency word.  Run as the quarantine's user (or root)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.commands.hold import TROUBLE
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, settings, user
from quarantine import ops
from quarantine.emergencies import desk as cases

app = typer.Typer(no_args_is_help=True, help="Review what went on the emergency word (break-glass).")
Ref = Annotated[str, typer.Argument(help="Reference (H7Q2-93KD) of the email, as the notices give it.")]


class Verdict(StrEnum):
    """What a review finds."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not-justified"


@app.command("list")
def list_(
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    everything: Annotated[bool, typer.Option("--all", help="Reviewed ones too.")] = False,
) -> None:
    """Emergencies that wait for their review, the most urgent first. Never shows content, subject or the reason."""
    rows = _do(config, lambda desk: cases.list_cases(desk, everything=everything))
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo("No emergency waits for a review.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("reference", "sent", "review by", "found"):
        table.add_column(column, no_wrap=True)
    for column in ("from", "to"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row["ref"], _when(row["at"]), _due(row), row["verdict"] or "-", row["sender"], _people(row))
    Console().print(table)


@app.command("show")
def show(
    ref: Ref,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    key: Annotated[Path | None, typer.Option(help="The review key, when it is kept off this machine.")] = None,
) -> None:
    """One emergency: who, when, to whom, under which rule, and the sealed reason. That you looked is recorded."""
    row = _do(config, lambda desk: cases.show(desk, ref, user()), key)
    if as_json:
        typer.echo(json.dumps(row, indent=2))
        return
    found = f"{row['verdict']} by {row['reviewer']}, {_when(row['reviewed'])}" if row["verdict"] else "not reviewed yet"
    for name, value in (
        ("reference", row["ref"]), ("from", row["sender"]), ("to", _people(row)), ("sent", _when(row["at"])),
        ("rule", ", ".join(sorted({one["rule"] for one in row["recipients"]}))),
        ("protected", ", ".join(sorted({one["method"] for one in row["recipients"]}))), ("stated in", row["way"] or "unknown"),
        ("review by", _due(row)), ("found", found), ("patient told", row["informed"] or "not yet"), ("note", row["note"] or "-"),
        ("reason", row["reason"] or f"({row['reason_hidden']})"),
    ):  # fmt: skip
        typer.echo(f"{name + ':':13} {value}")


@app.command("review")
def review(
    ref: Ref,
    verdict: Annotated[Verdict | None, typer.Argument(help="Was the emergency word justified?", show_default=False)] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    informed: Annotated[str, typer.Option(help="Day on which the patient was told: 2026-11-25. May be added later.")] = "",
    note: Annotated[str, typer.Option(help="A code of yours, such as a case number. No names.")] = "",
    again: Annotated[bool, typer.Option("--again", help="Change what was found before.")] = False,
) -> None:
    """Write down what you found: justified or not, and on which day the patient was told. Recorded with your name."""
    said = verdict.value if verdict else ""
    row = _do(config, lambda desk: cases.review(desk, ref, user(), verdict=said, informed=informed, code=note, again=again))
    if as_json:
        typer.echo(json.dumps(row, indent=2))
        return
    patient = f"the patient was told on {row['informed']}" if row["informed"] else "the patient has not been told yet"
    typer.echo(f"{row['ref']} is {row['verdict']}; {patient}")
    if not row["informed"]:
        typer.echo(f"When the patient has been told: clinigate emergency review {row['ref']} --informed DAY")


def _do(config: Path, work: Callable[[ops.Desk], Any], key: Path | None = None) -> Any:
    """Run ``work`` on the desk; what cannot be done is said in one line, exit code 1."""
    told = settings(config).quarantine
    try:
        return work(ops.open_desk(told, key))
    except TROUBLE as error:
        fail(str(error), code=1)


def _people(row: dict[str, Any]) -> str:
    return ", ".join(one["address"] for one in row["recipients"])


def _due(row: dict[str, Any]) -> str:
    return _when(row["due"]) + (" OVERDUE" if row["overdue"] else "")


def _when(at: float | None) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%d %b %H:%M") if at else ""
