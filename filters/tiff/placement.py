"""Where bytes of the input stand in the output: the kept ranges, close together, each region on an even offset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from filters.tiff.directory import Numbers

Range = tuple[int, int]


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The union of ranges, in order."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        elif end > start:
            found.append((start, end))
    return found


def overlap(left: Sequence[Range], right: Sequence[Range]) -> bool:
    """Two ordered lists of ranges have a byte in common."""
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i][0] < right[j][1] and right[j][0] < left[i][1]:
            return True
        if left[i][1] <= right[j][1]:
            i += 1
        else:
            j += 1
    return False


class Placement:
    """Maps offsets of the input to offsets of the output, whose samples begin at ``base`` (even)."""

    def __init__(self, ranges: Iterable[Range], cuts: Iterable[Range], base: int) -> None:
        self.regions = merged(ranges)
        self.cuts = merged(cuts)
        starts = np.array([start for start, _ in self.regions], np.int64)
        ends = np.array([end for _, end in self.regions], np.int64)
        self._cut_starts = np.array([start for start, _ in self.cuts], np.int64)
        self._cut_ends = np.array([end for _, end in self.cuts], np.int64)
        self._removed = np.concatenate((np.zeros(1, np.int64), np.cumsum(self._cut_ends - self._cut_starts)))
        sizes = self._kept(ends) - self._kept(starts)
        self.sizes = sizes + (sizes & 1)
        self._starts = starts
        self._bases = base + np.concatenate((np.zeros(1, np.int64), np.cumsum(self.sizes)))
        self.end = int(self._bases[-1])

    def _kept(self, at: Numbers) -> Numbers:
        """How many bytes before each offset are not cut."""
        index = np.searchsorted(self._cut_starts, at, "right")
        inside = np.zeros(at.size, np.int64)
        some = index > 0
        if some.any():
            last = index[some] - 1
            inside[some] = np.maximum(self._cut_ends[last] - at[some], 0)
        removed: Numbers = self._removed[index] - inside
        return at - removed

    def moved(self, at: Numbers) -> Numbers:
        """New offsets of old ones; each must stand in a kept range."""
        region = np.searchsorted(self._starts, at, "right") - 1
        return self._bases[region] + self._kept(at) - self._kept(self._starts[region])

    def length(self, starts: Numbers, ends: Numbers) -> Numbers:
        """Bytes that are left between old offsets of one region."""
        return self._kept(ends) - self._kept(starts)

    def pieces(self, data: bytes) -> list[bytes | memoryview]:
        """The samples of the output."""
        view, out, cut = memoryview(data), list[bytes | memoryview](), 0
        for start, end in self.regions:
            at, size = start, 0
            while cut < len(self.cuts) and self.cuts[cut][0] < end:
                if self.cuts[cut][1] > at:
                    out.append(view[at : max(at, self.cuts[cut][0])])
                    size += len(out[-1])
                    at = max(at, self.cuts[cut][1])
                cut += 1
            out.append(view[at:end])
            if (size + len(out[-1])) & 1:
                out.append(b"\0")
        return out
