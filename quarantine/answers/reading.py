"""Which of the offered words a person answered with.  Pure; strict where it lets something out, kind everywhere else.

A permission counts only where the first thing a person says is nothing but an answer, every word of it known, and nothing else
they wrote speaks against it.  Whatever is doubtful is asked again; it never counts as yes.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from quarantine.answers import lexicon
from quarantine.answers.asides import dictated
from quarantine.answers.model import ASK_IG, DELETE, HELP, Offer
from quarantine.answers.ownwords import Written
from quarantine.answers.spelling import NO_PATIENT, Clause, clauses, folded, read_clause, signs
from quarantine.answers.words import EMERGENCY, GIVERS, atoms


class Why(StrEnum):
    """Why no answer was read."""

    NOTHING = "nothing"  # the person wrote nothing of their own
    UNKNOWN = "unknown"  # words that are no answer
    DOUBT = "doubt"  # a word that speaks against it, or a question
    SEVERAL = "several"  # more than one answer, or one that fits several offers
    NOT_OFFERED = "not-offered"  # an answer, but none that would let this email go


@dataclass(frozen=True, slots=True)
class Read:
    """``word``: an offer's, or ASK IG, DELETE, HELP; "" with ``why`` where none was read.  ``text``: what stood beside it."""

    word: str = ""
    text: str = field(default="", repr=False)
    why: Why | None = None


_REFUSED: Final = re.compile(
    r"\b(refus\w*|declin\w*|withdr[ae]w\w*|revok\w*|(said|says) no|object(s|ed)"
    r"|(did|does|do|has|have) ?(not|n't) (agree|consent|want)\w*"
    r"|(didn't|doesn't|don't|hasn't|won't) (agree|consent|want)\w*|against (his|her|their) will)\b"
)
_NO_EMERGENCY: Final = re.compile(
    r"^\W*(\?|no\W*$|no,|no longer|not (needed|required|an? |any ?more|urgent)|over\b|cancel|resolved|isn't|is it|or\b)"
)
_EMERGENCY: Final = re.compile(
    r"^\W*(?:this is an? |it'?s an? |it is an? |an )?(?:" + "|".join(sorted(lexicon.EMERGENCIES, key=len, reverse=True)) + r")\b"
)
_ADDRESS: Final = re.compile(r"[^\s<>\[\]()\"',;:]+@[^\s<>\[\]()\"',;:]+\.[^\s<>\[\]()\"',;:]+")
_DIGITS: Final = re.compile(r"\b(?=[A-Za-z0-9/_.\-]*\d)[A-Za-z0-9][A-Za-z0-9/_.\-]{2,63}")


def read(written: Written, offers: Sequence[Offer]) -> Read:
    """The answer of the body; of the subject where the body holds none of the person's own, or only words that say nothing."""
    body = _text(written.lines, offers)
    subject = _text((written.subject,) if written.subject else (), offers)
    if body.why is Why.NOTHING or (body.why is Why.UNKNOWN and subject.word):
        return subject if subject.word or body.why is Why.NOTHING else body
    if body.word and subject.word and subject.word != body.word:
        return Read(why=Why.SEVERAL)
    return body


def _text(lines: Sequence[str], offers: Sequence[Offer]) -> Read:
    if not lines:
        return Read(why=Why.NOTHING)
    lines = [dictated(line) for line in lines]
    for reader in (_emergency, _beside, _tag):
        if (found := reader(lines, offers)) is not None:
            return found
    return _said(lines, offers)


def _emergency(lines: Sequence[str], offers: Sequence[Offer]) -> Read | None:
    """EMERGENCY and why, in what follows; a refusal in it is none of ours to overrule."""
    begun = _EMERGENCY.match(folded(lines[0]))
    if begun is None:
        return None
    if not _offered(offers, EMERGENCY):
        return Read(why=Why.NOT_OFFERED)
    reason = " ".join([folded(lines[0], keep_case=True)[begun.end() :], *lines[1:]]).strip(" \t:;,.-–—!()[]")
    low = folded(reason)
    if _NO_EMERGENCY.search(low) or folded(lines[0])[begun.end() :].lstrip().startswith("?") or _REFUSED.search(low):
        return Read(why=Why.DOUBT)
    return Read(EMERGENCY, reason)


def _beside(lines: Sequence[str], offers: Sequence[Offer]) -> Read | None:
    """Words that need something beside them: the patient's address, the number of an approval."""
    first = " ".join(lines[:2])
    address = _ADDRESS.search(first)
    for offer in offers:
        word = offer.word.casefold()
        if offer.needs == "address" and folded(lines[0]).strip("[] ").startswith(word):
            rest = [_ADDRESS.sub(" ", folded(line)) for line in lines]
            rest[0] = rest[0].strip("[] ")[len(word) :]
            if any(read_clause(clause).doubtful for line in rest for clause in clauses(line)):
                return Read(why=Why.DOUBT)
            return Read(offer.word, address[0].strip(".") if address else "")
    return None


def _tag(lines: Sequence[str], offers: Sequence[Offer]) -> Read | None:
    """The tag itself, typed with or without its brackets."""
    typed = " ".join(folded(lines[0]).strip("[](){} .").split())
    for offer in offers:
        if offer.needs in ("", "number") and typed == " ".join(offer.meaning_key.casefold().split()) and offer.needs == "":
            return _unless_doubtful(lines[1:], Read(offer.word), set(atoms(offer.tag)))
    return None


