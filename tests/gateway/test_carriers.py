"""gateway.carriers: where a statement counts, where it never does, what shows a redirect, and who the author is."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.carriers import CARRIERS, HEADER_FIELDS, REDIRECTS, from_addresses, sender_kind, statements
from gateway.message import encode_base64, parse
from gateway.model import Envelope
from policies.consent import combine
from policies.model import Carrier, ConsentStatus

pytestmark = pytest.mark.unit

HEAD = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: rash\r\nMIME-Version: 1.0\r\n"
STATED_PART = (
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: image/jpeg; name="x.jpg"\r\n'
    b"Content-Clinical-Image-Consent: given; v=1; form=verbal\r\n\r\nJ\r\n--b--\r\n"
)
LINE = "Consent: verbal, patient, referral"


def text(body: str, header: bytes = HEAD, charset: str = "utf-8") -> bytes:
    return header + f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + body.replace("\n", "\r\n").encode(charset)


def both(plain: str, html: str) -> bytes:
    """multipart/alternative as phones and Outlook write it."""
    return (
        HEAD
        + b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
        + plain.replace("\n", "\r\n").encode()
        + b"\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        + html.encode()
        + b"\r\n--b--\r\n"
    )


def carriers_of(raw: bytes) -> list[Carrier]:
    return [reading.carrier for reading in statements(parse(raw)).readings if reading.statements]


def test_every_carrier_of_the_registry_is_read():
    """Part field, header field (and its alias), body line, subject tag."""
    samples = {
        Carrier.HEADER: HEAD + b"Clinical-Image-Consent: given; v=1; form=verbal; purpose=COC\r\n\r\nhello",
        Carrier.SUBJECT: HEAD.replace(b"rash", b"rash [consent verbal]") + b"\r\nhello",
        Carrier.BODY: text(LINE + "\n\nDear colleague"),
        Carrier.PART: HEAD + STATED_PART,
    }
    assert samples.keys() == CARRIERS.keys()
    for carrier, raw in samples.items():
        assert carriers_of(raw) == [carrier]
    assert carriers_of(HEAD + HEADER_FIELDS[1].encode() + b": given; v=1; form=verbal\r\n\r\nx") == [Carrier.HEADER]


def test_a_part_statement_covers_its_part():
    reading = statements(parse(HEAD + STATED_PART)).readings[0]
    assert reading.statements[0].part == "x.jpg"


def test_encoded_and_folded_subjects_are_read():
    raw = b"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_=5Bconsent?=\r\n =?utf-8?Q?_verbal=5D?=\r\n\r\n"
    assert carriers_of(raw) == [Carrier.SUBJECT]


@pytest.mark.parametrize("blank", ["", "\n\n", " \t\n\u00a0\n", "\u200b\n"])
def test_blank_lines_before_the_statement_do_not_matter(blank):
    assert carriers_of(text(blank + LINE + "\nDear colleague")) == [Carrier.BODY]


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252"])
def test_the_line_is_read_under_every_encoding(encoding, charset):
    import quopri

    body = (LINE + "\r\nGrüße").encode(charset)
    coded = encode_base64(body) if encoding == "base64" else quopri.encodestring(body)
    raw = HEAD + f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + coded
    carried = statements(parse(raw))
    assert carried.body_line is not None and carried.body_line.text == LINE


def test_a_wrapped_line_is_joined_when_the_mail_says_so():
    raw = text("Consent: verbal, patient, \nreferral\nDear colleague", HEAD + b"X: y\r\n").replace(
        b"charset=utf-8", b"charset=utf-8; format=flowed"
    )
    carried = statements(parse(raw))
    assert carried.body_line is not None and carried.body_line.text == "Consent: verbal, patient, referral"


QUOTED = [
    "> Consent: verbal, patient, referral",
    "> [consent verbal] please see",
    "On 3 Feb 2026, Dr A [consent verbal] wrote:",
    "From: Dr A [consent verbal] <a@example.org>",
    "-----Original Message-----\nConsent: verbal, patient, referral",
    "---------- Forwarded message ---------\nConsent: verbal, patient, referral",
    "________________________________\nConsent: verbal, patient, referral",
    "From: Dr A <a@example.org>\nSent: Monday\nConsent: verbal, patient, referral",
    "Von: Dr A <a@example.org>\nGesendet: Montag\nConsent: verbal, patient, referral",
    "De : Dr A <a@example.org>\nConsent: verbal, patient, referral",
    "On 3 Feb 2026, at 10:00, Dr A <a@example.org> wrote:\n\nConsent: verbal, patient, referral",
    "On Mon, 3 Feb 2026 at 10:00, Dr Consent Verbal\n<a@example.org> wrote:\n> Consent: verbal",
    "Am 03.02.2026 um 10:00 schrieb Dr A:\n> Consent: verbal, patient, referral",
    "Le 3 f\u00e9vr. 2026 \u00e0 10:00, Dr A a \u00e9crit :\n> Consent: verbal, patient, referral",
    "Begin forwarded message:\n\nConsent: verbal, patient, referral",
    "Anfang der weitergeleiteten Nachricht:\n\nConsent: verbal",
    "-----Urspr\u00fcngliche Nachricht-----\nConsent: verbal",
    "-----Message d'origine-----\nConsent: verbal",
    "Sent from my iPhone\nConsent: verbal, patient, referral",
    "Dear colleague\nThank you for seeing him.\nConsent: verbal, patient, referral",
    "Dear colleague\n> Consent: verbal, patient, referral",
    "Dear colleague\n\nOn 3 Feb 2026, at 10:00, Dr A <a@example.org> wrote:\nConsent: verbal, patient, referral",
    "Dear colleague\n\nFrom: Dr A <a@example.org>\nConsent: verbal, patient, referral",
    "Hi\nHi\nConsent: verbal, patient, referral",
]


@pytest.mark.parametrize("greeting", ["Dear colleague", "Hi Sarah,", "Good morning,", "Hello Dr Lee -", "hi", "Dear Mr O'Brien,"])
def test_a_greeting_is_passed_over(greeting):
    """People greet first: the line under the greeting is the first they say."""
    html = HEAD + b"Content-Type: text/html\r\n\r\n" + f"<p>{greeting}</p><div>{LINE}</div>".encode()
    for raw in (text(greeting + "\n\n" + LINE), html):
        carried = statements(parse(raw))
        assert carried.body_line is not None and carried.body_line.text == LINE


def test_a_greeting_over_a_html_quotation_lends_it_nothing():
    raw = f"<div>Hi Sarah,</div><blockquote type=cite>{LINE}</blockquote>"
    assert not statements(parse(HEAD + b"Content-Type: text/html\r\n\r\n" + raw.encode())).readings


def test_what_is_said_in_the_greeting_line_is_read_there():
    assert carriers_of(text("Hi, pt has given verbal consent for this photo. 67M ulcer L shin.\nThanks")) == [Carrier.BODY]


@pytest.mark.parametrize("body", QUOTED)
def test_quoted_or_later_text_never_counts(body):
    """Consent typed by someone else in a quoted thread must not count (domain 3.6, trap b)."""
    carried = statements(parse(text(body)))
    assert not carried.readings and carried.body_line is None


@pytest.mark.parametrize(
    "html",
    [
        f"<html><body><blockquote type=cite><p>{LINE}</p></blockquote></body></html>",
        f'<div class="gmail_quote"><div>{LINE}</div></div>',
        f'<body><div id="appendonsend"></div><p>{LINE}</p></body>',
        f'<body><div id="divRplyFwdMsg"><p>{LINE}</p></div></body>',
        f'<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p>{LINE}</p></div>',
        f'<div class="moz-cite-prefix">{LINE}</div>',
        f"<html><head><title>{LINE}</title></head><body><p>Dear colleague</p></body></html>",
        f"<style>{LINE}</style><!-- {LINE} --><p>Dear</p>",
    ],
)
def test_quoted_html_never_counts(html):
    raw = HEAD + b"Content-Type: text/html\r\n\r\n" + html.encode()
    assert not statements(parse(raw)).readings


@pytest.mark.parametrize(
    "html",
    [
        f"<html><head><style>p {{}}</style></head><body><p>{LINE}</p><p>Dear</p></body></html>",
        f"<div dir=ltr><div>{LINE}</div><div>Dear</div></div>",
        f"{LINE}<br>Dear",
        "<p>Consent:&nbsp;verbal, <b>patient</b>,\r\n referral</p>",
    ],
)
def test_html_alone_is_read(html):
    assert carriers_of(HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()) == [Carrier.BODY]


def test_both_alternatives_are_cut_but_counted_once():
    carried = statements(parse(both(LINE + "\nDear", f"<div>{LINE}</div><div>Dear</div>")))
    assert len(carried.readings) == 1
    assert carried.body_line is not None and [path for path, _ in carried.body_line.cuts] == ["1.1", "1.2"]


def test_an_attached_message_states_nothing():
    """A forwarded mail's own header, tag and line are somebody else's."""
    inner = text(LINE, HEAD.replace(b"rash", b"[consent verbal]") + b"Clinical-Image-Consent: given; v=1; form=written\r\n")
    part = b"--b\r\nContent-Type: message/rfc822\r\nX: y\r\n\r\n" + inner + b"\r\n--b--\r\n"
    carried = statements(parse(HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + part))
    assert not carried.readings and carried.thread == "forward"


def test_a_text_attachment_is_not_the_body():
    part = b'--b\r\nContent-Type: text/plain; name="note.txt"\r\n\r\n' + LINE.encode() + b"\r\n--b--\r\n"
    assert not statements(parse(HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + part)).readings


def test_a_refusal_is_seen_in_every_carrier():
    raw = HEAD.replace(b"rash", b"rash [consent refused]") + b"Clinical-Image-Consent: given; v=1; form=verbal\r\n\r\nx"
    found = {one.status for reading in statements(parse(raw)).readings for one in reading.statements}
    assert found == {ConsentStatus.GIVEN, ConsentStatus.REFUSED}


@pytest.mark.parametrize(
    ("subject", "thread"),
    [
        (b"rash", "new"),
        (b"Re: rash", "reply"),
        (b"RE : rash", "reply"),
        (b"AW: rash", "reply"),
        (b"Re[2]: rash", "reply"),
        (b"[EXTERNAL] Re: rash", "reply"),
        (b"Fw: Re: rash", "forward"),
        (b"WG: rash", "forward"),
        (b"TR: rash", "forward"),
        (b"Regarding: rash", "new"),
    ],
)
def test_thread(subject, thread):
    assert statements(parse(b"Subject: " + subject + b"\r\n\r\nx")).thread == thread


def test_a_reply_without_prefix_is_told_by_its_references():
    assert statements(parse(b"Subject: rash\r\nIn-Reply-To: <x@y>\r\n\r\nx")).thread == "reply"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"Resent-From: x@example.org", "redirect.resent"),
        (b"Auto-Submitted: auto-forwarded", "redirect.auto-submitted"),
        (b"X-MS-Exchange-Inbox-Rules-Loop: x@example.org", "redirect.inbox-rule"),
        (b"X-Forwarded-To: x@example.org", "redirect.forwarded"),
        (b"X-Forwarded-Encrypted: i=1", "redirect.forwarded"),
        (b"Delivered-To: x@example.org", "redirect.delivered"),
        (b"List-Id: <x.example.org>", "redirect.list"),
    ],
)
def test_redirect_evidence(line, code):
    assert statements(parse(HEAD + line + b"\r\n\r\nx")).redirect_codes == {code}
    assert code in REDIRECTS


def test_an_ordinary_mail_shows_no_redirect():
    raw = HEAD + b"Auto-Submitted: no\r\nReceived: from x by y; z\r\nX-Mailer: Outlook\r\n\r\nx"
    assert statements(parse(raw)).redirect_codes == frozenset()


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        (b"a@example.org", ["a@example.org"]),
        (b"Dr A <a@example.org>", ["a@example.org"]),
        (b'"A, Dr" <a@example.org>', ["a@example.org"]),
        (b'"evil@example.net" <a@example.org>', ["a@example.org"]),
        (b"a@example.org (evil@example.net)", ["a@example.org"]),
        (b"evil@example.net <a@example.org>", ["a@example.org", "evil@example.net"]),
        (b"a@example.org <a@example.org>", ["a@example.org"]),
        (b"a@example.org, b@example.org", ["a@example.org", "b@example.org"]),
        (b"Team: a@example.org, B <b@example.org>;", ["a@example.org", "b@example.org"]),
        (b"undisclosed:;", []),
        (b"<a@example.org> <b@example.org>", ["", "b@example.org"]),
        (b"<a@example.org", ["", "a@example.org"]),
        (b'"A <a@example.org>', ["", "a@example.org"]),
        (b"a@b@example.org", [""]),
        (b"nobody", [""]),
        (b'"john doe"@example.org', ['"john doe"@example.org']),
        (b"=?utf-8?q?evil=40example.net?= <a@example.org>", ["a@example.org"]),
        (b"A\r\n <a@example.org>", ["a@example.org"]),
        (b"<@x.example,@y.example:a@example.org>", [""]),
    ],
)
def test_authors(value, addresses):
    """The exact addr-spec; anything two programs would show differently gives more than one author."""
    assert sorted(from_addresses(parse(b"From: " + value + b"\r\n\r\n"))) == sorted(addresses)


def test_every_from_field_counts():
    assert from_addresses(parse(b"From: a@x.example\r\nFrom: b@x.example\r\n\r\n")) == ["a@x.example", "b@x.example"]


@given(st.text(max_size=80))
def test_no_from_field_makes_it_raise(value):
    from_addresses(parse(b"From: " + value.encode("utf-8", "replace") + b"\r\n\r\n"))


@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-16", "iso-2022-jp", "utf-7", "nonsense", "base64"]), st.booleans())
def test_no_body_makes_it_raise(body, charset, html):
    kind = b"text/html" if html else b"text/plain"
    head = b"Content-Type: " + kind + b"; charset=" + charset.encode() + b"\r\n\r\n"
    statements(parse(head + body.encode("utf-8", "replace")))


@pytest.mark.parametrize(
    ("line", "sender", "kind"),
    [
        (b"", "a@example.org", "person"),
        (b"", "", "null"),
        (b"", "MAILER-DAEMON@example.org", "null"),
        (b"Auto-Submitted: auto-replied\r\n", "a@example.org", "auto"),
        (b"Auto-Submitted: no\r\n", "a@example.org", "person"),
        (b"Precedence: auto_reply\r\n", "a@example.org", "auto"),
        (b"Content-Type: multipart/report; boundary=b\r\n", "a@example.org", "auto"),
        (b"Precedence: bulk\r\n", "a@example.org", "list"),
        (b"List-Id: <x>\r\n", "a@example.org", "list"),
    ],
)
def test_only_a_person_is_sent_notices(line, sender, kind):
    assert sender_kind(parse(HEAD + line + b"\r\nx"), Envelope(sender, ())) == kind


def test_nothing_typed_shows_in_repr():
    assert "verbal" not in repr(statements(parse(text(LINE))).body_line)


def test_a_part_named_by_its_content_id_is_found():
    """domain/03 3.3: ``part=`` is a file name or a cid."""
    value = b'given; v=1; form=verbal; part="cid:abc@x"'
    part = b'--b\r\nContent-Type: image/jpeg; name="x.jpg"\r\nContent-ID: <abc@x>\r\n\r\nJ\r\n--b--\r\n'
    raw = HEAD + b"Clinical-Image-Consent: " + value + b'\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n' + part
    assert [said.part for reading in statements(parse(raw)).readings for said in reading.statements] == ["x.jpg"]


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ('given; form=verbal; patient="9434765919"', ("verbal", None, None, None)),
        ('given; form=verbal; record="NHS:943-476-5919"', ("verbal", None, None, None)),
        ('given; form=verbal; patient="p-7f3a9c21"; record="EPR-C-204417"', ("verbal", "p-7f3a9c21", "EPR-C-204417", None)),
        ('bypassed; bypass=emergency; reason="NHS 943 476 5919 unconscious"', (None, None, None, "NHS ### ### #### unconscious")),
    ],
)
def test_a_patients_number_is_taken_out_of_a_statement(value, left):
    """domain/03 3.3 rule 7: the number serves to look withdrawals up and is kept nowhere; the sender is told."""
    carried = statements(parse(HEAD + b"Clinical-Image-Consent: " + value.encode() + b"\r\n\r\nx"))
    (reading,) = carried.readings
    said = reading.statements[0]
    assert (said.form, said.patient, said.record, said.reason) == left
    told = bool(carried.numbers)
    assert told == ("943" in value) and ([problem.code for problem in reading.problems] == ["consent.identifier"]) == told
    assert "943" not in repr(carried)


FORWARDS = ["Fw: ", "FWD: ", "Fwd: Re: ", "WG: "]
WORDS_OF_CONSENT = ["[consent verbal]", "consent verbal", "verbal consent obtained", "pt consented verbally", "mum agreed"]


@settings(max_examples=40)
@given(
    st.sampled_from(["> ", "| ", "On 3 Feb 2026, Dr A wrote:\n", "From: Dr A <a@example.org>\n", "-----Original Message-----\n"]),
    st.sampled_from(["", "Hi Sarah,\n\n", "Dear colleague\n", "\n \n"]),
    st.sampled_from([*WORDS_OF_CONSENT, LINE]),
)
def test_what_is_quoted_never_counts(mark, above, words):
    """domain/03 3.6, trap b: with or without a greeting above, in text and in HTML."""
    assert not carriers_of(text(above + mark + words + "\nThanks"))
    html = "".join(f"<p>{line}</p>" for line in above.split("\n")) + f"<blockquote>{words}</blockquote>"
    assert not carriers_of(HEAD + b"Content-Type: text/html\r\n\r\n" + html.encode())


@settings(max_examples=40)
@given(st.sampled_from([*FORWARDS, "Re: ", "RE: AW: "]), st.sampled_from(WORDS_OF_CONSENT))
def test_a_subject_that_came_with_a_thread_is_inherited(prefix, words):
    """domain/03 3.6, trap a: behind Re: or Fw: the words were typed for an earlier mail."""
    raw = HEAD.replace(b"rash", (prefix + words).encode()) + b"\r\nx"
    carried = statements(parse(raw))
    found = combine(carried.readings, today=date(2026, 1, 1), vouched=True, thread=carried.thread, images_covered=None)
    assert found.statement is None or found.statement.status is ConsentStatus.PENDING


@settings(max_examples=40)
@given(
    st.sampled_from([b"Resent-From: x@y", b"Auto-Submitted: auto-forwarded", b"X-Forwarded-To: x@y", b"List-Id: <x>"]),
    st.sampled_from([*WORDS_OF_CONSENT, LINE]),
)
def test_what_a_machine_passed_on_states_nothing(field, words):
    """DESIGN 2, Identity: the redirect is seen, the identity is then not vouched for, and unvouched words permit nothing."""
    carried = statements(parse(field + b"\r\n" + HEAD.replace(b"rash", words.encode()) + b"\r\n" + LINE.encode()))
    assert carried.redirect_codes
    found = combine(carried.readings, today=date(2026, 1, 1), vouched=False, thread=carried.thread, images_covered=True)
    assert found.statement is None or found.statement.status is ConsentStatus.PENDING
