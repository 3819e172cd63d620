"""Netpbm by construction: comments anywhere in a header, samples of exactly their length."""

from __future__ import annotations

import pytest

from filters.api import Malformed, TooBig, Unsupported
from filters.bitmaps.pnm import PNM

pytestmark = pytest.mark.unit
SAMPLES = bytes(range(6))


@pytest.mark.parametrize(
    "data",
    [b"P5 3 2 255 " + SAMPLES, b"P5\r3\t2\n255\r" + SAMPLES, b"P4\n12 3\n" + SAMPLES, b"P6\n2 1\n255\n" + SAMPLES,
     b"P5 3 1 65535\n" + SAMPLES, b"P7\nWIDTH 3\nHEIGHT 2\nDEPTH 1\nMAXVAL 255\nENDHDR\n" + SAMPLES],
    ids=["grey", "other spaces", "bitmap", "colour", "16 bits", "pam"],
)  # fmt: skip
def test_a_clean_picture_is_the_very_same_object(data: bytes) -> None:
    """Whatever white space its writer chose."""
    assert PNM.scrub(data).data is data


def test_comments_and_further_pictures_go() -> None:
    """Samples that look like a comment are samples."""
    samples = b"#words"
    data = b"P5 # by Mary\n# in Leeds\n3 2\n255\n" + samples + b"P5 1 1 255 x"
    assert PNM.scrub(data).data == b"P5\n3 2\n255\n" + samples


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"P5 3 2 255 " + SAMPLES[:-1], Malformed),
        (b"P5 3#words\n2 255 " + SAMPLES, Malformed),
        (b"P5 0 2 255 " + SAMPLES, Malformed),
        (b"P5 3 2 0 " + SAMPLES, Malformed),
        (b"P7\nWIDTH 3\nWIDTH 2\nHEIGHT 2\nDEPTH 1\nMAXVAL 255\nENDHDR\n" + SAMPLES, Malformed),
        (b"P5 99999 99999 255 " + SAMPLES, TooBig),
        (b"P2 3 2 255 1 2 3 4 5 6", Unsupported),
        (b"PF 3 2 -1.0\n", Unsupported),
    ],
    ids=["truncated", "comment in a number", "no width", "no depth", "width twice", "huge", "text", "float"],
)
def test_what_is_ambiguous_or_unknown_is_refused(data: bytes, error: type[Exception]) -> None:
    """Each with its own reason."""
    with pytest.raises(error):
        PNM.scrub(data)
