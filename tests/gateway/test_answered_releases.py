"""A sender's answer, as it travels in a release: it lets the email go, and never leads to a second question."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import chain, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.carriers import Carried
from gateway.releases import ReleaseTerms
from policies.consent import combine
from policies.decide import decide
from policies.model import Action, Carrier, ConsentStatus, Facts, Kind, Reading
from quarantine.answers.desk import statement_of
from quarantine.answers.words import offers
from tests.support.anyfacts import FACTS
from tests.support.policyfacts import facts, image, shipped, statement

pytestmark = pytest.mark.unit

ADDRESS = "someone@there.example"
BESIDE = {"": "", "reason": "burns, theatre in ten minutes", "address": ADDRESS, "number": "21/LO/1234"}
NOTHING = Carried((), (), None, "new", frozenset())


def released(asked: Facts, tag: str) -> Facts:
    """The facts of the same email when the release brings ``tag``; what it stated before still stands in it."""
    stated = asked.consent.statement
    before = [Reading(one.carrier, (one,)) for one in (*((stated,) if stated else ()), *asked.consent.per_part)]
    carried = ReleaseTerms(statement=tag).added(replace(NOTHING, readings=tuple(before)))
    consent = combine(carried.readings, today=date(2026, 11, 22), vouched=asked.vouched, thread=asked.thread, images_covered=True)
    return replace(asked, consent=consent, hold_ref="ab" * 16)


CLASSES = "ABCDEO"
KINDS = tuple(kind.value for kind in Kind if kind is not Kind.NONE)
STATED = ("none", "v", "w", "i", "emergency")
PURPOSES = tuple(f"P{number}" for number in range(10))
BESIDES: tuple[dict[str, Any], ...] = (
    {}, {"child": True}, {"intimate": True}, {"child": True, "given_by": "parent"}, {"basis": "document"}, {"to_patient": True},
)  # fmt: skip
THREADS, FIRST = ("new", "reply"), (False, True)
SECOND = (None, "K8", "K9")  # a locked file or a page beside the picture: a word for it completes what is stated for the picture


def cell(
    cls: str, kind: str, stated: str, purpose: str, beside: dict[str, Any], thread: str, first: bool, second: str | None
) -> Facts:
    """One cell of the matrix."""
    images = (image(kind), *([image(second, part="1.3")] if second else []))
    return facts(cls, kind, statement(stated, purpose, **beside), thread=thread, first_time=first, images=images)


CELLS = st.builds(
    cell, st.sampled_from(CLASSES), st.sampled_from(KINDS), st.sampled_from(STATED), st.sampled_from(PURPOSES),
    st.sampled_from(BESIDES), st.sampled_from(THREADS), st.booleans(), st.sampled_from(SECOND),
)  # fmt: skip


def follow(asked: Facts) -> int:
    """Answer a question with every word it offers; how many words.  Each must let the email go."""
    decision = decide(shipped(), asked)
    found = offers(decision.answers)
    for offer in found:
        tag = statement_of(offer, BESIDE[offer.needs], [ADDRESS])
        assert tag is not None, offer
        again = decide(shipped(), released(asked, tag))
        assert again.action <= Action.PROTECT, (offer, decision.rule, again.rule, asked.consent, released(asked, tag).consent)
    return len(found)


@settings(max_examples=300)
@given(CELLS | FACTS)
@pytest.mark.slow
def test_no_offered_answer_leads_to_a_second_question(asked: Facts) -> None:
    """Every word of every question lets the email go: nobody is asked twice, and nothing they were offered is refused."""
    follow(asked)


@pytest.mark.slow
@pytest.mark.timeout(600)  # some 40,000 mails
def test_no_offered_answer_of_the_whole_matrix_leads_to_a_second_question() -> None:
    """The same, for every cell."""
    alone = product(CLASSES, KINDS, STATED, PURPOSES, BESIDES, THREADS, FIRST, SECOND[:1])
    mixed = product(CLASSES, KINDS, STATED, PURPOSES, BESIDES, THREADS[:1], FIRST[:1], SECOND[1:])
    assert sum(follow(cell(*one)) for one in chain(alone, mixed)) > 40_000


@settings(max_examples=100)
@given(CELLS)
def test_every_offered_tag_has_a_word_of_its_own(asked: Facts) -> None:
    answers = decide(shipped(), asked).answers
    assert [offer.tag for offer in offers(answers)] == list(answers)
    assert len({offer.word for offer in offers(answers)}) == len(answers)


def test_an_answer_counts_as_an_answer() -> None:
    [reading] = ReleaseTerms(statement="[consent verbal]").added(NOTHING).readings
    [said] = reading.statements
    assert (said.carrier, said.status, said.form) == (Carrier.RELEASE, ConsentStatus.GIVEN, "verbal")


@pytest.mark.parametrize("tag", ["[rash on the arm]", "[]", "[secure]", "[consent unheard-of]"])
def test_what_is_no_tag_says_nothing(tag: str) -> None:
    """Only the service writes it; whatever it wrote, no consent is read that does not stand there."""
    [reading] = ReleaseTerms(statement=tag).added(NOTHING).readings
    assert not any(one.status is ConsentStatus.GIVEN for one in reading.statements)


def test_a_patients_number_in_an_answer_never_goes_on() -> None:
    """In a reason its digits are blanked, as in a tag; the number is looked up for withdrawals."""
    carried = ReleaseTerms(statement="[emergency: 943 476 5919 unconscious in resus]").added(NOTHING)
    [said] = carried.readings[0].statements
    assert "943" not in (said.reason or "")
    assert carried.numbers == ("9434765919",)
