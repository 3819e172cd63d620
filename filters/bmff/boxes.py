"""Boxes of ISO base media files (ISO/IEC 14496-12 4.2): walked by offset, written from parts, read field by field."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from filters.api import Malformed

MAX_BOXES = 100_000  # of one container; an hour of fragments of one second has 7,200
_LARGEST = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its four letters, and the offsets where it, its body, and what follows begin."""

    kind: bytes
    start: int
    body: int
    end: int

    @property
    def where(self) -> str:
        """A structural place for findings: "moov@32"."""
        name = self.kind.decode("latin-1")
        return f"{name if name.isascii() and name.isalnum() else 'box'}@{self.start}"


def header(data: bytes, at: int, end: int) -> tuple[bytes, int, int] | None:
    """(kind, offset of the body, end) of the box at ``at``; None when none stands there.

    The end may lie beyond ``end``: what that means is the caller's to say.  A size of 0 means "to the end".
    """
    if at + 8 > end:
        return None
    size, kind = struct.unpack_from(">I4s", data, at)
    body = at + 8
    if size == 1:
        if at + 16 > end:
            return None
        size, body = struct.unpack_from(">Q", data, at + 8)[0], at + 16
    elif size == 0:
        size = end - at if any(kind) else 0  # zeros only: padding
    return (kind, body, at + size) if at + size >= body else None


def walk(data: bytes, start: int, end: int) -> tuple[Box, ...]:
    """The boxes of a container.  What follows the last one is no box (QuickTime closes lists with four zero bytes).

    Raises Malformed when a box is longer than its container.
    """
    found: list[Box] = []
    while (head := header(data, start, end)) is not None:
        if head[2] > end or len(found) >= MAX_BOXES:
            raise Malformed("box longer than its container" if head[2] > end else "too many boxes")
        found.append(Box(head[0], start, head[1], head[2]))
        start = head[2]
    return tuple(found)


def top(data: bytes) -> tuple[Box, ...]:
    """The boxes of a file.  A last mdat that claims more than there is ends with the file; else a trailer begins there."""
    found: list[Box] = []
    at, end = 0, len(data)
    while (head := header(data, at, end)) is not None:
        kind, body, after = head
        if after > end and kind != b"mdat":
            return tuple(found)
        if len(found) >= MAX_BOXES:
            raise Malformed("too many boxes")
        found.append(Box(kind, at, body, min(after, end)))
        at = min(after, end)
    return tuple(found)


def tail(boxes: tuple[Box, ...], start: int) -> int:
    """Where what is no box begins, in a container whose first box begins at ``start``."""
    return boxes[-1].end if boxes else start


def blank(data: bytes, start: int, end: int) -> bool:
    """No byte other than zero stands there."""
    return start >= end or data.count(0, start, end) == end - start


def write(kind: bytes, body: bytes) -> bytes:
    """One box."""
    return head(kind, len(body)) + body


def full(kind: bytes, version: int, flags: int, body: bytes) -> bytes:
    """One full box (14496-12 4.2.2)."""
    return write(kind, bytes((version,)) + flags.to_bytes(3, "big") + body)


def head(kind: bytes, length: int) -> bytes:
    """The header of a box whose body is ``length`` bytes long.  Raises Malformed above 4 GiB."""
    if length + 8 > _LARGEST:
        raise Malformed("box of more than 4 GiB")
    return struct.pack(">I4s", length + 8, kind)


class Reader:
    """Reads big-endian fields one after the other; Malformed instead of reading beyond the end."""

    __slots__ = ("_data", "at", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self._data, self.at, self.end = data, at, len(data) if end is None else end

    @property
    def left(self) -> int:
        return self.end - self.at

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        if size > self.end - self.at:
            raise Malformed("field beyond the end of its box")
        self.at += size
        return self._data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """An unsigned number of ``size`` bytes; 0 when it has none."""
        return int.from_bytes(self.take(size), "big")

    def full(self) -> tuple[int, int]:
        """(version, flags) of a full box."""
        return self.number(1), self.number(3)

    def string(self) -> bytes:
        """Up to a zero byte or the end."""
        stop = self._data.find(b"\0", self.at, self.end)
        found = self.take((self.end if stop < 0 else stop) - self.at)
        if stop >= 0:
            self.at += 1
        return found
