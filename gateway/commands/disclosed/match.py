"""``clinigate match``: to whom this picture went, also when it was saved anew, turned or cut since."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from filters.api import FilterError
from gateway.commands.disclosed.words import CONSENTS, HOW
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, fail, settings, user
from gateway.evidence.likeness import probe
from gateway.sandbox import Sandbox
from gateway.sandbox.parent import SandboxFailed
from quarantine import keys as keyfiles
from quarantine import ops
from quarantine.keyedhash import KeyedHash
from quarantine.ledger import matching
from quarantine.ledger.access import looking
from quarantine.ledger.fingerprint import Fingerprint
from quarantine.ledger.images import digest
from quarantine.ledger.query import Entry
from quarantine.state import NotAllowed
from quarantine.stores import StoreError

MEMORY: Final = 1_500_000_000
MOST_BYTES: Final = 200_000_000
TROUBLE: Final = (NotAllowed, StoreError, keyfiles.KeyFileError, OSError, sqlite3.Error)


def match(
    file: Annotated[
        Path, typer.Argument(help="The picture, as a file: the one that was sent, or a copy of it.", exists=True, dir_okay=False)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """To whom did this picture go? Found also when it was saved anew, made smaller, turned, brightened or cut since.

    For the information-governance team; that you looked, and for which file (its SHA-256), is recorded. Nothing of the picture
    is kept. What is "likely" has to be looked at by a person before anybody is told.
    """
    told = settings(config).quarantine
    try:
        hashes = KeyedHash.load(told.hash_key)
        desk = ops.open_desk(told)
        sha256 = digest(file)
        looking(desk, user(), "match", {"image": sha256})
        forms, why = forms_of(file)
        looked = matching.match(desk.records, hashes, sha256, forms)
    except TROUBLE as error:
        fail(_said(error), code=1)
    if as_json:
        typer.echo(json.dumps(_json(sha256, looked, why)))
        return
    _print(looked, why)


def forms_of(file: Path) -> tuple[list[Fingerprint], str]:
    """(what the picture in ``file`` is looked for by, or nothing and why).  Raises OSError, SandboxFailed."""
    if file.stat().st_size > MOST_BYTES:
        return [], "it is too large"
    sandbox = Sandbox(MEMORY, 30.0)
    try:
        return probe(sandbox, file.read_bytes()), ""
    except FilterError as error:
        return [], str(error)
    finally:
        sandbox.close()


def _print(looked: matching.Looked, why: str) -> None:
    for found in looked.matches:
        typer.echo(f"{found.words}:")
        for entry in found.entries:
            typer.echo("  " + _line(entry))
    if not looked.matches:
        typer.echo("This picture is not in the ledger.")
    if why:
        typer.echo(f"Looked for by its bytes only: what it shows could not be read ({why}).", err=True)
    if looked.unreadable:
        typer.echo(f"{looked.unreadable} of {looked.pictures} pictures were noted under another key and not looked at.", err=True)


def _line(entry: Entry) -> str:
    when = datetime.fromtimestamp(entry.at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    sender = entry.sender_address or f"#{entry.sender[:8]}@{entry.sender_domain}"
    recipient = entry.recipient_address or f"#{entry.recipient[:8]}@{entry.domain}"
    consent = CONSENTS.get(entry.consent, entry.consent) or "no consent stated"
    line = f"{when}  {entry.ref}  from {sender} to {recipient}; {consent}; {HOW.get(entry.method, entry.method)}"
    return "".join(char if char.isprintable() else "?" for char in line)


def _json(sha256: str, looked: matching.Looked, why: str) -> dict[str, Any]:
    return {
        "sha256": sha256,
        "pictures": looked.pictures,
        "unreadable": looked.unreadable,
        "bytes_only": why,
        "matches": [
            {
                "how": found.how.value,
                "words": found.words,
                "image": found.image,
                "corners": found.corners,
                "apart": round(found.apart, 4),
                "disclosures": [asdict(entry) for entry in found.entries],
            }
            for found in looked.matches
        ],
    }


def _said(error: Exception) -> str:
    if isinstance(error, SandboxFailed):
        return str(error.strerror)
    if isinstance(error, PermissionError):
        return f"{error.filename}: not readable for you; run this as the quarantine's user (sudo -u clinigate-quarantine)"
    return str(error)
