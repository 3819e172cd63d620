"""One clause of an answer, word by word: what it says, what in it is not known, what makes it doubtful."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from quarantine.answers import asides, lexicon
from quarantine.answers.model import ASK_IG, DELETE, HELP

_ENDS: Final = re.compile(r"[.;,!:\n()\[\]{}\"]+(?=\s|$)|[()\[\]{}\"*_~#]+|\s[-–—/|]+\s|^[-–—]+\s|[-–—]+$|\s*(?:\.\.+|–|—)\s*")
_TOKENS: Final = re.compile(r"[^\W_]+(?:['&][^\W_]+)*|\?")
_LONGEST_PHRASE: Final = 6
NO_PATIENT: Final = "NOT PATIENT"
_LEADS: Final = (HELP, ASK_IG, DELETE)
_SHORT_LINE: Final = re.compile(r"(?:(?:Dr|Mr|Mrs|Ms|Miss|Prof)\.? )?(?:[A-Z][\w'’-]*\.? ?){1,3}")


@dataclass(frozen=True, slots=True)
class Clause:
    """``whole``: an answer that is a phrase of its own; ``atoms``: words of a consent; ``lead``: HELP, ASK IG or DELETE.

    ``request``: it asks to send; ``foreign``: the word of a consent that it says in another language, and nothing else;
    ``somebody``: it names a person or a part of one.
    """

    whole: str = ""
    lead: str = ""
    atoms: tuple[str, ...] = ()
    unknown: tuple[str, ...] = field(default=(), repr=False)
    doubts: frozenset[str] = frozenset()
    asks: bool = False
    request: bool = False
    foreign: str = ""
    somebody: bool = False

    @property
    def answers(self) -> bool:
        """True if it says anything that is an answer."""
        return bool(self.whole or self.lead or self.atoms)

    @property
    def doubtful(self) -> bool:
        """True if something in it speaks against reading a permission."""
        return bool(self.doubts) or self.asks

    @property
    def empty(self) -> bool:
        """True if it says nothing at all: a greeting, thanks."""
        return not (self.answers or self.unknown or self.doubtful or self.request or self.foreign)


def folded(text: str, *, keep_case: bool = False) -> str:
    """A text with plain quotes, emoji as words; folded unless its own letters are wanted."""
    plain = "".join(lexicon.PICTURES.get(char, char) for char in text)
    return plain if keep_case else plain.casefold()


def clauses(line: str) -> Iterator[str]:
    """The pieces of a line between its stops.  A name alone on a line loses the words that are names and doubts alike."""
    text = folded(line)
    if _SHORT_LINE.fullmatch(line.strip()):
        text = " ".join(word for word in text.split() if word.strip(".") not in lexicon.NAMES)
    for piece in _ENDS.split(text):
        if piece and piece.strip():
            yield piece.strip()


def signs(line: str) -> bool:
    """True for a name or a post alone on a line: "Hand Surgery"."""
    return " " in line.strip() and _SHORT_LINE.fullmatch(line.strip()) is not None


def read_clause(text: str) -> Clause:
    """What one clause, folded, says."""
    tokens, request = asides.without_request(_TOKENS.findall(asides.when_asked(_without_harmless(text.replace("-", " ")))))
    if foreign := lexicon.TRANSLATED.get(" ".join(tokens), ""):
        return Clause(foreign=foreign, request=request)
    whole, lead, atoms, unknown, doubts, beside = "", "", list[str](), list[str](), set[str](), list[str]()
    asks = _asks(tokens)
    at = 0
    while at < len(tokens):
        length, kind, said = _take(tokens, at)
        if kind == "whole":
            lead = lead or (said if said in _LEADS and not (atoms or unknown or whole) else "")
            if said in _LEADS:
                unknown += [] if lead else tokens[at : at + length]
                doubts |= {"delete"} if said == DELETE != lead else set()
            else:
                doubts |= {"several"} if whole and whole != said else set()
                whole = said
                length = len(tokens) - at if said == NO_PATIENT and asides.thing(tokens[at + length :]) else length
        elif kind == "atoms":
            atoms.append(lexicon.ATOMS[said])
        elif kind == "doubt":
            doubts.add(said)
        elif kind == "unknown":
            unknown.append(said)
        beside += tokens[at : at + length] if kind != "whole" else []
        at += length
    named = asides.somebody(beside)
    return Clause(whole, lead, tuple(dict.fromkeys(atoms)), tuple(unknown), frozenset(doubts), asks, request, somebody=named)


def _asks(tokens: list[str]) -> bool:
    if "?" in tokens:
        return tokens != ["?"]
    if not tokens:
        return False
    if any(len(tokens) > count and " ".join(tokens[-count:]) in lexicon.TURNS for count in (2, 3)):
        return True
    if _take(tokens, 0)[1] == "whole":  # "do not send"
        return False
    return tokens[0] in lexicon.QUESTIONS or (
        tokens[0] in ("has", "have", "had") and len(tokens) > 1 and tokens[1] in lexicon.SUBJECTS
    )


def _take(tokens: list[str], at: int) -> tuple[int, str, str]:
    """The longest known phrase at ``at``: (number of tokens, whole | atoms | filler | doubt | unknown, phrase or word)."""
    for length in range(min(_LONGEST_PHRASE, len(tokens) - at), 0, -1):
        phrase = " ".join(tokens[at : at + length])
        if phrase == "?":
            return 1, "whole" if len(tokens) == 1 else "filler", HELP
        for text in (phrase, _near(phrase) if length == 1 else phrase):
            if text in _WHOLE:
                return length, "whole", _WHOLE[text]
            if text in lexicon.ATOMS:
                return length, "atoms", text
            if text in lexicon.FILLERS or text in lexicon.FILLER_PHRASES:
                return length, "filler", text
    word = tokens[at]
    return 1, "doubt" if word in lexicon.DOUBTS or word.endswith("n't") else "unknown", word


_WHOLE: Final = {" ".join(_TOKENS.findall(phrase.replace("-", " "))): said for phrase, said in lexicon.WHOLE.items()}


def _without_harmless(text: str) -> str:
    for phrase in sorted(lexicon.HARMLESS, key=len, reverse=True):
        if phrase in text:
            text = re.sub(rf"\b{re.escape(phrase)}\b", " ", text)
    return text


@cache
def _near(word: str) -> str:
    """A word of a tag that was misspelt by one letter; else, or where several are as near, the word itself."""
    known = lexicon.FILLERS | lexicon.DOUBTS
    if len(word) < 5 or word in known or word in lexicon.ATOMS or not word.isalpha():
        return word
    near = [other for other in lexicon.NEAR if _one_apart(word, other)]
    meant = {lexicon.ATOMS.get(other, other) for other in near}
    return near[0] if len(meant) == 1 else word


def _one_apart(first: str, second: str) -> bool:
    """True if one insertion, deletion, change or swap of neighbours makes one of the other (Damerau)."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second)))
    rests = (first[start:], second[start:])
    if len(first) != len(second):
        longer, shorter = sorted(rests, key=len, reverse=True)
        return longer[1:] == shorter
    return rests[0][1:] == rests[1][1:] or (rests[0][2:] == rests[1][2:] and rests[0][:2] == rests[1][1::-1])
