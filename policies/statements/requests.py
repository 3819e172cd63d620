"""What a sentence asks of the colleague it is written to: "pt consented verbally to photo, would you biopsy?"

Such a question, in front of the statement or behind it, is about the disease; the statement is read without it.  A question about
the consent itself ("is that what you need?") stays where it is.
"""

from __future__ import annotations

import re
from typing import Final

_YOU: Final = r"(?:you|u|someone|anyone|your team|the team)"
_I: Final = r"(?:i |i'd |we |we'd |id )?"
_OPENERS: Final = (
    r"(?:and |but |so )?(?:"
    rf"{_I}(?:would |should )?(?:be )?(?:very |most |so |really )?grateful (?:for|if (?:you|u) (?:could|would|can))\b"
    rf"|{_I}(?:would )?(?:really |very much |greatly |much )?(?:appreciate|value|welcome|love) (?:your|any|some|an|a|ur)\b"
    rf"|(?:please |pls )?(?:would|could|can|will) {_YOU} (?:please |pls |kindly |possibly )?(?:advise|review|see|help|comment"
    r"|look|have a look|take a look|assess|treat|biopsy|admit|recommend|suggest|manage|refer|excise)\b"
    r"|what (?:would|do|should) (?:you|u) (?:do|think|reckon|advise|suggest|recommend|try)\b"
    r"|how (?:would|should|do) (?:you|u|we|i) (?:treat|manage|dress)\b"
    r"|(?:should|shall) (?:i|we) (?:refer|admit|treat|biopsy|worry|be worried|start|change|continue|discharge|excise|swab|scan)\b"
    r"|(?:does|do) (?:she|he|this|it|they|pt|the patient|the pt) (?:look|need(?! (?:to|it|this|that)\b))\b"
    r"|(?:could|might) (?:this|it) be\b|is (?:this|it) (?:a|an|just|likely|infected|cellulitis|normal|healing|malignant|benign)\b"
    r"|(?:please |pls )?let me know what (?:you|u) think|any (?:thoughts|ideas|advice|suggestions|tips|concerns)\b"
    r")"
)
# Whatever is about the consent, the sending or an order to wait makes it no mere request.
_REST: Final = (
    r"(?:(?!con[cs]en|agree|permi|happy|\bok|fine\b|sign|wait|hold|before|until|once|\bnot\b|n't|delete|ignore|without"
    r"|\bask|check|confirm|verbal|written|form\b|send|sent|shar|forward|\bif\b|\bwhe|enough|\buse|valid|assum|probabl"
    r"|maybe|doubt|sure\b)[^,;:.!?()\n]){0,120}"
)
_BEHIND: Final = re.compile(rf"(?:(?<=[,;:(])|(?<=\s-)|(?<=[a-z\d)]))\s+{_OPENERS}{_REST}\s*$", re.I)
_AHEAD: Final = re.compile(rf"\W*{_OPENERS}{_REST}(?:[,;:]|\s-(?=\s))", re.I)
# Behind a statement these ask about it.
_ABOUT_IT: Final = re.compile(
    r"[\s\])},;:-]*(?:(?:is|was|would|will|does|should) (?:that|this|it) (?:be )?(?:what|ok|okay|enough|fine|right|correct"
    r"|sufficient|needed|required|alright|all right|good|do|count|valid|suffice)\b"
    r"|(?:do|did|have|has|should|shall) (?:you|we|i|she|he|they) (?:need|want|have|get|got|ask|give|given|consent|agree)\b"
    r"|(?:yes|yeah|right|correct|ok|okay|no)\s*\?)[^.!?\n]{0,80}\?",
    re.I,
)


def trimmed(text: str, start: int, end: int, asked: bool) -> tuple[int, int, bool]:
    """The sentence at ``start`` to ``end`` without its requests, and whether it still asks."""
    behind = _BEHIND.search(text, start, end)
    if behind is not None:
        end = behind.start()
        asked = asked and text[:start].rstrip()[-1:] == "?"
    ahead = _AHEAD.match(text, start, end)
    return (ahead.end() if ahead is not None else start), end, asked


def asks_about_it(text: str, stop: int) -> bool:
    """True if what follows a statement that ends at ``stop`` asks whether it will do: "consent verbal, is that enough?" """
    return _ABOUT_IT.match(text, stop) is not None
