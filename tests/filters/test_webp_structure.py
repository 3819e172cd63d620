"""WebP by construction: flags, lengths, frames."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from filters.api import Fate, Malformed
from filters.metadata import exif
from filters.webp.scrubber import WEBP
from tests.support.canary_images import XMP_PACKET, camera_exif, named_icc, photo
from tests.support.images_judged import decode, profile
from tests.support.needs import needs
from tests.support.samples.raster import SIZE, riff_chunk, riff_chunks, saved, vp8x, webp, webp_animated, webp_file

TIFF6 = camera_exif(orientation=6)[6:]


def picture(**options: object) -> tuple[bytes, bytes]:
    return riff_chunks(saved("WEBP", **options))[-1]


def names(data: bytes) -> list[bytes]:
    return [name for name, _ in riff_chunks(data)]


def codes(data: bytes) -> set[str]:
    return {finding.code for finding in WEBP.scrub(data).findings if finding.fate is Fate.REMOVED}


@pytest.mark.unit
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_orientation_stays_in_a_block_that_says_nothing_else(prefix: bytes) -> None:
    """With and without JPEG's prefix; the flag stays because viewers look at it."""
    data = webp_file([(b"VP8X", vp8x(0x08)), picture(), (b"EXIF", prefix + TIFF6)])
    cleaned = WEBP.scrub(data).data
    chunks = dict(riff_chunks(cleaned))
    assert chunks[b"EXIF"] == exif.orientation_only(6)[6:]
    assert chunks[b"VP8X"][0] == 0x08
    assert decode(cleaned) == decode(data)
    assert WEBP.inspect(cleaned).orientation == 6


@pytest.mark.unit
def test_orientation_told_by_xmp_moves_into_exif() -> None:
    """Programs turn by tiff:Orientation when EXIF is silent; the packet itself goes."""
    packet = XMP_PACKET.format("x").replace("<dc:title>", "<tiff:Orientation>8</tiff:Orientation><dc:title>").encode()
    data = webp_file([(b"VP8X", vp8x(0x04)), picture(), (b"XMP ", packet)])
    cleaned = WEBP.scrub(data).data
    assert names(cleaned) == [b"VP8X", picture()[0], b"EXIF"]
    assert decode(cleaned) == decode(data)


@pytest.mark.unit
def test_flags_tell_what_is_left() -> None:
    """EXIF, XMP and a damaged profile gone: their bits too, and the reserved ones."""
    data = webp_file([(b"VP8X", vp8x(0xFF & ~0x12, reserved=b"abc")), (b"ICCP", b"broken"), picture(), (b"XMP ", b"<x/>")])
    cleaned = WEBP.scrub(data).data
    assert dict(riff_chunks(cleaned))[b"VP8X"][:4] == bytes(4)
    assert codes(data) == {"webp.flags", "webp.xmp", "icc.damaged"}


@pytest.mark.unit
def test_the_profile_stays_without_words() -> None:
    """Colours are those of the original, names are gone."""
    data = webp_file([(b"VP8X", vp8x(0x20)), (b"ICCP", named_icc("Dr Example")), picture()])
    cleaned = WEBP.scrub(data).data
    assert profile(cleaned)
    assert b"Example" not in cleaned and "Example".encode("utf-16-be") not in cleaned


@pytest.mark.unit
def test_lengths_that_lie_are_put_right() -> None:
    """A header longer than the file, or one that forgets the end of it, makes no difference to the picture."""
    data = webp_file([picture()])
    longer = data[:4] + (len(data) + 92).to_bytes(4, "little") + data[8:]
    assert WEBP.scrub(longer).data == data
    assert codes(longer) == {"webp.length"}
    assert WEBP.scrub(data + b"PK\x03\x04 hidden").data == data


@pytest.mark.unit
def test_a_cut_picture_is_refused_and_cut_metadata_goes() -> None:
    """Only what is shown must be whole."""
    data = webp_file([(b"VP8X", vp8x(0x08)), picture(), (b"EXIF", TIFF6)])
    assert b"EXIF" not in WEBP.scrub(data[:-40]).data
    with pytest.raises(Malformed):
        WEBP.scrub(webp_file([picture()])[:-40])


@pytest.mark.unit
@pytest.mark.parametrize(
    "chunks",
    [
        [(b"JUNK", b"x"), picture()],
        [(b"VP8X", vp8x(0)), (b"EXIF", TIFF6)],
        [(b"VP8X", vp8x(2)), picture()],
        [(b"VP8X", vp8x(0, (99, 99))), picture()],
        [(b"VP8X", vp8x(2)), (b"ANIM", bytes(6)), picture()],
        [(b"VP8X", vp8x(2)), (b"ANMF", bytes(16) + riff_chunk(*picture()))],
        [(b"VP8X", vp8x(0x10)), (b"ALPH", b"\0"), (b"ALPH", b"\0"), picture()],
        [(picture()[0], picture()[1] + b" the patient is Mary Example of Leeds")],
    ],
    ids=["junk first", "no picture", "flag lies", "canvas lies", "still with ANIM", "no ANIM", "two alphas", "words behind"],
)
def test_what_decoders_read_differently_is_malformed(chunks: list[tuple[bytes, bytes]]) -> None:
    """Never guess which of two pictures the recipient will see."""
    with pytest.raises(Malformed):
        WEBP.scrub(webp_file(chunks))


@pytest.mark.unit
@pytest.mark.parametrize("name", [b"ANMF", b"VP8 ", b"VP8L", b"ANIM"])
def test_a_frame_inside_a_frame_is_malformed(name: bytes) -> None:
    """Symptom: a frame that libwebp shows was dropped as unknown.  Cause: behind a frame's picture libwebp goes on reading as if
    outside the frame.  Found by fuzzing."""
    data = webp_animated(lambda what: "x" * 8)
    assert data.count(b"unkn") == 3
    with pytest.raises(Malformed):
        WEBP.scrub(data.replace(b"unkn", name))


@pytest.mark.unit
def test_a_second_picture_is_dropped_and_told() -> None:
    """Decoders show the first."""
    second = riff_chunks(saved("WEBP", photo(6, SIZE), lossless=True))[0]
    data = webp_file([picture(), second])
    assert WEBP.scrub(data).data == webp_file([picture()])
    assert codes(data) == {"webp.hidden-picture"}


@pytest.mark.unit
def test_facts_are_told() -> None:
    """Size, frames, camera and what stands in the file."""
    info = WEBP.inspect(webp_animated(lambda what: "x" * 8))
    assert (info.width, info.height, info.frames) == (*SIZE, 3)
    assert info.make == "Medcam"
    assert "exif.gps" in info.codes


@pytest.mark.e2e
def test_webpinfo_finds_no_fault(tmp_path: Path) -> None:
    """libwebp's own checker reads the cleaned files without a complaint."""
    needs("webpinfo")
    for index, build in enumerate((webp, webp_animated)):
        target = tmp_path / f"{index}.webp"
        target.write_bytes(WEBP.scrub(build(lambda what: f"CANARY {what}")).data)
        done = subprocess.run(["webpinfo", str(target)], capture_output=True, text=True)
        assert done.returncode == 0 and "No error detected." in done.stdout, done.stdout + done.stderr
