"""Old-style JPEG in TIFF (TIFF 6.0 section 22, compression 6): a JPEG file in the TIFF, or bare scans with their tables apart.

Writers disagree about every tag of it, so lengths are measured, never believed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from filters.api import Malformed
from filters.tiff import coded, tags
from filters.tiff.directory import Layout, Numbers, numbers
from filters.tiff.tree import Page

_SOI = b"\xff\xd8"
_Q_BYTES, _HUFFMAN_COUNTS = 64, 16


@dataclass(slots=True)
class OldJpeg:
    """``file`` is the range of the JPEG file, if there is one; ``tables`` maps tags 519-521 to their offsets."""

    starts: Numbers
    ends: Numbers
    file: tuple[int, int] | None = None
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict)
    table_ranges: list[tuple[int, int]] = field(default_factory=list)
    cuts: list[tuple[int, int]] = field(default_factory=list)
    told: bool = True

    def ranges(self) -> list[tuple[int, int]]:
        """What the page needs beside its strips."""
        return [*([self.file] if self.file else []), *self.table_ranges]


def read(data: bytes, form: Layout, page: Page, starts: Numbers, counts: Numbers) -> OldJpeg:
    """Everything that an old-style page refers to.  Raises FilterError."""
    found = OldJpeg(starts, starts.copy())
    begin, length = _number(data, form, page, tags.JPEG_FILE), _number(data, form, page, tags.JPEG_FILE_LENGTH)
    if begin and data[begin : begin + 2] == _SOI:
        _whole(data, found, begin, length or 0)
    elif begin and not all(data[start : start + 2] == _SOI for start in starts.tolist()):
        raise Malformed("no JPEG stream")
    _strips(data, found, counts)
    _tables(data, form, page, found)
    if not found.starts.size and not found.file:
        raise Malformed("no strips")
    if found.file and found.file[1] - found.file[0] != length:
        found.told = False
    return found


def _number(data: bytes, form: Layout, page: Page, tag: int) -> int | None:
    one = page.directory.fields.get(tag)
    values = numbers(data, form, one)[:1].tolist() if one is not None else []
    return values[0] if values else None


def _whole(data: bytes, found: OldJpeg, begin: int, length: int) -> None:
    """The JPEG file, to its end; or its headers alone, when all strips stand elsewhere."""
    limit = min(begin + length, len(data)) if length else len(data)
    first = int(found.starts.min()) if found.starts.size else begin
    apart = first < begin or (length and first >= limit)
    stream = coded.header(data, begin, limit) if apart else coded.stream(data, begin, len(data))
    found.file = (begin, stream.end)
    found.cuts += stream.cuts


def _strips(data: bytes, found: OldJpeg, counts: Numbers) -> None:
    if found.starts.size and ((found.starts < 8).any() or (found.starts >= len(data)).any()):
        raise Malformed("strips outside the file")
    told = counts[: found.starts.size] if counts.size >= found.starts.size else np.zeros(found.starts.size, np.int64)
    for index, (start, count) in enumerate(zip(found.starts.tolist(), told.tolist(), strict=True)):
        found.ends[index] = _strip(data, found, start, count)
    found.told = counts.size >= found.starts.size and bool((found.ends == found.starts + told).all())


def _strip(data: bytes, found: OldJpeg, start: int, count: int) -> int:
    """Where one strip ends: with the file it stands in, with its own stream, or where its length says."""
    if found.file and found.file[0] <= start < found.file[1]:
        return min(start + count, found.file[1]) if count > 0 else found.file[1]
    if data[start : start + 2] == _SOI:
        stream = coded.stream(data, start, min(start + count, len(data)) if count > 0 else len(data))
        found.cuts += stream.cuts
        return stream.end
    if count <= 0 or start + count > len(data):
        raise Malformed("strips without a length")
    return start + count


def _tables(data: bytes, form: Layout, page: Page, found: OldJpeg) -> None:
    """Tables apart from the stream.  Beside a JPEG file that has its own they mean nothing, and wrong ones go."""
    for tag in (tags.JPEG_Q, tags.JPEG_DC, tags.JPEG_AC):
        one = page.directory.fields.get(tag)
        if one is None:
            continue
        places = tuple(numbers(data, form, one)[:256].tolist())
        ranges = [_table(data, tag, at) for at in places]
        if places and all(ranges) and (not found.file or all(_within(found.file, one) for one in ranges if one)):
            found.tables[tag] = places
            found.table_ranges += [one for one in ranges if one]
        elif not found.file:
            raise Malformed("JPEG tables outside the file")


def _table(data: bytes, tag: int, at: int) -> tuple[int, int] | None:
    if not 8 <= at <= len(data) - _Q_BYTES:
        return None
    size = _Q_BYTES if tag == tags.JPEG_Q else _HUFFMAN_COUNTS + sum(data[at : at + _HUFFMAN_COUNTS])
    return (at, at + size) if at + size <= len(data) else None


def _within(file: tuple[int, int], table: tuple[int, int]) -> bool:
    return file[0] <= table[0] and table[1] <= file[1]
