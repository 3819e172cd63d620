"""What stands around a statement: words beside a tag, marks, quotes, staff; and short forms that thumbs type.

Found by 120 lines written before the reader was looked at (tests/policies/lines/phone-third.txt): ten of the sixty that permitted
nothing were read as permission.
"""

from __future__ import annotations

import pytest

from policies.consent import read_body_line, read_subject
from policies.model import ConsentStatus
from policies.statements.beside import MARKS
from policies.statements.spelling import MENDED

pytestmark = pytest.mark.unit

TAGS = ["[consent verbal]", "(consent written)", "{verbal consent}", "[consent: parent]", "[Consent verbal, pt]"]
UNMADE = [
    "{} - TBC", "{} tbc", "{} not yet, pt in theatre", "{} not yet obtained", "{} to be obtained", "{} to follow", "{}?", "{} ?",
    "{} pending", "{}: awaiting signature", "{} expired", "{} lapsed last week", "{} - refused", "{} refused by pt", "{} no",
    "{} required", "{} required pls", "{} when pt agrees", "{} - not sure if she agreed", "{} if mum is happy", "{} template",
    "{} still to be signed", "{} needed", "{} was not given", "{} until she has signed", "{} in the subject of every email",
    "always put {} in the subject", "How do I use {}?", "Do I need to write {} for an xray", "please type the words {}", "no {}",
    "awaiting {}", "without {}", "we need {}", "Start with {}", "What does {} mean", "is {} enough", "forgot {}",
]  # fmt: skip
KEPT = [
    "{} wound not healing", "{} not healing", "{} no better since Monday", "no better {}", "{} ?cellulitis", "Is this a BCC {}?",
    "Can you advise on this rash {}?", "Any ideas {}?", "{} to follow up in clinic", "{} refused admission", "{} pending biopsy",
    "{} unclear diagnosis", "{} to be seen today", "What is this? {}", "Opinion needed {}", "awaiting opinion {}",
    "{} GP referral", "{} unknown rash", "For MDT - {} - leg", "No improvement. {}", "{} if you need more let me know",
    "{}. Not sure what it is", "{} late onset", "{} left/right leg", "{} and/or admit", "{} y/o fall",
]  # fmt: skip


def statuses(text: str) -> set[str]:
    return {said.status.value for read in (read_subject, read_body_line) for said in read(text).statements}


@pytest.mark.parametrize("frame", UNMADE)
@pytest.mark.parametrize("tag", TAGS)
def test_words_that_touch_a_tag_unmake_it(tag: str, frame: str) -> None:
    """Not yet, no longer, on a condition, refused, or talked about: the sender is asked."""
    assert not statuses(frame.format(tag)) & {"given", "limited"}


@pytest.mark.parametrize("frame", KEPT)
@pytest.mark.parametrize("tag", TAGS)
def test_words_about_the_picture_leave_a_tag_as_it_is(tag: str, frame: str) -> None:
    assert statuses(frame.format(tag)) == {"given"}


@pytest.mark.parametrize(
    "text",
    [
        "consent verbal Y/N", "[consent verbal Y/N]", "[consent verbal] Y/N", "Consent: yes/no", "[consent verbal] yes / no",
        "[consent verbal/written]", "Consent: verbal / written / parent", "verbal/written consent obtained", "Consent: pt/parent",
        "[consent verbal] [consent written] [consent parent]", "[consent written or verbal]", "pt happy for photo Y/N",
        "(consent verbal) (consent written) (consent: mum)", "[consent verbal, delete as needed]",
        "consent given/refused, verbal",
    ],
)  # fmt: skip
def test_a_choice_that_nobody_made_permits_nothing(text: str) -> None:
    """A form's words left as they were."""
    assert not statuses(text) & {"given", "limited"}


@pytest.mark.parametrize(
    "text",
    ["[consent: parent/guardian]", "parent/guardian consent obtained", "[consent verbal/telephone]", "Consent: verbal/pt",
     "[consent written] [consent verbal]"],
)  # fmt: skip
def test_words_that_do_not_exclude_each_other_are_no_choice(text: str) -> None:
    assert statuses(text) == {"given"}


def test_a_refusal_beside_a_tag_is_heard() -> None:
    for text in ("[consent verbal] refused by pt", "[consent verbal] declined by the patient"):
        assert "refused" in statuses(text)


def test_the_words_for_another_kind_may_be_talked_about_too() -> None:
    """ "[not a patient image]" as a question about the word is no statement; doubt behind it is about something else."""
    assert statuses("How do I use [not a patient image]?") == {"pending"}
    assert statuses("[document] to follow") == {"not-required"}


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(
    "text",
    ["consent {} verbal pt", "[consent {} verbal]", "[consent verbal] {}", "{} [consent verbal]", "{} consent verbal",
     "pt consented to photo {}", "pt consent {} photo", "verbal consent {}"],
)  # fmt: skip
def test_a_mark_of_doubt_or_an_empty_box_permits_nothing(mark: str, text: str) -> None:
    assert not statuses(text.format(mark)) & {"given", "limited"}


