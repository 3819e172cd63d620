"""filters.text: what is hidden in text is found in every spelling, and ordinary text is left alone."""

from __future__ import annotations

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.api import OpaqueReason
from filters.text import CODES, embedded

pytestmark = pytest.mark.unit

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 4
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 4
BMP = b"BM\x36\x10\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00" + bytes(1024)
HEIC = b"\x00\x00\x00\x18ftypheic" + bytes(range(256)) * 4
ZIP = b"PK\x03\x04" + bytes(range(256)) * 4


def b64(data: bytes) -> bytes:
    return base64.b64encode(data)


def lines(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def uu(data: bytes) -> bytes:
    return b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))


XX = bytes.maketrans(bytes(range(0x20, 0x61)), b"+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+")

FOUND = [
    ("text.uuencode", b"hi\r\nbegin 644 IMG.JPG\r\n" + uu(JPEG) + b"end\r\n"),
    ("text.uuencode", b"> begin 0755 x y.jpg\n> " + uu(JPEG)),
    ("text.uuencode", b"begin-base64 644 x.jpg\n" + b64(BMP)),
    ("text.xxencode", b"begin 644 x.jpg\n" + uu(JPEG).translate(XX)),
    ("text.yenc", b"=ybegin line=128 size=123 name=x.jpg\r\n\x01\x02"),
    ("text.binhex", b"(This file must be converted with BinHex 4.0)\r\n:abc"),
    ("text.ascii85", b"see <~" + base64.a85encode(JPEG) + b"~>"),
    ("text.pgp-message", b"Hello\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM"),
    ("text.armoured-message", b"-----BEGIN CMS-----\r\nMIIB"),
    ("text.data-uri-image", b'<img src="data:image/jpeg;base64,' + b64(JPEG) + b'">'),
    ("text.data-uri-image", b"<img src=data:image/svg+xml;utf8," + b"%3Csvg" * 60 + b">"),
    ("text.data-uri-image", b"<img src='data:application/octet-stream;base64," + b64(HEIC) + b"'>"),
    ("text.data-uri-image", b"url(data:;base64," + b64(JPEG) + b")"),
    ("text.data-uri-image", b"<img src='data:,%FF%D8%FF%E0'>"),
    ("text.data-uri-image", b'<img src="&#100;ata:image/jpeg;base64,' + b64(JPEG) + b'">'),
    ("text.data-uri-image", b'<img src="data&colon;image/png;base64,' + b64(PNG) + b'">'),
    ("text.data-uri-image", ('<img src="data:image/jpeg;base64,' + b64(JPEG).decode() + '">').encode("utf-16")),
    ("text.data-uri-image", ('<img src="data:image/jpeg;base64,' + b64(JPEG).decode() + '">').encode("utf-16-le")),
    ("text.data-uri-image", ('<img src="data:image/jpeg;base64,' + b64(JPEG).decode() + '">').encode("utf-32")),
    ("text.base64-image", b"Here it is:\r\n" + lines(JPEG)),
    ("text.base64-image", b"> " + lines(PNG).replace(b"\r\n", b"\r\n> ")),
    ("text.base64-image", b'{"photo": "' + b64(JPEG) + b'"}'),
    ("text.base64-image", base64.urlsafe_b64encode(JPEG)),
    ("text.base64-image", lines(BMP)),
    ("text.base64-image", lines(HEIC)),
    ("text.base64-image", b"\r\n".join(b64(JPEG)[at : at + 20] for at in range(0, 800, 20))),
    ("text.base64-container", lines(ZIP)),
    ("text.qp-image", b"=FF=D8=FF=E0=00=10JFIF"),
    ("text.hex-image", JPEG.hex().encode()),
    ("text.hex-image", JPEG.hex().upper().encode()),
    ("text.hex-image", b"new Uint8Array([255, 216, 255, 224, 0])"),
    ("text.hex-image", b"'\\xff\\xd8\\xff'"),
    ("text.raw-image", b"hello\r\n" + JPEG),
    ("text.raw-image", b"hello\r\n" + PNG),
    ("text.vcard-photo", b"BEGIN:VCARD\r\nVERSION:3.0\r\nPHOTO;ENCODING=b;TYPE=JPEG:" + b64(JPEG) + b"\r\nEND:VCARD"),
    ("text.vcard-photo", b"BEGIN:VCARD\nitem1.LOGO;BASE64:" + b64(BMP)),
    ("text.vcard-photo", b"begin:vcard\r\nVERSION:4.0\r\nPHOTO:data:image/jpeg;base64," + b64(JPEG)),
    ("text.ical-attach", b"BEGIN:VCALENDAR\r\nATTACH;FMTTYPE=image/jpeg;ENCODING=BASE64;VALUE=BINARY:" + b64(JPEG)),
    ("text.rtf-picture", b"{\\rtf1 {\\pict\\jpegblip ffd8}}"),
    ("text.rtf-picture", b"{\\rtf1 {\\object\\objemb{\\*\\objdata 0105}}}"),
    ("text.utf-7", b"+ADw-img src=+ACI-x+ACI-+AD4-"),
    ("text.utf-7", b'<meta http-equiv=content-type content="text/html; charset=UTF-7">'),
    ("html.script", b"<html><script>var d=atob('" + b64(JPEG)[:40] + b"');new Blob([d])</script>"),
    ("html.script", b'<svg onload="eval(x)"></svg>'),
    ("html.script", b"<a href='javascript:document.write(1)'>x</a>"),
    ("html.script", b"<script>var a=[" + b"1," * 300 + b"];</script>"),
]


