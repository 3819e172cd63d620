"""What a picture looks like: a perceptual hash, and whether it is plainly a flat drawing or plainly a written page.

Pixels are decoded by Pillow, so the gateway runs this in its sandbox.  Measured by ``python -m tests.ordinary.decoration``
(docs/decorative.md).
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from filters.api import ImageInfo, Malformed, Nature, TooBig, Unsupported
from filters.flatness import drawn, flat

MOST_PIXELS: Final = 40_000_000
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "MPO")
_SIDE: Final = 32  # of the picture the hash is made of
_KEPT: Final = 8  # low frequencies in each direction
_LOOKED_AT: Final = 512  # longest side at which pages are judged

# A written page: white paper, thin dark strokes, no grey or coloured area.
_PAPER: Final = 0.80
_WHITE: Final = 200  # paper is lighter ...
_TINT: Final = 30  # ... and has less colour; skin has more
_INK: Final = 190  # strokes are darker, when a page is made small
_INK_LEAST: Final = 0.002
_TONE_BLOCKS: Final = 0.004  # a letterhead's mark; on A4, a photograph of 16 mm
_SHEET_SIDE: Final = 580  # pixels of the shorter side: A5 at 100 dpi
_DRAWING_PIXELS: Final = 4_000_000  # a screenshot of a large phone
_RATIOS: Final = (2**0.5, 11 / 8.5, 14 / 8.5)


@dataclass(frozen=True, slots=True)
class Looks:
    """``hash``: 16 hex digits; pictures that look alike differ in few of its 64 bits."""

    hash: str
    flat: bool
    page: bool


def worth_a_look(info: ImageInfo) -> bool:
    """Small enough for a drawing, or in the shape of a page: others are photographs without being decoded.

    What names its camera is no drawing; a scanner names itself too, so that a page may.
    """
    if info.nature is not Nature.PHOTO or info.frames != 1:
        return False
    pixels = info.width * info.height
    small = pixels <= _DRAWING_PIXELS and not (info.make or info.model or "exif.gps" in info.codes)
    return small or (pixels <= MOST_PIXELS and _sheet(info.width, info.height))


def look(data: bytes) -> Looks:
    """Raises Malformed, Unsupported, TooBig."""
    image = _opened(data)
    shown = _over(image.convert("RGBA"), "white") if _transparent(image) else image
    grey = np.asarray(shown.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float64)
    return Looks(_hash(grey), _drawn(image), page(shown))


def alike(first: str, second: str) -> int:
    """In how many bits two hashes differ."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


def _opened(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MOST_PIXELS:
                raise TooBig("pixels to look at")
            image.draft("RGB", (_LOOKED_AT * 2, _LOOKED_AT * 2))
            image.load()
            return image
    except UnidentifiedImageError:
        raise Unsupported("no picture to look at") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError, Image.DecompressionBombError):
        raise Malformed("picture does not decode") from None


def _transparent(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _over(shown: Image.Image, ground: str) -> Image.Image:
    """An RGBA picture as a program shows it that has this ground."""
    return Image.alpha_composite(Image.new("RGBA", shown.size, ground), shown).convert("RGB")


def _hash(grey: NDArray[np.float64]) -> str:
    """Signs of the low frequencies of the discrete cosine transform, against their median."""
    at = np.arange(_SIDE)
    basis = np.cos(np.pi * (2 * at + 1) * at[:, None] / (2 * _SIDE))
    low = (basis @ grey @ basis.T)[:_KEPT, :_KEPT].ravel()
    bits = low > np.median(low[1:])
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def _drawn(image: Image.Image) -> bool:
    if not _transparent(image):
        return flat(np.asarray(image.convert("RGB")))
    pixels = np.asarray(image.convert("RGBA"))
    return drawn(pixels[..., :3], pixels[..., 3])


def _sheet(width: int, height: int) -> bool:
    short, long = sorted((width, height))
    return short >= _SHEET_SIDE and any(abs(long / short / ratio - 1) <= 0.03 for ratio in _RATIOS)


def page(image: Image.Image) -> bool:
    """True for a sheet of white paper with strokes on it and nothing that could be a photograph."""
    if not _sheet(*image.size):
        return False
    small = image.convert("RGB")
    small.thumbnail((_LOOKED_AT, _LOOKED_AT), Image.Resampling.BOX)
    pixels = np.asarray(small, np.int16)
    level, colour = pixels.mean(axis=2), pixels.max(axis=2) - pixels.min(axis=2)
    white = (level > _WHITE) & (colour <= _TINT)
    if white.mean() < _PAPER or (level < _INK).mean() < _INK_LEAST:
        return False
    high, wide = level.shape[0] // 8 * 8, level.shape[1] // 8 * 8
    blocks = (~white[:high, :wide]).reshape(high // 8, 8, wide // 8, 8).mean(axis=(1, 3))
    return bool((blocks > 0.85).mean() < _TONE_BLOCKS)
