"""Evidence for a scanned page (kind K9 ``document``): a bilevel picture in the shape and resolution of a sheet of paper."""

from __future__ import annotations

from dataclasses import replace

from filters.api import ImageInfo

CODE = "image.bilevel-page"
# Long side : short side.  ISO 216 (A4, A5, A3 alike), Letter, Legal.
_RATIOS = (2**0.5, 11 / 8.5, 14 / 8.5)
_TOLERANCE = 0.03
_SHORT_SIDE = 580  # pixels: A5 (148 mm) at 100 dpi
_LONG_SIDE = 20_000


def page_like(info: ImageInfo) -> bool:
    """True for a 1-bit picture with the aspect ratio of a page (within 3 %) and at least 100 dpi on A5."""
    short, long = sorted((info.width, info.height))
    if info.bits != 1 or info.frames != 1 or short < _SHORT_SIDE or long > _LONG_SIDE:
        return False
    return any(abs(long / short / ratio - 1) <= _TOLERANCE for ratio in _RATIOS)


def marked(info: ImageInfo) -> ImageInfo:
    """The same facts, with the code when they are a page's."""
    return replace(info, codes=info.codes | {CODE}) if page_like(info) else info
