"""Structured MIME field values: a first word and parameters (RFC 2045 5.1), extended parameters (RFC 2231).

The reader is strict about saying what it saw: each deviation from the grammar is a flag, and the caller decides what it means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.mime.words import decode_words, to_text

TOKEN: Final = re.compile(rb"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+")
_MEDIA = re.compile(rb"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+/[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+")
_LOOSE = re.compile(rb"[\x21\x23-\x3a\x3c-\x7e]+")
_STOP = re.compile(rb'[;"(]')
_QUOTED_STOP = re.compile(rb'["\\]')
_COMMENT_STOP = re.compile(rb"[()\\]")
_SECTION = re.compile(r"^(?P<base>[^*]*)\*(?:(?P<index>0|[1-9][0-9]{0,3})(?P<coded>\*)?)?$")
LIMIT: Final = 4096  # bytes of one structured value; the longest RFC 2231 names stay below
_PIECES: Final = 100
_BLANK: Final = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Param:
    """One ``attribute=value`` as it stands; ``span`` is relative to the field's value."""

    key: str  # lower case, with any "*0*" of RFC 2231
    value: bytes = field(repr=False)  # unquoted
    span: tuple[int, int]
    quoted: bool = False
    escaped: bool = False  # a quoted-pair stood in it
    clean: bool = True  # follows the grammar

    @property
    def loose(self) -> bool:
        """An unquoted value of printable characters that should stand in quotes."""
        return (
            not self.quoted
            and _LOOSE.fullmatch(self.value) is not None
            and TOKEN.fullmatch(self.key.encode("latin-1")) is not None
        )


@dataclass(frozen=True, slots=True)
class Structured:
    """A structured value taken apart."""

    word: bytes  # the part before the first semicolon, comments and blanks taken away
    params: tuple[Param, ...] = field(repr=False)
    comment: bool = False
    broken: bool = False  # unterminated quote or comment, or a quote before the first semicolon
    too_long: bool = False  # more than is ever read: what stands behind was not looked at

    @property
    def loose(self) -> bool:
        """True if all that is wrong are unquoted values that want quotes: everybody reads them to the semicolon."""
        return not self.broken and all(one.clean or one.loose for one in self.params)

    @property
    def clean(self) -> bool:
        """True if every parameter follows the grammar."""
        return not self.broken and all(one.clean for one in self.params)

    @property
    def media(self) -> str | None:
        """``type/subtype`` in lower case, or None when the word is no media type."""
        return self.word.decode("ascii").lower() if _MEDIA.fullmatch(self.word) else None


def structured(value: bytes) -> Structured:
    """Take a folded field value apart, up to ``LIMIT`` bytes and parameters.  Never raises; linear."""
    pieces, comment, broken = _split(value[:LIMIT])
    word = b"".join(piece for piece, quoted, _ in pieces[0][0]).strip(_BLANK)
    params = []
    for chunks, start, end in pieces[1:_PIECES]:
        param = _param(chunks, start, end)
        if param is None:
            continue
        params.append(param)
    broken |= any(quoted for _, quoted, _ in pieces[0][0])
    too_long = len(value) > LIMIT or len(pieces) > _PIECES
    return Structured(word, tuple(params), comment, broken or too_long, too_long)


_Chunk = tuple[bytes, bool, bool]  # text, quoted, held a quoted-pair
_Piece = tuple[list[_Chunk], int, int]


def _split(value: bytes) -> tuple[list[_Piece], bool, bool]:
    """The value cut at semicolons that stand outside quotes and comments."""
    pieces: list[_Piece] = []
    chunks: list[_Chunk] = []
    comment = broken = False
    start = at = 0
    while True:
        match = _STOP.search(value, at)
        stop = match.start() if match else len(value)
        if stop > at:
            chunks.append((value[at:stop], False, False))
        if match is None or len(pieces) > _PIECES:
            break
        kind = value[stop]
        at = stop + 1
        if kind == 0x3B:
            pieces.append((chunks, start, stop))
            chunks, start = [], at
        elif kind == 0x22:
            text, at, escaped, closed = _quoted(value, at)
            chunks.append((text, True, escaped))
            broken |= not closed
        else:
            at, closed = _comment(value, at)
            comment = True
            broken |= not closed
    pieces.append((chunks, start, len(value)))
    return pieces, comment, broken


def _quoted(value: bytes, at: int) -> tuple[bytes, int, bool, bool]:
    """(text, position after the closing quote, held a quoted-pair, was closed)."""
    out: list[bytes] = []
    escaped = False
    while True:
        match = _QUOTED_STOP.search(value, at)
        if match is None:
            out.append(value[at:])
            return _unfolded(b"".join(out)), len(value), escaped, False
        stop = match.start()
        out.append(value[at:stop])
        if value[stop] == 0x22:
            return _unfolded(b"".join(out)), stop + 1, escaped, True
        escaped = True
        out.append(value[stop + 1 : stop + 2])
        at = stop + 2


