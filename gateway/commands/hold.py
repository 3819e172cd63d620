"""``clinigate hold``: what people do with held mail.  Run as the quarantine's user (or root); who decides what is a table."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, settings, user
from policies.explain import sentences
from quarantine import keys as keyfiles
from quarantine import ops
from quarantine.model import State
from quarantine.roles import UNPROTECTED
from quarantine.seal import SealError
from quarantine.state import Conflict, NotAllowed
from quarantine.stores import StoreError

app = typer.Typer(no_args_is_help=True, help="List, show, release, refuse or delete held mail.")
WAIT_SECONDS = 15.0  # how long a release is watched; it goes on by itself all the same
REFUSED = "consent.refused"
NO_RELEASE = (
    "No release goes against a no. If the patient has agreed since, or it was noted by mistake: `clinigate consent restore --ref"
    " {ref}`, then release it; if the email itself says no, its sender sends it again without that. Else `clinigate hold refuse"
    " {ref} patient.refused`."
)
Ref = Annotated[str, typer.Argument(help="Reference (H7Q2-93KD) or id of the hold.")]
TROUBLE = (ops.NotFound, NotAllowed, Conflict, StoreError, SealError, keyfiles.KeyFileError, OSError, sqlite3.Error)


@app.command("list")
def list_(
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    everything: Annotated[bool, typer.Option("--all", help="Ended ones too.")] = False,
) -> None:
    """Held mail, oldest first.  Never shows content, subject or file names."""
    rows = _do(config, lambda desk: ops.list_holds(desk, everything=everything))
    if as_json:
        _print_json(rows)
        return
    if not rows:
        typer.echo("Nothing is held.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("reference", "state", "since", "deadline", "rule", "released by"):
        table.add_column(column, no_wrap=True)
    for column in ("from", "to"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(
            row["ref"], row["state"], _when(row["created"]), _when(row["deadline"]), row["rule"], row["releases"], row["sender"],
            ", ".join(row["recipients"]),
        )  # fmt: skip
    Console().print(table)


@app.command("show")
def show(ref: Ref, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Everything that may be said of one hold: why, whom it is for, its history.  That you looked is recorded."""
    shown = _do(config, lambda desk: ops.show(desk, ref, user()))
    if as_json:
        _print_json(shown)
        return
    for name, value in shown.items():
        typer.echo(f"{name + ':':12} {_plain(name, value)}")
    for sentence in sentences(tuple(shown["reasons"])):
        typer.echo(f"  {sentence}")
    if REFUSED in shown["reasons"]:
        typer.echo(f"  {NO_RELEASE.format(ref=shown['ref'])}")


@app.command("release")
def release(
    ref: Ref,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", help="A reason code you accept; default: all reasons of this hold but protect.no-method."),
    ] = None,
    statement: Annotated[
        str | None, typer.Option(help="A consent statement to add, as in the Clinical-Image-Consent field.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The review key, when it is kept off this machine.")] = None,
) -> None:
    """Let a hold go.  It runs through all checks again; what you accept here is recorded with your name."""

    def work(desk: ops.Desk) -> dict[str, Any]:
        accepted = accept if accept is not None else [] if statement else _reasons(desk, ref)
        return ops.release(desk, ref, user(), accepted=accepted, statement=statement)

    row = _do(config, work, key)
    end = time.monotonic() + WAIT_SECONDS
    while row["state"] == State.RELEASING and time.monotonic() < end:
        time.sleep(0.2)
        row = _do(config, lambda desk: ops.state(desk, ref))
    _answer(row, as_json)
    if row["state"] == State.QUARANTINED and not as_json and "needs" not in row:
        _held_again(row, ref)


@app.command("refuse")
def refuse(
    ref: Ref,
    reason: Annotated[str, typer.Argument(help="A reason code, like domain.not-approved; the sender is told.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Decide that a hold does not go."""
    _answer(_do(config, lambda desk: ops.refuse(desk, ref, user(), reason)), as_json)


@app.command("delete")
def delete(
    ref: Ref,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    reason: Annotated[str, typer.Option(help="A reason code.")] = "deleted",
) -> None:
    """Take a hold back; its content is erased when its time has come."""
    _answer(_do(config, lambda desk: ops.delete(desk, ref, user(), reason)), as_json)


def _do(config: Path, work: Any, key: Path | None = None) -> Any:
    """Run ``work`` on the desk; what cannot be done is said in one line, exit code 1."""
    told = settings(config).quarantine
    try:
        desk = ops.open_desk(told, key)
        return work(desk)
    except TROUBLE as error:
        fail(str(error), code=1)


def _reasons(desk: ops.Desk, ref: str) -> list[str]:
    """All reasons of the hold; that pictures go unprotected is accepted by name only."""
    return [reason for reason in ops.find(desk, ref).reasons if reason != UNPROTECTED]


def _held_again(row: dict[str, Any], ref: str) -> None:
    """The checks found another reason: say which, and how to accept that one too."""
    code = str(row["held_again"] or "")
    if code == REFUSED:
        typer.echo(NO_RELEASE.format(ref=row["ref"]))
        raise typer.Exit(1)
    accepted = " ".join(f"--accept {one}" for one in dict.fromkeys([*row["reasons"], code]) if one)
    typer.echo(f"It was held again: {' '.join(sentences((code,))) or code}")
    typer.echo(f"To let it go all the same: clinigate hold release {ref} {accepted}")
    raise typer.Exit(1)


def _answer(row: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _print_json(row)
    else:
        typer.echo(f"{row['ref']} is {row['state']}" + (f"; {row['needs']}" if "needs" in row else ""))


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, default=str))


def _when(at: float | None) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%d %b %H:%M") if at else ""


def _plain(name: str, value: Any) -> str:
    if name in ("created", "deadline", "next_try", "closed"):
        return _when(value)
    if name == "recipients":
        return ", ".join(one if isinstance(one, str) else f"{one['address']} ({one['state']})" for one in value)
    if name == "history":
        return "".join(
            f"\n    {_when(one['at'])}  {one['event']}: {one['from']} -> {one['to']} by {one['who']} ({one['role']})"
            for one in value
        )
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
