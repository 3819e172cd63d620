"""JPEG by construction: every coding mode unharmed, every container emptied, whatever is ambiguous refused."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import piexif
import pytest
from PIL import Image

from filters.api import Fate, Malformed, TooBig, Unsupported
from filters.jpeg.scrubber import JPEG
from filters.metadata import exif
from tests.support.canary_images import camera_exif, jpeg_with_canaries, named_icc, photo, photo_jpeg, segment
from tests.support.images_judged import decode

pytestmark = pytest.mark.unit
CANARY = "CANARY-7f3a9c"
_NOTE = segment(0xFE, b"a note")


def encoded(mode: str = "RGB", size: tuple[int, int] = (96, 64), **save: object) -> bytes:
    out = io.BytesIO()
    photo(3, size).convert(mode).save(out, "JPEG", quality=85, **save)
    return out.getvalue()


def noted(data: bytes) -> bytes:
    """The file with camera metadata behind SOI and a comment before EOI."""
    return data[:2] + segment(0xE1, camera_exif("x")) + data[2:-2] + _NOTE + data[-2:]


def codes(data: bytes) -> set[str]:
    return {finding.code for finding in JPEG.scrub(data).findings if finding.fate is Fate.REMOVED}


def spans(data: bytes) -> list[tuple[int, int]]:
    """(marker, offset) of the segments up to the first SOS."""
    found, at = [], 2
    while not found or found[-1][0] != 0xDA:
        found.append((data[at + 1], at))
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return found


def place(data: bytes, marker: int) -> int:
    return next(at for found, at in spans(data) if found == marker)


# ------------------------------------------------------------ coding modes

MODES: dict[str, Callable[[], bytes]] = {
    "baseline": encoded,
    "grey": lambda: encoded("L"),
    "cmyk": lambda: encoded("CMYK"),
    "progressive": lambda: encoded(progressive=True),
    "optimised": lambda: encoded(optimize=True),
    "unsampled": lambda: encoded(subsampling=0),
    "restart-blocks": lambda: encoded(restart_marker_blocks=2),
    "restart-rows": lambda: encoded(restart_marker_rows=1, progressive=True),
    "rgb-kept": lambda: encoded(keep_rgb=True),
    "odd-size": lambda: encoded(size=(37, 23)),
    "large": lambda: encoded(size=(1200, 900)),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_coding_mode_keeps_its_pixels_and_coded_bytes(mode: str) -> None:
    """The coded picture is copied: the output is the metadata-free file, byte for byte."""
    plain = MODES[mode]()
    assert JPEG.scrub(plain).data is plain
    assert JPEG.scrub(noted(plain)).data == plain
    assert decode(plain) is not None


def test_twelve_bit_and_lossless_frames_are_walked() -> None:
    """Precision and frame type do not matter to a segment walk: 12-bit extended (SOF1) and lossless (SOF3) are accepted."""
    for marker, bits in ((0xC1, 12), (0xC3, 16), (0xC2, 12)):
        plain = bytearray(encoded("L"))
        at = place(bytes(plain), 0xC0)
        plain[at + 1], plain[at + 4] = marker, bits
        assert JPEG.inspect(bytes(plain)).bits == bits
        assert JPEG.scrub(noted(bytes(plain))).data == bytes(plain)


def test_a_height_given_by_dnl_is_kept() -> None:
    """DNL behind the first scan (T.81 B.2.5) supplies a height of 0 in the frame header and stays."""
    plain = bytearray(encoded("L"))
    at = place(bytes(plain), 0xC0)
    plain[at + 5 : at + 7] = b"\0\0"
    with pytest.raises(Malformed):
        JPEG.scrub(bytes(plain))
    told = bytes(plain[:-2]) + segment(0xDC, struct.pack(">H", 64)) + b"\xff\xd9"
    assert JPEG.inspect(told).height == 64
    assert JPEG.scrub(told).data is told


def test_a_hierarchical_file_keeps_all_its_frames() -> None:
    """DHP, EXP and several frames (T.81 Annex J) are coding segments."""
    frame, size = encoded("L")[2:-2], struct.pack(">BHHB", 8, 64, 96, 1) + b"\x01\x11\x00"
    second = segment(0xDF, b"\x11") + frame[frame.index(b"\xff\xdb") :].replace(b"\xff\xc0", b"\xff\xc5", 1)
    data = b"\xff\xd8" + segment(0xDE, size) + frame + second + b"\xff\xd9"
    assert JPEG.scrub(data).data is data
    assert JPEG.inspect(data).width == 96


# -------------------------------------------------------------- containers


def test_the_canary_is_gone_from_every_container() -> None:
    """Every container of the format, canary in each: none is left, pixels stay."""
    for progressive in (True, False):
        data = jpeg_with_canaries(CANARY, progressive=progressive)
        assert data.count(CANARY.encode()) > 40
        cleaned = JPEG.scrub(data).data
        assert CANARY.encode() not in cleaned
        assert CANARY.encode("utf-16-be") not in cleaned
        assert CANARY.encode("utf-16-le") not in cleaned
        assert decode(cleaned) == decode(data) is not None


@pytest.mark.parametrize(
    ("piece", "code"),
    [
        (segment(0xE0, b"JFXX\0\x10thumb"), "jpeg.jfxx"),
        (segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"), "jpeg.xmp"),
        (segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40)), "jpeg.xmp-extended"),
        (segment(0xE1, b"FLIR\0\1"), "jpeg.flir"),
        (segment(0xE1, camera_exif()), "exif.gps"),
        (segment(0xE2, b"MPF\0II*\0"), "jpeg.mpf"),
        (segment(0xE2, b"FPXR\0\1"), "jpeg.flashpix"),
        (segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0"), "jpeg.gain-map"),
        (segment(0xE2, b"ICC_PROFILE\0\1\1not a profile"), "icc.damaged"),
        (segment(0xE2, b"ICC_PROFILE\0\1\2" + named_icc("x")[:600]), "icc.damaged"),
        *((segment(0xE0 + n, b"vendor"), "jpeg.vendor") for n in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15)),
        (segment(0xEB, b"JP\0\1" + bytes(12)), "jpeg.jumbf"),
        (segment(0xED, b"Photoshop 3.0\0x"), "jpeg.photoshop"),
        (segment(0xED, b"Adobe_CM"), "jpeg.vendor"),
        (segment(0xEE, b"Adobe\0\x64\0\0\0\0\1tail"), "jpeg.adobe-tail"),
        (segment(0xFE, b"comment"), "jpeg.comment"),
        (segment(0xF0, b"extension"), "jpeg.reserved-marker"),
        (segment(0x02, b"reserved"), "jpeg.reserved-marker"),
        (segment(0xBF, b"reserved"), "jpeg.reserved-marker"),
        (b"stray bytes", "jpeg.gap"),
        (b"\xff\x01", "jpeg.gap"),
        (b"\xff\xd3", "jpeg.gap"),
        (b"\xff\x00", "jpeg.gap"),
    ],
)
def test_each_piece_of_metadata_goes_under_its_own_code(piece: bytes, code: str) -> None:
    """Wherever it stands before the first scan, it goes, and the rest is untouched."""
    plain = encoded("L")
    for at in (20, place(plain, 0xDA)):
        data = plain[:at] + piece + plain[at:]
        assert code in codes(data)
        cleaned = JPEG.scrub(data).data
        assert cleaned == plain or (code == "jpeg.adobe-tail" and len(cleaned) == len(plain) + 16)


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        (b"\0", "jpeg.trailer"),
        (photo_jpeg(2, (32, 32)), "jpeg.trailer-image"),
        (b"\0\0\0\x18ftypmp42" + bytes(40), "jpeg.trailer-video"),
        (b"PK\x03\x04" + bytes(40), "jpeg.trailer-archive"),
        (b"SEFT vendor trailer", "jpeg.trailer"),
    ],
)
def test_everything_behind_eoi_goes(tail: bytes, code: str) -> None:
    """Second pictures, motion photos, archives, vendor trailers, a single byte."""
    plain = encoded()
    assert JPEG.scrub(plain + tail).data == plain
    assert {"jpeg.trailer", code} <= codes(plain + tail)


def test_comments_between_and_behind_scans_go() -> None:
    """The place that other tools forget: metadata between the scans of a progressive file."""
    plain = encoded(progressive=True)
    first = place(plain, 0xDA)
    later = plain.index(b"\xff\xc4", first)
    data = plain[:later] + _NOTE + segment(0xE1, camera_exif("x")) + b"gap" + plain[later:-2] + _NOTE + plain[-2:]
    assert JPEG.scrub(data).data == plain
    assert {"jpeg.comment", "exif.block", "jpeg.gap"} <= codes(data)


def test_data_behind_the_last_restart_interval_goes() -> None:
    """More restart markers than the picture has intervals: what follows them is shown by no decoder."""
    plain = encoded("L", restart_marker_blocks=8)
    hidden = plain[:-2] + b"\xff\xd7hidden words" + plain[-2:]
    assert codes(hidden) == {"jpeg.scan-tail"}
    assert JPEG.scrub(hidden).data == plain
    assert decode(hidden) == decode(plain)


def test_a_jfif_thumbnail_is_cut_and_the_density_kept() -> None:
    """The 14 bytes of the JFIF header stay, its thumbnail does not."""
    plain = encoded(dpi=(300, 300))
    body = plain[6:18] + b"\1\1" + b"RGB"
    data = b"\xff\xd8" + segment(0xE0, body) + plain[20:]
    assert JPEG.scrub(data).data == plain
    assert Image.open(io.BytesIO(plain)).info["dpi"] == (300, 300)


def test_app14_keeps_twelve_bytes_and_cmyk_its_colours() -> None:
    """The Adobe segment says how colours are coded: without it CMYK turns negative."""
    plain = encoded("CMYK")
    at = place(plain, 0xEE)
    data = plain[:at] + segment(0xEE, plain[at + 4 : at + 16] + b"Photoshop of Dr X") + plain[at + 16 :]
    assert JPEG.scrub(data).data == plain
    assert decode(data) == decode(plain)


def test_headers_behind_the_first_scan_go() -> None:
    """JFIF, Adobe and ICC segments mean something only before the picture; behind a scan they are a hiding place."""
    plain = encoded(progressive=True)
    later = plain.index(b"\xff\xc4", place(plain, 0xDA))
    for piece in (plain[2:20], segment(0xEE, b"Adobe\0NAME\0\0"), segment(0xE2, b"ICC_PROFILE\0\1\1" + named_icc("x"))):
        assert JPEG.scrub(plain[:later] + piece + plain[later:]).data == plain
    assert JPEG.scrub(plain[:20] + plain[2:20] + plain[20:]).data == plain  # a second JFIF header


# ------------------------------------------------------------- orientation


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_is_all_that_is_left_of_exif(turn: int) -> None:
    """Orientation 2-8 stays in a minimal block behind JFIF; 1 needs none."""
    data = photo_jpeg(1, (80, 60), orientation=turn)
    cleaned = JPEG.scrub(data).data
    assert JPEG.inspect(data).orientation == JPEG.inspect(cleaned).orientation == turn
    assert (b"Exif" in cleaned) == (turn != 1)
    if turn != 1:
        assert cleaned[20:22] == b"\xff\xe1"  # right behind the JFIF header
        tree = piexif.load(cleaned)
        assert tree["0th"] == {piexif.ImageIFD.Orientation: turn}
        assert not any(tree[name] for name in ("Exif", "GPS", "Interop", "1st", "thumbnail"))
    assert JPEG.scrub(cleaned).data is cleaned


def test_orientation_of_xmp_counts_when_exif_is_silent() -> None:
    """ImageIO, Photoshop and Pillow turn by tiff:Orientation; EXIF, where it speaks, is stronger."""
    packet = segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>')
    plain = encoded()
    told = plain[:20] + packet + plain[20:]
    assert decode(told) == decode(JPEG.scrub(told).data)
    assert JPEG.inspect(told).orientation == 6
    both = plain[:20] + segment(0xE1, exif.orientation_only(3)) + packet + plain[20:]
    assert JPEG.inspect(both).orientation == 3
    assert JPEG.scrub(both).data == plain[:20] + segment(0xE1, exif.orientation_only(3)) + plain[20:]


def test_our_own_exif_block_survives_a_rewritten_jfif_header() -> None:
    """Regression: the block was lost when the JFIF header before it had to be cut in the same run."""
    plain = encoded()
    block = segment(0xE1, exif.orientation_only(6))
    data = b"\xff\xd8" + segment(0xE0, plain[6:18] + b"\1\1RGB") + block + block + plain[20:]
    assert JPEG.scrub(data).data == plain[:20] + block + plain[20:]


def test_exif_over_several_segments_is_read_as_one() -> None:
    """A block cut in two (as some cameras write long ones) is read whole for facts and removed whole."""
    block = camera_exif(orientation=8)
    half = len(block) // 2
    plain = encoded()
    data = plain[:20] + segment(0xE1, block[:half]) + segment(0xE1, b"Exif\0\0" + block[half:]) + plain[20:]
    facts = JPEG.inspect(data)
    assert (facts.orientation, facts.make, facts.serial) == (8, "Medcam", "SN-4711-0815")
    assert len(JPEG.scrub(data).data) < len(plain) + 60


# ------------------------------------------------------------------- facts


def test_inspect_tells_camera_position_and_thumbnail() -> None:
    """Facts come from EXIF before it is stripped; no value shows in repr."""
    info = JPEG.inspect(photo_jpeg(1, (80, 60)))
    assert (info.width, info.height, info.bits, info.make, info.model) == (80, 60, 8, "Medcam", "MC-200")
    assert {"exif.gps", "exif.make", "exif.model", "exif.serial", "exif.owner", "exif.thumbnail", "exif.datetime"} <= info.codes
    assert info.taken == "2026:03:04 05:06:07"
    assert "Medcam" not in repr(info)
    assert "SN-4711" not in repr(info)
    assert "exif.gps" not in JPEG.inspect(photo_jpeg(1, (80, 60), gps=False)).codes


# ------------------------------------------------------------------ refused


def broken() -> dict[str, bytes]:
    """name of the defect -> file."""
    plain, ticked = encoded("L"), encoded("L", restart_marker_blocks=8)
    frame, scan = place(plain, 0xC0), place(plain, 0xDA)
    tables = place(plain, 0xDB)
    return {
        "empty": b"\xff\xd8\xff",
        "soi-eoi": b"\xff\xd8\xff\xd9",
        "no-eoi": plain[:-2],
        "half": plain[: len(plain) // 2],
        "cut-in-header": plain[: frame + 3],
        "ends-in-fill": plain[:-2] + b"\xff\xff",
        "no-scan": plain[:scan] + b"\xff\xd9",
        "no-frame": plain[:frame] + plain[frame + 2 + 11 :],
        "empty-scan": plain[: scan + 10] + b"\xff\xd9",
        "length-0": plain[:20] + b"\xff\xe1\0\0" + plain[20:],
        "length-1": plain[:20] + b"\xff\xe1\0\1" + plain[20:],
        "length-beyond": plain[:20] + b"\xff\xe1\xff\xff" + plain[20:100],
        "width-0": plain[: frame + 7] + b"\0\0" + plain[frame + 9 :],
        "height-0": plain[: frame + 5] + b"\0\0" + plain[frame + 7 :],
        "no-components": plain[: frame + 9] + b"\0" + plain[frame + 10 :],
        "second-soi": plain[:20] + b"\xff\xd8" + plain[20:],
        "second-soi-before-a-length": plain[:20] + b"\xff\xd8\0\4ab" + plain[20:],
        "second-soi-in-scan": plain[:-2] + b"\xff\xd8" + plain[-2:],
        "second-frame": plain[:scan] + plain[frame : frame + 13] + plain[scan:],
        "component-twice": plain[:-2] + plain[scan:],
        "unknown-component": plain[: scan + 5] + b"\x77" + plain[scan + 6 :],
        "table-length": plain[:tables] + segment(0xDB, b"\0" + bytes(63)) + plain[tables:],
        "huffman-length": plain[:tables] + segment(0xC4, b"\0" + bytes(15)) + plain[tables:],
        "dri-length": plain[:tables] + segment(0xDD, b"\0\1\2") + plain[tables:],
        "restart-without-interval": plain[: scan + 14] + b"\xff\xd0" + plain[scan + 14 :],
        "words-behind-the-coded-data": plain[:-2] + b"Erika Mustermann KV-A123456789" + plain[-2:],
        "restart-missing": ticked.replace(b"\xff\xd2", b"", 1),
        "restart-out-of-order": ticked.replace(b"\xff\xd2", b"\xff\xd3", 1),
        "restart-between-scans": plain[:-2] + _NOTE + b"\xff\xd0" + plain[-2:],
        "adobe-contradicts": plain[:20]
        + segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")
        + segment(0xEE, b"Adobe\0\x64\0\0\0\0\2")
        + plain[20:],
        "too-many-segments": plain[:20] + segment(0xFE, b"") * 20_001 + plain[20:],
    }


BROKEN = broken()


@pytest.mark.parametrize("defect", BROKEN)
def test_what_two_decoders_could_read_differently_is_malformed(defect: str) -> None:
    """Fail closed: truncated, lying, contradictory files are refused, and the exit check says so too."""
    data = BROKEN[defect]
    with pytest.raises(Malformed):
        JPEG.scrub(data)
    with pytest.raises(Malformed):
        JPEG.inspect(data)
    assert [finding.fate for finding in JPEG.residue(data)] == [Fate.STUCK]


def test_pixel_bombs_and_foreign_codecs_have_their_own_reason() -> None:
    """More than 200 megapixels is a limit; JPEG-LS and reserved frames are not supported."""
    plain = bytearray(encoded("L"))
    at = place(bytes(plain), 0xC0)
    bomb = plain[: at + 5] + b"\xff\xff\xff\xff" + plain[at + 9 :]
    with pytest.raises(TooBig):
        JPEG.scrub(bytes(bomb))
    for marker in (0xF7, 0xC8):
        foreign = bytes(plain[: at + 1]) + bytes((marker,)) + bytes(plain[at + 2 :])
        with pytest.raises(Unsupported):
            JPEG.scrub(foreign)


def test_fill_bytes_belong_to_the_marker_behind_them() -> None:
    """0xFF fill bytes (T.81 B.1.1.2) before a kept marker stay, before a removed one go with it; FF FF 00 in a scan is data."""
    plain = encoded("L")
    scan = place(plain, 0xDA)
    filled = plain[:scan] + b"\xff\xff\xff" + plain[scan:-2] + b"\xff\xff" + plain[-2:]
    assert JPEG.scrub(filled).data is filled
    assert JPEG.scrub(filled[:20] + b"\xff\xff" + _NOTE + filled[20:]).data == filled
    stuffed = plain[: scan + 20] + b"\xff\xff\x00" + plain[scan + 20 :]
    assert JPEG.scrub(stuffed).data is stuffed
