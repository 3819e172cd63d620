"""Words of consent as a thumb mistypes them: two letters swapped, one missing or one too many.  Never another letter for one.

"content" for "consent" and the like stay what they are: a letter replaced often makes another true word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SHORTEST: Final = 6  # letters of a word that may be mended
LONGEST: Final = 16
# The words worth mending.  Negations are among them, so that a misspelt "awaiting" does not pass for nothing.
MENDED: Final = (
    "consent", "consented", "verbal", "verbally", "written", "obtained", "documented", "patient", "parent", "mother", "father",
    "signed", "telephone", "electronic", "agreed", "refused", "declined", "withdrawn", "withdrew", "awaiting", "pending",
    "referral", "opinion", "teaching", "publication", "intimate", "emergency", "gillick", "competent", "permission", "sharing",
    "shared", "photograph", "picture", "without", "unable", "capacity",
)  # fmt: skip
# True words that a slip of MENDED also gives.
_TRUE_WORDS: Final = frozenset({"singed", "sinned", "apparent", "parents", "patients", "bother", "further", "farther", "gather"})


def _shorter(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))}


def _swapped(word: str) -> set[str]:
    return {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}


def _slips() -> dict[str, str]:
    slips: dict[str, str] = {}
    for word in MENDED:
        for slip in _shorter(word) | _swapped(word):
            slips.setdefault(slip, word)
    return {slip: word for slip, word in slips.items() if slip not in MENDED and len(slip) >= SHORTEST - 1}


_SLIPS: Final[Mapping[str, str]] = _slips()
_KNOWN: Final = frozenset(MENDED)


def mended(word: str) -> str | None:
    """The word of consent that ``word`` (lower case) is a slip of, or None."""
    if not SHORTEST - 1 <= len(word) <= LONGEST or word in _TRUE_WORDS:
        return None
    if word in _SLIPS:
        return _SLIPS[word]
    return next((short for short in sorted(_shorter(word)) if short in _KNOWN and len(short) >= SHORTEST), None)
