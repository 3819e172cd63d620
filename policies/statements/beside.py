"""What stands beside a tag and unmakes it: "[consent verbal] - TBC", "always put [consent verbal] in the subject".

Most words around a tag are about the picture ("[consent verbal] not healing", "no better [consent verbal]") and leave it as it
is.  Only what touches the tag can be about the tag, and only a few words there say that it is no statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from policies.model import ConsentStatus, Statement

# Marks of doubt, refusal, or a box that is not ticked.
MARKS: Final = "❌✗✘❎⛔\U0001f6ab\U0001f44e☐⬜\U0001f532❓❔\U0001f644\U0001f914\U0001f937"

_END: Final = r"\s*(?=$|[-.,;:!?)\]|/\r\n]|(?:pls|please|thanks)\b)"
_DONE: Final = (
    r"(?:obtained|taken|got|gained|given|done|completed|signed|documented|recorded|confirmed|sought|asked|received|provided"
    r"|consented|agreed|valid|needed|required)\b"
)
_WHO: Final = r"(?:(?:the|this|your|a) )?(?:pt|patient|she|he|they|mum|mom|mother|dad|father|parents?)\b"
_AGREES: Final = r" (?:(?:has|have|is|are|had|was) )?(?:agree|consent|say|said|sign|happy|ok|fine|give|gave|refus|declin|want)"
_BEHIND: Final = re.compile(
    r"[\s\])}\"':;,(|/=-]*(?:"
    rf"[{MARKS}]"
    r"|tb[acd]\b|t\.b\.[acd]|n/a\b|(?:to|will|must) follow\b(?!.?(?:up|on)\b)"
    rf"|(?:(?:yet|still|due) )?to be {_DONE}|(?:yet|still) to (?:obtain|get|ask|sign|confirm|consent|agree|follow)\b"
    rf"|(?:is |was |still )?not (?:yet )?(?:been )?{_DONE}|not yet{_END}|(?:is |was |has )?(?:expired|lapsed|run out)\b"
    r"|(?:is |was |still )?(?:pending|awaiting|awaited|unsure|unclear|unknown|unconfirmed|not sure|refused|declined|denied"
    rf"|withdrawn|withdrew|withheld|revoked|rescinded|no|none|never|missing|later|required|needed|outstanding|invalid){_END}"
    r"|(?:refused|declined|denied|withdrawn|withheld|revoked|rescinded) (?:by|on|today|yesterday|this|after)\b"
    r"|(?:pending|awaiting|need|needs) (?:consent|signature|confirmation|the form|form|mum|mother|dad|father|parents?|ok)\b"
    rf"|(?:only )?(?:not sure |unsure |unclear |unknown )?(?:if|whether|when|once|unless|until|provided) {_WHO}{_AGREES}"
    r"|(?:tags?|template|wording)\b|means\b|goes in\b|in (?:the|your|every|all|each) (?:subject|e-?mails?|first line)\b)",
    re.I,
)
# Somebody talks about the tag, or of what is wanted, right in front of it.
_BEFORE: Final = re.compile(
    r"(?:\b(?:put|use|using|type|typing|write|writing|add|adding|include|including|enter|need|needs|forgot|forget|remember|missing"
    r"|without|no|not|never|awaiting|await|get|getting|obtain|obtaining|seek|seeking|ask for|say|says|words?|phrase|tags?|eg|e\.g"
    r"|example|mean|means|called|is|was|does|did|(?:start|starts|starting|begin|begins|beginning) with)"
    r"\.?(?: (?:the|a|an|your|our|words?|tags?|phrase))*"
    rf"|[{MARKS}])[\s\"'*:(-]*$",
    re.I,
)
_SENTENCE: Final = re.compile(r"[.!?](?=\s)|[\r\n]")
_QUERY: Final = re.compile(r"[\s\])}\"']*\?(?=[\s?!.)]|$)")  # "[consent verbal] ?cellulitis" asks about the disease
# "Is this a BCC [consent verbal]?" asks about the disease too; "Has she agreed [consent verbal]?" does not.
_QUESTION: Final = re.compile(
    r"\W*(?:is|are|was|can|could|would|should|shall|may|do|does|what|which|how|where|why|when|any)\b(?!.*(?:con[cs]en|agree|happy|\bok))",
    re.I | re.S,
)
_LOOK: Final = 120  # characters in front of a tag that are looked at
_PERMITS: Final = (ConsentStatus.GIVEN, ConsentStatus.LIMITED)


def doubted(text: str, stop: int) -> bool:
    """True if the words behind a tag that ends at ``stop`` say that it is not, not yet or no longer so."""
    return _BEHIND.match(text, stop) is not None


def _asked(head: str, text: str, stop: int) -> bool:
    return _QUERY.match(text, stop) is not None and _QUESTION.match(head) is None


def weighed(statements: Iterable[Statement], text: str, span: tuple[int, int]) -> tuple[Statement, ...]:
    """The statements of a tag at ``span``; one that the words beside it unmake is pending: the sender is asked."""
    start, stop = span
    head = _SENTENCE.split(text[max(0, start - _LOOK) : start])[-1]
    about = _BEFORE.search(head) is not None
    doubt = doubted(text, stop) or _asked(head, text, stop)
    return tuple(_pending(said) if _unmade(said, about, doubt) else said for said in statements)


def _pending(said: Statement) -> Statement:
    return replace(said, status=ConsentStatus.PENDING, basis=None)


def _unmade(said: Statement, about: bool, doubt: bool) -> bool:
    return (said.status in _PERMITS and (about or doubt)) or (said.status is ConsentStatus.NOT_REQUIRED and about)
