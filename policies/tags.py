"""Consent in words: subject tags and first body lines as people type them on a phone.

Pure text in, ``Reading`` out.  A text counts only when every word in it is known: an unknown word might turn the
meaning round ("verbal consent *rescheduled*"), so the statement is dropped and the sender is told the word.  A refusal counts
whatever else stands there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from policies.dates import DATE, DAY_ONLY, read_date
from policies.model import Carrier, ConsentStatus, Problem, Reading, Statement
from policies.vocabulary import FORMS, PURPOSES
from policies.words import LONGEST, NEED_BRACKET, WORDS, Word

LONGEST_TEXT: Final = 2048  # characters of a subject or line that are looked at; more cannot be a tag a person typed
LONGEST_PLAIN: Final = 300  # characters of a statement without brackets; reading it takes the square of its length
EMERGENCY_REASON: Final = 10  # characters a break-glass reason needs (domain/04 4.6)

# One character for one character, so that spans stay true to the text given.
_PLAIN: Final = str.maketrans(
    "‘’‛′`´“”„″–—‑−‐\u00a0\u2009\u202f\u3000［］（）【】：；，｛｝",
    "''''''\"\"\"\"-----    []()[]:;,{}",
)
_BRACKETS: Final = re.compile(r"\[[^\[\]]{1,400}\]|\([^()]{1,400}\)|\{[^{}]{1,400}\}")
_NOT_OURS: Final = re.compile(r"\bsecure\b|^\s*sec\s*=", re.I)
_PREFIX: Final = re.compile(r"(?:(?:re|fw|fwd|aw|wg|sv|vs|vb|tr|antw|rv|ref|odp|答复|转发)(?:\[\d+\])?\s?:\s*)", re.I)
_EMERGENCY: Final = re.compile(r"\s*(?:emergency|emergancy|break[- ]?glass)\b\s*(?:use\b)?\s*[:;,.\-]*\s*(.*)", re.I | re.S)
_ADDRESS: Final = re.compile(r"<?([^\s<>@,;:\[\]()]{1,64}@[^\s<>@,;:\[\]()]{1,255})>?")
_REF: Final = re.compile(
    r"\b(?:ref|rec|irb|ethics|dsa|approval)\b[ :.#]*(?:no\.? ?)?([a-z0-9][a-z0-9/_.\-]*\d[a-z0-9/_.\-]*)", re.I | re.A
)
_TOKEN: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[&]")
_LEAD: Final = re.compile(
    r"\s*[\[(\"']?\s*((?:[\w']+\s+){0,2}?)(con[cs]en?[st]{1,2}(?:ed|s)?|consnet|concent)\b\s*([:;=,\-]?)", re.I
)
_CLOSERS: Final = ('"', "'", "]", ")", "}")
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s|$)|[\r\n]|\[|$")
_SOFT_END: Final = re.compile(r"[-:;,|(/]")
_REFUSED: Final = frozenset({"refused", "withdrawn"})
_NEGATED: Final = _REFUSED | {"pending"}


@dataclass(slots=True)
class _Found:
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
    confirms: str | None = None
    record: str | None = None
    dated: date | None = None
    expires: date | None = None
    unknown: list[str] = field(default_factory=list)
    bad_date: bool = False


_SETS: Final = {
    "given_by": "givers",
    "form": "forms",
    "status": "statuses",
    "flag": "flags",
    "capacity": "capacities",
    "basis": "bases",
}


def _apply(found: _Found, word: Word) -> None:
    if word.sets == "consent":
        found.consent = True
    elif word.sets == "purpose":
        found.purposes.append(word.value)
    elif word.sets == "bypass":
        found.emergency = True
    elif word.sets == "to_patient":
        found.to_patient = True
    elif word.sets in _SETS:
        getattr(found, _SETS[word.sets]).add(word.value)
    found.alone = found.alone or word.alone


def _take(tokens: list[str], at: int, bracketed: bool) -> tuple[int, Word | None]:
    """The longest known phrase at ``at``: (number of tokens, word)."""
    for length in range(min(LONGEST, len(tokens) - at), 0, -1):
        phrase = " ".join(tokens[at : at + length])
        word = WORDS.get(phrase)
        if word is not None and (bracketed or phrase not in NEED_BRACKET):
            return length, word
    return 1, None


def _extract(text: str, found: _Found) -> str:
    """Take addresses, references and dates out of the text; what is left are words."""
    if match := _ADDRESS.search(text):
        found.confirms = match[1]
        text = text.replace(match[0], " ")
    for match in DATE.finditer(text):
        value = read_date(match[0])
        if value is None:
            found.bad_date = True
        elif re.search(r"(?:until|til|till|expires|expiry|valid to)\W*$", text[: match.start()], re.I):
            found.expires = value.earlier
        else:
            found.dated = value.day_first
    text = DAY_ONLY.sub(" ", DATE.sub(" ", text))
    text = re.sub(r"\b(?:until|till?|expires|expiry|valid to)\b", " ", text, flags=re.I) if found.expires else text
    if match := _REF.search(text):
        found.record = match[1][:128]
        text = text.replace(match[0], " ")
    return text


def _read(text: str, bracketed: bool) -> _Found:
    found = _Found()
    if "?" in text:
        found.statuses.add("pending")  # "consent verbal?" asks, it does not state
    tokens = [token.casefold() for token in _TOKEN.findall(_extract(text, found))]
    tokens = [token for token in tokens if token not in {"&"}]
    at = 0
    while at < len(tokens):
        length, word = _take(tokens, at, bracketed)
        if word is None:
            found.unknown.append(tokens[at])
        else:
            found.words += 1
            found.consent = found.consent or "consent" in tokens[at : at + length]  # also inside "consent refused"
            _apply(found, word)
        at += length
    return found


def _status(found: _Found) -> ConsentStatus:
    for status in ("refused", "withdrawn", "pending"):
        if status in found.statuses:
            return ConsentStatus(status)
    if found.bases and not (found.forms or found.consent):
        return ConsentStatus.NOT_REQUIRED
    return ConsentStatus.LIMITED if "limited" in found.statuses else ConsentStatus.GIVEN


def _weakest(found: _Found) -> str | None:
    return max(found.forms, key=FORMS.index) if found.forms else None


# Where several uses are named the strictest decides: its row of the matrix asks for the most.
_STRICTEST: Final = ("marketing", "publication", "research", "training", "legal", "patient", "emergency", "care")


def _purpose(found: _Found) -> str | None:
    if found.purposes:
        return min(found.purposes, key=lambda code: _STRICTEST.index(PURPOSES[code]))
    if found.to_patient:
        return "PATRQT"
    return "ETREAT" if found.emergency else None


_SCOPES: Final = {"TRAIN": "teaching", "HRESCH": "research", "PUBLISH": "publication"}


def _statement(found: _Found, carrier: Carrier) -> Statement:
    scopes = frozenset(_SCOPES[code] for code in found.purposes if code in _SCOPES)
    return Statement(
        status=_status(found),
        carrier=carrier,
        form=_weakest(found),
        given_by=min(found.givers) if found.givers else None,
        purpose=_purpose(found),
        scope=scopes | {"record"} if scopes else frozenset(),
        dated=found.dated,
        expires=found.expires,
        basis=min(found.bases) if found.bases else None,
        capacity=min(found.capacities) if found.capacities else None,
        intimate="intimate" in found.flags,
        child="child" in found.flags or "parental-responsibility" in found.givers or "gillick" in found.capacities,
        deceased="deceased" in found.flags,
        identifiable="anonymous" not in found.flags,
        record=found.record,
        to_patient=found.to_patient,
        confirms=found.confirms if found.to_patient else None,
    )


def _contradiction(found: _Found) -> str | None:
    """Two words that cannot both be true; a refusal is no contradiction, it wins."""
    if len(found.bases) > 1 or (found.bases & {"not-patient", "teaching"} and (found.forms or found.emergency)):
        return max(found.bases)
    return None


def _judge(found: _Found, carrier: Carrier) -> tuple[Statement | None, tuple[Problem, ...]]:
    """A statement if the words amount to one, and what was wrong."""
    if _REFUSED & found.statuses:
        return _statement(found, carrier), ()
    problems = [Problem("consent.unknown-word", word) for word in found.unknown[:3]]
    if found.bad_date:
        problems.append(Problem("consent.bad-date"))
    if (clash := _contradiction(found)) is not None:
        problems.append(Problem("consent.contradiction", clash))
    flags = _statement(found, carrier)
    substance = found.forms or found.statuses or found.bases or found.to_patient or found.givers
    if not problems and substance:
        return flags, ()
    if not problems and not found.flags:
        problems.append(Problem("consent.bare-tag"))
    # The statement does not count, but what it declares about the picture still does: it can only tighten.
    if found.flags & {"intimate", "child", "deceased"} or flags.child:
        return replace(flags, status=ConsentStatus.PENDING, form=None, basis=None, identifiable=True), tuple(problems)
    return None, tuple(problems)


def _emergency(inner: str, carrier: Carrier) -> Reading | None:
    match = _EMERGENCY.fullmatch(inner)
    if match is None:
        return None
    reason = " ".join(match[1].split())[:200]
    known = _read(reason, bracketed=True)
    statement = Statement(
        status=ConsentStatus.BYPASSED,
        carrier=carrier,
        purpose="ETREAT",
        bypass="emergency",
        reason=reason or None,
        intimate="intimate" in known.flags,
        child="child" in known.flags,
    )
    if _REFUSED & known.statuses:
        statement = replace(statement, status=ConsentStatus(min(_REFUSED & known.statuses)))
    problems = () if len(reason) >= EMERGENCY_REASON else (Problem("consent.emergency-reason"),)
    return Reading(carrier, (statement,), problems)


def read_tag(inner: str, carrier: Carrier) -> Reading | None:
    """The text between the brackets of one tag; None if the brackets are not a consent tag."""
    if _NOT_OURS.search(inner):
        return None
    if (urgent := _emergency(inner, carrier)) is not None:
        return urgent
    found = _read(inner, bracketed=True)
    if not (found.consent or (found.alone and not found.unknown)):
        return None
    statement, problems = _judge(found, carrier)
    return Reading(carrier, (statement,) if statement else (), problems)


def _unbracketed(text: str, start: int, carrier: Carrier) -> tuple[Reading, int] | None:
    """``consent verbal ...`` or ``verbal consent ...`` from ``start``: the reading and its end; None for ordinary text."""
    lead = _LEAD.match(text, start)
    if lead is None:
        return None
    before = [token.casefold() for token in _TOKEN.findall(lead[1])]
    if any(token not in WORDS for token in before):
        return None
    colon = bool(lead[3])
    hard = _SENTENCE_END.search(text, lead.end())
    end = hard.start() if hard else len(text)
    if end - start > LONGEST_PLAIN:  # nobody types such a tag: only a refusal in it is heard
        stop, found = end, _read(text[start:end], bracketed=False)
        if not found.statuses & _REFUSED:
            return None
    else:
        stop, found = _clean_run(text, start, lead.end(2), end, colon)
    told = found.forms or found.statuses or found.givers
    if text[stop : stop + 3].lstrip()[:1] == "?":
        found.statuses.add("pending")
    if not told and not colon:
        return None
    statement, problems = _judge(found, carrier)
    return Reading(carrier, (statement,) if statement else (), problems), stop


def _clean_run(text: str, start: int, lead: int, hard: int, colon: bool) -> tuple[int, _Found]:
    """The longest stretch up to a separator in which every word is known: "Consent: verbal - burn on arm" ends at the dash."""
    for stop in [hard, *sorted((m.start() for m in _SOFT_END.finditer(text, lead, hard)), reverse=True)]:
        found = _read(text[start:stop], bracketed=colon)
        if not found.unknown and found.words > 1:
            rest = _read(text[stop:hard], bracketed=False)
            if rest.statuses & _REFUSED:
                return hard, _read(text[start:hard], bracketed=colon)
            return stop, found
    return (hard, _read(text[start:hard], bracketed=True)) if colon else _known_run(text, start, hard)


def _known_run(text: str, start: int, stop: int) -> tuple[int, _Found]:
    """Without a colon the tag ends before the first unknown word: "consent verbal Burn on arm" is a tag and a subject.

    Only where a form or refusal was said by then; the words after it up to the sentence's end may not negate it.
    """
    spans = [match.span() for match in _TOKEN.finditer(text, start, stop)]
    for count, span in enumerate(spans):
        found = _read(text[start : span[1]], bracketed=False)
        if not found.unknown:
            continue
        rest = _read(text[span[0] : stop], bracketed=False)
        run = _read(text[start : spans[count - 1][1]] if count else "", bracketed=False)
        if rest.statuses & _NEGATED:
            return stop, _read(text[start:stop], bracketed=False)
        return (spans[count - 1][1] if count else start), run
    return stop, _read(text[start:stop], bracketed=False)


def _merge(readings: list[Reading], carrier: Carrier, spans: list[tuple[int, int]]) -> Reading:
    statements = tuple(statement for reading in readings for statement in reading.statements)
    problems = tuple(problem for reading in readings for problem in reading.problems)
    return Reading(carrier, statements, problems, tuple(sorted(spans)))


def _scan(text: str, carrier: Carrier) -> Reading:
    plain = text[:LONGEST_TEXT].translate(_PLAIN)
    readings: list[Reading] = []
    spans: list[tuple[int, int]] = []
    for match in _BRACKETS.finditer(plain):
        reading = read_tag(match[0][1:-1], carrier)
        if reading is not None:
            fresh = carrier is Carrier.SUBJECT and _PREFIX.match(plain[match.end() :].lstrip(" ]")) is not None
            fresh = fresh and not any(_PREFIX.match(plain, at) for at in _starts(plain[: match.start()]))
            readings.append(replace(reading, statements=tuple(replace(s, fresh=fresh) for s in reading.statements)))
            if reading.statements or match[0][0] == "[":  # "(consent form)" may be ordinary words
                spans.append(match.span())
    if not readings:
        at = 0
        while (prefix := _PREFIX.match(plain, at)) is not None or plain[at : at + 1].isspace():
            at = prefix.end() if prefix else at + 1
        tail = _unbracketed(plain, at, carrier)
        if tail is not None:
            reading, stop = tail
            readings.append(reading)
            if reading.statements:
                spans.append((at, stop + (plain[stop : stop + 1] in _CLOSERS)))
    return _merge(readings, carrier, spans)


def _starts(head: str) -> list[int]:
    """Places where a reply prefix could begin in ``head``: its start and after each space."""
    return [0, *(match.end() for match in re.finditer(r"\s", head))] if head else []


def read_subject(subject: str) -> Reading:
    """Read the tags of a decoded Subject.  Spans are character ranges of ``subject``; never ``[secure]`` and the like."""
    return _scan(subject, Carrier.SUBJECT)


def read_body_line(line: str) -> Reading:
    """Read the first non-empty body line above any quoted text: ``Consent: verbal, patient, 20/11/2025, referral``."""
    return _scan(line, Carrier.BODY)
