"""The marker segments of a JPEG file (ITU T.81 Annex B), by offset: nothing is copied, nothing decoded.

The walk is stricter than decoders are: whatever two programs might read differently is ``Malformed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from filters.api import Malformed

SOI, EOI, SOS, DQT, DNL, DRI, DHP, EXP = range(0xD8, 0xE0)
DHT, DAC, COM, TEM = 0xC4, 0xCC, 0xFE, 0x01
JPEG_LS = frozenset((0xF7, 0xF8))  # ISO 14495: another codec in the same envelope
SOF = frozenset(range(0xC0, 0xD0)) - {DHT, DAC, 0xC8}
RST = range(0xD0, 0xD8)
MAX_SEGMENTS = 20_000  # of one file; a phone's largest panorama has some hundreds

_CHUNK = 1 << 16  # bytes scanned at a time: fits the L2 cache


class Kind(Enum):
    SEGMENT = "segment"  # marker, length, body
    SCAN = "scan"  # entropy-coded data
    GAP = "gap"  # bytes that no marker announces, and markers that mean nothing where they stand
    END = "end"  # EOI itself


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of the file: ``start``..``end`` with its fill bytes, ``body`` where a segment's content begins."""

    kind: Kind
    marker: int
    start: int
    end: int
    body: int = 0
    restarts: tuple[int, ...] = ()  # offsets of the RST markers of a scan


def walk(data: bytes) -> tuple[Piece, ...]:
    """All pieces from after SOI to EOI; the last one is END.  Raises Malformed."""
    if data[:2] != b"\xff\xd8":
        raise Malformed("no SOI")
    pieces: list[Piece] = []
    at, size = 2, len(data)
    while True:
        if len(pieces) > MAX_SEGMENTS:
            raise Malformed("too many segments")
        marker, start, after = _next_marker(data, at)
        if start > at:
            pieces.append(Piece(Kind.GAP, 0, at, start))
        if marker == EOI:
            pieces.append(Piece(Kind.END, EOI, start, after))
            return tuple(pieces)
        if marker == SOI:
            raise Malformed("second SOI before EOI")
        if marker == TEM or marker in RST:
            pieces.append(Piece(Kind.GAP, marker, start, after))
            at = after
            continue
        if after + 2 > size:
            raise Malformed("truncated segment")
        at = after + int.from_bytes(data[after : after + 2], "big")
        if at < after + 2 or at > size:
            raise Malformed("segment length lies")
        pieces.append(Piece(Kind.SEGMENT, marker, start, at, after + 2))
        if marker == SOS:
            end, restarts = scan_end(data, at)
            pieces.append(Piece(Kind.SCAN, SOS, at, end, at, restarts))
            at = end


def _next_marker(data: bytes, at: int) -> tuple[int, int, int]:
    """(marker, offset of its first fill byte or 0xFF, offset after it) of the next marker at or after ``at``."""
    while True:
        start = data.find(b"\xff", at)
        if start < 0:
            raise Malformed("no EOI")
        code = start + 1
        while code < len(data) and data[code] == 0xFF:
            code += 1
        if code >= len(data):
            raise Malformed("no EOI")
        if data[code]:
            return data[code], start, code + 1
        at = code + 1  # a stuffed FF 00 outside a scan is no marker


def scan_end(data: bytes, at: int) -> tuple[int, tuple[int, ...]]:
    """Where the entropy-coded data that begins at ``at`` ends (the next marker's first 0xFF), and its RST markers."""
    array = np.frombuffer(data, np.uint8)
    restarts: list[int] = []
    for low in range(at, len(data) - 1, _CHUNK):
        chunk = array[low : low + _CHUNK + 1]
        following = chunk[1:]
        hits = (chunk[:-1] == 0xFF) & (following != 0)
        if not hits.any():
            continue
        offsets = np.flatnonzero(hits)
        codes = following[offsets]
        stops = offsets[((codes & 0xF8) != 0xD0) & (codes != 0xFF)]
        marks = offsets[(codes & 0xF8) == 0xD0]
        if stops.size:
            stop = int(stops[0])
            restarts += (low + marks[marks < stop]).tolist()
            return _before_fill(data, low + stop, at), tuple(restarts)
        restarts += (low + marks).tolist()
    raise Malformed("no EOI")


def _before_fill(data: bytes, at: int, floor: int) -> int:
    """The first of the 0xFF fill bytes that stand before the marker at ``at``."""
    while at > floor and data[at - 1] == 0xFF:
        at -= 1
    return at
