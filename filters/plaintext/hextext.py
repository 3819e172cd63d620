"""Pictures written in hexadecimal: in one run, with blanks, colons or commas between, with 0x or \\x before, as a dump."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from filters.plaintext.hidden import HOLD, LIMIT, MOST, Embedded

_LOWER: Final = bytes.maketrans(b"ABCDEF", b"abcdef")
_BETWEEN: Final = b" \t\r\n:,-\\xX>"
_JPEG = re.compile(rb"ffd8ff(?:e1[0-9a-f]{4}(?:45786966|68747470)|[c-f][0-9a-f]00[0-9a-f]{16})")
_PREFIXED = re.compile(rb"0ff0d80ff0[c-f][0-9a-f](?:0[0-9a-f]{2}){6}")  # what stays of 0xff, 0xd8, 0xff, 0xe0
_PNG = re.compile(rb"89504e470d0a1a0a|08905004e0470")
_GIF = re.compile(rb"474946383[79]61[0-9a-f]{16}|047049046038037061|047049046038039061")
_OTHER = re.compile(rb"52494646[0-9a-f]{8}57454250|6674797068656963|667479706d696631|6674797061766966")
_MARKS: Final = (
    (b"ffd8ff", _JPEG),
    (b"0ff0d80ff", _PREFIXED),
    (b"89504e47", _PNG),
    (b"089050", _PNG),
    (b"47494638", _GIF),
    (b"047049046", _GIF),
    (b"52494646", _OTHER),
    (b"66747970", _OTHER),
)


def hex_files(text: bytes) -> Iterator[Embedded]:
    """The first picture in hexadecimal; the finding covers the whole text."""
    dense = text.translate(_LOWER, _BETWEEN)
    for quick, pattern in _MARKS:
        at, seen = dense.find(quick), 0
        while at >= 0:
            seen += 1
            if seen > MOST:
                yield Embedded("text.limit", 0, len(text), LIMIT)
                return
            if pattern.match(dense, at):
                yield Embedded("text.hex-image", 0, len(text), HOLD)
                return
            at = dense.find(quick, at + 1)
