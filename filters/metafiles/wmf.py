"""Windows metafiles of the first kind (WMF, [MS-WMF]): records of 16-bit words.  Samples stay; programs' comments are blanked."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from filters.api import STRICT, Blocked, Budget, Cleaning, Fate, Finding, ImageInfo, Malformed, Nature, Seen, Unsupported
from filters.metafiles import bitmaps
from filters.metafiles.codes import COMMENT, HIDDEN, TRAILER
from filters.sniffing.inside import carries

_PLACEABLE: Final = b"\xd7\xcd\xc6\x9a"
_MOST_RECORDS: Final = 1_000_000
_ESCAPE = 0x0626
# Function -> where its bitmap begins in the record ([MS-WMF] 2.3.1); shorter records of it have none.
_BITMAPS: Final[Mapping[int, int]] = {0x0940: 22, 0x0B41: 26, 0x0F43: 28, 0x0D33: 24, 0x0142: 10}
_OLD_BITMAPS: Final = frozenset((0x0922, 0x0B23, 0x01F9, 0x06FE, 0x02FD))  # device-dependent ones, as Windows 2 wrote them
_SMALLEST = 12  # bytes of a bitmap's header


@dataclass(frozen=True, slots=True)
class _Record:
    number: int
    function: int
    start: int
    end: int


def drawing(data: bytes) -> ImageInfo:
    """The metafile as a drawing; size in its own units where it states one."""
    if data.startswith(_PLACEABLE) and len(data) >= 22:
        left, top, right, bottom = struct.unpack_from("<hhhh", data, 6)
        return ImageInfo(max(1, abs(right - left)), max(1, abs(bottom - top)), 8, nature=Nature.DRAWING)
    return ImageInfo(1, 1, 8, nature=Nature.DRAWING)


class Wmf:
    """The opener for WMF, placeable or not."""

    name, native, rebuilds = "wmf", False, True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Bitmaps in drawing commands.  Raises FilterError."""
        end = 0
        for record in _records(data, budget):
            end = record.end
            if record.function in _BITMAPS and record.end - record.start >= _BITMAPS[record.function] + _SMALLEST:
                budget.member()
                yield bitmaps.packed(f"record {record.number}", data[record.start + _BITMAPS[record.function] : record.end])
            elif record.function in _OLD_BITMAPS and record.end - record.start > 40:
                yield Blocked(HIDDEN)
            elif record.function == _ESCAPE and any(data[record.start + 10 : record.end]):
                yield Finding(COMMENT, f"record@{record.start}", Fate.REMOVED)
                if carries(data[record.start : record.end]):
                    yield Blocked(HIDDEN)
        if any(data[end:]):
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
        """Comments blanked, what stands behind the end cut off.  Raises FilterError."""
        if changes:
            raise Unsupported("a file in a bitmap record cannot be replaced")
        made = bytearray(data)
        end = 0
        for record in _records(data, budget):
            end = record.end
            if record.function == _ESCAPE:
                made[record.start + 10 : record.end] = bytes(record.end - record.start - 10)
        return bytes(made[:end])


def _records(data: bytes, budget: Budget) -> Iterator[_Record]:
    """All records up to and with the end record.  Raises Malformed, TooBig."""
    at = 22 if data.startswith(_PLACEABLE) else 0
    if at + 18 > len(data) or struct.unpack_from("<H", data, at + 2)[0] != 9:
        raise Malformed("header")
    at += 18
    for number in range(_MOST_RECORDS):
        if number % 4096 == 0:
            budget.tick()
        if at + 6 > len(data):
            raise Malformed("no end record")
        size, function = struct.unpack_from("<IH", data, at)
        if size < 3 or at + 2 * size > len(data):
            raise Malformed("record")
        yield _Record(number, function, at, at + 2 * size)
        at += 2 * size
        if not function:
            return
    raise Malformed("too many records")


WMF = Wmf()
