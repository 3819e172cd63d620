"""A TIFF written anew: header, directories with their values, samples.  Same byte order and version as the input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from filters.api import TooBig
from filters.tiff import tags
from filters.tiff.blocks import Blocks
from filters.tiff.directory import IFD, IFD8, LONG, LONG8, SIZES, Layout, Numbers
from filters.tiff.fields import Kept
from filters.tiff.placement import Placement

_KINDS = {LONG: "u4", LONG8: "u8"}
_MAX_CLASSIC = 0xFFFFFFFF  # offsets of classic TIFF


@dataclass(slots=True)
class Sheet:
    """One page of the output."""

    kept: Kept
    blocks: Blocks
    tiled: bool
    wide: frozenset[int]  # positions that the input writes in 8 bytes
    children: list[Sheet] = field(default_factory=list)
    at: int = 0  # offset of its directory

    def all(self) -> Iterable[Sheet]:
        """This one and all below it."""
        yield self
        for child in self.children:
            yield from child.all()


class Writer:
    """Writes one file; every position is known before the first byte is written."""

    def __init__(self, data: bytes, form: Layout, chain: Sequence[Sheet]) -> None:
        self._data, self._form, self._chain = data, form, chain
        self._sheets = [sheet for page in chain for sheet in page.all()]
        ranges = [one for sheet in self._sheets for one in sheet.blocks.ranges()]
        cuts = [one for sheet in self._sheets for one in sheet.blocks.cuts]
        self._places = Placement(ranges, cuts, 0)

    def write(self) -> bytes:
        """The whole file.  Raises TooBig."""
        base = self._arrange()
        if not self._form.big and base + self._places.end > _MAX_CLASSIC:
            raise TooBig("more than 4 GiB")
        return b"".join([self._head(base), *self._places.pieces(self._data)])

    def _arrange(self) -> int:
        """Gives each directory its place; returns where the samples begin, behind the values of all."""
        form, at, values, known = self._form, self._form.header, 0, set[bytes]()
        for sheet in self._sheets:
            sheet.at = at
            entries = self._entries(sheet, 0)
            at += form.counter.size + len(entries) * form.entry.size + form.pointer.size
            at += at & 1
            for tag, (_, _, value) in entries.items():
                if len(value) > form.inline and not (tag in sheet.kept.values and value in known):
                    values += len(value) + (len(value) & 1)
                    if tag in sheet.kept.values:
                        known.add(value)
        self._values_at = at
        return at + values

    def _head(self, base: int) -> bytes:
        """Header, directories and values, for samples that begin at ``base``."""
        form = self._form
        mark = b"II" if form.order == "<" else b"MM"
        number = (43 if form.big else 42).to_bytes(2, "little" if form.order == "<" else "big")
        extra = (8).to_bytes(2, "little" if form.order == "<" else "big") + b"\0\0" if form.big else b""
        out = bytearray(mark + number + extra + form.pointer.pack(self._chain[0].at))
        following = {id(a): b.at for a, b in zip(self._chain, self._chain[1:], strict=False)}
        values, known = bytearray(), dict[bytes, int]()
        for sheet in self._sheets:
            out += bytes(sheet.at - len(out))
            entries = self._entries(sheet, base)
            out += form.counter.pack(len(entries))
            for tag in sorted(entries):
                kind, count, value = entries[tag]
                shared = known if tag in sheet.kept.values else {}  # positions change with the base: never shared
                out += form.entry.pack(tag, kind, count, self._place(value, values, shared))
            out += form.pointer.pack(following.get(id(sheet), 0))
        out += bytes(self._values_at - len(out)) + values
        return bytes(out)

    def _place(self, value: bytes, values: bytearray, known: dict[bytes, int]) -> bytes:
        """The value itself when it is short, else the offset of its one copy."""
        if len(value) <= self._form.inline:
            return value.ljust(self._form.inline, b"\0")
        if value not in known:
            known[value] = self._values_at + len(values)
            values += value + bytes(len(value) & 1)
        return self._form.pointer.pack(known[value])

    def _entries(self, sheet: Sheet, base: int) -> dict[int, tuple[int, int, bytes]]:
        found = dict(sheet.kept.values)
        blocks = sheet.blocks
        if blocks.starts.size:
            used = blocks.ends > blocks.starts
            starts, sizes = np.zeros(used.size, np.int64), np.zeros(used.size, np.int64)
            starts[used] = self._places.moved(blocks.starts[used]) + base
            sizes[used] = self._places.length(blocks.starts[used], blocks.ends[used])
            offsets, counts = (tags.TILE_OFFSETS, tags.TILE_COUNTS) if sheet.tiled else (tags.STRIP_OFFSETS, tags.STRIP_COUNTS)
            found[offsets] = self._numbers(sheet, offsets, starts)
            found[counts] = self._numbers(sheet, counts, sizes)
        if sheet.children:
            kind = IFD8 if self._form.big else IFD
            found[tags.SUB_IFDS] = self._kind(kind, [child.at for child in sheet.children])
        self._old_jpeg(sheet, base, found)
        return found

    def _old_jpeg(self, sheet: Sheet, base: int, found: dict[int, tuple[int, int, bytes]]) -> None:
        old = sheet.blocks.old
        if old is None:
            return
        if old.file:
            start, end = np.array(old.file[:1], np.int64), np.array(old.file[1:], np.int64)
            found[tags.JPEG_FILE] = self._numbers(sheet, tags.JPEG_FILE, self._places.moved(start) + base)
            found[tags.JPEG_FILE_LENGTH] = self._numbers(sheet, tags.JPEG_FILE_LENGTH, self._places.length(start, end))
        for tag, places in old.tables.items():
            found[tag] = self._numbers(sheet, tag, self._places.moved(np.array(places, np.int64)) + base)

    def _numbers(self, sheet: Sheet, tag: int, values: Numbers) -> tuple[int, int, bytes]:
        kind = LONG8 if self._form.big and tag in sheet.wide else LONG
        return kind, values.size, values.astype(self._form.order + _KINDS[kind]).tobytes()

    def _kind(self, kind: int, values: list[int]) -> tuple[int, int, bytes]:
        width = SIZES[kind]
        return kind, len(values), np.array(values).astype(f"{self._form.order}u{width}").tobytes()
