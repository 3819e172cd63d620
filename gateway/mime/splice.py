"""Change a message by offset: every byte outside an edit stays the same byte (P3)."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Final

import numpy as np
import pybase64

from gateway.mime.part import Edit, Message, Part

_COLUMNS: Final = 76  # RFC 2045 6.8
_OCTETS: Final = _COLUMNS // 4 * 3  # in one line
_ROWS: Final = 8192  # encoded at one time: what fits into the processor's cache is done in half the time


def splice(raw: bytes, edits: Iterable[Edit]) -> bytes:
    """``raw`` with ``edits`` applied; the very same object when there are none.

    Edits may come in any order.  Raises ValueError if two overlap or one leaves the message.
    """
    ordered = sorted(edits, key=attrgetter("start", "end"))
    if not ordered:
        return raw
    view = memoryview(raw)
    pieces: list[bytes | memoryview] = []
    at = 0
    for edit in ordered:
        if not at <= edit.start <= edit.end <= len(raw):
            raise ValueError("edits overlap or leave the message")
        pieces += (view[at : edit.start], edit.data)
        at = edit.end
    pieces.append(view[at:])
    return b"".join(pieces)


def encode_base64(data: bytes, newline: bytes = b"\r\n") -> bytes:
    """``data`` in base64, 76 columns, each full or last line ended by ``newline`` except the very last (RFC 2045 6.8)."""
    view = memoryview(data)
    table = np.empty((min(_ROWS, len(data) // _OCTETS + 1), _COLUMNS + len(newline)), np.uint8)
    table[:, _COLUMNS:] = np.frombuffer(newline, np.uint8)
    pieces: list[bytes] = []
    for at in range(0, len(data), _ROWS * _OCTETS):
        text = pybase64.b64encode(view[at : at + _ROWS * _OCTETS])
        rows = len(text) // _COLUMNS
        table[:rows, :_COLUMNS] = np.frombuffer(text, np.uint8, rows * _COLUMNS).reshape(rows, _COLUMNS)
        pieces += (table[:rows].tobytes(), text[rows * _COLUMNS :])
    return b"".join(pieces).removesuffix(newline)


def replace_body(message: Message, part: Part, data: bytes) -> list[Edit]:
    """Edits that make ``data`` the body of a leaf, in base64.  A body already in base64 keeps its header as it is."""
    newline = message.newline
    start, end = part.body
    edits = [*_encoding_edits(message, part), Edit(start, end, _separator(message, part) + encode_base64(data, newline))]
    if end > start and message.raw[end - 1] == 0x0A:
        edits.append(Edit(end, end, newline))  # the last line end of the body stays
    return edits


def _separator(message: Message, part: Part) -> bytes:
    """The empty line a header block without a body may lack."""
    header = message.raw[part.header[0] : part.header[1]]
    if header.endswith((b"\n\r\n", b"\n\n")) or header in (b"\r\n", b"\n"):
        return b""
    return message.newline if not header or header.endswith(b"\n") else message.newline * 2


def _encoding_edits(message: Message, part: Part) -> list[Edit]:
    """Set Content-Transfer-Encoding to base64 where it is not."""
    given = message.fields("Content-Transfer-Encoding", part)
    if part.encoding == "base64" and len(given) == 1:
        return []
    if given:
        first, *others = given
        return [Edit(*first.value_span, b" base64"), *(Edit(*other.span, b"") for other in others)]
    line = b"Content-Transfer-Encoding: base64" + message.newline
    types = message.fields("Content-Type", part)
    at = types[0].span[0] if types else part.header[0]
    return [Edit(at, at, line)]
