"""gateway.message: every message is read by offset, every byte is accounted for, nothing makes it raise."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.message import (
    Message,
    MimeLimits,
    Part,
    Undecodable,
    decode,
    encode_base64,
    parse,
    replace_body,
    replace_name,
    splice,
)
from gateway.mime.codes import AMBIGUOUS, CODES
from tests.support.paths import CORPUS

pytestmark = pytest.mark.unit

FILES = sorted((CORPUS / "mail").rglob("*.eml"))


def children(message: Message, part: Part) -> list[Part]:
    return [one for one in message.parts if one.parent == part.path]


def assert_accounted(message: Message) -> None:
    """Header and body tile each part; children stand in order inside their parent's body, with only boundary lines between."""
    top = message.parts[0]
    assert top.header[0] == 0 and top.body[1] == len(message.raw)
    for part in message.parts:
        assert part.header[0] <= part.header[1] == part.body[0] <= part.body[1]
        spans = [one.span for one in part.headers]
        assert spans == sorted(spans)
        at = part.body[0]
        for child in children(message, part):
            assert at <= child.header[0] and child.body[1] <= part.body[1]
            at = child.body[1]
        assert part.is_leaf == (not children(message, part))
        assert part.codes <= message.codes <= CODES.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_real_and_hostile_mail_parses_and_round_trips(path):
    """Every message of the corpus: no exception, all bytes accounted for, identical bytes when nothing changes."""
    raw = path.read_bytes()
    message = parse(raw)
    assert_accounted(message)
    assert splice(raw, []) is raw
    for part in message.leaves():
        try:
            decode(message, part)
        except Undecodable as error:
            assert error.code in AMBIGUOUS


ALPHABET = st.sampled_from(
    [
        *(b"--b", b"--b--", b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"From: a@b", b"Content-Type: multipart/mixed; boundary=b"),
        *(b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: base64", b"QUJD", b"=", b'"', b";", b"(", b"\0", b"\xff"),
        *(b"Content-Type: text/html; charset=utf-16", b"boundary*0*=utf-8''b", b"=?utf-8?q?a?=", b"\\", b"x", b"\r\n\r\n"),
    ]
)


@given(st.one_of(st.binary(max_size=300), st.lists(ALPHABET, max_size=60).map(b"".join)))
def test_no_bytes_make_it_raise(raw):
    message = parse(raw)
    assert_accounted(message)
    for part in message.leaves():
        try:
            decode(message, part)
        except Undecodable as error:
            assert error.code in AMBIGUOUS
    for one in message.headers:
        message.text(one)


BODIES = st.one_of(
    st.binary(min_size=0, max_size=400).map(lambda data: ("application/octet-stream", data)),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200).map(lambda text: ("text/plain", text.encode())),
)


@st.composite
def well_formed(draw: st.DrawFn) -> EmailMessage:
    """A message as the standard library writes it: text, attachments, maybe nested in an attached message."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = (
        "a@example.org",
        "b@example.org",
        draw(st.sampled_from(["hello", "grüße", "x" * 90])),
    )
    mail.set_content(
        draw(st.sampled_from(["plain\n", "grüße\n", "", "x" * 2000 + "\n"])), cte=draw(st.sampled_from([None, "base64"]))
    )
    for kind, data in draw(st.lists(BODIES, max_size=4)):
        mail.add_attachment(data, *kind.split("/"), filename=draw(st.sampled_from(["a.jpg", "größe.png", "x" * 100 + ".txt"])))
    return mail


@given(well_formed())
@pytest.mark.slow
def test_agrees_with_the_standard_library_on_well_formed_mail(mail):
    """Same leaves, same bodies, same names as an independent parser; and nothing about it is ambiguous."""
    raw = mail.as_bytes()
    message = parse(raw)
    other = email.message_from_bytes(raw, policy=email.policy.default)
    ours = [(part.content_type, decode(message, part), part.name) for part in message.leaves()]
    theirs = [
        (part.get_content_type(), part.get_payload(decode=True), part.get_filename())
        for part in other.walk()
        if not part.is_multipart()
    ]
    assert [(kind, name) for kind, _, name in ours] == [(kind, name) for kind, _, name in theirs]
    for (kind, one, _), (_, two, _) in zip(ours, theirs, strict=True):
        assert one.rstrip(b"\r\n") == two.rstrip(b"\r\n") if kind.startswith("text/") else one == two
    assert not message.codes & AMBIGUOUS


@given(well_formed(), st.binary(max_size=300), st.randoms(use_true_random=False))
@pytest.mark.slow
def test_a_changed_part_touches_only_itself(mail, data, random):
    """Outside the part's body and its Content-Transfer-Encoding line every byte is as it was; the others decode alike."""
    assume(not data.startswith(b"\0\5\x16"))  # a Macintosh resource fork is told by its first bytes, and rightly
    raw = mail.as_bytes()
    message = parse(raw)
    part = random.choice(list(message.leaves()))
    edits = replace_body(message, part, data)
    for edit in edits:
        assert part.header[0] <= edit.start <= edit.end <= part.body[1]
    again = parse(splice(raw, edits))
    assert [one.path for one in again.parts] == [one.path for one in message.parts]
    for old, new in zip(message.leaves(), again.leaves(), strict=True):
        assert decode(again, new) == (data if old.path == part.path else decode(message, old))
    assert not again.codes & AMBIGUOUS


