"""What mail programs quote never counts, however they quote it; what a program wrote is no answer."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine.answers.ownwords import NotReadable, read

pytestmark = pytest.mark.unit

SECRET = "hold+" + "a" * 52 + "@hold.own.example"
OURS = ("H7Q2-93KD", SECRET)
WORDS = "VERBAL - the patient said yes\nWRITTEN - the patient signed\nDELETE - do not send it"
HEAD = (
    f"From: Dr Lee <dr.lee@own.example>\r\nTo: <{SECRET}>\r\nSubject: Re: Waiting for you: email sent 14:02 (ref H7Q2-93KD)\r\n"
)
NOTICE = "Clinigate <gateway@own.example>"


def plain(body: str, headers: str = "") -> bytes:
    return (HEAD + headers + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + body.replace("\n", "\r\n")).encode()


def html(body: str) -> bytes:
    return (HEAD + "Content-Type: text/html; charset=utf-8\r\n\r\n<html><body>" + body + "</body></html>").encode()


def lines(raw: bytes) -> list[str]:
    return list(read(raw, OURS).lines)


MARKED = "\n".join(f"> {line}" for line in WORDS.split("\n"))
OUTLOOK = f"From: {NOTICE}\nSent: 23 November 2026 14:02\nTo: Lee <dr.lee@own.example>\nSubject: Waiting for you\n\n{WORDS}"
PLAIN = {
    "gmail": f"PARENT\n\nOn Mon, 23 Nov 2026 at 14:02, {NOTICE} wrote:\n\n{MARKED}",
    "gmail, broken": f"PARENT\n\nOn Mon, 23 Nov 2026 at 14:02, Clinigate of the\nHospital <gateway@own.example> wrote:\n{MARKED}",
    "apple mail": f"PARENT\n\nSent from my iPhone\n\n> On 23 Nov 2026, at 14:02, {NOTICE} wrote:\n> \n{MARKED}",
    "apple mail, unmarked": f"PARENT\n\nOn 23 Nov 2026, at 14:02, {NOTICE} wrote:\n\n{WORDS}",
    "outlook": f"PARENT\n\n{OUTLOOK}",
    "outlook, ruler": f"PARENT\n\n________________________________\n{OUTLOOK}",
    "outlook classic": f"PARENT\n\n-----Original Message-----\n{OUTLOOK}",
    "outlook mobile": f"PARENT\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\n{OUTLOOK}",
    "nhsmail": f"PARENT\n\n{OUTLOOK}\n\nThis message may contain confidential information. If you are not the intended recipient",
    "samsung": f"PARENT\n\n\nSent from my Galaxy\n\n\n-------- Original message --------\n{OUTLOOK}",
    "thunderbird": f"PARENT\n\nOn 23/11/2026 14:02, {NOTICE} wrote:\n{MARKED}",
    "below": f"On 23/11/2026 14:02, {NOTICE} wrote:\n{MARKED}\n\nPARENT",
    "german phone": f"PARENT\n\nAm 23.11.2026 um 14:02 schrieb {NOTICE}:\n{MARKED}",
    "welsh": f"PARENT\n\nAnfonwyd o fy iPhone\n\n{MARKED}",
    "french": f"PARENT\n\nLe 23 nov. 2026 à 14:02, {NOTICE} a écrit :\n{MARKED}",
    "signature": f"PARENT\n\n--\nDr Verbal Written\nConsultant\n{OUTLOOK}",
    "no signature mark": f"PARENT\n\nKind regards\n\nDr Lee\nNot a verbal person\n\n{OUTLOOK}",
    "telephone": f"PARENT\nTel: 01234 567890\nWRITTEN\n\n{OUTLOOK}",
    "disclaimer": "PARENT\n\nDISCLAIMER: VERBAL WRITTEN",
    "only ours marks it": f"PARENT\n\nWaiting for you: email sent 14:02 (ref H7Q2-93KD)\n{WORDS}",
    "the reference": f"PARENT\n\nReference: H7Q2-93KD\n{WORDS}",
    "the address": f"PARENT\n\nmailto {SECRET}\n{WORDS}",
}
OUTER = f"<div>{WORDS}</div>"
HTML = {
    "gmail": f'<div dir="ltr">PARENT</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon wrote:</div>{OUTER}</div>',
    "blockquote": f"<p>PARENT</p><blockquote type='cite'>{OUTER}</blockquote>",
    "outlook desktop": f"<p class=x>PARENT</p><div style='border:none;border-top:solid #E1E1E1 1.0pt'>From: x</div>{OUTER}",
    "owa": f'<div>PARENT</div><div id="appendonsend"></div><hr tabindex="-1"><div id="divRplyFwdMsg">From: x</div>{OUTER}',
    "outlook mobile": f'<div>PARENT</div><div id="ms-outlook-mobile-signature">VERBAL</div><div id="divRplyFwdMsg"></div>{OUTER}',
    "yahoo": f'<div>PARENT</div><div class="yahoo_quoted">{OUTER}</div>',
    "apple": f"PARENT<br><br><div>On 23 Nov 2026, at 14:02, Clinigate wrote:</div><blockquote>{OUTER}</blockquote>",
    "hidden": f'PARENT<div style="display:none">{WORDS}</div><blockquote>{OUTER}</blockquote>',
    "struck out": f"PARENT <s>VERBAL</s><blockquote>{OUTER}</blockquote>",
    "signature": f'PARENT<div class="gmail_signature">Dr Verbal</div><blockquote>{OUTER}</blockquote>',
    "style": "<style>.VERBAL { color: red }</style><p>PARENT</p>",
}


@pytest.mark.parametrize("name", PLAIN)
def test_quoted_text_never_counts(name: str) -> None:
    """Of twenty-two ways to quote our notice, only what the person wrote is left."""
    assert lines(plain(PLAIN[name])) == ["PARENT"]


@pytest.mark.parametrize("name", HTML)
def test_quoted_html_never_counts(name: str) -> None:
    assert lines(html(HTML[name])) == ["PARENT"]


@pytest.mark.parametrize("name", ["apple mail", "outlook", "below", "nhsmail"])
def test_a_reply_that_only_quotes_says_nothing(name: str) -> None:
    assert lines(plain(PLAIN[name].replace("PARENT", ""))) == []


def test_the_html_counts_where_the_plain_text_is_empty() -> None:
    body = (
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\r\n"
        "--b\r\nContent-Type: text/html\r\n\r\n<p>VERBAL</p>\r\n--b--\r\n"
    )
    assert lines((HEAD + body).encode()) == ["VERBAL"]


def test_an_attachment_is_no_text() -> None:
    body = (
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n"
        "Content-Disposition: attachment; filename=note.txt\r\n\r\nWRITTEN\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nDELETE\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nVERBAL\r\n--b\r\nContent-Type: image/jpeg\r\n\r\nxx\r\n--b--\r\n"
    )
    assert lines((HEAD + body).encode()) == ["VERBAL"]


def test_a_message_cut_short_still_says_its_word() -> None:
    body = (
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nVERBAL\r\n"
        "--b\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n" + "QUJD" * 1000
    )
    assert lines((HEAD + body).encode()) == ["VERBAL"]


@pytest.mark.parametrize(
    ("subject", "own"),
    [
        ("Re: Waiting for you: email sent 14:02 (ref H7Q2-93KD)", ""),
        ("VERBAL Re: Waiting for you: email sent 14:02 (ref H7Q2-93KD)", "VERBAL"),
        ("VERBAL - Re: Waiting for you: email sent 14:02 (ref H7Q2-93KD)", "VERBAL"),
        ("Re: Still waiting for you: email sent 14:02 (ref H7Q2)", ""),
        ("VERBAL", "VERBAL"),
        ("Re: VERBAL", "VERBAL"),
        ("RE: Fwd: verbal", "verbal"),
    ],
)
def test_of_the_subject_only_the_persons_own_words_count(subject: str, own: str) -> None:
    raw = f"From: a@own.example\r\nSubject: {subject}\r\n\r\n\r\n".encode()
    assert read(raw, OURS).subject == own


AUTOMATIC = {
    "vacation": "Auto-Submitted: auto-replied\r\n",
    "generated": "Auto-Submitted: auto-generated (rejected)\r\n",
    "precedence": "Precedence: auto_reply\r\n",
    "bulk": "Precedence: bulk\r\n",
    "autoreply": "X-Autoreply: yes\r\n",
    "autorespond": "X-Autorespond: Re\r\n",
    "exchange": "X-Auto-Response-Suppress: All\r\n",
    "list": "List-Id: <ward.own.example>\r\n",
    "null sender": "Return-Path: <>\r\n",
}


@pytest.mark.parametrize("name", AUTOMATIC)
def test_what_a_program_wrote_is_no_answer(name: str) -> None:
    assert read(plain("VERBAL", AUTOMATIC[name])).automatic


@pytest.mark.parametrize(
    "subject", ["Automatic reply: Waiting for you", "Out of office: Re: x", "Read: Waiting", "Undeliverable: x", "Accepted: x",
                "Delivery Status Notification (Failure)", "Not read: Waiting", "Abwesenheitsnotiz: x", "On leave Re: x"]
)  # fmt: skip
def test_subjects_of_programs(subject: str) -> None:
    assert read(f"From: a@own.example\r\nSubject: {subject}\r\n\r\nVERBAL\r\n".encode()).automatic


@pytest.mark.parametrize(
    "body", ["I am out of the office until Monday. VERBAL", "I am on annual leave until 3 March", "I'm away from my desk",
             "Thank you for your email. I am on leave.", "This is an automated reply", "Your message was read on Monday"]
)  # fmt: skip
def test_first_lines_of_programs(body: str) -> None:
    assert read(plain(body)).automatic


@pytest.mark.parametrize("kind", ["multipart/report; report-type=delivery-status; boundary=b", "text/calendar"])
def test_reports_and_receipts_are_no_answers(kind: str) -> None:
    raw = f"From: a@own.example\r\nSubject: VERBAL\r\nContent-Type: {kind}\r\n\r\n--b\r\n\r\nVERBAL\r\n--b--\r\n"
    assert read(raw.encode()).automatic


@pytest.mark.parametrize("header", ["Auto-Submitted: no\r\n", "Precedence: first-class\r\n", "Importance: high\r\n", ""])
def test_a_persons_reply_is_not_taken_for_a_programs(header: str) -> None:
    assert not read(plain("VERBAL", header)).automatic


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_said_to_be_unreadable(noise: bytes) -> None:
    for raw in (
        noise,
        HEAD.encode() + noise,
        HEAD.encode() + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + noise,
    ):
        try:
            read(raw, OURS)
        except NotReadable as error:
            assert SECRET not in str(error)


def test_what_was_read_never_shows_in_a_repr() -> None:
    assert "CANARY" not in repr(read(plain("CANARY VERBAL")))


LARGE = 200_000
HOSTILE = {
    "elements": html("<b>" * 30_000 + "</c>" * 30_000),
    "comments": html("<!--" * (LARGE // 4)),
    "declarations": html("<![CDATA[" * (LARGE // 9)),
    "instructions": html("<?" * (LARGE // 2)),
    "parameters": HEAD.encode() + b"Content-Type: text/plain; " + b"a=b; " * (LARGE // 5) + b"\r\n\r\nVERBAL",
    "parts": HEAD.encode() + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * (LARGE // 9),
    "encoded words": b"Subject: " + b"=?utf-8?q?=41?= " * (LARGE // 16) + b"\r\n\r\nVERBAL",
    "lines": plain("On 2026 12:00\n" * (LARGE // 14)),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.slow
def test_hostile_replies_cost_little(name: str) -> None:
    """The standard parsers take the square of some lengths; nothing here may stop the service for longer than a moment."""
    began = time.process_time()
    read(HOSTILE[name], OURS)
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize("comment", ["<!-- VERBAL -->", "<!-- VERBAL", "<![if mso]>", "<?xml VERBAL ?>"])
def test_what_no_reader_sees_is_no_text(comment: str) -> None:
    assert "VERBAL" not in " ".join(lines(html(f"<p>PARENT</p>{comment}")))
