"""What the headers of a RAR archive say of it: one of several volumes, encrypted (RAR 5.0 archive format, RAR technote)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from filters.api import Encrypted, Malformed, Unsupported

_FIVE = b"Rar!\x1a\x07\x01\x00"
_MOST = 100_000  # blocks
_MAIN, _FILE = 1, 2  # kinds of block as RAR 5 numbers them; those of RAR 3 are translated
_OTHER = 3


@dataclass(frozen=True, slots=True)
class _Block:
    kind: int
    volume: bool = False
    sealed: bool = False


def check(data: bytes) -> None:
    """Raises Unsupported for a volume of several or some sealed files, Encrypted when all are, Malformed."""
    blocks = list(_five(data) if data.startswith(_FIVE) else _three(data))
    if any(block.volume for block in blocks):
        raise Unsupported("rar of several volumes")
    files = [block.sealed for block in blocks if block.kind == _FILE]
    if files and all(files):
        raise Encrypted("rar")
    if any(files):
        raise Unsupported("rar with sealed and open files")


def _three(data: bytes) -> Iterator[_Block]:
    at = 7
    for _ in range(_MOST):
        if at + 7 > len(data):
            return
        kind, flags, size = struct.unpack_from("<BHH", data, at + 2)
        if size < 7:
            raise Malformed("rar block")
        if kind == 0x73 and flags & 0x80:
            raise Encrypted("rar headers")
        if kind == 0x7B:
            return
        yield _block_three(kind, flags)
        at += size + _packed_three(data, at, kind, flags)
    raise Malformed("rar blocks")


def _block_three(kind: int, flags: int) -> _Block:
    if kind == 0x73:
        return _Block(_MAIN, volume=bool(flags & 1))
    if kind == 0x74:
        return _Block(_FILE, volume=bool(flags & 3), sealed=bool(flags & 4))
    return _Block(_OTHER)


def _packed_three(data: bytes, at: int, kind: int, flags: int) -> int:
    """Bytes of data behind the header."""
    if not (flags & 0x8000 or kind in (0x74, 0x7A)) or at + 11 > len(data):
        return 0
    low = int.from_bytes(data[at + 7 : at + 11], "little")
    high = int.from_bytes(data[at + 32 : at + 36], "little") if kind in (0x74, 0x7A) and flags & 0x100 else 0
    return high << 32 | low


def _five(data: bytes) -> Iterator[_Block]:
    at = 8
    for _ in range(_MOST):
        size, start = _number(data, at + 4)
        kind, body = _number(data, start)
        if not size or start + size > len(data):
            return
        if kind == 4:
            raise Encrypted("rar headers")
        if kind == 5:
            return
        flags, body = _number(data, body)
        extra, body = _number(data, body) if flags & 1 else (0, body)
        packed, body = _number(data, body) if flags & 2 else (0, body)
        volume = bool(flags & 0x18) or (kind == _MAIN and bool(_number(data, body)[0] & 1))
        yield _Block(kind, volume, kind == _FILE and _sealed(data, start + size - extra, start + size))
        at = start + size + packed
    raise Malformed("rar blocks")


def _sealed(data: bytes, at: int, end: int) -> bool:
    """One of the extra records says that the file is encrypted."""
    while at < end:
        size, start = _number(data, at)
        if _number(data, start)[0] == 1:
            return True
        at = start + max(1, size)
    return False


def _number(data: bytes, at: int) -> tuple[int, int]:
    """(a number of seven bits a byte, where it ends)."""
    value = 0
    for shift in range(0, 63, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            break
    return value, at
