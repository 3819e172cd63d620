"""``clinigate explain``: what would become of a message, and why, without sending it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from gateway.carriers import from_addresses
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, settings
from gateway.config import ConfigError
from gateway.context import build
from gateway.inbound.addresses import parse_path
from gateway.inbound.replies import Refused
from gateway.message import parse
from gateway.model import Envelope, Received, Recipient
from gateway.pipeline import judge
from policies.explain import explain as in_words
from policies.load import PolicyError
from policies.record import to_record
from quarantine.keys import KeyFileError


def explain(
    message: Annotated[Path, typer.Argument(help="A message as a file (.eml).", exists=True, dir_okay=False)],
    rcpt: Annotated[list[str], typer.Option("--rcpt", help="A recipient.")],
    config: ConfigOption = DEFAULT_CONFIG,
    sender: Annotated[str | None, typer.Option("--from", help="Envelope sender; default: the From of the message.")] = None,
    listener: Annotated[str | None, typer.Option(help="Listener it would come in by; default: the first.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say for each recipient which rule decides, why, what would help, and what is seen in the message.  Nothing is sent."""
    told = settings(config)
    names = [one.name for one in told.listeners]
    if listener is not None and listener not in names:
        fail(f"--listener {listener}: the configuration has {', '.join(names)}")
    if unknown := [one for one in rcpt if not _is_address(one)]:
        fail(f"--rcpt {unknown[0]}: write an address like name@clinic.example")
    try:
        context = build(told.context_spec())
        raw = _crlf(message.read_bytes())
    except (PolicyError, ConfigError) as error:
        fail(*error.problems)
    except (OSError, KeyFileError, ValueError) as error:
        fail(str(error), code=1)
    envelope = Envelope(sender if sender is not None else _author(raw), tuple(map(Recipient, rcpt)), listener or names[0])
    judged = judge(context, Received(envelope, raw, time.time(), "explain"))
    if as_json:
        rows = [
            {"recipient": r, "action": d.action.name, "rule": d.rule, "reasons": d.reasons, "facts": to_record(f)}
            for r, f, d in zip(rcpt, judged.facts, judged.decisions, strict=True)
        ]
        typer.echo(json.dumps(rows, indent=2, default=str))
        return
    for picture in judged.opened.pictures:
        node = picture.node
        seen = node.opaque.value if node.opaque else node.decorative or picture.kind.value
        codes = ", ".join(sorted(node.codes)) or "nothing found"
        typer.echo(f"part {picture.path}: {node.sniffed.format or 'unknown'}, {seen}: {codes}")
    for address, facts, decision in zip(rcpt, judged.facts, judged.decisions, strict=True):
        typer.echo(f"\n{address} (mode {facts.mode.value})")
        typer.echo(in_words(context.policy, facts, decision))


def _crlf(raw: bytes) -> bytes:
    """A file as it would stand on the wire."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _is_address(text: str) -> bool:
    try:
        return "@" in text and parse_path(f"<{text}>") == (text, "")
    except Refused:
        return False


def _author(raw: bytes) -> str:
    return next(iter(from_addresses(parse(raw))), "")
