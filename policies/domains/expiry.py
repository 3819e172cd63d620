"""What is due in the register: approvals that end, reviews, assurance that runs out, signatures that are missing, domains unused.

Pure: the caller brings the day and sends the warnings.  Each has a ``key`` that stays the same until the next stage, so a daily
job sends each warning once, also when it missed a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from policies.domains.signed import CHANGED
from policies.model import DomainEntry, RecipientClass
from policies.register import Register, stands

UNUSED: Final = timedelta(days=365)
# Kind of warning -> one sentence; {name}, {day} and {days} are filled in.
WORDS: Final[Mapping[str, str]] = {
    "expiring": "The approval of {name} ends on {day}, in {days} days.",
    "grace": "The approval of {name} ended on {day}. Mail still goes until {last}.",
    "expired": "The approval of {name} ended on {day}. Mail with pictures is held.",
    "changed": "The entry of {name} was changed after it was signed. Mail with pictures is held until it is approved anew.",
    "review": "The agreement with {name} was to be reviewed by {day}.",
    "assurance": "The security assurance {scheme} of {name} {runs} {day}.",
    "countersign": "{name} needs a second signature by {day}; after that it counts as not approved.",
    "unused": "No picture was sent to {name} since {day}. Is it still needed?",
}


@dataclass(frozen=True, slots=True)
class Due:
    """One warning.  ``name`` is the domain; of a patient's own address the domain only."""

    kind: str
    name: str
    day: date  # of the event
    days: int  # until then; negative: since then
    owner: str = field(repr=False)  # address; "" where the entry names none: the IG team
    sentence: str
    key: str


def due_warnings(register: Register, today: date, last_used: Mapping[str, date] | None = None) -> tuple[Due, ...]:
    """Everything due on a day, the most urgent first.  ``last_used`` (domain -> day) is newer than what the entries say."""
    used = last_used or {}
    found: list[Due] = []
    for name, entry in (*register.domains.items(), *register.addresses.items()):
        if entry.status == CHANGED:  # each day, until it is signed
            found.append(_due("changed", name, entry, today, today))
        elif entry.status == "approved":
            found += _of(name, entry, today, register, last_use(name, entry, used))
    return tuple(sorted(found, key=lambda due: (due.day, due.name, due.kind)))


def last_use(name: str, entry: DomainEntry, used: Mapping[str, date]) -> date | None:
    """The last picture sent there, by what was counted (domain -> day) or by the register itself."""
    days = [day for day in (used.get(name), entry.last_used) if day is not None]
    if entry.include_subdomains:
        days += [day for other, day in used.items() if other.endswith("." + name)]
    return max(days, default=None)


def _of(name: str, entry: DomainEntry, today: date, register: Register, used: date | None) -> Iterable[Due]:
    shown = f"an address at {entry.domain.rpartition('@')[2]}" if entry.cls is RecipientClass.PATIENT and "@" in name else name
    if entry.expires is not None:
        yield from _ending(shown, entry, entry.expires, today, register)
    if entry.countersign_by is not None:
        yield _due("countersign", shown, entry, entry.countersign_by, today, "late" if today > entry.countersign_by else "")
    if entry.review is not None and today >= entry.review:
        yield _due("review", shown, entry, entry.review, today)
    for scheme, day in entry.assured:
        stage = _stage((day - today).days, register.warn_days)
        if stage:
            runs = "ended on" if stage == "over" else "runs to"
            yield _due("assurance", shown, entry, day, today, f"{scheme}/{stage}", scheme=scheme, runs=runs)
    if used is not None and today - used > UNUSED:
        yield _due("unused", shown, entry, used, today)


def _ending(name: str, entry: DomainEntry, ends: date, today: date, register: Register) -> Iterable[Due]:
    stage = _stage((ends - today).days, register.warn_days)
    if stage == "over":
        grace = stands(entry, today, register.grace) == "grace"
        yield _due("grace" if grace else "expired", name, entry, ends, today, last=ends + register.grace)
    elif stage:
        yield _due("expiring", name, entry, ends, today, stage)


def _stage(days: int, warn_days: Iterable[int]) -> str:
    """The nearest of the days of warning that has come; "" before the first, "over" behind the last day."""
    if days < 0:
        return "over"
    return str(min((one for one in warn_days if days <= one), default=""))


def _due(kind: str, name: str, entry: DomainEntry, day: date, today: date, stage: str = "", **words: object) -> Due:
    days = (day - today).days
    said = {one: _say(word) for one, word in words.items()}
    sentence = WORDS[kind].format(name=name, day=_say(day), days=days, **said)
    key = "/".join(filter(None, (kind, name, day.isoformat(), stage)))
    return Due(kind, name, day, days, entry.owner, sentence, key)


def _say(word: object) -> str:
    return f"{word:%-d %B %Y}" if isinstance(word, date) else str(word)
