"""One email as a file of its own, for complaints: who sent what to whom, what was decided, said and looked at.

Gathered from the records and the audit trail; what retention has erased is named in ``missing``, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from quarantine import reading
from quarantine.consents import model as consents
from quarantine.consents import recalls
from quarantine.emergencies.cases import Cases
from quarantine.keyedhash import KeyedHash
from quarantine.ledger import looks
from quarantine.ledger.query import Entry, family, find
from quarantine.model import State
from quarantine.ops import Desk
from quarantine.records import OutcomeRow, Records
from quarantine.schema import disclosures as sql
from quarantine.schema import outbox as outbox_sql
from quarantine.schema import outcomes as outcomes_sql

# What is no longer there, and why it is not (``gateway.casepage`` says it in words).
NAMES_GONE, CONTENT_GONE, OLDER, NOT_READ = "names-erased", "content-erased", "older-version", "audit-not-readable"
_KNOWN: Final = ("cls", "mode", "rule", "source", "policy", "method", "protection", "consent", "statement", "purpose", "form")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the email.  ``sent``: its SHA-256 as it left, where it left."""

    image: str
    kind: str
    format: str
    codes: tuple[str, ...]  # what was found in it
    sent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """One recipient and what became of the email for them.  ``at``: when the email, or its release, came to the gateway."""

    hash: str
    address: str = field(repr=False)
    domain: str = ""
    state: str = ""  # delivered | held | deferred | refused | failed | expired | deleted | answered
    at: float = 0.0
    rule: str = ""
    reasons: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    policy: str = ""
    cls: str = ""
    mode: str = ""
    method: str = ""
    protection: str = ""
    consent: str = ""
    statement: Mapping[str, Any] = field(default_factory=dict, repr=False)
    stripped: bool = False
    hold: str = ""  # reference of the hold it waited in
    released_by: str = ""
    released_role: str = ""
    stopped: str = ""  # rule that had stopped what was released; ``rule`` is then the one by which it went
    stopped_source: tuple[str, ...] = ()
    stopped_policy: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One decision or move of what was held."""

    at: float
    ref: str
    event: str
    to: str
    who: str
    role: str
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """One notice: of which kind, to which role, when it was due and when it went."""

    kind: str
    role: str
    due: float
    done: float | None
    state: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A request to a recipient to delete the pictures."""

    ref: str
    hash: str
    domain: str
    state: str
    drafted: float
    sent: float | None
    confirmed: float | None


@dataclass(frozen=True, slots=True)
class Emergency:
    """The review of an emergency."""

    ref: str
    at: float
    verdict: str
    reviewer: str
    reviewed: float | None
    informed: str


@dataclass(frozen=True, slots=True)
class Mail:
    """Everything that is still known of one email."""

    message: str
    refs: tuple[str, ...]
    at: float
    sender: str = field(repr=False)
    sender_hash: str
    sender_group: str
    policies: tuple[str, ...]
    patients: tuple[str, ...]
    pictures: tuple[Picture, ...]
    people: tuple[Person, ...]
    steps: tuple[Step, ...]
    told: tuple[Told, ...]
    looks: tuple[looks.Look, ...]
    letters: tuple[Letter, ...]
    emergencies: tuple[Emergency, ...]
    on_file: tuple[consents.Entry, ...]  # what patients have said, one entry for each time, oldest first
    missing: tuple[str, ...]


def messages(records: Records, *, ref: str | None = None, patient: str | None = None, images: Iterable[str] = ()) -> list[str]:
    """Keys of the messages that are meant, oldest first; also of those of which nothing has gone yet."""
    found: list[str] = []
    if ref is not None:
        found += [str(row["message"]) for row in records.all(outcomes_sql.BY_REF, {"ref": ref})]
        found += [row.message for row in records.find(ref) if row.message]
        found += [entry.message for entry in find(records, ref=ref)]
        found += [m for case in Cases(records).find(ref) for m in _of_merge(records, case.merge, case.hold)]
    if patient is not None:
        found += [entry.message for entry in find(records, patient=patient)]
        found += [seen.message for seen in records.statements_of(f"patient:{patient}")]
    for image in images:
        found += [entry.message for entry in find(records, image=image)]
        for form in sorted(family(records, image)):
            found += [str(row["message"]) for row in records.all(sql.WAITING_WITH, {"image": form})]
    return list(dict.fromkeys(one for one in found if one))


