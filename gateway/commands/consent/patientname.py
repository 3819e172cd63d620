"""How people name a patient, a picture or an email on the command line, and what that is in the consent register.

A number is read by the same recogniser as in mail, hashed at once and kept nowhere; no message of ours repeats it.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from filters.identify.numbers import find, loose
from filters.registry import OPENERS
from filters.sniff import sniff
from gateway.commands.disclosed.match import MEMORY, forms_of
from gateway.commands.options import fail
from gateway.evidence.likeness import Likenesses
from gateway.sandbox import Sandbox
from quarantine.consents import naming
from quarantine.consents.model import BY_COMMAND, BY_IMAGE, BY_MAIL
from quarantine.consents.naming import Mail, Named, NobodyFound
from quarantine.keyedhash import KeyedHash
from quarantine.ledger import matching, query
from quarantine.records import Records

_REFERENCE = re.compile(r"[0-9a-f]{32}")
_SURE = (matching.How.FILE, matching.How.PICTURE, matching.How.VERY_LIKELY)  # as the gateway judges what a no stops
_DRAWINGS = frozenset({"svg", "emf", "wmf"})  # pictures, although others may stand in them
_SECONDS = 30.0  # for looking at one picture
_SEEN = "The number now stands in your shell's history, and other users could see it; next time write - instead: it is asked for."
_ASK = "Patient's number (NHS, CHI, IHI, Medicare) or reference"

Who = Annotated[
    list[str] | None,
    typer.Argument(
        help="The patient's numbers (NHS, CHI, IHI, Medicare), or references as `consent show` prints them. Better left out: "
        "then it is asked for, or read from standard input, and does not stand in the shell's history.",
        show_default=False,
    ),
]
Patient = Annotated[
    list[str] | None,
    typer.Option("--patient", metavar="NUMBER|-", help="The same, as `case` and `disclosures` take it; `-` asks for the number."),
]
Images = Annotated[list[Path] | None, typer.Option("--image", help="A picture instead: the file as it was sent or received.")]
Refs = Annotated[list[str] | None, typer.Option("--ref", help="An email instead, by the reference in its notice (H7Q2-93KD).")]
From = Annotated[str, typer.Option("--from", help="An email instead, by its sender's address; with --on.")]
To = Annotated[str, typer.Option("--to", help="An email instead, by a recipient's address; with --on.")]
On = Annotated[str, typer.Option("--on", help="About which day it was sent, like 2026-03-03.")]
Days = Annotated[int, typer.Option("--days", min=0, max=60, help="How many days before and after --on are looked through.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What stood on the command line."""

    who: Sequence[str] = field(repr=False)
    images: Sequence[Path] = field(repr=False)
    refs: Sequence[str]
    sender: str = field(default="", repr=False)
    recipient: str = field(default="", repr=False)
    on: str = ""
    days: int = 3

    @classmethod
    def of(
        cls, who: list[str] | None, patient: list[str] | None, image: list[Path] | None, ref: list[str] | None,
        from_: str, to: str, on: str, days: int,
    ) -> Asked:  # fmt: skip
        """From the options of a command."""
        return cls([*(who or ()), *(patient or ())], image or (), ref or (), from_, to, on, days)

    def named(self, records: Records, hashes: KeyedHash) -> Named:
        """What is meant.  Ends the program with what is wrong where it cannot be told; raises ``NobodyFound``."""
        if self.images:
            return naming.by_images(
                records, [one for path in self.images for one in _pictures(path, records, hashes)], BY_IMAGE, hashes
            )
        if self.refs or self.sender or self.recipient or self.on:
            return naming.by_mails(records, self._mails(records), BY_MAIL, hashes)
        return naming.by_patients(records, named_patients(self.who, hashes), BY_COMMAND, hashes)

    def check(self) -> None:
        """One way to name it, not several.  Ends the program."""
        ways = [bool(self.who), bool(self.images), bool(self.refs), bool(self.sender or self.recipient or self.on)]
        if sum(ways) > 1:
            fail("name the patient, or --image, or --ref, or --from/--to with --on: one of them")
        if ways[3] and not (self.on and (self.sender or self.recipient)):
            fail("to find an email by its people write --on and the day, and --from or --to or both")

    def _mails(self, records: Records) -> list[Mail]:
        found = [mail for ref in self.refs for mail in naming.mails_with_ref(records, ref)]
        if self.refs and not found:
            raise NobodyFound("no email has this reference; the notice about it says it, like H7Q2-93KD")
        if self.refs:
            return found
        since = datetime.combine(day(self.on), datetime.min.time(), UTC) - timedelta(days=self.days)
        until = since + timedelta(days=2 * self.days + 1)
        found = naming.mails_between(records, self.sender, self.recipient, since.timestamp(), until.timestamp())
        if not found:
            raise NobodyFound("no email with pictures between these people in these days; try --days 10, or one side only")
        if len({mail.ref for mail in found}) > 1:
            fail("several emails fit; choose one and name it with --ref:", *map(_line, found), code=1)
        return found


