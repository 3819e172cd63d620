"""RLE frames (PS3.5 Annex G): what stands behind the last byte that is shown is blanked, lengths and offsets stay."""

from __future__ import annotations

import struct
from itertools import pairwise

from filters.api import Malformed

_HEADER = 64
_MOST_SEGMENTS = 15
_BLANK = b"\0\x80"  # padding, and the code that means nothing


def clean(frame: bytes, plane: int) -> bytes:
    """The frame, each segment blanked behind the ``plane`` bytes it decodes to; the very same object when all was blank."""
    if len(frame) < _HEADER:
        raise Malformed("bad header of an RLE frame")
    count, *offsets = struct.unpack_from("<16I", frame)
    told = [*offsets[:count], len(frame)]
    if not 1 <= count <= _MOST_SEGMENTS or told[0] != _HEADER or any(a >= b for a, b in pairwise(told)):
        raise Malformed("bad header of an RLE frame")
    out = bytearray(frame)
    out[4 + 4 * count : _HEADER] = bytes(_HEADER - 4 - 4 * count)
    for start, end in pairwise(told):
        shown = _shown(frame, start, end, plane)
        if frame[shown:end].strip(_BLANK):
            out[shown:end] = b"\x80" * (end - shown)
    return frame if out == frame else bytes(out)


def _shown(frame: bytes, at: int, end: int, plane: int) -> int:
    """Where the segment's bytes that are shown end (G.3.2)."""
    left = plane
    while left > 0 and at < end:
        code = frame[at]
        if code < 128:
            at, left = at + 2 + code, left - 1 - code
        elif code > 128:
            at, left = at + 2, left - 257 + code
        else:
            at += 1
    return min(at, end)
