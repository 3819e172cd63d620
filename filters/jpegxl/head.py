"""The header of a JPEG XL codestream (ISO 18181-1 clauses 6, 9, Annex D): size, orientation, depth, what else hides there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from filters.api import Malformed, TooBig, Unsupported

MAX_PIXELS = 200_000_000
_MAX_CHANNELS = 256
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
# A choice of U32: (offset, bits), by the two bits read first (9.2.2)
_U32 = Sequence[tuple[int, int]]
_SIDE: _U32 = ((1, 9), (1, 13), (1, 18), (1, 30))
_ENUM: _U32 = ((0, 0), (1, 0), (2, 4), (18, 6))
_CUSTOM: _U32 = ((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
_ALPHA, _SPOT, _CFA, _XYB, _GREY = 0, 2, 5, 2, 1


@dataclass(frozen=True, slots=True)
class Head:
    """Size as coded, before ``orientation`` (1-8, as in EXIF) turns it."""

    width: int
    height: int
    bits: int
    orientation: int
    animated: bool


def read(stream: bytes) -> Head:
    """The header of the codestream.  Raises Malformed, TooBig; Unsupported for what could hold text or a second picture."""
    if stream[:2] != b"\xff\x0a":
        raise Malformed("no codestream")
    return _Reader(stream).head()


class _Reader:
    """Bits, the least significant first."""

    def __init__(self, stream: bytes) -> None:
        self.word = int.from_bytes(stream[: 1 << 13], "little")
        self.size = 8 * min(len(stream), 1 << 13)
        self.at = 16

    def u(self, bits: int) -> int:
        if self.at + bits > self.size:
            raise Malformed("truncated header")
        value = self.word >> self.at & (1 << bits) - 1
        self.at += bits
        return value

    def u32(self, choices: _U32) -> int:
        offset, bits = choices[self.u(2)]
        return offset + self.u(bits)

    def skip(self, *bits: int) -> None:
        for number in bits:
            self.u(number)

    # ---- the parts

    def head(self) -> Head:
        width, height = self._size()
        if width * height > MAX_PIXELS:
            raise TooBig("more than 200 megapixels")
        if self.u(1):  # all as usual: 8 bits, sRGB
            return Head(width, height, 8, 1, False)
        turn, animated = self._extras() if self.u(1) else (1, False)
        bits = self._depth()
        self.u(1)
        for _ in range(self._channels()):
            self._channel()
        self.u(1)  # XYB
        self._colours()
        return Head(width, height, bits, turn, animated)

    def _size(self) -> tuple[int, int]:
        small = self.u(1)
        height = 8 * (self.u(5) + 1) if small else self.u32(_SIDE)
        ratio = self.u(3)
        if not ratio:
            return (8 * (self.u(5) + 1) if small else self.u32(_SIDE)), height
        return int(height * Fraction(*_RATIOS[ratio])), height

    def _extras(self) -> tuple[int, bool]:
        turn = self.u(3) + 1
        if self.u(1):
            self._size()
        if self.u(1):
            raise Unsupported("jpeg xl: preview inside the codestream")
        animated = bool(self.u(1))
        if animated:
            self.u32(((100, 0), (1000, 0), (1, 10), (1, 30)))
            self.u32(((1, 0), (1001, 0), (1, 8), (1, 10)))
            self.u32(((0, 0), (0, 3), (0, 16), (0, 32)))
            self.u(1)
        return turn, animated

    def _depth(self) -> int:
        if not self.u(1):
            return self.u32(((8, 0), (10, 0), (12, 0), (1, 6)))
        bits = self.u32(((32, 0), (16, 0), (24, 0), (1, 6)))
        self.u(4)
        return bits

    def _channels(self) -> int:
        count = self.u32(((0, 0), (1, 0), (2, 4), (1, 12)))
        if count > _MAX_CHANNELS:
            raise Malformed("number of channels")
        return count

    def _channel(self) -> None:
        """An extra channel: alpha, depth, a spot colour.  Its name is text."""
        if self.u(1):
            return
        kind = self.u32(_ENUM)
        self._depth()
        self.u32(((0, 0), (3, 0), (4, 0), (1, 3)))
        if self.u32(((0, 0), (0, 4), (16, 5), (48, 10))):
            raise Unsupported("jpeg xl: channel with a name")
        if kind == _ALPHA:
            self.u(1)
        elif kind == _SPOT:
            self.skip(16, 16, 16, 16)
        elif kind == _CFA:
            self.u32(((1, 0), (0, 2), (3, 4), (19, 8)))

    def _colours(self) -> None:
        """The colour encoding: an ICC profile in it is coded so that nothing can be taken out of it."""
        if self.u(1):
            return
        if self.u(1):
            raise Unsupported("jpeg xl: colour profile inside the codestream")
        space = self.u32(_ENUM)
        if space != _XYB:
            self._custom(1)
        if space not in (_XYB, _GREY):
            self._custom(3)
        if space != _XYB:
            self.u(24) if self.u(1) else self.u32(_ENUM)
        self.u32(_ENUM)

    def _custom(self, points: int) -> None:
        """White point or primaries: a known one, or so many chromaticities."""
        if self.u32(_ENUM) == 2:
            for _ in range(2 * points):
                self.u32(_CUSTOM)