def named_patients(given: Sequence[str], hashes: KeyedHash) -> list[str]:
    """Keyed hashes of the patients on the command line; for none, or ``-``, they are asked for.  Ends the program."""
    on_line = [text for text in given if text != "-"]
    asks = not given or len(on_line) < len(given)
    found = references([*on_line, *(_typed() if asks else ())], hashes)
    if any(_REFERENCE.fullmatch(text.strip().lower()) is None for text in on_line):
        typer.echo(_SEEN, err=True)
    return found


def references(texts: Sequence[str], hashes: KeyedHash) -> list[str]:
    """Keyed hashes of every number, or the references themselves.  Ends the program where a text is neither."""
    found: list[str] = []
    for text in texts:
        bare = text.strip()
        if _REFERENCE.fullmatch(bare.lower()):
            found.append(bare.lower())
            continue
        numbers = dict.fromkeys(one.value for one in find(bare)) or dict.fromkeys(loose(bare))
        if not numbers:
            fail(
                "this is no NHS, CHI, IHI or Medicare number that passes its check, and no reference (32 letters and digits):"
                " look for a wrong or missing digit",
                code=1,
            )
        found += [hashes.patient(number) for number in numbers]
    return list(dict.fromkeys(found))


def day(text: str) -> date:
    """A day as people write it here.  Ends the program."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"{text} is not a day; write it like 2026-03-03")


def _typed() -> list[str]:
    """Asked for on a terminal, read line by line otherwise."""
    if sys.stdin.isatty():
        return [typer.prompt(_ASK, hide_input=True, err=True)]
    lines = [line for line in sys.stdin.read(65_536).splitlines() if line.strip()]
    if not lines:
        fail("nobody is named: no patient's number was given; write it to standard input, or name a picture or an email")
    return lines


def _pictures(path: Path, records: Records, hashes: KeyedHash) -> list[str]:
    """The picture of a file and every one of the ledger that very likely is the same, also as it was cut or saved anew.

    What may be it is only said: a person looks first.
    """
    sha256 = _sha256(path)
    _is_picture(path, sha256, records)
    try:
        forms, _ = forms_of(path)
    except OSError:  # the sandbox does not start: by its bytes, then
        forms = []
    found = matching.similar(records, hashes, sha256, forms).matches
    like = [one for one in found if one.how not in _SURE]
    if like:
        typer.echo(
            f"{path.name}: {len(like)} other pictures may be it or a part of it; they are not meant here."
            " See clinigate match, and name them with --ref if they are.",
            err=True,
        )
    return [one.image for one in found if one.how in _SURE]


def _is_picture(path: Path, sha256: str, records: Records) -> None:
    """Whoever names a letter by mistake must not be told that its picture is stopped.  Ends the program."""
    found = sniff(path.read_bytes())
    document = found.format in OPENERS and found.format not in _DRAWINGS
    if (found.harmless or document) and not query.find(records, image=sha256):
        what = f"a file of the type {found.format}" if found.format else "no picture"
        fail(f"{path}: this is {what}; name the picture itself, or the email by --ref", code=1)


def looks(path: Path) -> tuple[str, bytes]:
    """(SHA-256, what the picture of a file looks like) or b"" where that cannot be read."""
    sandbox = Sandbox(MEMORY, _SECONDS)
    try:
        return _sha256(path), Likenesses(sandbox, 1, _SECONDS)(path.read_bytes())
    finally:
        sandbox.close()


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        fail(f"{path}: cannot be read ({error.strerror or type(error).__name__})", code=1)


def _line(mail: Mail) -> str:
    at = datetime.fromtimestamp(mail.at, UTC).astimezone()
    return f"  {mail.ref}  {at:%d %b %Y %H:%M}  {mail.sender} to {', '.join(mail.recipients)}"