def gather(desk: Desk, hashes: KeyedHash, keys: Iterable[str]) -> list[Mail]:
    """The files of these messages, oldest first.  Raises sqlite3.Error; an audit trail that cannot be read is named missing."""
    found: list[Mail] = []
    for key in keys:
        if any(key == one.message for one in found):
            continue
        mail = _mail(desk, hashes, key)
        if mail is not None:
            found.append(mail)
    return sorted(found, key=lambda mail: (mail.at, mail.message))


def stopped(records: Records, patient: str, mails: Iterable[Mail]) -> list[float]:
    """When emails with a statement about this patient came that were refused to everybody at once: of them no file is kept."""
    kept = {mail.message for mail in mails}
    found = {one.message: one.at for one in records.statements_of(consents.patient(patient)) if set(one.fates) == {"refused"}}
    return sorted(at for message, at in found.items() if message not in kept)


def _mail(desk: Desk, hashes: KeyedHash, key: str) -> Mail | None:
    records = desk.records
    outcomes = records.outcomes(key)
    entries = find(records, message=key)
    holds = records.holds_of(key)
    if not (outcomes or entries or holds):
        return None
    refs = {row.ref for row in holds} | {str(one.meta.get("ref", "")) for one in outcomes} | {entry.ref for entry in entries}
    pictures = _pictures(outcomes, entries)
    patients = {p for e in entries for p in e.patients} | {str(p) for o in outcomes for p in o.meta.get("patients", ())}
    prints = [one for picture in pictures for one in (picture.image, *picture.sent)]
    looked, readable = looks.of(desk.settings.audit, [*refs, *(row.id for row in holds), *prints, *patients])
    people = _people(records, hashes, outcomes, entries)
    missing = [
        (NAMES_GONE, not outcomes or any(person.state and not person.address for person in people)),
        (CONTENT_GONE, any(row.purged is not None for row in holds)),
        (OLDER, any(person.state == "delivered" and not person.mode for person in people)),
        (NOT_READ, not readable),
    ]
    first = outcomes[0].meta if outcomes else {}
    at = [o.created for o in outcomes] + [e.at for e in entries] + [row.created for row in holds]
    return Mail(
        message=key,
        refs=tuple(sorted(refs - {""})),
        at=min(at),
        sender=str(first.get("envelope", {}).get("sender") or next((row.sender for row in holds if row.sender), "")),
        sender_hash=entries[0].sender if entries else "",
        sender_group=str(first.get("sender_group") or next((e.sender_group for e in entries), "")),
        policies=tuple(dict.fromkeys(person.policy for person in people if person.policy)),
        patients=tuple(sorted(patients)),
        pictures=pictures,
        people=people,
        steps=_steps(records, key),
        told=_told(records, key, outcomes),
        looks=looked,
        letters=_letters(records, entries),
        emergencies=_emergencies(records, refs - {""}),
        on_file=_on_file(records, patients, prints),
        missing=tuple(code for code, true in missing if true),
    )


def _of_merge(records: Records, merge: str, hold: str) -> list[str]:
    row = records.hold(hold) if hold else None
    return [one.message for one in (records.outcomes_merged(merge) if merge else ())] + ([row.message] if row else [])


# -- what went -----------------------------------------------------------------------------------------------------------


def _pictures(outcomes: Iterable[OutcomeRow], entries: Iterable[Entry]) -> tuple[Picture, ...]:
    sent: dict[str, list[str]] = {}
    told: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        sent.setdefault(entry.image, []).append(entry.sent)
        told.setdefault(entry.image, {"kind": entry.kind, "format": entry.format, "codes": entry.codes})
    for outcome in outcomes:
        for one in reading.pictures(outcome.meta):
            told.setdefault(str(one["sha256"]), one)
    return tuple(
        Picture(
            image, str(one.get("kind", "")), str(one.get("format", "")), tuple(map(str, one.get("codes", ()))),
            tuple(sorted(set(sent.get(image, ())))),
        )
        for image, one in sorted(told.items())
    )  # fmt: skip


def _people(records: Records, hashes: KeyedHash, outcomes: Iterable[OutcomeRow], entries: Iterable[Entry]) -> tuple[Person, ...]:
    """Everybody the email was for.  What has gone is as the ledger says; what has not, as outcome and hold say."""
    gone = {entry.recipient: entry for entry in entries}
    found: dict[str, Person] = {}
    for outcome in outcomes:
        for line in outcome.meta.get("recipients", ()):
            person = _person(records, hashes, outcome, line)
            found[person.hash] = _released(person, gone[person.hash]) if person.hash in gone else person
    for hash_, entry in gone.items():
        found.setdefault(hash_, _released(Person(hash_, ""), entry))
    return tuple(found.values())


