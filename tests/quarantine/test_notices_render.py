"""What a notice says: each N-code, several fates in one message, no canary, and words a tired clinician can read."""

from __future__ import annotations

import os
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine.notices.fates import ORDER, SECTIONS, STATES, section
from quarantine.notices.letter import Notice, NotWritable
from quarantine.notices.render import render
from quarantine.notices.wording import load
from tests.support.noticeworld import (
    CANARIES,
    CHEN,
    DROPBOX,
    JANE,
    LEE,
    MESSAGE_ID,
    NOW,
    PATIENT,
    SENDER,
    SENT,
    SETTINGS,
    asked,
    line,
    meta,
    refused,
    sent,
    settings,
)  # fmt: skip

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).with_name("golden")
TEMPLATES = load()
TECHNICAL = "The file is damaged and could not be checked."

CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "N-1": ([asked()], {}),
    "N-1-no-answers": ([asked(answers=(), releases="two-person", words="The picture is marked as intimate.")], {}),
    "N-1-to-patient": ([asked(PATIENT, cls="C", answers=("[to patient {address}]",))], {}),
    "N-1r": ([asked(hold="h1"), sent()], {"reminder": True}),
    "N-2": ([line(JANE, "held", "N-2", "D", releases="ig")], {}),
    "N-3": ([sent()], {}),
    "N-3-two-methods": ([sent(), sent("x@trust.example", method="route")], {}),
    "N-3-advice": ([asked(state="delivered", method="advise")], {}),
    "N-4": ([refused()], {}),
    "N-5-released": ([asked(state="released")], {}),
    "N-5-refused": ([asked(state="not-released")], {}),
    "N-5-expired": ([asked(state="expired")], {}),
    "N-5-deleted": ([asked(state="deleted")], {}),
    "N-5-again": ([asked(state="answered")], {}),
    "N-5-late": ([line(LEE, "late", "N-7")], {}),
    "N-6": ([line(LEE, "delivered", "N-6", method="smime")], {}),
    "N-7-retry": ([line(LEE, "deferred", "N-7")], {}),
    "N-7-stuck": ([line(LEE, "held", "N-7", releases="mail-admin", words=TECHNICAL)], {}),
    "N-7-lost": ([line(LEE, "lost", "N-7")], {}),
    "N-7-failed": ([line(LEE, "failed", code="550 5.1.1")], {}),
    "N-7-unsure": ([line(LEE, "a state of tomorrow", "N-3")], {}),
    "three-fates": ([asked(), sent(), refused()], {}),
}


def made(*lines: dict[str, Any], now: float = NOW, **more: Any) -> Notice:
    how = {name: more.pop(name) for name in ("about", "reminder", "to", "key") if name in more}
    return render([meta(*lines, **more)], now, SETTINGS, TEMPLATES, **how)


def flat(notice: Notice) -> str:
    return " ".join(notice.text.split())


