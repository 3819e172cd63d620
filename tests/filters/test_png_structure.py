"""PNG and APNG by construction: every kind of picture unharmed, every container emptied, whatever is ambiguous refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from filters.api import Fate, Malformed, TooBig, Unsupported
from filters.metadata import exif
from filters.png.scrubber import PNG
from tests.support.canary_images import (
    camera_exif,
    chunk,
    logo_png,
    named_icc,
    photo,
    photo_png,
    png_chunks,
    png_file,
    png_with_canaries,
)
from tests.support.images_judged import decode

pytestmark = pytest.mark.unit
CANARY = "CANARY-7f3a9c"
Chunks = list[tuple[bytes, bytes]]


def encoded(mode: str = "RGB", size: tuple[int, int] = (48, 32), **save: object) -> bytes:
    out = io.BytesIO()
    photo(3, size).convert(mode).save(out, "PNG", **save)
    return out.getvalue()


def built(
    width: int, height: int, bits: int, colour: int, raw: bytes, *, interlace: int = 0, extra: Chunks | None = None
) -> bytes:
    """A PNG around these raw rows."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)
    return png_file([(b"IHDR", head), *(extra or []), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")])


def adam7(width: int, height: int, tail: bytes = b"") -> bytes:
    """An interlaced 8-bit grey picture with all seven passes."""
    raw = b""
    for column, row, right, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        across, lines = -(-(width - column) // right), -(-(height - row) // down)
        if across > 0 and lines > 0:
            raw += (b"\0" + bytes(range(across))) * lines
    return built(width, height, 8, 0, raw + tail, interlace=1)


def animated(count: int = 3, **save: object) -> bytes:
    frames = [photo(seed, (40, 30)) for seed in range(count)]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:], duration=80, **save)
    return out.getvalue()


def with_chunks(data: bytes, *new: tuple[bytes, bytes], before: bytes = b"IDAT") -> bytes:
    """The file with ``new`` before its first chunk called ``before``."""
    parts = png_chunks(data)
    at = next(i for i, (name, _) in enumerate(parts) if name == before)
    return png_file([*parts[:at], *new, *parts[at:]])


def changed(data: bytes, name: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The file with the body of the first chunk ``name`` changed (and a fitting CRC)."""
    parts = png_chunks(data)
    at = next(i for i, part in enumerate(parts) if part[0] == name)
    parts[at] = (name, change(parts[at][1]))
    return png_file(parts)


def codes(data: bytes) -> set[str]:
    return {finding.code for finding in PNG.scrub(data).findings if finding.fate is Fate.REMOVED}


# ---------------------------------------------------------- kinds of pictures

KINDS: dict[str, Callable[[], bytes]] = {
    "rgb": encoded,
    "rgba": lambda: encoded("RGBA"),
    "grey": lambda: encoded("L"),
    "grey-alpha": lambda: encoded("LA"),
    "bilevel": lambda: encoded("1"),
    "palette": lambda: encoded("P"),
    "palette-4bit": logo_png,
    "palette-transparent": lambda: encoded("P", transparency=3),
    "sixteen-bit": lambda: built(4, 2, 16, 0, (b"\0" + bytes(range(8))) * 2),
    "sixteen-bit-rgba": lambda: built(4, 2, 16, 6, (b"\1" + bytes(range(32))) * 2),
    "interlaced": lambda: adam7(19, 13),
    "interlaced-1x1": lambda: adam7(1, 1),
    "animated": animated,
    "animated-default": lambda: animated(default_image=True),
    "empty-idat": lambda: with_chunks(encoded(), (b"IDAT", b"")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_keeps_its_compressed_bytes(kind: str) -> None:
    """The rows are copied: with metadata added around them the output is the plain file again, byte for byte."""
    plain = KINDS[kind]()
    assert PNG.scrub(plain).data is plain
    noted = with_chunks(plain, (b"tEXt", b"Author\0Dr X"), (b"prVt", b"x"))
    noted = with_chunks(noted, (b"tIME", b"\x07\xea\x01\x01\x01\x01\x01"), before=b"IEND") + b"tail"
    assert PNG.scrub(noted).data == plain
    assert decode(plain) == decode(noted)


def test_frames_and_depth_are_told() -> None:
    """inspect tells frames of an animation, bits a sample and palette colours."""
    assert PNG.inspect(animated(4)).frames == 4
    assert PNG.inspect(encoded()).frames == 1
    assert PNG.inspect(KINDS["sixteen-bit"]()).bits == 16
    assert PNG.inspect(logo_png()).colours == 4
    assert PNG.inspect(encoded()).colours == 0


def test_display_chunks_stay() -> None:
    """Gamma, chromaticities, sRGB, cICP, HDR, density, background and the like are needed to show the picture."""
    keep = [
        (b"cHRM", bytes(32)), (b"gAMA", b"\0\0\xb1\x8f"), (b"sBIT", b"\x08"), (b"sRGB", b"\0"), (b"cICP", b"\x09\x10\x00\x01"),
        (b"mDCV", bytes(24)), (b"cLLI", bytes(8)), (b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
        (b"bKGD", b"\0"), (b"hIST", bytes(8)), (b"oFFs", bytes(9)),
    ]  # fmt: skip
    data = with_chunks(logo_png(), *keep)
    assert PNG.scrub(data).data is data


# ------------------------------------------------------------------ containers


def test_the_canary_is_gone_from_every_container() -> None:
    """Every container of the format, canary in each: none is left, not even inside compressed data, pixels stay."""
    data = png_with_canaries(CANARY)
    cleaned = PNG.scrub(data).data
    assert decode(cleaned) == decode(data) is not None
    inflated = b"".join(zlib.decompress(body[body.index(b"\0") + 2 :]) for name, body in png_chunks(cleaned) if name == b"iCCP")
    inflated += zlib.decompress(b"".join(body for name, body in png_chunks(cleaned) if name == b"IDAT"))
    for word in (CANARY.encode(), CANARY.encode("utf-16-be"), CANARY.encode("utf-16-le")):
        assert word not in cleaned
        assert word not in inflated


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        (b"tEXt", b"Comment\0x", "png.text"),
        (b"zTXt", b"Comment\0\0" + zlib.compress(b"x"), "png.text"),
        (b"iTXt", b"Title\0\0\0\0\0x", "png.text"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>", "png.xmp"),
        (b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n 1\n00"), "png.raw-profile"),
        (b"eXIf", camera_exif("x")[6:], "exif.gps"),
        (b"tIME", bytes(7), "png.time"),
        (b"sPLT", b"name\0\x08" + bytes(6), "png.suggested-palette"),
        (b"pCAL", b"name\0" + bytes(10), "png.calibration"),
        (b"sCAL", b"\x011\x002", "png.calibration"),
        (b"caBX", b"jumb", "png.jumbf"),
        (b"prVt", b"x", "png.private-chunk"),
        (b"zxIf", b"x", "png.private-chunk"),
        (b"oFFs", b"words 123", "png.damaged-chunk"),
        (b"gAMA", b"a name here", "png.damaged-chunk"),
        (b"pHYs", b"longer than it is", "png.damaged-chunk"),
        (b"acTL", b"late", "png.hidden-frame"),
        (b"fdAT", b"\0\0\0\0hidden frame", "png.hidden-frame"),
        (b"iCCP", b"icc\0\0not a stream", "icc.damaged"),
        (b"iCCP", b"icc\0\0" + zlib.compress(b"not a profile"), "icc.damaged"),
    ],
)
def test_each_chunk_goes_under_its_own_code(name: bytes, body: bytes, code: str) -> None:
    """Behind the rows or before them, it goes; the rest is untouched."""
    plain = encoded()
    for before in (b"IDAT", b"IEND"):
        if name == b"acTL" and before == b"IDAT":
            continue  # an animation that contradicts itself: see BROKEN
        data = with_chunks(plain, (name, body), before=before)
        assert code in codes(data)
        assert PNG.scrub(data).data == plain


def test_repeated_and_misplaced_display_chunks_go() -> None:
    """Only the first, and only before the rows: elsewhere they are a hiding place."""
    plain = with_chunks(encoded(), (b"gAMA", b"\0\0\xb1\x8f"))
    twice = with_chunks(plain, (b"gAMA", b"NAME"))
    late = with_chunks(plain, (b"pHYs", b"SURNAME-1"), before=b"IEND")
    assert PNG.scrub(twice).data == PNG.scrub(late).data == plain
    profile = (b"iCCP", b"icc\0\0" + zlib.compress(named_icc("x")))
    assert PNG.scrub(with_chunks(encoded(), profile, before=b"IEND")).data == encoded()
    damaged = with_chunks(encoded(), (b"gAMA", b"\0\0\xb1\x8f"))
    at = damaged.index(b"gAMA")
    assert codes(damaged[: at + 8] + b"\0\0\0\0" + damaged[at + 12 :]) == {"png.damaged-chunk"}


# -------------------------------------------------------------- behind the rows


@pytest.mark.parametrize("interlace", [False, True])
def test_rows_beyond_the_picture_go(interlace: bool) -> None:
    """More raw data than IHDR asks for: deflated anew with exactly the picture's rows."""
    plain = adam7(19, 13) if interlace else built(8, 4, 8, 0, (b"\0" + bytes(8)) * 4)
    hidden = adam7(19, 13, b"\0a name in hidden rows") if interlace else built(8, 4, 8, 0, (b"\0" + bytes(8)) * 4 + b"\0a name")
    assert codes(hidden) == {"png.rows-beyond"}
    cleaned = PNG.scrub(hidden).data
    assert zlib.decompress(png_chunks(cleaned)[1][1]) == zlib.decompress(png_chunks(plain)[1][1])
    assert decode(cleaned) == decode(plain)


def test_bytes_behind_the_stream_go_without_recompression() -> None:
    """The stream's own bytes are copied; its tail, over several chunks, is cut."""
    plain = encoded()
    stream = b"".join(body for name, body in png_chunks(plain) if name == b"IDAT")
    data = png_file([png_chunks(plain)[0], (b"IDAT", stream + b"tail"), (b"IDAT", b"a name"), (b"IEND", b"")])
    assert codes(data) == {"png.stream-tail"}
    assert b"".join(body for name, body in png_chunks(PNG.scrub(data).data) if name == b"IDAT") == stream


def test_hidden_data_in_animation_frames_goes_and_the_sequence_stays() -> None:
    """Each frame's stream is checked; frames keep their numbers, so every viewer still plays them."""
    plain = animated(4)

    def grown(body: bytes) -> bytes:
        return body[:4] + zlib.compress(zlib.decompress(body[4:]) + b"\0hidden rows")

    for change in (grown, lambda body: body + b"hidden tail"):
        data = changed(plain, b"fdAT", change)
        assert codes(data) & {"png.rows-beyond", "png.stream-tail"}
        cleaned = PNG.scrub(data).data
        assert decode(cleaned) == decode(plain)
        assert b"hidden" not in cleaned
    split = png_chunks(plain)
    at = next(i for i, part in enumerate(split) if part[0] == b"fdAT")
    assert PNG.scrub(png_file(split)).data == plain
    assert at


def test_palette_entries_that_no_pixel_can_name_go() -> None:
    """A 1-bit palette has two colours; the rest could be words."""
    rows = (b"\0" + b"\xaa") * 8
    plain = built(8, 8, 1, 3, rows, extra=[(b"PLTE", b"\0\0\0\xff\xff\xff")])
    data = built(8, 8, 1, 3, rows, extra=[(b"PLTE", b"\0\0\0\xff\xff\xff" + b"Dr Example")[:2]])
    data = built(8, 8, 1, 3, rows, extra=[(b"PLTE", b"\0\0\0\xff\xff\xff" + b"Dr Exampl")])
    assert codes(data) == {"png.palette-tail"}
    assert PNG.scrub(data).data == plain


def test_everything_behind_iend_goes() -> None:
    """Also the rest of a larger picture that an editor left behind (aCropalypse), and words inside IEND."""
    plain = encoded()
    assert PNG.scrub(plain + encoded(size=(64, 64))[8:]).data == plain
    assert codes(plain + b"PK\x03\x04") == {"png.trailer"}
    assert PNG.scrub(changed(plain, b"IEND", lambda _: b"words")).data == plain


# ----------------------------------------------------------- profile and turning


def test_a_named_profile_loses_its_name_and_keeps_its_colours() -> None:
    """Chunk name, description, copyright and private tags go."""
    data = with_chunks(encoded(), (b"iCCP", b"Monitor of Dr X\0\0" + zlib.compress(named_icc("Monitor of Dr X"))))
    cleaned = PNG.scrub(data).data
    assert {"png.profile-name", "icc.text"} <= codes(data)
    kept = dict(png_chunks(cleaned))[b"iCCP"]
    assert kept.startswith(b"ICC\0\0")
    assert b"Dr X" not in zlib.decompress(kept[5:])
    assert PNG.scrub(cleaned).data is cleaned


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_is_all_that_is_left_of_exif(turn: int) -> None:
    """eXIf says nothing but the orientation, and nothing at all when that is 1."""
    data = with_chunks(encoded(), (b"eXIf", camera_exif("x", orientation=turn)[6:]))
    cleaned = PNG.scrub(data).data
    assert PNG.inspect(data).orientation == PNG.inspect(cleaned).orientation == turn
    left = dict(png_chunks(cleaned)).get(b"eXIf")
    assert left == (None if turn == 1 else exif.orientation_only(turn)[6:])
    assert PNG.scrub(cleaned).data is cleaned


def test_orientation_in_a_raw_profile_is_kept_as_exif() -> None:
    """ImageMagick's way of storing EXIF in PNG: what Pillow turned before, it turns after."""
    block = camera_exif("x", orientation=6)
    text = b"\nexif\n%8d\n" % len(block) + block.hex().encode()
    for name, body in ((b"zTXt", b"\0" + zlib.compress(text)), (b"tEXt", text)):
        data = with_chunks(encoded(), (name, b"Raw profile type exif\0" + body))
        assert decode(PNG.scrub(data).data) == decode(data)
        assert PNG.inspect(data).orientation == 6
        assert "exif.gps" in PNG.inspect(data).codes


def test_a_display_only_exif_block_stays_as_it_is() -> None:
    """Resolution and colour space identify nobody: the block is not rewritten."""
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">H", 2) + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    tiff += struct.pack(">HHIHH", 0x0128, 3, 1, 2, 0) + bytes(4)
    data = with_chunks(encoded(), (b"eXIf", tiff))
    assert PNG.scrub(data).data is data
    hidden = with_chunks(encoded(), (b"eXIf", tiff + b"a name"))
    assert PNG.scrub(hidden).data != hidden


def test_inspect_tells_camera_and_position() -> None:
    """Facts of a photograph saved as PNG."""
    info = PNG.inspect(photo_png())
    assert (info.width, info.height, info.make) == (320, 240, "Medcam")
    assert {"exif.gps", "exif.serial", "exif.thumbnail"} <= info.codes


# ---------------------------------------------------------------------- refused


def broken() -> dict[str, bytes]:
    """name of the defect -> file."""
    plain, moving = encoded(), animated()
    parts = png_chunks(plain)
    rows = (b"\0" + bytes(8)) * 4
    grey = built(8, 4, 8, 0, rows)
    control = next(body for name, body in png_chunks(moving) if name == b"fcTL")
    return {
        "signature-only": plain[:8],
        "no-iend": plain[:-12],
        "half": plain[: len(plain) // 2],
        "crc-of-ihdr": plain[:30] + b"\0" + plain[31:],
        "crc-of-idat": plain[:100] + bytes((plain[100] ^ 1,)) + plain[101:],
        "length-beyond": plain[:33] + b"\x7f\xff\xff\xff" + plain[37:],
        "name-not-letters": with_chunks(plain, (b"te\0t", b"")),
        "ihdr-missing": png_file(parts[1:]),
        "ihdr-second": png_file([parts[0], *parts]),
        "ihdr-short": changed(plain, b"IHDR", lambda body: body[:-1]),
        "width-0": changed(plain, b"IHDR", lambda body: b"\0\0\0\0" + body[4:]),
        "height-0": changed(plain, b"IHDR", lambda body: body[:4] + b"\0\0\0\0" + body[8:]),
        "depth-3": changed(plain, b"IHDR", lambda body: body[:8] + b"\3" + body[9:]),
        "interlace-2": changed(plain, b"IHDR", lambda body: body[:12] + b"\2"),
        "idat-missing": png_file([parts[0], (b"IEND", b"")]),
        "idat-apart": png_file(
            [parts[0], (b"IDAT", parts[1][1][:50]), (b"tEXt", b"a\0b"), (b"IDAT", parts[1][1][50:]), parts[-1]]
        ),
        "palette-missing": built(8, 4, 8, 3, rows),
        "palette-twice": with_chunks(encoded("P"), (b"PLTE", b"abc")),
        "palette-length": built(8, 4, 8, 3, rows, extra=[(b"PLTE", b"abcd")]),
        "trns-length": built(8, 4, 8, 0, rows, extra=[(b"tRNS", b"a")]),
        "trns-late": with_chunks(grey, (b"tRNS", b"\0\1"), before=b"IEND"),
        "rows-missing": built(8, 4, 8, 0, rows[:-3]),
        "filter-5": built(8, 4, 8, 0, rows[:9] + b"\5" + rows[10:]),
        "filter-in-pass": built(8, 1, 8, 0, b"\7" + bytes(8)),
        "stream-damaged": changed(grey, b"IDAT", lambda body: body[:4] + b"\xff\xff" + body[6:]),
        "stream-cut": changed(grey, b"IDAT", lambda body: body[:-6]),
        "stream-without-checksum": changed(grey, b"IDAT", lambda body: body[:-4]),
        "checksum-wrong": changed(grey, b"IDAT", lambda body: body[:-1] + bytes((body[-1] ^ 1,))),
        "frames-too-few": changed(moving, b"acTL", lambda body: struct.pack(">II", 9, 0)),
        "frames-zero": changed(moving, b"acTL", lambda body: bytes(8)),
        "frame-outside": changed(moving, b"fcTL", lambda body: body[:4] + struct.pack(">I", 4000) + body[8:]),
        "frame-sequence": changed(moving, b"fdAT", lambda body: b"\0\0\0\x63" + body[4:]),
        "frame-without-data": with_chunks(moving, (b"fcTL", struct.pack(">I", 5) + control[4:]), before=b"IEND"),
        "animation-twice": with_chunks(moving, (b"acTL", struct.pack(">II", 3, 0))),
    }


BROKEN = broken()


@pytest.mark.parametrize("defect", BROKEN)
def test_what_two_decoders_could_read_differently_is_malformed(defect: str) -> None:
    """Fail closed: truncated, lying, contradictory files are refused, and the exit check says so too."""
    with pytest.raises(Malformed):
        PNG.scrub(BROKEN[defect])
    assert [finding.fate for finding in PNG.residue(BROKEN[defect])] == [Fate.STUCK]


def test_bombs_are_a_limit() -> None:
    """A stream far longer than the picture, and a picture far larger than any camera makes."""
    with pytest.raises(TooBig):
        PNG.scrub(built(1, 1, 8, 0, bytes(40 << 20)))
    with pytest.raises(TooBig):
        PNG.scrub(built(20_000, 20_000, 8, 0, b""))
    with pytest.raises(TooBig):
        PNG.scrub(built(13_000, 13_000, 16, 6, b""))


def test_foreign_critical_chunks_are_unsupported() -> None:
    """Apple's CgBI and any critical chunk we do not know: other programs show something we cannot check."""
    parts = png_chunks(encoded())
    for name in (b"CgBI", b"JDAT", b"ZZZZ"):
        with pytest.raises(Unsupported):
            PNG.scrub(png_file([(name, b"\0\0\0\0"), *parts]))
        assert chunk(name, b"")


# --------------------------------------------------------------- page evidence


@pytest.mark.parametrize(("size", "mode", "page"), [
    ((1654, 2339), "1", True), ((2339, 1654), "1", True), ((850, 1100), "1", True), ((583, 827), "1", True),
    ((1654, 1654), "1", False), ((1654, 2339), "L", False), ((200, 283), "1", False),
])  # fmt: skip
def test_bilevel_pages_are_told(size: tuple[int, int], mode: str, page: bool) -> None:
    """Kind K9: one bit a pixel, the shape of a sheet, at least 100 dpi."""
    out = io.BytesIO()
    Image.new(mode, size, 1).save(out, "PNG")
    assert ("image.bilevel-page" in PNG.inspect(out.getvalue()).codes) == page


def test_orientation_in_a_raw_profile_without_prefix_is_kept() -> None:
    """Some writers leave "Exif" out of the raw profile; viewers turn the picture all the same (libjxl's reference files do)."""
    tiff = exif.orientation_only(5)[len(exif.PREFIX) :]
    text = b"\nexif\n%8d\n" % len(tiff) + tiff.hex().encode() + b"\n"
    data = with_chunks(encoded(), (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text)))
    cleaned = PNG.scrub(data).data
    assert decode(data) == decode(cleaned)
    assert PNG.inspect(cleaned).orientation == 5


def test_stereo_pairs_lose_their_label() -> None:
    """sTER says how a pair of pictures is meant; no viewer shows it, and nothing but the picture leaves."""
    assert PNG.scrub(with_chunks(encoded(), (b"sTER", b"\0"))).data == encoded()
