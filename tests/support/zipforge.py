"""ZIP archives in which every field may lie.  Each attribute left at None is what an honest writer would have put there."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
TIME = 0x5A23 << 16 | 0x6B12  # a day in 2025


@dataclass(frozen=True)
class Piece:
    """One member; ``local_*`` is what its local header says where that differs."""

    name: bytes = b"a.txt"
    content: bytes = b"content"
    method: int = 8
    flags: int = 0
    time: int = TIME
    extra: bytes = b""
    comment: bytes = b""
    attributes: int = 0
    made: int = 20
    body: bytes | None = None  # stored bytes
    crc: int | None = None
    size: int | None = None
    stored: int | None = None
    offset: int | None = None
    disk: int = 0
    gap: bytes = b""  # before it
    descriptor: bytes = b""  # behind it
    local_name: bytes | None = None
    local_method: int | None = None
    local_extra: bytes | None = None
    local_crc: int | None = None
    local_size: int | None = None
    local_stored: int | None = None
    local_flags: int | None = None


def _or(value: T | None, other: T) -> T:
    return other if value is None else value


def deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def forge(
    pieces: Sequence[Piece],
    comment: bytes = b"",
    prefix: bytes = b"",
    before_directory: bytes = b"",
    in_directory: bytes = b"",
    trailer: bytes = b"",
    shift: int = 0,
    count: int | None = None,
) -> bytes:
    """The archive.  ``shift`` is taken from every offset, as if ``prefix`` had been put before a finished archive."""
    out, directory = bytearray(prefix), bytearray()
    for piece in pieces:
        out += piece.gap
        packed = _or(piece.body, deflate(piece.content) if piece.method == 8 else piece.content)
        crc, size, stored = (
            _or(piece.crc, zlib.crc32(piece.content)),
            _or(piece.size, len(piece.content)),
            _or(piece.stored, len(packed)),
        )
        place = _or(piece.offset, len(out) - shift)
        name, extra = _or(piece.local_name, piece.name), _or(piece.local_extra, piece.extra)
        out += b"PK\3\4" + struct.pack(
            "<HHHIIIIHH", 20, _or(piece.local_flags, piece.flags), _or(piece.local_method, piece.method), piece.time,
            _or(piece.local_crc, crc), _or(piece.local_stored, stored), _or(piece.local_size, size), len(name), len(extra),
        )  # fmt: skip
        out += name + extra + packed + piece.descriptor
        directory += b"PK\1\2" + struct.pack(
            "<HHHHIIIIHHHHHII", piece.made, 20, piece.flags, piece.method, piece.time, crc, stored, size, len(piece.name),
            len(piece.extra), len(piece.comment), piece.disk, 0, piece.attributes, place,
        )  # fmt: skip
        directory += piece.name + piece.extra + piece.comment
    out += before_directory
    start = len(out) - shift
    directory += in_directory
    number = _or(count, len(pieces))
    end = struct.pack("<HHHHIIH", 0, 0, number, number, len(directory), start, len(comment))
    return bytes(out + directory + b"PK\5\6" + end + comment + trailer)


def field(kind: int, body: bytes) -> bytes:
    """One extra field."""
    return struct.pack("<HH", kind, len(body)) + body
