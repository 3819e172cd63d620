"""Base64 in a text, in any layout: which kind of file does it begin?"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from filters.plaintext.hidden import HOLD, LIMIT, MOST, Embedded

IMAGE, CONTAINER = "text.base64-image", "text.base64-container"
_RUN: Final = 100  # characters of base64 behind a signature

# (characters sought, how many characters of the file's base64 stand before them)
_SIGNATURES: Final = (
    *((word, 0) for word in (b"/9j/", b"_9j_", b"iVBORw0KGgo", b"R0lGODlh", b"R0lGODdh", b"UklGR", b"SUkqA", b"TU0AK")),
    *((word, 0) for word in (b"AAAADGpQ", b"AAAADEpY", b"UEsDB", b"JVBERi0", b"0M8R4KGx", b"N3q8ryc", b"UmFyIR", b"eJ8+I")),
    (b"Z0eXB", 5),  # "ftyp" behind its size: HEIC, AVIF, MP4
)
_CHARS = re.compile(rb"[A-Za-z0-9+/_-]{%d}" % _RUN)
_BMP = re.compile(rb"Qk[A-Za-z0-9+/_-]{6}AAAA[A-Za-z0-9+/_-]{4}AA[A-Za-z0-9+/_-]{82}")
_SHAPE: Final = bytes(97 if octet in b"-_+/" or (chr(octet).isalnum() and octet < 128) else 32 for octet in range(256))
_LONG_SHAPE: Final = b"a" * 56
_DICOM = b"AABESUNN"  # "DICM" behind 128 octets
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


# Beginnings of a JPEG so long that they need no unbroken run behind them: JFIF, Exif, XMP, tables, a comment, Adobe.
_SURE = re.compile(rb"/9j/(?:4AAQSkZJRg|4[Q-f][A-Za-z0-9+/]{2}(?:RXhpZg|aHR0c)|2wBD|2wCE|/gA|7gAOQWRvYmU)")
_OTHER: Final = bytes(octet for octet in range(256) if not (chr(octet).isalnum() and octet < 128) and octet not in b"+/-_")


def base64_files(text: bytes) -> Iterator[Embedded]:
    """Files in base64 anywhere in the text; line ends, blanks, quote marks and the escapes of JSON may stand in between."""
    if _SURE.search(text.translate(_URL_SAFE, _OTHER)):
        yield Embedded(IMAGE, 0, len(text), HOLD)
    dense = text.translate(None, b" \t\r\n>\\")
    for signature, before in _SIGNATURES:
        at, seen = dense.find(signature), 0
        while at >= 0:
            start = max(at - before, 0)
            if _CHARS.match(dense, start):
                code = recognised(decoded(dense[start : start + _RUN]))
                if code:
                    yield Embedded(code, 0, len(text), HOLD)
                    break
            seen += 1
            if seen > MOST:
                yield Embedded("text.limit", 0, len(text), LIMIT)
                break
            at = dense.find(signature, at + 1)
    if (bitmap := _BMP.search(dense)) and recognised(decoded(bitmap[0])):
        yield Embedded(IMAGE, 0, len(text), HOLD)
    if _DICOM in dense:
        yield Embedded(CONTAINER, 0, len(text), HOLD)
    yield from _runs(text)


def _runs(text: bytes) -> Iterator[Embedded]:
    """The first line of every block of base64 lines: formats whose signature does not stand at the very beginning."""
    shape, last = text.translate(_SHAPE), -10
    at = shape.find(_LONG_SHAPE)
    while at >= 0:
        end = shape.find(b" ", at)
        end = end if end >= 0 else len(text)
        if at - last > 4 and text[at : at + 2].translate(_URL_SAFE) in _BEGINNINGS:
            code = recognised(decoded(text[at : min(end, at + 80)]))
            if code:
                yield Embedded(code, at, end, HOLD)
                return
        last = end
        at = shape.find(_LONG_SHAPE, end)


def decoded(text: bytes) -> bytes:
    """As much as can be read of a piece of base64: only to recognise what it is."""
    plain = unquote_to_bytes(text) if b"%" in text else text
    flat = re.sub(rb"[^A-Za-z0-9+/]", b"", plain.translate(_URL_SAFE))
    return binascii.a2b_base64(flat[: len(flat) // 4 * 4])


def recognised(head: bytes) -> str | None:
    """The code for what the bytes begin with, or None."""
    if head[:3] == b"\xff\xd8\xff" and head[3:4] >= b"\xc0" and int.from_bytes(head[4:6], "big") >= 2:
        return IMAGE
    if head.startswith(_IMAGES) or (head[4:8] == b"ftyp" and head[:2] == b"\0\0"):
        return IMAGE
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"AVI "):
        return IMAGE
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0" and head[14:18] in _BMP_HEADERS:
        return IMAGE
    return CONTAINER if head.startswith(_CONTAINERS) else None


_IMAGES: Final = (
    b"\x89PNG\r\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP", b"\0\0\0\x0cJXL", b"\xff\x0a\xfa",
)  # fmt: skip
_CONTAINERS: Final = (
    b"PK\x03\x04", b"%PDF-", b"\xd0\xcf\x11\xe0\xa1\xb1", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a", b"\x78\x9f\x3e\x22",
    b"\x1f\x8b\x08",
)  # fmt: skip
_BEGINNINGS: Final = frozenset(
    (b"/9", b"iV", b"R0", b"Uk", b"SU", b"TU", b"AA", b"Qk", b"/w", b"UE", b"JV", b"0M", b"N3", b"Um", b"eJ", b"H4")
)  # the first letters, in base64, of all that ``recognised`` knows
_BMP_HEADERS: Final = (b"\x28\0\0\0", b"\x0c\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0")
