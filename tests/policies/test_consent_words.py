"""Consent as people type it: subjects and first lines, from phones, with autocorrection and without brackets."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.consent import read_body_line, read_subject
from policies.model import ConsentStatus, Reading

pytestmark = pytest.mark.unit

# subject -> what it says: status, form, purpose, giver, basis ("" = none); what is left when the spans are cut
SUBJECTS: list[tuple[str, tuple[str, str, str, str, str], str]] = [
    ("[consent verbal] burn", ("given", "verbal", "", "", ""), " burn"),
    ("Burn for review [consent verbal]", ("given", "verbal", "", "", ""), "Burn for review "),
    ("[Consent Verbal] burn", ("given", "verbal", "", "", ""), " burn"),
    ("[CONSENT: VERBAL]", ("given", "verbal", "", "", ""), ""),
    ("[Consent : verbal ]", ("given", "verbal", "", "", ""), ""),
    ("[consent verbals] burn", ("given", "verbal", "", "", ""), " burn"),
    ("[consent herbal] burn", ("given", "verbal", "", "", ""), " burn"),
    ("[concent verbal]", ("given", "verbal", "", "", ""), ""),
    ("[verbal consent]", ("given", "verbal", "", "", ""), ""),
    ("[verbal consent given]", ("given", "verbal", "", "", ""), ""),
    ("[consent oral]", ("given", "verbal", "", "", ""), ""),
    ("[consent – spoken]", ("given", "verbal", "", "", ""), ""),
    ("［consent verbal］ x", ("given", "verbal", "", "", ""), " x"),
    ("(consent verbal) x", ("given", "verbal", "", "", ""), " x"),
    ("{consent verbal} x", ("given", "verbal", "", "", ""), " x"),
    ("“consent verbal” x", ("given", "verbal", "", "", ""), " x"),
    ("consent verbal", ("given", "verbal", "", "", ""), ""),
    ("Consent verbal burn on arm", ("given", "verbal", "", "", ""), " burn on arm"),
    ("Consent verbal - burn on arm", ("given", "verbal", "", "", ""), "- burn on arm"),
    ("Consent: verbal, patient. Burn", ("given", "verbal", "", "patient", ""), ". Burn"),
    ("Verbal consent obtained - lesion", ("given", "verbal", "", "", ""), "- lesion"),
    ("[consent verbal", ("given", "verbal", "", "", ""), ""),
    ("[consent by phone]", ("given", "telephone", "", "", ""), ""),
    ("[consent telephone; second opinion]", ("given", "telephone", "COC", "", ""), ""),
    ("[consent written, teaching]", ("given", "written", "TRAIN", "", ""), ""),
    ("[consent signed form]", ("given", "written", "", "", ""), ""),
    ("[written consent, case report]", ("given", "written", "PUBLISH", "", ""), ""),
    ("[consent form: verbal]", ("given", "verbal", "", "", ""), ""),
    ("[consent e-form]", ("given", "electronic", "", "", ""), ""),
    ("[consent implied]", ("given", "implied", "", "", ""), ""),
    ("[consent: parent]", ("given", "", "", "parental-responsibility", ""), ""),
    ("[consent verbal, mum]", ("given", "verbal", "", "parental-responsibility", ""), ""),
    ("[consent written, research, ref REC-123]", ("given", "written", "HRESCH", "", ""), ""),
    ("[consent verbal 20/11/2025 referral]", ("given", "verbal", "COC", "", ""), ""),
    ("[consent verbal, 20th Nov 2025]", ("given", "verbal", "", "", ""), ""),
    ("[consent verbal, patient, today, 2nd opinion]", ("given", "verbal", "COC", "patient", ""), ""),
    ("[emergency: unconscious, burns unit]", ("bypassed", "", "ETREAT", "", ""), ""),
    ("[EMERGENCY airway at risk]", ("bypassed", "", "ETREAT", "", ""), ""),
    ("[not a patient image] logo", ("not-required", "", "", "", "not-patient"), " logo"),
    ("[Not a patient’s image]", ("not-required", "", "", "", "not-patient"), ""),
    ("[not patient]", ("not-required", "", "", "", "not-patient"), ""),
    ("[teaching, no patients] deck", ("not-required", "", "", "", "teaching"), " deck"),
    ("[no patient picture]", ("not-required", "", "", "", "no-patient-picture"), ""),
    ("[document]", ("not-required", "", "", "", "document"), ""),
    ("[withdrawn]", ("withdrawn", "", "", "", ""), ""),
    ("[consent withdrawn]", ("withdrawn", "", "", "", ""), ""),
    ("[refused]", ("refused", "", "", "", ""), ""),
    ("[consent declined]", ("refused", "", "", "", ""), ""),
    ("[consent refused: changed her mind]", ("refused", "", "", "", ""), ""),
    ("[refused consent - see notes]", ("refused", "", "", "", ""), ""),
    ("[consent withdrawn, mind changed]", ("withdrawn", "", "", "", ""), ""),
    ("[patient does not consent]", ("refused", "", "", "patient", ""), ""),
    ("[consent verbal refused]", ("refused", "verbal", "", "", ""), ""),
    ("consent verbal burn declined", ("refused", "verbal", "", "", ""), ""),
    ("[no consent]", ("pending", "", "", "", ""), ""),
    ("[consent not obtained]", ("pending", "", "", "", ""), ""),
    ("consent verbal not obtained", ("pending", "verbal", "", "", ""), ""),
    ("[consent to follow]", ("pending", "", "", "", ""), ""),
    ("[to patient]", ("given", "", "PATRQT", "", ""), ""),
    ("Verbally consented - burn", ("given", "verbal", "", "", ""), "- burn"),
    ("[consent by text message]", ("given", "electronic", "", "", ""), ""),
    ("[not a pt]", ("not-required", "", "", "", "not-patient"), ""),
    ("[consent verbal 22/11]", ("given", "verbal", "", "", ""), ""),
    ("[consent=verbal]", ("given", "verbal", "", "", ""), ""),
    ("CONSENT VERBAL!", ("given", "verbal", "", "", ""), "!"),
    ("[intimate]", ("pending", "", "", "", ""), ""),
]


def cut(text: str, reading: Reading) -> str:
    for start, end in reversed(reading.spans):
        text = text[:start] + text[end:]
    return text


@pytest.mark.parametrize(("subject", "expected", "left"), SUBJECTS)
def test_subject_as_people_write_it(subject: str, expected: tuple[str, ...], left: str) -> None:
    """Each subject says what a reader would take it to say, and its tag can be cut out."""
    reading = read_subject(subject)
    (said,) = reading.statements
    assert (said.status.value, said.form or "", said.purpose or "", said.given_by or "", said.basis or "") == expected
    assert cut(subject, reading).strip() == left.strip()


@pytest.mark.parametrize(
    ("line", "form", "giver", "purpose", "dated"),
    [
        ("Consent: verbal, patient, 20/11/2025, referral", "verbal", "patient", "COC", date(2025, 11, 20)),
        ("Consent verbal patient 20/11/2025 referral", "verbal", "patient", "COC", date(2025, 11, 20)),
        ("consent verbal", "verbal", None, None, None),
        ("Consent; verbals", "verbal", None, None, None),
        ("Concent - Verbal", "verbal", None, None, None),
        ("Consent: verbal (patient), 20 Nov 2025, 2nd opinion.", "verbal", "patient", "COC", date(2025, 11, 20)),
        ("Consent - written - patient - referral", "written", "patient", "COC", None),
        ("Verbal consent obtained from patient 20/11", "verbal", "patient", None, None),
        ("Patient consented verbally, thanks", "verbal", "patient", None, None),
        ("Pt consents verbally to sharing.", "verbal", "patient", None, None),
        ("Consent verbal patient. Please see the rash.", "verbal", "patient", None, None),
        ("[consent verbal]", "verbal", None, None, None),
        ("Consent: written 2025-11-20", "written", None, None, date(2025, 11, 20)),
        ("Consent: verbal, Nov 20, 2025", "verbal", None, None, date(2025, 11, 20)),
    ],
)
def test_first_body_line(line: str, form: str, giver: str | None, purpose: str | None, dated: date | None) -> None:
    """The first line with or without colon, however the phone mended it."""
    (said,) = read_body_line(line).statements
    assert (said.form, said.given_by, said.purpose, said.dated) == (form, giver, purpose, dated)


@pytest.mark.parametrize(
    "text",
    [
        "[secure] results", "[SEC=OFFICIAL:Sensitive] letter", "[TICKET#12345] printer", "[External] hello", "Re: hello",
        "Consent form for Mr X attached", "Consent training day on Monday", "Consent policy v2", "Informed consent lecture",
        "(see below)", "[form] [phone] [email]", "Emergency department rota", "", "Document for review", "Parents' evening",
        "[secure consent verbal]", "Re: [JIRA-17] consent screen", "Dear all", "No patients today", "refused entry to car park",
        "Withdrawn products list", "Documents (consent form)", "Child health clinic", "[Ward 7] rota",
    ],
)  # fmt: skip
def test_ordinary_subjects_and_lines_are_left_alone(text: str) -> None:
    """Marks of other systems and ordinary words are neither read nor removed."""
    for reading in (read_subject(text), read_body_line(text)):
        assert reading.statements == ()
        assert reading.spans == ()


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("[consent]", "consent.bare-tag", ""),
        ("[consent given]", "consent.bare-tag", ""),
        ("[consent verbal rescheduled]", "consent.unknown-word", "rescheduled"),
        ("[consent vrebla]", "consent.unknown-word", "vrebla"),
        ("[consent verbal 31/02/2025]", "consent.bad-date", ""),
        ("[consent verbal, not a patient image]", "consent.contradiction", "not-patient"),
        ("Consent: flibber", "consent.unknown-word", "flibber"),
    ],
)
def test_what_is_not_understood_is_no_statement(text: str, code: str, word: str) -> None:
    """Something was meant: the sender is told which word, and nothing is taken for granted."""
    reading = read_subject(text)
    assert reading.statements == ()
    assert (reading.problems[0].code, reading.problems[0].word) == (code, word)


def test_an_emergency_without_a_reason_says_so() -> None:
    """The statement stands, the problem says what is missing, and it will not count."""
    reading = read_subject("[emergency]")
    assert [problem.code for problem in reading.problems] == ["consent.emergency-reason"]
    assert reading.statements[0].status is ConsentStatus.BYPASSED


def test_tag_spans_never_touch_other_marks() -> None:
    """[secure] must reach the next hop unchanged, whatever stands beside it."""
    subject = "[secure] [consent verbal] rash [SEC=OFFICIAL] [#4711]"
    assert cut(subject, read_subject(subject)) == "[secure]  rash [SEC=OFFICIAL] [#4711]"


def test_declared_kinds_are_read_in_every_carrier() -> None:
    """intimate, child and parent beside any consent."""
    for read in (read_subject, read_body_line):
        (said,) = read("[consent verbal, intimate, child]").statements
        assert (said.intimate, said.child) == (True, True)
        assert read("[consent verbal, parent]").statements[0].child
    assert read_body_line("Consent: verbal, mum").statements[0].child


def test_a_date_that_could_be_two_is_read_on_the_safe_side() -> None:
    """Day first for the day of consent; for an end date the earlier of the two readings."""
    assert read_subject("[consent verbal 03/04/2026]").statements[0].dated == date(2026, 4, 3)
    assert read_subject("[consent verbal 04/28/2026]").statements[0].dated == date(2026, 4, 28)
    assert read_subject("[consent verbal until 03/04/2027]").statements[0].expires == date(2027, 3, 4)


def test_the_address_of_the_patient_typed_again() -> None:
    """[to patient ADDRESS] carries the address that must equal the recipient's."""
    (said,) = read_subject("[to patient Jane.Roe@patient.example]").statements
    assert (said.to_patient, said.confirms) == (True, "Jane.Roe@patient.example")


