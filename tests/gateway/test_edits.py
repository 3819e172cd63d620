"""gateway.finishing.edits: only what the table names changes, and every other byte stays."""

from __future__ import annotations

import email
import email.policy
import quopri
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers import statements
from gateway.finishing.edits import HEADER_EDITS, header_line, outgoing_edits, received_line, without
from gateway.message import decode, encode_base64, parse, splice
from gateway.model import Envelope, Recipient

pytestmark = pytest.mark.unit

HEAD = b"From: a@example.org\r\nSubject: rash\r\nMIME-Version: 1.0\r\n"
LINE = "Consent: verbal, patient, referral"


def out(raw: bytes, **wanted) -> bytes:
    """The message as it would leave when consent is removed everywhere."""
    message = parse(raw)
    carried = statements(message)
    spans, line = carried.subject_spans, carried.body_line
    return splice(raw, outgoing_edits(message, own_id="gw1.example.org", subject_spans=spans, body_line=line, **wanted))


def subject(raw: bytes) -> str:
    return str(make_header(decode_header(email.message_from_bytes(raw, policy=email.policy.compat32)["Subject"])))


def test_nothing_to_do_gives_the_very_same_object():
    raw = HEAD + b"Received: from x by y\r\n\r\nhello"
    assert out(raw) is raw


def test_consent_fields_go_and_nothing_else():
    raw = (
        HEAD.replace(b"MIME", b"CLINICAL-image-consent: given; v=1;\r\n form=verbal\r\nX-Clinical-Image-Consent: given\r\nMIME")
        + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Clinical-Image-Consent: given\r\n'
        + b"Content-Type: image/jpeg\r\n\r\nJ\r\n--b--\r\n"
    )
    expected = HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: image/jpeg\r\n\r\nJ\r\n--b--\r\n'
    assert out(raw) == expected
    assert out(raw, remove_consent=False) is raw


def test_only_forged_results_with_our_id_go():
    """RFC 8601 5: a verdict bearing our own id that we did not write is deleted; others stay."""
    raw = HEAD + b'Clinical-Image-Results: "GW1.example.org"; v=1\r\nClinical-Image-Results: gw2.example.org; v=1\r\n\r\nx'
    assert out(raw) == HEAD + b"Clinical-Image-Results: gw2.example.org; v=1\r\n\r\nx"


def test_our_verdict_stands_on_top_and_cannot_break_out():
    raw = HEAD + b"\r\nx"
    done = out(
        raw, results_header='gw1.example.org; v=1; decision=allow; rule="UK-P1-02"; consent=pass; strip=done; enc=internal'
    )
    assert done.endswith(raw)
    assert email.message_from_bytes(done)["Clinical-Image-Results"].startswith("gw1.example.org; v=1;")
    assert parse(out(raw, results_header="x\r\nBcc: evil@example.net")).fields("Bcc") == []


def test_traces_go_only_when_asked():
    raw = HEAD + b"X-Originating-IP: [10.0.0.1]\r\nUser-Agent: Thing\r\nX-Mailer: Thing\r\n\r\nx"
    assert out(raw) is raw
    assert out(raw, remove_trace=True) == HEAD + b"\r\nx"


def test_internal_hops_go_and_outside_hops_stay():
    inside = b"Received: from pc.ward.example.org ([10.1.2.3]) by mx.example.org\r\n with ESMTP; x\r\n"
    outside = b"Received: from mx.example.net ([192.0.2.1]) by mx.example.org; x\r\n"
    public = b"Received: from a.example.org ([8.8.8.8]) by mx.example.org; x\r\n"
    raw = inside + outside + public + HEAD + b"\r\nx"
    assert out(raw, internal=["example.org"]) == outside + public + HEAD + b"\r\nx"
    assert out(raw) is raw


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rash [consent verbal]", "rash"),
        ("[consent verbal] rash", "rash"),
        ("[secure] [consent verbal] rash [SEC=OFFICIAL] [#12345]", "[secure] rash [SEC=OFFICIAL] [#12345]"),
        ("grüße [consent verbal] für dich", "grüße für dich"),
        ("[consent verbal]", ""),
        ("a  b [consent verbal]", "a  b"),
    ],
)
def test_the_tag_goes_and_other_tags_stay(before, after):
    """[secure] and [SEC=...] steer what stands behind us: they stay, byte for byte as typed."""
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["Subject"], mail["From"] = before, "a@example.org"
    mail.set_content("x")
    raw = mail.as_bytes()
    done = out(raw)
    assert subject(done) == after
    assert done.isascii() and parse(done).codes == parse(raw).codes
    assert done.partition(b"\r\n\r\n")[2] == raw.partition(b"\r\n\r\n")[2]


