"""WebP, GIF, bitmaps, icons, JPEG 2000, JPEG XL: the promises all of them keep, on files with a canary in every place."""

from __future__ import annotations

import base64
import io
import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from filters.api import FilterError
from filters.registry import SCRUBBERS
from filters.sniff import sniff
from tests.fuzz.raster import one
from tests.support.images_judged import decode
from tests.support.samples.raster import PICTURES

pytestmark = pytest.mark.unit
EACH = pytest.mark.parametrize("variant", PICTURES)


def place(what: str) -> str:
    return f"CANARY-{what.replace(' ', '-')}-7f3a9c"


@cache
def sample(variant: str) -> bytes:
    return PICTURES[variant](place)


def cleaned(variant: str) -> bytes:
    return SCRUBBERS[sniff(sample(variant)).format].scrub(sample(variant)).data


@EACH
def test_no_canary_is_left(variant: str) -> None:
    """P2: no word of any metadata place is left, in no encoding."""
    data = cleaned(variant)
    for encoding in ("ascii", "utf-16-le", "utf-16-be"):
        assert "CANARY".encode(encoding) not in data
    assert base64.b64encode(b"CANARY")[:7] not in data


@EACH
def test_every_frame_and_its_timing_stay(variant: str) -> None:
    """P4: samples, sizes, transparency, durations, disposal, loop count and orientation, as Pillow reads them."""
    before, after = decode(sample(variant)), decode(cleaned(variant))
    if before is None:
        return  # Pillow knows no JPEG XL (a djxl test compares those) and no table of more than 256 colours
    assert after == before
    assert _timing(cleaned(variant)) == _timing(sample(variant))


def _timing(data: bytes) -> list[tuple[object, ...]]:
    told = []
    with Image.open(io.BytesIO(data)) as image:
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            image.load()
            names = ("duration", "loop", "background", "transparency", "dpi")
            told.append((*(image.info.get(name) for name in names), getattr(image, "disposal_method", None)))
    return told


@EACH
def test_a_clean_file_is_the_very_same_object(variant: str) -> None:
    """P3: what is clean comes back untouched, however often."""
    data = cleaned(variant)
    scrubber = SCRUBBERS[sniff(data).format]
    assert scrubber.scrub(data).data is data
    assert scrubber.residue(data) == ()


@EACH
def test_truncation_anywhere_is_a_filter_error_or_clean(variant: str) -> None:
    """A file cut at any byte raises FilterError, or is cleaned as whatever it still is."""
    data = sample(variant)
    for size in range(0, len(data), 1 + len(data) // 60):
        one(data[:size])


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_flipped_bits_never_raise_anything_else(data: st.DataObject) -> None:
    """Whatever the bytes: a FilterError, or an idempotent result without residue and with the same picture."""
    original = bytearray(sample(data.draw(st.sampled_from(sorted(PICTURES)))))
    for _ in range(data.draw(st.integers(1, 3))):
        original[data.draw(st.integers(0, len(original) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    one(bytes(original))


@pytest.mark.parametrize("name", ["webp", "gif", "bmp", "dib", "ico", "jp2", "j2k", "jxl"])
def test_sizes_that_nobody_can_show_are_refused_at_once(name: str) -> None:
    """Bombs: headers of a thousand million pixels cost nothing."""
    bombs = {
        "webp": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0" + b"\xff\xff\x7f" * 2 + b"VP8L\x05\0\0\0\x2f\0\0\0\0\0",
        "gif": b"GIF89a\xff\xff\xff\xff\0\0\0" + b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x00;",
        "bmp": b"BM" + bytes(8) + b"\x36\0\0\0" + b"\x28\0\0\0\xff\xff\0\0\xff\xff\0\0\x01\0\x18\0" + bytes(24),
        "dib": b"\x28\0\0\0\xff\xff\0\0\xff\xff\0\0\x01\0\x18\0" + bytes(24),
        "ico": b"\0\0\1\0\1\0"
        + bytes(8)
        + b"\x28\0\0\0\x16\0\0\0"
        + b"\x28\0\0\0\xff\xff\0\0\xff\xff\0\0\x01\0\x18\0"
        + bytes(24),
        "jp2": b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 \0\0\0\x08jp2h\0\0\0\0jp2c" + _siz(0xFFFFF),
        "j2k": _siz(0xFFFFF),
        "jxl": b"\xff\x0a" + bytes((0b11111110, 0b11111111, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)),
    }
    start = time.perf_counter()
    with pytest.raises(FilterError):
        SCRUBBERS[name].scrub(bombs[name])
    assert time.perf_counter() - start < 0.5


def _siz(side: int) -> bytes:
    numbers = b"".join(n.to_bytes(4, "big") for n in (side, side, 0, 0, side, side, 0, 0))
    tile = b"\xff\x90\0\x0a\0\0\0\0\0\0\0\1\xff\x93\0\xff\xd9"
    return b"\xff\x4f\xff\x51\0\x29\0\0" + numbers + b"\0\1\7\1\1" + tile
