"""Lines as people write them on a telephone, with what they mean: read from text, judged through the whole chain of readers."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gateway.carriers import statements
from gateway.message import parse
from policies.consent import combine
from policies.model import ConsentStatus, Statement

FOLDER = Path(__file__).parent.parent / "policies" / "lines"
TODAY = date(2025, 11, 22)
FORMS = ("written", "electronic", "verbal", "telephone", "implied")
FLAGS = ("child", "intimate", "deceased")
SILENT = ("none", "pending")
PERMITS = ("given", "limited", "emergency", "not-patient", "teaching", "document", "no-patient-picture")


@dataclass(frozen=True)
class Phrase:
    """One line: where it stands, what it means (one or more readings are right) and its words."""

    where: str
    meanings: tuple[str, ...]
    words: str

    @property
    def held_out(self) -> bool:
        """Half of the lines, by the hash of their words, are never looked at while building."""
        return hashlib.sha256(f"{self.where}|{self.words}".encode()).digest()[0] % 2 == 1

    @property
    def permits(self) -> bool:
        return any(meaning.split()[0] in PERMITS for meaning in self.meanings)

    @property
    def silent(self) -> bool:
        return any(meaning.split()[0] in SILENT for meaning in self.meanings)


def phrases(name: str = "phone.txt") -> list[Phrase]:
    """Every line of a file."""
    found = []
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            where, meanings, words = line.split(" | ", 2)
            found.append(Phrase(where.strip(), tuple(meanings.split(" or ")), words))
    return found


def mail(phrase: Phrase) -> bytes:
    """A mail with the line in its place, as a telephone sends it."""
    subject, body = (phrase.words, "Please see the picture.\r\n\r\nSent from my iPhone")
    if phrase.where == "M":  # a whole mail: its subject and its first line
        subject, _, line = phrase.words.partition(" // ")
        body = line + "\r\n\r\nKind regards\r\nSam"
    if phrase.where == "B":
        subject, body = "Photo", phrase.words.replace(" / ", "\r\n") + "\r\n\r\nKind regards\r\nSam"
    head = f"From: a@example.org\r\nTo: b@example.org\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
    return (head + f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n").encode()


def read(phrase: Phrase) -> str:
    """What the readers make of it, written like a meaning."""
    carried = statements(parse(mail(phrase)))
    consent = combine(carried.readings, today=TODAY, vouched=True, thread=carried.thread, images_covered=None)
    return describe(consent.statement)


def describe(said: Statement | None) -> str:
    """A statement as a meaning; an unset giver is the patient."""
    if said is None or (said.given_by in ("family", "executor") and not said.deceased and said.status is ConsentStatus.GIVEN):
        return "none"  # the family cannot agree for a living patient: policies.features counts it for nothing
    status = said.status.value
    if status == "bypassed":
        status = "emergency"
    elif status == "not-required":
        status = said.basis or status
    words = [status, *([said.form] if said.form else [])]
    words += [f"by={said.given_by or 'patient'}"] if status in ("given", "limited") else []
    words += [f"purpose={said.purpose}"] if said.purpose else []
    words += [flag for flag in FLAGS if getattr(said, flag)]
    words += [f"capacity={said.capacity}"] if said.capacity else []
    words += [f"date={said.dated}"] if said.dated else []
    words += [f"expires={said.expires}"] if said.expires else []
    return " ".join(words)


def fits(meaning: str, found: str) -> bool:
    """Status, form, giver and flags must be those meant; a purpose or date only where the meaning names it."""
    want, have = meaning.split(), found.split()
    if want[0] in SILENT or have[0] in SILENT:
        return want[0] in SILENT and have[0] in SILENT
    if want[0] != have[0]:
        return False
    if want[0] not in ("given", "limited"):
        return True
    if not any(word.startswith("by=") for word in want):
        want.append("by=patient")
    named = {word.partition("=")[0] for word in want if "=" in word}
    free = {"purpose", "date", "expires", "capacity"} - named
    return {word for word in have if word.partition("=")[0] not in free} == set(want)


def outcome(phrase: Phrase) -> str:
    """understood | asked | stricter | looser | forged: see ``OUTCOMES``."""
    found = read(phrase)
    if any(fits(meaning, found) for meaning in phrase.meanings):
        return "understood"
    status = found.split()[0]
    if status in PERMITS and not phrase.permits:
        return "forged"
    if status in SILENT:
        return "asked"
    return "looser" if status in PERMITS else "stricter"


OUTCOMES = {
    "understood": "read as it was meant",
    "asked": "not read: the sender is asked",
    "stricter": "read as a refusal that was not meant",
    "looser": "a permission read with another form, giver or flag than was meant",
    "forged": "a permission read where none was given",
}


def tally(chosen: Iterable[Phrase]) -> Counter[str]:
    """How many lines had each outcome."""
    return Counter(outcome(phrase) for phrase in chosen)


def halves(name: str = "phone.txt") -> tuple[list[Phrase], list[Phrase]]:
    """(to build with, held out)."""
    every = phrases(name)
    return [p for p in every if not p.held_out], [p for p in every if p.held_out]


def wrong(chosen: Iterable[Phrase]) -> Iterator[str]:
    """The lines that were not understood, for a person to read."""
    for phrase in chosen:
        result = outcome(phrase)
        if result != "understood":
            yield f"{result:10} {phrase.where} {phrase.words!r}: meant {' or '.join(phrase.meanings)}, read {read(phrase)}"
