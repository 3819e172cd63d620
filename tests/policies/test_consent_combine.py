"""All carriers of one message together: precedence, identity, inherited tags, validity."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from policies.consent import combine, read_body_line, read_header, read_subject
from policies.features import statement_for
from policies.model import Carrier, Consent, ConsentStatus, ImageFacts, Kind, Reading, Statement

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 22)


def together(*readings: Reading, **changes: Any) -> Consent:
    values: dict[str, Any] = {"today": TODAY, "vouched": True, "thread": "new", "images_covered": None}
    return combine(readings, **(values | changes))


def test_nothing_stated() -> None:
    """No reading, no statement."""
    assert together() == Consent()


def test_header_beats_body_beats_subject() -> None:
    """The stronger carrier decides; a purpose it leaves open may come from a weaker one."""
    header = read_header("given; form=written")
    body = read_body_line("Consent: verbal, patient")
    subject = read_subject("[consent telephone, referral]")
    all_three = together(subject, body, header).statement
    assert all_three is not None
    assert (all_three.carrier, all_three.form, all_three.purpose) == (Carrier.HEADER, "written", "COC")
    two = together(subject, body).statement
    assert two is not None and two.form == "verbal"


@pytest.mark.parametrize("refusal", ["[refused]", "[consent withdrawn]"])
def test_a_refusal_in_any_carrier_beats_everything(refusal: str) -> None:
    """Even from the weakest carrier, even unvouched, even inherited in a reply: stricter is safe."""
    for changes in ({}, {"vouched": False}, {"thread": "reply"}):
        said = together(read_header("given; form=written"), read_subject(refusal), **changes).statement
        assert said is not None and said.status in (ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN)


def test_unvouched_statements_do_not_count_but_what_they_declare_does() -> None:
    """Consent needs a certain identity; "intimate" only tightens and is kept."""
    consent = together(read_subject("[consent verbal, intimate]"), vouched=False)
    assert consent.ignored == ("consent.not-vouched",)
    assert consent.statement is not None
    assert (consent.statement.status, consent.statement.form, consent.statement.intimate) == (ConsentStatus.PENDING, None, True)


@pytest.mark.parametrize(
    ("subject", "thread", "covered", "counts"),
    [
        ("Re: [consent verbal] rash", "reply", None, False),
        ("Re: [consent verbal] rash", "reply", False, False),
        ("Re: [consent verbal] rash", "reply", True, True),
        ("Fw: [consent verbal] rash", "forward", None, False),
        ("[consent verbal] rash", "reply", None, False),
        ("[consent verbal] Re: rash", "reply", None, True),
        ("[consent verbal] rash", "new", None, True),
    ],
)
def test_inherited_tags(subject: str, thread: str, covered: bool | None, counts: bool) -> None:
    """A tag in a reply counts only for images it already covered, or when it was typed before the Re:."""
    consent = together(read_subject(subject), thread=thread, images_covered=covered)
    assert (consent.statement is not None) is counts
    assert consent.ignored == (() if counts else ("consent.inherited-tag",))


def test_a_first_line_in_a_reply_counts() -> None:
    """It was typed for this message."""
    consent = together(read_subject("Re: [consent verbal] a"), read_body_line("Consent: written"), thread="reply")
    assert consent.statement is not None and consent.statement.form == "written"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("given; form=verbal; date=2026-11-23", "consent.future-date"),
        ("given; form=verbal; expires=2026-11-21", "consent.expired"),
        ("bypassed; bypass=emergency; reason=now", "consent.emergency-reason"),
        ("bypassed; bypass=emergency", "consent.emergency-reason"),
        ("bypassed", "consent.no-bypass-reason"),
    ],
)
def test_what_is_not_valid_today_does_not_count(value: str, code: str) -> None:
    """A future day, an expired one, an emergency without a reason of ten letters."""
    consent = together(read_header(value))
    assert consent.statement is None
    assert [problem.code for problem in consent.problems] == [code]


def test_valid_on_its_last_day() -> None:
    """A consent dated today counts, and one that expires today still does."""
    assert together(read_header("given; form=verbal; date=2026-11-22; expires=2026-11-22")).statement is not None


def test_the_stricter_of_two_statements_in_one_header() -> None:
    """Contradicting duplicates: the weaker form, and the flags of both."""
    said = together(read_header("given; form=written, given; form=verbal; intimate")).statement
    assert said is not None and (said.form, said.intimate) == ("verbal", True)


def test_words_for_pages_complete_a_consent_and_not_a_patient_contradicts_it() -> None:
    """[consent verbal] [document]: consent for the picture, a word for the page; with "not a patient" it cannot be true."""
    both = together(read_subject("[consent verbal] [document]")).statement
    assert both is not None and (both.status, both.form, both.basis) == (ConsentStatus.GIVEN, "verbal", "document")
    clash = together(read_subject("[consent verbal] [not a patient image]")).statement
    assert clash is not None and clash.status is ConsentStatus.PENDING


def test_a_senders_default_gives_a_purpose_never_a_consent() -> None:
    """The form of consent is never defaulted."""
    default = Reading(Carrier.DEFAULT, (Statement(ConsentStatus.GIVEN, Carrier.DEFAULT, form="written", purpose="COC"),))
    assert together(default).statement is None
    said = together(default, read_subject("[consent verbal]")).statement
    assert said is not None and (said.form, said.purpose) == ("verbal", "COC")


def test_statements_about_parts_stand_beside_the_messages() -> None:
    """A part's statement never becomes the message's."""
    consent = together(read_header('given; form=verbal; part="a.jpg"'))
    assert consent.statement is None
    assert [said.part for said in consent.per_part] == ["a.jpg"]


@pytest.mark.parametrize("wanted", ["1.2", "1.2/3", "1.2/3/1", "Photos.ZIP", "ward.docx", "IMG_1.jpg"])
def test_a_part_is_named_by_its_own_name_or_place_or_those_of_what_it_stands_in(wanted: str) -> None:
    """Nobody opens an archive to copy the names in it: what is stated of the archive covers what is inside."""
    one = ImageFacts("1.2/3/1", Kind.IDENTIFIABLE_PHOTO, "", name="img_1.jpg", inside=("ward.docx", "photos.zip"))
    assert one.called(wanted)
    said = together(read_header(f'given; form=verbal; part="{wanted}"'))
    assert statement_for(said, (one,), one) == said.per_part[0]


@pytest.mark.parametrize("wanted", ["1", "1.2/31", "1.22", "3/1", "photos", "zip"])
def test_a_part_is_not_named_by_a_piece_of_its_name_or_place(wanted: str) -> None:
    one = ImageFacts("1.2/3/1", Kind.IDENTIFIABLE_PHOTO, "", name="", inside=("photos.zip",))
    assert not one.called(wanted)
    said = together(read_header(f'given; form=verbal; part="{wanted}"'))
    assert statement_for(said, (one,), one) is None
