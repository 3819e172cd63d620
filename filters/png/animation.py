"""The frames of an APNG (PNG third edition, 11.3.4): which chunks make which picture.

An animation that contradicts itself is ``Malformed``: one viewer plays it, another shows the default picture.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from filters.api import Malformed
from filters.png.chunks import Chunk, Header

_NAMES = frozenset((b"acTL", b"fcTL", b"fdAT"))


@dataclass(slots=True)
class Stream:
    """The chunks that together hold one zlib stream, and the size of the picture in it."""

    width: int
    height: int
    chunks: list[Chunk] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Motion:
    """All streams of a file; ``frames`` is 0 for a still picture; ``stray`` chunks are shown by no viewer."""

    frames: int
    streams: tuple[Stream, ...]
    stray: frozenset[int]


def read(data: bytes, found: tuple[Chunk, ...], header: Header) -> Motion:
    """Frames of the file.  Raises Malformed."""
    still = Stream(header.width, header.height, [chunk for chunk in found if chunk.name == b"IDAT"])
    controls = [chunk for chunk in found if chunk.name == b"acTL"]
    if not controls or controls[0].start > still.chunks[0].start:
        return Motion(0, (still,), frozenset(chunk.start for chunk in found if chunk.name in _NAMES))
    body = controls[0].body(data)
    if len(controls) > 1 or len(body) != 8:
        raise Malformed("acTL")
    (frames,) = struct.unpack_from(">I", body)
    streams = _Reader(data, header, still).read(found)
    if not frames or frames != sum(chunk.name == b"fcTL" for chunk in found):
        raise Malformed("number of frames")
    return Motion(frames, tuple(streams), frozenset())


class _Reader:
    def __init__(self, data: bytes, header: Header, still: Stream) -> None:
        self.data, self.header, self.still = data, header, still
        self.streams = [still]
        self.current: Stream | None = None
        self.sequence = 0

    def read(self, found: tuple[Chunk, ...]) -> list[Stream]:
        for chunk in found:
            if chunk.name == b"fcTL":
                self._control(chunk)
            elif chunk.name == b"fdAT":
                self._data(chunk)
        if any(not stream.chunks for stream in self.streams):
            raise Malformed("frame without data")
        return self.streams

    def _control(self, chunk: Chunk) -> None:
        body = chunk.body(self.data)
        if len(body) != 26:
            raise Malformed("fcTL")
        number, width, height, left, top, _, _, dispose, blend = struct.unpack(">IIIIIHHBB", body)
        self._next(number)
        inside = left + width <= self.header.width and top + height <= self.header.height
        if not width or not height or not inside or dispose > 2 or blend > 1:
            raise Malformed("fcTL values")
        if chunk.start < self.still.chunks[0].start:
            if number or (width, height) != (self.header.width, self.header.height):
                raise Malformed("fcTL of the default picture")
            return
        self.current = Stream(width, height)
        self.streams.append(self.current)

    def _data(self, chunk: Chunk) -> None:
        if self.current is None or chunk.end - chunk.start < 16:
            raise Malformed("fdAT")
        self._next(int.from_bytes(self.data[chunk.start + 8 : chunk.start + 12], "big"))
        self.current.chunks.append(chunk)

    def _next(self, number: int) -> None:
        if number != self.sequence:
            raise Malformed("frame sequence")
        self.sequence += 1
