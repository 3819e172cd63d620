"""What a picture looks like: a perceptual hash, and whether it is plainly a flat drawing or plainly a written page.

Pixels are decoded by Pillow, so the gateway runs this in its sandbox.  Measured in tests/filters/test_looks.py; the numbers below
were chosen so that no photograph of those sets passes as either.
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

MOST_PIXELS: Final = 40_000_000
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "MPO")
_SIDE: Final = 32  # of the picture the hash is made of
_KEPT: Final = 8  # low frequencies in each direction
_LOOKED_AT: Final = 512  # longest side at which flatness and pages are judged

# A flat drawing: large areas of exactly one colour, few such colours, and little else.
_EQUAL: Final = 0.55  # share of pixels equal to their right and lower neighbour
_COLOURS: Final = 12  # colours that ...
_COVERED: Final = 0.97  # ... cover this share of them
_DARK: Final = 60  # an area darker than this is the black of an X-ray or ultrasound picture
_DARK_SHARE: Final = 0.35
# A written page: white paper, thin dark strokes, no grey or coloured area.
_PAPER: Final = 0.80
_TONE_BLOCKS: Final = 0.01
_SHEET_SIDE: Final = 400  # pixels of the shorter side
_DRAWING_PIXELS: Final = 1_000_000
_RATIOS: Final = (2**0.5, 11 / 8.5, 14 / 8.5)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Looks:
    """``hash``: 16 hex digits; pictures that look alike differ in few of its 64 bits."""

    hash: str
    flat: bool
    page: bool


def worth_a_look(info: ImageInfo) -> bool:
    """Small enough for a drawing, or in the shape of a page: others are photographs without being decoded."""
    if info.nature is not Nature.PHOTO or info.frames != 1:
        return False
    pixels = info.width * info.height
    return pixels <= _DRAWING_PIXELS or (pixels <= MOST_PIXELS and _sheet(info.width, info.height))


def look(data: bytes) -> Looks:
    """Raises Malformed, Unsupported, TooBig."""
    image = _opened(data)
    grey = np.asarray(image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float64)
    pixels = np.asarray(image.convert("RGB"))
    return Looks(_hash(grey), flat(pixels), page(image))


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
            return _on_white(image)
    except UnidentifiedImageError:
        raise Unsupported("no picture to look at") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError, Image.DecompressionBombError):
        raise Malformed("picture does not decode") from None


def _on_white(image: Image.Image) -> Image.Image:
    """Transparent areas as a mail program shows them."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        shown = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")
    return image


def _hash(grey: NDArray[np.float64]) -> str:
    """Signs of the low frequencies of the discrete cosine transform, against their median."""
    at = np.arange(_SIDE)
    basis = np.cos(np.pi * (2 * at + 1) * at[:, None] / (2 * _SIDE))
    low = (basis @ grey @ basis.T)[:_KEPT, :_KEPT].ravel()
    bits = low > np.median(low[1:])
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def flat(pixels: Pixels) -> bool:
    """True for what a drawing program made of areas: ``pixels`` is (height, width, 3)."""
    if min(pixels.shape[:2]) < 4:
        return False
    inner = pixels[:-1, :-1]
    equal = (inner == pixels[1:, :-1]).all(axis=2) & (inner == pixels[:-1, 1:]).all(axis=2)
    if equal.mean() < _EQUAL:
        return False
    colours = inner[equal].astype(np.uint32)
    words = (colours[:, 0] >> 2 << 16) | (colours[:, 1] >> 2 << 8) | (colours[:, 2] >> 2)
    _, counts = np.unique(words, return_counts=True)
    covered = np.sort(counts)[::-1][:_COLOURS].sum() / counts.sum()
    dark = (colours.max(axis=1) < _DARK).sum() / equal.size
    return bool(covered >= _COVERED and dark < _DARK_SHARE)


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
    if (level > 200).mean() < _PAPER:
        return False
    high, wide = level.shape[0] // 8 * 8, level.shape[1] // 8 * 8
    tone = (level[:high, :wide] < 200) | (colour[:high, :wide] > 60)
    blocks = tone.reshape(high // 8, 8, wide // 8, 8).mean(axis=(1, 3))
    return bool((blocks > 0.85).mean() < _TONE_BLOCKS)
