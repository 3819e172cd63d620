"""What mails say of consent: statements seen, and refusals that count from then on.  Read from the gateway's journal.

A message that says no is on file for the patients it names and for the very pictures it bears: sent again without the number or
to somebody else they are stopped all the same.  Patients and people are keyed hashes throughout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from quarantine.consents.model import BY_STATEMENT, ENDING, REFUSED, SYSTEM, Entry, Seen, digest, image, is_subject, patient
from quarantine.records import Records

_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # codes and dates; whatever else stands there is left out
STATED: Final = "consent.stated-in-mail"
_RELEASE: Final = "release:"  # begins the message of a release (gateway.outcomes.objects): the same mail again, no new words


def entries(event: Mapping[str, Any]) -> list[Entry]:
    """The entries of the register that one journal event makes: none unless it says no, and says it for the first time."""
    if str(event.get("message", "")).startswith(_RELEASE):
        return []
    record, at = _record(event), came(event)
    status = _status(record)
    if status is not None:
        subjects = [*_patients(record), *_images(record)]
    else:
        subjects, status = _refused_parts(record), "refused"
    return [_entry(subject, status, at, _outcomes(event)) for subject in subjects]


def of_outcome(outcome: str, meta: Mapping[str, Any]) -> list[Entry]:
    """The same from an OUTCOME object, should the journal be lost; the ids are those that the journal gives."""
    reference, status = meta.get("patient"), meta.get("consent")
    if not isinstance(reference, str) or status not in ENDING or not is_subject(patient(reference)):
        return []
    return [_entry(patient(reference), str(status), float(meta["created"]), (outcome,))]


def seen(event: Mapping[str, Any]) -> Iterator[tuple[Seen, list[str]]]:
    """Every different statement of one event, with the subjects it was seen under."""
    record = _record(event)
    subjects = [*_patients(record), *_images(record)]
    if not subjects:
        return
    fates = tuple(sorted({str(one.get("state") or one.get("outcome") or "unknown") for one in _dicts(event.get("recipients"))}))
    known: set[str] = set()
    for said in _statements(record):
        made = _seen(event, record, said, fates)
        if made.id not in known:
            known.add(made.id)
            yield made, subjects


def came(event: Mapping[str, Any]) -> float:
    """When the message of an event came to us, POSIX."""
    at, seconds = event.get("at"), event.get("seconds")
    return (float(at) if isinstance(at, int | float) else 0.0) - (float(seconds) if isinstance(seconds, int | float) else 0.0)


def _entry(subject: str, status: str, at: float, outcomes: tuple[str, ...]) -> Entry:
    event = digest("statement", *(outcomes[:1] or (repr(at),)), status)
    return Entry(event, subject, status, at, at, SYSTEM, "system", STATED, BY_STATEMENT)


def _seen(event: Mapping[str, Any], record: Mapping[str, Any], said: Mapping[str, Any], fates: tuple[str, ...]) -> Seen:
    words = {name: _word(said.get(name)) for name in ("status", "form", "given_by", "purpose", "dated", "expires")}
    scope = tuple(sorted(filter(None, map(_word, said.get("scope") or ()))))
    message = str(event.get("message", ""))[:80]
    return Seen(
        id=digest("seen", message, repr(event.get("at")), *words.values(), *scope), message=message, outcomes=_outcomes(event),
        at=came(event), sender=_word(record.get("sender")), scope=scope, fates=fates, **words,
    )  # fmt: skip


def _statements(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for line in _dicts(record.get("recipients")):
        consent = _dict(_dict(line.get("facts")).get("consent"))
        if isinstance(consent.get("statement"), dict):
            yield consent["statement"]
        yield from _dicts(consent.get("per_part"))


def _status(record: Mapping[str, Any]) -> str | None:
    """What the message as a whole says, if it says no; the stricter of two."""
    said = {str(line.get("consent")) for line in _dicts(record.get("recipients"))} & ENDING
    return max(said) if said else None


def _refused_parts(record: Mapping[str, Any]) -> list[str]:
    """Pictures of parts that a statement of their own refuses."""
    parts = {
        str(part)
        for said in _statements(record)
        if said.get("status") in ENDING
        for part in said.get("parts") or ()
    }  # fmt: skip
    return sorted({image(str(one.get("sha256"))) for one in _dicts(record.get("images")) if one.get("part") in parts})


def _patients(record: Mapping[str, Any]) -> list[str]:
    named = record.get("patients")
    return (
        [one for one in (patient(str(n)) for n in named if isinstance(n, str)) if is_subject(one)]
        if isinstance(named, list)
        else []
    )


def _images(record: Mapping[str, Any]) -> list[str]:
    """Every picture of the message, as received and as sent."""
    hashes = [str(one[name]) for one in _dicts(record.get("images")) for name in ("sha256", "scrubbed") if one.get(name)]
    return sorted({subject for subject in map(image, hashes) if is_subject(subject)})


def _outcomes(event: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_words(str(event.get("outcomes", "")).split()))


def _words(values: Iterable[object]) -> list[str]:
    return [word for word in map(_word, values) if word]


def _word(value: object) -> str:
    return str(value) if isinstance(value, str) and _WORD.fullmatch(value) else ""


def _record(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _dict(event.get("record"))


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(values: object) -> list[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def adopt(records: Records) -> int:
    """Take over what was noted before there was a register; how many entries were new."""
    earlier = [(patient(reference), at) for reference, at in records.earlier_withdrawals()]
    return records.consent_add(
        Entry(digest("earlier", subject), subject, REFUSED, at, at, SYSTEM, "system", STATED, BY_STATEMENT)
        for subject, at in earlier
        if is_subject(subject)
    )
