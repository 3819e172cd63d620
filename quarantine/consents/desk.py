"""What IG does with the consent register: note what a patient said, look at it, decide about the letters.

Everything that follows from one word of a patient (entries, held mail, drafts, audit) is one transaction: all or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from quarantine import roles
from quarantine.consents import drafting, overtaken, recalls, waiting
from quarantine.consents.model import CODE, ENDING, LIMITED, RESTORED, Entry, digest, image, patient
from quarantine.consents.naming import Named, NobodyFound
from quarantine.consents.recalls import Recall
from quarantine.consents.sealed import write_entries
from quarantine.ledger.query import family
from quarantine.ops import Desk
from quarantine.records import Records
from quarantine.state import NotAllowed
from quarantine.stores.api import StoreError

_OLDEST: Final = 0.0
_NEXT: Final = 0.001  # seconds


@dataclass(frozen=True, slots=True)
class Word:
    """What a patient said, as IG writes it down."""

    status: str  # refused | withdrawn | limited | restored
    reason: str = "patient.said"
    since: float | None = None  # POSIX; None: now
    scope: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Noted:
    """What came of it."""

    event: str
    entries: tuple[Entry, ...]
    refused: tuple[str, ...]  # references of held mail that was refused
    drafts: tuple[Recall, ...] = field(repr=False)
    told: list[dict[str, Any]] = field(repr=False)  # everybody who has copies
    forgotten: int = 0  # outside recipients whose address is not kept any more
    patient: int = 0  # addresses of the patient
    pictures: int = 0  # the entries' pictures, each once in however many forms
    dropped: tuple[Recall, ...] = field(default=(), repr=False)  # drafts that were overtaken by what the patient says now
    asked: tuple[Recall, ...] = field(default=(), repr=False)  # letters that had gone out before
    sealed: bool = True  # the entries are sealed objects already; else the service writes them


def note(desk: Desk, named: Named, word: Word, user: str) -> Noted:
    """Write down what a patient said.  Raises ``NotAllowed``, ``NobodyFound``, ``Conflict``; then nothing was noted."""
    role, now, records = reviewer(desk, user), desk.clock(), desk.records
    since = now if word.since is None else word.since
    _check(word, since, now)
    with records.transaction():
        subjects = _subjects(desk, named, word)
        event = digest("note", user, repr(now), *subjects)
        noted = _noted(desk, subjects, now)
        entries = tuple(
            Entry(event, one, word.status, since, noted, user, role, word.reason, named.source, word.scope, word.purposes)
            for one in subjects
        )
        records.consent_add(entries)
        held = waiting.waiting(records, named) if word.status in ENDING else []
        waiting.refuse(records, desk.audit, held, user, role, since, now)
        drafts = drafting.draft(records, named, event, user, now) if word.status in ENDING else []
        earlier = overtaken.about(records, entries) if word.status == RESTORED else []
        dropped = [one for one in earlier if one.state == recalls.DRAFT]
        for one in dropped:
            recalls.move(records, one, "drop", user, now)
        desk.audit.consent(
            "consent-noted", user, role=role, status=word.status, reason=word.reason, source=named.source, entry=event,
            patients=list(named.patients), images=sum(not entry.patient for entry in entries), since=round(since),
            refused=[row.ref for row in held], letters=len(drafts), dropped=[one.id for one in dropped],
        )  # fmt: skip
    sealed = _sealed(desk)
    people = drafting.holders(records, named)
    return Noted(
        event, entries, tuple(row.ref for row in held), tuple(drafts), drafting.told(people), len(people.forgotten),
        len(people.patient), sealed=sealed, pictures=_pictures(records, (one.subject for one in entries)), dropped=tuple(dropped),
        asked=tuple(one for one in earlier if one.state != recalls.DRAFT),
    )  # fmt: skip


def late(desk: Desk, named: Named, made: Noted, user: str) -> Noted:
    """What left while the word was on its way to the gateway: its pictures are noted, the drafts ask about its copies, too.

    ``named`` is ``naming.again`` of what was noted.  Raises as ``note`` does.
    """
    role, now, records = reviewer(desk, user), desk.clock(), desk.records
    with records.transaction():
        known = {entry.subject for entry in made.entries}
        new = tuple(replace(made.entries[0], subject=one, id="") for one in named.subjects if one not in known)
        records.consent_add(new)
        drafting.draft(records, named, made.event, user, now)
        drafts = tuple(one for one in recalls.of_event(records, made.event) if one.state == recalls.DRAFT)
        if new or drafts != made.drafts:
            desk.audit.consent("consent-noted-late", user, role=role, entry=made.event, images=len(new), letters=len(drafts))
    entries, people = (*made.entries, *new), drafting.holders(records, named)
    return replace(
        made, entries=entries, drafts=drafts, told=drafting.told(people), forgotten=len(people.forgotten),
        patient=len(people.patient), sealed=_sealed(desk), pictures=_pictures(records, (one.subject for one in entries)),
    )  # fmt: skip


def show(desk: Desk, named: Named, user: str) -> dict[str, Any]:
    """Everything on file: what stands, its history, statements seen, copies that went, letters.  Audited: who looked."""
    reviewer(desk, user)
    records = desk.records
    desk.audit.consent("consent-shown", user, patients=list(named.patients), images=len(named.images))
    stands = dict(records.consents_in_force())
    events = {entry.event for one in named.subjects for entry in records.consent_history(one)}
    people = drafting.holders(records, named)
    letters = [one for event in sorted(events) for one in recalls.of_event(records, event) if _about(records, one, named)]
    return {
        "patients": [_stands(records, patient(one), stands) for one in named.patients],
        "images": [_stands(records, image(one), stands) for one in named.images],
        "pictures": named.pictures,
        "statements": _statements(desk, named),
        "disclosures": drafting.told(people),
        "forgotten": len(people.forgotten),
        "patient_addresses": len(people.patient),
        "recalls": [row(one) for one in letters],
    }


def listing(desk: Desk, since: float, user: str) -> list[dict[str, Any]]:
    """What was noted since then, one line an event."""
    reviewer(desk, user)
    desk.audit.consent("consent-listed", user, since=round(since))
    events: dict[str, list[Entry]] = {}
    for entry in desk.records.consents_since(since):
        events.setdefault(entry.event, []).append(entry)
    return [
        {
            **_entry(had[0]), "event": event, "patients": [e.subject.partition(":")[2] for e in had if e.patient],
            "images": _pictures(desk.records, (e.subject for e in had)),
        }
        for event, had in events.items()
    ]  # fmt: skip


def reviewer(desk: Desk, user: str) -> str:
    """The role in which ``user`` may do this.  Raises ``NotAllowed``."""
    if roles.IG not in desk.settings.reviewers.roles_of(user):
        raise NotAllowed("the consent register is for the information-governance team (quarantine: reviewers: ig:)")
    return roles.IG


def row(letter: Recall) -> dict[str, Any]:
    """A letter as people see it."""
    return {
        "ref": letter.ref, "id": letter.id, "state": letter.state, "to": letter.address, "domain": letter.domain,
        "drafted": letter.drafted, "drafted_by": letter.drafted_by, "decided": letter.decided, "decided_by": letter.decided_by,
        "sent": letter.sent, "answered": letter.answered, "answered_by": letter.answered_by, "reminded": letter.reminded,
        "mails": [{"ref": m.ref, "at": m.at, "images": m.images, "sender": m.sender, "method": m.method} for m in letter.mails],
    }  # fmt: skip


def _subjects(desk: Desk, named: Named, word: Word) -> tuple[str, ...]:
    """What the entries are about.  A patient who agrees again takes the pictures along that were stopped with them."""
    if word.status != RESTORED:
        return named.subjects
    records = desk.records
    stands = dict(records.consents_in_force())
    events = {entry.event for one in named.subjects for entry in records.consent_history(one)}
    beside = {entry.subject for event in events for entry in records.consent_event(event)} if named.patients else set()
    found = tuple(one for one in dict.fromkeys((*named.subjects, *sorted(beside))) if one in stands)
    if not found:
        raise NobodyFound("nothing is on file here that could be taken back")
    return found


def _noted(desk: Desk, subjects: tuple[str, ...], now: float) -> float:
    """Now, or just after the last word where that came by a clock that was ahead: the latest word counts."""
    last = max((entry.noted for one in subjects for entry in desk.records.consent_history(one)), default=now)
    return now if now >= last else last + _NEXT


def _about(records: Records, letter: Recall, named: Named) -> bool:
    """A letter for something said of several is shown under the patient it was said of, and under its own pictures."""
    of = {entry.subject for entry in records.consent_event(letter.event)}
    asked = {sha256 for _, sha256 in recalls.images(records, letter)}
    return not of.isdisjoint(map(patient, named.patients)) or not asked.isdisjoint(named.images)


def _pictures(records: Records, subjects: Iterable[str]) -> int:
    """How many pictures these subjects are, each once in however many forms."""
    named = (one.partition(":") for one in subjects)
    return len({family(records, name) for kind, _, name in named if kind == "image"})


def _check(word: Word, since: float, now: float) -> None:
    if CODE.fullmatch(word.reason) is None:
        raise NotAllowed("the reason is a code of letters, digits, dots and hyphens (patient.said): it is kept")
    if since > now:
        raise NotAllowed("a day to come: what a patient says counts from when they say it")
    if since < _OLDEST:
        raise NotAllowed("the day is too long ago to be true")
    if (word.status == LIMITED) != bool(word.scope or word.purposes):
        raise NotAllowed("a limit names the uses that are left (--scope record), and nothing else does")


def _sealed(desk: Desk) -> bool:
    try:
        write_entries(desk.records, desk.store, desk.public_keys)
    except (StoreError, OSError):
        return False  # the entries are durable in the records; the service writes the objects
    return True


def _stands(records: Any, subject: str, stands: Mapping[str, Any]) -> dict[str, Any]:
    found = stands.get(subject)
    return {
        "subject": subject.partition(":")[2],
        "status": found.status if found else "nothing",
        "since": found.since if found else None,
        "scope": list(found.scope) if found else [],
        "purposes": list(found.purposes) if found else [],
        "history": [_entry(entry) for entry in records.consent_history(subject)],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "status": entry.status, "since": entry.since, "noted": entry.noted, "by": entry.actor, "role": entry.role,
        "reason": entry.reason, "source": entry.source, "scope": list(entry.scope), "purposes": list(entry.purposes),
    }  # fmt: skip


def _statements(desk: Desk, named: Named) -> list[dict[str, Any]]:
    seen = {one.id: one for subject in named.subjects for one in desk.records.statements_of(subject)}
    return [
        {
            "at": one.at, "status": one.status, "form": one.form, "given_by": one.given_by, "purpose": one.purpose,
            "scope": list(one.scope), "dated": one.dated, "expires": one.expires, "sender": one.sender,
            "outcomes": list(one.outcomes), "fates": list(one.fates),
        }
        for one in sorted(seen.values(), key=lambda one: one.at)
    ]  # fmt: skip
