"""One compressed stream after the other, decoded a piece at a time: what bzip2 and xz files are, and what gzip files are made of.

The size is not known before; every piece is paid for before the next one is made.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from filters.api import STRICT, Budget, Cleaning, Fate, Finding, Malformed, Member, Seen, TooBig
from filters.archives.aside import worth
from filters.archives.unpack import LZMA_MEMORY, Decoder
from filters.budget import RATIO_FREE

KEY = "content"  # of the one member
MAX_STREAMS = 20_000  # of one file; block gzip makes one of every 64 KiB
_FEED, _PIECE = 1 << 16, 1 << 20  # bytes given to a decoder at a time, and taken


class Inflater:
    """Raw deflate with the manners of bz2 and lzma: it keeps what it could not yet decode."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-15)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length  # more may wait inside although all input was taken
        return out


@dataclass(slots=True)
class Meter:
    """Pays for pieces and watches the ratio of all of them to what is stored."""

    budget: Budget
    stored: int
    made: int = 0

    def pay(self, size: int) -> None:
        """``size`` more bytes were made.  Raises TooBig."""
        self.made += size
        self.budget.grow(size)
        if self.made > RATIO_FREE and self.made > self.stored * self.budget.limits.ratio:
            raise TooBig("limit of ratio")


def decoded(decoder: Decoder, data: bytes, at: int, meter: Meter) -> tuple[list[bytes], int]:
    """(pieces of the stream that begins at ``at``, where it ends).  Raises Malformed, TooBig."""
    pieces: list[bytes] = []
    while not decoder.eof:
        block = data[at : at + _FEED] if decoder.needs_input else b""
        if decoder.needs_input and not block:
            raise Malformed("compressed stream ends early")
        try:
            piece = decoder.decompress(block, _PIECE)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError) as error:
            if isinstance(error, MemoryError) or "emory" in str(error):
                raise TooBig("limit of memory") from None
            raise Malformed("compressed stream") from None
        at += len(block)
        meter.pay(len(piece))
        pieces.append(piece)
    return pieces, at - len(decoder.unused_data)


@dataclass(frozen=True, slots=True)
class Stream:
    """The opener for a file format that is streams and nothing else.  One member, ``KEY``."""

    name: str
    magic: bytes
    decoder: Callable[[], Decoder] = field(repr=False)
    encode: Callable[[bytes], bytes] = field(repr=False)
    padded: bool = False  # zeros may stand between and behind the streams, in fours (xz 2.2)
    native: bool = False
    rebuilds: bool = True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """The content, and what stands behind the last stream.  Raises FilterError."""
        pieces, end = self._decoded(data, budget)
        if data.count(0, end) != len(data) - end:
            yield Finding(f"{self.name}.trailer", f"byte@{end}", Fate.REMOVED)
            yield from behind(data, end, len(data), budget)
        budget.member()
        yield Member(KEY, b"".join(pieces))

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The new content in one stream, or the streams as they are without what stands behind.  Raises FilterError."""
        if KEY in changes:
            return self.encode(changes[KEY])
        return data[: self._decoded(data, budget)[1]]

    def _decoded(self, data: bytes, budget: Budget) -> tuple[list[bytes], int]:
        meter = Meter(budget, len(data))
        pieces: list[bytes] = []
        at = end = count = 0
        while count == 0 or data.startswith(self.magic, at):
            more, end = decoded(self.decoder(), data, at, meter)
            pieces += more
            count += 1
            if count > MAX_STREAMS:
                raise TooBig("limit of streams")
            at = _past_zeros(data, end) if self.padded else end
        return pieces, end


def _past_zeros(data: bytes, at: int) -> int:
    while data.startswith(b"\0\0\0\0", at):
        at += 4
    return at


def behind(data: bytes, start: int, end: int, budget: Budget) -> Iterator[Member]:
    """The bytes ``start``..``end``, which belong to no member, if they could be a picture."""
    if worth(data[start:end]):
        budget.member()
        yield Member(f"bytes@{start}", data[start:end])


BZIP2 = Stream("bzip2", b"BZh", bz2.BZ2Decompressor, bz2.compress)
XZ = Stream("xz", b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LZMA_MEMORY), lzma.compress, padded=True)