def parsed(notice: Notice) -> EmailMessage:
    message = message_from_bytes(notice.as_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    """The whole text of each notice stands in golden/ for review; CLINIGATE_GOLDEN=write renews it."""
    lines, how = CASES[case]
    notice = made(*lines, **how)
    whole = f"To: {notice.to}\nSubject: {notice.subject}\n\n{notice.text}"
    path = GOLDEN / f"{case}.txt"
    if os.environ.get("CLINIGATE_GOLDEN") == "write":
        path.write_text(whole, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == whole


def test_golden_folder_has_no_stale_file() -> None:
    """Every golden file belongs to a case."""
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


def test_three_people_three_fates() -> None:
    """One notice names all three, says what happened to each, and the first line says who waits."""
    notice = made(asked(), sent(), refused())
    assert notice.text.startswith("Your email to 1 of 3 people is waiting.")
    assert notice.subject == f"Waiting for you: email sent 14:02 to {LEE} (ref H7Q2-93KD)"
    assert f"Not sent: {DROPBOX}. Sent: {CHEN}." in flat(notice)
    text = flat(notice)
    for phrase in (
        f"- {LEE}: waiting, not sent yet",
        f"- {CHEN}: passed on at 14:02",
        f"- {DROPBOX}: not sent",
        "[consent verbal] – the patient said yes when you talked",
        "we cannot see whether it was read. If it bounces you will be told.",
        "We kept no copy. It is not sent; your copy is in Sent Items.",
        "14:02 on Tuesday 4 March",
        "duty IG officer, ext. 2222",
        "IG team, ext. 4410",
    ):
        assert phrase in text, phrase
    assert "returned" not in text


def test_sender_is_asked_to_send_again_only_to_those_who_have_nothing() -> None:
    """Whoever has the email already must not get it twice."""
    text = flat(made(asked(), sent()))
    assert f"Send it again, only to {LEE} (on a phone: Forward)" in text


def test_copy_is_not_to_be_deleted_while_somebody_waits() -> None:
    """N-3 asks to tidy up only when everybody has the email; else the copy in Sent Items is the only one to send again."""
    assert "delete it from your phone" in flat(made(sent()))
    text = flat(made(sent(), asked()))
    assert "delete it from your phone" not in text
    assert "Keep your copy in Sent Items" in text


def test_who_said_that_no_patient_is_in_it_is_not_asked_to_file_it() -> None:
    """Symptom: after "not a patient image" the notice asked for the picture to be put into the patient's record."""
    for one in (sent(reasons=["consent.not-patient"]), sent(reasons=["consent.not-patient"], advice=["Is it one?"])):
        text = render([meta(one)], NOW, SETTINGS, TEMPLATES).text
        assert "record" not in text and "Sent Items" not in text
    answered = render([meta(sent(state="released", notice="answered"))], NOW, SETTINGS, TEMPLATES).text
    assert "If it is a picture of a patient" in " ".join(answered.split()) and '"Recently Deleted"' in answered  # S1-21


def test_no_answers_says_so_and_whom_to_phone() -> None:
    """Where no word helps the notice says so and gives the on-call contact."""
    notice = made(asked(answers=(), releases="ig"))
    assert "No word in the subject line can send this one." in flat(notice)
    assert "duty IG officer, ext. 2222" in flat(notice)
    assert "consent verbal" not in notice.text
    assert notice.subject.startswith("Waiting: ")


def test_only_offered_words_are_offered() -> None:
    """No template names a word by itself: what is offered comes from the outcome's answers, which decide() proved."""
    text = made(asked(answers=("[document]",))).text
    assert re.findall(r"\[[^\]]+\]", text) == ["[document]"]


def test_hours_are_promised_only_if_configured() -> None:
    """N-2 promises a time only where the site promised one."""
    lines = [line(JANE, "held", "N-2", "D", releases="ig")]
    assert "hours" not in made(*lines).text
    promised = render([meta(*lines)], NOW, settings(review_hours="4 working hours"), TEMPLATES)
    assert "They usually decide within 4 working hours." in flat(promised)


def test_patients_address_is_never_shown() -> None:
    """A recipient of class C is "the patient's address", also in the offered word and in all headers."""
    notice = made(asked(PATIENT, cls="C", answers=(f"[to patient {PATIENT}]", "[to patient {address}]")), sent())
    whole = notice.as_bytes() + notice.text.encode() + notice.html.encode()
    assert PATIENT.encode() not in whole
    assert "mailbox.example" not in notice.text
    assert "the patient's address: waiting" in flat(notice)
    assert "[to patient ADDRESS]" in notice.text


@pytest.mark.parametrize("case", CASES)
def test_no_canary(case: str) -> None:
    """Subject, file name, reason text, patient: whatever else an outcome carries, nothing of it is told."""
    lines, how = CASES[case]
    notice = made(*lines, **how)
    for whole in (notice.text, notice.html, notice.subject, notice.as_bytes().decode()):
        assert "CANARY" not in whole
    assert len(CANARIES) == 5


def test_emergency_shows_the_reference_and_never_the_reason() -> None:
    """N-6: the free-text reason stays in the record."""
    text = flat(made(line(LEE, "delivered", "N-6", reason="CANARYWHY unconscious")))
    assert "question from the IG team by tomorrow about reference H7Q2-93KD" in text
    assert "unconscious" not in text


def test_copies_of_one_message_are_told_as_one() -> None:
    """An upstream split the message: one notice, each recipient once, the latest word about them counts."""
    first = meta(asked(), asked(CHEN), message="A", ref="AAAA-2222")
    second = meta(sent(), message="B", ref="BBBB-3333", created=SENT + 2)
    notice = render([second, first], NOW, SETTINGS, TEMPLATES)
    assert notice.text.startswith("Your email to 1 of 2 people is waiting.")
    assert notice.text.count(f"- {CHEN}:") == 1
    assert f"- {CHEN}: passed on" in flat(notice)


def test_retry_says_until_when() -> None:
    """N-7 for what is tried again says so and until when; what waits for a person is never told to be sent again as it was."""
    retry = flat(made(line(LEE, "deferred", "N-7", deadline=SENT + 4 * 3600)))
    assert "We try again by ourselves until 18:02 on Monday 3 March." in retry
    stuck = flat(made(line(LEE, "held", "N-7", releases="mail-admin", help="Attach the file again.")))
    assert "send it again" not in stuck and "Attach the file again." in stuck
    assert "The mail team decides; they are told of it. If the person needs it soon, phone them." in stuck


def test_the_policys_contacts_come_before_the_configurations() -> None:
    """The IG team changes the on-call number in policy.yaml: the next notice names the new one."""
    told = {"on_call": "Night IG, ext. 9", "ig": "IG desk, ext. 8", "alternatives": "the referral system"}
    notice = flat(made(line(JANE, "held", "N-2", "D", releases="ig"), contacts=told))
    assert "If you need help now: Night IG, ext. 9." in notice
    assert "Questions: IG desk, ext. 8." in notice and "Other ways: the referral system." in notice
    plain = flat(made(line(JANE, "held", "N-2", "D", releases="ig")))
    assert "duty IG officer, ext. 2222" in plain and "IG team, ext. 4410" in plain and "Other ways" not in plain


def test_unknown_state_is_never_called_sent() -> None:
    """A word this version does not know means: please check."""
    text = flat(made(line(LEE, "exploded", "N-3")))
    assert "may not have arrived" in text and "was sent" not in text
    assert section("exploded", "N-3") == ("N-7", "unsure")


def test_observed_mail_is_told_of_as_plain_mail() -> None:
    """In observe mode nobody hears that an email waits."""
    text = made(line(LEE, "delivered", "N-1", method="observe")).text
    assert "waiting" not in text


def test_about_one_hold_leaves_the_rest_in_the_list() -> None:
    """A later change has paragraphs for what changed only, and still names everyone."""
    notice = made(asked(hold="h1", state="expired"), asked(CHEN, hold="h2"), about={"h1"})
    assert notice.text.startswith("Your email to 1 of 2 people was not sent. Its time ran out.")
    assert f"- {CHEN}: waiting" in flat(notice)
    assert "What to do:" not in notice.text


def test_many_people_are_named_in_the_list_only() -> None:
    """Thirty addresses do not make a sentence."""
    notice = made(*(asked(f"person{n}@royal-example.nhs.uk") for n in range(30)))
    assert notice.text.startswith("Your email is waiting. It has not been sent to any of the 30 people yet.")
    assert "only to the 30 people marked in the list" in flat(notice)
    assert notice.text.count("person7@") == 1


@pytest.mark.parametrize("kind", ["machine", "null", "auto", "list"])
def test_machines_are_not_written_to(kind: str) -> None:
    """RFC 3834: the owner is told, else IG; the notice says why."""
    owned = made(asked(), sender_kind=kind, owner="owner@example.nhs.uk", sender="scanner@example.nhs.uk")
    assert owned.to == "owner@example.nhs.uk"
    assert "You get this because you look after scanner@example.nhs.uk" in flat(owned)
    assert made(asked(), sender_kind=kind, sender="").to == "ig@example.nhs.uk"


def test_manners() -> None:
    """RFC 3834: automatic, threaded, no Precedence, replies go to people, nothing private in the Message-ID."""
    message = parsed(made(asked()))
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["In-Reply-To"] == message["References"] == MESSAGE_ID
    assert message["Reply-To"] == "ig@example.nhs.uk"
    assert message["From"] == "postmaster@example.nhs.uk"
    assert message["To"] == SENDER
    assert message["Precedence"] is None
    assert re.fullmatch(r"<notice\.[0-9a-f]{32}@example\.nhs\.uk>", message["Message-ID"])
    reminder = parsed(made(asked(hold="h1"), reminder=True))
    assert reminder["Auto-Submitted"] == "auto-generated" and reminder["In-Reply-To"] is None


def test_same_change_same_message_id() -> None:
    """Said twice it is one message; a later change is another one."""
    assert made(asked()).headers["Message-ID"] == made(asked(), now=NOW + 9).headers["Message-ID"]
    assert made(asked()).headers["Message-ID"] != made(asked(state="expired")).headers["Message-ID"]


@pytest.mark.parametrize("case", CASES)
def test_lines_on_the_wire(case: str) -> None:
    """7bit, CRLF, at most 76 columns, text and HTML with the same words."""
    lines, how = CASES[case]
    raw = made(*lines, **how).as_bytes()
    assert raw.isascii()
    assert all(len(one) <= 76 for one in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_long_message_id_is_not_encoded() -> None:
    """Outlook's Message-IDs are longer than a line and must stay readable for threading."""
    long = f"<{'A' * 60}@{'B' * 60}.prod.example>"
    assert parsed(made(asked(), message_id=long))["In-Reply-To"] == long
    assert b"=?" not in made(asked(), message_id=long).as_bytes()


@pytest.mark.parametrize("bad", ["<a@b>\r\nBcc: x@y.example", "no brackets", "<a b@c>", "<é@c>", ""])
def test_bad_message_id_is_left_out(bad: str) -> None:
    """A Message-ID that could start another header or is none is not repeated."""
    raw = made(asked(), message_id=bad).as_bytes()
    assert b"In-Reply-To" not in raw and b"Bcc" not in raw


@pytest.mark.parametrize("bad", ["a@b.example\r\nBcc: x@y.example", "a@b.example, c@d.example", "<a@b.example>", "a b@c.example"])
def test_bad_addressee_is_refused(bad: str) -> None:
    """An address that would become two, or a header, is an error; the row stays.  The error does not show it."""
    with pytest.raises(NotWritable) as caught:
        made(asked(), sender=bad).as_bytes()
    assert "example" not in str(caught.value)


def test_html_is_escaped() -> None:
    """Whatever stands in an address or a sentence is text, never markup; nothing is loaded."""
    notice = made(asked("<b>@x.example", words="<script>alert(1)</script>"))
    assert "<script" not in notice.html and "<b>" not in notice.html
    assert "&lt;script&gt;" in notice.html
    assert not re.search(r"(?:src|href|url)\s*[=(]", notice.html)
    assert "\u00a0" not in notice.html + notice.text


def test_international_address() -> None:
    """A sender with a non-ASCII address is written to as RFC 6532 says."""
    raw = made(asked(), sender="müller@example.nhs.uk").as_bytes()
    assert "To: müller@example.nhs.uk".encode() in raw


def test_tables_agree() -> None:
    """Every state leads to a part that has a place in the order."""
    assert {(template, variant) for _, _, template, variant in SECTIONS} == set(ORDER)
    for state in STATES.values():
        for notice in ("", "N-1", "N-2", "N-3", "N-4", "N-6", "N-7", "N-99"):
            assert section(state, notice) in ORDER


ANY = st.one_of(st.none(), st.text(max_size=80))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "address": st.one_of(st.emails(), st.text(max_size=60)),
                "class": st.sampled_from(["O", "A", "B", "C", "D", "E", "F", None]),
                "state": st.sampled_from([*STATES, "?"]),
                "notice": st.sampled_from(["N-1", "N-2", "N-3", "N-4", "N-6", "N-7", None]),
                "words": st.one_of(ANY, st.lists(st.text(max_size=30), max_size=3)),
                "help": ANY,
                "method": ANY,
                "code": ANY,
                "releases": ANY,
                "answers": st.lists(st.text(max_size=40), max_size=3),
                "deadline": st.one_of(st.none(), st.floats(0, 4e9)),
            }
        ),
        min_size=1,
        max_size=5,
    )
)
@pytest.mark.slow
def test_every_outcome_can_be_told(lines: list[dict[str, Any]]) -> None:
    """Whatever stands in an outcome, its sender is told: no exception, one part a header line, 7bit."""
    raw = render([{**meta(sent()), "recipients": lines}], NOW, SETTINGS, TEMPLATES).as_bytes()
    assert raw.isascii() and b"\n" not in raw.replace(b"\r\n", b"")
    head = message_from_bytes(raw).keys()
    assert len(head) == len(set(head)) and "Bcc" not in head


