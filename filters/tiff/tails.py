"""Where the coded samples of one strip or tile really end, for the codings that say so.  What stands behind is never shown.

TIFF 6.0 sections 9, 11, 13; ITU T.4 and T.6 (end of block); RFC 1950.  Every function returns an offset, or None when the coding
does not tell; none decodes a sample.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from filters.api import Malformed, Unsupported
from filters.tiff.directory import Numbers

_REVERSED = bytes(int(f"{n:08b}"[::-1], 2) for n in range(256))
_STEP = 1 << 18


@dataclass(frozen=True, slots=True)
class Strip:
    """data[start:end] as the tags tell; ``raw`` bytes decoded at most; ``mirrored``: FillOrder 2."""

    data: bytes
    start: int
    end: int
    raw: int
    mirrored: bool = False

    def body(self) -> bytes:
        body = self.data[self.start : self.end]
        return body.translate(_REVERSED) if self.mirrored else body


def end(compression: int, strip: Strip) -> int | None:
    """The end of what is shown.  Raises Malformed when the data holds more than the picture has rows."""
    measure = _MEASURES.get(compression)
    return measure(strip) if measure else None


def _plain(strip: Strip) -> int | None:
    return min(strip.end, strip.start + strip.raw)


def _deflate(strip: Strip) -> int | None:
    engine = zlib.decompressobj()
    view = memoryview(strip.data)[strip.start : strip.end]
    seen = fed = 0
    try:
        for at in range(0, len(view), _STEP // 4):
            piece: bytes | memoryview = view[at : at + _STEP // 4]
            fed += len(piece)
            while piece and not engine.eof:
                seen += len(engine.decompress(piece, _STEP))
                piece = engine.unconsumed_tail
                if seen > strip.raw:
                    raise Malformed("more samples than rows")
            if engine.eof:
                return strip.start + fed - len(piece) - len(engine.unused_data)
    except zlib.error:
        return None  # decoders show what they got
    return None


def _packbits(strip: Strip) -> int | None:
    """After the last row (section 9); a row more or less is somebody's padding."""
    body, at, left = strip.body(), 0, strip.raw
    size = len(body)
    while left > 0 and at < size:
        code = body[at]
        if code < 128:
            at += code + 2
            left -= code + 1
        elif code > 128:
            at += 2
            left -= 257 - code
        else:
            at += 1
    return strip.start + min(at, size) if left <= 0 else None


# ---- LZW (section 13): only the width of the codes is followed, never the strings

_CLEAR, _EOI = 256, 257
_BATCH = 4096


def _schedule() -> tuple[Numbers, Numbers]:
    """Bit offset and width of each code after a Clear; codes grow wider one early, as TIFF has it."""
    order = np.arange(_BATCH)
    width = np.where(order <= 253, 9, np.where(order <= 765, 10, np.where(order <= 1789, 11, 12)))
    return np.concatenate(([0], np.cumsum(width)[:-1])), width


_PLACE, _WIDTH = _schedule()
_FULL_PLACE, _FULL_WIDTH = 12 * np.arange(_BATCH), np.full(_BATCH, 12)


