"""``clinigate consent``: what patients have said, and what follows from it.  For the information-governance team."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.commands.consent import words
from gateway.commands.consent.patientname import Asked, Days, From, Images, On, Patient, Refs, To, Who, day, looks
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, settings, user
from policies.files.yamlmap import YamlError, parse
from policies.load import POLICY
from policies.model import Mode
from policies.onfile import SCOPES
from policies.vocabulary import PURPOSE_ROWS, PURPOSES
from quarantine import keys as keyfiles
from quarantine import ops
from quarantine.consents import alike, letters, naming
from quarantine.consents import desk as register
from quarantine.consents.desk import Noted, Word
from quarantine.consents.model import ENDING, LIMITED, REFUSED, RESTORED, WITHDRAWN
from quarantine.consents.naming import Named, NobodyFound
from quarantine.keyedhash import KeyedHash
from quarantine.notices.wording import TemplateError
from quarantine.snapshot import Snapshot
from quarantine.state import Conflict, NotAllowed

app = typer.Typer(no_args_is_help=True, help="What patients have said about their pictures, and letters to those who have them.")
TROUBLE = (NobodyFound, ops.NotFound, NotAllowed, Conflict, TemplateError, keyfiles.KeyFileError, OSError, sqlite3.Error)
WAIT_SECONDS = 10.0  # how long it is watched whether the gateway knows; it will all the same

Reason = Annotated[str, typer.Option(help="A reason code for the record: letters, digits, dots and hyphens. No names.")]
Since = Annotated[str, typer.Option("--since", help="The day on which the patient said so, if not today: 2026-11-12.")]
Letter = Annotated[str, typer.Argument(help="The letter, as `consent recalls` shows it.")]


@app.command("withdraw")
def withdraw(
    who: Who = None,
    patient: Patient = None,
    image: Images = None,
    ref: Refs = None,
    from_: From = "",
    to: To = "",
    on: On = "",
    days: Days = 3,
    reason: Reason = "patient.withdrew",
    since: Since = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A patient takes agreement back. Within seconds mail with their pictures is stopped, whatever it says of consent.

    Held mail under the patient is refused, and a letter to every outside recipient is drafted for your approval.
    """
    asked = Asked.of(who, patient, image, ref, from_, to, on, days)
    _note(config, asked, Word(WITHDRAWN, reason, _since(since)), as_json)


