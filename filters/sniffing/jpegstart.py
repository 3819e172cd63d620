"""Where a JPEG or JPEG 2000 begins inside other bytes: their signatures stand in quiet sound too, what follows does not."""

from __future__ import annotations

import re
from typing import Final

_FIRST: Final = re.compile(rb"(?s)\xff\xd8\xff(?:\xe0\0\x10JFIF|\xe1..(?:Exif|http))")
_SEGMENTS: Final = 3  # that must follow each other; quiet sound has the first four bytes by chance in every second file


def is_jpeg(text: bytes, at: int) -> bool:
    """Do JPEG segments follow each other from the start of image at ``at``?  Behind a whole one the text may end."""
    if _FIRST.match(text, at):
        return True
    place = at + 2
    for whole in range(_SEGMENTS):
        while text[place : place + 2] == b"\xff\xff":
            place += 1  # fill bytes (T.81 B.1.1.2)
        head = text[place : place + 10]
        if len(head) < 10:
            return whole > 0 and place <= len(text)
        marker, length = head[1], int.from_bytes(head[2:4], "big")
        if head[0] != 0xFF or not 0xC0 <= marker <= 0xFE or 0xD0 <= marker <= 0xD9 or length < 2:
            return False
        if marker == 0xDA:
            return whole > 0 and length == 6 + 2 * head[4]  # a scan without tables shows nothing
        if marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return length == 8 + 3 * head[9]
        place += 2 + length
    return True


_CODESTREAM: Final = re.compile(rb"(?s)\xff\x4f\xff\x51(?P<length>..).{34}(?P<components>..)")


def has_codestream(data: bytes) -> bool:
    """Does a JPEG 2000 codestream begin anywhere: its second segment's length fits its number of components (T.800 A.5.1)?"""
    return any(
        int.from_bytes(found["length"], "big") == 38 + 3 * int.from_bytes(found["components"], "big") > 38
        for found in _CODESTREAM.finditer(data)
    )


def has_jpeg(data: bytes, most: int) -> bool:
    """Does a JPEG begin anywhere in ``data``?  More than ``most`` signatures are not looked at and count as one."""
    at = data.find(b"\xff\xd8\xff")
    for _ in range(most):
        if at < 0 or is_jpeg(data, at):
            return at >= 0
        at = data.find(b"\xff\xd8\xff", at + 1)
    return at >= 0
