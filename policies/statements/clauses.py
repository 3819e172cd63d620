"""A line of plain words cut into sentences and clauses, each word with its role (``clausewords``).

A sentence is cut into clauses at commas, colons, dashes and brackets; dates, greetings and thanks are blanks.  What the clauses
say is ``sentences``' business.  Every character stays at its place, so that spans are true to the text given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from policies.statements.beside import MARKS
from policies.statements.clausewords import LONGEST_PHRASE, ROLE_OF, Role
from policies.statements.dates import DATE, DAY_ONLY
from policies.statements.spelling import MENDED, mended

_WORD: Final = re.compile(f"[^\\W_]+(?:'[^\\W_]+)*'?|[&\U0001f44d✅✔☑✓{MARKS}]")
_SENTENCE: Final = re.compile(r"[.!](?=\s|$)|\?(?=[\s?!.]|$)|[\r\n]+")
_BREAK: Final = re.compile(r"\s-+(?=\s)|[:;,()\[\]{}/|+]|[!.]")
_NEGATIVE: Final = {
    "cant": "cannot", "can't": "cannot", "dont": "do not", "don't": "do not", "doesnt": "does not", "doesn't": "does not",
    "didnt": "did not", "didn't": "did not",
}  # fmt: skip
_SHORT: Final = re.compile(r"(.+?)(n't|'ve|'s|'re|'ll|'d)$")
_NOT_NT: Final = frozenset(("hasnt", "havent", "hadnt", "wasnt", "werent", "isnt", "arent", "couldnt", "wouldnt", "shouldnt"))

# Short forms with a slash, which would part clauses: each for as many letters.
_SLASHED: Final = (
    (re.compile(r"\bv/c\b", re.I), "vc "),
    (re.compile(r"\bw/o\b", re.I), "no "),
    (re.compile(r"\bw/(?=\s?[a-z])", re.I), "w "),
)

# What frames a line that was typed without a comma: "Hi pt has agreed", "... thanks Karen x".
_GREETING: Final = re.compile(r"\W*(?:hi|hello|hey)\b(?:\s+(?:all|both|team|there|everyone)\b)?(?=\s)", re.I)
_THANKS: Final = re.compile(
    r"(?<=[a-z] )(?:many thanks|[Tt]hanks|thank you|thx|cheers|kind regards|best wishes|regards|kr|bw)"
    r"(?P<names>(?: [A-Z][a-z]{1,14}){0,2})(?: x{1,3})?\s*$"
)


# "Husband (LPA for health) is happy ...": what stands in brackets behind who agrees does not part the clause.
_ASIDE: Final = re.compile(r"\(([^()]{1,60})\)(?=\s+[a-z])")
_UNSAFE: Final = frozenset("ujnrwNMcv")


class Clause(NamedTuple):
    """One clause: its roles, what each sets, and where each stands."""

    letters: str
    roles: tuple[Role, ...]
    owners: tuple[int, ...]  # for each letter the index of its role
    spans: tuple[tuple[int, int], ...]  # one per role
    words: tuple[str, ...]  # one per role
    text: str

    @property
    def known(self) -> bool:
        return "u" not in self.letters


def split_sentences(text: str, start: int) -> Iterator[tuple[int, int, bool]]:
    """(start, end, whether it asks) of each sentence; a mark in front of a sentence asks too ("? verbal consent")."""
    asked = False
    for match in _SENTENCE.finditer(text, start):
        if text[start : match.start()].strip():
            yield start, match.start(), asked or match[0] == "?"
            asked = False
        else:
            asked = asked or match[0] == "?"
        start = match.end()
    yield start, len(text), asked


def split_clauses(text: str, start: int, end: int) -> Iterator[Clause]:
    masked = _masked(text[start:end])
    at = 0
    for match in _ASIDE.finditer(masked):
        aside = _clause(masked, *match.span(1), start)
        if _names_somebody(masked[: match.start()]) and not _UNSAFE.intersection(aside.letters):
            yield aside
            masked = masked[: match.start()] + " " * len(match[0]) + masked[match.end() :]
    for match in _BREAK.finditer(masked):
        yield _clause(masked, at, match.start(), start)
        at = match.end()
    yield _clause(masked, at, len(masked), start)


def _names_somebody(head: str) -> bool:
    """True if the clause that ends with ``head`` names a giver so far and nothing else."""
    breaks = [match.end() for match in _BREAK.finditer(head)]
    letters = _clause(head, breaks[-1] if breaks else 0, len(head), 0).letters
    return "g" in letters and not set(letters) - set("gkdty")


def _masked(text: str) -> str:
    """Dates as blanks, so that their marks do not part clauses; greeting and thanks too; all else stays where it is."""
    for short, spelt in _SLASHED:
        text = short.sub(spelt, text)
    for pattern in (DATE, DAY_ONLY):
        text = pattern.sub(lambda match: " " * len(match[0]), text)
    if (hello := _GREETING.match(text)) is not None:
        text = " " * hello.end() + text[hello.end() :]
    thanks = _THANKS.search(text)
    if thanks is not None and not any(_known(name) for name in thanks["names"].casefold().split()):
        text = text[: thanks.start()].ljust(len(text))
    return text


def _known(word: str) -> bool:
    return word in ROLE_OF or mended(word) is not None


def _tokens(text: str, start: int, end: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Words in lower case with their places, short forms spelt out."""
    for match in _WORD.finditer(text, start, end):
        word = match[0].casefold().rstrip("'")
        if word == "&":
            word = "and"
        for piece in _spelt(word):
            yield piece, match.span()


