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
from policies.statements.requests import asks_about_it

# Marks of doubt, refusal, or a box that is not ticked.
MARKS: Final = "❌✗✘❎⛔\U0001f6ab\U0001f44e☐⬜\U0001f532❓❔\U0001f644\U0001f914\U0001f937"

_END: Final = r"\s*(?=$|[-.,;:!?)\]|/\r\n]|(?:pls|please|thanks)\b)"
_DONE: Final = (
    r"(?:obtained|taken|got|gained|given|done|completed|signed|documented|recorded|confirmed|sought|asked|received|provided"
    r"|consented|agreed|valid|needed|required)\b"
)
_WHO: Final = r"(?:(?:the|this|your|a) )?(?:pt|px|client|patient|she|he|they|mum|mom|mother|dad|father|parents?)\b"
_AGREES: Final = r" (?:(?:has|have|is|are|had|was) )?(?:agree|consent|say|said|sign|happy|ok|fine|give|gave|refus|declin|want)"
_BEHIND: Final = re.compile(
    r"[\s\])}\"':;,(|/=-]*(?:"
    rf"[{MARKS}]"
    r"|tb[acd]\b|t\.b\.[acd]|n/a\b|y(?:es)? ?/ ?no?\b|delete as\b|(?:to|will|must) follow\b(?!.?(?:up|on)\b)"
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
# Words to choose from, and nobody has chosen: "consent verbal Y/N", "[consent verbal/written]", "[verbal] [written] [parent]".
_CHOICE: Final = re.compile(
    r"\b(?:y(?:es)?|given|obtained|agreed|happy)\s*(?:/|\bor\b)\s*(?:n(?:o|ot \w+)?|refused|declined|withheld)\b|\bdelete as\b"
    r"|\b(?:circle|tick|choose|select|delete) (?:one|as|which)",
    re.I,
)
# Words of one kind that exclude each other; "parent/guardian" and "verbal/telephone" do not.
_KINDS: Final = (
    {"verbal": 1, "oral": 1, "telephone": 1, "phone": 1, "written": 2, "signed": 2, "electronic": 3, "implied": 4},
    {"patient": 1, "pt": 1, "parent": 2, "parental": 2, "mum": 2, "mom": 2, "dad": 2, "guardian": 2},
)
_EITHER: Final = re.compile(r"(?=\b([^\W\d_]+)\s*(?:/|\bor\b)\s*([^\W\d_]+)\b)")
_FEWEST: Final = 3  # tags that all say something else: nobody means all of them
_PERMITS: Final = (ConsentStatus.GIVEN, ConsentStatus.LIMITED)


def doubted(text: str, stop: int) -> bool:
    """True if the words behind a tag that ends at ``stop`` say that it is not, not yet or no longer so."""
    return _BEHIND.match(text, stop) is not None


def _asked(head: str, text: str, stop: int) -> bool:
    return asks_about_it(text, stop) or (_QUERY.match(text, stop) is not None and _QUESTION.match(head) is None)


def to_choose(text: str) -> bool:
    """True for words that offer a choice and do not make it."""
    if _CHOICE.search(text) is not None:
        return True
    pairs = [(match[1].casefold(), match[2].casefold()) for match in _EITHER.finditer(text)]
    return any(kind.get(one, 0) != kind.get(other, 0) for one, other in pairs for kind in _KINDS if {one, other} <= kind.keys())


def listed(statements: Iterable[Statement]) -> bool:
    """True if the tags of one line are a list to choose from: three or more that permit, each in another way."""
    ways = [(said.form, said.given_by) for said in statements if said.status in _PERMITS]
    return len(ways) >= _FEWEST and len(set(ways)) == len(ways)


def agrees(said: Statement) -> bool:
    """True for a statement that somebody agreed."""
    return said.status in _PERMITS


def pending(said: Statement) -> Statement:
    """The statement as one that permits nothing."""
    return replace(said, status=ConsentStatus.PENDING, basis=None)


def weighed(statements: Iterable[Statement], text: str, span: tuple[int, int]) -> tuple[Statement, ...]:
    """The statements of a tag at ``span``; one that the words beside it unmake is pending: the sender is asked."""
    start, stop = span
    head = _SENTENCE.split(text[max(0, start - _LOOK) : start])[-1]
    about = _BEFORE.search(head) is not None
    doubt = doubted(text, stop) or _asked(head, text, stop)
    return tuple(pending(said) if _unmade(said, about, doubt) else said for said in statements)


def _unmade(said: Statement, about: bool, doubt: bool) -> bool:
    return (said.status in _PERMITS and (about or doubt)) or (said.status is ConsentStatus.NOT_REQUIRED and about)
