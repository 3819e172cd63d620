"""HEIC, AVIF, MP4, QuickTime: no hidden word survives anywhere, and damaged files end in a refusal, quickly."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.api import Fate, FilterError
from filters.bmff import codes
from filters.bmff.scrubber import HEIC, MP4
from filters.catalogue import CODES
from tests.support.bmff_kit import place, still
from tests.support.samples import bmff
from tests.support.samples.bmff import box, full

pytestmark = pytest.mark.unit


# ------------------------------------------------------------------------ nothing is left


@pytest.mark.parametrize("name", bmff.PICTURES)
def test_no_canary_survives_in_any_place(name: str) -> None:
    """Every metadata place of the format held a unique word; none of them, in no encoding, is left."""
    words: list[str] = []

    def place(what: str) -> str:
        words.append(f"CANARY{len(words)}-{what.replace(' ', '-')}")
        return words[-1]

    data = bmff.PICTURES[name](place)
    cleaned = MP4.scrub(data)
    assert words
    assert b"CANARY" in data
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert "CANARY".encode(encoding) not in cleaned.data
    assert MP4.residue(cleaned.data) == ()
    assert MP4.scrub(cleaned.data).data is cleaned.data
    assert {finding.code for finding in cleaned.findings} <= CODES.keys()


def test_a_clean_file_stays_the_very_same_object() -> None:
    """Nothing to remove: nothing is rewritten."""
    for data in (bmff.plain_heic(place), still()):
        assert HEIC.scrub(data).data is data
        assert HEIC.residue(data) == ()


def test_every_code_has_its_sentence() -> None:
    """The table is merged into the catalogue and speaks in sentences."""
    assert codes.CODES.keys() <= CODES.keys()
    assert all(sentence.endswith(".") for sentence in codes.CODES.values())


# ------------------------------------------------------------------------ damage and bombs


@pytest.mark.parametrize("name", bmff.PICTURES)
@pytest.mark.slow
def test_cut_and_flipped_files_raise_only_filter_errors(name: str) -> None:
    """Truncated at every few bytes, and with single bytes changed: refused, or clean and stable."""
    data = bmff.PICTURES[name](place)
    chance = random.Random(name)
    step = max(1, len(data) // 50)
    damaged = [data[:at] for at in range(0, len(data), step)]
    for _ in range(50):
        at = chance.randrange(len(data))
        damaged.append(data[:at] + bytes((chance.randrange(256),)) + data[at + 1 :])
    for one in damaged:
        try:
            cleaned = MP4.scrub(one).data
        except FilterError:
            assert [finding.fate for finding in MP4.residue(one)] == [Fate.STUCK]
            continue
        assert MP4.residue(cleaned) == ()
        assert MP4.scrub(cleaned).data is cleaned


@given(st.binary(max_size=200), st.sampled_from((b"meta", b"moov", b"moof", b"ftyp", b"mdat", b"idat")))
@settings(max_examples=60)
def test_noise_in_a_box(noise: bytes, kind: bytes) -> None:
    """Arbitrary bytes in any box of the file."""
    for data in (box(kind, noise), still() + box(kind, noise), bmff.film(place) + box(kind, noise)):
        try:
            MP4.scrub(data)
        except FilterError:
            continue


def _many_items() -> bytes:
    infos = full(b"infe", 2, 0, b"\0\1\0\0av01\0") * 20_000
    return box(b"ftyp", b"avif" + bytes(4)) + full(
        b"meta", 0, 0, full(b"hdlr", 0, 0, bytes(4) + b"pict" + bytes(13)), full(b"pitm", 0, 0, b"\0\1"),
        full(b"iinf", 0, 0, struct.pack(">H", 20_000), infos),
    )  # fmt: skip


def _deep() -> bytes:
    data = b""
    for _ in range(20_000):
        data = struct.pack(">I4s", len(data) + 8, b"trak") + data
        if len(data) > 100_000:
            break
    return box(b"ftyp", b"isom" + bytes(4)) + box(b"moov", data)


def _lying_table(kind: bytes, row: bytes) -> bytes:
    """A film whose table claims far more than there is."""
    data = bmff.film(place)
    at = data.index(kind)
    return data[: at + 8] + row + data[at + 8 + len(row) :]


@pytest.mark.parametrize(
    "make",
    [
        _many_items,
        _deep,
        lambda: _lying_table(b"stsz", struct.pack(">II", 1, 0xFFFFFFFF)),
        lambda: _lying_table(b"stts", b"\xff\xff\xff\xff"),
        lambda: _lying_table(b"stsc", struct.pack(">IIII", 1, 1, 0xFFFFFFFF, 1)),
        lambda: _lying_table(b"dref", b"\xff\xff\xff\xff"),
        lambda: box(b"ftyp", b"isom" + bytes(4)) + box(b"free", b"") * 200_000,
        lambda: bmff.fragmented(place).replace(b"trun\0\0\2\1\0\0\0\1", b"trun\0\0\0\1\xff\xff\xff\xff"),
    ],
)
@pytest.mark.slow
def test_bombs_end_quickly(make: Callable[[], bytes]) -> None:
    """What a table claims is checked before anything is made of it."""
    data = make()
    start = time.perf_counter()
    try:
        MP4.scrub(data)
    except FilterError:
        pass
    assert time.perf_counter() - start < 5
