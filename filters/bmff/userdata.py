"""What programs and cameras write into coded pictures beside the picture: overwritten in place, so that nothing moves.

Only data that no decoder uses: "user data" messages (ITU-T H.264 and H.265 Annex D, H.274), units of reserved kinds, filler and
padding, AV1 metadata of nobody's kind (AV1 5.8, 6.7).  The lengths stay, therefore every other byte stays where it was.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

Patch = tuple[int, bytes]  # offset, what overwrites the bytes there

_ESCAPE = re.compile(rb"\0\0\x03")
_SPACE, _FILLER = 0x20, 0xFF
_UNREGISTERED, _REGISTERED, _FILLER_PAYLOAD, _LAST_KNOWN = 5, 4, 3, 230
_LONGEST = 1 << 20  # bytes of a unit looked into

# What libavcodec and others write of their own settings: it says nothing of the picture, and decoders work around old versions.
_VALUES = rb"-?[0-9a-fx.:,/+-]{1,60}|hex|umh|dia|esa|tesa|star|full|sea|crf|abr|cqp|cbr|2pass|none"
_SETTINGS = rb"( [a-z0-9_-]{1,24}(=(" + _VALUES + rb"))?){0,200} ?\0*"
_X264 = re.compile(
    rb"\xdc\x45\xe9\xbd\xe6\xd9\x48\xb7\x96\x2c\xd8\x20\xd9\x23\xee\xef(x264 - core \d{1,4})( r\d{1,5}M? [0-9a-f]{7})?"
    rb"( - H\.264/MPEG-4 AVC codec - Copy(left|right) 2003-20\d\d - http://www\.videolan\.org/x264\.html"
    rb" - options:" + _SETTINGS + rb")?"
)
_X264_HEAD = re.compile(rb"\xdc\x45\xe9\xbd\xe6\xd9\x48\xb7\x96\x2c\xd8\x20\xd9\x23\xee\xefx264 - core \d{1,4}")
_X265 = re.compile(
    rb"\x2c\xa2\xde\x09\xb5\x17\x47\xdb\xbb\x55\xa4\xfe\x7f\xc2\xfc\x4e"
    rb"x265 \(build \d{1,4}\) - [0-9.+a-f-]{1,30}(:[][A-Za-z0-9 .+]{1,80})?"
    rb" - H\.265/HEVC codec - Copyright 2013-20\d\d \(c\) Multicoreware,? Inc - http://x265\.org - options:" + _SETTINGS
)
# ITU-T T.35 messages that change how a picture is shown: HDR10+, Dolby Vision, HDR Vivid, active format.
_SHOWN = (b"\xb5\0\x3c\0\1\4", b"\xb5\0\x3b", b"\x26\0\4\0\5", b"\xb5\0\x31DTG1")


def hevc_unit(unit: bytes) -> list[Patch]:
    """Patches of one HEVC NAL unit (with its two bytes of header)."""
    if len(unit) < 3:
        return []
    kind = unit[0] >> 1 & 0x3F
    if kind in (39, 40):
        return _messages(unit, 2)
    if kind == 38:
        return _filled(unit, 2, _FILLER)
    return _filled(unit, 2, _SPACE) if 41 <= kind <= 61 else []  # reserved; 62 and 63 are Dolby Vision's


def avc_unit(unit: bytes) -> list[Patch]:
    """Patches of one AVC NAL unit (with its byte of header)."""
    kind = unit[0] & 0x1F if unit else 0
    if kind == 6:
        return _messages(unit, 1)
    if kind == 12:
        return _filled(unit, 1, _FILLER)
    return _filled(unit, 1, _SPACE) if kind in (22, 23, 24, 25, 26, 27, 29, 31) else []  # 28, 30 are Dolby Vision's


def _filled(unit: bytes, start: int, byte: int) -> list[Patch]:
    """All but the header (and the closing bits) overwritten, unless it is so already."""
    end = len(unit) - 1 if unit.endswith(b"\x80") else len(unit)
    return [] if unit.count(byte, start, end) == end - start else [(start, bytes((byte,)) * (end - start))]


def _messages(unit: bytes, at: int) -> list[Patch]:
    """The messages of an SEI unit: type and size are sums of bytes, the last of them not 255 (H.265 7.3.5)."""
    if len(unit) > _LONGEST:
        return _filled(unit, at, _SPACE)
    escapes = [found.end() - 1 for found in _ESCAPE.finditer(unit)]
    plain = _without(unit, escapes)
    found: list[Patch] = []
    while at < len(plain) - 2:
        kind, at = _sum(plain, at)
        size, at = _sum(plain, at)
        if at + size > len(plain):
            size = len(plain) - at
        for start, end, byte in _unwanted(kind, plain[at : at + size]):
            found += _overwrite(unit, escapes, at + start, at + end, byte)
        at += size
    return found


def _without(unit: bytes, escapes: list[int]) -> bytes:
    if not escapes:
        return unit
    edges = [-1, *escapes, len(unit)]
    return b"".join(unit[a + 1 : b] for a, b in pairwise(edges))


def _sum(data: bytes, at: int) -> tuple[int, int]:
    total = 0
    while at < len(data) and data[at] == 0xFF:
        total, at = total + 255, at + 1
    return (total + data[at], at + 1) if at < len(data) else (total, at)


def _unwanted(kind: int, payload: bytes) -> Iterator[tuple[int, int, int]]:
    """(start, end, byte that overwrites) within a message."""
    if kind == _FILLER_PAYLOAD:
        yield 0, len(payload), _FILLER
    elif kind == _UNREGISTERED:
        if _X264.fullmatch(payload) or _X265.fullmatch(payload):
            return
        head = _X264_HEAD.match(payload)
        yield head.end() if head else 0, len(payload), _SPACE
    elif (kind == _REGISTERED and not payload.startswith(_SHOWN)) or kind > _LAST_KNOWN:
        yield 0, len(payload), _SPACE


def _overwrite(unit: bytes, escapes: list[int], start: int, end: int, byte: int) -> list[Patch]:
    """A patch for plain bytes ``start``..``end``; the bytes of an escape sequence stay, or the size would change."""
    first = _raw(escapes, start)
    last = _raw(escapes, end - 1) + 1 if end > start else first
    fresh = bytearray(bytes((byte,)) * (last - first))
    for escape in escapes[bisect_left(escapes, first) : bisect_left(escapes, last + 2)]:
        for at in (escape - 2, escape - 1, escape):
            if first <= at < last:
                fresh[at - first] = unit[at]
    return [(first, bytes(fresh))] if fresh != unit[first:last] else []


def _raw(escapes: list[int], plain: int) -> int:
    """Offset in the unit of an offset without escapes."""
    before, after = 0, len(escapes)
    while before < after:  # the escapes that stand in front: the i-th one does if escape - i <= plain
        middle = (before + after) // 2
        if escapes[middle] - middle <= plain:
            before = middle + 1
        else:
            after = middle
    return plain + before


def _leb128(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 56:
        byte = data[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if not byte & 0x80:
            break
    return value, at


def obus(data: bytes, start: int = 0, end: int | None = None) -> list[Patch]:
    """Patches of AV1 open bitstream units (AV1 5.3); offsets as in ``data``."""
    found: list[Patch] = []
    at, end = start, len(data) if end is None else end
    while at < end:
        kind, extended, sized = data[at] >> 3 & 15, data[at] & 4, data[at] & 2
        at += 2 if extended else 1
        size, at = _leb128(data, at, end) if sized else (end - at, at)
        after = min(at + size, end)
        if kind == 5:
            found += _metadata(data, at, after)
        elif kind in (9, 10, 11, 12, 13, 14, 15):
            found += _zeroed(data, at, after)
        at = after
    return found


def _metadata(data: bytes, at: int, end: int) -> list[Patch]:
    kind, at = _leb128(data, at, end)
    if kind in (1, 2, 3, 5) or (kind == 4 and data[at:end].startswith(_SHOWN)):
        return []
    return _zeroed(data, at, end)


def _zeroed(data: bytes, at: int, end: int) -> list[Patch]:
    """Zeros and the closing bit."""
    fresh = bytes(max(0, end - at - 1)) + b"\x80"
    return [(at, fresh)] if at < end and data[at:end] != fresh else []


_UNITS: Mapping[bytes, Callable[[bytes], list[Patch]]] = {
    **dict.fromkeys((b"avc1", b"avc2", b"avc3", b"avc4", b"dvav", b"dva1"), avc_unit),
    **dict.fromkeys((b"hvc1", b"hev1", b"hvc2", b"hev2", b"dvh1", b"dvhe", b"lhv1", b"lhe1"), hevc_unit),
}
_AVC_KINDS = frozenset((6, 12, *range(22, 32)))
_HEVC_KINDS = frozenset(range(38, 62))


def sample(codec: bytes, nal_size: int, data: bytes, start: int, end: int) -> list[Patch]:
    """Patches of one sample or item at ``start``..``end``; offsets as in ``data``."""
    if codec in (b"av01", b"dav1"):
        return obus(data, start, end)
    unit = _UNITS.get(codec)
    if unit is None or not nal_size:
        return []
    found: list[Patch] = []
    avc = unit is avc_unit
    kinds = _AVC_KINDS if avc else _HEVC_KINDS
    while start + nal_size < end:
        size = int.from_bytes(data[start : start + nal_size], "big")
        start += nal_size
        if size > end - start:
            break
        if size and (data[start] & 0x1F if avc else data[start] >> 1 & 0x3F) in kinds:
            found += [(start + at, words) for at, words in unit(data[start : start + size])]
        start += size
    return found
