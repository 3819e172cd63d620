"""Uuencoded and xxencoded files in a text: a line "begin", and a line of data behind it.

Readers differ in what they take for a beginning (no mode, two blanks, no name, a blank line, tabs), so everything any of them
takes is looked at; the loose forms count only when the line of data is one to the letter, or begins a known format.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from filters.plaintext.base64text import recognised
from filters.plaintext.hidden import HOLD, LIMIT, MOST, Embedded

_BEGIN = re.compile(
    rb"(?m)^[> \t]{0,40}begin(?P<base64>-base64)?[ \t]{1,8}(?P<mode>[0-7]{0,12})(?P<name>[^\r\n]{0,400})\r?\n"
    rb"(?:[> \t]{0,40}\r?\n){0,3}[> \t]{0,40}(?P<line>[^\r\n]{1,80})"
)
_XX = re.compile(rb"h[+\-0-9A-Za-z]{60}\s*")
_UU = re.compile(rb"[\x20-\x60]+")


def begin_lines(text: bytes) -> Iterator[Embedded]:
    """The first uuencoded file, and every xxencoded one before it."""
    if b"begin" not in text:
        return
    for index, match in enumerate(_BEGIN.finditer(text)):
        if index >= MOST:
            yield Embedded("text.limit", 0, len(text), LIMIT)
            return
        line = match["line"]
        strict = len(match["mode"]) in (3, 4) and match["name"][:1] == b" " and bool(match["name"].strip())
        if _XX.fullmatch(line):
            yield Embedded("text.xxencode", *match.span(), HOLD)
        elif (match["base64"] and match["mode"]) or _is_uu(line, strict=strict):
            yield Embedded("text.uuencode", *match.span(), HOLD)
            return


def _is_uu(line: bytes, *, strict: bool) -> bool:
    """The first character states how many bytes the line holds; trailing blanks may have been cut."""
    octets = (line[0] - 0x20) & 0x3F
    longest = 1 + (octets + 2) // 3 * 4 + 1
    if _UU.fullmatch(line) is None or not 0 < octets <= 45 or len(line) > longest:
        return False
    return strict or len(line) >= longest - 1 > 9 or _begins_a_file(line)


def _begins_a_file(line: bytes) -> bool:
    try:
        return recognised(binascii.a2b_uu(line)) is not None
    except binascii.Error:
        return False
