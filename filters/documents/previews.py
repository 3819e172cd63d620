"""Small pictures of a whole document, which office programs write beside it: are they no more than that?

What is called a thumbnail could be any photograph.  Only what has the size, the shape and the plainness of those that programs
make (measured: 256 pixels; 512 on a Mac, in the shape of a sheet or slide) is left unseen; the rest is a picture like others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from filters.api import FilterError, ImageInfo, Scrubber
from filters.jpeg.scrubber import JPEG
from filters.png.scrubber import PNG
from filters.sniff import sniff

MOST: Final = 64 << 10  # bytes; what is larger is no thumbnail, whatever it is called
_SIDE: Final = 256
_LONG_SIDE: Final = 576
_RATIOS: Final = (2**0.5, 11 / 8.5, 14 / 8.5, 16 / 9)
_TOLERANCE: Final = 0.02
_KINDS: Final[Mapping[str, Scrubber]] = {"jpeg": JPEG, "png": PNG}
# What the programs leave in them.  Words, places and cameras are not among it.
_ORDINARY: Final = frozenset(
    ("exif.block", "exif.datetime", "exif.software", "icc.text", "jpeg.adobe-tail", "jpeg.photoshop", "png.time",
     "png.profile-name", "png.calibration")
)  # fmt: skip


def plain(data: bytes) -> bool:
    """A thumbnail as office programs make it.  Never raises a FilterError."""
    if not data:
        return True
    found = sniff(data)
    scrubber = _KINDS.get(found.format)
    if scrubber is None or len(data) > MOST or found.codes:
        return False
    try:
        info = scrubber.inspect(data)
    except FilterError:
        return False
    return info.codes <= _ORDINARY and not info.make and not info.model and _shaped(info)


def _shaped(info: ImageInfo) -> bool:
    short, long = sorted((info.width, info.height))
    if long <= _SIDE:
        return True
    return long <= _LONG_SIDE and any(abs(long / short / ratio - 1) <= _TOLERANCE for ratio in _RATIOS)
