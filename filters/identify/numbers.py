"""Patient numbers in short texts (subject, file name, header): NHS, CHI, IHI, Medicare.

A check digit alone is weak evidence: one random 10-digit number in eleven passes as an NHS number, one in five as NHS or CHI.
Therefore ``strong`` needs more: the way the number is written, a word beside it, or a birth date in it.  Sources: NHS Data
Dictionary (modulus 11); Public Health Scotland phsmethods (CHI, modulus 10 from February 2026); AU Base IG (IHI); Services
Australia (Medicare).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_LOOK: Final = 24  # characters before a number in which a word may stand


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number that passes its check.  ``value`` holds the digits only."""

    kind: str  # nhs | chi | ihi | medicare
    value: str = field(repr=False)
    strong: bool


_NUMBER = re.compile(
    r"""(?<![0-9A-Za-z.,:/+\u00a3$])(?<![0-9][\s_-])
        (?:(?P<nhs334>[0-9]{3}(?P<s>[ \u00a0\u2009_.\u2010\u2011\u2013-])[0-9]{3}(?P=s)[0-9]{4})
          |(?P<ihi>8003\s?60[0-9]{2}(?:\s?[0-9]{4}){2})
          |(?P<medicare>[2-6][0-9]{3}[ -][0-9]{5}[ -][0-9](?:[ /-][0-9])?)
          |(?P<chi64>[0-9]{6}[ -][0-9]{4})
          |(?P<plain>[0-9]{10,11}))
        (?![0-9])(?![\s_-][0-9]{2})""",
    re.X,
)
_WORDS: Final = {
    "nhs": re.compile(r"nhs|hospital\s?(?:no|num)|patient\s?(?:no|num|id)|\bh&c|health\s?(?:and|&)\s?care", re.I),
    "chi": re.compile(r"\bchi\b|chi[\s_-]?(?:no|num)", re.I),
    "medicare": re.compile(r"medicare|\bmcare", re.I),
}
_PIECE = re.compile(r"[0-9]+")
_BETWEEN = re.compile(r"[\s_.,/\u2010-\u2015\u2212-]{1,3}")
_PIECES: Final = 5  # into which people break a number
_LONGEST: Final = 16
_PHONE = re.compile(r"(?:tel|phone|mob|mobile|fax|call|ring|ext|dial|bleep|pager)\b[^0-9A-Za-z]{0,6}$|\+[0-9]{0,3}[\s(]*$", re.I)


def find(text: str) -> tuple[Identifier, ...]:
    """Every number in ``text`` that passes a check, once each; the strong ones are worth acting on.  Linear."""
    found: dict[tuple[str, str], Identifier] = {}
    for match in _NUMBER.finditer(_underscores(text)):
        digits = "".join(char for char in match[0] if char.isdigit())
        before = text[max(match.start() - _LOOK, 0) : match.start()]
        for one in _read(match, digits, before):
            known = found.get((one.kind, one.value))
            if known is None or (one.strong and not known.strong):
                found[one.kind, one.value] = one
    return tuple(found.values())


def loose(text: str) -> tuple[str, ...]:
    """Digits of every number that passes a check, however it is spaced and whatever stands beside it.

    Far too many to say that a patient is named; for looking up among the numbers of patients that are known.
    """
    pieces = list(_PIECE.finditer(text))
    found: dict[str, None] = {}
    for at, first in enumerate(pieces):
        digits, end = first[0], first.end()
        if len(digits) < 2:  # nobody writes single figures
            continue
        for piece in (*pieces[at + 1 : at + _PIECES], None):
            if is_nhs(digits) or is_chi(digits) or is_ihi(digits) or is_medicare(digits):
                found[digits] = None
            if piece is None or len(digits) > _LONGEST or _BETWEEN.fullmatch(text, end, piece.start()) is None:
                break
            digits, end = digits + piece[0], piece.end()
    return tuple(found)


def _underscores(text: str) -> str:
    """File names join words by underscores, which count as letters elsewhere: "NHS_9434765919.jpg"."""
    return re.sub(r"(?<=[A-Za-z])_(?=[0-9])", " ", text)


def _read(match: re.Match[str], digits: str, before: str) -> Iterator[Identifier]:
    phone = _PHONE.search(before) is not None or (match["plain"] is not None and digits[0] == "0" and len(digits) == 11)
    if match["ihi"] is not None:
        if is_ihi(digits):
            yield Identifier("ihi", digits, True)
        return
    if match["medicare"] is not None or (match["plain"] is not None and _WORDS["medicare"].search(before)):
        if is_medicare(digits):
            yield Identifier(
                "medicare", digits, bool(_WORDS["medicare"].search(before)) or (match["medicare"] is not None and not phone)
            )
        return
    if len(digits) != 10:
        return
    if is_nhs(digits) and match["chi64"] is None:
        named = _WORDS["nhs"].search(before) is not None
        yield Identifier("nhs", digits, named or (_written_as_nhs(match) and not phone))
    if is_chi(digits) and match["nhs334"] is None:
        named = _WORDS["chi"].search(before) is not None
        # ten digits beginning with 1 may be a time in seconds (2001 to 2033), as in many file names
        yield Identifier("chi", digits, named or (not phone and (match["chi64"] is not None or digits[0] != "1")))


def _written_as_nhs(match: re.Match[str]) -> bool:
    """3-3-4 with blanks and in a range that is issued; with dashes or full stops it may be a North American telephone number."""
    return match["nhs334"] is not None and match["s"] not in "-.\u2010\u2011\u2013" and match[0][0] in "34679"


def is_nhs(digits: str) -> bool:
    """Ten digits, modulus 11; 943 476 5919 is valid."""
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return rest != 10 and rest % 11 == int(digits[9])


def is_chi(digits: str) -> bool:
    """Ten digits beginning with a birth date DDMMYY; modulus 11, or from February 2026 modulus 10."""
    return len(digits) == 10 and _is_date(digits) and (is_nhs(digits) or _luhn(digits))


def _is_date(digits: str) -> bool:
    day, month = int(digits[:2]), int(digits[2:4])
    return 1 <= month <= 12 and 1 <= day <= (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def is_ihi(digits: str) -> bool:
    """Sixteen digits beginning 800360, Luhn."""
    return len(digits) == 16 and digits.startswith("800360") and _luhn(digits)


def is_medicare(digits: str) -> bool:
    """Ten digits (eleven with the person's), the first 2-6, weighted check at the ninth."""
    if len(digits) not in (10, 11) or digits[0] not in "23456":
        return False
    weights = (1, 3, 7, 9, 1, 3, 7, 9)
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % 10 == int(digits[8])


def _luhn(digits: str) -> bool:
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = int(char) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
