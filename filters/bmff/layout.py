"""Where the coded pictures and sound stand, before and after: what is needed is copied, offsets follow, the rest is gone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from filters.api import Malformed
from filters.bmff import boxes
from filters.bmff.boxes import Box

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Offsets:
    """File offsets in a box, of ``width`` bytes each, written when it is known where everything will stand.

    With ``anchor`` (the start of a moof in the input) they are told from where that moof will begin.
    """

    values: Numbers = field(repr=False)
    width: int = 4
    anchor: int | None = None

    def __len__(self) -> int:
        return self.width * len(self.values)


@dataclass(frozen=True, slots=True)
class Spots:
    """Bytes with file offsets of four bytes at ``spots``; values from ``OWN`` on are offsets in what we add ourselves."""

    template: bytes = field(repr=False)
    spots: tuple[int, ...]
    values: tuple[int, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.template)


OWN = 1 << 40
Part = bytes | Offsets | Spots
Parts = list[Part]


def wrap(kind: bytes, parts: Parts) -> Parts:
    """A box of parts."""
    return [boxes.head(kind, sum(map(len, parts))), *parts]


def numbers(*values: int) -> Numbers:
    return np.array(values, np.int64)


@dataclass(frozen=True, slots=True)
class Looked:
    """Coded pictures that were looked into: codec and size of a NAL length, where each begins and ends."""

    kind: tuple[bytes, int]
    starts: Numbers = field(repr=False)
    ends: Numbers = field(repr=False)


class Media:
    """The bytes in the mdat boxes: which are needed, what replaces some of them, and where they will stand."""

    def __init__(self, data: bytes, mdats: Sequence[Box]) -> None:
        self.data = data
        self.mdats = [box for box in mdats if box.end > box.body]
        self._needed: list[tuple[Numbers, Numbers]] = []
        self.patches: dict[int, bytes] = {}  # offset -> what overwrites the bytes there
        self.looked: list[Looked] = []
        self._opens, self._closes = numbers(*(box.body for box in self.mdats)), numbers(*(box.end for box in self.mdats))
        self.added = bytearray()  # content that replaces some of another length
        self.starts = self.ends = numbers()

    def need(self, offsets: Numbers, sizes: Numbers) -> None:
        """These ranges are needed.  Raises Malformed when one does not lie inside an mdat."""
        some = sizes > 0
        offsets, ends = offsets[some], offsets[some] + sizes[some]
        if not len(offsets):
            return
        if not self.mdats:
            raise Malformed("samples without media data")
        index = np.searchsorted(self._opens, offsets, "right") - 1
        if index.min() < 0 or bool((ends > self._closes[index]).any()):
            raise Malformed("sample outside the media data")
        self._needed.append((offsets, ends))

    def rooms(self, offsets: Numbers) -> Numbers:
        """Bytes from each offset to the end of its mdat; 0 or less outside of all."""
        if not self.mdats:
            return np.zeros_like(offsets)
        index = np.searchsorted(self._opens, offsets, "right") - 1
        return np.where(index < 0, 0, self._closes[np.clip(index, 0, None)] - offsets)

    def add(self, content: bytes) -> int:
        """New content; its offset within what is added."""
        self.added += content
        return len(self.added) - len(content)

    def settle(self) -> None:
        """Merge what is needed into ranges in ascending order."""
        if self.patches:
            self._apart()
        if not self._needed:
            return
        starts = np.concatenate([start for start, _ in self._needed])
        ends = np.concatenate([end for _, end in self._needed])
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], np.maximum.accumulate(ends[order])
        first = np.ones(len(starts), bool)
        first[1:] = starts[1:] > ends[:-1]
        last = np.append(first[1:], True)
        self.starts, self.ends = starts[first], ends[last]

    def _apart(self) -> None:
        """Coded pictures that we change may be shared, but not overlap: a change to one would be a change to another."""
        kinds = {kind: place for place, kind in enumerate({one.kind for one in self.looked})}
        rows = [np.stack((one.starts, one.ends, np.full_like(one.starts, kinds[one.kind]))) for one in self.looked]
        starts, ends, _ = np.unique(np.concatenate(rows, 1), axis=1)
        if bool((starts[1:] < np.maximum.accumulate(ends)[:-1]).any()):
            raise Malformed("coded pictures that overlap")

    def gap(self) -> int | None:
        """Where bytes other than zero begin that nothing refers to, or None."""
        for box in self.mdats:
            before = box.body
            for start, end in [*self.pieces(box), (box.end, box.end)]:
                if not boxes.blank(self.data, before, start):
                    return before
                before = end
        return None

    def pieces(self, box: Box) -> list[tuple[int, int]]:
        """The needed ranges of one mdat."""
        lo, hi = np.searchsorted(self.starts, (box.body, box.end))
        return list(zip(self.starts[lo:hi].tolist(), self.ends[lo:hi].tolist(), strict=True))

    def copy(self, start: int, end: int, patches: Sequence[int]) -> memoryview | bytearray:
        """The bytes of one range, patched."""
        if not patches:
            return memoryview(self.data)[start:end]
        copy = bytearray(self.data[start:end])
        for at in patches:
            copy[at - start : at - start + len(self.patches[at])] = self.patches[at]
        return copy


class Layout:
    """The new file: boxes in the order of the input, each mdat with only what is needed of it."""

    def __init__(self, media: Media) -> None:
        self.media = media
        self._pieces: list[tuple[int, Parts | Box]] = []  # where it stood, and its content

    def put(self, start: int, content: Parts | Box) -> None:
        """A box of parts, or an mdat of the input."""
        self._pieces.append((start, content))

    def write(self) -> bytes:
        """The bytes of the new file."""
        at, anchors, shifts = 0, dict[int, int](), list[int]()
        for start, content in self._pieces:
            anchors[start] = at
            if isinstance(content, Box):
                ranges = self.media.pieces(content)
                at += 8 if ranges else 0
                for low, high in ranges:
                    shifts.append(at - low)
                    at += high - low
            else:
                at += sum(map(len, content))
        place = _Place(self.media, np.array(shifts, np.int64), anchors, at + 8)
        out: list[bytes | memoryview | bytearray] = []
        patches = sorted(self.media.patches)
        for _, content in self._pieces:
            out += self._mdat(content, patches) if isinstance(content, Box) else (place.render(part) for part in content)
        if self.media.added:
            out += [boxes.head(b"mdat", len(self.media.added)), bytes(self.media.added)]
        return b"".join(out)

    def _mdat(self, box: Box, patches: list[int]) -> list[bytes | memoryview | bytearray]:
        ranges = self.media.pieces(box)
        if not ranges:
            return []
        out: list[bytes | memoryview | bytearray] = [boxes.head(b"mdat", sum(end - start for start, end in ranges))]
        for start, end in ranges:
            out.append(self.media.copy(start, end, patches[bisect_left(patches, start) : bisect_left(patches, end)]))
        return out


class _Place:
    """Old offsets to new ones."""

    def __init__(self, media: Media, shifts: Numbers, anchors: dict[int, int], added: int) -> None:
        self.media, self.shifts, self.anchors, self.added = media, shifts, anchors, added

    def render(self, part: Part) -> bytes:
        if isinstance(part, bytes):
            return part
        if isinstance(part, Spots):
            return self._filled(part)
        found = self._moved(part.values)
        if part.anchor is not None:
            return (found - self.anchors[part.anchor]).astype(f">i{part.width}").tobytes()
        return found.astype(f">u{part.width}").tobytes()

    def _filled(self, part: Spots) -> bytes:
        values = numbers(*part.values)
        found = np.where(values >= OWN, values - OWN + self.added, self._moved(values)).astype(">u4").tobytes()
        out = bytearray(part.template)
        for index, spot in enumerate(part.spots):
            out[spot : spot + 4] = found[4 * index : 4 * index + 4]
        return bytes(out)

    def _moved(self, values: Numbers) -> Numbers:
        """Where bytes of the input stand in the output; what is not there keeps the place of what is nearest."""
        if not len(self.shifts):
            return np.zeros_like(values)
        index = np.clip(np.searchsorted(self.media.starts, values, "right") - 1, 0, None)
        return np.clip(values, self.media.starts[index], self.media.ends[index]) + self.shifts[index]
