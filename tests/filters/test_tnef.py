"""filters.compound.tnef: everything a winmail.dat holds is found, whatever way it was put in."""

from __future__ import annotations

import base64
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import tree
from filters.api import Blocked, Budget, FilterError, Malformed, Member, OpaqueReason, TooBig, Unsupported
from filters.budget import Limits
from filters.compound import lzfu, richtext
from filters.compound.tnef import TNEF, contents
from filters.sniff import sniff
from tests.support.needs import needs
from tests.support.samples import tnef as compound
from tests.support.samples.tnef import BINARY, LONG, MANY, OBJECT, STRING8, UNICODE, attached, prop, tnef, wide

pytestmark = pytest.mark.unit

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 4
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(200))


def opened(data: bytes) -> dict[str, Member]:
    return {one.key: one for one in TNEF.open(data, Budget()) if isinstance(one, Member)}


def blocked(data: bytes) -> list[str]:
    return [one.code for one in TNEF.open(data, Budget()) if isinstance(one, Blocked)]


@pytest.mark.parametrize("object_type", [0, BINARY, OBJECT])
def test_attachments_are_members_with_their_long_names(object_type: int) -> None:
    inner = (compound.IS_STORAGE if object_type == OBJECT else b"") + JPEG
    data = tnef(attached(inner, "Wunde links – größer.jpg", object_type=object_type), attached(PNG, "b.png"))
    assert sniff(data).format == "tnef"
    found = opened(data)
    assert [(one.data, one.name) for one in found.values()] == [(JPEG, "Wunde links – größer.jpg"), (PNG, "b.png")]
    assert blocked(data) == [] and "Wunde" not in repr(found)


def test_a_message_inside_a_message_is_opened_again() -> None:
    inner = tnef(attached(JPEG, "a.jpg"))
    data = tnef(attached(compound.IS_MESSAGE + inner, "forwarded", object_type=OBJECT))
    (member,) = opened(data).values()
    assert member.data == inner and member.media_type == "application/ms-tnef"
    node = tree.examine(data, tree.Tools(), Budget())
    assert [one.sniffed.format for one in node.walk()] == ["tnef", "tnef", "jpeg"]


def test_bodies_are_members_and_pictures_in_them_are_found() -> None:
    page = b'<html><img src="data:image/jpeg;base64,%s"></html>' % base64.b64encode(JPEG)
    rich = b"{\\rtf1 {\\pict\\jpegblip ffd8ff}}"
    data = tnef(
        properties=[prop(BINARY, 0x1013, page), prop(BINARY, 0x1009, compound.lzfu(rich)), prop(UNICODE, 0x1000, wide("Grüße"))]
    )
    found = opened(data)
    assert found["body.html"].data == page and found["body.rtf"].data == rich
    assert found["body.text"].data.decode() == "Grüße"


def test_pictures_in_other_properties_are_members() -> None:
    """A contact's picture, a rendering, a metafile: wherever a known signature stands."""
    placeable = b"\xd7\xcd\xc6\x9a" + bytes(100)
    data = tnef(
        attached(b"text " * 50, "a.txt", metafile=placeable, extra=[prop(BINARY, 0x3709, PNG)]),
        properties=[prop(BINARY, 0x8005, JPEG, name="Picture"), prop(BINARY | MANY, 0x6001, b"x", JPEG)],
    )
    found = [one.data for one in opened(data).values()]
    assert found.count(JPEG) == 2 and PNG in found and placeable in found


def test_contents_are_what_a_recipient_would_see() -> None:
    data = tnef(
        attached(JPEG, "a.jpg", content_id="pic@x"),
        body=b"caf\xe9",
        properties=[prop(STRING8, 0x1013, b"<p>caf\xc3\xa9</p>\0"), prop(LONG, 0x3FDE, struct.pack("<I", 65001))],
    )
    seen = contents(data, Budget())
    assert seen.body_text == "café" and seen.body_html == b"<p>caf\xc3\xa9</p>" and seen.html_charset == "utf-8"
    assert [(one.name, one.data, one.content_id) for one in seen.attachments] == [("a.jpg", JPEG, "pic@x")]
    assert "café" not in repr(seen) and "a.jpg" not in repr(seen)


