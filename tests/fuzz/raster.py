"""Harness for WebP, GIF, bitmaps, icons, JPEG 2000 and JPEG XL."""

from __future__ import annotations

from functools import cache

from filters.api import Fate, FilterError
from filters.bitmaps.bmp import BMP, DIB
from filters.bitmaps.ico import ICO
from filters.bitmaps.pnm import PNM
from filters.gif.scrubber import GIF
from filters.jpeg2000.j2k import J2K
from filters.jpeg2000.jp2 import JP2
from filters.jpegxl.scrubber import JXL
from filters.webp.scrubber import WEBP
from tests.support.samples.raster import PICTURES

SCRUBBERS = (WEBP, GIF, BMP, DIB, ICO, JP2, J2K, JXL, PNM)


@cache
def seeds() -> tuple[bytes, ...]:
    """Every picture of these formats with words in every place."""
    return tuple(build(lambda what: f"CANARY {what}") for build in PICTURES.values())


def one(data: bytes) -> None:
    """scrub raises only FilterError, changes a file exactly when it says so, is idempotent and leaves no residue."""
    for scrubber in SCRUBBERS:
        try:
            result = scrubber.scrub(data)
        except FilterError:
            assert [finding.fate for finding in scrubber.residue(data)] == [Fate.STUCK]
            continue
        scrubber.inspect(data)
        assert (result.data is not data) == any(finding.fate is Fate.REMOVED for finding in result.findings)
        assert scrubber.scrub(result.data).data is result.data
        assert scrubber.residue(result.data) == ()