def test_summer_time() -> None:
    """The site's clock, not UTC: 13:02 UTC in July is 14:02 in London."""
    july = SENT + 120 * 86400 - 3600
    assert "email sent 14:02 to " in render([meta(asked(), created=july)], july + 60, SETTINGS, TEMPLATES).subject


def test_yesterdays_email_is_named_with_its_date() -> None:
    """A bare time means today."""
    assert "sent 14:02 on Monday 3 March" in made(asked(), now=NOW + 86400).subject


def _syllables(word: str) -> int:
    word = re.sub(r"e$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", word)))


def grade(text: str) -> float:
    """Flesch-Kincaid grade of running text; addresses, tags and names of things count as one word of one syllable."""
    text = re.sub(r"\S+@\S+|\[[^\]]+\]|\([^)]*\)|https?://\S+", "thing", text)
    sentences = [s for s in re.split(r"[.!?:;]+\s|\n\n|\n- ", text) if re.search(r"[a-z]", s)]
    words = re.findall(r"[A-Za-z']+", text)
    syllables = sum(_syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


@pytest.mark.parametrize("case", CASES)
def test_reading_age(case: str) -> None:
    """A twelve-year-old (grade 7) can read it, and no sentence is longer than 30 words."""
    text = (GOLDEN / f"{case}.txt").read_text(encoding="utf-8").partition("\n\n")[2]
    assert grade(text) <= 7.0
    paragraphs = text.replace("\n- ", "\n\n").split("\n\n")
    longest = max((len(s.split()) for p in paragraphs for s in re.split(r"[.!?;]\s", p)), default=0)
    assert longest <= 30


@pytest.mark.parametrize("case", CASES)
def test_no_blame_and_no_jargon(case: str) -> None:
    """Words that blame, threaten or need explaining do not stand in a notice."""
    text = (GOLDEN / f"{case}.txt").read_text(encoding="utf-8").lower()
    blame = ("violation", "you failed", "must not", "breach", "illegal", "returned")
    jargon = ("policy", "metadata", "smtp", "quarantine", "exif")
    for word in blame + jargon:
        assert word not in text, word
