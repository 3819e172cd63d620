"""Pictures that went out unseen because something in front of them, or around them, looked harmless."""

from __future__ import annotations

import base64
import binascii
import io
import zipfile

import pytest

from filters.api import Budget
from filters.text import embedded
from filters.tree import Tools, examine
from gateway.message import decode, parse
from gateway.model import Plan
from gateway.opening.leaves import label
from gateway.pipeline import plan
from tests.support.canary_images import photo_jpeg
from tests.support.contexts import COLLEAGUE, STRANGER, context, received

pytestmark = pytest.mark.unit

OWN = "ward@clinic.example"
JPEG = photo_jpeg(1, (120, 90))
BARE = b"\xff\xd8\xff\xdb" + JPEG[JPEG.index(b"\xff\xdb") + 2 :]  # begins with its tables: neither JFIF nor Exif
WRAPPED = base64.encodebytes(JPEG).replace(b"\n", b"\r\n")
PAGE = b'<html><body><p>Dear colleague</p><img src="data:image/jpeg;base64,' + base64.b64encode(JPEG) + b'"></body></html>'
HEAD = b"From: dr.adams@clinic.example\r\nTo: x@y.example\r\nSubject: Results [consent verbal]\r\nMIME-Version: 1.0\r\n"
ARMOUR = b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n"


def uu(data: bytes, begin: bytes = b"begin 644 a.jpg") -> bytes:
    lines = [binascii.b2a_uu(data[at : at + 45]).rstrip(b"\n") for at in range(0, len(data), 45)]
    return begin + b"\r\n" + b"\r\n".join(lines) + b"\r\n`\r\nend\r\n"


def mail(body: bytes, kind: bytes, more: bytes = b"") -> bytes:
    """A note and one part in base64."""
    return (
        HEAD + more + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee this.\r\n'
        b"--b\r\nContent-Type: " + kind + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(body).replace(b"\n", b"\r\n") + b"--b--\r\n"
    )  # fmt: skip


def fate(raw: bytes, recipient: str) -> Plan:
    return plan(context(), received(raw, recipient))


def held(raw: bytes, *recipients: str) -> bool:
    return all(not made.copies and made.holds for made in (fate(raw, one) for one in recipients))


def clean(made: Plan) -> bool:
    """The picture was found where it is, and left without anything a second cleaning would remove."""
    (copy,) = made.copies
    message = parse(copy.data.data)
    nodes = [examine(decode(message, part), Tools(), Budget(), label(part, b"")) for part in message.leaves()]
    pictures = [node for root in nodes for node in root.walk() if node.clinical]
    return bool(pictures) and all(node.clean for node in pictures)