def test_a_tag_before_the_reply_prefix_is_new_one_after_it_is_inherited() -> None:
    """Mail programs put Re: in front of what was there: only a tag in front of it was typed for this message."""
    assert read_subject("[consent verbal] Re: rash").statements[0].fresh
    assert not read_subject("Re: [consent verbal] rash").statements[0].fresh
    assert not read_subject("RE: [consent verbal] Re: rash").statements[0].fresh
    assert not read_subject("[consent verbal] rash").statements[0].fresh


def test_a_very_long_sentence_is_no_tag_but_a_refusal_in_it_is_heard() -> None:
    """Reading stays quick on hostile text, and stricter is safe."""
    tail = "word " * 80
    assert read_subject("consent verbal " + tail).statements == ()
    (said,) = read_subject("consent verbal " + tail + "refused").statements
    assert said.status is ConsentStatus.REFUSED


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error_and_spans_fit(text: str) -> None:
    """Readers are total; spans lie in the text, in order, without overlap."""
    for reading in (read_subject(text), read_body_line(text)):
        end = 0
        for start, stop in reading.spans:
            assert end <= start <= stop <= len(text)
            end = stop


PIECES = ["consent", "verbal", "[", "]", "(", "not", "refused", "Re:", ":", ",", "patient", "x", "20/11/2025", "-"]


@given(st.lists(st.sampled_from(PIECES)))
def test_no_mixture_of_words_turns_a_refusal_into_consent(words: list[str]) -> None:
    """Whatever stands around it, a tag that holds "refused" never reads as given."""
    text = "[consent verbal " + " ".join(word for word in words if word not in "[](") + " refused]"
    assert all(said.status is ConsentStatus.REFUSED for said in read_subject(text).statements)
