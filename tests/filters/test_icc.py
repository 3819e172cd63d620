"""Colour profiles: the colours stay to the bit, the words go."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms

from filters.metadata import icc
from tests.support.canary_images import named_icc
from tests.support.images_judged import corpus, profile, transformed

pytestmark = pytest.mark.unit
CANARY = "CANARY-7f3a9c"


def made(space: str) -> bytes:
    """A profile as Little CMS makes it, stamped with this moment."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def tags(data: bytes) -> dict[bytes, bytes]:
    count = struct.unpack_from(">I", data, 128)[0]
    rows = [struct.unpack_from(">4sII", data, 132 + 12 * i) for i in range(count)]
    return {name: data[offset : offset + size] for name, offset, size in rows}


def with_tag(data: bytes, name: bytes, body: bytes) -> bytes:
    """The profile with one more tag, or another body of one."""
    found = {**tags(data), name: body}
    table, rest, at = b"", b"", 132 + 12 * len(found)
    for tag, value in found.items():
        table += struct.pack(">4sII", tag, at + len(rest), len(value))
        rest += value + bytes(-len(value) % 4)
    return struct.pack(">I", at + len(rest)) + data[4:128] + struct.pack(">I", len(found)) + table + rest


def published() -> bytes:
    """A profile of a known maker: the one most files carry."""
    return with_tag(made("sRGB")[:4] + b"appl" + made("sRGB")[8:80] + b"appl" + made("sRGB")[84:], b"desc", _word("Display P3"))


def _word(text: str) -> bytes:
    wide = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(wide), 28) + wide


def test_words_dates_and_private_tags_go_and_colour_tags_stay_byte_identical() -> None:
    """Description, copyright, private tags, date, creator and ids are neutral afterwards; every colour tag is as it was."""
    data = named_icc(CANARY)
    result = icc.clean(data)
    assert result.data is not None
    assert result.code == "icc.text"
    assert CANARY.encode() not in result.data
    assert CANARY.encode("utf-16-be") not in result.data
    before, after = tags(data), tags(result.data)
    assert after.keys() == before.keys() - {b"XYZz"}
    assert all(after[name] == before[name] for name in after.keys() - {b"desc", b"cprt"})
    assert result.data[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    assert not any(result.data[4:8] + result.data[48:56] + result.data[80:128])
    assert transformed(result.data, "RGB") == transformed(data, "RGB")
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(result.data))).strip() == "ICC"


def test_cleaning_twice_changes_nothing() -> None:
    """A cleaned profile comes back as the very same object."""
    once = icc.clean(named_icc(CANARY)).data
    assert once is not None
    assert icc.clean(once).data is once


def test_the_moment_of_making_is_not_kept() -> None:
    """Little CMS stamps date and time: the profile of a picture made today would tell today."""
    result = icc.clean(made("sRGB"))
    assert result.code == "icc.text"
    assert result.data is not None
    assert result.data[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)


def test_a_profile_that_holds_only_well_known_words_stays_as_it_is() -> None:
    """Nobody is named by "Display P3"."""
    data = published()
    assert icc.clean(data).data is data
    assert icc.clean(with_tag(data, b"desc", _word("Display of Dr X"))).data != data
    assert icc.clean(with_tag(data, b"mmod", bytes(40))).data != data


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p[:100],
        lambda p: p[:-1],
        lambda p: p[:36] + b"xxxx" + p[40:],
        lambda p: struct.pack(">I", len(p) + 4) + p[4:],
        lambda p: p[:128] + struct.pack(">I", 5000) + p[132:],
        lambda p: p[:136] + struct.pack(">II", 4, 20) + p[144:],
        lambda p: p[:136] + struct.pack(">II", 1 << 31, 20) + p[144:],
        lambda p: with_tag(p, b"rXYZ", b"text" + bytes(4) + b"a name in a colour tag\0"),
        lambda p: with_tag(p, b"wtpt", tags(p)[b"wtpt"] + b"a name behind it"),
        lambda p: p[:12] + b"nmcl" + p[16:],
    ],
)
def test_a_damaged_profile_is_dropped(change: object) -> None:
    """What contradicts itself is not repaired by guesswork."""
    assert callable(change)
    assert icc.clean(change(named_icc("x"))) == icc.Cleaned(None, "icc.damaged")


def test_bytes_that_no_tag_refers_to_go() -> None:
    """A known profile with something appended, or hidden between tags, is rebuilt."""
    data = published()
    grown = struct.pack(">I", len(data) + 8) + data[4:] + b"Dr Examp"
    cleaned = icc.clean(grown).data
    assert cleaned is not None
    assert b"Dr Examp" not in cleaned
    assert icc.clean(data + b"Dr Examp").data != data + b"Dr Examp"


def test_corpus_profiles_keep_their_transform() -> None:
    """Every profile of the corpus either stays as it is or gives the same colours."""
    found = {kept for magic in (b"\xff\xd8\xff", b"\x89PNG") for path in corpus(magic) if (kept := profile(path.read_bytes()))}
    for data in found:
        cleaned = icc.clean(data).data
        assert cleaned is not None
        mode = {b"GRAY": "L", b"RGB ": "RGB", b"CMYK": "CMYK"}[data[16:20]]
        assert transformed(cleaned, mode) == transformed(data, mode)


def test_names_of_png_profiles() -> None:
    """Names that programs write stay; a person's monitor does not."""
    assert icc.known_name(b"ICC Profile")
    assert icc.known_name(b"kCGColorSpaceGenericRGB")
    assert icc.known_name(b"ICC")
    assert not icc.known_name(b"Monitor of Dr X")
    assert not icc.known_name(b"kCGColorSpaceJaneDoe")
    assert not icc.known_name(b"")


@given(st.data())
def test_no_bytes_make_it_raise(data: st.DataObject) -> None:
    """Any damage gives a profile or none, never an exception, and what it gives is stable."""
    base = bytearray(named_icc("x"))
    for _ in range(data.draw(st.integers(1, 6))):
        base[data.draw(st.integers(0, len(base) - 1))] = data.draw(st.integers(0, 255))
    cleaned = icc.clean(bytes(base[: data.draw(st.integers(0, len(base)))] if data.draw(st.booleans()) else base)).data
    assert cleaned is None or icc.clean(cleaned).data == cleaned
