"""gateway.mime.codes: each ambiguity has an example that gives its code, and its ordinary neighbour that does not."""

from __future__ import annotations

import pytest

from gateway.message import Undecodable, decode, encode_base64, parse
from gateway.mime.codes import AMBIGUOUS, CODES

pytestmark = pytest.mark.unit

HEAD = b"From: a@example.org\r\nMIME-Version: 1.0\r\n"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4
B64 = encode_base64(JPEG)


def codes(raw: bytes) -> set[str]:
    message = parse(raw)
    seen = set(message.codes)
    for part in message.leaves():
        try:
            decode(message, part)
        except Undecodable as error:
            seen.add(error.code)
    return seen


def mixed(content_type: bytes = b'multipart/mixed; boundary="b"', inside: bytes = b"--b\r\n\r\nhello\r\n--b--\r\n") -> bytes:
    return HEAD + b"Content-Type: " + content_type + b"\r\n\r\n" + inside


def part(header: bytes, body: bytes = b"x") -> bytes:
    return mixed(inside=b"--b\r\n" + header + b"\r\n\r\n" + body + b"\r\n--b--\r\n")


def image(encoding: bytes, body: bytes) -> bytes:
    return part(b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: " + encoding, body)


EXAMPLES: list[tuple[str, bytes]] = [
    ("mime.applefile", part(b"Content-Type: application/octet-stream", b"\0\x05\x16\x07\0\x02\0\0" + bytes(40))),
    ("mime.applefile", part(b"Content-Type: application/applefile")),
    ("mime.bare-cr-header", HEAD + b"Subject: a\rX: b\r\n\r\n"),
    ("mime.bom", b"\xef\xbb\xbf" + HEAD + b"\r\n"),
    ("mime.blank-separator", HEAD + b" \r\nContent-Type: image/jpeg\r\n\r\n"),
    ("mime.charset", part(b"Content-Type: text/html; charset=utf-7")),
    ("mime.charset", part(b'Content-Type: text/html; charset="unicode-1-1-UTF-7"')),
    ("mime.continuation-first", b" x\r\n" + HEAD + b"\r\n"),
    ("mime.encoded-word-structure", mixed(b'multipart/mixed; boundary="=?utf-8?q?b?="')),
    ("mime.encoded-word-structure", part(b"Content-Type: =?utf-8?q?image/jpeg?=")),
    ("mime.from-line", b"From a@b Mon Jan 1\r\n" + HEAD + b"\r\n"),
    ("mime.header-image", HEAD + b"Face: iVBORw0KGgoAAAANSUhEUg\r\n\r\n"),
    ("mime.header-junk", part(b"Content-Type: image/jpeg\r\nno field here")),
    ("mime.leading-newline", b"\r\n" + HEAD + b"\r\n"),
    ("mime.mixed-newlines", HEAD + b"Subject: x\nTo: b@c\r\n\r\n"),
    ("mime.no-separator", mixed(inside=b"--b\r\nhttp://x\r\n--b--\r\n")),
    ("mime.nul", HEAD + b"\r\na\0b"),
    ("mime.space-before-colon", part(b"Content-Type : image/jpeg")),
    ("mime.duplicate-field", part(b"Content-Type: text/plain\r\nContent-Type: image/jpeg")),
    ("mime.duplicate-field", part(b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64", B64)),
    ("mime.duplicate-field", part(b"Content-Disposition: inline\r\nContent-Disposition: attachment")),
    ("mime.duplicate-shown", HEAD + b"From: b@example.org\r\n\r\n"),
    ("mime.duplicate-boundary", mixed(b'multipart/mixed; boundary="b"; boundary="c"')),
    ("mime.comment-structure", mixed(b'multipart/mixed; boundary=b (really "c")')),
    ("mime.structure-form", mixed(b'multipart/mixed; boundary="b')),
    ("mime.structure-form", mixed(b"multipart/mixed/x; boundary=b")),
    ("mime.structure-form", mixed(b"multipart; boundary=b")),
    ("mime.structure-form", mixed(b'multipart/mixed; boundary="b"c')),
    ("mime.structure-form", mixed(b"multipart/mixed boundary=b")),
    ("mime.unknown-message-type", part(b"Content-Type: message/x-made-up")),
    ("mime.external-body", part(b"Content-Type: message/external-body; access-type=url")),
    ("mime.partial", HEAD + b"Content-Type: message/partial; id=x; number=1\r\n\r\nx"),
    ("mime.cte-empty", image(b"", B64)),
    ("mime.cte-form", image(b"base64; x=y", B64)),
    ("mime.cte-form", image(b'"base64"', B64)),
    ("mime.cte-form", image(b"base64 (really)", B64)),
    ("mime.cte-form", image(b"base 64", B64)),
    ("mime.cte-form", image(b"base64;", B64)),
    ("mime.cte-unknown", image(b"7-bit", B64)),
    ("mime.cte-unknown", image(b"x-clinic", B64)),
    ("mime.cte-uuencode", image(b"x-uuencode", b"begin 644 a\r\n")),
    ("mime.cte-lie", image(b"7bit", B64)),
    ("mime.cte-lie", part(b"Content-Type: text/plain", b"=FF=D8=FF=E0=00")),
    ("mime.multipart-encoded", mixed().replace(b"MIME-", b"Content-Transfer-Encoding: base64\r\nMIME-")),
    ("mime.b64-garbage", image(b"base64", B64[:40] + b"!!!\r\n" + B64[40:])),
    ("mime.b64-garbage", image(b"base64", B64 + b"\r\n_______\r\nlist footer, please ignore")),
    ("mime.b64-length", image(b"base64", b"QUJDR")),
    ("mime.b64-padding", image(b"base64", b"QUJDRA")),
    ("mime.b64-padding-inside", image(b"base64", b"QUI=\r\nQUI=")),
    ("mime.b64-padding-inside", image(b"base64", b"QUI=QUJD")),
    ("mime.b64-url", image(b"base64", b"_9j_")),
    ("mime.b64-whitespace", image(b"base64", b"QUJD \r\nQUJD")),
    ("mime.qp-invalid", image(b"quoted-printable", b"=FF=D8=ZZ")),
    ("mime.qp-invalid", part(b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable", b"=FF=D8=FF=E0=ZZ")),
    ("mime.qp-blanks", image(b"quoted-printable", b"=FF=D8  \r\n=FF")),
    ("mime.after-final", mixed(inside=b"--b\r\n\r\nx\r\n--b--\r\n--b\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--b--\r\n")),
    ("mime.boundary-empty", mixed(b'multipart/mixed; boundary=""', b"--\r\n\r\nx\r\n----\r\n")),
    ("mime.boundary-form", mixed(b'multipart/mixed; boundary="b\\c"')),
    ("mime.boundary-form", mixed(b'multipart/mixed; boundary="b "')),
    ("mime.boundary-form", mixed(b'multipart/mixed; boundary="b\xff"')),
    ("mime.boundary-long", mixed(b'multipart/mixed; boundary="' + b"b" * 71 + b'"')),
    ("mime.boundary-missing", mixed(b"multipart/mixed")),
    ("mime.boundary-newline", mixed(inside=b"--b\r\n\r\nhello\n--b\r\n\r\nx\r\n--b--\r\n")),
    ("mime.boundary-newline", mixed(inside=b"--b\r\n\r\nhello\r--b\r\n\r\nx\r\n--b--\r\n")),
    ("mime.boundary-not-found", mixed(b"multipart/mixed; boundary=c")),
    ("mime.boundary-on-leaf", mixed(b"text/plain; boundary=b")),
    ("mime.boundary-padding", mixed(inside=b"--b \t\r\n\r\nx\r\n--b--\r\n")),
    ("mime.boundary-prefix", mixed(inside=b"--b\r\n\r\nx\r\n--bcd\r\n\r\ny\r\n--b--\r\n")),
    ("mime.boundary-prefix", mixed(inside=b"--b\r\n\r\nx\r\n--b--hidden\r\n\r\ny\r\n--b--\r\n")),
    (
        "mime.boundary-reused",
        mixed(inside=b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"),
    ),
    ("mime.boundary-rfc2231", mixed(b"multipart/mixed; boundary*0=b; boundary*1=c", b"--bc\r\n\r\nx\r\n--bc--\r\n")),
    ("mime.boundary-rfc2231", mixed(b"multipart/mixed; boundary*=us-ascii''b")),
    ("mime.epilogue", mixed(inside=b"--b\r\n\r\nx\r\n--b--\r\nContent-Type: image/jpeg\r\n\r\n" + B64)),
    ("mime.preamble", mixed(inside=B64 + b"\r\n--b\r\n\r\nx\r\n--b--\r\n")),
    ("mime.epilogue", mixed(inside=b"--b\r\n\r\nx\r\n--b--\r\n" + B64[:44] + b"\r\n")),
    ("mime.preamble", mixed(inside=b"begin 644 x.jpg\r\nM\r\n--b\r\n\r\nx\r\n--b--\r\n")),
    (
        "mime.no-final-boundary-inner",
        mixed(inside=b"--b\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nx\r\n--b--\r\n"),
    ),
    ("mime.limit-header", part(b"Content-Type: image/jpeg; x=" + b"y" * 5000)),
]


@pytest.mark.parametrize(("code", "raw"), EXAMPLES, ids=[f"{code}-{index}" for index, (code, _) in enumerate(EXAMPLES)])
def test_each_ambiguity_is_told(code, raw):
    """Two mail programs would read this differently: the code says so, and it is one that holds."""
    assert code in codes(raw)
    assert code in AMBIGUOUS


WRAPPED = [
    ("mime.attached-message", part(b"Content-Type: application/octet-stream", b"From: a@b\r\nSubject: x\r\nDate: y\r\n\r\nbody")),
    ("mime.attached-message", part(b'Content-Type: text/plain; name="x.eml"', b"From: a@b\r\nSubject: x\r\n\r\nbody")),
    ("mime.encoded-message", part(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64", B64)),
]


@pytest.mark.parametrize(("code", "raw"), WRAPPED)
def test_a_message_in_another_wrapping_is_told_and_opened(code, raw):
    """It holds nothing by itself: ``gateway.opening.attached`` opens it with this same parser."""
    assert code in codes(raw)
    assert code not in AMBIGUOUS


def test_every_ambiguity_has_an_example():
    """A code nobody can trigger is a check nobody made."""
    elsewhere = {"mail.compressed", "mime.limit-depth", "mime.limit-lines", "mime.limit-parts"}  # test_message.py
    assert {code for code, _ in EXAMPLES} | elsewhere == AMBIGUOUS


def test_every_code_has_one_sentence():
    assert all(text.endswith(".") and len(text) < 140 for text in CODES.values())
    assert CODES.keys() > AMBIGUOUS


ORDINARY: list[tuple[str, bytes]] = [
    (
        "apple",
        mixed(b'multipart/mixed;\r\n\tboundary="Apple-Mail=_1A2B"', b"--Apple-Mail=_1A2B\r\n\r\nhi\r\n--Apple-Mail=_1A2B--\r\n"),
    ),
    (
        "outlook",
        mixed(
            b'multipart/mixed; boundary="----=_NextPart_000_01"',
            b"------=_NextPart_000_01\r\n\r\nx\r\n------=_NextPart_000_01--\r\n",
        ),
    ),
    ("unquoted", mixed(b"multipart/mixed; boundary=----=_Part_1.2", b"------=_Part_1.2\r\n\r\nx\r\n------=_Part_1.2--\r\n")),
    ("inner blank", mixed(b'multipart/mixed; boundary="Next Part"', b"--Next Part\r\n\r\nx\r\n--Next Part--\r\n")),
    ("preamble", mixed(inside=b"This is a multi-part message in MIME format.\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n")),
    ("epilogue", mixed(inside=b"--b\r\n\r\nx\r\n--b--\r\n\r\n_____\r\nThis message was checked for viruses.\r\n")),
    (
        "list footer",
        mixed(inside=b"--b\r\n\r\nx\r\n--b--\r\n" + b"_" * 47 + b"\r\nhttps://lists.example.org/mailman/listinfo/users\r\n"),
    ),
    ("no final boundary", mixed(inside=b"--b\r\n\r\nx\r\n")),
    ("same header twice", part(b"Content-Type: text/plain\r\nContent-Type: text/plain")),
    ("sloppy name", part(b"Content-Type: image/jpeg; name=photo of (my) arm.jpg")),
    ("eight-bit name", part(b'Content-Type: image/jpeg; name="gr\xf6\xdfe.jpg"')),
    ("comment", part(b"Content-Type: text/plain; charset=us-ascii (plain)")),
    ("57 columns", image(b"base64", b"\r\n".join(B64.replace(b"\r\n", b"")[at : at + 57] for at in range(0, 1400, 57)))),
    ("one long line", image(b"base64", B64.replace(b"\r\n", b""))),
    ("BASE64", image(b"BASE64", B64)),
    ("quoted-printable jpeg", image(b"quoted-printable", b"".join(b"=%02X" % octet for octet in JPEG))),
    ("lower-case escapes", part(b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable", b"gr=c3=bc=c3=9fe")),
    ("sloppy text", part(b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable", b"a = b; x  \r\nend")),
    ("no MIME", b"From: a@example.org\r\nSubject: x\r\n\r\nhello"),
    ("header only", b"From: a@example.org\r\nSubject: x\r\n"),
    ("empty body part", mixed(inside=b"--b\r\nContent-Type: text/plain\r\n\r\n--b--\r\n")),
    ("utf-8 header", HEAD + "Subject: grüße\r\n\r\n".encode()),
    (
        "delivery report",
        part(b"Content-Type: message/delivery-status", b"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b"),
    ),
    ("quoted headers in text", part(b"Content-Type: text/plain", b"From: a@b\r\nSubject: x\r\n\r\nforwarded by hand")),
]


@pytest.mark.parametrize(("what", "raw"), ORDINARY, ids=[what for what, _ in ORDINARY])
def test_what_all_programs_read_alike_is_not_held(what, raw):
    assert not codes(raw) & AMBIGUOUS
