"""Metadata inside coded frames: JPEG and JPEG-LS segments go, JPEG 2000 comments are blanked; coded data stay byte for byte.

ITU T.81 Annex B, T.87 Annex C (JPEG-LS: behind FF only bytes below 80 belong to a scan), T.800 Annex A.
"""

from __future__ import annotations

import re

from filters.api import Malformed, Unsupported
from filters.dicom import jp2
from filters.dicom.transfer import Coding
from filters.jpegxl.scrubber import JXL
from filters.metadata import icc

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_CODING = frozenset(range(0xC0, 0xD0)) | {0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xF7, 0xF8}  # SOFs, tables, scans, LSE
_SCAN_END = {
    Coding.JPEG: re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]"),
    Coding.JPEG_LS: re.compile(rb"\xff+[\x80-\xcf\xd8-\xfe]"),
}
_MAX_SEGMENTS = 20_000
_ICC = b"ICC_PROFILE\0\x01\x01"


def clean(frame: bytes, coding: Coding) -> bytes:
    """The frame without what is no picture; the very same object when there was nothing.  Raises FilterError."""
    if coding in _SCAN_END:
        return _jpeg(frame, coding)
    if coding is Coding.JPEG_2000:
        return jp2.clean(frame, _jpeg_2000) if frame.startswith(jp2.SIGNATURE) else _jpeg_2000(frame)
    if coding is Coding.JPEG_XL:
        return padded(JXL.scrub(frame).data, frame)
    return frame


def padded(done: bytes, frame: bytes) -> bytes:
    """``done``, or ``frame`` itself when it is the same but for the byte that makes its length even."""
    return frame if done + b"\0" * (len(done) & 1) == frame else done


# ---- JPEG


def _jpeg(frame: bytes, coding: Coding) -> bytes:
    if frame[:2] != b"\xff\xd8":
        raise Malformed("no SOI in a frame")
    keep = bytearray(b"\xff\xd8")
    at = 2
    for _ in range(_MAX_SEGMENTS):
        marker, start, after = _marker(frame, at)
        if marker == _EOI:
            keep += b"\xff\xd9" + _padding(frame, after)
            return frame if keep == frame else bytes(keep)
        end = after + int.from_bytes(frame[after : after + 2], "big")
        if marker == _SOI or not after + 2 <= end <= len(frame):
            raise Malformed("bad segment in a frame")
        keep += _segment(marker, frame[after + 2 : end], frame[start:end])
        at = end
        if marker == _SOS:
            at = _scan_end(frame, end, coding)
            keep += frame[end:at]
            if at == len(frame):  # no EOI: decoders take what is there
                return frame if keep == frame else bytes(keep)
    raise Malformed("too many segments in a frame")


def _marker(frame: bytes, at: int) -> tuple[int, int, int]:
    """(marker, its offset, offset behind it); bytes between segments are passed over."""
    while True:
        start = frame.find(b"\xff", at)
        if start < 0 or start + 1 >= len(frame):
            raise Malformed("frame without end")
        code = frame[start + 1]
        if code not in (0, 0xFF, 0x01) and not 0xD0 <= code <= 0xD7:
            return code, start, start + 2
        at = start + (1 if code == 0xFF else 2)


def _segment(marker: int, body: bytes, whole: bytes) -> bytes:
    """What stays of a segment."""
    if marker in _CODING and marker != 0xC8:
        return whole
    if marker == 0xE0 and body[:5] == b"JFIF\0" and len(body) >= 14:
        return b"\xff\xe0\0\x10" + body[:12] + b"\0\0"
    if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
        return b"\xff\xee\0\x0e" + body[:12]
    if marker == 0xE8 and body[:4] == b"mrfx" and len(body) == 5:  # colour transform of JPEG-LS
        return whole
    if marker == 0xE2 and body[:14] == _ICC and not icc.clean(body[14:]).code:
        return whole
    return b""


def _scan_end(frame: bytes, at: int, coding: Coding) -> int:
    found = _SCAN_END[coding].search(frame, at)
    return found.start() if found else len(frame)


def _padding(frame: bytes, at: int) -> bytes:
    """NUL and FF behind EOI, as writers fill up fragments; anything else goes."""
    tail = frame[at:]
    return tail if not tail.strip(b"\0\xff") else b"\0" * (at & 1)


# ---- JPEG 2000

_SOC, _SIZ, _SOT, _SOD, _EOC, _COM = 0xFF4F, 0xFF51, 0xFF90, 0xFF93, 0xFFD9, 0xFF64
_HEADER = frozenset(range(0xFF50, 0xFF70)) | {0xFF30 + i for i in range(16)} | {0xFF74, 0xFF75, 0xFF76, 0xFF77, 0xFF78, 0xFF79}


def _jpeg_2000(frame: bytes) -> bytes:
    if frame[:4] != b"\xff\x4f\xff\x51":
        raise Unsupported("no JPEG 2000 codestream in a frame")
    out = bytearray(frame)
    at = _headers(out, 2)
    for _ in range(_MAX_SEGMENTS * 4):
        marker = int.from_bytes(out[at : at + 2], "big")
        if marker == _EOC or at >= len(out) - 1:
            break
        if marker != _SOT or at + 12 > len(out):
            raise Malformed("bad tile-part in a frame")
        length = int.from_bytes(out[at + 6 : at + 10], "big")
        end = at + length if length else len(out)
        body = _headers(out, at + 12)
        if not body < end <= len(out):
            raise Malformed("bad tile-part in a frame")
        at = end
    else:
        raise Malformed("too many tile-parts in a frame")
    if at < len(out) - 1:
        tail = bytes(out[at + 2 :])
        out[at + 2 :] = tail if not tail.strip(b"\0\xff") else b"\0" * (at & 1)
    return frame if out == frame else bytes(out)


def _headers(out: bytearray, at: int) -> int:
    """Blank the comments from ``at`` to the next SOT or SOD; its offset."""
    for _ in range(_MAX_SEGMENTS):
        marker = int.from_bytes(out[at : at + 2], "big")
        if marker in (_SOT, _SOD):
            return at
        end = at + 2 + int.from_bytes(out[at + 2 : at + 4], "big")
        if marker not in _HEADER or not at + 4 <= end <= len(out):
            raise Malformed("bad header in a frame")
        if marker == _COM:
            out[at + 4 : end] = bytes(end - at - 4)
        at = end
    raise Malformed("too many headers in a frame")
