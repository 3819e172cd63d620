"""What looks like agreement and is none, and which words say how somebody agreed.

Found by 100 mails written before the reader was looked at (tests/policies/lines/phone-fifth.txt) and by trying what stood near
the one that was read as permission: orders and plans, staff behind a pronoun, a patient who is well, consent to something else.
"""

from __future__ import annotations

from datetime import date

import pytest

from policies.consent import combine, read_body_line, read_subject
from policies.model import ConsentStatus, Statement

pytestmark = pytest.mark.unit

NONE = [
    # an order or a plan
    "consent pt for photos", "Consent patient for photos, then refer", "consent patient and send photo",
    "Please consent pt for photos",
    "Please refer. consent pt verbally for photos", "Plan - consent pt for photos", "plan: verbal consent for photos",
    "jobs: photo, verbal consent, refer", "to do: verbal consent for photos", "Reminder: verbal consent for photos",
    "Photo plan: verbal consent", "residents consent pt for photo", "next steps: pt verbally consented to photo",
    # somebody else is "she"
    "Spoke to derm reg, she is happy for us to send the pics", "Spoke to derm reg. She is happy for us to send the pics",
    "Derm reg phoned, he is happy for the photo to be shared", "D/W consultant, she agreed to photos being sent",
    "my consultant asked, she is fine with photos being sent", "Consultant aware and she is happy for photos to be sent",
    "Dr Lee is on call, he is happy for pics to be emailed", "practice manager says ok, they agreed to share photos",
    "burns unit agreed to photo", "ENT consented to photo", "pt ok by me to share", "agreed by team to send photo",
    # the patient is well, or has agreed to something else
    "pt ok and pics attached", "Pt fine and photo attached", "Pt ok photo attached", "pt comfortable photos attached",
    "Pt alright pic of leg", "pt keen and photo attached", "pt (listed for theatre) has consented and photo attached",
    "pt consented for surgery and photo attached", "pt ok by pt to discharge, photo attached",
    "Signed research consent on file", "signed consent form for care", "signed consent form for study",
    "verbal research consent obtained", "consent for treatment obtained, verbal", "consent to treatment given, verbal",
    "pt signed form for operation, photo attached", "signed form for surgery", "pt agreed I can operate, photo attached",
    "pt agreed that i can discharge her, pic attached", "photo w/o consent", "pics w/o pt consent",
    "pt (not happy) with photo", "pt (probably) happy with photo being sent", "wife (not LPA) consented to photo being sent",
    "pt happy for students to be present, photo attached", "students consented to photo", "grandmother consented to photo",
    "verbal consent obtained by phone from GP for photo", "verbal consent to share record",
    "confused, verbal consent for photo given",
    "pt gave verbal consent for photo, dad unhappy about it", "pt gave verbal consent for photo, for notes only",
    "pt gave verbal consent for photo in notes only", "pt gave verbal consent for photo in 2019",
    # a form handed over, what the patient will do, what the result is like, somebody else's knowledge
    "given photo consent form to pt", "gave pt photo consent form", "gave mum the consent form for photos",
    "sent pt consent for photos",
    "pt given consent form for photos", "you have consent from pt", "you had verbal consent from pt for photos",
    "pt verbally agreed to send photos", "Pt happy to send photos", "pt happy with the photos", "pt verbally ok with this",
    "he is ok with this", "pt agreed to show me her leg", "pt happy to show the wound", "pt happy using this on the wound",
    "verbally agreed to the referral, photo attached", "pt verbally agreed to a second opinion", "agreed verbally to referral",
    "pt agreed to transfer", "pt happy for transfer", "mum verbally consented to transfer",
    "pt happy for photos in the notes", "Demo: pt gave verbal consent for photo", "Test - verbal consent for photo",
    "pt consented to photo (I think)", "pt consented to photo, or did she", "pt consented to photo, I think so",
    "carer agreed to photo", "spoke to pt and she is fine, photo attached", "pt ok and going to theatre, photo attached",
]  # fmt: skip
UNSAID = [  # agreed, but nobody said how
    "Pt consented to oral photos", "Patient consented to photo of oral ulcer", "pt agreed to oral photo",
    "pt happy for oral photos to be sent", "pt consented to photo for written advice",
    "pt consented to photo, verbal advice please",
    "pt happy for photo to be sent, written referral attached", "pt happy for photo to be shared, verbal handover given",
    "pt happy for photos to be sent by email", "pt happy to share photo by phone", "pt consented to photo, phoned derm",
    "pt consented to photo taken on phone", "pt consented to photo on phone", "Written referral with pt consent to share",
    "Written in notes: pt agreed", "pt consented to photo, written in notes", "pt consent for photo written in the notes",
]  # fmt: skip
SAID = {
    "verbal photo consent from pt": "verbal", "pt consented to photo verbally": "verbal",
    "pt happy for photo to be sent (verbal)": "verbal",
    "Consent given by mum over phone for photo": "telephone", "pt consented to photo, in writing": "written",
    "consent obtained by email to share photo": "electronic", "oral consent for photo from pt": "verbal",
    "Consented orally to photo": "verbal",
    "pt verbally happy for photo to be sent": "verbal", "photo w/ verbal consent": "verbal",
    "px gave verbal consent 2 share photo": "verbal",
    "mum (by phone) agreed to photo": "telephone",
}  # fmt: skip
AGREED = [
    "px ok with photo being shared", "Ok'd by pt to send", "Pt gave the ok for me to send you this", "with consent of client",
    "he's given me the go ahead to get your opinion on these", "He has agreed that I can send you a photo",
    "Hi Dr Lee, she is happy for photos to be sent", "Dear Dr Smith, he has consented to photos", "photo of leg w/ consent",
    "Spoke to derm reg and pt, she is happy for us to send the pics", "asked pt and she is happy for photo to be sent",
    "discussed with pt who consents to images", "pt keen and happy for photo to be sent", "pt happy with pics going to derm",
    "husband (LPA) consented to photo being sent", "foster carer w/ parental responsibility agreed to photo",
    "pt happy to share photos", "pt said fine to send pics to you", "pt agreed to transfer of images",
    "signed photo consent form received",
    "pt happy for you to use this for teaching", "pt ok with photo",
    "pt consented to photo, I think it is cellulitis", "Seen by GP. She has consented to photos being shared",
]  # fmt: skip