def test_a_subject_without_tag_keeps_its_bytes():
    raw = b"Subject: =?iso-8859-1?q?gr=FC=DFe?=  [secure] \r\n\r\nx"
    assert out(raw) is raw


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=120))
def test_any_subject_survives_rewriting_on_one_field(text):
    """Whatever the decoded subject holds, the new field is one field of ASCII lines and reads the same."""
    line = header_line("Subject", text)
    message = parse(line + b"\r\n")
    assert line.isascii() and len(message.headers) == 1
    assert all(len(one) <= 998 for one in line.split(b"\r\n"))
    assert message.text(message.headers[0]).split() == text.replace("\x00", "\x00").split()


@given(st.text("ab ", max_size=20), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=3))
def test_without_only_takes_away(text, spans):
    kept = without(text, [(min(one), max(one)) for one in spans])
    rest = iter(text)
    assert all(char in rest for char in kept)


def body_of(raw: bytes, path: str) -> bytes:
    message = parse(raw)
    return decode(message, message.part(path))


def coded(encoding: str, body: bytes) -> bytes:
    if encoding == "base64":
        return encode_base64(body)
    return (
        quopri.encodestring(body).replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n") if encoding == "quoted-printable" else body
    )


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "base64", "quoted-printable"])
def test_the_first_line_goes_from_text_and_html(encoding):
    """Both alternatives lose the line and nothing else, each in its own transfer encoding."""
    rest = "Dear colleague = friend" + ("" if encoding == "7bit" else ", grüße")
    plain, html = f"{LINE}\r\n{rest}\r\n", f"<html><body><p>{LINE}</p><p>{rest}</p></body></html>\r\n"
    raw = HEAD + b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    for kind, body in (("plain", plain), ("html", html)):
        raw += f"--b\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
        raw += coded(encoding, body.encode()) + b"\r\n"
    raw += b"--b--\r\n"
    done = out(raw)
    assert body_of(done, "1.1").replace(b"\r\n", b"") == rest.encode()
    assert body_of(done, "1.2").replace(b"\r\n", b"") == f"<html><body><p></p><p>{rest}</p></body></html>".encode()
    assert [(part.encoding, part.codes) for part in parse(done).parts] == [
        (part.encoding, part.codes) for part in parse(raw).parts
    ]


def test_only_the_statement_goes_when_more_stands_on_the_line():
    """Clinical words typed behind the statement must reach the colleague."""
    raw = HEAD + b"Content-Type: text/plain\r\n\r\n[consent verbal] Please look at this rash\r\nThanks"
    assert b"Please look at this rash\r\nThanks" in out(raw) and b"consent" not in out(raw)


def test_signed_parts_are_never_touched():
    """RFC 1847: one changed byte breaks the signature."""
    inner = b"--s\r\nContent-Type: text/plain\r\nContent-Clinical-Image-Consent: given\r\n\r\n" + LINE.encode() + b"\r\n"
    raw = (
        HEAD + b'Content-Type: multipart/signed; boundary="s"\r\n\r\n' + inner + b"--s\r\nContent-Type: x/y\r\n\r\ns\r\n--s--\r\n"
    )
    assert out(raw) is raw


def test_the_table_names_a_reason_for_every_row():
    assert all(row.why and row.fields and row.what in ("remove", "insert", "cut", "rename") for row in HEADER_EDITS)


def test_received_line_names_no_recipient_when_there_are_several():
    """RFC 5321 4.4 and 7.2: no copy tells of another recipient's address."""
    two = Envelope(
        "a@example.org", (Recipient("b@example.org"), Recipient("c@example.org")), client="192.0.2.1", helo="mx.example.org"
    )
    line = received_line("gw.example.org", two, "AB12", 1_770_000_000.0)
    assert b"b@example.org" not in line and b"c@example.org" not in line
    one = Envelope("a@example.org", (Recipient("b@example.org"),), client="2001:db8::1", helo="evil\r\nX: y", protocol="LMTP")
    line = received_line("gw.example.org", one, "AB12", 1_770_000_000.0)
    assert (
        b"for <b@example.org>;" in line and b"evil" not in line and b"[IPv6:2001:db8::1]" in line and b"with LMTP id AB12" in line
    )
    assert line.count(b"Received:") == 1 and line.endswith(b"+0000\r\n") and len(parse(line + b"\r\n").headers) == 1
    assert email.message_from_bytes(line + b"\r\n", policy=email.policy.default)["Received"]
