"""Words in the chunks of a PNG that hold numbers."""

from __future__ import annotations

import struct
import zlib

import pytest

from filters.png.scrubber import PNG
from tests.support.canary_images import photo_png

pytestmark = pytest.mark.unit

PHOTO = PNG.scrub(photo_png(1, (32, 24))).data
ROWS = PHOTO.index(b"IDAT") - 4


def with_chunk(name: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return PHOTO[:ROWS] + chunk + PHOTO[ROWS:]


@pytest.mark.parametrize(
    ("name", "body"),
    [(b"cHRM", b"CANARY-0123456789abcdef-Mrs-Jone"), (b"gAMA", b"Jane"), (b"sBIT", b"Jan"), (b"cICP", b"\xc3\xa4ne")],
)
def test_letters_are_no_numbers(name: bytes, body: bytes) -> None:
    """Symptom: 32 letters passed as chromaticities, four as a gamma.

    Cause: such chunks were kept by their length.  Analysis: their numbers have ranges, and letters lie outside them.
    """
    assert body not in PNG.scrub(with_chunk(name, body)).data
    assert PNG.residue(with_chunk(name, body))


def test_real_numbers_stay() -> None:
    """The other side (P4): what programs write stays byte for byte."""
    for name, body in (
        (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        (b"gAMA", struct.pack(">I", 45455)),
        (b"cICP", b"\x09\x10\0\1"),
    ):
        assert body in PNG.scrub(with_chunk(name, body)).data
