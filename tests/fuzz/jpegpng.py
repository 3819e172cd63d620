"""JPEG and PNG, and the EXIF blocks and ICC profiles in them."""

from __future__ import annotations

from functools import cache

from filters.api import Fate, FilterError
from filters.jpeg.scrubber import JPEG
from filters.metadata import exif, icc
from filters.png.scrubber import PNG
from tests.support.canary_images import camera_exif, jpeg_with_canaries, named_icc, photo_jpeg, png_with_canaries


@cache
def seeds() -> tuple[bytes, ...]:
    """Small pictures with everything in them, one without, and a block and a profile by themselves."""
    return (
        jpeg_with_canaries("c-1", size=(16, 12), progressive=False),
        jpeg_with_canaries("c-2", size=(16, 12)),
        png_with_canaries("c-3", size=(8, 6)),
        photo_jpeg(1, (16, 12), gps=False),
        camera_exif("c-4", thumbnail=False)[6:],
        named_icc("c-5"),
    )


def one(data: bytes) -> None:
    """scrub raises only FilterError, is idempotent and leaves no residue; EXIF and ICC readers raise nothing they do not name."""
    for scrubber in (JPEG, PNG):
        try:
            cleaned = scrubber.scrub(data).data
        except FilterError:
            assert [finding.fate for finding in scrubber.residue(data)] == [Fate.STUCK]
            continue
        scrubber.inspect(data)
        assert scrubber.scrub(cleaned).data is cleaned
        assert scrubber.residue(cleaned) == ()
    exif.facts(data)
    exif.display_only(data)
    profile = icc.clean(data).data
    assert profile is None or icc.clean(profile).data == profile