def test_named_and_many_valued_properties_are_stepped_over() -> None:
    named = prop(UNICODE | MANY, 0x8003, wide("a"), wide("bcd"), name="Keywords")
    numbered = struct.pack("<HH16sIIHH", 0x0B, 0x8004, bytes(16), 0, 7, 1, 0)
    data = tnef(properties=[named, numbered, prop(0x40, 0x39, bytes(8)), prop(LONG | MANY, 0x6002, bytes(4), bytes(4)),
                            prop(UNICODE, 0x1000, wide("behind"))])  # fmt: skip
    assert opened(data)["body.text"].data == b"behind"


def test_two_contents_of_one_attachment_are_two_readings() -> None:
    data = tnef(attached(PNG, "a.png", extra=[prop(BINARY, 0x3701, JPEG)]))
    assert blocked(data) == ["tnef.two-readings"]
    with pytest.raises(Malformed):
        contents(data, Budget())


def test_bytes_behind_the_last_attribute_are_blocked_but_not_line_ends() -> None:
    data = tnef(attached(PNG, "a.png"))
    assert blocked(data + b"\r\n\0") == [] and blocked(data + b"\xff\xd8\xff" + JPEG) == ["tnef.trailer"]


def test_damage_is_refused() -> None:
    data = tnef(attached(JPEG, "a.jpg"))
    at = data.index(JPEG) + 20
    for broken in (data[:at] + b"\x7f" + data[at + 1 :], data[:-1], data[:6], data[: data.index(JPEG) + 50], b"x" + data):
        with pytest.raises(Malformed):
            list(TNEF.open(broken, Budget()))


def test_nothing_is_written() -> None:
    data = tnef(attached(JPEG, "a.jpg"))
    assert TNEF.rebuild(data, {}, {}, Budget()) is data and not TNEF.rebuilds
    with pytest.raises(Unsupported):
        TNEF.rebuild(data, {"attachment@1": b""}, {}, Budget())


def test_members_are_paid_for() -> None:
    with pytest.raises(TooBig):
        opened_with = Budget(Limits(total=500))
        list(TNEF.open(tnef(attached(JPEG, "a.jpg")), opened_with))


# ---- compressed rich text


def test_rich_text_of_the_specification() -> None:
    """The examples of MS-OXRTFCP 3.1 and 3.2, as printed there."""
    simple = bytes.fromhex("2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0")
    assert lzfu.decompressed(simple, Budget()) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    crossing = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert lzfu.decompressed(crossing, Budget()) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100, 5000])
@pytest.mark.parametrize("stored", [False, True])
def test_rich_text_comes_back(size: int, stored: bool) -> None:
    text = bytes(97 + at % 26 for at in range(size))
    assert lzfu.decompressed(compound.lzfu(text, stored=stored), Budget()) == text


def test_damaged_rich_text_is_refused() -> None:
    data = compound.lzfu(b"{\\rtf1 hello}")
    for broken in (
        data[:-1],
        data[:12],
        data[:16] + b"\xff" + data[17:],
        data[:4] + b"\xff" + data[5:],
        data[:8] + b"LZXX" + data[12:],
    ):
        with pytest.raises(Malformed):
            lzfu.decompressed(broken, Budget())
    with pytest.raises(TooBig):
        lzfu.decompressed(data[:4] + b"\xff\xff\xff\x7f" + data[8:], Budget())


# ---- the words of rich text


