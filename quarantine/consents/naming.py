"""Whom or what an entry is about: a patient by keyed hash, a picture by its SHA-256, or an email by its reference or its people.

A patient brings every picture along that we know under the reference, so that it stays also when it is sent without the number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from quarantine import reading
from quarantine.consents.alike import resaved
from quarantine.consents.model import image, is_subject, patient
from quarantine.keyedhash import KeyedHash
from quarantine.ledger.query import family, find
from quarantine.records import Records
from quarantine.schema import consents as sql


class NobodyFound(Exception):
    """Nothing here fits what was named.  The text says how it was named, never the words."""


@dataclass(frozen=True, slots=True)
class Mail:
    """An email that fits: enough for a person to say "that one"."""

    outcome: str
    ref: str
    at: float
    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)
    states: tuple[str, ...]
    images: tuple[str, ...]
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What is meant: keyed hashes of patients, SHA-256 of pictures in every form we know."""

    patients: tuple[str, ...]
    images: tuple[str, ...]
    source: str

    pictures: int = 0  # how many different ones, whatever their forms

    @property
    def subjects(self) -> tuple[str, ...]:
        """As the register calls them."""
        return (*map(patient, self.patients), *map(image, self.images))


def by_patients(records: Records, patients: Iterable[str], source: str, hashes: KeyedHash | None = None) -> Named:
    """Patients by keyed hash, with every picture known under them; with ``hashes`` also as it was saved anew."""
    named = tuple(dict.fromkeys(patients))
    found: set[str] = set()
    for one in named:
        found |= {sha for entry in find(records, patient=one) for sha in (entry.image, entry.scrubbed) if sha}
        found |= {row["subject"].partition(":")[2] for row in records.all(sql.IMAGES_BESIDE, {"subject": patient(one)})}
    found |= {sha for mail in _waiting(records) if set(mail.patients) & set(named) for sha in mail.images}
    return _named(records, named, found, source, hashes)


def by_images(records: Records, images: Iterable[str], source: str, hashes: KeyedHash | None = None) -> Named:
    """Pictures by SHA-256, in every form we know."""
    return _named(records, (), images, source, hashes)


def again(records: Records, named: Named, hashes: KeyedHash | None = None) -> Named:
    """The same, with what has become known since."""
    found = by_patients(records, named.patients, named.source)
    return _named(records, named.patients, {*named.images, *found.images}, named.source, hashes)


def by_mails(records: Records, mails: Iterable[Mail], source: str, hashes: KeyedHash | None = None) -> Named:
    """Whatever these emails bore: their patients, and their pictures."""
    chosen = list(mails)
    of_patients = by_patients(records, [one for mail in chosen for one in mail.patients], source)
    of_images = by_images(records, [one for mail in chosen for one in mail.images], source)
    if not of_patients.patients and not of_images.images:
        raise NobodyFound("this email bore neither a patient's number nor a clinical picture that we know of")
    return _named(records, of_patients.patients, {*of_patients.images, *of_images.images}, source, hashes)


def _named(records: Records, patients: tuple[str, ...], images: Iterable[str], source: str, hashes: KeyedHash | None) -> Named:
    """With every form of every picture that we know."""
    wanted = {one for one in images if is_subject(image(one))}
    if hashes is not None:
        wanted |= resaved(records, hashes, sorted(wanted))
    families = {family(records, one) for one in wanted}
    forms = sorted({form for one in families for form in one if is_subject(image(form))})
    return Named(patients, tuple(forms), source, len(families))


def mails_with_ref(records: Records, ref: str) -> list[Mail]:
    """The email with this reference, of the email or of one of its holds."""
    wanted = ref.strip().upper()
    messages = {row.message for row in records.find(wanted) if row.message}
    rows = records.all(sql.OUTCOMES_BY_REF, {"ref": wanted})
    metas = {row["id"]: row for row in rows} | {
        one["id"]: one for message in messages for one in records.all(sql.OUTCOMES_OF_MESSAGE, {"message": message})
    }
    return [_mail(row["id"], row["ref"], row["created"], json.loads(row["meta"])) for row in metas.values()]


def mails_between(records: Records, sender: str, recipient: str, since: float, until: float) -> list[Mail]:
    """Emails from one address to another ("" = whoever) in a span of time, oldest first; only what bore pictures."""
    rows = records.all(sql.OUTCOMES_BETWEEN, {"since": since, "until": until})
    mails = (_mail(row["id"], row["ref"], row["created"], json.loads(row["meta"])) for row in rows)
    return [mail for mail in mails if mail.images and _same(sender, [mail.sender]) and _same(recipient, mail.recipients)]


def _same(wanted: str, addresses: Iterable[str]) -> bool:
    return not wanted or any(one.casefold() == wanted.strip().casefold() for one in addresses)


def _waiting(records: Records) -> Iterator[Mail]:
    """The mails of all open holds."""
    for message in {row.message for row in records.open_holds() if row.message}:
        for outcome in records.outcomes(message):
            yield _mail(outcome.id, str(outcome.meta.get("ref", "")), outcome.created, outcome.meta)


def _mail(outcome: str, ref: str, at: float, meta: Mapping[str, Any]) -> Mail:
    lines = [line for line in meta.get("recipients", ()) if isinstance(line, dict)]
    return Mail(
        outcome, ref, at, str(meta.get("envelope", {}).get("sender") or ""),
        tuple(str(line.get("address", "")) for line in lines), tuple(str(line.get("state", "")) for line in lines),
        tuple(dict.fromkeys(sha for pair in reading.images(meta) for sha in pair if is_subject(image(sha)))),
        tuple(str(one) for one in meta.get("patients") or () if is_subject(patient(str(one)))),
    )  # fmt: skip
