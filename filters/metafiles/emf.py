"""Enhanced metafiles (EMF, EMF+, [MS-EMF], [MS-EMFPLUS]): records one after the other, each with its size.

Samples in bitmap records hide nothing and stay; files in EMF+ objects are members and can be replaced; the description of the
header and comments of programs are blanked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from filters.api import STRICT, Blocked, Budget, Cleaning, Fate, Finding, ImageInfo, Malformed, Member, Nature, Seen, Unsupported
from filters.metafiles import bitmaps
from filters.metafiles.codes import COMMENT, DESCRIPTION, HIDDEN, TRAILER
from filters.sniffing.inside import carries

_HEADER, _EOF, _COMMENT = 1, 14, 70
_MOST_RECORDS: Final = 1_000_000
# Record type -> offsets of its (offBmi, cbBmi, offBits, cbBits), of the second bitmap too where there is a mask.
_BITMAPS: Final[Mapping[int, tuple[int, ...]]] = {
    76: (84,), 77: (84,), 78: (84, 112), 79: (96, 128), 80: (48,), 81: (48,), 93: (16,), 94: (16,), 95: (12,), 114: (84,),
    116: (84,),
}  # fmt: skip
_PLUS, _PUBLIC = b"EMF+", b"GDIC"
_MULTIPLE, _FORMATS = 0x40000004, 40  # the comment with several formats; where its table begins
_OBJECT, _IMAGE, _CONTINUED = 0x4008, 5, 0x8000
_PIXELS, _FILE = 0, 1  # kinds of an EMF+ bitmap


@dataclass(frozen=True, slots=True)
class _Record:
    number: int
    kind: int
    start: int
    end: int


def drawing(data: bytes) -> ImageInfo:
    """The metafile as a drawing; size in device units.  Raises Malformed."""
    if len(data) < 88:
        raise Malformed("truncated header")
    left, top, right, bottom = struct.unpack_from("<iiii", data, 8)
    return ImageInfo(max(1, abs(right - left)), max(1, abs(bottom - top)), 8, nature=Nature.DRAWING)


class Emf:
    """The opener for EMF and EMF+."""

    name, native, rebuilds = "emf", False, True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Bitmaps and files in drawing commands.  Raises FilterError."""
        if _description(data) is not None:
            yield Finding(DESCRIPTION, "header", Fate.REMOVED)
        end = 0
        for record in _records(data, budget):
            end = record.end
            if record.kind in _BITMAPS:
                yield from _bitmap(data, record, budget)
            elif record.kind == _COMMENT:
                yield from _comment(data, record, budget)
        if end != len(data):
            yield Finding(TRAILER, f"EOF@{end}", Fate.REMOVED)
            if carries(data[end:]):
                yield Blocked(HIDDEN)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """Description and comments blanked, files in objects replaced, sizes as they then are.  Raises FilterError."""
        out: list[bytes] = []
        for record in _records(data, budget):
            body = data[record.start : record.end]
            if record.kind == _COMMENT:
                body = _cleaned(body, record, changes)
            elif any(key.startswith(f"record {record.number} ") for key in changes):
                raise Unsupported("a file in a bitmap record cannot be replaced")
            out.append(body)
        made = bytearray(b"".join(out))
        told = _description(data)
        if told is not None:
            made[told[0] : told[1]] = bytes(told[1] - told[0])
            made[60:68] = bytes(8)
        struct.pack_into("<I", made, 48, len(made))
        return bytes(made)


def _records(data: bytes, budget: Budget) -> Iterator[_Record]:
    """All records up to and with the end record.  Raises Malformed, TooBig."""
    at = 0
    for number in range(_MOST_RECORDS):
        if number % 4096 == 0:
            budget.tick()
        if at + 8 > len(data):
            raise Malformed("no end record")
        kind, size = struct.unpack_from("<II", data, at)
        if size < 8 or size % 4 or at + size > len(data) or (number == 0) != (kind == _HEADER) or (not number and size < 88):
            raise Malformed("record")
        yield _Record(number, kind, at, at + size)
        at += size
        if kind == _EOF:
            return
    raise Malformed("too many records")


def _description(data: bytes) -> tuple[int, int] | None:
    """The span of the description in the header record, None when there is none.  Raises Malformed."""
    if len(data) < 88:
        raise Malformed("truncated header")
    size = struct.unpack_from("<I", data, 4)[0]
    count, offset = struct.unpack_from("<II", data, 60)
    if not count and not offset:
        return None
    end = offset + 2 * count
    if not 68 <= offset <= end <= min(size, len(data)):
        raise Malformed("description")
    return offset, end


def _bitmap(data: bytes, record: _Record, budget: Budget) -> Iterator[Seen]:
    for place in _BITMAPS[record.kind]:
        if record.start + place + 16 > record.end:
            continue  # a short form without a bitmap
        start, size, at, length = struct.unpack_from("<IIII", data, record.start + place)
        if not length:
            continue
        if max(start + size, at + length) > record.end - record.start:
            raise Malformed("bitmap outside its record")
        budget.member()
        body = data[record.start : record.end]
        yield bitmaps.member(f"record {record.number} {place}", body[start : start + size], body[at : at + length])


# ---- comments


