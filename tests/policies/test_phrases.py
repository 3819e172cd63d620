"""Rules in plain words: a complaint's page prints them for the patient."""

from __future__ import annotations

import pytest

from policies.conditions import WHEN
from policies.trial.phrases import ON_FILE, condition

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("on_file", "outside", "the consent register says that the patient left other uses only"),
        ("purpose", ["none", "care"], "for a use that is not named or care"),
        ("one_recipient", "yes", "the email goes to no more people than an emergency may"),
        ("healthcare", "no", "this is not so: the register lists treatment for the recipient's domain"),
        ("first_time", ["yes", "unknown"], "the sender writes to this recipient for the first time: yes or unknown"),
        ("consent", ["unspecified", "none"], "consent: agreed without saying how or nothing stated"),
    ],
)
def test_a_condition_reads_as_a_sentence(key: str, value: object, said: str) -> None:
    """Symptom: "and what the consent register says; limited: this use is left, outside: it is not: outside then it waits"."""
    assert condition(key, value) == said


def test_every_word_of_what_is_on_file_is_said_in_words() -> None:
    assert set(ON_FILE) == set(WHEN["on_file"][0])
