"""Decoder configurations: parameter sets stay, messages of programs and bytes behind the end go.

ISO/IEC 14496-15 5.3 (avcC), 8.3 (hvcC), AV1-ISOBMFF 2.3 (av1C), ISO/IEC 14496-1 7.2.6 (esds), FLAC in ISOBMFF (dfLa).
"""

from __future__ import annotations

from filters.api import Malformed
from filters.bmff import userdata
from filters.bmff.boxes import Reader

_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:avc:2015:auxid:1")
_HIGH = frozenset((100, 110, 122, 144, 44, 244, 86, 118, 128, 138))  # profiles with the longer avcC


def nal_size(kind: bytes, body: bytes) -> int:
    """Bytes of the length in front of each NAL unit, 0 when ``kind`` says nothing of it."""
    at = {b"avcC": 4, b"hvcC": 21, b"lhvC": 4}.get(kind)
    return 1 + (body[at] & 3) if at is not None and at < len(body) else 0


def avc(body: bytes) -> bytes:
    """avcC: sequence and picture parameter sets, nothing behind them."""
    reader = Reader(body)
    head = reader.take(5)
    reader.take(_sets(reader, 0x1F))
    reader.take(_sets(reader, 0xFF))
    if head[1] in _HIGH and reader.left >= 4:
        reader.take(3)
        reader.take(_sets(reader, 0xFF))
    return body[: reader.at]


def _sets(reader: Reader, mask: int) -> int:
    """Skip a counted list of parameter sets; returns 0."""
    for _ in range(reader.number(1) & mask):
        reader.take(reader.number(2))
    return 0


def hevc(body: bytes) -> bytes:
    """hvcC: its arrays of NAL units; messages that are nobody's to read are overwritten."""
    return _arrays(body, 22)


def layered(body: bytes) -> bytes:
    """lhvC: the same arrays behind a shorter head."""
    return _arrays(body, 5)


def _arrays(body: bytes, fixed: int) -> bytes:
    reader, out = Reader(body), bytearray(body)
    reader.take(fixed)
    for _ in range(reader.number(1)):
        reader.number(1)
        for _ in range(reader.number(2)):
            size = reader.number(2)
            start = reader.at
            for at, words in userdata.hevc_unit(reader.take(size)):
                out[start + at : start + at + len(words)] = words
    return bytes(out[: reader.at])


def av1(body: bytes) -> bytes:
    """av1C: four bytes and OBUs."""
    if len(body) < 4:
        raise Malformed("box too short")
    out = bytearray(body)
    for at, words in userdata.obus(body[4:]):
        out[4 + at : 4 + at + len(words)] = words
    return bytes(out)


def alpha(body: bytes) -> bytes:
    """auxi, auxC: kept when it says that the picture is a transparency, else b""."""
    reader = Reader(body)
    head = reader.take(4)
    word = reader.string()
    if word not in _ALPHA:
        return b""
    rest = reader.take(reader.left)
    return head + word + b"\0" + (rest if _alpha_message(rest) else b"")


def _alpha_message(rest: bytes) -> bool:
    """An aux_subtype is one HEVC SEI unit about the transparency (23008-2 F.14.2.8: message 165)."""
    return len(rest) <= 16 and rest[:1] in (b"\x4e", b"\x01") and b"\xa5" in rest[:6]


def flac(body: bytes) -> bytes:
    """dfLa: only the block STREAMINFO; comments and pictures go."""
    if len(body) < 42 or body[4] & 0x7F or body[5:8] != b"\0\0\x22":
        raise Malformed("no FLAC stream info")
    return body[:4] + (b"\x80" + body[5:42])


def esds(body: bytes) -> bytes:
    """An elementary stream descriptor: how to decode; no address, no further descriptors."""
    reader = Reader(body)
    out = reader.take(4)
    tag, content = _descriptor(reader)
    if tag != 3:
        return out + _written(tag, content)
    inner = Reader(content)
    head = inner.take(3)
    flags = head[2]
    kept = head[:2] + bytes((flags & 0x1F,))
    if flags & 0x80:
        inner.take(2)
    if flags & 0x40:
        inner.take(inner.number(1))
    if flags & 0x20:
        inner.take(2)
    while inner.left >= 2:
        tag, content = _descriptor(inner)
        if tag in (4, 6):
            kept += _written(tag, content[:1] if tag == 6 and content[:1] == b"\2" else content)
    return body[: reader.at] if _same(body[4 : reader.at], kept) else out + _written(3, kept)


def _same(block: bytes, kept: bytes) -> bool:
    """The descriptor in ``block`` has just this content, whatever the form of its lengths."""
    tag, content = _descriptor(Reader(block))
    return tag == 3 and _plain(content) == _plain(kept)


def _plain(content: bytes) -> bytes:
    reader = Reader(content)
    out = reader.take(min(3, reader.left))
    while reader.left >= 2:
        tag, inner = _descriptor(reader)
        out += bytes((tag,)) + len(inner).to_bytes(4, "big") + inner
    return out + reader.take(reader.left)


def _descriptor(reader: Reader) -> tuple[int, bytes]:
    """(tag, content): the length is told in groups of seven bits (14496-1 8.3.3)."""
    tag, size = reader.number(1), 0
    for _ in range(4):
        byte = reader.number(1)
        size = size << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    return tag, reader.take(min(size, reader.left))


def _written(tag: int, content: bytes) -> bytes:
    size = len(content)
    return bytes((tag, 0x80 | size >> 21 & 0x7F, 0x80 | size >> 14 & 0x7F, 0x80 | size >> 7 & 0x7F, size & 0x7F)) + content
