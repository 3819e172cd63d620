"""MAPI properties as TNEF writes them (MS-OXTNEF 2.1.3.4, property types of MS-OXCDATA 2.11.1)."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import Final

from filters.api import Budget, Malformed, TooBig

STRING8, UNICODE, OBJECT, BINARY, LONG = 0x1E, 0x1F, 0x0D, 0x102, 0x03
_MULTIPLE: Final = 0x1000
_VARIABLE: Final = frozenset((STRING8, UNICODE, OBJECT, BINARY))
_SIZES: Final = {
    0x01: 4, 0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16,
}  # fmt: skip
_NAMED: Final = 0x8000
_MOST: Final = 100_000  # values in one block


@dataclass(frozen=True, slots=True)
class Property:
    """One property: number, base type, and its values as bytes (texts without their closing NUL removed)."""

    number: int
    type: int
    values: tuple[bytes, ...] = field(repr=False)


class Reader:
    """Reads little-endian numbers and padded blocks.  Raises Malformed at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise Malformed("truncated property")
        part, self.at = self.data[self.at : end], end
        return part

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self.take(size), "little")

    def padded(self, count: int) -> bytes:
        """A block whose length is rounded up to four; the padding of the very last one may be missing."""
        part = self.take(count)
        self.at = min(self.at + -count % 4, len(self.data))
        return part


def properties(data: bytes, budget: Budget) -> list[Property]:
    """All properties of a block.  Raises Malformed, TooBig."""
    reader, found, values = Reader(data), list[Property](), 0
    for _ in range(reader.number()):
        budget.tick()
        one = _property(reader, _MOST - values)
        values += len(one.values) + 1
        found.append(one)
    return found


def _property(reader: Reader, room: int) -> Property:
    kind, number = reader.number(2), reader.number(2)
    if number >= _NAMED:
        reader.take(16)  # GUID of the name's space
        if reader.number() == 0:
            reader.number()
        else:
            reader.padded(reader.number())
    base = kind & ~_MULTIPLE
    if base not in _VARIABLE and base not in _SIZES:
        raise Malformed("property of unknown type")
    count = reader.number() if base in _VARIABLE or kind & _MULTIPLE else 1
    if count > room:
        raise TooBig("property values")
    values = tuple(reader.padded(reader.number() if base in _VARIABLE else _SIZES[base]) for _ in range(count))
    return Property(number, base, values)


# Code page -> codec, where the name is not "cp" and the number (MS-OXCDATA 2.2, Windows code pages).
_CODECS: Final = {
    65001: "utf-8", 65000: "utf-7", 1200: "utf-16-le", 1201: "utf-16-be", 20127: "ascii", 20866: "koi8-r", 21866: "koi8-u",
    10000: "mac-roman", 51932: "euc-jp", 51949: "euc-kr", 54936: "gb18030", 50220: "iso-2022-jp", 50221: "iso-2022-jp",
    50222: "iso-2022-jp", 52936: "hz", 936: "gbk", **{28590 + part: f"iso-8859-{part}" for part in range(1, 17)},
}  # fmt: skip


def codec(codepage: int) -> str:
    """The name of the charset, "latin-1" for one that nobody knows."""
    try:
        return codecs.lookup(_CODECS.get(codepage, f"cp{codepage}")).name
    except LookupError:
        return "latin-1"


def text(value: bytes, kind: int, codepage: int) -> str:
    """A text property's value.  Total: bytes that are none of the code page are read as Latin-1."""
    try:
        return value.decode("utf-16-le" if kind == UNICODE else codec(codepage)).rstrip("\0")
    except UnicodeError:
        return value.decode("latin-1").rstrip("\0")