def _unfolded(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"").replace(b"\n", b"")


def _comment(value: bytes, at: int) -> tuple[int, bool]:
    """(position after the comment that was opened just before ``at``, was closed)."""
    depth = 1
    while depth:
        match = _COMMENT_STOP.search(value, at)
        if match is None:
            return len(value), False
        kind = value[match.start()]
        at = match.end()
        if kind == 0x5C:
            at += 1
        else:
            depth += 1 if kind == 0x28 else -1
    return at, True


def _param(chunks: list[_Chunk], start: int, end: int) -> Param | None:
    head = b"".join(text if not quoted else b'"' for text, quoted, _ in chunks)
    if not head.strip(_BLANK):
        return None  # "; ;" and a trailing semicolon say nothing
    attribute, equals, _ = head.partition(b"=")
    key = attribute.strip(_BLANK)
    clean = bool(equals) and TOKEN.fullmatch(attribute.lstrip(_BLANK)) is not None
    values = _after_equals(chunks) if equals else []
    plain = b"".join(text for text, quoted, _ in values if not quoted)
    quoted = [one for one in values if one[1]]
    if quoted:
        clean &= len(quoted) == 1 and not plain.strip(_BLANK)
        text = b"".join(text if is_quoted else text.strip(_BLANK) for text, is_quoted, _ in values)
    else:
        text = plain.strip(_BLANK)
        clean &= TOKEN.fullmatch(text) is not None
    escaped = any(one[2] for one in quoted)
    return Param(key.decode("latin-1").lower(), text, (start, end), bool(quoted), escaped, clean)


def _after_equals(chunks: list[_Chunk]) -> list[_Chunk]:
    for index, (text, quoted, _) in enumerate(chunks):
        if not quoted and b"=" in text:
            return [(text.partition(b"=")[2], False, False), *chunks[index + 1 :]]
    return []


@dataclass(frozen=True, slots=True)
class Params:
    """All parameters of a field by base name, RFC 2231 pieces joined and decoded."""

    values: Mapping[str, str] = field(repr=False)
    repeated: frozenset[str]  # base names given more than once in the same form
    extended: frozenset[str]  # base names given in a form of RFC 2231
    conflicting: frozenset[str]  # plain and extended form differ, or repeated with another value
    malformed: frozenset[str]  # gaps, order, charset trouble in the RFC 2231 form


def joined(params: tuple[Param, ...]) -> Params:
    """Join the pieces.  Where both forms are given the extended one is the name shown (RFC 5987 3.2.1 practice)."""
    plain: dict[str, list[bytes]] = {}
    pieces: dict[str, list[tuple[int | None, bool, bytes]]] = {}
    for param in params:
        match = _SECTION.match(param.key)
        if match is None:
            plain.setdefault(param.key, []).append(param.value)
            continue
        index = match["index"]
        coded = index is None or match["coded"] is not None
        pieces.setdefault(match["base"], []).append((None if index is None else int(index), coded, param.value))
    values = {key: decode_words(_text(given[0])) for key, given in plain.items()}
    repeated = {key for key, given in plain.items() if len(given) > 1}
    conflicting = {key for key, given in plain.items() if len(set(given)) > 1}
    malformed = set()
    for base, sections in pieces.items():
        text, sound = _extended(sections)
        if not sound:
            malformed.add(base)
        if base in values and values[base] != text:
            conflicting.add(base)
        values[base] = text
    return Params(values, frozenset(repeated), frozenset(pieces), frozenset(conflicting), frozenset(malformed))


def _extended(sections: list[tuple[int | None, bool, bytes]]) -> tuple[str, bool]:
    """(the value, whether it was given without gap, duplicate or disorder)."""
    whole = [value for index, _, value in sections if index is None]
    numbered = sorted((one for one in sections if one[0] is not None), key=lambda one: one[0] or 0)
    if whole:
        text, sound = _charset(whole[0], True)
        return text, sound and len(whole) == 1 and not numbered
    sound = [one[0] for one in sections] == list(range(len(sections)))
    charset = "utf-8"
    first = numbered[0]
    if first[1]:
        if first[2].count(b"'") >= 2:
            charset = first[2].split(b"'")[0].decode("latin-1") or charset
            numbered[0] = (first[0], True, first[2].split(b"'", 2)[2])
        else:
            sound = False
    data = b"".join(unquote_to_bytes(value) if coded else value for _, coded, value in numbered)
    return to_text(data, charset), sound


def _charset(value: bytes, coded: bool) -> tuple[str, bool]:
    if value.count(b"'") < 2:
        return to_text(unquote_to_bytes(value), "utf-8"), False
    charset, _, rest = value.split(b"'", 2)
    return to_text(unquote_to_bytes(rest), charset.decode("latin-1") or "utf-8"), True


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