def _lzw(strip: Strip) -> int | None:
    body = strip.body()
    if body[:1] == b"\0" and len(body) > 1 and body[1] & 1:
        return None  # the coding of before TIFF 5: least significant bit first
    padded = np.frombuffer(body + b"\0\0\0", np.uint8).astype(np.uint32)
    words = (padded[:-2] << 16) | (padded[1:-1] << 8) | padded[2:]  # 24 bits from each byte on
    bit, bits, fresh = 0, 8 * len(body), True
    while bit < bits:
        most = min(_BATCH, (bits - bit) // 9)
        place, width = (_PLACE[:most] + bit, _WIDTH[:most]) if fresh else (_FULL_PLACE[:most] + bit, _FULL_WIDTH[:most])
        fits = int(np.searchsorted(place + width, bits, "right"))
        place, width = place[:fits], width[:fits]
        code = (words[place >> 3] >> (24 - (place & 7) - width)) & ((1 << width) - 1)
        marks = np.flatnonzero((code == _CLEAR) | (code == _EOI))
        if not fits or (not marks.size and fits < _BATCH):
            return None
        last = int(marks[0]) if marks.size else fits - 1
        bit = int(place[last] + width[last])
        if marks.size and code[last] == _EOI:
            return strip.start + (bit + 7) // 8
        fresh = bool(marks.size)
    return None


# ---- CCITT: end of block


def _places(pattern: str) -> list[re.Pattern[bytes]]:
    """Expressions for a pattern of bits at each of the eight places in a byte; each begins with bytes that are fast to find."""
    found = []
    for shift in range(8):
        text = "." * shift + pattern
        text += "." * (-len(text) % 8)
        groups = [text[i : i + 8] for i in range(0, len(text), 8)]
        whole = b"".join(_byte(group) for group in groups if "." not in group)
        before = b"(?<=" + _byte(groups[0]) + whole + b")" if "." in groups[0] else b""
        after = _byte(groups[-1]) if "." in groups[-1] else b""
        found.append(re.compile(b"(?s)" + whole + before + after))
    return found


def _byte(mask: str) -> bytes:
    """A byte, or the set of those that fit."""
    fits = [n for n in range(256) if all(m in (".", b) for m, b in zip(mask, f"{n:08b}", strict=True))]
    codes = b"".join(b"\\x%02x" % n for n in fits)
    return codes if len(fits) == 1 else b"[" + codes + b"]"


_EOL = "000000000001"
_EOFB = (_EOL * 2,)
_RTC = (_EOL * 6, (_EOL + "1") * 6, ("0000" + _EOL) * 6)


def _group(ends_with: Sequence[str]) -> Callable[[Strip], int | None]:
    @cache
    def patterns() -> list[re.Pattern[bytes]]:
        return [pattern for bits in ends_with for pattern in _places(bits)]

    def measure(strip: Strip) -> int | None:
        body = strip.body()
        ends = [found.end() for pattern in patterns() if (found := pattern.search(body))]
        return strip.start + min(ends) if ends else None

    return measure


# ---- whole pictures of another format in each tile


def _webp(strip: Strip) -> int | None:
    """Only the picture's own chunks (RFC 9649)."""
    data, at = strip.data, strip.start
    if data[at : at + 4] != b"RIFF" or data[at + 8 : at + 12] != b"WEBP":
        raise Malformed("no WebP")
    stop = min(strip.end, at + 8 + int.from_bytes(data[at + 4 : at + 8], "little"))
    at += 12
    while at + 8 <= stop:
        if data[at : at + 4] not in (b"VP8 ", b"VP8L", b"VP8X", b"ALPH"):
            raise Unsupported("tiff of WebP with further chunks")
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + (size & 1)
    return min(at, strip.end)


def _jpeg2000(strip: Strip) -> int | None:
    """A codestream (ITU T.800 A.4) without comments."""
    data, at = strip.data, strip.start
    if data[at : at + 2] != b"\xff\x4f":
        raise Unsupported("tiff of JPEG 2000 files")
    at += 2
    while at + 4 <= strip.end and data[at : at + 2] != b"\xff\x90":
        if data[at : at + 2] == b"\xff\x64":
            raise Unsupported("tiff of JPEG 2000 with comments")
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    place = data.rfind(b"\xff\xd9", strip.start, strip.end)
    return place + 2 if place >= 0 else None


_MEASURES: Mapping[int, Callable[[Strip], int | None]] = {
    1: _plain,
    3: _group(_RTC),
    4: _group(_EOFB),
    5: _lzw,
    8: _deflate,
    32946: _deflate,
    50013: _deflate,  # as PixTIFF numbers it
    32773: _packbits,
    **dict.fromkeys((33003, 33004, 33005, 34712), _jpeg2000),
    50001: _webp,
}
