"""Movie fragments (14496-12 8.8): runs of samples whose places are told from where their moof begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from filters.api import Malformed
from filters.bmff import boxes
from filters.bmff.boxes import Box, Reader
from filters.bmff.layout import Numbers, Offsets, Parts, numbers, wrap
from filters.bmff.leaves import exactly
from filters.bmff.movie import Movie, Track

_BASE, _DESCRIPTION, _DURATION, _SIZE, _FLAGS = 1, 2, 8, 16, 32  # tfhd
_EMPTY, _FROM_MOOF = 0x10000, 0x20000
_OFFSET, _FIRST_FLAGS = 1, 4  # trun; the fields of each sample are the bits 0x100 to 0x800
_PER_SAMPLE = (0x100, 0x200, 0x400, 0x800)


@dataclass(slots=True)
class _Run:
    """State within one traf: where the next run without an offset of its own begins."""

    base: int
    at: int
    size: int  # of samples that tell none


def defaults(movie: Movie) -> dict[int, int]:
    """Track -> size of its samples where a fragment tells none (trex)."""
    found: dict[int, int] = {}
    data = movie.data
    for child in boxes.walk(data, movie.box.body, movie.box.end):
        for row in boxes.walk(data, child.body, child.end) if child.kind == b"mvex" else ():
            if row.kind == b"trex" and row.end - row.body >= 24:
                found[int.from_bytes(data[row.body + 4 : row.body + 8], "big")] = int.from_bytes(
                    data[row.body + 16 : row.body + 20], "big"
                )
    return found


class Fragment:
    """One moof: its runs registered as needed, and the box as it may stay."""

    def __init__(self, data: bytes, box: Box, movie: Movie, sizes: Mapping[int, int]) -> None:
        self.data, self.box, self.movie, self.sizes = data, box, movie, sizes
        self.samples: dict[int, int] = {}  # track -> number of samples
        self._end = box.start  # of the data of the traf before
        self._first = True
        kept: Parts = []
        self._tracks = 0
        children = boxes.walk(data, box.body, box.end)
        for child in children:
            if child.kind == b"mfhd":
                kept.append(boxes.write(b"mfhd", self._leaf(child, exactly(8)(self._body(child)))))
            elif child.kind == b"traf":
                kept += self._traf(child)
            else:
                movie.drop(child)
        if not boxes.blank(data, boxes.tail(children, box.body), box.end):
            movie.notes.note("bmff.edit-tail", box)
        self.parts = wrap(b"moof", kept) if self._tracks else []

    def _body(self, box: Box) -> bytes:
        return self.data[box.body : box.end]

    def _leaf(self, box: Box, cleaned: bytes) -> bytes:
        if cleaned != self._body(box):
            self.movie.notes.note("bmff.reserved", box)
        return cleaned

    def _traf(self, box: Box) -> Parts:
        children = boxes.walk(self.data, box.body, box.end)
        heads = [child for child in children if child.kind == b"tfhd"]
        if len(heads) != 1 or children[0] is not heads[0]:
            raise Malformed("a track fragment without its header")
        number, run, head = self._head(heads[0])
        track = self.movie.kept.get(number)
        out: Parts = [head]
        for child in children[1:]:
            if child.kind == b"trun":
                out += self._trun(child, run, track)
            elif track is not None:
                out += self._other(child)
        self._end, self._first = run.at, False
        if track is None:
            self.movie.notes.note("bmff.other-track", box)
            return []
        if not boxes.blank(self.data, boxes.tail(children, box.body), box.end):
            self.movie.notes.note("bmff.edit-tail", box)
        self._tracks += 1
        return wrap(b"traf", out)

    def _head(self, box: Box) -> tuple[int, _Run, bytes]:
        """(track, state, the header told from the moof): 14496-12 8.8.7."""
        reader = Reader(self.data, box.body, box.end)
        version, flags = reader.full()
        number = reader.number(4)
        base = self.box.start if self._first or flags & _FROM_MOOF else self._end
        if flags & _BASE:
            base = reader.number(8)
        fields = reader.take(sum(4 for bit in (_DESCRIPTION, _DURATION, _SIZE, _FLAGS) if flags & bit))
        size = self.sizes.get(number, 0)
        if flags & _SIZE:
            at = 4 * sum(1 for bit in (_DESCRIPTION, _DURATION) if flags & bit)
            size = int.from_bytes(fields[at : at + 4], "big")
        if reader.left:
            self.movie.notes.note("bmff.reserved", box)
        head = boxes.full(b"tfhd", version, flags & ~_BASE & 0x3003B | _FROM_MOOF, number.to_bytes(4, "big") + fields)
        return number, _Run(base, base, size), head

    def _trun(self, box: Box, run: _Run, track: Track | None) -> Parts:
        """One run, with an offset of its own (8.8.8)."""
        reader = Reader(self.data, box.body, box.end)
        version, flags = reader.full()
        count = reader.number(4)
        if flags & _OFFSET:
            signed = int.from_bytes(reader.take(4), "big", signed=True)
            run.at = run.base + signed
        first = reader.take(4) if flags & _FIRST_FLAGS else b""
        width = 4 * sum(1 for bit in _PER_SAMPLE if flags & bit)
        if width * count > reader.left or (not width and count * max(run.size, 1) > len(self.data)):
            raise Malformed("run beyond the end of its box")
        rows = reader.take(width * count)
        if reader.left:
            self.movie.notes.note("bmff.reserved", box)
        sizes = _sizes(rows, flags, width, count, run.size)
        start, run.at = run.at, run.at + int(sizes.sum())
        if track is None:
            return []
        if start < 0:
            raise Malformed("sample outside the media data")
        self._register(track, start, sizes)
        head = bytes((version,)) + (flags & 0xF05 | _OFFSET).to_bytes(3, "big") + count.to_bytes(4, "big")
        return wrap(b"trun", [head, Offsets(numbers(start), 4, self.box.start), first + rows])

    def _register(self, track: Track, start: int, sizes: Numbers) -> None:
        ends = start + np.cumsum(sizes)
        self.movie.media.need(numbers(start), numbers(int(sizes.sum())))
        self.samples[track.number] = self.samples.get(track.number, 0) + len(sizes)
        if track.visual:
            self.movie.look_into(track, ends - sizes, ends)

    def _other(self, box: Box) -> Parts:
        body = self._body(box)
        if box.kind == b"tfdt":
            return [boxes.write(b"tfdt", self._leaf(box, exactly(12 if body[:1] == b"\1" else 8)(body)))]
        if box.kind == b"subs" and len(body) >= 8:
            self.movie.drop(box)
            return []
        if box.kind == b"sdtp":
            return [boxes.write(b"sdtp", body)]
        self.movie.drop(box)
        return []


def _sizes(rows: bytes, flags: int, width: int, count: int, size: int) -> Numbers:
    """The size of each sample of a run."""
    if not flags & 0x200:
        return np.full(count, size, np.int64)
    fields = np.frombuffer(rows, ">u4").reshape(count, width // 4)
    return fields[:, 1 if flags & 0x100 else 0].astype(np.int64)


def index(box: Box, data: bytes) -> bool:
    """An index (sidx, mfra) holds nothing but its numbers."""
    body = data[box.body : box.end]
    if box.kind == b"sidx":
        head = 32 if body[:1] == b"\1" else 24
        return len(body) >= head and len(body) == head + 12 * int.from_bytes(body[head - 2 : head], "big")
    if box.kind == b"mfra":
        inner = boxes.walk(data, box.body, box.end)
        return all(_random_access(data[child.body : child.end], child.kind) for child in inner) and (
            boxes.tail(inner, box.body) == box.end
        )
    return False


def _random_access(body: bytes, kind: bytes) -> bool:
    if kind == b"mfro":
        return len(body) == 8
    if kind != b"tfra" or len(body) < 16:
        return False
    width = (16 if body[0] == 1 else 8) + sum((body[11] >> shift & 3) + 1 for shift in (4, 2, 0))
    return len(body) == 16 + width * int.from_bytes(body[12:16], "big")
