"""Consent in plain sentences: what makes a statement of a sentence and what unmakes it (policies.statements.sentences)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.consent import read_body_line, read_subject
from policies.model import ConsentStatus, Reading
from policies.statements.clausewords import ROLE_OF, ROLES
from policies.statements.dictated import with_marks
from policies.statements.spelling import MENDED, mended

pytestmark = pytest.mark.unit

GIVEN = [
    "Verbal consent obtained",
    "pt consented verbally",
    "Patient is happy for this photo to be shared",
    "Photo taken with the patient's consent",
    "mum agreed",
    "Signed consent form in the notes",
    "both parents happy for us to send the pic to derm",
    "she said it was fine to take the photo and send it to you",
    "Pt signed the photography form today",
    "written consent obtained and scanned to notes",
    "pt has given verbal concent for photo to be sent to tvn",
    "Vc obtained for pic",
]
SPOIL_BEFORE = [
    "Not sure if", "If", "Unless", "No", "Is", "Please get", "Awaiting", "I doubt", "Hopefully", "When", "We need", "Nobody says",
    "Ask whether", "Assuming", "Never", "You said", "The ward says", "Your", "Re", "Old", "Without", "Once",
]  # fmt: skip
SPOIL_AFTER = [
    "?", " tbc", " pending", " not yet", " to follow", " for surgery", " for his biopsy", ", or not", " unless", " but unsure",
    " - not true", " refused", " template", " by somebody else's neighbour", " ❌",
]  # fmt: skip


def permits(reading: Reading) -> bool:
    return any(said.status is ConsentStatus.GIVEN for said in reading.statements)


@pytest.mark.parametrize("sentence", GIVEN)
def test_a_full_sentence_states_consent(sentence: str) -> None:
    for read in (read_subject, read_body_line):
        assert permits(read(sentence)), sentence


@pytest.mark.parametrize("before", SPOIL_BEFORE)
@pytest.mark.parametrize("sentence", GIVEN)
def test_words_before_unmake_it(before: str, sentence: str) -> None:
    """A condition, doubt, wish, order or another speaker in front: nothing was said that counts."""
    for read in (read_subject, read_body_line):
        assert not permits(read(f"{before} {sentence[0].lower()}{sentence[1:]}"))


@pytest.mark.parametrize("after", SPOIL_AFTER)
@pytest.mark.parametrize("sentence", GIVEN)
def test_words_after_unmake_it(after: str, sentence: str) -> None:
    for read in (read_subject, read_body_line):
        assert not permits(read(sentence + after))


FRAMED = [
    "Hi pt has given verbal concent for photo to be sent to tvn thanks Karen x",
    "Hi Sue comma patient has agreed to me sending this full stop",
    "Dear colleague, written consent obtained and scanned to notes",
]


@pytest.mark.parametrize(
    "word", ["not", "no", "never", "if", "unless", "awaiting", "will", "pending", "whether", "cannot", "nicht"]
)
@pytest.mark.parametrize("sentence", [*GIVEN, *FRAMED])
def test_a_word_of_doubt_at_any_place_unmakes_it(sentence: str, word: str) -> None:
    """Before, behind and between the words, in the greeting and behind the thanks."""
    words = sentence.split()
    for at in range(len(words) + 1):
        text = " ".join([*words[:at], word, *words[at:]])
        for read in (read_subject, read_body_line):
            assert not permits(read(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "Hi Need verbal consent from pt",
        "verbal consent from pt thanks Pending",
        "Verbal Consent From Pt Thanks Needed",
        "verbal consent from pt thanks not yet",
        "mum agreed to full stop of feeds",
        "Mum agreed new line of treatment",
        "pt consented to comma shaped incision",
        "Hi Sue comma pt consented to comma shaped incision full stop",
        "pt happy to be sent to derm",
        "pt happy to send the photo to you",
        "pt happy for us to take the photo and show him to derm",
        "I said it was fine, consent obtained by nobody",
        "I said it was fine consent by phone",
        "patient's nurse is happy for the photo to be shared",
        "Mum agreed. She has since changed her mind",
        "Consent mündlich nicht erteilt",
    ],
)
def test_greetings_thanks_dictation_and_places_hide_no_doubt(text: str) -> None:
    """What is looked past (a greeting, a name behind thanks, dictated marks, where it is sent to) never makes a statement."""
    for read in (read_subject, read_body_line):
        assert not permits(read(text)), text


@pytest.mark.parametrize("text", ["Hi Sue comma new line pt agreed full stop", "a comma b", "no consent full stop", " full stop"])
def test_dictated_marks_keep_every_place(text: str) -> None:
    """Spans stay true to the text given."""
    assert len(with_marks(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Photo of rash, verbal consent obtained from pt", "Photo of rash, "),
        ("Verbal consent obtained - lesion", " - lesion"),
        ("45M with leg ulcer. Verbal consent obtained. Thanks", "45M with leg ulcer. . Thanks"),
        ("[secure] pt consented verbally [#4711]", "[secure]  [#4711]"),
        ("pt consented [secure] verbally", "[secure]"),
        ("Hi pt has given verbal consent for photo to be sent thanks Karen x", "Hi  thanks Karen x"),
    ],
)
def test_only_the_words_about_consent_are_cut(text: str, left: str) -> None:
    """What the recipient needs stays: domain 3.6, 3.7."""
    reading = read_subject(text)
    assert permits(reading)
    for start, stop in reversed(reading.spans):
        text = text[:start] + text[stop:]
    assert text == left


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Patient declined photo because of her job", ConsentStatus.REFUSED),
        ("[consent verbal] - patient has since withdrawn consent", ConsentStatus.WITHDRAWN),
        ("Verbal consent obtained. Mum declined photos.", ConsentStatus.REFUSED),
    ],
)
def test_a_refusal_is_heard_beside_anything(text: str, status: ConsentStatus) -> None:
    """Domain 3.6: refused or withdrawn anywhere wins."""
    assert status in {said.status for said in read_subject(text).statements}


def test_an_emergency_in_plain_words_says_why_nobody_could_be_asked() -> None:
    """Domain 4.6: break-glass.  Without brackets the reason must be that the patient could not consent."""
    (said,) = read_subject("Emergency: unconscious, burns advice needed now").statements
    assert (said.status, said.bypass, said.purpose) == (ConsentStatus.BYPASSED, "emergency", "ETREAT")
    for text in (
        "Emergency: theatre lights broken",
        "Emergency department: unconscious bias course",
        "Is this an emergency: unconscious",
    ):
        assert not any(s.status is ConsentStatus.BYPASSED for s in read_subject(text).statements), text


def test_ages_in_the_words_of_a_statement() -> None:
    """S3-14: below 18 the picture is a child's; for one of 16 or 17 a parent's word is not enough."""
    assert read_subject("[consent verbal, 14yo, gillick]").statements[0].child
    assert read_subject("[consent: mum, 8 month old]").statements[0].child
    assert not read_subject("[consent verbal, 54 yo]").statements[0].child
    grown = read_subject("[consent: parent, 17yo]")
    assert [problem.code for problem in grown.problems] == ["consent.young-person"]
    assert [said.status for said in grown.statements] == [ConsentStatus.PENDING]


@pytest.mark.parametrize("word", ["consetn", "cosent", "conssent", "verbla", "obtianed", "writen", "refsued", "awating"])
def test_slips_of_the_thumb_are_mended(word: str) -> None:
    """Settled: autocorrected spellings are read."""
    assert mended(word) in MENDED


@pytest.mark.parametrize(
    "word", ["content", "concert", "patents", "unsigned", "resigned", "assigned", "impatient", "inpatient", "sent"]
)
def test_true_words_are_not_mended(word: str) -> None:
    assert mended(word) is None or mended(word) == word


def test_every_role_is_described() -> None:
    assert {letter for role in ROLE_OF.values() for letter in role.letters} <= ROLES.keys()


WORDS = st.sampled_from([*sorted(ROLE_OF), "surgery", "Smith", "?", "-", ",", ".", "not", "no", ":", "(", ")"])


@given(st.lists(WORDS, max_size=12), st.sampled_from(["?", " pending", " tbc", " not obtained"]))
def test_no_sentence_that_asks_or_waits_permits(words: list[str], end: str) -> None:
    """Whatever words stand in a sentence, a mark of doubt at its end keeps it from permitting."""
    text = " ".join(word for word in words if word not in ".?-,:()") + end
    assert not permits(read_subject(text)), text


@given(st.lists(WORDS, max_size=30))
def test_any_mixture_is_read(words: list[str]) -> None:
    """Total, and spans lie in the text in order."""
    text = " ".join(words)
    for reading in (read_subject(text), read_body_line(text)):
        end = 0
        for start, stop in reading.spans:
            assert end <= start <= stop <= len(text)
            end = stop


@pytest.mark.parametrize(
    "unit", ["consent verbal ", "g ", "[", "((", "verbal, ", '"', "pt happy for ", "1/1/2025 ", "re: ", "refused. ", "not "]
)
def test_reading_is_linear(unit: str) -> None:
    """Ten thousand repetitions of anything take a moment: length is capped before any pattern runs."""
    text = unit * 10_000
    start = time.perf_counter()
    read_subject(text)
    read_body_line(text)
    assert time.perf_counter() - start < 0.5
