"""A statement as the tag a person would type for it: what a notice offers to somebody who has stated consent already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from policies.model import ConsentStatus, Statement

CHECKED: Final = "right address"  # the word for "I have looked at the recipients again"
NUMBER: Final = "NUMBER-1"  # stands for a reference the sender named: a notice repeats none
_GIVERS: Final[Mapping[str, str]] = {
    "parental-responsibility": "parent",
    "guardian": "guardian",
    "attorney": "attorney",
    "deputy": "deputy",
    "executor": "executor",
    "family": "family",
    "best-interests": "best interests",
}
_PURPOSES: Final[Mapping[str, str]] = {
    "COC": "referral",
    "TREAT": "treatment",
    "ETREAT": "emergency treatment",
    "PATRQT": "patient request",
    "TRAIN": "teaching",
    "HRESCH": "research",
    "PUBLISH": "publication",
    "HQUALIMP": "audit",
    "PATSFTY": "incident",
    "HLEGAL": "legal",
    "HPAYMT": "insurance",
    "PUBHLTH": "public health",
}
_BASES: Final[Mapping[str, str]] = {
    "not-patient": "not a patient image",
    "teaching": "teaching, no patients",
    "document": "document",
    "no-patient-picture": "no patient picture",
}
_CAPACITIES: Final[Mapping[str, str]] = {"gillick": "gillick", "lacks": "lacks capacity"}
_AGREED: Final = (ConsentStatus.GIVEN, ConsentStatus.LIMITED)


def tag_of(statement: Statement) -> str | None:
    """``[consent written, parent, teaching]``; None for a statement that no tag can make.

    The caller reads it back: what cannot be said in words (``gmc-17``, a scope of its own) is lost here.
    """
    if statement.status is ConsentStatus.NOT_REQUIRED and (basis := _BASES.get(statement.basis or "")):
        words = [basis]
    elif statement.status in _AGREED and (statement.form or statement.given_by):
        words = [" ".join(filter(None, ("consent", statement.form)))]
    else:
        return None
    return f"[{', '.join([*words, *_more(statement)])}]"


def also(tag: str, word: str) -> str:
    """The tag with one more word."""
    return f"{tag[:-1]}, {word}]"


def _more(statement: Statement) -> Iterator[str]:
    """The words behind the first, in the order people say them."""
    if statement.status is ConsentStatus.LIMITED:
        yield "limited"
    for value, table in (
        (statement.given_by, _GIVERS),
        (statement.purpose, _PURPOSES),
        (statement.capacity, _CAPACITIES),
        (statement.basis if statement.status in _AGREED else None, _BASES),
    ):
        if value is not None and value in table:
            yield table[value]
    flags = {"child": statement.child and statement.given_by != "parental-responsibility" and statement.capacity != "gillick"}
    flags |= {"intimate": statement.intimate, "deceased": statement.deceased, "anonymised": not statement.identifiable}
    yield from (word for word, said in flags.items() if said)
    if statement.record is not None:
        yield f"ref {NUMBER}"
    if statement.dated is not None:
        yield _day(statement.dated)
    if statement.expires is not None:
        yield f"until {_day(statement.expires)}"


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"
