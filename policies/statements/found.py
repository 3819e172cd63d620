"""What the words of one text set, and the statement they amount to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from policies.model import Carrier, ConsentStatus, Problem, Statement
from policies.statements.dates import DATE, read_date
from policies.statements.words import Word
from policies.vocabulary import FORMS, PURPOSES

REFUSED: Final = frozenset({"refused", "withdrawn"})


@dataclass(slots=True)
class Found:
    """What the words of one text set, before they become a statement."""

    words: int = 0
    consent: bool = False
    alone: bool = False
    forms: set[str] = field(default_factory=set)
    statuses: set[str] = field(default_factory=set)
    givers: set[str] = field(default_factory=set)
    purposes: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    capacities: set[str] = field(default_factory=set)
    bases: set[str] = field(default_factory=set)
    emergency: bool = False
    to_patient: bool = False
    checked: bool = False
    confirms: str | None = None
    record: str | None = None
    age: int | None = None
    dated: date | None = None
    expires: date | None = None
    unknown: list[tuple[str, int]] = field(default_factory=list)  # word, its place among the words
    bad_date: bool = False


_SETS: Final = {
    "given_by": "givers",
    "form": "forms",
    "status": "statuses",
    "flag": "flags",
    "capacity": "capacities",
    "basis": "bases",
}


def apply(found: Found, word: Word) -> None:
    if word.sets == "consent":
        found.consent = True
    elif word.sets == "purpose":
        found.purposes.append(word.value)
    elif word.sets == "bypass":
        found.emergency = True
    elif word.sets in ("to_patient", "checked"):
        setattr(found, word.sets, True)
    elif word.sets in _SETS:
        getattr(found, _SETS[word.sets]).add(word.value)
    found.alone = found.alone or word.alone


def take_dates(text: str, found: Found) -> None:
    """The dates of a text: of the consent, or of its end where "until" stands before it."""
    for match in DATE.finditer(text):
        value = read_date(match[0])
        if value is None:
            found.bad_date = True
        elif re.search(r"(?:until|til|till|expires|expiry|valid to)\W*$", text[: match.start()], re.I):
            found.expires = value.earlier
        else:
            found.dated = value.day_first


# "14yo", "8 month old"; "a 2 year history" is no age.
AGE: Final = re.compile(
    r"(?<![\w./])(?:aged? (\d{1,3})(?![\w/])|(\d{1,3})[ -]?(yo|y/o|(?:yr|year|month|week|day)s?[ -]old)\b)",
    re.I | re.A,
)
_OF_AGE: Final = 18
_COMPETENT: Final = 16  # a person of this age is asked, not the parents (Family Law Reform Act 1969 s.8; GMC recordings 35)


def take_age(text: str, found: Found) -> None:
    """The patient's age, where the words of a statement name it."""
    if (match := AGE.search(text)) is not None:
        young = (match[3] or "").casefold().startswith(("month", "week", "day"))
        found.age = 0 if young else int(match[1] or match[2])


def _status(found: Found) -> ConsentStatus:
    for status in ("refused", "withdrawn", "pending"):
        if status in found.statuses:
            return ConsentStatus(status)
    if found.bases and not (found.forms or found.consent):
        return ConsentStatus.NOT_REQUIRED
    if found.checked and not (found.forms or found.consent or found.givers or found.to_patient or found.purposes):
        return ConsentStatus.PENDING  # "[right address]" says whom it goes to, not whether the patient agreed
    return ConsentStatus.LIMITED if "limited" in found.statuses else ConsentStatus.GIVEN


def _weakest(found: Found) -> str | None:
    return max(found.forms, key=FORMS.index) if found.forms else None


# Where several uses are named the strictest decides: its row of the matrix asks for the most.
_STRICTEST: Final = ("marketing", "publication", "research", "training", "legal", "patient", "emergency", "care")


def _purpose(found: Found) -> str | None:
    if found.purposes:
        return min(found.purposes, key=lambda code: _STRICTEST.index(PURPOSES[code]))
    if found.to_patient:
        return "PATRQT"
    return "ETREAT" if found.emergency else None


_SCOPES: Final = {"TRAIN": "teaching", "HRESCH": "research", "PUBLISH": "publication"}


def statement(found: Found, carrier: Carrier) -> Statement:
    scopes = frozenset(_SCOPES[code] for code in found.purposes if code in _SCOPES)
    care = "limited" in found.statuses and PURPOSES.get(_purpose(found) or "") == "care"  # "limited: this referral only"
    return Statement(
        status=_status(found),
        carrier=carrier,
        form=_weakest(found),
        given_by=min(found.givers) if found.givers else None,
        purpose=_purpose(found),
        scope=scopes | {"record"} if scopes or care else frozenset(),
        dated=found.dated,
        expires=found.expires,
        basis=min(found.bases) if found.bases else None,
        capacity=min(found.capacities) if found.capacities else None,
        intimate="intimate" in found.flags,
        child=(found.age is not None and found.age < _OF_AGE)
        or "child" in found.flags
        or "parental-responsibility" in found.givers
        or "gillick" in found.capacities,
        deceased="deceased" in found.flags,
        identifiable="anonymous" not in found.flags,
        record=found.record,
        to_patient=found.to_patient,
        confirms=found.confirms if found.to_patient else None,
        checked=found.checked and "pending" not in found.statuses,
    )


def _contradiction(found: Found) -> str | None:
    """Two words that cannot both be true; a refusal is no contradiction, it wins."""
    if len(found.bases) > 1 or (found.bases & {"not-patient", "teaching"} and (found.forms or found.emergency)):
        return max(found.bases)
    return None


def judge(found: Found, carrier: Carrier, *, stated: bool = False) -> tuple[Statement | None, tuple[Problem, ...]]:
    """A statement if the words amount to one, and what was wrong.  ``stated``: a sentence said in full that somebody agreed."""
    if REFUSED & found.statuses:
        return statement(found, carrier), ()
    problems = [Problem("consent.unknown-word", word, place) for word, place in found.unknown[:3]]
    if found.bad_date:
        problems.append(Problem("consent.bad-date"))
    if found.age is not None and _COMPETENT <= found.age < _OF_AGE and found.givers & {"parental-responsibility", "guardian"}:
        problems.append(Problem("consent.young-person"))
    if (clash := _contradiction(found)) is not None:
        problems.append(Problem("consent.contradiction", clash))
    flags = statement(found, carrier)
    whom = found.to_patient or (found.checked and not found.consent)
    substance = stated or found.forms or found.statuses or found.bases or found.givers or whom
    if not problems and substance:
        return flags, ()
    if not problems and not found.flags:
        problems.append(Problem("consent.bare-tag"))
    # The statement does not count, but what it declares about the picture still does: it can only tighten.
    if found.flags & {"intimate", "child", "deceased"} or flags.child:
        return replace(flags, status=ConsentStatus.PENDING, form=None, basis=None, identifiable=True), tuple(problems)
    return None, tuple(problems)
