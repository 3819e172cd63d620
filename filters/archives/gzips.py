"""gzip files (RFC 1952): one content in one or more members, each with a header that may tell its file's name and time."""

from __future__ import annotations

import binascii
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from filters.api import STRICT, Budget, Cleaning, Fate, Finding, Malformed, Member, Seen, TooBig, Unsupported
from filters.archives.streams import KEY, MAX_STREAMS, Inflater, Meter, behind, decoded

_MAGIC = b"\x1f\x8b"
_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # deflate, no flags, no time, unknown system
_CRC, _EXTRA, _NAME, _COMMENT, _RESERVED = 0x02, 0x04, 0x08, 0x10, 0xE0
_CODES: Mapping[int, str] = {_EXTRA: "gzip.extra-field", _NAME: "gzip.name", _COMMENT: "gzip.comment"}


@dataclass(frozen=True, slots=True)
class _Part:
    """One gzip member: the span of its deflate stream with CRC and length."""

    start: int  # of its header
    body: int
    end: int
    flags: int
    time: int
    name: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _File:
    parts: tuple[_Part, ...]
    content: bytes = field(repr=False)
    end: int  # behind the last part


class Gzip:
    """The opener.  One member, ``streams.KEY``."""

    name = "gzip"
    native = False
    rebuilds = True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """The content, and what stands in headers or behind the last part.  Raises FilterError."""
        file = _read(data, budget)
        yield from _findings(file)
        if data.count(0, file.end) != len(data) - file.end:
            yield Finding("gzip.trailer", f"byte@{file.end}", Fate.REMOVED)
            yield from behind(data, file.end, len(data), budget)
        for part in file.parts:
            yield from _hidden(data, part, budget)
        budget.member()
        yield Member(KEY, file.content, file.parts[0].name.decode("latin-1"))

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The new content in one part, or the parts as they are, with headers that tell nothing.  Raises FilterError."""
        if KEY in changes:
            return _packed(changes[KEY])
        return b"".join(_HEADER + data[part.body : part.end] for part in _read(data, budget).parts)


def _findings(file: _File) -> Iterator[Finding]:
    told: set[str] = set()
    for part in file.parts:
        codes = {code for bit, code in _CODES.items() if part.flags & bit} | ({"gzip.time"} if part.time else set())
        for code in sorted(codes - told):
            yield Finding(code, f"byte@{part.start}", Fate.REMOVED)
        told |= codes


def _hidden(data: bytes, part: _Part, budget: Budget) -> Iterator[Member]:
    """A header long enough to hold a picture."""
    if part.body - part.start > 64:
        yield from behind(data, part.start, part.body, budget)


def _read(data: bytes, budget: Budget) -> _File:
    meter = Meter(budget, len(data))
    parts: list[_Part] = []
    pieces: list[bytes] = []
    at = 0
    while not parts or data.startswith(_MAGIC + b"\x08", at):
        part, more = _part(data, at, meter)
        parts.append(part)
        pieces += more
        at = part.end
        if len(parts) > MAX_STREAMS:
            raise TooBig("limit of streams")
    return _File(tuple(parts), b"".join(pieces), at)


def _part(data: bytes, start: int, meter: Meter) -> tuple[_Part, list[bytes]]:
    if start + 18 > len(data) or not data.startswith(_MAGIC, start):
        raise Malformed("gzip header")
    method, flags, time = struct.unpack_from("<BBI", data, start + 2)
    if method != 8 or flags & _RESERVED:
        raise Unsupported("gzip method")
    at, name = start + 10, b""
    if flags & _EXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    if flags & _NAME:
        name, at = _string(data, at)
    if flags & _COMMENT:
        _, at = _string(data, at)
    if flags & _CRC:
        at += 2
    pieces, end = decoded(Inflater(), data, at, meter)
    if end + 8 > len(data):
        raise Malformed("gzip ends early")
    if struct.unpack_from("<II", data, end) != _check(pieces):
        raise Malformed("gzip CRC")
    return _Part(start, at, end + 8, flags, time, name), pieces


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\0", at)
    if end < 0:
        raise Malformed("gzip header")
    return data[at:end], end + 1


def _check(pieces: list[bytes]) -> tuple[int, int]:
    crc = 0
    for piece in pieces:
        crc = binascii.crc32(piece, crc)
    return crc, sum(map(len, pieces)) & 0xFFFFFFFF


def _packed(content: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return b"".join((_HEADER, packer.compress(content), packer.flush(), struct.pack("<II", *_check([content]))))


GZIP = Gzip()
