"""The boxes of JPEG 2000 and JPEG XL files (ISO 15444-1 Annex I.4), by offset."""

from __future__ import annotations

from dataclasses import dataclass

from filters.api import Malformed

MAX_BOXES = 100_000
_PICTURE = frozenset((b"jp2h", b"jp2c", b"jpch", b"jplh", b"jxlc", b"jxlp", b"ihdr", b"colr", b"pclr", b"cmap", b"cdef"))


@dataclass(frozen=True, slots=True)
class Box:
    """``start``..``end`` with its header; the content begins at ``body``.  ``open``: its length says "to the end of the file"."""

    name: bytes
    start: int
    body: int
    end: int
    open: bool = False


def walk(data: bytes, at: int, end: int) -> list[Box]:
    """The boxes between ``at`` and ``end``; bytes that are no box end the list (its last ``end`` is then less).

    Raises Malformed for a box of the picture that reaches beyond ``end``.
    """
    found: list[Box] = []
    while at + 8 <= end:
        length, name, body = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], at + 8
        if length == 1:
            length, body = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        stop = at + length if length else end
        if len(found) >= MAX_BOXES:
            raise Malformed("too many boxes")
        if stop < body or stop > end or not all(32 <= code < 127 for code in name):
            if not found or name in _PICTURE:
                raise Malformed("box length")
            return found  # a tail, or a box of metadata that was cut off
        found.append(Box(name, at, body, stop, not length))
        at = stop
    return found


def head(name: bytes, size: int) -> bytes:
    """The header of a box with ``size`` bytes of content."""
    if size + 8 < 1 << 32:
        return (size + 8).to_bytes(4, "big") + name
    return b"\0\0\0\1" + name + (size + 16).to_bytes(8, "big")
