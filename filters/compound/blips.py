"""Pictures in the drawing records of old Office files (OfficeArt, [MS-ODRAW] 2.2.23: BLIPs)."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from filters.api import Budget, Malformed

_HEAD = re.compile(rb"(?s)..[\x1a-\x1f\x29\x2a]\xf0", re.S)
_EMF, _WMF, _PICT, _DIB = 0xF01A, 0xF01B, 0xF01C, 0xF01F
# Instances that have one identifier of 16 bytes in front; the next odd number has two.
_INSTANCES: Final = {
    0xF01A: (0x3D4,), 0xF01B: (0x216,), 0xF01C: (0x542,), 0xF01D: (0x46A, 0x6E2), 0xF01E: (0x6E0,), 0xF01F: (0x7A8,),
    0xF029: (0x6E4,), 0xF02A: (0x46A, 0x6E2),
}  # fmt: skip
_METAFILES: Final = frozenset((_EMF, _WMF, _PICT))
_METAFILE_HEAD = 34
_PACKED, _PLAIN = 0, 0xFE


def blips(data: bytes, budget: Budget) -> Iterator[tuple[int, int, bytes]]:
    """(start, end, file) of each picture in ``data``.  A bitmap without a file header is given one.  Raises TooBig, Malformed."""
    end = 0
    for match in _HEAD.finditer(data):
        start = match.start()
        if start < end or start + 8 > len(data):
            continue
        word, kind, size = struct.unpack_from("<HHI", data, start)
        instance = word >> 4
        if instance & ~1 not in _INSTANCES[kind] or start + 8 + size > len(data):
            continue
        ids = 16 * (1 + instance % 2)
        body = data[start + 8 + ids : start + 8 + size]
        budget.member()
        yield start, start + 8 + size, _metafile(body, budget) if kind in _METAFILES else _bitmap(kind, body[1:])
        end = start + 8 + size


def _metafile(body: bytes, budget: Budget) -> bytes:
    if len(body) < _METAFILE_HEAD:
        raise Malformed("metafile in a drawing record")
    packed = body[_METAFILE_HEAD:]
    if body[32] != _PACKED:
        return packed
    try:
        stream = zlib.decompressobj()
        plain = stream.decompress(packed, budget.room + 1)
    except zlib.error:
        raise Malformed("metafile in a drawing record") from None
    budget.grow(len(plain), len(packed))
    return plain


def _bitmap(kind: int, body: bytes) -> bytes:
    if kind != _DIB or len(body) < 40:
        return body
    header = struct.unpack_from("<I", body)[0]
    bits, colours = struct.unpack_from("<H", body, 14)[0], struct.unpack_from("<I", body, 32)[0]
    table = 4 * (colours or (1 << bits if bits <= 8 else 0))
    offset = 14 + header + table
    return b"BM" + struct.pack("<IHHI", len(body) + 14, 0, 0, min(offset, 0xFFFFFFFF)) + body
