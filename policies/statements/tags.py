"""Consent in words: subject tags and first body lines as people type them on a phone.

Pure text in, ``Reading`` out.  A text counts only when every word in it is known: an unknown word might turn the
meaning round ("verbal consent *rescheduled*"), so the statement is dropped and the sender is told the word.  A refusal counts
whatever else stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from policies.model import Carrier, ConsentStatus, Problem, Reading, Statement
from policies.statements.beside import MARKS, agrees, doubted, listed, pending, to_choose, weighed
from policies.statements.clausewords import COMPOUNDS, FOREIGN_NO
from policies.statements.dates import DATE, DAY_ONLY
from policies.statements.dictated import with_marks
from policies.statements.doubts import doubts
from policies.statements.found import AGE, REFUSED, Found, apply, judge, take_age, take_dates
from policies.statements.orders import no_tag
from policies.statements.requests import asks_about_it
from policies.statements.sentences import read_sentences
from policies.statements.speakers import by_staff
from policies.statements.spelling import MENDED
from policies.statements.words import LONGEST, NEED_BRACKET, WORDS, Word

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
# "denied chest pain" in the reason tells the history; "consent denied" is a refusal.
_DENIES: Final = re.compile(r"(?<!consent )(?<!permission )\bdenie[ds]\b(?!,? (?:any )?(?:consent|permission|sharing))", re.I)
_EMERGENCY: Final = re.compile(r"\s*(?:emergency|emergancy|break[- ]?glass)\b\s*(?:use\b)?\s*[:;,.\-]*\s*(.*)", re.I | re.S)
_ADDRESS: Final = re.compile(r"<?([^\s<>@,;:\[\]()]{1,64}@[^\s<>@,;:\[\]()]{1,255})>?")
_REF: Final = re.compile(
    r"\b(?:ref|rec|irb|ethics|dsa|approval)\b[ :.#]*(?:no(?![a-z])\.? ?)?([a-z0-9][a-z0-9/_.\-]*\d[a-z0-9/_.\-]*)", re.I | re.A
)
_HOW: Final = re.compile(r"\[\s*(?:verbal|verbally|oral|written|signed|telephone)\s*\]", re.I)  # "[verbal] pt consented"
_TOKEN: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[&]")
_LEAD: Final = re.compile(
    r"[\s*_~#]*[\[(\"']?\s*((?:[\w']+\s+){0,2}?)(con[cs]en?[st]{1,2}(?:ed|s)?|consnet|concent)\b\s*([:;=,\-]?)", re.I
)
_CLOSERS: Final = ('"', "'", "]", ")", "}")
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s|$)|[\r\n]|\[|$")
_QUERY: Final = re.compile(r"\s*\?(?=[^\W\d_])")  # "?cellulitis" asks about the disease, not about the consent
_TELLING: Final = frozenset({"form", "given_by", "status"})
_SOFT_END: Final = re.compile(r"[-:;,|(/]")
_NEGATED: Final = REFUSED | {"pending"}
_MARKS: Final = frozenset(MARKS)


def _take(tokens: list[str], at: int, bracketed: bool) -> tuple[int, Word | None]:
    """The longest known phrase at ``at``: (number of tokens, word)."""
    for length in range(min(LONGEST, len(tokens) - at), 0, -1):
        phrase = " ".join(tokens[at : at + length])
        word = WORDS.get(phrase)
        if word is not None and (bracketed or phrase not in NEED_BRACKET):
            return length, word
    parted = "".join(tokens[at : at + 2])  # "verb al", by a thumb on the space bar
    if len(tokens) > at + 1 and parted in MENDED and parted in WORDS:
        return 2, WORDS[parted]
    return 1, None


def _extract(text: str, found: Found) -> str:
    """Take addresses, references and dates out of the text; what is left are words."""
    if match := _ADDRESS.search(text):
        found.confirms = match[1]
        text = text.replace(match[0], " ")
    take_dates(text, found)
    take_age(text, found)
    text = AGE.sub(" ", DAY_ONLY.sub(" ", DATE.sub(" ", text)))
    text = re.sub(r"\b(?:until|till?|expires|expiry|valid to)\b", " ", text, flags=re.I) if found.expires else text
    if match := _REF.search(text):
        found.record = match[1][:128]
        text = text.replace(match[0], " ")
    return text


def _read(text: str, bracketed: bool) -> Found:
    found = Found()
    if "?" in text or not _MARKS.isdisjoint(text) or to_choose(text) or by_staff(" ".join(text.casefold().split())):
        found.statuses.add("pending")  # it asks, says no ("consent ✗ verbal"), offers a choice, or staff agreed for a patient
    tokens = [token.casefold() for token in _TOKEN.findall(_extract(text, found))]
    tokens = [token for token in tokens if token not in {"&"}]
    at = 0
    while at < len(tokens):
        length, word = _take(tokens, at, bracketed)
        if word is None:
            found.unknown.append((tokens[at], at + 1))
        else:
            found.words += 1
            found.consent = found.consent or "consent" in tokens[at : at + length]  # also inside "consent refused"
            apply(found, word)
        at += length
    return found


def _emergency(inner: str, carrier: Carrier) -> Reading | None:
    match = _EMERGENCY.fullmatch(inner)
    if match is None:
        return None
    reason = " ".join(match[1].split())[:200]
    known = _read(_DENIES.sub(" ", reason), bracketed=True)
    statement = Statement(
        status=ConsentStatus.BYPASSED,
        carrier=carrier,
        purpose="ETREAT",
        bypass="emergency",
        reason=reason or None,
        intimate="intimate" in known.flags,
        child="child" in known.flags,
    )
    if REFUSED & known.statuses:
        statement = replace(statement, status=ConsentStatus(min(REFUSED & known.statuses)))
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
    statement, problems = judge(found, carrier)
    return Reading(carrier, (statement,) if statement else (), problems)


def _unbracketed(text: str, start: int, carrier: Carrier) -> tuple[Reading, int] | None:
    """``consent verbal ...`` from ``start``: the reading and its end; None for what is no tag but a sentence or ordinary text."""
    lead = _LEAD.match(text, start)
    if lead is None or no_tag(text, start):
        return None
    colon = bool(lead[3])
    before = [token.casefold() for token in _TOKEN.findall(lead[1])]
    if any(token not in WORDS for token in before) or (before and not colon):
        return None
    hard = _SENTENCE_END.search(text, lead.end())
    end = hard.start() if hard else len(text)
    if end - start > LONGEST_PLAIN:  # nobody types such a tag: only a refusal in it is heard
        stop, found = end, _read(text[start:end], bracketed=False)
        if not found.statuses & REFUSED:
            return None
    else:
        stop, found = _clean_run(text, start, lead.end(2), end, colon)
    told = found.forms or found.statuses or found.givers
    if (
        _asked(text, stop, end)
        or doubted(text, stop)
        or to_choose(text[start:end])
        or FOREIGN_NO.intersection(_TOKEN.findall(text[start:end].casefold()))
    ):
        found.statuses.add("pending")
    if not told and not colon:
        return None
    statement, problems = judge(found, carrier)
    return Reading(carrier, (statement,) if statement else (), problems), stop


def _asked(text: str, stop: int, end: int) -> bool:
    """Does a tag that ends at ``stop`` ask, up to the sentence's ``end``: "consent verbal?", "consented orally to this?"

    What stands behind a separator ("consent verbal - melanoma?"), or behind the mark ("?melanoma"), is about the disease.
    """
    if text[stop : stop + 3].lstrip()[:1] == "?":
        return not _QUERY.match(text, stop)
    if asks_about_it(text, stop):
        return True
    return text[end : end + 1] == "?" and _SOFT_END.search(text, stop, end) is None


def _clean_run(text: str, start: int, lead: int, hard: int, colon: bool) -> tuple[int, Found]:
    """The longest stretch up to a separator in which every word is known: "Consent: verbal - burn on arm" ends at the dash."""
    for stop in [hard, *sorted((m.start() for m in _SOFT_END.finditer(text, lead, hard)), reverse=True)]:
        found = _read(text[start:stop], bracketed=colon)
        if not found.unknown and found.words > 1:
            rest = _read(text[stop:hard], bracketed=False)
            if rest.statuses & REFUSED:
                return hard, _read(text[start:hard], bracketed=colon)
            return stop, found
    return (hard, _read(text[start:hard], bracketed=True)) if colon else _known_run(text, start, hard)


def _known_run(text: str, start: int, stop: int) -> tuple[int, Found]:
    """Without a colon the tag ends before the first unknown word: "consent verbal Burn on arm" is a tag and a subject.

    Only where the last word before it says how, who or that the answer was no ("consent verbal for surgery" is another consent),
    and nothing after it up to the sentence's end negates it or makes another thing of it ("consent written template").
    """
    spans = [match.span() for match in _TOKEN.finditer(text, start, stop)]
    for count, span in enumerate(spans):
        if not _read(text[start : span[1]], bracketed=False).unknown:
            continue
        if _read(text[span[0] : stop], bracketed=False).statuses & _NEGATED:
            return stop, _read(text[start:stop], bracketed=False)
        last = WORDS.get(text[slice(*spans[count - 1])].casefold()) if count else None
        if last is None or last.sets not in _TELLING or text[slice(*span)].casefold() in COMPOUNDS:
            return start, Found()
        return spans[count - 1][1], _read(text[start : spans[count - 1][1]], bracketed=False)
    return stop, _read(text[start:stop], bracketed=False)


def _merge(readings: list[Reading], carrier: Carrier, spans: list[tuple[int, int]]) -> Reading:
    statements = tuple(statement for reading in readings for statement in reading.statements)
    problems = tuple(problem for reading in readings for problem in reading.problems)
    return Reading(carrier, statements, problems, tuple(sorted(spans)))


def _scan(text: str, carrier: Carrier) -> Reading:
    plain = with_marks(text[:LONGEST_TEXT].translate(_PLAIN))
    readings: list[Reading] = []
    spans: list[tuple[int, int]] = []
    for match in _BRACKETS.finditer(plain):
        reading = read_tag(match[0][1:-1], carrier)
        if reading is not None:
            fresh = carrier is Carrier.SUBJECT and _PREFIX.match(plain[match.end() :].lstrip(" ]")) is not None
            fresh = fresh and not any(_PREFIX.match(plain, at) for at in _starts(plain[: match.start()]))
            counted = weighed(reading.statements, plain, match.span())
            readings.append(replace(reading, statements=tuple(replace(one, fresh=fresh) for one in counted)))
            if reading.statements or match[0][0] == "[":  # "(consent form)" may be ordinary words
                spans.append(match.span())
    if listed(said for reading in readings for said in reading.statements):
        readings = [replace(reading, statements=tuple(map(pending, reading.statements))) for reading in readings]
    marks = [m.span() for m in _BRACKETS.finditer(plain) if readings or (m[0][0] == "[" and _HOW.fullmatch(m[0]) is None)]
    at = 0
    while (prefix := _PREFIX.match(plain, at)) is not None or plain[at : at + 1].isspace():
        at = prefix.end() if prefix else at + 1
    tail = _unbracketed(plain, at, carrier) if not readings else None
    words = _without(plain, marks)
    if tail is not None and (tail[0].statements or not read_sentences(words, carrier, at).statements):
        reading, stop = tail
        # Without brackets nobody sees which words the tag has: a notice cannot count them.
        readings.append(replace(reading, problems=tuple(replace(one, place=0) for one in reading.problems)))
        if reading.statements:
            spans.append((at, stop + (plain[stop : stop + 1] in _CLOSERS)))
            at = stop
    plainly = read_sentences(words, carrier, at)
    if readings:  # beside a tag only a refusal in the other words counts
        said = [statement for statement in plainly.statements if statement.status.value in REFUSED]
        plainly = Reading(carrier, tuple(said), (), plainly.spans if said else ())
    merged = _merge([*readings, plainly], carrier, [*spans, *_around(plainly.spans, [*marks, *spans])])
    if not doubts(words):
        return merged
    return replace(merged, statements=tuple(pending(one) if agrees(one) else one for one in merged.statements), doubts=True)


def _around(spans: Iterable[tuple[int, int]], marks: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans without what lies in ``marks``: a sentence that runs over ``[secure]`` leaves it where it is."""
    left = list(spans)
    for begin, end in marks:
        pieces = [((start, min(stop, begin)), (max(start, end), stop)) for start, stop in left]
        left = [piece for pair in pieces for piece in pair if piece[0] < piece[1]]
    return left


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with blanks in place of ``spans``."""
    for start, stop in spans:
        text = text[:start] + " " * (stop - start) + text[stop:]
    return text


def _starts(head: str) -> list[int]:
    """Places where a reply prefix could begin in ``head``: its start and after each space."""
    return [0, *(match.end() for match in re.finditer(r"\s", head))] if head else []


def read_subject(subject: str) -> Reading:
    """Read the tags of a decoded Subject.  Spans are character ranges of ``subject``; never ``[secure]`` and the like."""
    return _scan(subject, Carrier.SUBJECT)


def read_body_line(line: str) -> Reading:
    """Read the first line of the body that is no greeting, above any quoted text: ``Consent: verbal, patient, referral``."""
    alone = _ALONE.get(" ".join(_TOKEN.findall(line[:LONGEST_PLAIN].casefold())))
    if alone is not None and "?" not in line:
        reading = read_tag(alone, Carrier.BODY)
        return replace(reading, spans=((0, len(line)),)) if reading is not None else Reading(Carrier.BODY)
    return _scan(line, Carrier.BODY)


# The words a notice asks for, alone on the first line of the body.
_ALONE: Final = {
    "verbal": "consent verbal",
    "written": "consent written",
    "parent": "consent: parent",
    "not patient": "not patient",
    "not a patient": "not patient",
    "right address": "right address",
    "right addresses": "right address",
    "right person": "right address",
    "right people": "right address",
    "correct address": "right address",
}
