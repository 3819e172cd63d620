"""Is a picture positively known to be decoration?  When in doubt it is not: a photograph is never decorative by guesswork.

Rows in order: known logo (by SHA-256 or by look), drawing of lines and shapes, tracking pixel, icon, flat graphic (by its pixels,
``filters.flatness``), a sender's recurring inline picture, flat inline graphic (by its palette).  A file
that carries anything beyond its picture but words (a trailer, a thumbnail, a position, a private block) is decoration only as
a known logo.  Measured in tests/filters/test_decorative_rates.py; known weakness: a strip cut from a photograph at least
twice as wide as high, at most 160 pixels high, without EXIF, that the same sender already sent inline.
"""

from __future__ import annotations

from dataclasses import dataclass

from filters.api import ImageInfo, Nature
from filters.looks import alike

TRACKING_PIXEL, ICON, KNOWN_LOGO = "decorative.tracking-pixel", "decorative.icon", "decorative.known-logo"
DRAWING, SOUND = "decorative.drawing", "decorative.sound"
RECURRING_INLINE, FLAT_GRAPHIC = "decorative.recurring-inline", "decorative.flat-graphic"

LOOK = "look:"
_NOTHING = 64  # bytes of a file that shows a pixel at most, however damaged
_ALIKE = 4  # bits of 64 in which a logo saved anew differs at most (tests/filters/test_looks.py)

# What drawing programs leave in a logo.  Anything else in the file speaks against decoration.
_ORDINARY = frozenset(
    {
        "exif.block", "exif.software", "exif.datetime", "exif.text", "gif.application", "gif.comment", "gif.xmp", "icc.text",
        "icc.damaged", "image.flat", "image.page", "jpeg.adobe-tail", "jpeg.comment", "jpeg.photoshop", "jpeg.vendor", "jpeg.xmp",
        "png.calibration", "png.damaged-chunk", "png.profile-name", "png.suggested-palette", "png.text", "png.time", "png.xmp",
        "webp.flags", "webp.xmp",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DecorativeSettings:
    """The numbers: sides in pixels, sizes in bytes, density in bytes a pixel."""

    tracking_side: int = 3
    tracking_bytes: int = 1024
    icon_side: int = 48
    icon_bytes: int = 8192
    icons_most: int = 24  # different icons in one message; with more, none is: a photograph can be cut into tiles
    recurring_width: int = 640
    recurring_height: int = 160
    recurring_bytes: int = 65_536
    recurring_density: float = 0.6  # PNG only; photographs in true colour need more than 1
    drawing_bytes: int = 1_000_000  # of lines and shapes; in a larger one a photograph could be traced
    drawing_pixels: int = 4_000_000  # of one made of flat areas, as its pixels show; 0 switches the look off
    flat_pixels: int = 60_000
    flat_bytes: int = 12_288
    flat_colours: int = 16  # palette entries; 0 switches the rule off
    flat_density: float = 0.2
    banner_ratio: float = 2.0  # width : height of both kinds above; cameras make 1.33 to 1.78


DEFAULTS = DecorativeSettings()


def decorative(
    info: ImageInfo,
    data: bytes,
    sha256: str,
    *,
    inline: bool,
    known_logos: frozenset[str],
    seen_inline_before: bool | None,
    settings: DecorativeSettings = DEFAULTS,
    look: str = "",
) -> str | None:
    """The reason code why this picture is decoration, or None.

    ``sha256`` is the lower-case hex digest of ``data``; ``known_logos`` are such digests and ``look:`` with a perceptual hash;
    ``inline`` whether the text shows it; ``seen_inline_before`` whether this sender already sent these very bytes inline (None =
    unknown, which counts as no); ``look`` the picture's own perceptual hash, where it was looked at.
    """
    if sha256 in known_logos:
        return KNOWN_LOGO
    if info.nature is Nature.DRAWING and len(data) <= settings.drawing_bytes:
        return DRAWING
    if "bmff.sound-only" in info.codes:
        return SOUND
    if not info.codes <= _ORDINARY or info.make or info.model:
        return None
    if look and any(one.startswith(LOOK) and alike(one.removeprefix(LOOK), look) <= _ALIKE for one in known_logos):
        return KNOWN_LOGO
    size = len(data)
    if _within(info, settings.tracking_side, settings.tracking_side) and size <= settings.tracking_bytes:
        return TRACKING_PIXEL
    if _within(info, settings.icon_side, settings.icon_side) and size <= settings.icon_bytes:
        return ICON
    if _drawn(info, size, settings):
        return FLAT_GRAPHIC
    if inline and seen_inline_before and _modest(info, data, settings):
        return RECURRING_INLINE
    return FLAT_GRAPHIC if inline and _flat(info, size, settings) else None


def unopened(sha256: str, size: int, *, known_logos: frozenset[str]) -> str | None:
    """The same for a picture that cannot be opened: a known logo, or one of ``size`` bytes in which nobody is to be seen."""
    if sha256 in known_logos:
        return KNOWN_LOGO
    return TRACKING_PIXEL if size <= _NOTHING else None


def _within(info: ImageInfo, width: int, height: int) -> bool:
    return info.width <= width and info.height <= height


def _modest(info: ImageInfo, data: bytes, settings: DecorativeSettings) -> bool:
    """A banner of a signature's size.  Density cannot tell a JPEG logo from a photograph (measured), the shape nearly can."""
    if not _within(info, settings.recurring_width, settings.recurring_height) or len(data) > settings.recurring_bytes:
        return False
    packed = data.startswith(b"\xff\xd8") or len(data) <= settings.recurring_density * info.width * info.height
    return packed and _banner(info, settings)


def _drawn(info: ImageInfo, size: int, settings: DecorativeSettings) -> bool:
    """Somebody looked at its pixels and saw a drawing; a page of writing is not decoration but a document."""
    if "image.flat" not in info.codes or "image.page" in info.codes:
        return False
    return info.width * info.height <= settings.drawing_pixels and size <= settings.drawing_bytes


def _flat(info: ImageInfo, size: int, settings: DecorativeSettings) -> bool:
    """A banner with few palette colours in large areas."""
    pixels = info.width * info.height
    if not 0 < info.colours <= settings.flat_colours or pixels > settings.flat_pixels or size > settings.flat_bytes:
        return False
    return size <= settings.flat_density * pixels + 256 and _banner(info, settings)


def _banner(info: ImageInfo, settings: DecorativeSettings) -> bool:
    return info.width >= settings.banner_ratio * info.height
