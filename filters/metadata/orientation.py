"""Orientation told outside the EXIF block: tiff:Orientation in XMP, and EXIF as a "Raw profile" in a PNG text chunk.

Programs of the field (ImageIO, Photoshop, ImageMagick, Pillow) turn the picture by these when EXIF itself says nothing; what they
said is kept in the one EXIF block that we write.
"""

from __future__ import annotations

import binascii
import re
import zlib

_XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\s*[\"'<]")
_MAX_TEXT = 4 << 20  # bytes of an inflated text chunk looked at
_RAW = b"Raw profile type "
_RAW_KINDS = (b"exif", b"APP1")


def from_xmp(packet: bytes) -> int | None:
    """tiff:Orientation (XMP part 2, 3.1) of a packet, None when it says nothing."""
    found = _XMP.search(packet)
    return int(found[1]) if found else None


def text_of(name: bytes, body: bytes) -> tuple[bytes, bytes]:
    """(keyword, text) of a PNG text chunk, inflated; the text is empty when it cannot be read (PNG 11.3.3)."""
    keyword, _, rest = body.partition(b"\0")
    if name == b"tEXt":
        return keyword, rest[:_MAX_TEXT]
    if name == b"zTXt":
        return keyword, _inflated(rest[1:])
    if len(rest) < 2:
        return keyword, b""
    text = rest[2:].split(b"\0", 2)[-1]
    return keyword, _inflated(text) if rest[0] else text[:_MAX_TEXT]


def raw_exif(keyword: bytes, text: bytes) -> bytes | None:
    """The TIFF structure in a raw profile as ImageMagick writes it: a name, a length, then hexadecimal digits."""
    if not keyword.startswith(_RAW) or keyword[len(_RAW) :] not in _RAW_KINDS:
        return None
    parts = text.split(b"\n", 3)
    if len(parts) < 4:
        return None
    try:
        block = binascii.unhexlify(b"".join(parts[3].split()))
    except binascii.Error:
        return None
    if block.startswith(b"Exif\0\0"):
        return block[6:]
    return block if block[:2] in (b"II", b"MM") else None  # some writers leave the prefix out


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream, _MAX_TEXT)
    except zlib.error:
        return b""
