"""Small HEIC, AVIF and film files and what stands in them, for the tests of the filter."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL import Image

from tests.support.samples.bmff import Stills, av1, box, ispe


def place(what: str) -> str:
    """The canary word of a place."""
    return "CANARY-" + what.replace(" ", "-")


def boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of the body, end): a walk of its own, not that of the filter."""
    end = len(data) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at + 8, at + size
        at += size


def body_of(data: bytes, *path: bytes) -> bytes:
    """The body of the first box along a path."""
    at, end = 0, len(data)
    for kind in path:
        at, end = next((start, stop) for name, start, stop in boxes(data, at, end) if name == kind)
        at += 4 if kind == b"meta" else 0
    return data[at:end]


def still(*more: tuple[bytes, ...], **options: bytes) -> bytes:
    """An AVIF of one picture; ``more`` properties of it."""
    stills = Stills(b"avif")
    config, coded = av1()
    stills.item(b"av01", coded, box(b"av1C", config), ispe(64, 64), *more)  # type: ignore[arg-type]  # a tuple of properties
    return stills.file(**options)


def pixels(data: bytes) -> tuple[str, bytes]:
    """Mode and pixels as Pillow shows them."""
    with Image.open(io.BytesIO(data)) as image:
        return image.mode, image.tobytes()