def _spelt(word: str) -> list[str]:
    if word in _NEGATIVE:
        return _NEGATIVE[word].split()
    if word in _NOT_NT:
        return [word[:-2], "not"]
    if word in ROLE_OF:
        return [word]
    if (short := _SHORT.fullmatch(word)) is not None:
        tail = {"n't": "not", "'ve": "have", "'s": "is" if short[1] in ("she", "he", "it", "that") else "", "'re": "are"}
        return [piece for piece in (short[1], tail.get(short[2], "will")) if piece]
    return [word]


def _clause(text: str, start: int, end: int, shift: int) -> Clause:
    tokens = list(_tokens(text, start, end))
    roles: list[Role] = []
    spans: list[tuple[int, int]] = []
    words: list[str] = []
    at = 0
    while at < len(tokens):
        length, role = _role(tokens, at)
        roles.append(role)
        words.append(" ".join(word for word, _ in tokens[at : at + length]))
        spans.append((tokens[at][1][0] + shift, tokens[at + length - 1][1][1] + shift))
        at += length
    return Clause(
        "".join(role.letters for role in roles),
        tuple(roles),
        tuple(index for index, role in enumerate(roles) for _ in role.letters),
        tuple(spans),
        tuple(words),
        " ".join(token for token, _ in tokens),
    )


def _role(tokens: Sequence[tuple[str, tuple[int, int]]], at: int) -> tuple[int, Role]:
    for length in range(min(LONGEST_PHRASE, len(tokens) - at), 0, -1):
        role = ROLE_OF.get(" ".join(word for word, _ in tokens[at : at + length]))
        if role is not None:
            return length, role
    if (joined := _joined(tokens, at)) is not None:
        return 2, joined
    word = tokens[at][0]
    if any(char.isdigit() for char in word):
        return 1, Role("t")
    near = mended(word)
    return 1, ROLE_OF[near] if near is not None and near in ROLE_OF else Role("u")


def _joined(tokens: Sequence[tuple[str, tuple[int, int]]], at: int) -> Role | None:
    """A word that a thumb has parted: "verb al consent", "con sented"."""
    if len(tokens) < at + 2:
        return None
    pair = tokens[at][0] + tokens[at + 1][0]
    return ROLE_OF.get(pair) if pair in MENDED else None
