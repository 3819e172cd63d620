"""TIFF: the codings whose ends are measured, camera RAW, and hostile files."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from filters.api import Fate, FilterError, Malformed, TooBig, Unsupported
from filters.sniff import sniff
from filters.tiff import coded, tails
from filters.tiff.scrubber import TIFF
from tests.fuzz import tiff as fuzz
from tests.support import images_judged as judged
from tests.support.samples import tiff as sample
from tests.support.samples.tiff import ASCII, LONG, SHORT, Builder, Page, fields, photo
from tests.support.tiffs import canary, codes, plain, scrub

pytestmark = pytest.mark.unit


# ---- codings


def test_the_end_of_each_coding_is_found() -> None:
    """Nothing behind the end mark of LZW, Deflate, PackBits, Group 3 or Group 4 survives."""
    for name in ("lzw", "deflate", "packbits", "group4", "group3"):
        data = sample.CLEAN[name](canary)
        with Image.open(io.BytesIO(data)) as image:
            at, size = image.tag_v2[273][-1], image.tag_v2[279][-1]
            raw = 1 << 20
            if name == "packbits":
                raw = image.width * 3 * (image.height - image.tag_v2[278] * (len(image.tag_v2[273]) - 1))
            number = image.tag_v2[259]
        strip = data[at : at + size]
        found = tails.end(number, tails.Strip(strip + b"words", 0, size + 5, raw))
        if name == "group3":
            assert found in (None, size)  # libtiff writes no end of block there
        else:
            assert found is not None and size - 1 <= found <= size, name


def test_end_of_block_is_found_at_every_bit_and_in_either_fill_order() -> None:
    """T.6: two end-of-line codes end the page wherever in a byte they begin."""
    for shift in range(8):
        bits = "1" * (16 + shift) + "000000000001" * 2
        body = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
        mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in body)
        assert tails.end(4, tails.Strip(body + b"tail", 0, len(body) + 4, 1)) == len(body)
        assert tails.end(4, tails.Strip(mirrored + b"tail", 0, len(body) + 4, 1, mirrored=True)) == len(body)


def test_a_long_lzw_strip_is_followed_through_every_code_width() -> None:
    """Noise fills the table again and again: 9 to 12 bits, Clear, 9 bits."""
    noise = bytes((i * i * 31 + i // 7) % 251 for i in range(60_000))
    image = Image.frombytes("L", (300, 200), noise)
    data = sample.saved(image, compression="tiff_lzw", strip_size=1 << 20)
    with Image.open(io.BytesIO(data)) as whole:
        at, size = whole.tag_v2[273][0], whole.tag_v2[279][0]
    assert tails.end(5, tails.Strip(data[at : at + size] + b"tail", 0, size + 4, 1)) == size


def test_more_rows_than_the_picture_has_are_refused_in_deflate() -> None:
    """The stream itself holds hidden rows; it would have to be coded anew."""
    stream = zlib.compress(photo().tobytes() + b"hidden rows")
    with pytest.raises(Malformed, match="more samples"):
        TIFF.scrub(Builder().file([Page(fields(compression=8), (stream,))]))


@pytest.mark.parametrize("compression", [34933, 34934, 22610, 50002, 60000])
def test_codings_that_are_files_of_their_own_are_not_supported(compression: int) -> None:
    """PNG, JPEG XR or JPEG XL in each tile can hold metadata; so can what nobody knows."""
    with pytest.raises(Unsupported):
        TIFF.scrub(plain({259: (SHORT, (compression,))}))


def test_comments_of_jpeg_2000_and_chunks_of_webp_are_not_passed_on() -> None:
    """Tiles of other codecs are looked into as far as their words may stand."""
    codestream = b"\xff\x4f\xff\x51\x00\x04ab%s\xff\x90\x00\x0ccoded data\xff\xd9"
    comment = b"\xff\x64\x00\x09\x00\x01words"
    fine = Builder().file([Page(fields(compression=33005), (codestream % b"",))])
    assert TIFF.scrub(fine).data is fine
    riff = b"VP8L\x04\0\0\0abcd%s"
    riffs = [b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body for body in (riff % b"", riff % b"EXIF\x02\0\0\0II")]
    fine = Builder().file([Page(fields(compression=50001), (riffs[0],))])
    assert TIFF.scrub(fine).data is fine
    for compression, strip in ((33005, codestream % comment), (50001, riffs[1])):
        with pytest.raises(Unsupported):
            TIFF.scrub(Builder().file([Page(fields(compression=compression), (strip,))]))


def test_metadata_inside_the_coded_jpeg_goes_and_the_coded_data_stays() -> None:
    """Compression 7: application segments, comments and bytes behind the end, in every strip."""
    stream = sample.jpeg(comment="somebody's name", subsampling=2)
    found = coded.stream(b"x" * 7 + stream + b"tail", 7, 7 + len(stream) + 4)
    assert len(found.cuts) == 3
    data = sample.PICTURES["tiff-jpeg"](canary)
    assert "tiff.jpeg-metadata" in codes(data)
    scan = stream[stream.find(b"\xff\xda") : stream.find(b"\xff\xd9")]
    assert scan in scrub(data).data


def test_bytes_between_the_segments_of_coded_jpeg_go() -> None:
    """Decoders skip what stands before a marker."""
    stream = sample.jpeg(subsampling=2)
    told = fields(compression=7, photometric=6) | {530: (SHORT, (2, 2))}
    data = Builder().file([Page(told, (stream[:2] + b"hidden words" + stream[2:],))])
    assert "tiff.jpeg-metadata" in codes(data)
    assert b"hidden words" not in scrub(data).data


def test_tables_apart_are_cleaned() -> None:
    """JPEGTables is a JPEG stream of its own and can hold a comment."""
    data = sample.CLEAN["jpeg"](canary)
    with Image.open(io.BytesIO(data)) as image:
        tables = image.tag_v2[347]
    words = tables[:2] + b"\xff\xfe\x00\x07words" + tables[2:]
    assert coded.tables(words) == tables
    assert coded.tables(tables) is tables
    with pytest.raises(Malformed):
        coded.tables(b"\xff\xd8\xff\xc0\x00\x04ab\xff\xd9")


def test_a_damaged_old_jpeg_is_refused() -> None:
    """Symptom: the strip of a JPEG file with a damaged table was cut to three bytes, and the next scrub measured it anew.

    Cause: a file that could not be walked was taken for headers whose scans stand elsewhere.
    """
    data = sample.PICTURES["tiff-old-jpeg"](canary)
    at = data.find(b"\xff\xc4") + 5
    with pytest.raises(Malformed):
        TIFF.scrub(data[:at] + b"\xff" * 8 + data[at + 8 :])


def test_old_jpeg_shows_the_same_picture() -> None:
    """Compression 6 with the scan inside the JPEG file: offsets move with what is cut out."""
    data = sample.PICTURES["tiff-old-jpeg"](canary)
    assert judged.decode(scrub(data).data) == judged.decode(data)
    assert judged.decode(data) is not None


# ---- camera RAW


@pytest.mark.parametrize(
    ("make", "extra", "name"),
    [
        ("Any", {50706: (1, (1, 4, 0, 0))}, "dng"),
        ("NIKON CORPORATION", {262: (SHORT, (32803,)), 277: (SHORT, (1,)), 258: (SHORT, (12,))}, "nef"),
        ("SONY", {259: (SHORT, (32767,))}, "arw"),
        ("PENTAX Corporation", {259: (SHORT, (65535,))}, "pef"),
        ("Hasselblad", {262: (SHORT, (32803,))}, "3fr"),
        ("Unheard Of", {262: (SHORT, (34892,))}, "tiff-raw"),
    ],
)
def test_camera_raw_is_opaque_under_its_own_name(make: str, extra: dict[int, tuple[int, sample.Value]], name: str) -> None:
    """What the sensor saw is no displayable picture: recognised, never cleaned."""
    for big in (False, True):
        data = plain({271: (ASCII, make)} | extra, big=big)
        assert sniff(data).format == name
        with pytest.raises(Unsupported, match=name):
            TIFF.scrub(data)


def test_raw_below_its_preview_is_found() -> None:
    """NEF and ARW: the first directory is a thumbnail, the sensor data a child."""
    child = Page(fields() | {262: (SHORT, (32803,))}, (photo().tobytes(),))
    page = Page(fields((12, 8)) | {254: (LONG, (1,)), 271: (ASCII, "NIKON")}, (photo((12, 8)).tobytes(),), {330: [child]})
    assert sniff(Builder().file([page])).format == "nef"


# ---- hostile files


def _refused(data: bytes, kind: type[FilterError] = FilterError) -> None:
    started = time.perf_counter()
    with pytest.raises(kind):
        TIFF.scrub(data)
    assert [finding.fate for finding in TIFF.residue(data)] == [Fate.STUCK]
    assert time.perf_counter() - started < 3


def test_ten_to_the_nine_pixels_are_too_many() -> None:
    """The size is checked before anything else is read."""
    _refused(plain({256: (LONG, (40_000,)), 257: (LONG, (40_000,))}), TooBig)


def test_pages_that_are_too_large_together_are_too_many() -> None:
    """Ten pages of 180 megapixels share one strip."""
    builder = Builder()
    at = builder._add(bytes(64))
    told = fields() | {256: (LONG, (18_000,)), 257: (LONG, (10_000,)), 273: (LONG, (at,)), 279: (LONG, (64,))}
    _refused(builder.file([Page(dict(told)) for _ in range(10)]), TooBig)


@pytest.mark.parametrize("tag", [273, 279, 258, 320])
def test_counts_of_two_to_the_32_end_at_once(tag: int) -> None:
    """No value is longer than the file."""
    data = bytearray(plain({320: (SHORT, (1, 2, 3)), 330: (LONG, (0,))}))
    at = struct.unpack_from("<I", data, 4)[0]
    for entry in range(at + 2, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], 12):
        if struct.unpack_from("<H", data, entry)[0] == tag:
            struct.pack_into("<I", data, entry + 4, 0xFFFFFFFF)
    _refused(bytes(data))


@pytest.mark.slow
def test_overlapping_directories_are_too_many() -> None:
    """A chain of directories, each one byte further and as long as can be."""
    body = bytearray(b"II*\0\x08\0\0\0") + bytes(1 << 20)
    body[8:] = (b"\x60\xea" + b"\0" * 12) * ((len(body) - 8) // 14) + bytes((len(body) - 8) % 14)
    _refused(bytes(body))


@pytest.mark.parametrize("spread", [0, 1])
def test_one_strip_told_many_times_is_measured_once(spread: int) -> None:
    """Twenty thousand tiles on the same stream cost one; on its every byte, they are refused before they are read."""
    stream = zlib.compress(bytes(768))
    told = fields((16 * 142, 16 * 142), 8) | {322: (SHORT, (16,)), 323: (SHORT, (16,)), 270: (ASCII, "words")}
    told.pop(278)
    builder = Builder()
    at = builder._add(stream + bytes(30_000))
    told[324] = (LONG, tuple(at + spread * i for i in range(20_164)))
    told[325] = (LONG, (9_000 if spread else len(stream),) * 20_164)
    data = builder.file([Page(told)])
    started = time.perf_counter()
    if spread:
        with pytest.raises(Malformed, match="overlap"):
            TIFF.scrub(data)
    else:
        scrub(data)
    assert time.perf_counter() - started < 3


def test_memory_stays_near_the_file() -> None:
    """Cleaning needs the output and little else."""
    data = Builder().file([Page(fields((2000, 1000)) | {270: (ASCII, "words")}, (bytes(6_000_000),))])
    tracemalloc.start()
    TIFF.scrub(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(data)


@pytest.mark.parametrize("name", sample.PICTURES)
def test_a_cut_file_is_refused_or_clean(name: str) -> None:
    """Truncation at every few bytes: FilterError, or a result that keeps every promise."""
    data = sample.PICTURES[name](canary)
    for length in range(0, len(data), 1 + len(data) // 20):
        fuzz.one(data[:length])


@pytest.mark.parametrize("name", [*sample.PICTURES, *sample.CLEAN])
@pytest.mark.slow
def test_a_flipped_bit_is_refused_or_clean(name: str) -> None:
    """One bit of every few bytes: FilterError, or a result that keeps every promise."""
    data = {**sample.PICTURES, **sample.CLEAN}[name](canary)
    for at in range(0, len(data), 1 + len(data) // 20):
        fuzz.one(data[:at] + bytes((data[at] ^ (1 << at % 8),)) + data[at + 1 :])


@given(st.sampled_from((b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")), st.binary(max_size=200))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_noise_behind_the_header_is_refused_or_clean(magic: bytes, noise: bytes) -> None:
    """Arbitrary bytes behind the header."""
    fuzz.one(magic + (b"\x08\0\0\0" if magic[2:3] in b"*\0" and len(magic) == 4 else b"") + noise)
