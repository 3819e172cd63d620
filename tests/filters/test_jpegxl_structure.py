"""JPEG XL by construction: boxes, the header of the codestream, and djxl as the second opinion."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from filters.api import Fate, Malformed, TooBig, Unsupported
from filters.jpegxl.scrubber import JXL
from tests.support.needs import needs
from tests.support.samples.raster import PICTURES, box, jxl

NAKED = PICTURES["jxl-naked"](str)


def words(what: str) -> str:
    return f"CANARY {what}"


class Bits:
    """Writes a header, the least significant bit first."""

    def __init__(self) -> None:
        self.word = self.at = 0

    def put(self, *fields: tuple[int, int]) -> Bits:
        for value, bits in fields:
            self.word |= value << self.at
            self.at += bits
        return self

    def stream(self) -> bytes:
        return b"\xff\x0a" + self.word.to_bytes(-(-self.at // 8), "little") + bytes(16)


def header(*fields: tuple[int, int]) -> bytes:
    """A picture of 16 by 8 pixels with this metadata."""
    return Bits().put((1, 1), (0, 5), (7, 3), (0, 1), *fields).stream()


PLAIN_DEPTH = ((0, 1), (0, 2), (0, 1))  # integers, 8 bits; 16-bit buffers suffice


@pytest.mark.unit
def test_a_naked_codestream_passes() -> None:
    """Its header is numbers only."""
    assert JXL.scrub(NAKED).data is NAKED
    info = JXL.inspect(NAKED)
    assert (info.width, info.height, info.bits, info.orientation) == (24, 16, 8, 1)


@pytest.mark.unit
@pytest.mark.parametrize("partial", [False, True])
def test_only_the_codestream_and_its_type_stay(partial: bool) -> None:
    """All other boxes go, the data to rebuild a JPEG too; the codestream is copied byte for byte."""
    cleaned = JXL.scrub(jxl(words, partial)).data
    assert b"CANARY" not in cleaned
    assert (NAKED if not partial else NAKED[40:]) in cleaned
    assert "jxl.jpeg-data" in {finding.code for finding in JXL.scrub(jxl(words)).findings if finding.fate is Fate.REMOVED}


@pytest.mark.unit
def test_orientation_is_read_from_the_codestream() -> None:
    """Where viewers read it; EXIF in a box turns nothing."""
    turned = header((1, 1), (5, 3), (0, 1), (0, 1), (0, 1), *PLAIN_DEPTH, (0, 2), (1, 1), (1, 1))
    assert JXL.inspect(turned).orientation == 6
    assert JXL.inspect(turned).width == 16


@pytest.mark.unit
@pytest.mark.parametrize(
    "fields",
    [
        ((0, 1), *PLAIN_DEPTH, (0, 2), (1, 1), (0, 1), (1, 1)),
        ((1, 1), (0, 3), (0, 1), (1, 1)),
        ((0, 1), *PLAIN_DEPTH, (1, 2), (0, 1), (0, 2), (0, 1), (0, 2), (0, 2), (1, 2), (4, 4)),
    ],
    ids=["profile", "preview", "named channel"],
)
def test_what_cannot_be_taken_out_of_the_codestream_is_refused(fields: tuple[tuple[int, int], ...]) -> None:
    """A colour profile, a second picture, a name: held with their reason."""
    with pytest.raises(Unsupported):
        JXL.scrub(header(*fields))


@pytest.mark.unit
def test_custom_colours_are_numbers_only() -> None:
    """Chromaticities, gamma and the like are read through to the end."""
    points = ((2, 2), (0, 4), *((1, 2), (5, 19)) * 2, (2, 2), (0, 4), *((0, 2), (5, 19)) * 6)
    colours = ((0, 1), (0, 1), (0, 2), *points, (1, 1), (45455, 24), (0, 2))
    data = header((0, 1), *PLAIN_DEPTH, (1, 2), (1, 1), (1, 1), *colours)
    assert JXL.scrub(data).data is data


@pytest.mark.unit
@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"jxlc", NAKED),
        jxl(words).replace(box(b"jxlc", NAKED), 2 * box(b"jxlc", NAKED)),
        jxl(words, True).replace(b"\x80\0\0\1", b"\x80\0\0\2"),
        NAKED[:4],
        NAKED + b"the patient is Mary Example of Leeds",
    ],
    ids=["no file type", "two codestreams", "part missing", "truncated header", "words behind"],
)
def test_what_decoders_read_differently_is_malformed(data: bytes) -> None:
    """Never guess which picture the recipient will see."""
    with pytest.raises(Malformed):
        JXL.scrub(data)


@pytest.mark.unit
def test_huge_sizes_are_too_big() -> None:
    """A header of 2^30 by 2^30 pixels."""
    with pytest.raises(TooBig):
        JXL.scrub(Bits().put((0, 1), (3, 2), ((1 << 30) - 1, 30), (1, 3)).stream())


@pytest.mark.e2e
@pytest.mark.parametrize("partial", [False, True])
def test_djxl_decodes_the_same_samples(tmp_path: Path, partial: bool) -> None:
    """Second opinion: libjxl shows the picture of the naked codestream."""
    needs("djxl")
    out = []
    for name, data in (("naked", NAKED), ("cleaned", JXL.scrub(jxl(words, partial)).data)):
        (tmp_path / f"{name}.jxl").write_bytes(data)
        subprocess.run(["djxl", str(tmp_path / f"{name}.jxl"), str(tmp_path / f"{name}.ppm")], check=True, capture_output=True)
        out.append((tmp_path / f"{name}.ppm").read_bytes())
    assert out[0] == out[1]