@pytest.mark.parametrize(("code", "data"), FOUND, ids=[f"{code}-{index}" for index, (code, _) in enumerate(FOUND)])
def test_hidden_files_are_found_and_cannot_be_cleaned(code, data):
    """The finding is opaque: whoever holds the text must not pass it as seen."""
    found = {one.code: one for one in embedded(data, html=code.startswith("html") or b"<" in data)}
    assert code in found
    assert found[code].opaque in set(OpaqueReason)
    assert 0 <= found[code].start <= found[code].end <= len(data)


def test_every_code_is_in_the_catalogue_and_has_an_example():
    noted = {"text.data-uri-small", "html.script-plain", "text.limit"}
    assert {code for code, _ in FOUND} | noted == CODES.keys()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>", "text.data-uri-small"),
        (b"<script src=x.js></script>", "html.script-plain"),
    ],
)
def test_small_things_are_only_noted(data, code):
    found = embedded(data, html=True)
    assert [one.code for one in found] == [code] and found[0].opaque is None


ORDINARY = [
    b"Dear colleague,\r\n\r\nplease see the attached picture. NHS number 943 476 5919.\r\n\r\nKind regards\r\n",
    b"We begin 2026 patients\r\nnext year. begin 100 new\r\nlines of work",
    b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nhello\r\n-----BEGIN PGP SIGNATURE-----\r\n",
    b"-----BEGIN CERTIFICATE-----\r\n" + lines(b"\x30\x82\x01\x0a" + bytes(range(256)) * 4),
    b'<html><script type="application/ld+json">{"@type":"EmailMessage"}</script><p>x</p></html>',
    b"<p>see <a href='https://example.org/?token="
    + b64(bytes(range(200)))
    + b"'>here</a> \xe2\x80\x94 caf\xc3\xa9 &#128512;</p>",
    b"BEGIN:VCARD\r\nFN:Dr A\r\nPHOTO;VALUE=URI:https://example.org/a.jpg\r\nEND:VCARD",
    b"BEGIN:VCALENDAR\r\nATTACH:https://example.org/a.pdf\r\nEND:VCALENDAR",
    b"{\\rtf1\\ansi hello}",
    "Grüße, 你好, مرحبا".encode(),
    "Grüße, hello there".encode("utf-16"),
    b"The data: image quality was poor, a+b, 1 + ADw was the code",
    b"conditional online reasons = 5; onset = 'sudden', ongoing",
]


@pytest.mark.parametrize("data", ORDINARY)
def test_ordinary_text_is_left_alone(data):
    assert [one.code for one in embedded(data, html=b"<" in data) if one.opaque] == []


@given(st.binary(max_size=600), st.booleans())
def test_no_bytes_make_it_raise(data, html):
    for one in embedded(data, html):
        assert one.code in CODES


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400), st.booleans())
def test_random_text_holds_nothing(text, html):
    assert all(one.opaque is None or one.code in {"html.script", "text.ascii85"} for one in embedded(text.encode(), html))


def test_links_full_of_escapes_are_no_page_but_long_ones_are_looked_at():
    """Newsletters percent-encode their links; a photograph does not fit into a short one."""
    link = b"<a href='https://example.org/?u=https%3A%2F%2Fa%2Fb%2Fc%2Fd&amp;x=%3Cimg%20src'>x</a>" * 50
    assert embedded(link, html=True) == ()
    long = b"<a href='https://example.org/?u=" + b64(JPEG * 2).replace(b"/", b"%2F").replace(b"+", b"%2B") + b"'>x</a>"
    assert [one.code for one in embedded(long, html=True)] == ["text.base64-image"]
