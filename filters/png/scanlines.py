"""The zlib stream of a PNG picture (PNG third edition, clauses 7, 9, 10): does it hold exactly the picture's rows, nothing else?

Inflated in bounded steps and thrown away; memory stays small whatever the stream claims.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from filters.api import Malformed, TooBig
from filters.png.chunks import total

MAX_RAW = 1 << 30  # bytes inflated for one file; a 100-megapixel photograph with 8 bits needs 300 MB
_STEP = 1 << 18
_FILTERS = b"\0\1\2\3\4"


def check(parts: Sequence[bytes | memoryview], passes: Sequence[tuple[int, int]], budget: int = MAX_RAW) -> tuple[int, int]:
    """(compressed bytes the stream really has, raw bytes beyond the rows).  Raises Malformed, TooBig.

    ``parts`` are the bodies of the chunks, ``passes`` as of ``Header.rows``, ``budget`` the most raw bytes.
    """
    expected = total(passes)
    if expected > budget:
        raise TooBig("more than 1 GiB of raw rows")
    rows = _Rows(passes)
    engine = zlib.decompressobj()
    seen = used = 0
    for block, consumed in _inflate(engine, parts):
        used = consumed
        rows.take(block)
        seen += len(block)
        if seen > expected + MAX_RAW // 64:
            raise TooBig("stream far longer than the picture")
    if not engine.eof:
        raise Malformed("zlib stream is not complete")
    if seen < expected:
        raise Malformed("rows missing")
    return used, seen - expected


def shorten(parts: Sequence[bytes | memoryview], length: int) -> bytes:
    """The stream deflated anew with its first ``length`` raw bytes only."""
    engine, packer = zlib.decompressobj(), zlib.compressobj(6)
    out = bytearray()
    for block, _ in _inflate(engine, parts):
        out += packer.compress(block[:length])
        length -= min(length, len(block))
        if not length:
            break
    return bytes(out + packer.flush())


def _inflate(engine: zlib._Decompress, parts: Sequence[bytes | memoryview]) -> Iterator[tuple[bytes, int]]:
    """(raw block, compressed bytes used so far), at most ``_STEP`` raw bytes at a time."""
    fed = 0
    try:
        for piece in _pieces(parts):
            fed += len(piece)
            block = engine.decompress(piece, _STEP)
            yield block, fed - len(engine.unconsumed_tail) - len(engine.unused_data)
            while engine.unconsumed_tail or (len(block) == _STEP and not engine.eof):
                block = engine.decompress(engine.unconsumed_tail, _STEP)
                yield block, fed - len(engine.unconsumed_tail) - len(engine.unused_data)
            if engine.eof:
                return
    except zlib.error:
        raise Malformed("zlib stream is damaged") from None


def _pieces(parts: Sequence[bytes | memoryview]) -> Iterator[memoryview]:
    """Small pieces of input: zlib hands back a copy of what it has not used yet."""
    for part in parts:
        view = memoryview(part)
        for at in range(0, len(view), _STEP // 4):
            yield view[at : at + _STEP // 4]


class _Rows:
    """Follows the raw bytes row by row and checks each row's filter byte."""

    def __init__(self, passes: Sequence[tuple[int, int]]) -> None:
        self.left = [[rows * width, width] for rows, width in passes]
        self.offset = 0  # within the current row

    def take(self, block: bytes) -> None:
        while block and self.left:
            remaining, width = self.left[0]
            mine = block[:remaining]
            if mine[-self.offset % width :: width].strip(_FILTERS):
                raise Malformed("filter byte")
            self.offset = (self.offset + len(mine)) % width
            self.left[0][0] = remaining - len(mine)
            if not self.left[0][0]:
                self.left.pop(0)
                self.offset = 0
            block = block[len(mine) :]
