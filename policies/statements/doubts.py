"""What a text says against a consent stated elsewhere: "verbal consent" in the subject, "will get consent tomorrow" below it.

It is no statement of its own and takes nothing away but an agreement: an emergency, or a picture of no patient, needs none.
"""

from __future__ import annotations

import re
from typing import Final

from policies.statements.clausewords import PROCEDURES

_WORD: Final = r"(?:consent|consented|permission|agreed|agreement)\b"
_FILL: Final = (
    r"(?: (?:yet|been|have|has|had|given|give|gave|got|get|getting|any|verbal|verbally|the|her|his|their|your|pt|pts|pt's|patient"
    r"|patients|patient's|she|he|they|mum|mum's|dad|mother|father|parents?|from|actually|obtained|obtain|to|a|asked|ask|for|proper|explicit"
    r"|informed|photo|able|chance|time|received|we|i|my|sought|seek|really|need|needs|still|sure|if|whether|certain)){0,6}"
)
# "No written consent" leaves the verbal; "no consent needed" and "no problem with consent" doubt nothing.
_DOUBTS: Final = (
    re.compile(
        rf"\b(?:no|not|never|hasn'?t|haven'?t|hadn'?t|didn'?t|without|w/o|awaiting|await|pending|will|i'll|we'll|forgot|forgotten)"
        rf"{_FILL} {_WORD}(?! (?:is |was )?(?:needed|required|necessary|issues?|problems?|applicable)\b)"
        r"(?! to (?!(?:the |this |these |a |any |my |our |us )?(?:photo|pic|picture|image|shar|send|be|email|it\b)))"
    ),
    re.compile(
        r"\b(?:unable to|can'?t|cannot|couldn'?t|could not|need to|needs to|have to|going to) (?:get|obtain|reach|ask|seek)"
        rf"{_FILL} {_WORD}"
    ),
    re.compile(
        r"\b(?:consent|permission)(?: (?:is|was|has|still|form|been|currently|yet|from \w+"
        r"|for (?:the )?(?:photos?|pics?|images?))){0,3}"
        r" (?:pending|awaited|outstanding|tbc|unclear|uncertain|to be (?:obtained|confirmed|taken|sought|got)"
        r"|not (?:yet )?(?:been )?(?:obtained|given|taken|sought|documented))\b"
    ),
    re.compile(
        r"^\W*(?:hi |so |but |and )*(?:did|has|have|does) (?:(?:the|this) )?(?:pt|px|patient|client|he|she|they|mum|mom|mother"
        r"|dad|father|parents?|you|we|anyone|someone)"
        rf"(?: (?:got|get|have|had|her|his|the|any|verbal|verbally|already|actually|given|give|us)){{0,4}} (?:{_WORD}|agree\b)"
    ),
)  # fmt: skip
# A first line that goes on with its subject: "Pt consented" - "NOT", "verbal consent" - "not needed here".
_GOES_ON: Final = re.compile(
    r"\W*(?:not (?:needed|required|obtained)\b|(?:not|not yet|not given|not asked|needed|required|pending|tbc|awaited"
    r"|(?:just )?test(?:ing)?(?: only| mail| email)?)\W*$)"
)
_ABOUT: Final = re.compile("consent|permission|agree", re.I)
_SENTENCE: Final = re.compile(r"[.!?;\r\n]+(?:\s|$)")
LONGEST: Final = 400  # characters of a sentence


def doubts(text: str) -> bool:
    """True if a sentence of ``text`` (plain marks) says that there is no consent yet, or asks whether there is."""
    if _GOES_ON.match(text.casefold()) is not None:
        return True
    if _ABOUT.search(text) is None:
        return False
    for sentence in _SENTENCE.split(text.casefold()):
        said = " ".join(sentence.split())
        if len(said) <= LONGEST and PROCEDURES.isdisjoint(re.findall(r"\w+", said)) and any(one.search(said) for one in _DOUBTS):
            return True
    return False
