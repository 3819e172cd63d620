"""Several emails about one patient to one recipient outside: what counts as one more, and what does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.evidence.aggregation import aggregated
from policies.counsel import AGGREGATE, AGGREGATE_UNKNOWN
from policies.files.sidesettings import Aggregation
from policies.model import RecipientClass

pytestmark = pytest.mark.unit

TERMS = Aggregation.model_validate({})
DAY = 86400.0
NOW = 1_000 * DAY
OUT = RecipientClass.APPROVED_CLINICAL


class Past:
    """(picture, message, when) of what went to one recipient about one patient."""

    def __init__(self, *gone: tuple[str, str, float]) -> None:
        self.rows = gone

    def __call__(self, numbers: Sequence[str], recipient: str, since: float) -> list[tuple[str, str]]:
        return [(image, message) for image, message, at in self.rows if at > since]


def codes(
    past: Past, *images: str, terms: Aggregation = TERMS, numbers: Sequence[str] = ("9434765919",), cls: RecipientClass = OUT
) -> frozenset[str]:
    return aggregated(past, terms, numbers, images, "dr.lee@royal-example.example", cls, NOW)


TWO = Past(("a", "m1", NOW - DAY), ("b", "m2", NOW - 2 * DAY))


def test_the_third_mail_with_a_new_picture_is_the_finding() -> None:
    assert codes(Past(), "a") == codes(Past(("a", "m1", NOW)), "b") == frozenset()
    assert codes(TWO, "c") == {AGGREGATE}


def test_pictures_that_were_there_before_add_nothing() -> None:
    """A retry, a duplicate, a reply that shows them again; one new one beside them does."""
    assert codes(TWO, "a") == codes(TWO, "a", "b") == frozenset()
    assert codes(TWO, "a", "c") == {AGGREGATE}


def test_many_pictures_in_one_mail_are_one_mail() -> None:
    assert codes(Past(*((str(at), "m1", NOW) for at in range(9))), "c") == frozenset()


def test_what_went_longer_ago_than_the_policy_says_is_forgotten() -> None:
    old = Past(("a", "m1", NOW - 31 * DAY), ("b", "m2", NOW - DAY))
    assert codes(old, "c") == frozenset()
    assert codes(old, "c", terms=Aggregation.model_validate({"days": 60})) == {AGGREGATE}
    assert codes(TWO, "c", terms=Aggregation.model_validate({"mails": 4})) == frozenset()


@pytest.mark.parametrize("cls", [RecipientClass.OWN, RecipientClass.ARCHIVE, RecipientClass.DENIED])
def test_only_recipients_outside_count(cls: RecipientClass) -> None:
    assert codes(TWO, "c", cls=cls) == frozenset()


def test_without_a_patient_or_a_picture_there_is_nothing_to_count() -> None:
    assert codes(TWO, "c", numbers=()) == codes(TWO) == frozenset()


def test_what_cannot_be_looked_up_is_said_to_be_unknown() -> None:
    """A missing or stale snapshot is a fact of its own, never "not found"."""
    assert aggregated(lambda *_: None, TERMS, ("1",), ("c",), "x@y.example", OUT, NOW) == {AGGREGATE_UNKNOWN}
