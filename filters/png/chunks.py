"""The chunks of a PNG file (PNG third edition, clause 5), by offset.  What decoders read differently is ``Malformed``."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from filters.api import Malformed, TooBig, Unsupported

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 100_000
MAX_PIXELS = 200_000_000

_CRITICAL = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND"))
_CHECKED = _CRITICAL | {b"acTL", b"fcTL", b"fdAT", b"tRNS"}  # a damaged one changes the picture
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
# Adam7 passes: first column, first row, step right, step down (clause 8.2)
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: ``start``..``end`` with length and CRC; its body is data[start + 8 : end - 4]."""

    name: bytes
    start: int
    end: int
    sound: bool = True  # the CRC fits

    def body(self, data: bytes) -> bytes:
        return data[self.start + 8 : self.end - 4]


@dataclass(frozen=True, slots=True)
class Header:
    """IHDR."""

    width: int
    height: int
    bits: int
    colour: int
    interlaced: bool

    def rows(self, width: int, height: int) -> list[tuple[int, int]]:
        """(number of rows, bytes of a row with its filter byte) of each pass over a picture of this size."""
        depth = self.bits * _CHANNELS[self.colour]
        if not self.interlaced:
            return [(height, 1 + (width * depth + 7) // 8)]
        passes = []
        for column, row, right, down in _ADAM7:
            across, lines = -(-max(0, width - column) // right), -(-max(0, height - row) // down)
            if across and lines:
                passes.append((lines, 1 + (across * depth + 7) // 8))
        return passes


def walk(data: bytes) -> tuple[Chunk, ...]:
    """All chunks from IHDR to IEND.  Raises Malformed, Unsupported."""
    if data[:8] != SIGNATURE:
        raise Malformed("no PNG signature")
    found: list[Chunk] = []
    at = 8
    while not found or found[-1].name != b"IEND":
        if at + 12 > len(data):
            raise Malformed("no IEND")
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if length > 0x7FFFFFFF or end > len(data) or not (name.isalpha() and name.isascii()):
            raise Malformed("chunk length or name")
        found.append(_chunk(data, name, at, end))
        if len(found) > MAX_CHUNKS:
            raise Malformed("too many chunks")
        at = end
    return tuple(found)


def _chunk(data: bytes, name: bytes, start: int, end: int) -> Chunk:
    if name == b"CgBI":
        raise Unsupported("png-cgbi")
    if name[:1].isupper() and name not in _CRITICAL:
        raise Unsupported("png with an unknown critical chunk")
    sound = zlib.crc32(memoryview(data)[start + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")
    if not sound and name in _CHECKED:
        raise Malformed("CRC")
    return Chunk(name, start, end, sound)


def header(data: bytes, found: tuple[Chunk, ...]) -> Header:
    """IHDR, and the order of the critical chunks (clause 5.6).  Raises Malformed, TooBig."""
    names = [chunk.name for chunk in found]
    first = found[0].body(data)
    if names[0] != b"IHDR" or len(first) != 13 or names.count(b"IHDR") != 1:
        raise Malformed("IHDR")
    width, height, bits, colour, compression, method, interlace = struct.unpack(">IIBBBBB", first)
    if not 0 < width < 1 << 31 or not 0 < height < 1 << 31 or bits not in _DEPTHS.get(colour, ()):
        raise Malformed("IHDR values")
    if compression or method or interlace > 1:
        raise Malformed("IHDR methods")
    if width * height > MAX_PIXELS:
        raise TooBig("more than 200 megapixels")
    _order(found, names, colour)
    return Header(width, height, bits, colour, bool(interlace))


def _order(found: tuple[Chunk, ...], names: list[bytes], colour: int) -> None:
    count = names.count(b"IDAT")
    if not count:
        raise Malformed("no IDAT")
    first = names.index(b"IDAT")
    if any(name != b"IDAT" for name in names[first : first + count]):
        raise Malformed("IDAT chunks apart")
    if names.count(b"PLTE") > 1 or names.count(b"tRNS") > 1:
        raise Malformed("second palette")
    palette = 0
    if b"PLTE" in names:
        place = names.index(b"PLTE")
        palette, rest = divmod(found[place].end - found[place].start - 12, 3)
        if place > first or rest or not 1 <= palette <= 256:
            raise Malformed("PLTE")
    elif colour == 3:
        raise Malformed("no PLTE")
    if b"tRNS" in names and colour in (0, 2, 3):
        place = names.index(b"tRNS")
        length = found[place].end - found[place].start - 12
        fits = {0: length == 2, 2: length == 6, 3: 1 <= length <= palette}[colour]
        if place > first or not fits or (colour == 3 and place < names.index(b"PLTE")):
            raise Malformed("tRNS")


def write(name: bytes, body: bytes) -> bytes:
    """One chunk."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))


def total(passes: Iterable[tuple[int, int]]) -> int:
    """Raw bytes of all passes."""
    return sum(rows * width for rows, width in passes)
