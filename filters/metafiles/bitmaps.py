"""The bitmaps that drawing commands carry ([MS-EMF] 2.2.9, [MS-WMF] 2.2.2.9): samples, or a JPEG or PNG file."""

from __future__ import annotations

import struct

from filters.api import FilterError, ImageInfo, Member
from filters.bitmaps import dib

_CORE, _INFO = 12, 40
_JPEG, _PNG = 4, 5  # biCompression


def member(key: str, header: bytes, bits: bytes) -> Member:
    """The bitmap of ``header`` (BITMAPINFO) and ``bits``."""
    if len(header) >= _INFO and struct.unpack_from("<I", header, 16)[0] in (_JPEG, _PNG):
        return Member(key, bits, inline=True)
    return Member(key, bits, info=_info(header), inline=True)


def packed(key: str, data: bytes) -> Member:
    """A bitmap whose samples follow its header."""
    if len(data) >= _INFO and struct.unpack_from("<I", data, 16)[0] in (_JPEG, _PNG):
        return Member(key, data[struct.unpack_from("<I", data)[0] :], inline=True)
    return Member(key, data, info=_info(data), inline=True)


def _info(header: bytes) -> ImageInfo:
    """Width and height as stated; a header that makes no sense is a picture all the same."""
    try:
        told = dib.header(header, 0)
        return ImageInfo(told.width, told.height, min(told.bits, 8))
    except FilterError:
        wide, high = struct.unpack_from("<ii", header, 4) if len(header) >= _CORE else (1, 1)
        return ImageInfo(min(abs(wide), 1 << 16) or 1, min(abs(high), 1 << 16) or 1, 8)
