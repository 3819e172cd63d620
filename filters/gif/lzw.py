"""Where the LZW stream of a GIF frame ends for a decoder (GIF89a appendix F): nothing is decoded but the lengths of the strings.

Between two clear codes the widths of the codes follow from their number alone, so that a whole run is read at once with numpy.
Short runs are read code by code, or hostile streams of clear codes would cost more than honest ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache

import numpy as np
import numpy.typing as npt

from filters.api import Malformed, TooBig

_FULL = 4096  # entries of the table
_SHORT = 24  # codes of a run that are read one by one
_MAX_RUNS = 1_000_000  # of one frame; honest encoders make one of some thousand pixels
_Ints = npt.NDArray[np.int64]


class _End(Enum):
    CLEAR = "clear"
    STOP = "end code"
    DATA = "no more data"
    PIXELS = "all pixels told"


@dataclass(frozen=True, slots=True)
class Stop:
    """``bits`` of the stream that a decoder looks at.  ``width`` of a further code there; ``filled``: every pixel was told;
    ``closed``: an end code was the last thing read."""

    bits: int
    width: int
    filled: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class _Run:
    """Codes up to a clear code or to one of the ends: where the reading goes on, pixels told, width of the next code."""

    end: _End
    bits: int
    pixels: int
    width: int


def stop(payload: bytes, literal_bits: int, pixels: int) -> Stop:
    """Where a decoder of ``pixels`` pixels stops in ``payload`` (the sub-blocks joined).  Raises Malformed, TooBig."""
    if not 2 <= literal_bits <= 11:  # more than 8 never makes sense, but is shown alike
        raise Malformed("LZW code size")
    return _Reader(payload, literal_bits).read(pixels)


def close(payload: bytes, literal_bits: int, at: Stop) -> bytes:
    """The payload cut at ``at``, with an end code when none stands there."""
    if at.closed:
        return payload[: -(-at.bits // 8)]
    whole, bits = divmod(at.bits, 8)
    rest = payload[whole] & (1 << bits) - 1 if bits else 0
    rest |= ((1 << literal_bits) + 1) << bits
    return payload[:whole] + rest.to_bytes(-(-(bits + at.width) // 8), "little")


class _Reader:
    def __init__(self, payload: bytes, literal_bits: int) -> None:
        self.bits = 8 * len(payload)
        self.data = payload + bytes(4)
        self.array = np.frombuffer(self.data, np.uint8)
        self.literal_bits = literal_bits
        self.clear = 1 << literal_bits
        self.first = self.clear + 2
        self.least = literal_bits + 1  # width of the first code of a run

    def read(self, pixels: int) -> Stop:
        bits, left = 0, pixels
        for _ in range(min(4 * pixels + 1000, _MAX_RUNS)):  # honest runs tell a pixel or more
            run = self._short(bits, left) or self._long(bits, left)
            bits, left = run.bits, left - run.pixels
            if run.end is _End.PIXELS:
                return self._after(bits, run.width)
            if run.end is not _End.CLEAR:
                return Stop(bits, run.width, False, run.end is _End.STOP)
        raise TooBig("LZW runs")

    def _code(self, bits: int, width: int) -> int:
        """The code at ``bits``; -1 behind the end of the data."""
        if bits + width > self.bits:
            return -1
        at = bits >> 3
        return int.from_bytes(self.data[at : at + 3], "little") >> (bits & 7) & (1 << width) - 1

    def _after(self, bits: int, width: int) -> Stop:
        """Behind the last pixel an encoder may clear once more before it says that it ends."""
        at, wide = bits, width
        if self._code(at, wide) == self.clear:
            at, wide = at + wide, self.least
        if self._code(at, wide) == self.clear + 1:
            return Stop(at + wide, wide, True, True)
        return Stop(bits, width, True, False)

    def _short(self, bits: int, left: int) -> _Run | None:
        """A run of few codes; None when it is longer."""
        lengths: list[int] = []
        pixels, before, width = 0, 0, self.least
        for index in range(_SHORT):
            width = max(self.least, (self.first + max(0, index - 1)).bit_length())
            code = self._code(bits, width)
            if code < 0:
                return _Run(_End.DATA, self.bits, pixels, width)
            bits += width
            if code in (self.clear, self.clear + 1):
                return _Run(_End.CLEAR if code == self.clear else _End.STOP, bits, pixels, width)
            if index:
                lengths.append(before + 1)
            if code >= self.first + len(lengths):
                raise Malformed("LZW code")
            before = 1 if code < self.clear else lengths[code - self.first]
            pixels += before
            if pixels >= left:
                return _Run(_End.PIXELS, bits, pixels, max(self.least, (self.first + index).bit_length()))
        return None

    def _long(self, bits: int, left: int) -> _Run:
        """A run of any length, a window after the other: the first fills the table, behind it every code has 12 bits."""
        offsets, widths = _layout(self.literal_bits)
        lengths: _Ints | None = None
        pixels = 0
        while True:
            codes, end = self._window(bits, offsets, widths)
            if lengths is None:
                lengths = self._lengths(codes)
            told = np.where(codes < self.clear, 1, lengths[np.maximum(codes - self.first, 0)]).cumsum()
            if codes.size and pixels + int(told[-1]) >= left:
                last = int(np.searchsorted(told, left - pixels))
                after = int(widths[last + 1]) if last + 1 < len(widths) else 12
                return _Run(_End.PIXELS, bits + int(offsets[last] + widths[last]), pixels + int(told[last]), after)
            pixels += int(told[-1]) if codes.size else 0
            if end is not None:
                after_stop = bits + int(offsets[codes.size] + widths[codes.size]) if end is not _End.DATA else self.bits
                return _Run(end, after_stop, pixels, int(widths[min(codes.size, len(widths) - 1)]))
            bits += int(offsets[-1] + widths[-1])
            offsets, widths = _FURTHER

    def _window(self, bits: int, offsets: _Ints, widths: _Ints) -> tuple[_Ints, _End | None]:
        """The string codes of one window, and what ended it (None: the window did)."""
        there = int(np.searchsorted(offsets + widths, self.bits - bits, side="right"))
        places = bits + offsets[:there]
        at = places >> 3
        low, middle, high = (self.array[at + i].astype(np.int64) for i in range(3))
        codes = (low | middle << 8 | high << 16) >> (places & 7) & (1 << widths[:there]) - 1
        stops = np.flatnonzero((codes == self.clear) | (codes == self.clear + 1))
        if stops.size:
            which = _End.CLEAR if codes[stops[0]] == self.clear else _End.STOP
            return codes[: stops[0]], which
        return codes, _End.DATA if there < len(offsets) else None

    def _lengths(self, codes: _Ints) -> _Ints:
        """Length of the string of each table entry: one more than that of the code before.  Raises Malformed."""
        known = self.first + np.maximum(np.arange(codes.size) - 1, -1)
        known[:1] = self.clear - 1
        if (codes > known).any():
            raise Malformed("LZW code")
        root = max(1, codes.size - 1)  # stands for every single pixel
        parents = np.full(root + 1, root, np.int64)
        parents[: codes.size - 1] = np.where(codes[:-1] < self.clear, root, codes[:-1] - self.first)
        lengths = np.ones(root + 1, np.int64)
        lengths[root] = 0
        while (parents != root).any():  # each round halves the way to the root: at most twelve
            lengths += lengths.take(parents)
            parents = parents.take(parents)
        lengths += 1
        return lengths


@cache
def _layout(literal_bits: int) -> tuple[_Ints, _Ints]:
    """(offsets, widths) in bits of the codes from a clear code until the table is full."""
    first = (1 << literal_bits) + 2
    following = first + np.maximum(np.arange(_FULL - first + 1) - 1, 0)
    widths = np.array([min(12, max(literal_bits + 1, int(entry).bit_length())) for entry in following], np.int64)
    return np.cumsum(widths) - widths, widths


_FURTHER: tuple[_Ints, _Ints] = (np.arange(_FULL, dtype=np.int64) * 12, np.full(_FULL, 12, np.int64))
