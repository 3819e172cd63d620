"""A small bounded reader of TIFF directories (TIFF 6.0 section 2) as EXIF uses them: sizes are checked before values are read."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MAX_ENTRIES = 1000  # of one directory; real maker files stay below 200
SIZES: Mapping[int, int] = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
FORMATS: Mapping[int, str] = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One directory entry: ``start``..``end`` is where its value stands, ``numbers`` the value when it is whole numbers."""

    tag: int
    kind: int
    count: int
    start: int
    end: int
    inline: bool
    numbers: tuple[int, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory: its entries, the offset of the next one, and the byte range it stands in."""

    entries: tuple[Entry, ...]
    next: int
    start: int
    end: int

    def number(self, tag: int) -> int | None:
        """The first whole number under ``tag``, or None."""
        for entry in self.entries:
            if entry.tag == tag and entry.numbers:
                return entry.numbers[0]
        return None


def byte_order(tiff: bytes) -> str | None:
    """'<' or '>' for a classic TIFF header, None for anything else."""
    return {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])


def read(tiff: bytes, offset: int, order: str) -> Directory | None:
    """The directory at ``offset``; None when it, or any value of it, does not lie inside ``tiff``."""
    if not 8 <= offset <= len(tiff) - 2:
        return None
    (count,) = struct.unpack_from(order + "H", tiff, offset)
    end = offset + 2 + 12 * count
    if count > MAX_ENTRIES or end > len(tiff):
        return None
    entries = []
    for at in range(offset + 2, end, 12):
        entry = _entry(tiff, at, order)
        if entry is None:
            return None
        entries.append(entry)
    # Some writers leave the pointer to the next directory out at the very end of the block.
    following = struct.unpack_from(order + "I", tiff, end)[0] if end + 4 <= len(tiff) else 0
    return Directory(tuple(entries), following, offset, min(end + 4, len(tiff)))


def scan(tiff: bytes, offset: int, order: str) -> Iterator[Entry]:
    """The readable entries of a directory that may be damaged: entries that lie outside are left out."""
    if not 8 <= offset <= len(tiff) - 2:
        return
    (count,) = struct.unpack_from(order + "H", tiff, offset)
    for at in range(offset + 2, min(offset + 2 + 12 * min(count, MAX_ENTRIES), len(tiff) - 11), 12):
        entry = _entry(tiff, at, order)
        if entry is not None:
            yield entry


def _entry(tiff: bytes, at: int, order: str) -> Entry | None:
    tag, kind, count = struct.unpack_from(order + "HHI", tiff, at)
    if kind not in SIZES:
        return None
    size = SIZES[kind] * count
    start = at + 8 if size <= 4 else struct.unpack_from(order + "I", tiff, at + 8)[0]
    if start + size > len(tiff):
        return None
    few = FORMATS.get(kind) if count <= 16 else None
    numbers = struct.unpack_from(f"{order}{count}{few}", tiff, start) if few else ()
    return Entry(tag, kind, count, start, start + size, size <= 4, numbers)