def _comment(data: bytes, record: _Record, budget: Budget) -> Iterator[Seen]:
    body = data[record.start : record.end]
    word = body[12:16]
    if word == _PLUS:
        yield from _plus(body, record, budget)
    elif word == _PUBLIC:
        formats = _formats(body)
        for number, (start, end) in enumerate(formats):
            budget.member()
            yield Member(f"record {record.number} format {number}", body[start:end], inline=True)
        if not formats and carries(body):
            yield Blocked(HIDDEN)
    elif any(body[12:]):
        yield Finding(COMMENT, f"record@{record.start}", Fate.REMOVED)
        if carries(body):
            yield Blocked(HIDDEN)


def _formats(body: bytes) -> list[tuple[int, int]]:
    """Where the files of a comment stand that offers the drawing in several formats ([MS-EMF] 2.3.3.4.3); else nothing."""
    if struct.unpack_from("<I", body.ljust(20, b"\0"), 16)[0] != _MULTIPLE or len(body) < _FORMATS:
        return []
    count = struct.unpack_from("<I", body, 36)[0]
    if count > 64 or _FORMATS + 16 * count > len(body):
        raise Malformed("formats of a comment")
    spans = []
    for at in range(_FORMATS, _FORMATS + 16 * count, 16):
        size, offset = struct.unpack_from("<II", body, at + 8)
        spans.append((12 + offset, 12 + offset + size))
    if any(end > len(body) for _, end in spans) or any(a[1] > b[0] for a, b in pairwise(spans)):
        raise Malformed("formats of a comment")
    return spans


def _with_formats(body: bytes, record: _Record, changes: Mapping[str, bytes]) -> bytes:
    """The comment with some of its files replaced; places and sizes follow."""
    spans = _formats(body)
    keys = [f"record {record.number} format {number}" for number in range(len(spans))]
    if not any(key in changes for key in keys):
        return body
    table, files = bytearray(body[16:_FORMATS]), bytearray()
    first = _FORMATS + 16 * len(spans)
    for number, (key, (start, end)) in enumerate(zip(keys, spans, strict=True)):
        data = changes.get(key, body[start:end])
        told = body[_FORMATS + 16 * number : _FORMATS + 16 * number + 8]
        table += told + struct.pack("<II", len(data), first - 12 + len(files))
        files += data + bytes(-len(data) % 4)
    size = 4 + len(table) + len(files)
    return struct.pack("<III", _COMMENT, size + 12, size) + _PUBLIC + bytes(table) + bytes(files)


@dataclass(frozen=True, slots=True)
class _Plus:
    """One EMF+ record: ``at`` its offset in the comment record, ``data`` the span of its own data."""

    at: int
    kind: int
    flags: int
    data: tuple[int, int]
    end: int


def _plus_records(body: bytes) -> Iterator[_Plus]:
    at, end = 16, 12 + min(struct.unpack_from("<I", body, 8)[0], len(body) - 12)
    while at + 12 <= end:
        kind, flags, size, length = struct.unpack_from("<HHII", body, at)
        if size < 12 or at + size > end or length > size - 12:
            raise Malformed("EMF+ record")
        yield _Plus(at, kind, flags, (at + 12, at + 12 + length), at + size)
        at += size


def _plus(body: bytes, record: _Record, budget: Budget) -> Iterator[Seen]:
    for number, one in enumerate(_plus_records(body)):
        if one.kind != _OBJECT:
            continue
        data = body[one.data[0] : one.data[1]]
        if one.flags >> 8 & 0x7F == _IMAGE and not one.flags & _CONTINUED:
            found = _image(f"record {record.number} object {number}", data)
            if found is not None:
                budget.member()
                yield found
        elif carries(data) or one.flags & _CONTINUED:
            yield Blocked(HIDDEN)  # an image in pieces, or in a brush


def _image(key: str, data: bytes) -> Member | None:
    """An image object ([MS-EMFPLUS] 2.2.1.4): a bitmap's samples, or a file."""
    if len(data) < 8:
        raise Malformed("EMF+ image")
    kind = struct.unpack_from("<I", data, 4)[0]
    if kind == 2:  # a metafile in the metafile
        return Member(key, data[16:], inline=True)
    if kind != 1 or len(data) < 28:
        return None
    wide, high, form = *struct.unpack_from("<ii", data, 8), struct.unpack_from("<I", data, 24)[0]
    if form == _FILE:
        return Member(key, _unpadded(data[28:]), inline=True)
    info = ImageInfo(min(abs(wide), 1 << 16) or 1, min(abs(high), 1 << 16) or 1, 8)
    return Member(key, data[28:], info=info, inline=True)


def _unpadded(data: bytes) -> bytes:
    """Without the zeros that fill the last four bytes."""
    return data[:-3] + data[-3:].rstrip(b"\0")


def _cleaned(body: bytes, record: _Record, changes: Mapping[str, bytes]) -> bytes:
    word = body[12:16]
    if word == _PUBLIC:
        return _with_formats(body, record, changes)
    if word != _PLUS:
        return body[:12] + bytes(len(body) - 12)
    new: list[bytes] = []
    for number, one in enumerate(_plus_records(body)):
        change = changes.get(f"record {record.number} object {number}")
        new.append(body[one.at : one.end] if change is None else _with_file(body, one, change))
    joined = b"".join(new)
    return struct.pack("<III", _COMMENT, len(joined) + 16, len(joined) + 4) + _PLUS + joined


def _with_file(body: bytes, one: _Plus, change: bytes) -> bytes:
    head = 28 if struct.unpack_from("<I", body, one.data[0] + 4)[0] == 1 else 16
    data = body[one.data[0] : one.data[0] + head] + change
    data += bytes(-len(data) % 4)
    return struct.pack("<HHII", one.kind, one.flags, len(data) + 12, len(data)) + data


EMF = Emf()
