"""Turns of speech about consent, built of their parts: "ok'd by mum", "asked the pt and she", "signed the form for".

Each is read as one word with the letters of ``policies.statements.clausewords``; a part alone often means something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Final

from policies.statements.words import WORDS, Word

_PATIENTS: Final = ("patient", "pt", "px", "client", "mum", "mom", "mother", "dad", "father", "parents")
_GIVERS: Final = tuple(f"{the}{who}" for the in ("", "the ") for who in _PATIENTS)
_KIN: Final = (
    "grandmother", "grandfather", "grandparent", "grandparents", "gran", "granny", "nan", "nana", "grandad", "granddad", "aunt",
    "auntie", "uncle", "carer", "foster carer", "foster mother", "foster mum", "foster father", "foster dad", "stepmum",
    "stepmother", "stepdad", "stepfather", *_PATIENTS[4:],
)  # fmt: skip
_PICTURES: Final = (
    "photo", "photos", "pic", "pics", "picture", "pictures", "image", "images", "photograph", "photographs", "these",
)  # fmt: skip
_RECORDS: Final = ("epr", "evolve", "epic", "cerner", "rio", "lorenzo", "emis", "systmone", "medical director", "best practice")
_OKD: Final = ("ok", "okay", "ok'd", "okd", "oked", "okayed", "okay'd", "agreed", "approved")
_ASKED: Final = ("asked", "spoke to", "spoke with", "discussed with", "talked to", "d w", "dw")
_AND_SHE: Final = ("who", "and he", "and she", "and they")
_PR: Final = ("pr", "parental responsibility")
_WE_CAN: Final = tuple(f"{that}{who} can" for that in ("", "that ") for who in ("i", "we", "you"))
_OPINION: Final = ("opinion", "thoughts", "advice", "view", "views")
_MOTHER: Final = Word("given_by", "parental-responsibility")


def _each(*parts: Iterable[str]) -> Iterator[str]:
    """Every phrase that takes one of each part, in order."""
    return (" ".join(filter(None, chosen)) for chosen in product(*parts))


def _giver(phrase: str) -> Word:
    return WORDS[next(who for who in phrase.split() if who in _PATIENTS)]


# (letters, what it sets, the phrases)
_TABLE: Final[tuple[tuple[str, Word | None, Iterable[str]], ...]] = (
    ("d", None, _each(("said", "said that", "says"), ("he", "she", "they"), ("is", "was", "are"))),
    ("d", None, _each(("can i get your", "can i have your"), _OPINION)),
    ("d", None, _each(("no",), ("issue", "issues", "problem", "problems"), ("with consent",))),
    ("g", _MOTHER, _each(_KIN, ("has", "with", "w", "who has"), _PR)),
    ("gc", None, ("residents consent",)),  # of a care home; "resident consented pt" is a doctor
    ("ae", None, _each(("", "has", "have"), ("agreed",), _WE_CAN)),
    ("he", None, _each(("happy",), _WE_CAN)),
    ("a", None, _each(("gave",), ("", "me"), ("ok", "the ok", "the okay", "the nod", "the go ahead", "thumbs up"))),
    ("a", None, ("gives the ok", "gave a thumbs up", "gave the thumbs up")),
    ("fce", Word("form", "written"), _each(("signed",), ("", "a", "the", "our"), ("form for",))),
    ("os", None, _each(_PICTURES, ("going to", "to go to", "go to"))),
    ("s", None, _each(("run",), ("this", "it", "these", "this one"), ("past", "by"))),
    ("es", None, _each(("2",), ("share", "send", "email", "forward", "show", "use"))),
    ("es", None, _each(("to get your",), _OPINION)),
    ("p", Word("purpose", "TRAIN"), _each(("your",), ("teaching", "lecture", "lectures", "students", "student lecture"))),
    ("z", None, _each(("", "scanned", "uploaded", "filed", "recorded"), ("into", "on", "in", "to"), _RECORDS)),
)
# phrase: (letters, what it sets)
PHRASES: Final[Mapping[str, tuple[str, Word | None]]] = {
    **{phrase: (letters, word) for letters, word, phrases in _TABLE for phrase in phrases},
    **{phrase: ("gh", _giver(phrase)) for phrase in _each(_OKD, ("by",), _GIVERS)},
    **{phrase: ("g", _giver(phrase)) for phrase in _each(_ASKED, _GIVERS, _AND_SHE)},
}
