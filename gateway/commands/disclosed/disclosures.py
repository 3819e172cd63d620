"""``clinigate disclosures``: which picture went to whom.  For the information-governance team; every look is recorded."""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.commands.disclosed.patientnumber import PatientOption, patient_hash
from gateway.commands.disclosed.words import CONSENTS, HOW, KINDS
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, fail, settings, user
from gateway.commands.policy.source import since as moment
from quarantine import keys as keyfiles
from quarantine import ops
from quarantine.keyedhash import KeyedHash
from quarantine.ledger import csvtext, fhir, summary
from quarantine.ledger.access import looking
from quarantine.ledger.images import digest
from quarantine.ledger.query import Entry, stream
from quarantine.state import NotAllowed
from quarantine.stores import StoreError

SHOWN: Final = 500  # lines of the table on a screen; files hold everything
TROUBLE: Final = (NotAllowed, StoreError, keyfiles.KeyFileError, OSError, sqlite3.Error)
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")


_MARK: Final = "\ufeff"  # begins a CSV file: without it a spreadsheet may take UTF-8 for something else


class Form(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    CSV = "csv"
    FHIR = "fhir"
    JSON = "json"


def disclosures(
    patient: PatientOption = None,
    image: Annotated[
        str | None, typer.Option(metavar="FILE|SHA256", help="A picture, or its SHA-256, as it was sent to us or as it left.")
    ] = None,
    recipient: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Who got it.")] = None,
    sender: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Who sent it.")] = None,
    since: Annotated[str | None, typer.Option(help="From this day on (2026-03-01), or 30d, 12h, 8w back.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to the end of this day.")] = None,
    ref: Annotated[str | None, typer.Option(metavar="REF", help="Reference of an email or hold, as notices give it.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="CSV for a spreadsheet.")] = False,
    as_fhir: Annotated[
        bool, typer.Option("--fhir", help="FHIR R4 Bundle of AuditEvent and Provenance; people as keyed hashes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs, one line a disclosure.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this new file, readable by you alone.")] = None,
    addresses: Annotated[bool, typer.Option("--addresses", help="With --fhir: mail addresses too.")] = False,
    shares: Annotated[
        bool, typer.Option("--summary", help="Only how many went, by week and sender group, and how many name no patient.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Which picture went to whom, when, under which statement and rule, and how it was protected.

    For the information-governance team; that you looked, and what for, is recorded. All conditions given must fit.
    """
    form = _form(csv, as_fhir, as_json)
    told = settings(config).quarantine
    now = time.time()
    try:
        hashes = KeyedHash.load(told.hash_key)
        asked: dict[str, Any] = {
            "patient": patient_hash(patient, hashes) if patient is not None else None,
            "image": image_digest(image) if image is not None else None,
            "recipient": hashes.address(recipient) if recipient is not None else None,
            "sender": hashes.address(sender) if sender is not None else None,
            "since": moment(since, datetime.fromtimestamp(now, UTC)).timestamp() if since is not None else None,
            "until": _end_of(until) if until is not None else None,
            "ref": ref.strip().upper() if ref is not None else None,
        }
        desk = ops.open_desk(told)
        looking(desk, user(), "disclosures --summary" if shares else f"disclosures --{form.value}", _named(asked))
        if shares:
            _summary(desk, asked, form)
            return
        found = stream(desk.records, **asked)
        _write(found, form, output, now, addresses)
        if form is Form.TABLE and image is not None:
            typer.echo("Looked for by its bytes only; one that was cut or saved anew: `clinigate match`.", err=True)
    except TROUBLE as error:
        fail(said(error), code=1)


def _form(csv: bool, as_fhir: bool, as_json: bool) -> Form:
    chosen = [form for form, given in ((Form.CSV, csv), (Form.FHIR, as_fhir), (Form.JSON, as_json)) if given]
    if len(chosen) > 1:
        fail("write one of --csv, --fhir and --json")
    return chosen[0] if chosen else Form.TABLE


def image_digest(given: str) -> str:
    if _SHA256.fullmatch(given):
        return given.lower()
    path = Path(given)
    if not path.is_file():
        fail(f"{given}: no file, and no SHA-256 (64 digits 0-9 a-f)")
    return digest(path)


def _end_of(day: str) -> float:
    try:
        end = datetime.strptime(day.strip(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        fail(f"--until {day}: write a day like {datetime.now(UTC).date().isoformat()}")
    return end + 86400


def _named(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}


def said(error: Exception) -> str:
    """What went wrong, in words; a text of the system may name a file, never a person."""
    if isinstance(error, PermissionError):
        return f"{error.filename}: not readable for you; run this with sudo"
    if isinstance(error, FileExistsError):
        return f"{error.filename2 or error.filename}: is there already; give another name"
    return str(error)


# -- writing -------------------------------------------------------------------------------------------------------------


def _write(found: Iterator[Entry], form: Form, output: Path | None, now: float, addresses: bool) -> None:
    if form is Form.TABLE:
        if output is not None:
            fail("--output goes with --csv, --fhir or --json")
        _table(found)
        return
    pieces: Callable[[], Iterable[str]] = {
        Form.CSV: lambda: csvtext.lines(found),
        Form.FHIR: lambda: fhir.bundle(found, now, addresses),
        Form.JSON: lambda: (json.dumps(asdict(entry)) + "\n" for entry in found),
    }[form]
    if output is None:
        for piece in pieces():
            sys.stdout.write(writable(piece))
        sys.stdout.flush()
        return
    private_file(output, itertools.chain([_MARK] if form is Form.CSV else [], pieces()))
    typer.echo(f"{output} is written; it names people: keep it as safe as a patient's record.", err=True)


def private_file(path: Path, pieces: Iterable[str]) -> None:
    """A new file, 0600 from its first byte; it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            for piece in pieces:
                file.write(writable(piece))
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # unlike a rename, never over a file that is there
    finally:
        temporary.unlink(missing_ok=True)


def writable(text: str) -> str:
    """Octets of an address that are no UTF-8 (lone surrogates) as ``\\udcff``: nothing is lost and everything can be written."""
    return text.encode("utf-8", "backslashreplace").decode()


def _table(found: Iterator[Entry]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("when", "reference", "picture", "kind"):
        table.add_column(column, no_wrap=column != "kind")
    for column in ("from", "to", "consent", "rule", "how it went"):
        table.add_column(column, overflow="fold")
    for entry in itertools.islice(found, SHOWN):
        table.add_row(*(_cell(text) for text in _row(entry)))
    if not table.rows:
        typer.echo("Nothing that fits is in the ledger.")
        return
    Console(highlight=False).print(table)
    if next(found, None) is not None:
        typer.echo(f"Only the first {SHOWN} are shown; --csv gives them all.", err=True)


def _cell(text: str) -> Text:
    """Words of a stranger (an address) are no markup of ours and move no cursor."""
    return Text("".join(char if char.isprintable() else "?" for char in text))


def _row(entry: Entry) -> tuple[str, ...]:
    when = datetime.fromtimestamp(entry.at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    said = " ".join(filter(None, (CONSENTS.get(entry.consent, entry.consent), entry.form, entry.purpose))) or "none stated"
    how = HOW.get(entry.method, entry.method)
    released = f"; released by {entry.released_by} ({entry.released_role})" if entry.released_by else ""
    return (
        when, entry.ref, entry.image[:8], KINDS.get(entry.kind, entry.kind), entry.sender_address or f"#{entry.sender[:8]}",
        entry.recipient_address or f"#{entry.recipient[:8]}@{entry.domain}", said, entry.rule, how + released,
    )  # fmt: skip


def _summary(desk: ops.Desk, asked: dict[str, Any], form: Form) -> None:
    if any(asked[name] is not None for name in ("patient", "image", "recipient", "sender", "ref")):
        fail("--summary counts everything; only --since and --until go with it")
    found = summary.shares(desk.records, asked["since"] or 0.0, asked["until"] or math.inf)
    if form is Form.JSON:
        typer.echo(json.dumps([asdict(one) | {"share": round(one.share, 4)} for one in found], default=str))
        return
    if form is not Form.TABLE:
        fail("--summary is printed as a table or with --json")
    whole = summary.total(found)
    if whole is None:
        typer.echo("Nothing is in the ledger for this time.")
        return
    table = Table(
        "week from", "sender group", "emails", "without a patient's reference", "share", "pictures x recipients", box=None
    )
    for one in found:
        table.add_row(
            one.week.isoformat(),
            one.group or "ungrouped",
            str(one.messages),
            str(one.unnamed),
            f"{one.share:.0%}",
            str(one.pictures),
        )
    Console(highlight=False).print(table)
    typer.echo(
        f"{whole.unnamed} of {whole.messages} emails ({whole.share:.0%}) name no patient: they are found by picture, sender,"
        " recipient and day only."
    )
