"""Pictures and archives without a plain signature: their headers must make sense as a whole."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

_VR = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()
)  # PS3.5 6.2
_PNM = re.compile(rb"P[1-7fF]\s+(#[^\n]*\n\s*)*(\d+\s+(#[^\n]*\n\s*)*\d+\s|WIDTH|HEIGHT|#)")
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)


def kind(data: bytes) -> str | None:
    """bmp, ico, pnm, pcx, tga, mpeg-ts, tar, dmg, arj ... or None."""
    return next((name for name, fits in _KINDS if fits(data)), None)


def truetype(data: bytes) -> bool:
    """A TrueType font: its table directory names printable tags inside the file (OpenType 1.9, table directory)."""
    if data[:4] != b"\0\1\0\0" or len(data) < 28:
        return False
    count = int.from_bytes(data[4:6], "big")
    tags = [data[12 + 16 * i : 16 + 16 * i] for i in range(count)]
    return 3 < count < 80 and 12 + 16 * count < len(data) and all(tag.isascii() and tag.decode().isprintable() for tag in tags)


def headerless_dicom(data: bytes) -> bool:
    """A DICOM data set without preamble (PS3.10 allows none, machines send them): groups 0002 or 0008 in either byte order."""
    for order in "<>":
        first = _element(data, 0, order)
        if first is None or first[0] not in (2, 8) or first[1] > 0x2000:
            continue
        second = _element(data, first[2], order)
        if second is not None and (second[0], second[1]) > (first[0], first[1]) and second[0] in (2, 8, 10, 16, 32):
            return True
    return False


def _element(data: bytes, at: int, order: str) -> tuple[int, int, int] | None:
    """(group, element, offset after it) of a data element, explicit or implicit VR."""
    if at + 12 > len(data):
        return None
    group, element = struct.unpack_from(order + "HH", data, at)
    if data[at + 4 : at + 6] in _VR:
        long = data[at + 4 : at + 6] in (b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT", b"UC", b"UR", b"OD", b"OL", b"OV")
        size = struct.unpack_from(order + ("I" if long else "H"), data, at + (8 if long else 6))[0]
        return group, element, at + (12 if long else 8) + size
    size = struct.unpack_from(order + "I", data, at + 4)[0]
    return (group, element, at + 8 + size) if size < 1 << 16 else None


def _bmp(data: bytes) -> bool:
    if data[:2] == b"BA":
        return data[14:16] == b"BM"
    return data[:2] == b"BM" and len(data) >= 26 and int.from_bytes(data[14:18], "little") in _BMP_HEADERS


def _dib(data: bytes) -> bool:
    """A bitmap without its file header, as clipboards hold it."""
    if len(data) < 40 or data[:4] not in (b"\x28\0\0\0", b"\x7c\0\0\0", b"\x6c\0\0\0"):
        return False
    width, height, planes, bits = struct.unpack_from("<iiHH", data, 4)
    return 0 < width < 1 << 16 and 0 < abs(height) < 1 << 16 and planes == 1 and bits in (1, 4, 8, 16, 24, 32)


def _ico(data: bytes) -> bool:
    if data[:4] not in (b"\0\0\x01\0", b"\0\0\x02\0") or len(data) < 22:
        return False
    count, size, offset = int.from_bytes(data[4:6], "little"), *struct.unpack_from("<II", data, 14)
    return 0 < count < 256 and size > 0 and 6 + 16 * count <= offset <= len(data)


def _pnm(data: bytes) -> bool:
    return _PNM.match(data) is not None


def _pcx(data: bytes) -> bool:
    return data[:1] == b"\x0a" and len(data) > 128 and data[1] in (0, 2, 3, 4, 5) and data[2] == 1 and data[3] in (1, 2, 4, 8)


def _tga(data: bytes) -> bool:
    if data[-18:].startswith(b"TRUEVISION-XFILE"):
        return True
    if len(data) < 19 or data[1] > 1 or data[2] not in (1, 2, 3, 9, 10, 11) or data[16] not in (8, 15, 16, 24, 32):
        return False
    width, height = struct.unpack_from("<HH", data, 12)
    palette = int.from_bytes(data[5:7], "little") * ((data[7] + 7) // 8) if data[1] else 0
    head = 18 + data[0] + palette
    return data[2] < 4 and width > 0 and height > 0 and 0 <= len(data) - head - width * height * ((data[16] + 7) // 8) < 64


def _transport_stream(data: bytes) -> bool:
    """Packets of 188 bytes; of 192 as Blu-ray discs and camcorders write them, of 204 as broadcasters do."""
    return any(
        len(data) >= size * 4 and all(data[i * size + first] == 0x47 for i in range(4))
        for size, first in ((188, 0), (192, 4), (204, 0))
    )


_NAL = (b"\0\0\0\1", b"\0\0\1")
_H265 = (b"\x40\1", b"\x42\1", b"\x44\1", b"\x46\1")  # parameter sets, delimiter (ITU-T H.265 7.4.2.2)


def _raw_film(data: bytes) -> bool:
    """A film without a container: H.264 or H.265 (annex B), MPEG-4 visual, AV1 with its temporal delimiter."""
    if data.startswith((b"\x12\0\x0a", b"\0\0\1\xb0", b"\0\0\1\xb5")):
        return True
    start = next((len(mark) for mark in _NAL if data.startswith(mark)), 0)
    if not start or len(data) < start + 3:
        return False
    return data.startswith(_H265, start) or (data[start] < 0x80 and data[start] & 0x1F in (6, 7, 9))


def _pict(data: bytes) -> bool:
    """An Apple picture, with or without the 512 bytes of its file (Inside Macintosh, Imaging With QuickDraw A)."""
    for at in (0, 512):
        if data[at + 10 : at + 14] in (b"\0\x11\2\xff", b"\x11\1\1\0", b"\x11\1\xa0\0", b"\x11\1\0\0"):
            top, left, bottom, right = struct.unpack_from(">4h", data, at + 2)
            if top < bottom and left < right:
                return True
    return False


def _flic(data: bytes) -> bool:
    if len(data) < 128 or data[4:6] not in (b"\x11\xaf", b"\x12\xaf", b"\x44\xaf"):
        return False
    width, height, depth = struct.unpack_from("<3H", data, 8)
    return 0 < width <= 4096 and 0 < height <= 4096 and depth in (8, 15, 16, 24)


def _wbmp(data: bytes) -> bool:
    """Wireless bitmap of type 0 (WAP-237): black and white, its size must fit to the byte."""
    if data[:2] != b"\0\0":
        return False
    at, sides = 2, []
    for _ in range(2):
        value = 0
        for _ in range(3):
            if at >= len(data):
                return False
            value, more, at = value << 7 | data[at] & 0x7F, data[at] & 0x80, at + 1
            if not more:
                break
        sides.append(value)
    return sides[0] > 8 and sides[1] > 8 and len(data) - at == (sides[0] + 7) // 8 * sides[1]


def _alias(data: bytes) -> bool:
    """Alias/Wavefront: two sides, no offset, 8 or 24 bits."""
    if len(data) < 20 or data[4:8] != bytes(4) or data[8:10] not in (b"\0\x08", b"\0\x18"):
        return False
    width, height = struct.unpack_from(">HH", data)
    return 8 < width < 1 << 14 and 8 < height < 1 << 14 and data[10] > 0


def _tar(data: bytes) -> bool:
    """A tar without magic: the header's checksum fits (POSIX.1-1988)."""
    head = data[:512]
    if len(head) < 512 or not head[0]:
        return False
    try:
        told = int(head[148:156].strip(b" \0"), 8)
    except ValueError:
        return False
    return told == sum(head) - sum(head[148:156]) + 8 * 32


def _dmg(data: bytes) -> bool:
    return data[-512:-508] == b"koly"


def _arj(data: bytes) -> bool:
    return data[:2] == b"\x60\xea" and len(data) > 40 and 0 < int.from_bytes(data[2:4], "little") <= 2600 and 30 <= data[4] <= 48


_KINDS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("bmp", _bmp), ("dib", _dib), ("ico", _ico), ("pnm", _pnm), ("pcx", _pcx), ("tga", _tga), ("mpeg-ts", _transport_stream),
    ("tar", _tar), ("dmg", _dmg), ("arj", _arj), ("raw-film", _raw_film), ("pict", _pict), ("flic", _flic), ("wbmp", _wbmp),
    ("alias-pix", _alias),
)  # fmt: skip
