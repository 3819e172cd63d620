"""Damaged DICOM files: a FilterError, or a stable output of the same picture; never anything else."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.api import FilterError
from filters.dicom import codestream, jp2
from filters.dicom.scrubber import DICOM
from filters.dicom.transfer import Coding
from tests.fuzz import dicom as fuzz
from tests.support.samples.dicom import EXPLICIT, JPEG, JPEG_2000, base, element, fragments, items, part10, picture, pixels

pytestmark = pytest.mark.unit
SEEDS = fuzz.seeds()


@pytest.mark.parametrize("transfer", [EXPLICIT, JPEG])
def test_truncation_anywhere(transfer: str) -> None:
    """Cut at every tenth byte."""
    data = picture(transfer, str)
    for size in range(0, len(data), 10):
        fuzz.one(data[:size])


@pytest.mark.slow
def test_single_bits() -> None:
    """Flipped one at a time, spread over header, data set and fragments."""
    chance = random.Random(3)
    for data in SEEDS[:-1]:
        for _ in range(15):
            flipped = bytearray(data)
            flipped[chance.randrange(128, len(data))] ^= 1 << chance.randrange(8)
            fuzz.one(bytes(flipped))


@given(
    st.sampled_from(SEEDS[:-1]), st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=8), st.integers(0, 30)), max_size=4)
)
@settings(max_examples=25, deadline=None)
def test_bytes_put_in_and_taken_out(data: bytes, edits: list[tuple[int, bytes, int]]) -> None:
    """Several edits at once."""
    changed = bytearray(data)
    for at, put, taken in edits:
        changed[at : at + taken] = put
    fuzz.one(bytes(changed))


@given(
    st.sampled_from([Coding.JPEG, Coding.JPEG_LS, Coding.JPEG_2000]),
    st.sampled_from([b"\xff\xd8", b"\xff\x4f\xff\x51"]),
    st.lists(st.sampled_from([b"\xff", b"\0", b"\xfe", b"\xda", b"\xd9", b"\x90", b"\x93", b"\x64", b"\x02", b"\x05", b"x"])),
)
@settings(max_examples=80, deadline=None)
def test_coded_frames_of_any_bytes(coding: Coding, start: bytes, parts: list[bytes]) -> None:
    """Walkers of frames end, and what they return is clean."""
    frame = start + b"".join(parts)
    try:
        done = codestream.clean(frame, coding)
    except FilterError:
        return
    assert codestream.clean(done, coding) is done


def test_boxes_round_a_coded_frame() -> None:
    """JP2 boxes of numbers stay, all others go; the codestream loses its comments."""
    head = jp2.SIGNATURE + b"\0\0\0\x14ftypjp2 \0\0\0\0jp2 "
    rows, last = pixels(JPEG_2000, lambda _: "CANARY")
    stream = last[32:-8]
    header = b"\0\0\0\x2djp2h" + b"\0\0\0\x16ihdr" + bytes(14) + b"\0\0\0\x0fcolr\1\0\0\0\0\0\x11"
    frame = head + b"\0\0\0\x0exml CANARY" + header + (len(stream) + 8).to_bytes(4, "big") + b"jp2c" + stream
    data = part10(rows | base(JPEG_2000), element(0x7FE00010, "OB", fragments([frame]), undefined=True), JPEG_2000)
    cleaned = DICOM.scrub(data).data
    assert b"CANARY" not in cleaned
    assert head + header in cleaned


def test_large_objects_in_bounded_time() -> None:
    """25,000 elements of functional groups, and 1,000 fragments: seconds, not minutes."""
    group = element(0x00209111, "SQ", items([element(0x00209056, "SH", "1") + element(0x00209057, "UL", b"\1\0\0\0")]))
    rows, last = pixels(EXPLICIT, str)
    many = element(0x52009230, "SQ", items([group] * 5_000))
    start = time.process_time()
    DICOM.scrub(part10(rows | base(EXPLICIT) | {0x52009230: many}, last, EXPLICIT))
    rows, last = pixels(JPEG, str)
    rows[0x00280008] = element(0x00280008, "IS", "1000")
    DICOM.scrub(part10(rows | base(JPEG), element(0x7FE00010, "OB", fragments([last[32:-8]] * 1000), undefined=True), JPEG))
    assert time.process_time() - start < 5
