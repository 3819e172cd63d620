"""JPEG data inside TIFF: Technical Note 2 (compression 7) and the old way of TIFF 6.0 section 22 (compression 6).

Only whole segments are cut out of the streams: the coded data stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from filters.api import Malformed
from filters.jpeg import frame, segments
from filters.jpeg.segments import Kind, Piece

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_TABLES = frozenset((segments.DQT, segments.DHT, segments.DAC, segments.DRI))
_JFIF_BODY, _ADOBE_BODY = 14, 12


@dataclass(slots=True)
class Stream:
    """Where a stream ends and what is to be cut out of it, all as offsets of the file."""

    end: int
    cuts: list[tuple[int, int]] = field(default_factory=list)


def stream(data: bytes, start: int, end: int) -> Stream:
    """One complete or abbreviated stream with a picture.  Raises FilterError."""
    body = data[start:end]
    if body[:2] != _SOI:
        raise Malformed("no JPEG stream")
    if body.find(_EOI) < 0:
        body += _EOI  # cut off at the end of the strip: decoders supply it
    pieces = segments.walk(body)
    coding = frame.read(body, pieces)
    found = Stream(min(end, start + pieces[-1].end))
    for piece in pieces:
        if _goes(body, piece):
            found.cuts.append((start + piece.start, start + piece.end))
        elif piece.start in coding.cuts:
            found.cuts.append((start + coding.cuts[piece.start], start + piece.end))
    return found


def tables(body: bytes) -> bytes:
    """A stream of tables only (JPEGTables), without anything else; the very same object when it was clean."""
    if body[:2] != _SOI:
        raise Malformed("JPEGTables")
    out, at = bytearray(_SOI), 2
    while body[at : at + 2] != _EOI:
        if at + 4 > len(body) or body[at] != 0xFF:
            if body[at:].strip(b"\0\xff"):
                raise Malformed("JPEGTables")
            return body  # no end marker: programs supply it
        stop = at + 2 + int.from_bytes(body[at + 2 : at + 4], "big")
        marker = body[at + 1]
        if stop < at + 4 or stop > len(body) or marker in segments.SOF or marker == segments.SOS:
            raise Malformed("JPEGTables")
        if marker in _TABLES:
            out += body[at:stop]
        at = stop
    out += _EOI
    clean = bytes(out)
    return body if body[: len(clean)] == clean and not any(body[len(clean) :]) else clean


def header(data: bytes, start: int, end: int) -> Stream:
    """A stream that ends before its coded data: tables and headers, the scans stand in the strips.  Raises Malformed."""
    found, at = Stream(start + 2), start + 2
    while at + 4 <= end and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == segments.EOI:
            return Stream(at + 2, found.cuts)
        stop = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if stop < at + 4 or stop > end:
            break
        if marker in frame.CODING:
            found.end = stop
        else:
            found.cuts.append((at, stop))
        at = stop
        if marker == segments.SOS:
            return found
    return found


def _goes(body: bytes, piece: Piece) -> bool:
    """Application data, comments and bytes between segments; JFIF and Adobe stay in their shortest form."""
    if piece.kind is Kind.GAP:
        return True
    if piece.kind is not Kind.SEGMENT or piece.marker in frame.CODING:
        return False
    size = piece.end - piece.body
    if piece.marker == 0xE0 and body.startswith(b"JFIF\0", piece.body):
        return size != _JFIF_BODY or any(body[piece.end - 2 : piece.end])
    if piece.marker == 0xEE and body.startswith(b"Adobe", piece.body):
        if size > _ADOBE_BODY and any(body[piece.body + _ADOBE_BODY : piece.end]):
            raise Malformed("Adobe segment with a tail")
        return size < _ADOBE_BODY
    return True
