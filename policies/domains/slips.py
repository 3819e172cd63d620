"""Slips of the finger: what somebody could have meant who typed a word.  QWERTY keyboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_ROWS: Final = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_LETTERS: Final = "etaoinsrhldcumfpgwybvkxjqz.-_0123456789"


def _neighbours() -> Mapping[str, str]:
    """Each key's neighbours on a QWERTY keyboard: beside it, and above and below it."""
    found: dict[str, set[str]] = {}
    for row, keys in enumerate(_ROWS):
        for at, one in enumerate(keys):
            near = [(row, at - 1), (row, at + 1), (row + 1, at - 1), (row + 1, at), (row - 1, at), (row - 1, at + 1)]
            found[one] = {_ROWS[r][c] for r, c in near if 0 <= r < len(_ROWS) and 0 <= c < len(_ROWS[r])}
    return {one: "".join(sorted(near)) for one, near in found.items()}


NEIGHBOURS: Final = _neighbours()


def slips(word: str) -> Iterator[str]:
    """What somebody could have meant who typed ``word``: letters swapped, doubled, beside the right key, left out, too many.

    The likely ones first; each once; some forty a letter.
    """
    seen = {word}
    for made in _slips(word):
        if made not in seen:
            seen.add(made)
            yield made


def mixed_up(word: str) -> Iterator[str]:
    """What somebody could have meant who confused two names: another vowel (lea, lee), another number (smith12, smith13)."""
    for at, letter in enumerate(word):
        for others in (_VOWELS, _DIGITS):
            if letter in others:
                yield from (word[:at] + other + word[at + 1 :] for other in others if other != letter)


_VOWELS: Final = "aeiouy"
_DIGITS: Final = "0123456789"


def _slips(word: str) -> Iterator[str]:
    places = range(len(word))
    yield from (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1))
    yield from (word[:at] + word[at + 1 :] for at in places)
    yield from (word[:at] + word[at] + word[at:] for at in places)
    yield from (word[:at] + near + word[at + 1 :] for at in places for near in NEIGHBOURS.get(word[at], ""))
    yield from (word[:at] + letter + word[at:] for letter in _LETTERS for at in range(len(word) + 1))