def _said(lines: Sequence[str], offers: Sequence[Offer]) -> Read:
    """Words as people write them, clause by clause."""
    numbered = any(offer.needs == "number" for offer in offers)
    said = [read_clause(clause) for line in lines for clause in clauses(_DIGITS.sub(" ", line) if numbered else line)]
    start = next((at for at, clause in enumerate(said) if not clause.empty), None)
    if start is None:
        return Read(why=Why.NOTHING)
    while start + 1 < len(said) and (said[start].foreign or _only_unsure(said[start], said[start + 1])):
        start += 1
    first, later = said[start], [*said[:start], *said[start + 1 :]]
    if first.lead == HELP:
        return Read(HELP)
    if first.lead == ASK_IG:
        return Read(ASK_IG) if not any(one.answers and one.lead != first.lead for one in later) else Read(why=Why.SEVERAL)
    if first.lead == DELETE:
        return _delete(first, later)
    if first.doubtful:
        return Read(why=Why.DOUBT)
    if not first.answers:
        return Read(why=Why.UNKNOWN)
    return _permission(first, later, lines, offers)


def _only_unsure(first: Clause, following: Clause) -> bool:
    """True for "dunno" before "ask IG": not to know is why IG is asked."""
    unsure = bool(first.doubts) and set(first.unknown) <= lexicon.UNSURE and not (first.answers or first.asks)
    return unsure and following.lead == ASK_IG and not following.asks


def _delete(first: Clause, later: Sequence[Clause]) -> Read:
    """Deleting lets nothing out; still nothing is deleted that a person may have meant to keep."""
    others = [one for one in later if (one.answers and one.lead != DELETE) or one.request or one.foreign]
    doubtful = any(one.doubts - lexicon.IN_DELETE or one.asks for one in (first, *later))
    return Read(why=Why.SEVERAL) if others or first.request else Read(why=Why.DOUBT) if doubtful else Read(DELETE)


def _permission(first: Clause, later: Sequence[Clause], lines: Sequence[str], offers: Sequence[Offer]) -> Read:
    """An answer that lets something go."""
    if first.unknown:
        return Read(why=Why.UNKNOWN)
    allowed = lexicon.IN_DENIAL if first.whole else frozenset[str]()
    if any(one.doubts - allowed or one.asks for one in later):
        return Read(why=Why.DOUBT)
    if first.whole == NO_PATIENT and _somebody(lines):
        return Read(why=Why.DOUBT)
    pure = [one for one in (first, *later) if one.answers and not one.unknown]
    whole = {one.whole for one in pure if one.whole}
    said = {atom for one in pure for atom in one.atoms} | {atom for one in later for atom in one.atoms if atom in GIVERS}
    if len(whole) > 1 or (whole and said) or any(one.lead in (HELP, ASK_IG, DELETE) for one in pure):
        return Read(why=Why.SEVERAL)
    fitting = [offer for offer in offers if offer.word in whole] if whole else _fitting(said, offers)
    if len(fitting) != 1:
        return Read(why=Why.SEVERAL if fitting else Why.NOT_OFFERED)
    if not _same_abroad(later, atoms(fitting[0].tag)):
        return Read(why=Why.SEVERAL)
    return Read(fitting[0].word, _number(lines) if fitting[0].needs == "number" else "")


def _somebody(lines: Sequence[str]) -> bool:
    """True if a person, or a part of one, stands beside "not a patient"; what a department is called in a signature does not."""
    described = [line for at, line in enumerate(lines) if not (at and signs(line))]
    return any(read_clause(clause).somebody for line in described for clause in clauses(line))


def _fitting(said: set[str], offers: Sequence[Offer]) -> list[Offer]:
    """Offers that say at least what their word says and no more than what was said: exact ones first."""
    shapes = [
        (offer, _atoms_of(offer.word), set(atoms(offer.tag))) for offer in offers if not offer.needs or offer.needs == "number"
    ]
    if "telephone" in said and not any("telephone" in tag for _, _, tag in shapes):
        said = said - {"telephone"} | {"verbal"}  # a conversation on the telephone
    exact = [offer for offer, word, _ in shapes if word == said]
    return exact or [offer for offer, word, tag in shapes if word and word <= said <= tag]


def _atoms_of(word: str) -> set[str]:
    return set(read_clause(word.casefold()).atoms)


def _unless_doubtful(lines: Iterable[str], answer: Read, said: set[str]) -> Read:
    later = [read_clause(clause) for line in lines for clause in clauses(line)]
    if any(one.doubtful for one in later):
        return Read(why=Why.DOUBT)
    if any((one.answers and not one.unknown and not set(one.atoms) <= said) or one.whole for one in later):
        return Read(why=Why.SEVERAL)
    return answer if _same_abroad(later, said) else Read(why=Why.SEVERAL)


def _same_abroad(others: Sequence[Clause], said: Container[str]) -> bool:
    """True if what they say in another language says the same."""
    return all(one.foreign in said for one in others if one.foreign)


def _number(lines: Sequence[str]) -> str:
    found = _DIGITS.search(" ".join(lines[:2]))
    return found[0] if found else ""


def _offered(offers: Sequence[Offer], word: str) -> bool:
    return any(offer.word == word for offer in offers)
