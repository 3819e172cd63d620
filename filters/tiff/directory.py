"""Image file directories of TIFF 6.0 section 2 and of BigTIFF, read with bounds: nothing is trusted, nothing copied."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filters.api import Malformed, TooBig

MAX_DIRECTORIES = 4_000  # of one file: a fax of so many pages is none
MAX_FIELDS = 100_000  # of all directories together

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, IFD, LONG8, SLONG8, IFD8 = 1, 2, 3, 4, 5, 7, 13, 16, 17, 18
SIZES: Mapping[int, int] = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_WHOLE: Mapping[int, str] = {BYTE: "u1", SHORT: "u2", LONG: "u4", IFD: "u4", LONG8: "u8", IFD8: "u8"}

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layout:
    """Byte order and width of offsets of one file."""

    order: str  # "<" or ">"
    big: bool

    @property
    def header(self) -> int:
        """Bytes of the file header."""
        return 16 if self.big else 8

    @property
    def inline(self) -> int:
        """Bytes of a value that stand in the entry itself."""
        return 8 if self.big else 4

    @property
    def pointer(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "I"))

    @property
    def counter(self) -> struct.Struct:
        """How many entries a directory has."""
        return struct.Struct(self.order + ("Q" if self.big else "H"))

    @property
    def entry(self) -> struct.Struct:
        """Tag, kind, count, value or offset."""
        return struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))


@dataclass(frozen=True, slots=True)
class Field:
    """One entry.  Its value is data[start:end]; ``start`` is -1 when the value cannot lie in the file."""

    tag: int
    kind: int
    count: int
    start: int
    end: int
    inline: bool

    @property
    def sound(self) -> bool:
        return self.start >= 0


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory at ``start``..``end``.  ``fields`` keeps the first entry of a tag; ``untidy``: bytes that mean nothing."""

    start: int
    end: int
    next: int
    fields: Mapping[int, Field] = field(repr=False)
    repeated: tuple[Field, ...] = ()
    untidy: bool = False


@dataclass(slots=True)
class Purse:
    """How much reading is still allowed."""

    directories: int = MAX_DIRECTORIES
    fields: int = MAX_FIELDS

    def pay(self, fields: int) -> None:
        self.directories -= 1
        self.fields -= fields
        if self.directories < 0 or self.fields < 0:
            raise TooBig("more directories or tags than any picture has")


def layout(data: bytes) -> Layout:
    """Byte order and version of a TIFF header.  Raises Malformed."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        raise Malformed("no TIFF header")
    version = struct.unpack_from(order + "H", data, 2)[0]
    if version == 42:
        return Layout(order, False)
    if version != 43 or len(data) < 16 or struct.unpack_from(order + "HH", data, 4) != (8, 0):
        raise Malformed("no TIFF header")
    return Layout(order, True)


def first(data: bytes, form: Layout) -> int:
    """Offset of the first directory."""
    return int(form.pointer.unpack_from(data, 8 if form.big else 4)[0])


def read(data: bytes, at: int, form: Layout, purse: Purse) -> Directory | None:
    """The directory at ``at``; None when it does not lie inside the file or is empty.  Raises TooBig."""
    head, row = form.counter.size, form.entry.size
    if not form.header <= at <= len(data) - head:
        return None
    count = form.counter.unpack_from(data, at)[0]
    end = at + head + row * count
    if not count or end > len(data):
        return None
    purse.pay(count)
    fields: dict[int, Field] = {}
    repeated: list[Field] = []
    untidy = False
    for number, (tag, kind, many, raw) in enumerate(form.entry.iter_unpack(data[at + head : end])):
        place = at + head + row * number + row - form.inline
        one = _field(data, form, (tag, kind, many), raw, place)
        untidy = untidy or (one.inline and any(raw[one.end - one.start :]))
        if tag in fields:
            repeated.append(one)
        else:
            fields[tag] = one
    # Some writers leave the pointer to the next directory out at the very end of the file.
    whole = end + form.pointer.size <= len(data)
    following = int(form.pointer.unpack_from(data, end)[0]) if whole else 0
    return Directory(at, end + form.pointer.size if whole else len(data), following, fields, tuple(repeated), untidy)


def nothing(data: bytes, at: int, form: Layout) -> bool:
    """No program finds a directory there: behind the end of the file, or one of no entries."""
    size = form.counter.size
    return at > len(data) - size or not any(data[at : at + size])


def _field(data: bytes, form: Layout, head: tuple[int, int, int], raw: bytes, place: int) -> Field:
    tag, kind, count = head
    size = SIZES.get(kind, 0) * count
    if kind not in SIZES:
        return Field(tag, kind, count, -1, -1, False)
    if size <= form.inline:
        return Field(tag, kind, count, place, place + size, True)
    start = int(form.pointer.unpack(raw)[0])
    if start < form.header or start + size > len(data):
        return Field(tag, kind, count, -1, -1, False)
    return Field(tag, kind, count, start, start + size, False)


def numbers(data: bytes, form: Layout, one: Field) -> Numbers:
    """The value of a sound field of whole numbers as int64; empty for any other kind.  Numbers over 2^63 become -1."""
    if one.kind not in _WHOLE or not one.sound:
        return np.zeros(0, np.int64)
    raw = np.frombuffer(data, form.order + _WHOLE[one.kind], one.count, one.start)
    if SIZES[one.kind] < 8:
        return raw.astype(np.int64)
    return np.where(raw >> np.uint64(63), np.int64(-1), raw.astype(np.int64))


def spans(directories: Iterable[Directory]) -> list[tuple[int, int]]:
    """Where directories and their values stand."""
    found: list[tuple[int, int]] = []
    for one in directories:
        found.append((one.start, one.end))
        for entry in (*one.fields.values(), *one.repeated):
            if entry.sound and not entry.inline and entry.end > entry.start:
                found.append((entry.start, entry.end))
    return found
