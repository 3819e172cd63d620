"""Boxes without children that a film needs, each reduced to the fields that have a meaning (ISO/IEC 14496-12, QTFF 2016).

A cleaner takes the body of a box and returns it as it may stay; Malformed when it is shorter than its fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from filters.api import Malformed, Unsupported

Cleaner = Callable[[bytes], bytes]

# Names that programs give their handlers, and that say nothing of the file.
_HANDLER_NAMES = frozenset(
    (b"", b"VideoHandler", b"SoundHandler", b"DataHandler", b"libheif", b"libavif", b"pict", b"Core Media Video", b"VideoHandle",
     b"Core Media Audio", b"Core Media Data Handler", b"Apple Video Media Handler", b"Apple Sound Media Handler", b"SoundHandle",
     b"Apple Alias Data Handler")
)  # fmt: skip
_LANGUAGE = re.compile(rb"[A-Za-z0-9-]{1,35}\0")


def exactly(size: int) -> Cleaner:
    """A body of ``size`` bytes; more has no meaning."""

    def clean(body: bytes) -> bytes:
        if len(body) < size:
            raise Malformed("box too short")
        return body[:size]

    return clean


def table(entry: int, wide: int | None = None) -> Cleaner:
    """A full box with a count and so many entries; ``wide`` is their size in version 1."""

    def clean(body: bytes) -> bytes:
        if len(body) < 8:
            raise Malformed("box too short")
        size = wide if wide is not None and body[0] == 1 else entry
        end = 8 + size * int.from_bytes(body[4:8], "big")
        if end > len(body):
            raise Malformed("table beyond the end of its box")
        return body[:end]

    return clean


def _zeroed(body: bytes, *spans: tuple[int, int]) -> bytes:
    copy = bytearray(body)
    for start, end in spans:
        copy[start:end] = bytes(end - start)
    return bytes(copy)


def _wide(body: bytes) -> bool:
    """Times and durations have 64 bits (version 1)."""
    if not body or body[0] > 1:
        raise Malformed("unknown version of a header")
    return body[0] == 1


def _mvhd(body: bytes) -> bytes:
    """Times, reserved fields and QuickTime's preview, poster and selection times go."""
    wide = _wide(body)
    body = exactly(112 if wide else 100)(body)
    at = 32 if wide else 20  # rate
    return _zeroed(body, (4, 20 if wide else 12), (at + 6, at + 16), (at + 52, at + 76))


def _tkhd(body: bytes) -> bytes:
    wide = _wide(body)
    body = exactly(96 if wide else 84)(body)
    if wide:
        return _zeroed(body, (4, 20), (24, 28), (36, 44), (50, 52))
    return _zeroed(body, (4, 12), (16, 20), (24, 32), (38, 40))


def _mdhd(body: bytes) -> bytes:
    wide = _wide(body)
    return _zeroed(exactly(36 if wide else 24)(body), (4, 20 if wide else 12), (34, 36) if wide else (22, 24))


def hdlr(body: bytes) -> bytes:
    """Handler type and a name that says nothing; no vendor."""
    body = body if len(body) >= 24 else exactly(20)(body) + bytes(4)
    name = body[24:].strip(b"\0")
    if name and name[0] == len(name) - 1:  # QuickTime counts its names
        name = name[1:]
    kind = body[8:12] if body[4:8] != b"dhlr" or body[8:12] in (b"url ", b"alis") else b"alis"
    return body[:8] + kind + bytes(12) + (body[24:] if name in _HANDLER_NAMES and len(body) < 60 else b"\0")


def _dref(body: bytes) -> bytes:
    """Only "in this very file" may stay (14496-12 8.7.2).  Raises Unsupported for media elsewhere."""
    count = int.from_bytes(body[4:8], "big")
    out, at = body[:8], 8
    for _ in range(count):
        size, flags = int.from_bytes(body[at : at + 4], "big"), body[at + 8 : at + 12]
        if size < 12 or at + size > len(body):
            raise Malformed("data reference beyond its box")
        if not flags[3] & 1 and any(body[at + 12 : at + size]):
            raise Unsupported("media in another file")
        out += (12).to_bytes(4, "big") + body[at + 4 : at + 12]
        at += size
    return out


def _elng(body: bytes) -> bytes:
    """A language tag (BCP 47)."""
    return body if _LANGUAGE.fullmatch(body[4:]) else bytes(4) + b"und\0"


def _stsz(body: bytes) -> bytes:
    body = exactly(12)(body) + body[12:]
    end = 12 if any(body[4:8]) else 12 + 4 * int.from_bytes(body[8:12], "big")
    if end > len(body):
        raise Malformed("table beyond the end of its box")
    return body[:end]


def _stz2(body: bytes) -> bytes:
    body = exactly(12)(body) + body[12:]
    if body[7] not in (4, 8, 16):
        raise Malformed("sample sizes of an unknown width")
    end = 12 + (body[7] * int.from_bytes(body[8:12], "big") + 7) // 8
    if end > len(body):
        raise Malformed("table beyond the end of its box")
    return body[:4] + bytes(3) + body[7:end]


def _cslg(body: bytes) -> bytes:
    return exactly(44 if body[:1] == b"\1" else 24)(body)


def _sbgp(body: bytes) -> bytes:
    at = 12 if body[:1] == b"\1" else 8
    end = at + 4 + 8 * int.from_bytes(body[at : at + 4], "big")
    return exactly(end)(body)


def _mehd(body: bytes) -> bytes:
    return exactly(12 if body[:1] == b"\1" else 8)(body)


LEAVES: Mapping[bytes, Cleaner] = {
    b"mvhd": _mvhd, b"tkhd": _tkhd, b"mdhd": _mdhd, b"hdlr": hdlr, b"elst": table(12, 20), b"vmhd": exactly(12),
    b"smhd": exactly(8), b"nmhd": exactly(4), b"dref": _dref, b"elng": _elng, b"stts": table(8), b"ctts": table(8),
    b"stsc": table(12), b"stss": table(4), b"stps": table(4), b"stsz": _stsz, b"stz2": _stz2, b"cslg": _cslg, b"sbgp": _sbgp,
    b"clef": exactly(12), b"prof": exactly(12), b"enof": exactly(12), b"mehd": _mehd, b"trex": exactly(24),
}  # fmt: skip
