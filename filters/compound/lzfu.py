"""Compressed rich text of mail programs: LZFu and MELA (MS-OXRTFCP 2.1 and 2.2)."""

from __future__ import annotations

import zlib
from typing import Final

from filters.api import Budget, Malformed, TooBig

_PRESET: Final = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans Serif"
    b"SymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW: Final = 4096
_HEAD: Final = 16
_COMPRESSED, _STORED = b"LZFu", b"MELA"
_LARGEST: Final = 64 << 20  # bytes of one text
_EVERY: Final = 4096  # steps between two looks at the clock


def decompressed(data: bytes, budget: Budget) -> bytes:
    """The rich text.  Raises Malformed when size, kind or checksum do not fit, TooBig beyond the limits."""
    if len(data) < _HEAD:
        raise Malformed("rich text without header")
    size, raw = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
    kind, crc = data[8:12], int.from_bytes(data[12:16], "little")
    body = data[_HEAD : size + 4]
    if size + 4 > len(data) or size < _HEAD - 4:
        raise Malformed("rich text is truncated")
    if raw > _LARGEST:
        raise TooBig("rich text")
    budget.grow(raw, len(data))
    if kind == _STORED:
        if len(body) < raw:
            raise Malformed("rich text is truncated")
        return body[:raw]
    if kind != _COMPRESSED or crc != zlib.crc32(body, 0xFFFFFFFF) ^ 0xFFFFFFFF:  # initial value 0, not inverted (2.1.3.2)
        raise Malformed("rich text is damaged")
    return _inflated(body, raw, budget)


def _inflated(body: bytes, raw: int, budget: Budget) -> bytes:
    out, at, steps = bytearray(_PRESET), 0, 0
    end = len(_PRESET) + raw
    while at < len(body):
        steps += 1
        if steps % _EVERY == 0:
            budget.tick()
        control, at = body[at], at + 1
        for bit in range(8):
            if not control >> bit & 1:
                out += body[at : at + 1]
                at += 1
                continue
            if at + 2 > len(body):
                raise Malformed("rich text is truncated")
            word, at = int.from_bytes(body[at : at + 2], "big"), at + 2
            if word >> 4 == len(out) % _WINDOW:
                return _whole(out, end)
            _copy(out, word >> 4, (word & 15) + 2)
        if len(out) > end:
            raise Malformed("rich text is longer than stated")
    return _whole(out, end)


def _copy(out: bytearray, place: int, count: int) -> None:
    """``count`` letters from ``place`` of the window, which may run into what is being written."""
    back = (len(out) - place) % _WINDOW
    start = len(out) - back
    if start < 0:
        raise Malformed("rich text refers to nothing")
    for index in range(start, start + count):
        out.append(out[index])


def _whole(out: bytearray, end: int) -> bytes:
    if len(out) < end:
        raise Malformed("rich text is shorter than stated")
    return bytes(out[len(_PRESET) : end])
