"""Header blocks: where they end, their fields, and what in their form programs read differently (RFC 5322 2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from filters.text import embedded
from gateway.mime.part import Field, Span
from gateway.mime.words import decode_words, unfold

_FIELD = re.compile(rb"([\x21-\x39\x3b-\x7e]+)([ \t]*):")
_BARE_CR = re.compile(rb"\r(?!\n)")
_8BIT = re.compile(rb"[\x80-\xff]")
_BOMS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_FROM: Final = (b"From ", b">From ")
_PICTURES: Final = frozenset({"text.base64-image", "text.data-uri-image", "text.hex-image", "text.qp-image", "text.raw-image"})
_SIGNATURES: Final = (b"/9j/4", b"iVBORw0KGgo", b"R0lGODlh", b"R0lGODdh")  # JPEG, PNG, GIF in base64: icons too
_NO_PHOTO: Final = 400  # bytes of a header block that hold none
_LINE: Final = 998  # RFC 5322 2.1.1
_MAX_NAME: Final = 256


@dataclass(frozen=True, slots=True)
class Block:
    """A header block: ``span`` ends behind the empty line, where the body begins."""

    span: Span
    fields: tuple[Field, ...]
    codes: frozenset[str]


def read_block(raw: bytes, start: int, end: int, *, top: bool, limit: int, fields: int) -> Block:
    """The header block that begins at ``start``.  ``top``: of a message, not of a part.  Never raises; linear in the block."""
    codes: set[str] = set()
    if top:
        codes |= _first_line(raw, start, end)
    found: list[Field] = []
    at = start
    stop = min(end, start + limit)
    body = end
    while True:
        if at >= end:
            body = end
            if found and (top or raw[end - 1] != 0x0A):  # else the line end of the boundary is the empty line (RFC 2046 5.1.1)
                codes |= _unseparated(found, top)
            break
        if len(found) >= fields:
            codes.add("mime.limit-header")
            body = at
            break
        newline = raw.find(b"\n", at, min(stop + 1, end))
        after = newline + 1 if newline >= 0 else end
        if after > stop and after > at + 2:
            codes.add("mime.limit-header")
            body = at
            break
        line_end = _trim(raw, at, newline if newline >= 0 else end)
        if line_end == at:
            body = after
            break
        if raw[at] in b" \t":
            codes |= _continue(raw, at, line_end, after, found)
        else:
            match = _FIELD.match(raw, at, min(line_end, at + _MAX_NAME))
            if match is None:
                codes.add("mime.header-junk")
                body = at
                break
            if match[2]:
                codes.add("mime.space-before-colon")
            found.append(Field(match[1], (at, after), (match.end(), line_end)))
        if line_end - at > _LINE:
            codes.add("mime.long-header-line")
        at = after
    codes |= _bytes_codes(raw[start:body])
    if body - start > limit:
        codes.add("mime.limit-header")
    return Block((start, body), tuple(found), frozenset(codes))


def _trim(raw: bytes, at: int, newline: int) -> int:
    """The end of the line without the CR of its CRLF."""
    return newline - 1 if newline > at and raw[newline - 1] == 0x0D else newline


def _first_line(raw: bytes, start: int, end: int) -> set[str]:
    head = raw[start : min(end, start + 8)]
    codes = set()
    if head[:1] in (b"\r", b"\n"):
        codes.add("mime.leading-newline")
    if head.startswith(_FROM):
        codes.add("mime.from-line")
    if head.startswith(_BOMS):
        codes.add("mime.bom")
    return codes


def _continue(raw: bytes, at: int, line_end: int, after: int, found: list[Field]) -> set[str]:
    """Add a continuation line to the last field."""
    if not found:
        return {"mime.continuation-first"}
    last = found[-1]
    found[-1] = Field(last.name, (last.span[0], after), (last.value_span[0], line_end))
    return set() if raw[at:line_end].strip(b" \t") else {"mime.blank-separator"}


def _unseparated(found: list[Field], top: bool) -> set[str]:
    """What a block without an empty line means: harmless where every line can only be a field."""
    harmless = top or all(one.key.startswith(b"content-") for one in found)
    return {"mime.no-body"} if harmless else {"mime.no-separator"}


def _bytes_codes(block: bytes) -> set[str]:
    codes = set()
    if _BARE_CR.search(block):
        codes.add("mime.bare-cr-header")
    lines = block.count(b"\n")
    if lines and 0 < block.count(b"\r\n") < lines:
        codes.add("mime.mixed-newlines")
    if _8BIT.search(block):
        codes.add("mime.8bit-header")
    if any(word in block for word in _SIGNATURES) or (len(block) > _NO_PHOTO and _holds_picture(block)):
        codes.add("mime.header-image")
    return codes


def _holds_picture(block: bytes) -> bool:
    """A picture in any encoding stands in a field, folded or cut into encoded-words or not."""
    codes = {one.code for one in embedded(block, html=False)}
    if b"=?" in block:
        codes |= {one.code for one in embedded(decode_words(unfold(block)).encode("utf-8", "replace"), html=False)}
    return not codes.isdisjoint(_PICTURES)