@pytest.mark.parametrize(
    "text",
    [
        'On 3 Nov Dr Khan wrote: "pt consented to photos"',
        "Dr Khan wrote: pt consented to photos",
        "ward says: verbal consent obtained",
        'the patient "consented" to the photo',
        "the patient 'agreed' to the photo",
        'He said "verbal consent from pt obtained. Photo was sent',
        'the patient gave "verbal" consent to the photo',
    ],
)
def test_what_is_quoted_is_nobodys_statement(text: str) -> None:
    assert not statuses(text) & {"given", "limited"}


@pytest.mark.parametrize(
    "text", ['3" wound. Pt consented to photo', 'Photo of "funny" mole, pt consented', "parents' consent obtained for photos"]
)
def test_inches_names_and_owners_are_no_quotes(text: str) -> None:
    assert statuses(text) == {"given"}


STAFF_AGREE = [
    "nurse gave verbal consent for photo", "doctor gave verbal consent", "consultant has given consent to send photo",
    "verbal consent from GP", "verbal consent from the nurse", "[consent verbal from nurse]", "GP consent obtained for photo",
    "patient's GP consented", "midwife verbally consented", "nurse ok'd the photo", "patient's gp asked me to send the photo",
    "no objection from nurse to sending photo", "matron gave permission for photo", "registrar agreed to me sending the photo",
]  # fmt: skip


@pytest.mark.parametrize("text", STAFF_AGREE)
def test_staff_cannot_agree_for_a_patient(text: str) -> None:
    assert not statuses(text) & {"given", "limited"}


@pytest.mark.parametrize(
    "text", ["nurse obtained verbal consent from pt", "verbal consent from pt obtained by RN", "verbal consent taken by SHO"]
)
def test_staff_may_have_asked(text: str) -> None:
    assert statuses(text) == {"given"}


@pytest.mark.parametrize(
    "text",
    [
        "pt happy to be sent to derm photo attached",
        "pt happy for us to send him to derm photo attached",
        "patient asked us to send her to derm photo attached",
        "no objection from pt to being sent",
        "pt happy to be transferred to burns photo attached",
    ],
)
def test_where_the_patient_is_sent_the_picture_is_not(text: str) -> None:
    assert not statuses(text) & {"given", "limited"}


SHORT = [
    ("[consent verb al] pt happy", "verbal"), ("ver bal consent from pt", "verbal"), ("writ ten consent obtained", "written"),
    ("mum ok'd the photo", None), ("pt okd pic being sent", None), ("V/C obtained for photo", "verbal"),
    ("he said fine to send pics to you", None), ("patient said that's fine to send the photo", None),
    ("Pt verbally agreed to clinical photo, doc'd in notes", "verbal"), ("verbal consent from mother obtained by RN", "verbal"),
    ("the patient doesn't mind photos being sent to you", None), ("No objection from pt to sending photo", None),
    ("pt has no objections to photo being sent", None), ("Patient asked me to email you these photos", None),
    ("Mum asked us to share the photos", None), ("pt wants me to send this photo to you", None),
    ("[verbal] pt consented, photo of heel", "verbal"), ("pt kindly agreed to the photo", None),
    ("verbal consent given by pt for phto", "verbal"), ("written consent on chart", "written"),
]  # fmt: skip


@pytest.mark.parametrize("word", [*MENDED, *(f"{word[:4]} {word[4:]}" for word in MENDED)])
def test_every_word_that_is_mended_is_read_alone_and_in_company(word: str) -> None:
    """Also one that has no role of its own ("capacity"): nothing fails, nothing is made up."""
    for text in (word, f"photo {word}", f"pt {word} photo", f"[{word}]", f"[consent {word}]", f"no consent {word}"):
        for read in (read_subject, read_body_line):
            read(text)
        assert "no " not in text or not statuses(text) & {"given", "limited"}


@pytest.mark.parametrize(("text", "form"), SHORT)
def test_short_and_spoken_forms_are_read(text: str, form: str | None) -> None:
    for read in (read_subject, read_body_line):
        (said,) = read(text).statements
        assert (said.status, said.form) == (ConsentStatus.GIVEN, form)


@pytest.mark.parametrize(
    "text",
    [
        "pt'd be ok with photo", "mum'd be happy for photo to be sent", "mum ok'd discharge, photo attached", "pt doesn't mind",
        "pt doesn't mind surgery, photo attached", "pt does mind photos being sent", "pt would not mind photos being sent",
        "no objections noted re photo", "patient has no objection to admission", "patient asked me to delete these photos",
        "patient asked me not to send these photos", "patient asked me to send you these photos?", "no v/c obtained", "v/c?",
        "verb al consent not obtained", "un consented photo", "[no con sent]", "[consent verbal wihtout]",
        "[consent verbal pedning]", "[consent vrebla]", "[verbal] pt to consent", "[verbal] consent form?",
         "pt wants me to send the photo to the papers",
        "he said fine to surgery", "I said fine to send the photo", "no objection from me to the photo", "consent to be doc'd",
    ],
)  # fmt: skip
def test_near_those_forms_nothing_is_permitted(text: str) -> None:
    assert not statuses(text) & {"given", "limited"}
