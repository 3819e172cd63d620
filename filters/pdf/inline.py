"""Pictures inside content streams: BI … ID … EI (ISO 32000-2, 8.9.7).

Every BI that is followed by a dictionary with a size counts, wherever it stands: rather one picture too many than one missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from filters.api import Budget, FilterError, Malformed, Member, TooBig, Unsupported
from filters.pdf import lexer, pictures, streams
from filters.pdf.lexer import Lexer, Name, Value, Word

_BEGIN = re.compile(
    rb"BI(?=[\0\t\n\f\r %/]|\Z)(?<![^\0\t\n\f\r ()<>\[\]{}/%]..)", re.S
)  # the letters first: they are searched for fast
_END = re.compile(rb"(?:(?<=[\0\t\n\f\r >])|(?<=\xff\xd9))EI(?=[\0\t\n\f\r ]|$)")
_BINARY = re.compile(rb"[^\t\n\f\r -~]")
_PAIRS: Final = 40
_MOST: Final = 50_000  # in one stream; documents of picture fonts have some thousands
_PEEK: Final = 24  # bytes behind EI that must look like text
_TRIES: Final = 50
_LONG: Final[Mapping[str, str]] = {"W": "Width", "H": "Height", "BPC": "BitsPerComponent", "CS": "ColorSpace", "F": "Filter",
                                   "DP": "DecodeParms", "IM": "ImageMask", "D": "Decode", "I": "Interpolate"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inline:
    """One picture by offsets into its content stream; ``spans`` are where its filter entries stand."""

    start: int
    first: int
    last: int
    end: int
    entries: Mapping[str, Value] = field(repr=False)
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return streams.full(lexer.names(self.entries.get("Filter")))


def find(content: bytes, budget: Budget) -> Iterator[Inline]:
    """All inline pictures in order.  Raises TooBig."""
    at = seen = 0
    while found := _BEGIN.search(content, at):
        budget.tick()
        seen += 1
        if seen > _MOST:
            raise TooBig("limit of inline pictures")
        one = _read(content, found.start(), found.end())
        at = found.end() if one is None else one.end
        if one is not None:
            yield one


def count(content: bytes, budget: Budget) -> int:
    """How many there are.  Raises TooBig."""
    return sum(1 for _ in find(content, budget))


def begins(content: bytes) -> bool:
    """Whether an inline picture may begin in these bytes."""
    return _BEGIN.search(content) is not None


def _read(content: bytes, start: int, at: int) -> Inline | None:
    entries: dict[str, Value] = {}
    spans: list[tuple[int, int]] = []
    reader = Lexer(content, at)
    try:
        for _ in range(_PAIRS):
            before = reader.at
            key = reader.value()
            if key == Word(b"ID"):
                break
            if not isinstance(key, Name):
                return None
            name = _LONG.get(key.text, key.text)
            entries.setdefault(name, reader.value())
            if name in ("Filter", "DecodeParms"):
                spans.append((before, reader.at))
        else:
            return None
    except Malformed:
        return None
    if "Width" not in entries or "Height" not in entries:
        return None
    first = min(reader.at + 1, len(content))
    last, end = _extent(content, first, streams.full(lexer.names(entries.get("Filter"))))
    return Inline(start, first, last, end, entries, tuple(spans))


def _extent(content: bytes, first: int, names: tuple[str, ...]) -> tuple[int, int]:
    """Where the data end and where EI ends: at the first EI behind which text follows, as readers decide."""
    fallback: tuple[int, int] | None = None
    for count, found in enumerate(_END.finditer(content, first)):
        last = found.start()
        if fallback is None:
            fallback = (last, found.end())
        if count >= _TRIES:
            break
        if _BINARY.search(content, found.end(), found.end() + _PEEK):
            continue
        if names[-1:] == (streams.DCT,) and len(names) == 1 and not content[first:last].rstrip().endswith(b"\xff\xd9"):
            continue
        return last, found.end()
    return fallback or (len(content), len(content))


def member(content: bytes, one: Inline, key: str, budget: Budget) -> Member:
    """The picture as a member."""
    raw = content[one.first : one.last]
    names = one.names
    if not any(name in (streams.DCT, streams.JPX) for name in names):
        return Member(key, raw, info=_shape(one).info(frozenset()), inline=True)
    try:
        data = pictures.coded(raw, names, budget)
    except FilterError as error:
        return Member(key, b"", opaque=error.reason, inline=True)
    return Member(key, data, media_type="image/jpeg", inline=True)


def is_stencil(one: Inline) -> bool:
    """A glyph or hatching, as fonts of pictures and old scanners have thousands of."""
    return pictures.small_bilevel(_shape(one)) and not any(name in (streams.DCT, streams.JPX) for name in one.names)


def stencil(content: bytes, one: Inline) -> pictures.Stencil:
    """Its size and its samples."""
    return pictures.Stencil(_shape(one), content[one.first : one.last])


def _shape(one: Inline) -> pictures.Shape:
    entries = one.entries
    mask = entries.get("ImageMask") == Word(b"true") or one.names[-1:] == (streams.CCITT,)
    bits = 1 if mask else max(0, lexer.integer(entries.get("BitsPerComponent"), 8))
    width, height = (max(0, lexer.integer(entries.get(key))) for key in ("Width", "Height"))
    space = entries.get("ColorSpace")
    indexed = isinstance(space, list) and len(space) >= 4 and space[0] in (Name("I"), Name("Indexed"))
    colours = min(256, lexer.integer(space[2]) + 1) if isinstance(space, list) and indexed else 0
    return pictures.Shape(width, height, bits, 2 if bits == 1 else colours)


def replaced(content: bytes, changes: Mapping[int, bytes], budget: Budget) -> bytes:
    """The content stream with pictures (by their number, from 0) replaced.  Raises FilterError."""
    out: list[bytes] = []
    at = 0
    for number, one in enumerate(find(content, budget)):
        if number not in changes:
            continue
        out += [content[at : one.start], _rewritten(content, one, changes[number])]
        at = one.end
    return b"".join([*out, content[at:]])


def _rewritten(content: bytes, one: Inline, data: bytes) -> bytes:
    if one.names[-1:] != (streams.DCT,) or not data.startswith(b"\xff\xd8"):
        raise Unsupported("an inline picture that is no JPEG")
    if len(one.names) == 1:
        return content[one.start : one.first] + data + b"\nEI"
    if "DecodeParms" in one.entries:
        raise Unsupported("an inline picture with parameters")
    head = content[one.start : one.first - 3]
    for start, end in reversed(one.spans):
        head = head[: start - one.start] + head[end - one.start :]
    return head.rstrip() + b" /F /DCT ID " + data + b"\nEI"