def said(text: str) -> list[Statement]:
    found = [one for read in (read_subject, read_body_line) for one in read(text).statements]
    return [one for one in found if one.status is ConsentStatus.GIVEN]


@pytest.mark.parametrize("text", NONE)
def test_an_order_a_plan_or_the_word_of_another_permits_nothing(text: str) -> None:
    assert not said(text)


@pytest.mark.parametrize("text", UNSAID)
def test_a_way_of_agreeing_is_not_made_up(text: str) -> None:
    """ "Oral photo", "written referral", "sent by email": the agreement counts, and the sender is asked how it was given."""
    assert [one.form for one in said(text)] == [None, None]


@pytest.mark.parametrize(("text", "form"), SAID.items())
def test_a_way_of_agreeing_is_heard_where_it_belongs_to_the_agreement(text: str, form: str) -> None:
    assert [one.form for one in said(text)] == [form, form]


@pytest.mark.parametrize("text", AGREED)
def test_more_ways_to_say_that_somebody_agreed_are_heard(text: str) -> None:
    assert len(said(text)) == 2


@pytest.mark.parametrize("text", ["Consent: oral photo", "[consent, oral picture]"])
def test_a_picture_of_a_mouth_in_a_tag_is_no_oral_consent(text: str) -> None:
    assert not any(one.form for one in said(text))


DOUBTS = [
    "will get consent tomorrow", "scrap that, she hasn't agreed yet", "correction: no consent obtained yet",
    "actually pt has not consented", "Has she agreed to photos?", "did you get her consent for this",
    "never got permission for this",
    "Consent still to be obtained", "awaiting mum's consent", "consent form not yet signed, permission not given",
    "not needed here, it's my own leg", "Just testing", "NOT", "not yet",
    "couldn't get consent", "not sure if she agreed",
]  # fmt: skip
NO_DOUBTS = [
    "No consent needed for op yet", "No written consent but happy to get one", "do you need written consent too?",
    "consented for theatre tomorrow, not yet consented for graft", "No problem with consent",
    "Not improving, agreed plan was to refer",
    "Will call you tomorrow, thanks for agreeing to see her", "hasn't agreed to admission", "No better, can you advise",
    "Not yet healed",
    "Testing positive for MRSA", "Pending bloods, Hb 90",
]  # fmt: skip


def mail(subject: str, line: str) -> str | None:
    """What the subject and the first line of a new mail say together."""
    readings = (read_subject(subject), read_body_line(line))
    consent = combine(readings, today=date(2026, 11, 22), vouched=True, thread="new", images_covered=None)
    return consent.statement.status.value if consent.statement else None


@pytest.mark.parametrize("line", DOUBTS)
@pytest.mark.parametrize("subject", ["[consent verbal] wound", "consent verbal", "pt consented verbally to photo"])
def test_an_agreement_in_the_subject_is_none_where_the_first_line_doubts_it(subject: str, line: str) -> None:
    """ "Verbal consent" and, below, "will get consent tomorrow": the sender is asked, or it is a refusal."""
    assert mail(subject, line) in ("pending", "refused")


@pytest.mark.parametrize("line", NO_DOUBTS)
def test_other_words_below_a_tag_leave_it_as_it_is(line: str) -> None:
    assert mail("[consent verbal] wound", line) == "given"


@pytest.mark.parametrize("line", DOUBTS)
def test_a_doubt_takes_no_emergency_and_no_other_kind_of_picture_away(line: str) -> None:
    assert mail("[emergency: unconscious, burns unit advice now]", line) in ("bypassed", "refused")
    assert mail("[not a patient image]", line) in ("not-required", "refused")


def test_a_doubt_in_the_same_line_counts_too() -> None:
    assert mail("photo", "Pt consented verbally to photo. Actually no consent obtained yet") == "pending"