WRAPPED = (
    b"{\\rtf1\\ansi\\ansicpg1251\\fromhtml1 \\deff0{\\fonttbl{\\f0\\fswiss Arial;}{\\f1\\fmodern\\fcharset161 G;}}"
    b"{\\*\\generator X;}"
    b"{\\*\\htmltag18 <html>}{\\*\\htmltag50 <body class=\"a\\{b\\}\">}\\htmlrtf {\\f0 \\htmlrtf0 "
    b"{\\*\\htmltag64 <p>}\\'cf\\'f0 a < b"
    b"{\\*\\mhtmltag84 <x>}{\\*\\htmltag84 &nbsp;}\\htmlrtf &\\htmlrtf0 {\\f1 \\'e1}\\u-10179?\\u-8704?\\htmlrtf }\\htmlrtf0\r\n"
    b"{\\*\\htmltag72 </p>}{\\*\\htmltag27 </html>}}"
)


def test_a_page_wrapped_into_rich_text_is_unwrapped() -> None:
    """Letters in the font's code page, those for other readers left out, markup as it stands."""
    said = richtext.words(WRAPPED, Budget())
    assert said.html and said.text == '<html><body class="a{b}"><p>Пр a &lt; b&nbsp;\u03b1\U0001f600</p></html>'
    seen = contents(tnef(properties=[prop(BINARY, 0x1009, compound.lzfu(WRAPPED))]), Budget())
    assert seen.body_html.decode() == said.text and seen.html_charset == "utf-8" and seen.body_rtf == WRAPPED


def test_plain_rich_text_becomes_plain_text() -> None:
    text = (
        rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\pict ffd8ff}\pard Dear \'e9\par{\*\x hidden}\uc2\u8217??s \bin3 }}}end\tab x\par}"
    )
    assert richtext.words(text, Budget()) == richtext.Words("Dear \xe9\r\n\u2019s end\tx\r\n", html=False)
    assert contents(tnef(properties=[prop(BINARY, 0x1009, compound.lzfu(text))]), Budget()).body_text.startswith("Dear")


@pytest.mark.parametrize("text", [b"{\\rtf1 x", b"}", b"{" * 5000])
def test_unbalanced_rich_text_is_refused(text: bytes) -> None:
    with pytest.raises(FilterError):
        richtext.words(text, Budget())


@given(
    st.lists(
        st.sampled_from(
            [b"{", b"}", b"\\", b"\\*", b"\\htmltag1 ", b"\\htmlrtf", b"\\bin9 ", b"\\u-1?", b"\\'e", b"x", b"\\uc99", b"\\f1"]
        )
    )
)
def test_any_mixture_of_rich_text_is_read_or_refused(pieces: list[bytes]) -> None:
    try:
        richtext.words(b"{\\rtf1\\fromhtml1 " + b"".join(pieces), Budget())
    except FilterError:
        pass


# ---- everything else


@given(st.data())
def test_damage_raises_nothing_else(data: st.DataObject) -> None:
    whole = compound.CONTAINERS["tnef"](PNG, "png", lambda what: "c-" + what)
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(6, len(broken) - 1))
        broken[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        list(TNEF.open(bytes(broken), Budget()))
    except FilterError as error:
        assert isinstance(error.reason, OpaqueReason)


@given(st.binary(max_size=200), st.booleans())
def test_noise_in_properties_raises_nothing_else(noise: bytes, own: bool) -> None:
    number = compound.MESSAGE_PROPERTIES if own else compound.ATTACHMENT_PROPERTIES
    level = 1 if own else 2
    for body in (noise, struct.pack("<I", 3) + noise, struct.pack("<I", 2**32 - 1) + noise):
        try:
            list(TNEF.open(b"\x78\x9f\x3e\x22\0\0" + compound.attribute(level, number, body), Budget()))
        except FilterError:
            pass


@pytest.mark.e2e
def test_another_program_finds_the_same_files(tmp_path: Path) -> None:
    """Debian's tnef on our samples, so that they are what the format says."""
    needs("tnef")
    data = tnef(attached(JPEG, "first.jpg"), attached(PNG, "second.png"), body=b"Hello")
    (tmp_path / "winmail.dat").write_bytes(data)
    subprocess.run(["tnef", "-C", str(tmp_path), str(tmp_path / "winmail.dat")], check=True, capture_output=True, timeout=30)
    assert (tmp_path / "first.jpg").read_bytes() == JPEG and (tmp_path / "second.png").read_bytes() == PNG