@given(st.binary(max_size=500))
def test_base64_writer_agrees_with_the_decoder_and_the_line_length(data):
    text = encode_base64(data)
    assert all(len(line) <= 76 for line in text.split(b"\r\n"))
    assert not text.endswith(b"\r\n")
    head = b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    message = parse(head + text)
    assert decode(message, message.parts[0]) == data


@pytest.mark.parametrize("size", [56, 57, 58, 57 * 70, 57 * 70 + 1])
def test_base64_line_ends_at_full_rows(size):
    text = encode_base64(b"x" * size)
    assert [len(line) for line in text.split(b"\r\n")][:-1] == [76] * ((size - 1) // 57)


def multipart(*parts: bytes, boundary: bytes = b"b", kind: bytes = b"mixed", after: bytes = b"") -> bytes:
    """A multipart message of the given parts, each with its header and empty line."""
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    head = (
        b"From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/" + kind + b'; boundary="' + boundary + b'"\r\n\r\n'
    )
    return head + body + b"--" + boundary + b"--\r\n" + after


def test_paths_defaults_and_attached_messages():
    """Paths number parts as IMAP does; an attached message's own top part is one level deeper."""
    inner = b"Subject: inner\r\nContent-Type: image/png\r\n\r\nPNG"
    raw = multipart(b"\r\nhello", b"Content-Type: message/rfc822\r\n\r\n" + inner)
    message = parse(raw)
    assert [(part.path, part.content_type, part.parent) for part in message.parts] == [
        ("1", "multipart/mixed", None),
        ("1.1", "text/plain", "1"),
        ("1.2", "message/rfc822", "1"),
        ("1.2.1", "image/png", "1.2"),
    ]
    assert message.part("1.1").encoding == "7bit"
    digest = parse(multipart(b"\r\nSubject: x\r\n\r\nbody", kind=b"digest"))
    assert digest.part("1.1").content_type == "message/rfc822"


def test_everything_inside_a_signature_is_marked():
    inner = b'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\nContent-Type: image/png\r\n\r\nPNG\r\n--i--'
    message = parse(multipart(inner, b"Content-Type: application/pkcs7-signature\r\n\r\nsig", kind=b"signed"))
    attached = parse(multipart(b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nPNG", kind=b"signed"))
    assert all(part.in_signed for part in (*message.parts, *attached.parts))
    assert "mail.signed" in message.codes


@pytest.mark.parametrize(
    ("oid", "code", "signed"),
    [
        ("06092a864886f70d010702", "mail.signed", True),
        ("06092a864886f70d010703", "mail.encrypted", False),
        ("060b2a864886f70d0109100117", "mail.encrypted", False),
        ("060b2a864886f70d0109100109", "mail.compressed", False),
    ],
)
def test_smime_is_told_by_its_bytes(oid, code, signed):
    """Whatever the label says, the object identifier decides (RFC 5652 4, RFC 8551 3.2)."""
    data = encode_base64(bytes.fromhex("3080" + oid + "a080") + b"x" * 200)
    message = parse(b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" + data)
    assert code in message.codes
    assert message.parts[0].in_signed == signed


def test_limits_end_in_a_code_not_in_an_error():
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%dx"\r\n\r\n--%dx\r\n' % (n, n) for n in range(50))
    assert "mime.limit-depth" in parse(deep).codes
    many = multipart(*[b"\r\nx"] * 30)
    assert "mime.limit-parts" in parse(many, MimeLimits(parts=20)).codes
    inner = b"Content-Type: multipart/mixed; boundary=i\r\n\r\n" + b"--i\r\n\r\nx\r\n" * 9 + b"--i--"
    spread = parse(multipart(*[inner] * 9), MimeLimits(parts=40))
    assert len(spread.parts) <= 40 and "mime.limit-parts" in spread.codes  # the limit is for the whole message
    assert "mime.limit-header" in parse(b"A: " + b"x" * 70_000 + b"\r\n\r\n").codes
    assert "mime.limit-header" in parse(b"A: x\r\n" * 20_000 + b"\r\n").codes
    assert "mime.limit-lines" in parse(multipart(b"\r\n" + b"--bx\r\n" * 20_000)).codes


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b'Content-Disposition: attachment; filename="a b.jpg"', "a b.jpg"),
        (b"Content-Disposition: attachment; filename*=utf-8''gr%C3%B6%C3%9Fe.jpg", "größe.jpg"),
        (b"Content-Disposition: attachment; filename*0*=utf-8''gr%C3%B6; filename*1=sse.jpg", "grösse.jpg"),
        (b"Content-Disposition: attachment; filename*1=b.jpg; filename*0=a", "ab.jpg"),
        (b'Content-Type: image/jpeg; name="=?utf-8?Q?gr=C3=B6=C3=9Fe=2Ejpg?="', "größe.jpg"),
        (b'Content-Disposition: attachment; filename="..\\..\\x/y.jpg"', "y.jpg"),
        (b"Content-Disposition: attachment; filename*=utf-8''a%E2%80%AEgpj.exe", "agpj.exe"),
    ],
)
def test_names_are_decoded_and_safe_to_show(header, name):
    """RFC 2231, RFC 2047 and plain forms; no path, control or direction character survives."""
    assert parse(header + b"\r\n\r\nx").parts[0].name == name


@given(st.text(st.sampled_from("=?utf-8BbQqX_ AZa09+/*'%"), max_size=60))
def test_no_encoded_word_makes_it_raise(value):
    """Found by fuzzing: a base64 word of 4n+1 characters has no reading at all and used to raise."""
    message = parse(
        b"Subject: =?utf-8?B?" + value.encode() + b"?= =?x?Q?=4?=\r\nContent-Type: a/b; name*=" + value.encode() + b"\r\n\r\n"
    )
    message.text(message.headers[0])


@pytest.mark.parametrize("word", ["QUJDR", "Q", "QUJ", "====", "QQ=Q", "éQUJD"])
def test_broken_encoded_words_are_read_as_far_as_they_go(word):
    message = parse(f"Subject: =?utf-8?B?{word}?=\r\n\r\n".encode())
    assert isinstance(message.text(message.headers[0]), str)


def test_a_name_is_rewritten_everywhere_with_what_else_tells_of_the_file():
    head = (
        b"Content-Type: image/jpeg; charset=x; name*0*=utf-8''J%C3%B6rg; name*1=\"-Patient.jpg\"\r\n"
        b'Content-Disposition: attachment;\r\n size=12; filename="J\xc3\xb6rg-Patient.jpg"\r\n\r\nbody'
    )
    message = parse(head)
    out = splice(head, replace_name(message, message.parts[0], "image 1.jpg"))
    assert b"Patient" not in out and b"rg" not in out
    again = parse(out).parts[0]
    assert again.name == "image 1.jpg" and again.params["charset"] == "x" and not again.codes
    assert b"size" not in out and out.endswith(b"\r\n\r\nbody")


def test_a_name_cannot_break_out_of_its_header():
    head = b'Content-Disposition: attachment; filename="x"\r\n\r\n'
    out = splice(head, replace_name(parse(head), parse(head).parts[0], 'a"\r\nBcc: b@example.org'))
    assert len(parse(out).headers) == 1


def test_a_part_without_a_body_gains_its_empty_line():
    """RFC 2046 5.1.1 lets the boundary's line end stand for it; a new body needs one of its own."""
    raw = multipart(b"Content-Type: image/png\r\n", b"Content-Type: text/plain")
    message = parse(raw)
    for path in ("1.1", "1.2"):
        again = parse(splice(raw, replace_body(message, message.part(path), b"data")))
        assert decode(again, again.part(path)) == b"data"


def test_the_line_end_at_the_end_of_a_body_stays():
    """Most programs end the base64 of an attachment with an empty line; a replaced body does too."""
    raw = multipart(b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n")
    message = parse(raw)
    assert splice(raw, replace_body(message, message.part("1.1"), b"abc")) == raw.replace(b"QUJD", b"YWJj")


def test_edits_never_overlap():
    from gateway.message import Edit

    with pytest.raises(ValueError, match="overlap"):
        splice(b"abcdef", [Edit(0, 3, b""), Edit(2, 4, b"")])
    with pytest.raises(ValueError, match="leave"):
        splice(b"abc", [Edit(1, 9, b"")])
    assert splice(b"abc", [Edit(3, 3, b"!"), Edit(0, 1, b"")]) == b"bc!"


def test_values_never_show_in_repr():
    """A patient's name in a header, a file name or a body stays out of logs."""
    raw = b'Subject: CANARY\r\nContent-Type: image/jpeg; name="CANARY.jpg"\r\nContent-ID: <CANARY>\r\n\r\nCANARY'
    message = parse(raw)
    assert "CANARY" not in repr(message)
    assert "CANARY" not in repr(replace_body(message, message.parts[0], b"CANARY"))
