"""What people say around an answer that changes nothing in it: a request to send, how they asked, what was pictured instead.

Each is known only in a closed shape, up to the end of its clause; one word more and it is read as any other word.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Final

from quarantine.answers import lexicon

_POLITE: Final = r"(?:(?:please|pls|plz|kindly|just|thanks|thank you|many thanks|thx|ta|cheers)\b ?)"
_WHAT: Final = r"(?:it|this|that|them|the (?:e ?mail|message|mail|picture|photo|image|pic)s?)"
_VERB: Final = (
    rf"(?:(?:send(?: {_WHAT})?|release {_WHAT})(?: (?:on|off|out|through|over))?"
    rf"|get {_WHAT} (?:off|out|sent|through|over)|let {_WHAT} (?:go|through))"
)
_SOON: Final = (
    r"asap|a s a p|now|today|straight ?away|right away|immediately|urgently|quickly|quick|as soon as (?:possible|you can)"
)
_WHEN: Final = rf"(?: (?:{_SOON}))"
# "can you send asap thanks", "please release it": never "can you send verbal", never "can you send asap to ask".
_REQUEST: Final = re.compile(
    rf"(?:^|(?<= ))(?:(?:so|and) )?{_POLITE}*(?:(?:can|could|would|will) (?:you|u) {_POLITE}*)?{_VERB}{_WHEN}?(?: {_POLITE}*)?$"
)
_DICTATED: Final = (
    (re.compile(r"\b(?:full stop|exclamation (?:mark|point))(?=\W|$)", re.IGNORECASE), ". "),
    (re.compile(r"\bcomma(?=\W|$)", re.IGNORECASE), ", "),
    (re.compile(r"\bquestion mark(?=\W|$)", re.IGNORECASE), " ? "),
    # "a new line" is a thing, in a clinic most of all
    (re.compile(r"(?<!\ba )(?<!\bthe )(?<!\bher )(?<!\bhis )(?<!\bfor )\bnew (?:line|paragraph)(?=\W|$)", re.IGNORECASE), "\n"),
)
_YES: Final = r"(?:said (?:yes|ok|okay)|agreed|consented|was happy)"
_ASKED: Final = r"when (?:i|we) asked(?: (?:her|him|them|the patient|patient|pt))?"
_MOMENT: Final = r"(?: (?:today|this morning|this afternoon|in clinic|at the bedside))?"
_WHEN_ASKED: Final = (
    re.compile(rf"\b(?P<said>{_YES}) {_ASKED}{_MOMENT}(?=\W*$)"),
    re.compile(rf"\b{_ASKED} (?P<said>(?:she|he|they|the patient|patient|pt) {_YES}){_MOMENT}(?=\W*$)"),
)
_CLINICAL: Final = re.compile(r".{2,}(?:oma|omas|omata|itis|osis|aemia|ectomy|otomy|ostomy|oscopy|plasty|opathy|algia|rrhoea)$")
_DENIES: Final = frozenset({"no", "not", "none", "nobody", "without", "never", "non", "isn't", "isnt"})
_SOME: Final = frozenset({"a", "the", "our", "my", "this", "one", "is"})
_MOST_WORDS: Final = 6  # that say what a thing is
_FEW_WORDS: Final = 2  # a clause no longer than this says what a thing is, however it begins


def dictated(line: str) -> str:
    """A line with the stops that somebody spoke and a phone wrote out as words."""
    for spoken, stop in _DICTATED:
        line = spoken.sub(stop, line)
    return line


def when_asked(text: str) -> str:
    """A clause, folded: "she said yes when I asked her" says no more than "she said yes"."""
    for shape in _WHEN_ASKED:
        text = shape.sub(lambda found: found["said"], text)
    return text


def without_request(tokens: Sequence[str]) -> tuple[list[str], bool]:
    """The words before a request to send, and whether there is one.  Its question mark goes with it where it stands alone."""
    alone = list(tokens[:-1] if tokens[-1:] == ["?"] else tokens)
    found = _REQUEST.search(" ".join(alone))
    if found is None or "?" in alone:
        return list(tokens), False
    before = " ".join(alone)[: found.start()].split()
    if found[0] == "send":  # a word like any other where nothing says that it asks
        return list(tokens), False
    if not before:
        return [], True
    if len(alone) < len(tokens) or before[-1] in lexicon.BEFORE_NO_REQUEST or before[-1].endswith("n't"):
        return list(tokens), False
    return before, True


def thing(tokens: Sequence[str]) -> bool:
    """True if these words, behind "not a patient", say only what it is: "it's a lamp", never "just her arm"."""
    for length in (4, 3, 2):
        if " ".join(tokens[:length]) in lexicon.IT_IS:
            said = tokens[length:]
            return 0 < len(said) <= _MOST_WORDS and not any(_speaks_against(word) for word in said)
    return False


def somebody(tokens: Sequence[str]) -> bool:
    """True if words that go with "not a patient" say that a person, or a part of one, is pictured: "it is her arm", "arm"."""
    describes = 0 < len(tokens) <= _FEW_WORDS or " ".join(tokens).startswith(lexicon.PICTURES_OF)
    if describes and any(_of_a_person(word) for word in tokens):
        return True
    pairs = itertools.pairwise(tokens)
    return not _DENIES & set(tokens) and any(first in _SOME and second in ("patient", "pt") for first, second in pairs)


def _of_a_person(word: str) -> bool:
    bare = word.removesuffix("'s")
    return bare in lexicon.PEOPLE or bare.removesuffix("s") in lexicon.PEOPLE or _CLINICAL.match(bare) is not None


def _speaks_against(word: str) -> bool:
    known = lexicon.DOUBTS | lexicon.QUESTIONS | lexicon.ATOMS.keys() | {"patient", "patients", "patient's", "pt", "pts", "?"}
    return word in known or word.endswith("n't") or not word.isalpha() or _of_a_person(word)
