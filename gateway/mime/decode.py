"""Strict decoders: a body has exactly one reading or none (RFC 2045 6.7, 6.8).

Lenient decoders skip garbage that a recipient's program would read, so nothing here skips anything but line ends.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

import numpy as np
import pybase64

from gateway.mime.part import IDENTITY, Message, Part, Span, Undecodable

_BAD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")
_BLANK_ENDS = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")  # the look-behind keeps it linear
_NOT_ALPHABET = re.compile(rb"[^A-Za-z0-9+/]")
_FEW: Final = 64  # lines: below that it is not worth it
_ROWS: Final = 8192  # lines at one time: what fits into the processor's cache
_PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"RIFF", b"BM", b"PK\x03\x04", b"%PDF")


def decode(message: Message, part: Part) -> bytes:
    """The body of ``part`` under its declared encoding.  Raises Undecodable when there is not exactly one reading."""
    raw, (start, end) = message.raw, part.body
    if part.encoding in IDENTITY:
        return raw[start:end]
    if not part.is_leaf or part.content_type.startswith("multipart/"):
        return raw[start:end]  # a multipart is never encoded (RFC 2045 6.4); that it says so is a code already
    if part.encoding == "base64":
        return decode_base64(raw, (start, end))
    if part.encoding == "quoted-printable":
        return decode_quoted(raw[start:end], text=part.content_type.startswith("text/"))
    raise Undecodable(_why_unknown(part))


def _why_unknown(part: Part) -> str:
    given = part.codes & {"mime.cte-form", "mime.cte-uuencode", "mime.cte-empty"}
    return min(given) if given else "mime.cte-unknown"


def decode_base64(raw: bytes, span: Span) -> bytes:
    """RFC 2045 6.8 with nothing but line ends between the characters.  Raises Undecodable."""
    data = _by_columns(raw, span)
    return _at_once(raw, span) if data is None else data


def _at_once(raw: bytes, span: Span) -> bytes:
    text = raw[slice(*span)].translate(None, b"\r\n")
    try:
        return pybase64.b64decode(text, validate=True)
    except binascii.Error:
        raise Undecodable(_why_not_base64(text)) from None


def _by_columns(raw: bytes, span: Span) -> bytes | None:
    """The same for a body whose lines are all alike, a few thousand at one time, in half the time.

    None: it is not so plain, or not valid, and somebody else has to look.
    """
    start, end = span
    width = raw.find(b"\n", start, end) - start + 1
    rows = (end - start) // width if width > 2 else 0
    if rows < _FEW or (width - 2) % 4 or raw[start + width - 2] != 0x0D:
        return None
    table = np.frombuffer(raw, np.uint8, rows * width, start).reshape(rows, width)
    pieces: list[bytes] = []
    try:
        for at in range(0, rows, _ROWS):
            lines = table[at : at + _ROWS]
            if not ((lines[:, -2] == 0x0D).all() and (lines[:, -1] == 0x0A).all()):
                return None
            pieces.append(pybase64.b64decode(lines[:, :-2].tobytes(), validate=True))  # a line end inside a line fails here
            if len(pieces[-1]) * 4 != lines.size // width * (width - 2) * 3:
                return None  # padding before the end, or at the end of the last full line
        rest = raw[start + rows * width : end].translate(None, b"\r\n")
        return b"".join([*pieces, pybase64.b64decode(rest, validate=True)])
    except binascii.Error:
        return None


def _why_not_base64(text: bytes) -> str:
    rest = text.rstrip(b"=")
    bad = _NOT_ALPHABET.search(rest)
    if bad is None:
        padded = len(text) - len(rest)
        return "mime.b64-length" if len(rest) % 4 == 1 or padded > 2 or (padded and len(text) % 4) else "mime.b64-padding"
    odd = set(rest.translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
    if odd <= set(b"-_"):
        return "mime.b64-url"
    if odd <= set(b" \t"):
        return "mime.b64-whitespace"
    if odd <= set(b"= \t"):
        return "mime.b64-padding-inside"
    return "mime.b64-garbage"


def decode_quoted(body: bytes, *, text: bool) -> bytes:
    """RFC 2045 6.7.  In text an invalid escape is read as it stands; anywhere else it raises Undecodable."""
    bad = _BAD_ESCAPE.search(body) is not None
    trimmed = _BLANK_ENDS.sub(b"", body)  # blanks at line ends were added on the way and go (RFC 2045 6.7 rule 3)
    blanks = len(trimmed) != len(body)
    data = binascii.a2b_qp(trimmed)
    if (bad or blanks) and (not text or data.startswith(_PICTURES) or b"\0" in data):
        raise Undecodable("mime.qp-invalid" if bad else "mime.qp-blanks")
    return data
