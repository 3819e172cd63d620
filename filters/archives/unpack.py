"""Decompression of streams whose decoded size is announced: never a byte more is made than was announced and paid for."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

from filters.api import Malformed

LZMA_MEMORY = 96 << 20  # bytes a decoder may take: xz -9 needs 65 MiB
_SMALLEST_DICTIONARY = 4096
_LONG_STREAM = 1  # ZIP flag bit 1 with LZMA: an end marker stands in the stream (APPNOTE 5.8.9)


class Decoder(Protocol):
    """What bz2, lzma and ``streams.Inflater`` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def deflated(stored: bytes | memoryview, size: int, flags: int = 0) -> bytes:
    """One raw deflate stream (RFC 1951) of exactly ``size`` bytes.  Raises Malformed."""
    decoder = zlib.decompressobj(-15)
    try:
        out = decoder.decompress(stored, size + 1)
    except zlib.error:
        raise Malformed("deflate stream") from None
    if len(out) != size or not decoder.eof or decoder.unused_data:
        raise Malformed("deflate stream of another length")
    return out


def bzipped(stored: bytes | memoryview, size: int, flags: int = 0) -> bytes:
    """One bzip2 stream of exactly ``size`` bytes.  Raises Malformed."""
    return _exactly(bz2.BZ2Decompressor(), stored, size)


def xzipped(stored: bytes | memoryview, size: int, flags: int = 0) -> bytes:
    """One xz stream of exactly ``size`` bytes.  Raises Malformed."""
    return _exactly(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LZMA_MEMORY), stored, size)


def lzma_in_zip(stored: bytes | memoryview, size: int, flags: int = 0) -> bytes:
    """An LZMA stream behind the header that ZIP gives it (APPNOTE 5.8.8), exactly ``size`` bytes.  Raises Malformed."""
    if len(stored) < 9:
        raise Malformed("LZMA header")
    length, properties, dictionary = struct.unpack_from("<HBI", stored, 2)
    power, rest = divmod(properties, 45)  # lc + 9 * lp + 45 * pb
    if length != 5 or power > 4 or sum(divmod(rest, 9)) > 4:
        raise Malformed("LZMA properties")
    chain = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(_SMALLEST_DICTIONARY, min(dictionary, size)),  # nothing can lie further back than the beginning
        "lc": rest % 9,
        "lp": rest // 9,
        "pb": power,
    }
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])
    return _exactly(decoder, stored[9:], size, marked=bool(flags >> 1 & _LONG_STREAM))


def _exactly(decoder: Decoder, stored: bytes | memoryview, size: int, marked: bool = True) -> bytes:
    """All of one stream; ``marked``: the stream itself says where it ends."""
    parts: list[bytes] = []
    room, fed = size + 1, bytes(stored)
    while room > 0 and not decoder.eof:
        try:
            part = decoder.decompress(fed, room)
        except (OSError, EOFError, ValueError, lzma.LZMAError, MemoryError):
            raise Malformed("compressed stream") from None
        fed = b""
        parts.append(part)
        room -= len(part)
        if not part and decoder.needs_input:
            break
    if room != 1 or decoder.unused_data or (marked and not decoder.eof):
        raise Malformed("compressed stream of another length")
    return b"".join(parts)


METHODS: Mapping[int, Callable[[bytes | memoryview, int, int], bytes]] = {
    8: deflated,
    12: bzipped,
    14: lzma_in_zip,
    95: xzipped,
}
"""Method of a ZIP member (APPNOTE 4.4.5) -> its decoder; 0 is stored."""
