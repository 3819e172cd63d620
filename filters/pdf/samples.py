"""What the samples of a picture without a file format of its own look like: a flat drawing, a written page, or neither.

Only what is said there helps a picture to leave: whatever cannot be decoded here stays a photograph.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pikepdf
from numpy.typing import NDArray
from PIL import Image

from filters.api import Budget, FilterError, TooBig
from filters.flatness import drawn, flat
from filters.looks import page
from filters.pdf import reader, streams
from filters.pdf.reader import Object

FLAT, PAGE = "image.flat", "image.page"
_MOST: Final = 4_000_000  # pixels
_OWNERS: Final = 4  # objects with the same samples that are looked at; each may show them in colours of its own

Samples = NDArray[np.uint8]


def codes(owners: list[Object], budget: Budget) -> frozenset[str]:
    """What is so of all ``owners``.  Raises TooBig."""
    if not 0 < len(owners) <= _OWNERS:
        return frozenset()
    each = [_seen(one, budget) for one in owners]
    return each[0].intersection(*each[1:])


def _seen(stream: Object, budget: Budget) -> frozenset[str]:
    try:
        pixels = _pixels(stream, budget)
        masks = [mask for key in ("/SMask", "/Mask") if (mask := reader.entry(stream, key)) is not None]
        if pixels is None or len(masks) > 1:
            return frozenset()
        if masks:
            alpha = _pixels(masks[0], budget)
            same = alpha is not None and alpha.shape == pixels.shape
            return frozenset((FLAT,)) if same and alpha is not None and drawn(pixels, alpha[..., 0]) else frozenset()
    except TooBig:
        raise
    except FilterError:
        return frozenset()
    found = {FLAT} if flat(pixels) else set[str]()
    return frozenset(found | {PAGE} if page(Image.fromarray(pixels)) else found)


def _pixels(stream: Object, budget: Budget) -> Samples | None:
    """Height by width by three, from grey, RGB, CMYK or a palette of these; None for anything else."""
    if not isinstance(stream, pikepdf.Stream) or not streams.general(reader.filters(stream)):
        return None
    width, height = (reader.whole(reader.entry(stream, key)) for key in ("/Width", "/Height"))
    bits = 1 if reader.entry(stream, "/ImageMask") is True else reader.whole(reader.entry(stream, "/BitsPerComponent"))
    if not (width > 0 and height > 0 and width * height <= _MOST) or bits not in (1, 2, 4, 8):
        return None
    if bits > 1 and reader.entry(stream, "/Decode") is not None:
        return None  # it can make differences large that are too small to see
    palette = _palette(reader.entry(stream, "/ColorSpace"), budget)
    parts = 1 if palette is not None else _components(reader.entry(stream, "/ColorSpace"))
    samples = None if not parts else _unpacked(reader.content(stream, budget), width * parts, height, bits)
    if samples is None:
        return None
    if palette is not None:
        return np.asarray(palette[np.minimum(samples, len(palette) - 1)], np.uint8)
    scaled = (samples.astype(np.uint16) * (255 // (2**bits - 1))).astype(np.uint8)
    return _rgb(scaled.reshape(height, width, parts))


def _unpacked(data: bytes, columns: int, rows: int, bits: int) -> Samples | None:
    """Rows begin at whole bytes (ISO 32000-2, 8.9.3); a byte or two may follow the last."""
    line = (columns * bits + 7) // 8
    if not 0 < line * rows <= len(data) <= line * rows + 2:
        return None
    packed = np.frombuffer(data, np.uint8, line * rows).reshape(rows, line)
    if bits == 8:
        return packed
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    return np.asarray((packed[..., None] >> shifts & (2**bits - 1)).reshape(rows, -1)[:, :columns], np.uint8)


def _components(space: Object) -> int:
    """Of grey, RGB and CMYK; a stencil has no space and one; 0 for spaces whose colours are computed."""
    if space is None:
        return 1
    if isinstance(space, pikepdf.Array) and len(space) >= 2:
        if reader.name(space[0]) == "ICCBased":
            parts = reader.whole(reader.entry(space[1], "/N"))
            return parts if parts in (1, 3, 4) else 0
        return {"CalRGB": 3, "CalGray": 1}.get(reader.name(space[0]), 0)
    return {"DeviceGray": 1, "DeviceRGB": 3, "DeviceCMYK": 4}.get(reader.name(space), 0)


def _rgb(samples: Samples) -> Samples:
    parts = samples.shape[2]
    if parts == 4:
        light = 255 - samples.astype(np.uint16)
        return (light[..., :3] * light[..., 3:] // 255).astype(np.uint8)
    return np.asarray(np.repeat(samples, 3, axis=2) if parts == 1 else samples, np.uint8)


def _palette(space: Object, budget: Budget) -> Samples | None:
    """The colours of an Indexed space (8.6.6.3)."""
    if not isinstance(space, pikepdf.Array) or len(space) < 4 or reader.name(space[0]) not in ("Indexed", "I"):
        return None
    table = space[3]
    raw = reader.content(table, budget) if isinstance(table, pikepdf.Stream) else bytes(table)
    parts = _components(space[1])
    count = min(256, len(raw) // parts) if parts else 0
    if not count:
        return np.zeros((1, 3), np.uint8)  # one colour: no drawing
    return np.asarray(_rgb(np.frombuffer(raw, np.uint8, count * parts).reshape(1, count, parts))[0], np.uint8)
