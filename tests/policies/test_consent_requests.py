"""What a colleague is asked in the same sentence is not what was asked of the patient: the statement beside it counts.

Found by a mail of the sixth set (tests/policies/lines/phone-sixth.txt): a hurried first line often ends with a request.
"""

from __future__ import annotations

import pytest

from policies.consent import read_body_line, read_subject
from policies.model import ConsentStatus

pytestmark = pytest.mark.unit

SAID = ["Pt consented verbally to photo", "Verbal consent obtained for photo", "mum gave verbal consent for photo"]
BEHIND = [
    ", any thoughts?", ", what do you think?", ", is this a BCC?", ", could this be shingles?", ", grateful if you could advise",
    ", would you biopsy?", ", could you see her this week?", ", would appreciate your advice",
    " and i would be grateful for your opinion",
    ", does she need admission?", ", should I refer?", ", let me know what you think", ", can you help?", " can you advise?",
    " what do you think?", " - any advice?",
]  # fmt: skip
AHEAD = [
    "Could you advise on this rash, ", "Please can you review this wound, ", "Would be grateful for your opinion, ",
    "I'd be grateful for advice - ", "Any thoughts on this, ",
]  # fmt: skip
ASKED = [  # about the consent
    ", is that ok?", ", do you need it in writing?", ", yes?", ", right?", ", could you check?",
    ", would you wait until she signs?",
    ", would that be enough?", ", is that what you need?", ", does she need to?", ", could you call mum?", ", should we ask her?",
    ", what do you think, is it enough?", ", could this be used?", ", would you agree?", ", have you got the form?",
    "? what do you think", ", what if she had not?",
]  # fmt: skip
ORDERED = [
    "Could you check, ", "Could you confirm ", "Can you make sure, ", "Please can you check ", "What if ", "what should I use, ",
    "could you call mum, ", "Should I get ", "do i need ", "Can you see if ", "Please ask, ",
]  # fmt: skip


def forms(text: str) -> list[str | None]:
    found = [one for read in (read_subject, read_body_line) for one in read(text).statements]
    return [one.form for one in found if one.status is ConsentStatus.GIVEN]


@pytest.mark.parametrize("tail", BEHIND)
@pytest.mark.parametrize("said", SAID)
def test_a_request_behind_a_statement_leaves_it(said: str, tail: str) -> None:
    assert forms(said + tail) == ["verbal", "verbal"]


@pytest.mark.parametrize("head", AHEAD)
@pytest.mark.parametrize("said", SAID)
def test_a_request_in_front_of_a_statement_leaves_it(said: str, head: str) -> None:
    assert forms(head + said) == ["verbal", "verbal"]


@pytest.mark.parametrize("tail", ASKED)
@pytest.mark.parametrize("said", SAID)
def test_a_question_about_the_consent_unmakes_it(said: str, tail: str) -> None:
    assert not forms(said + tail)


@pytest.mark.parametrize("head", ORDERED)
@pytest.mark.parametrize("said", SAID)
def test_an_order_in_front_of_it_unmakes_it(said: str, head: str) -> None:
    assert not forms(head + said)


@pytest.mark.parametrize("tag", ["[consent verbal]", "consent verbal", "Consent: verbal"])
def test_a_tag_whose_next_words_ask_about_it_is_none(tag: str) -> None:
    assert not forms(f"{tag}, is that what you need?")
    assert not forms(f"{tag} - would that be enough?")
    assert forms(f"{tag}, is this a BCC?") == ["verbal", "verbal"]


@pytest.mark.parametrize("text", ["? pt consented verbally to photo, any thoughts?", "Happy for photo? Pt verbally, any ideas?"])
def test_a_mark_in_front_still_asks(text: str) -> None:
    assert not forms(text)
