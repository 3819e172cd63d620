"""What stands behind a JPEG is dropped, and each kind is told by its own name."""

from __future__ import annotations

import struct

import pytest

from filters.jpeg.scrubber import JPEG
from filters.sniff import sniff
from tests.support.canary_images import photo_jpeg, segment
from tests.support.images_judged import corpus, decode

pytestmark = pytest.mark.unit

PLAIN = JPEG.scrub(photo_jpeg(1, (48, 32))).data
SECOND = photo_jpeg(2, (24, 16), gps=False)
MPF = segment(0xE2, b"MPF\0MM\0*\0\0\0\x08" + bytes(6))
HDR = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' hdrgm:Version='1.0'/>")
APPLE = SECOND[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0urn:com:apple:photo:2020:aux:hdrgainmap") + SECOND[2:]
MOVIE = struct.pack(">I", 24) + b"ftypmp42" + bytes(12)


def with_segments(*segments: bytes) -> bytes:
    return PLAIN[:2] + b"".join(segments) + PLAIN[2:]


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (with_segments(MPF) + SECOND, {"jpeg.mpf", "jpeg.second-picture", "jpeg.trailer", "jpeg.trailer-image"}),
        (with_segments(HDR, MPF) + SECOND, {"jpeg.xmp", "jpeg.mpf", "jpeg.gain-map", "jpeg.trailer", "jpeg.trailer-image"}),
        (with_segments(MPF) + APPLE, {"jpeg.mpf", "jpeg.gain-map", "jpeg.trailer", "jpeg.trailer-image"}),
        (PLAIN + SECOND, {"jpeg.trailer", "jpeg.trailer-image"}),
        (PLAIN + MOVIE, {"jpeg.trailer", "jpeg.trailer-video"}),
        (PLAIN + b"SEFH\0\0SEFT", {"jpeg.trailer", "jpeg.trailer-samsung"}),
    ],
    ids=["multi-picture", "ultra hdr", "apple gain map", "appended", "motion photo", "samsung"],
)
def test_each_kind_of_trailer_is_said(data: bytes, codes: set[str]) -> None:
    """Gone, the first picture untouched, and the report says what it was."""
    result = JPEG.scrub(data)
    assert result.data == PLAIN
    assert {finding.code for finding in result.findings} == codes


def test_multi_picture_files_are_jpegs() -> None:
    """Whatever their name ends in: the corpus holds stereo pairs, gain maps and motion photos."""
    for path in corpus(b"\xff\xd8\xff"):
        if path.suffix == ".mpo":
            data = path.read_bytes()
            assert sniff(data).format == "jpeg"
            assert decode(JPEG.scrub(data).data) == decode(data)