@app.command("refuse")
def refuse(
    who: Who = None,
    patient: Patient = None,
    image: Images = None,
    ref: Refs = None,
    from_: From = "",
    to: To = "",
    on: On = "",
    days: Days = 3,
    reason: Reason = "patient.refused",
    since: Since = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A patient says no from the start. Works as `withdraw`; the record tells the two apart."""
    asked = Asked.of(who, patient, image, ref, from_, to, on, days)
    _note(config, asked, Word(REFUSED, reason, _since(since)), as_json)


@app.command("limit")
def limit(
    who: Who = None,
    patient: Patient = None,
    scope: Annotated[
        list[str] | None, typer.Option(help=f"A use that is left: {', '.join(SCOPES)}. record = the patient's own care.")
    ] = None,
    purpose: Annotated[list[str] | None, typer.Option(help="The same by a purpose of the policy, like care or TREAT.")] = None,
    image: Images = None,
    ref: Refs = None,
    from_: From = "",
    to: To = "",
    on: On = "",
    days: Days = 3,
    reason: Reason = "patient.limited",
    since: Since = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A patient agrees to some uses only, for example `--scope record`: their own care and nothing else.

    Mail for another use is held for you; mail for a use that is left needs its own statement as ever.
    """
    if unknown := sorted(set(scope or ()) - SCOPES.keys()):
        fail(f"--scope {unknown[0]} is not known; there are: {', '.join(SCOPES)}")
    if unknown := sorted({one for one in purpose or () if one not in PURPOSE_ROWS and one not in PURPOSES}):
        fail(f"--purpose {unknown[0]} is not known; there are: {', '.join(PURPOSE_ROWS)}, and codes like TREAT")
    if not scope and not purpose:
        fail("say which uses are left, for example --scope record (the patient's own care)")
    asked = Asked.of(who, patient, image, ref, from_, to, on, days)
    word = Word(LIMITED, reason, _since(since), tuple(sorted(set(scope or ()))), tuple(sorted(set(purpose or ()))))
    _note(config, asked, word, as_json)


@app.command("restore")
def restore(
    who: Who = None,
    patient: Patient = None,
    image: Images = None,
    ref: Refs = None,
    from_: From = "",
    to: To = "",
    on: On = "",
    days: Days = 3,
    reason: Reason = "patient.agreed-again",
    since: Since = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A patient has changed their mind again: nothing is on file any more. Each email must state consent as ever.

    What was noted before stays in the record.
    """
    asked = Asked.of(who, patient, image, ref, from_, to, on, days)
    _note(config, asked, Word(RESTORED, reason, _since(since)), as_json)


app.command("allow", hidden=True)(restore)


@app.command("show")
def show(
    who: Who = None,
    patient: Patient = None,
    image: Images = None,
    ref: Refs = None,
    from_: From = "",
    to: To = "",
    on: On = "",
    days: Days = 3,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """What is on file, since when and by whom; statements seen in mail, who has copies, letters. That you looked is recorded."""
    asked = Asked.of(who, patient, image, ref, from_, to, on, days)
    asked.check()

    def work(desk: ops.Desk) -> dict[str, Any]:
        return register.show(desk, _named(desk, asked), user())

    shown = _do(config, work)
    typer.echo(_json(shown) if as_json else "\n".join(words.shown(shown)))


@app.command("list")
def list_(
    since: Annotated[str, typer.Option("--since", help="From this day on, like 2026-11-01.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """What has been noted, oldest first: by you, and by what emails said."""
    first = datetime.combine(day(since), datetime.min.time()).astimezone().timestamp() if since else 0.0
    rows = _do(config, lambda desk: register.listing(desk, first, user()))
    typer.echo(_json(rows) if as_json else "\n".join(words.listed(rows)))


@app.command("recalls")
def recalls_(
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    everything: Annotated[bool, typer.Option("--all", help="Dropped and confirmed ones too.")] = False,
) -> None:
    """Letters to recipients: drafts that wait for you, sent ones that wait for an answer; overdue ones are marked."""
    rows = _do(config, lambda desk: letters.listing(desk, user(), everything=everything))
    typer.echo(_json(rows) if as_json else "\n".join(words.letters(rows)))


@app.command("approve")
def approve(
    letter: Annotated[list[str], typer.Argument(help="Letters, as `consent recalls` shows them.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Send letters. They go out at once, from your organisation's address, with answers to the IG mailbox."""
    _decide(config, letter, "approve", as_json)


@app.command("drop")
def drop(letter: Letter, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Do not send a letter, for example because you have telephoned."""
    _decide(config, [letter], "drop", as_json)


@app.command("confirmed")
def confirmed(letter: Letter, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """A recipient has confirmed that the pictures are deleted or no longer used."""
    _decide(config, [letter], "confirmed", as_json)


@app.command("letter")
def letter_(letter: Letter, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Print a letter as the recipient gets it, before you approve it."""
    typer.echo(_do(config, lambda desk: letters.preview(desk, letter, user())))


def _note(config: Path, asked: Asked, word: Word, as_json: bool) -> None:
    asked.check()
    site = settings(config)
    told = site.quarantine

    def work(desk: ops.Desk) -> tuple[Noted, Named]:
        named = _named(desk, asked)
        made = register.note(desk, named, word, user())
        if word.status != RESTORED:
            _keep_looks(desk, asked)
        return made, named

    def look_again(desk: ops.Desk) -> Noted:
        return register.late(desk, naming.again(desk.records, named, KeyedHash.load(desk.settings.hash_key)), noted, user())

    noted, named = _do(config, work)
    known = _in_force(told.snapshot, told.hash_key, noted, word)
    if known and word.status in ENDING:
        time.sleep(2 * told.poll)  # until the records know what left meanwhile
        noted = _do(config, look_again)
    if as_json:
        typer.echo(_json(words.noted_json(noted, word, known)))
        return
    typer.echo("\n".join(words.noted(noted, word, known)))
    if (watched := _watched(site.policy)) and word.status != RESTORED:
        typer.echo(
            f"Careful: mail is not stopped in observe and advise, which policy.yaml (modes) sets for {', '.join(watched)}."
        )


def _watched(folder: Path) -> list[str]:
    """For whom the policy only observes or advises; nothing where this user cannot read it."""
    try:
        read = parse((folder / POLICY).read_bytes(), POLICY)[0]
    except (OSError, YamlError):
        return []
    modes = read.get("modes") if isinstance(read, dict) else None
    if not isinstance(modes, dict):
        return []
    named = {"everybody else": modes.get("default"), **(modes.get("groups") or {}), **(modes.get("recipient_domains") or {})}
    return [str(who) for who, mode in named.items() if mode in (Mode.OBSERVE.value, Mode.ADVISE.value)]


def _keep_looks(desk: ops.Desk, asked: Asked) -> None:
    """What a picture given as a file looks like is noted, encrypted: so that it is known when it comes saved anew."""
    hashes = KeyedHash.load(desk.settings.hash_key)
    for path in asked.images:
        alike.keep(desk.records, hashes, *looks(path), desk.clock())


def _in_force(path: Path, hash_key: Path, noted: Noted, word: Word) -> bool:
    """Does what the gateway reads say so now?  Watched for some seconds."""
    snapshot = Snapshot(path, KeyedHash.load(hash_key))
    subjects = [entry.subject for entry in noted.entries]
    wanted = {word.status} - {RESTORED}
    end = time.monotonic() + WAIT_SECONDS
    try:
        while True:
            stands = snapshot.standing(subjects[:1])
            if stands is not None and {one.status for one in stands} == wanted:
                return True
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
    finally:
        snapshot.close()


def _named(desk: ops.Desk, asked: Asked) -> Named:
    register.reviewer(desk, user())  # nobody else learns here whether a patient is known
    return asked.named(desk.records, KeyedHash.load(desk.settings.hash_key))


def _decide(config: Path, refs: list[str], word: str, as_json: bool) -> None:
    rows = _do(config, lambda desk: [letters.decide(desk, ref, word, user()) for ref in refs])
    typer.echo(_json(rows) if as_json else "\n".join(words.decided(row) for row in rows))


def _do(config: Path, work: Callable[[ops.Desk], Any]) -> Any:
    """Run ``work`` on the desk; what cannot be done is said in one line, exit code 1."""
    told = settings(config).quarantine
    try:
        return work(ops.open_desk(told))
    except TROUBLE as error:
        fail(str(error), code=1)


def _since(text: str) -> float | None:
    """Noon of a day, by the clock on the wall: the same day here and in UTC, by which senders are told.  Today is now."""
    if not text:
        return None
    chosen, now = day(text), datetime.now(UTC).astimezone()
    return now.timestamp() if chosen == now.date() else datetime.combine(chosen, time_of_day(12)).astimezone().timestamp()


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, default=str)
