"""EXIF facts: read tolerantly, never at the price of a hang, a bomb or an exception."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.metadata import exif
from filters.metadata.exif import ExifFacts
from tests.support.canary_images import camera_exif

pytestmark = pytest.mark.unit
TIFF = camera_exif("note")[6:]


def directory(*entries: tuple[int, int, int, int], order: str = ">") -> bytes:
    """A TIFF of one directory: (tag, type, count, value or offset)."""
    head = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "I", 8)
    rows = b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
    return head + struct.pack(order + "H", len(entries)) + rows + bytes(4)


def test_all_facts_of_a_camera() -> None:
    """Make, model, serial, owner, dates, position, thumbnail, maker note."""
    facts = exif.facts(TIFF)
    assert (facts.make, facts.model, facts.serial[:12], facts.taken) == (
        "Medcam",
        "MC-200",
        "SN-4711-0815",
        "2026:03:04 05:06:07",
    )
    assert facts.codes == {
        "exif.make", "exif.model", "exif.serial", "exif.owner", "exif.datetime", "exif.gps", "exif.thumbnail", "exif.maker-note",
        "exif.text", "exif.software",
    }  # fmt: skip
    assert not facts.damaged


def test_no_value_shows_in_repr() -> None:
    """What could name someone never stands in a log line."""
    assert "Medcam" not in repr(exif.facts(TIFF))
    assert "SN-" not in repr(exif.facts(TIFF))


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_give_the_orientation(order: str) -> None:
    """II and MM."""
    value = 6 if order == "<" else 6 << 16
    assert exif.facts(directory((0x0112, 3, 1, value), order=order)).orientation == 6


def test_what_piexif_cannot_read_is_read_by_our_own_reader() -> None:
    """A type that piexif does not know, a directory that lies: orientation, make and position are still told."""
    strange = directory((0x0110, 13, 1, 1), (0x0112, 3, 1, 8 << 16), (0x8825, 4, 1, 9999))
    facts = exif.facts(strange)
    assert (facts.orientation, facts.damaged) == (8, True)
    assert "exif.gps" in facts.codes


def test_the_serial_number_is_read_where_piexif_cannot_read_the_rest() -> None:
    """Symptom: a registered camera that writes a tag of a newer type counted as unknown, while its number was found and removed.

    Cause: our own reader told that there is a serial number (the code) and not which.
    """
    number = b"SN-4711\0"
    inner = struct.pack(">H", 1) + struct.pack(">HHII", 0xA431, 2, len(number), 38 + 18) + bytes(4) + number
    strange = directory((0x0110, 13, 1, 1), (0x8769, 4, 1, 38)) + inner
    facts = exif.facts(strange)
    assert facts.damaged and "exif.serial" in facts.codes
    assert facts.serial == "SN-4711"


def test_claims_beyond_the_block_cost_nothing() -> None:
    """Regression: piexif unpacks as many values as a directory claims; a kilobyte could ask for gigabytes."""
    bomb = directory(*((tag, 1, 0x7FFFFFFF, 8) for tag in range(0x0100, 0x0180)))
    overlapping = directory(*((tag, 1, 60_000, 8) for tag in range(0x0100, 0x0400))) + bytes(60_000)
    started = time.perf_counter()
    assert exif.facts(bomb).damaged
    assert exif.facts(overlapping).damaged
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("block", [b"", b"II", b"MM\0*", b"XX*\0\0\0\0\x08", b"II*\0\xff\xff\xff\xff", b"II+\0\x08\0\0\0"])
def test_what_is_no_tiff_says_nothing(block: bytes) -> None:
    """Orientation 1 and no codes."""
    assert exif.facts(block) == ExifFacts(damaged=True)


def test_orientation_outside_its_range_is_upright() -> None:
    """0 and 9 mean nothing; programs show the picture as it is."""
    for value in (0, 9, 65535):
        facts = exif.facts(directory((0x0112, 3, 1, value << 16)))
        assert (facts.orientation, facts.declared) == (1, True)


def test_our_block_says_nothing_but_the_orientation() -> None:
    """Display-only, and its own reader agrees."""
    for turn in range(1, 9):
        block = exif.orientation_only(turn)
        assert exif.facts(block[6:]) == ExifFacts(orientation=turn, declared=True)
        assert exif.display_only(block[6:])
    for turn in (0, 9):
        with pytest.raises(ValueError, match="1 to 8"):
            exif.orientation_only(turn)


@pytest.mark.parametrize(
    "block",
    [
        TIFF,
        directory((0x0112, 3, 1, 6 << 16)) + b"Dr Example",  # bytes behind
        directory((0x0112, 3, 1, (6 << 16) + 0x4142)),  # letters in the unused half of a value
        directory((0x010F, 2, 3, 0x41420000)),  # make
        directory((0x0112, 3, 2, 0x41424344)),  # more values than the tag has
        directory((0x0112, 3, 1, 6 << 16))[:-4] + b"\0\0\0\x08",  # a second directory
        directory((0x8769, 4, 1, 4000)),
    ],
)
def test_a_block_with_anything_to_hide_is_not_display_only(block: bytes) -> None:
    """Every byte must be accounted for."""
    assert not exif.display_only(block)


@given(st.binary(max_size=200), st.integers(0, len(TIFF)), st.data())
def test_no_bytes_make_it_raise(tail: bytes, cut: int, data: st.DataObject) -> None:
    """Any damage gives facts, never an exception."""
    exif.facts(b"II*\0\x08\0\0\0" + tail)
    damaged = bytearray(TIFF[:cut] + tail)
    for _ in range(data.draw(st.integers(0, 4))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert 1 <= exif.facts(bytes(damaged)).orientation <= 8
    assert exif.display_only(bytes(damaged)) in (True, False)
