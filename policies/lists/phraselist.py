"""Lists of words that are looked for in the text of an email: words of care, words of a referral.  Text in, yes or no out.

A line is a word or a few; letters of either case, a plural -s, any white space between the words.  A line that ends in ``weak``
holds everyday words that mean the same, ``photo/picture  weak``: words of two such lines are needed.  Links do not count as text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

WEAK: Final = "weak"
_MOST: Final = 2000  # lines
_LONGEST: Final = 200  # characters of one
_NEEDED: Final = 2  # lines of weak words


@dataclass(frozen=True, slots=True)
class Phrases:
    """A list ready to be looked for; ``count`` is how many lines it has."""

    strong: re.Pattern[str] | None = field(default=None, repr=False)
    weak: re.Pattern[str] | None = field(default=None, repr=False)
    count: int = 0

    def said(self, text: str) -> bool:
        """True if ``text`` has one of the words, or weak ones of two lines.  Linear in the text."""
        text = " ".join(word for word in text.split() if not _is_link(word))
        if self.strong is not None and self.strong.search(text) is not None:
            return True
        if self.weak is None:
            return False
        seen: set[int | None] = set()
        for match in self.weak.finditer(text):
            seen.add(match.lastindex)
            if len(seen) >= _NEEDED:
                return True
        return False


def _is_link(word: str) -> bool:
    return "://" in word or ("." in word.partition("/")[0] and "/" in word)


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
    groups = [f"({_either(line.split('/'))})" for line in weak]
    return Phrases(_pattern([_either(strong)] if strong else []), _pattern(groups), len(strong) + len(weak)), tuple(problems)


def _pattern(each: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(each)})s?(?![^\W_])", re.I) if each else None


def _either(phrases: Sequence[str]) -> str:
    """Any of them; the longest first, so that "photograph" is not stopped at "photo"."""
    longest_first = sorted({phrase.strip() for phrase in phrases} - {""}, key=lambda phrase: (-len(phrase), phrase))
    return "|".join(r"\s+".join(re.escape(word) for word in phrase.split()) for phrase in longest_first)


def phrase_line(words: list[str]) -> str | None:
    """One line of a published list as it stands in ours."""
    phrase = " ".join(words).casefold()
    return phrase if len(phrase) <= _LONGEST and any(char.isalnum() for char in phrase) else None
