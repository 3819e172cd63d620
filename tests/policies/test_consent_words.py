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


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("[consent vrebla]", [("vrebla", 2)]),
        ("[consent verbal rescheduled]", [("rescheduled", 3)]),
        ("[consent 20/11/2025 verbal Smith, 2nd opinoin xy]", [("smith", 3), ("2nd", 4), ("opinoin", 5)]),
    ],
)
def test_the_place_of_a_word_that_was_not_understood(subject: str, words: list[tuple[str, int]]) -> None:
    """The notice says which word it was without repeating it: it might be a name."""
    problems = read_subject(subject).problems
    assert [(problem.word, problem.place) for problem in problems if problem.code == "consent.unknown-word"] == words
    assert not any(word in repr(problems) for word, _ in words)


# domain/03 3.6: each example of its table, and 4.6, 4.5 by the words a person has for them
DOMAIN: list[tuple[str, dict[str, object]]] = [
    ("[consent verbal]", {"form": "verbal"}),
    ("[consent written, research, ref NORTH-12]", {"record": "NORTH-12"}),
    ("[consent written, research, ref no. R12/7]", {"record": "R12/7"}),
    ("[consent written, research, REF NO12]", {"record": "12"}),
    ("[consent written, teaching]", {"form": "written", "purpose": "TRAIN", "scope": frozenset({"record", "teaching"})}),
    ("[consent: parent]", {"given_by": "parental-responsibility", "child": True}),
    ("[emergency: why it cannot wait]", {"bypass": "emergency", "purpose": "ETREAT", "reason": "why it cannot wait"}),
    ("[not a patient image]", {"basis": "not-patient"}),
    ("[withdrawn]", {"status": ConsentStatus.WITHDRAWN}),
    ("[consent oral]", {"form": "verbal"}),
    ("[consent spoken]", {"form": "verbal"}),
    ("[consent by form]", {"form": "written"}),
    ("[consent signed]", {"form": "written"}),
    *((f"[consent verbal, {word}]", {"given_by": "parental-responsibility"}) for word in ("parent", "mum", "dad")),
    ("[consent verbal, guardian]", {"given_by": "guardian"}),
    ("[consent verbal, attorney, lacks capacity]", {"given_by": "attorney", "capacity": "lacks"}),
    ("[best interests, lacks capacity, consent written]", {"given_by": "best-interests", "capacity": "lacks"}),
    ("[consent verbal, gillick]", {"capacity": "gillick", "child": True, "given_by": None}),
    ("[consent verbal, intimate]", {"intimate": True}),
    ("[consent written, executor, deceased, publication]", {"given_by": "executor", "deceased": True, "purpose": "PUBLISH"}),
    ("[consent limited, verbal: this referral only]", {"status": ConsentStatus.LIMITED, "scope": frozenset({"record"})}),
    ("[consent verbal until 20/05/2026]", {"expires": date(2026, 5, 20)}),
    ("[consent verbal, anonymised]", {"identifiable": False}),
]


@pytest.mark.parametrize(("tag", "expected"), DOMAIN, ids=[tag for tag, _ in DOMAIN])
def test_each_tag_of_the_domain_document(tag: str, expected: dict[str, object]) -> None:
    """domain/03 3.6 and the kinds of 4.5: words in any order, case and synonyms."""
    for text in (tag, tag.upper(), tag.replace("[", "(").replace("]", ")")):
        reading = read_subject(text)
        assert reading.problems == ()
        (said,) = reading.statements
        assert {name: getattr(said, name) for name in expected if name != "reason"} == {
            name: value for name, value in expected.items() if name != "reason"
        }


def test_a_bare_tag_is_a_question() -> None:
    """domain/03 3.6: something was meant."""
    assert [problem.code for problem in read_subject("[consent]").problems] == ["consent.bare-tag"]


@pytest.mark.parametrize(
    ("written", "dated", "expires"),
    [
        ("2025-11-20", date(2025, 11, 20), date(2025, 11, 20)),  # ISO
        ("2025/11/20", date(2025, 11, 20), date(2025, 11, 20)),
        ("20/11/2025", date(2025, 11, 20), date(2025, 11, 20)),  # UK
        ("20.11.25", date(2025, 11, 20), date(2025, 11, 20)),
        ("11/20/2025", date(2025, 11, 20), date(2025, 11, 20)),  # US, cannot be UK
        ("03/04/2025", date(2025, 4, 3), date(2025, 3, 4)),  # either: the day first; an end is the earlier
        ("20 Nov 2025", date(2025, 11, 20), date(2025, 11, 20)),
        ("20th of November 2025", date(2025, 11, 20), date(2025, 11, 20)),
        ("Nov 20, 2025", date(2025, 11, 20), date(2025, 11, 20)),
        ("November 20th 2025", date(2025, 11, 20), date(2025, 11, 20)),
    ],
)
def test_dates_in_every_order(written: str, dated: date, expires: date) -> None:
    """UK, US and ISO order, made safe."""
    (said,) = read_subject(f"[consent verbal {written}]").statements
    assert said.dated == dated
    (said,) = read_subject(f"[consent verbal until {written}]").statements
    assert said.expires == expires


@pytest.mark.parametrize("written", ["31/02/2025", "2025-13-01", "00/11/2025", "32 Nov 2025"])
def test_what_is_no_date_is_asked_about(written: str) -> None:
    """No guess, and no statement."""
    reading = read_subject(f"[consent verbal {written}]")
    assert reading.statements == () and reading.problems