def _person(records: Records, hashes: KeyedHash, outcome: OutcomeRow, line: Mapping[str, Any]) -> Person:
    address, state, hold = str(line["address"]), str(line.get("state") or ""), str(line.get("hold") or "")
    row = records.hold(hold) if hold else None
    if hold:
        state = next((one.state for one in records.recipients(hold) if one.address == address), state)
    if row is not None and row.state is State.DEFERRED and state == "held":
        state = "deferred"  # nobody decides about it: it is tried again by itself
    return Person(
        hash=hashes.address(address), address=address, domain=address.rpartition("@")[2].lower(), state=state, at=outcome.created,
        rule=str(line.get("rule") or ""), reasons=tuple(map(str, line.get("reasons") or ())),
        source=tuple(map(str, line.get("source") or ())), policy=str(outcome.meta.get("policy") or ""),
        cls=str(line.get("class") or ""), mode=str(line.get("mode") or ""), method=str(line.get("method") or ""),
        protection=str(line.get("protection") or ""), consent=str(line.get("consent") or ""),
        statement=line.get("statement") or {}, stripped=bool(line.get("stripped")), hold=row.ref if row else "",
    )  # fmt: skip


def _released(person: Person, entry: Entry) -> Person:
    """The person as the ledger's line says: of a release, its own statement and rule."""
    told = {name: getattr(entry, name) for name in _KNOWN if name not in ("purpose", "form")}
    if entry.released_by:
        told |= {"stopped": person.rule, "stopped_source": person.source, "stopped_policy": person.policy}
    return Person(
        hash=person.hash, address=person.address or entry.recipient_address, domain=entry.domain or person.domain,
        state="delivered", at=entry.at, reasons=person.reasons, hold=entry.ref if entry.hold else person.hold,
        stripped=bool(entry.scrubbed), released_by=entry.released_by, released_role=entry.released_role, **told,
    )  # fmt: skip


# -- what was done and said ----------------------------------------------------------------------------------------------


def _steps(records: Records, key: str) -> tuple[Step, ...]:
    rows = [(row, line) for row in records.holds_of(key) for line in records.transitions(row.id)]
    return tuple(
        Step(line.at, row.ref, str(line.event), str(line.target), line.actor, line.role, line.reason)
        for row, line in sorted(rows, key=lambda one: (one[1].at, one[1].version))
    )


def _told(records: Records, key: str, outcomes: list[OutcomeRow]) -> tuple[Told, ...]:
    merges = {outcome.merge for outcome in outcomes} or {""}
    rows = {row["id"]: row for merge in merges for row in records.all(outbox_sql.OUTBOX_OF, {"message": key, "merge": merge})}
    ordered = sorted(rows.values(), key=lambda row: int(row["id"]))
    return tuple(Told(row["kind"], row["role"], row["due"], row["done"], row["state"]) for row in ordered)


def _letters(records: Records, entries: Iterable[Entry]) -> tuple[Letter, ...]:
    """Letters that ask somebody to delete what this email brought them."""
    ours = {entry.outcome for entry in entries}
    found = [one for one in recalls.every(records) if any(mail.outcome in ours for mail in one.mails)] if ours else []
    return tuple(Letter(one.ref, one.recipient, one.domain, one.state, one.drafted, one.sent, one.answered) for one in found)


def _on_file(records: Records, patients: Iterable[str], prints: Iterable[str]) -> tuple[consents.Entry, ...]:
    """Words about the patients named and the pictures in any form; of those noted at once, the one about the patient."""
    forms = {form for one in prints for form in family(records, one)}
    subjects = [*map(consents.image, sorted(forms)), *map(consents.patient, sorted(patients))]
    found = {(one.event, one.status): one for subject in subjects for one in records.consent_history(subject)}
    return tuple(sorted(found.values(), key=lambda one: (one.noted, one.since, one.id)))


def _emergencies(records: Records, refs: Iterable[str]) -> tuple[Emergency, ...]:
    found = {case.id: case for ref in sorted(refs) for case in Cases(records).find(ref)}
    return tuple(
        Emergency(case.ref, case.at, case.verdict, case.reviewer, case.reviewed, case.informed) for case in found.values()
    )