FIRST_BYTES = {
    "AMR": b"#!AMR\x01", "MIDI": b"MThd\0\1", "AU": b".snd\1", "font": b"OTTO\1", "font collection": b"ttcf\0", "woff": b"wOFF\1",
    "WAVE": b"RIFF\x10\0\0\0WAVE", "FLAC": b"fLaC\x84\0\0\0", "dictation": b"\x02dss\1",
    "signature": b"-----BEGIN PGP SIGNATURE-----\r\n\r\n", "key": b"-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("first", FIRST_BYTES.values(), ids=FIRST_BYTES)
@pytest.mark.parametrize("behind", [PAGE, uu(JPEG), b"\r\n" + WRAPPED, BARE], ids=["page", "uuencode", "base64", "jpeg"])
@pytest.mark.parametrize("kind", [b"text/html", b"text/plain", b"application/octet-stream"])
@pytest.mark.slow
def test_harmless_first_bytes_do_not_hide_what_stands_behind(first: bytes, behind: bytes, kind: bytes) -> None:
    """Symptom: a page with a photograph in it went to a stranger, unscrubbed and unasked, when its first five letters were
    "#!AMR".

    Cause: sniffing by first bytes answered "harmless" for sound, fonts, signatures and keys, and such a leaf was looked into no
    further.  Analysis: mail programs go by the label and skip what they do not know, so a harmless beginning says nothing about
    the rest.  Every leaf that is not scrubbed or held anyway is now read through for hidden files, whatever it begins with.
    """
    assert held(mail(first + b"\r\n" + behind, kind), STRANGER, COLLEAGUE)


@pytest.mark.parametrize("control", [b"\x01", b"\x7f", b"\0", b"\x0e"])
@pytest.mark.parametrize("body", [PAGE, uu(JPEG), WRAPPED], ids=["page", "uuencode", "base64"])
def test_a_control_character_does_not_make_a_text_unreadable(control: bytes, body: bytes) -> None:
    """Symptom: a page with a photograph in it went to an approved domain without consent when one control character stood in it.

    Cause: bytes with a control character are no text, and what is neither text nor known is ``unknown-type``, which is delivered
    to classes O, A and B; only clean text was searched.  Analysis: programs show such a page as if nothing were there.  Unknown
    data are searched too: their runs of letters, with the controls taken out.
    """
    for place in (control + b"\r\n" + body, body + control):
        for kind in (b"text/html", b"text/plain", b"application/octet-stream"):
            assert held(mail(place, kind), COLLEAGUE, OWN)


def test_yenc_is_seen_although_it_is_no_text() -> None:
    """Symptom: a yEnc file went to an approved domain.

    Cause: yEnc is binary, so the leaf was ``unknown-type`` and the search for yEnc, which is for text, never saw it.  Analysis:
    as for control characters.
    """
    body = b"=ybegin line=128 size=%d name=a.jpg\r\n" % len(JPEG) + bytes((octet + 42) & 255 for octet in JPEG) + b"\r\n=yend\r\n"
    assert held(mail(body, b"text/plain"), COLLEAGUE, OWN)


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_text_without_a_mark_is_read_as_its_label_says(charset: str) -> None:
    """Symptom: a page in UTF-16 without byte order mark went out with its photograph.

    Cause: it was recognised by the zeros of its first 4096 octets; four thousand Chinese characters in front have none.
    Analysis: the charset of the label decides what a mail program shows, so the text is read in it.
    """
    body = ("\u4e2d" * 5000 + PAGE.decode()).encode(charset)
    assert held(mail(body, b"text/html; charset=" + charset.encode()), COLLEAGUE, OWN)


@pytest.mark.parametrize("charset", ["IBM037", "cp273", "x-ebcdic-cp-us", "cp01140", "IBM1026", "cp1025"])
def test_a_charset_that_writes_letters_otherwise_is_told(charset: str) -> None:
    """Symptom: a page in a less known EBCDIC code page would have been taken for a harmless text.

    Cause: the list of such charsets was short.  Analysis: where Python knows the charset, it is asked how it writes ASCII; for
    the others the list is complete as far as iconv and ICU know them.
    """
    raw = mail(b"\xc8\x85", b"text/html; charset=" + charset.encode())
    assert "mime.charset" in parse(raw).codes


@pytest.mark.parametrize(
    "charset", ["utf-8", "windows-1252", "iso-2022-jp", "gb2312", "cp932", "cp936", "cp850", "x-unknown", '"us-ascii"']
)
def test_a_charset_that_writes_letters_as_they_are_is_not(charset: str) -> None:
    """The other side: ordinary mail must not be held for its charset."""
    assert "mime.charset" not in parse(mail(b"Hello", b"text/html; charset=" + charset.encode())).codes


def folded(text: bytes) -> bytes:
    return b"\r\n ".join(text[at : at + 72] for at in range(0, len(text), 72))


@pytest.mark.parametrize(
    "value",
    [
        b"/9\r\n j/" + base64.b64encode(JPEG)[4:4000],
        folded(base64.b64encode(BARE)[:4000]),
        folded(JPEG.hex().encode()[:4000]),
        b"\r\n ".join(b"=?us-ascii?b?" + base64.b64encode(JPEG[at : at + 36]) + b"?=" for at in range(0, 1800, 36)),
        b"\r\n ".join(
            b"=?us-ascii?q?" + b"".join(b"=%02X" % one for one in JPEG[at : at + 18]) + b"?=" for at in range(0, 900, 18)
        ),
    ],
    ids=["folded in its signature", "without JFIF", "hexadecimal", "encoded-words B", "encoded-words Q"],
)
def test_a_picture_in_a_header_field_is_seen_however_it_is_written(value: bytes) -> None:
    """Symptom: a photograph in a header field left unseen.

    Cause: four signatures were sought in the raw block; a fold inside the signature, another beginning or another encoding hid
    it. Analysis: the block is searched as texts are, once as it stands and once with its encoded-words undone.
    """
    assert held(HEAD + b"X-Photo: " + value + b"\r\nContent-Type: text/plain\r\n\r\nHello\r\n", COLLEAGUE, STRANGER)


@pytest.mark.parametrize(
    "begin",
    [b"begin 644 ", b"begin 0100644 a.jpg", b"begin 64 a.jpg", b"begin\t644\ta.jpg", b"begin  644  a.jpg", b"begin 644 a.jpg\r\n",
     b"              begin 644 a.jpg", b"begin 666", b"no beginning at all"],
)  # fmt: skip
def test_every_beginning_some_program_takes_is_a_beginning(begin: bytes) -> None:
    """Symptom: a uuencoded photograph left when its first line had no name, a long mode, tabs or two blanks.

    Cause: the pattern followed POSIX.  Analysis: Python, Outlook and others take more.  Loose forms count when the line behind
    them is one of uuencode to the letter; a line that begins like a JPEG, PNG or GIF counts without any first line.
    """
    assert [one.opaque for one in embedded(b"Hello\r\n" + uu(JPEG, begin), html=False)] == ["image-not-supported"]


@pytest.mark.parametrize("recipient", [OWN, COLLEAGUE])
def test_what_is_sealed_beside_something_open_is_not_sealed(recipient: str) -> None:
    """Symptom: a uuencoded photograph behind an OpenPGP message went to the own organisation, and elsewhere on a sender's word.

    Cause: a leaf with several findings took the first one's reason, ``encrypted``, which has the mildest rules; and a ZIP with
    one encrypted file among open ones counted as encrypted.  Analysis: the strictest reason counts, and an archive is encrypted
    only if all its files are.
    """
    text = mail(ARMOUR + uu(JPEG), b"text/plain")
    assert [hold.rule for hold in fate(text, recipient).holds] == ["K8-NOT-SUPPORTED"]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("locked.txt", b"x")
        archive.writestr("photo.jpg", JPEG)
    data = bytearray(out.getvalue())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    mixed = mail(bytes(data), b"application/zip")
    assert [hold.rule for hold in fate(mixed, recipient).holds] == ["K8-CORRUPT"], "its two directories disagree"
    data[6] |= 1
    assert not any("ENCRYPTED" in hold.rule for hold in fate(mail(bytes(data), b"application/zip"), STRANGER).holds)


@pytest.mark.parametrize(
    "page",
    [
        b"<img src='data:;base64," + b"".join(b"%%%02x" % one for one in base64.b64encode(JPEG)) + b"'>",
        b"<img src=\"data:image/svg+xml,<svg><image href='da%74a:," + b"".join(b"%%%02X" % one for one in JPEG) + b"'/></svg>\">",
        b'<iframe srcdoc="'
        + PAGE.replace(b"/", b"&amp;#47;").replace(b"<", b"&amp;lt;").replace(b'"', b"&amp;quot;")
        + b'"></iframe>',
        b"dump:\r\n" + b"\r\n".join(b"%08x: " % at + JPEG[at : at + 16].hex(" ", 2).encode() for at in range(0, 640, 16)),
        JPEG.hex(" ").encode(),
        JPEG.hex(":").encode(),
        b'{"data": "' + base64.b64encode(JPEG).replace(b"/", b"\\/") + b'"}',
    ],
    ids=["percent", "drawing in a drawing", "page in a page", "dump", "hex with blanks", "hex with colons", "JSON escapes"],
)
def test_escapes_are_undone_before_the_search(page: bytes) -> None:
    """Symptom: a photograph left as a data: URI all in percent escapes, in a page inside a page, or as a dump in hexadecimal.

    Cause: the search looked at one level of character references and at one spelling of hexadecimal.  Analysis: the text is also
    read as a browser does: references undone up to three times, then the escapes of URIs, without line ends.
    """
    raw = mail(page, b"text/html")
    assert held(raw, STRANGER)
    assert held(raw, COLLEAGUE) or clean(fate(raw, COLLEAGUE))


@pytest.mark.parametrize("junk", [b"-", b"=", b'"', b"\x0b", b"\x85", b"\xc3\xa9", b"==\r\n"])
def test_a_stray_character_in_base64_does_not_hide_it(junk: bytes) -> None:
    """Symptom: a JPEG in base64 in a text went out when one strange character stood among its first hundred.

    Cause: a signature counted only with an unbroken run behind it.  Analysis: lenient decoders skip such characters.  The
    beginnings of a JPEG are long enough to be sure of without a run, in the text without anything that is not base64.
    """
    text = base64.b64encode(JPEG)
    assert held(mail(b"Hello\r\n" + text[:30] + junk + text[30:], b"text/plain"), COLLEAGUE, STRANGER)
