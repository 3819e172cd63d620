"""Lists of words that are looked for in the text of an email: words of care, words of a referral.  Text in, yes or no out.

A line is a word or a few; letters of either case, a plural -s, any white space between the words.  A line that ends in ``weak``
is an everyday word: two different ones are needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

WEAK: Final = "weak"
_MOST: Final = 2000  # lines
_LONGEST: Final = 80  # characters of one
_NEEDED: Final = 2  # different weak words


@dataclass(frozen=True, slots=True)
class Phrases:
    """A list ready to be looked for; ``count`` is how many lines it has."""

    strong: re.Pattern[str] | None = field(default=None, repr=False)
    weak: re.Pattern[str] | None = field(default=None, repr=False)
    count: int = 0

    def said(self, text: str) -> bool:
        """True if ``text`` has one of the words, or two different weak ones.  Linear in the text."""
        if self.strong is not None and self.strong.search(text) is not None:
            return True
        if self.weak is None:
            return False
        seen: set[str] = set()
        for match in self.weak.finditer(text):
            seen.add(_singular(match[0]))
            if len(seen) >= _NEEDED:
                return True
        return False


def _singular(word: str) -> str:
    return word.casefold().removesuffix("s")


@lru_cache(maxsize=8)
def read_phrases(text: bytes, file: str) -> tuple[Phrases, tuple[str, ...]]:
    """The list, and what is wrong with it as printable lines.  # begins a comment."""
    try:
        lines = text.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return Phrases(), (f"{file}:1: not UTF-8 text",)
    strong: list[str] = []
    weak: list[str] = []
    problems = [f"{file}:{_MOST + 1}: more than {_MOST} lines"] if len(lines) > _MOST else []
    for number, line in enumerate(lines[:_MOST], 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        kind = weak if len(words) > 1 and words[-1] == WEAK else strong
        phrase = " ".join(words[:-1] if kind is weak else words).casefold()
        if len(phrase) > _LONGEST or not any(char.isalnum() for char in phrase):
            problems.append(f'{file}:{number}: "{phrase[:40]}" is no word or phrase of at most {_LONGEST} letters')
        else:
            kind.append(phrase)
    return Phrases(_pattern(strong), _pattern(weak), len(strong) + len(weak)), tuple(problems)


def _pattern(phrases: Sequence[str]) -> re.Pattern[str] | None:
    """One pattern for all; the longest first, so that "photo of the wound" is not stopped at "photo"."""
    if not phrases:
        return None
    longest_first = sorted(set(phrases), key=lambda phrase: (-len(phrase), phrase))
    each = (r"\s+".join(re.escape(word) for word in phrase.split()) for phrase in longest_first)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(each)})s?(?![^\W_])", re.I)


def phrase_line(words: list[str]) -> str | None:
    """One line of a published list as it stands in ours."""
    phrase = " ".join(words).casefold()
    return phrase if len(phrase) <= _LONGEST and any(char.isalnum() for char in phrase) else None
