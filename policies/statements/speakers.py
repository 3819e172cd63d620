"""Whose words they are: staff cannot agree for a patient, and what is quoted is not the sender's own statement."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

STAFF: Final = (
    "clinician", "doctor", "nurse", "gp", "consultant", "registrar", "sho", "spr", "rn", "hca", "hcp", "midwife", "paramedic",
    "matron", "surgeon", "intern", "locum",
)  # fmt: skip
DEPARTMENTS: Final = ("team", "colleagues", "dermatology", "derm", "plastics", "clinic")


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


_HELPERS: Final = "has|have|had|is|was|are|also|both|now|already|verbally|orally|kindly"
_AGREES: Final = (
    "agree|happy|ok|okay|okd|ok'd|oked|okayed|fine|consents|consented|said|says|willing|approve|comfortable|content|alright"
    "|gave|gives|granted|given consent|given permission|given verbal|given written|asked"
)
# "the patient's nurse is happy", "doctor gave verbal consent", "GP's permission", "verbal consent from the nurse".
_STAFF_AGREES: Final = re.compile(
    rf"\b{_any((*STAFF, *DEPARTMENTS))} (?:(?:{_HELPERS}) )*(?:{_AGREES})"
    rf"|\b{_any(STAFF)}(?:'s)? (?:(?:verbal|written|oral|own) )?(?:consent|permission|agreement)\b"
    rf"|\b(?:consent|verbal|written|oral|telephone|permission|agreement|obtained|gained|given|got|taken) from"
    rf" (?:(?:the|a|my|our|another) )*{_any((*STAFF, *DEPARTMENTS))}\b(?!'s pat)",
    re.I,
)
# A colon behind one of these begins what somebody else has said.
_TELLS: Final = re.compile(r"\b(?:wrote|writes|said|says|stated|states|reported|reports|emailed|texted)\b[^:\n]{0,40}:", re.I)
# Double marks, to the next one or the end; 3" is a measure.  Single marks only where they do not belong to a word.
_QUOTES: Final = re.compile(r"(?<![\w.])\"(?=\S)[^\"]{0,400}\"?|(?<![\w'])'(?=[a-z])[^'\n]{1,80}(?<=\w)'(?!\w)", re.I)
_SAID: Final = re.compile(r"con[cs]en|agree|happ|permi|auth|\bok|fine|verbal|written|signed|\byes\b|approv|willing", re.I)


def by_staff(words: str) -> bool:
    """True if the words (lower case, single spaces) say that one of the staff agreed, not the patient."""
    return _STAFF_AGREES.search(words) is not None


def repeated(sentence: str) -> bool:
    """True if the sentence is put into somebody else's mouth: "Dr Lee wrote: pt agreed"."""
    return _TELLS.search(sentence) is not None


def quoted(text: str) -> list[tuple[int, int]]:
    """Where a text quotes words of agreement: as said by another, or as no agreement at all (the patient "consented")."""
    return [match.span() for match in _QUOTES.finditer(text) if _SAID.search(match[0])]
