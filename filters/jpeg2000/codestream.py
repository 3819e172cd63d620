"""The marker segments of a JPEG 2000 codestream (ISO 15444-1 Annex A): comments go, tile data stays as it is.

Also for HTJ2K (ISO 15444-15) and the extensions of part 2 whose segments are known.  Not seen without decoding: bytes behind the
last packet inside a tile-part.
"""

from __future__ import annotations

from dataclasses import dataclass

from filters.api import Malformed, TooBig
from filters.plan import Plan

MAX_PIXELS = 200_000_000
MAX_SEGMENTS = 200_000
SOC, SOT, SOD, EOC, SIZ, COM, TLM = 0xFF4F, 0xFF90, 0xFF93, 0xFFD9, 0xFF51, 0xFF64, 0xFF55
# What a decoder needs or may need: part 1, part 15 (CAP, CPF), part 2 (DFS, ADS, NLT, MCT ...), part 10.
_KNOWN = frozenset(
    (SIZ, 0xFF50, 0xFF52, 0xFF53, TLM, 0xFF56, 0xFF57, 0xFF58, 0xFF59, 0xFF5C, 0xFF5D, 0xFF5E, 0xFF5F, 0xFF60, 0xFF61, 0xFF63,
     0xFF70, 0xFF71, 0xFF72, 0xFF73, 0xFF74, 0xFF75, 0xFF76, 0xFF77, 0xFF78, 0xFF79)
)  # fmt: skip
_SOT_LENGTH = 12  # marker, Lsot, Isot, Psot, TPsot, TNsot


@dataclass(frozen=True, slots=True)
class Size:
    """SIZ: the picture's width and height, bits of its deepest component, number of components; some have fewer samples."""

    width: int
    height: int
    bits: int
    components: int
    subsampled: bool


@dataclass(frozen=True, slots=True)
class _Segment:
    marker: int
    start: int
    end: int


class Codestream:
    """One codestream at ``at``..``end`` of a file, and what stays of it.  Raises Malformed, TooBig."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data, self.start, self.limit = data, at, end
        if self._marker(at) != SOC or self._marker(at + 2) != SIZ:
            raise Malformed("no SOC and SIZ")
        self.head: list[_Segment] = []
        self.parts: list[tuple[int, list[_Segment], int]] = []  # (SOT, segments, end of the data)
        self.count = 0
        self.end = self._walk()
        self.size = self._size()

    def plan(self, plan: Plan, names: tuple[str, str]) -> None:
        """Keep and drop, on ``plan``.  ``names``: the codes of a comment and of what stands behind the end."""
        comment, tail = names
        moved = any(segment.marker == COM for _, segments, _ in self.parts for segment in segments)
        plan.keep(self.start, self.start + 2)
        for segment in self.head:
            if segment.marker == COM or (moved and segment.marker == TLM):
                plan.note(comment, f"COM@{segment.start}" if segment.marker == COM else f"TLM@{segment.start}")
            else:
                plan.keep(segment.start, segment.end)
        for start, segments, end in self.parts:
            self._part(plan, start, segments, end, comment)
        if self.end < self.limit:
            plan.note(tail, f"EOC@{self.end}")
        behind = self.parts[-1][2]
        plan.keep(behind, self.end)

    def _part(self, plan: Plan, start: int, segments: list[_Segment], end: int, comment: str) -> None:
        """A tile-part: its length counts the comments that go (A.4.2)."""
        comments = [segment for segment in segments if segment.marker == COM]
        told = int.from_bytes(self.data[start + 6 : start + 10], "big")
        if not comments or not told:
            plan.keep(start, start + _SOT_LENGTH)
        else:
            told -= sum(segment.end - segment.start for segment in comments)
            plan.keep(start, start + 6)
            plan.put(told.to_bytes(4, "big"))
            plan.keep(start + 10, start + _SOT_LENGTH)
        for segment in segments:
            if segment.marker == COM:
                plan.note(comment, f"COM@{segment.start}")
            else:
                plan.keep(segment.start, segment.end)
        body = segments[-1].end if segments else start + _SOT_LENGTH
        plan.keep(body, end)

    # ---- the walk

    def _marker(self, at: int) -> int:
        return int.from_bytes(self.data[at : at + 2], "big") if at + 2 <= self.limit else -1

    def _walk(self) -> int:
        """Fill ``head`` and ``parts``; where the codestream ends."""
        at = self._segments(self.start + 2, SOT, self.head)
        while self._marker(at) == SOT:
            at = self._tile_part(at)
        if not self.parts:
            raise Malformed("no tile")
        if self._marker(at) == EOC:
            return at + 2
        if at == self.limit:
            return at  # some writers leave the end out; every decoder shows the picture all the same
        raise Malformed("no EOC")

    def _segments(self, at: int, last: int, found: list[_Segment]) -> int:
        """Marker segments up to the marker ``last``; its offset."""
        while (marker := self._marker(at)) != last:
            self.count += 1
            if (marker not in _KNOWN and marker != COM) or self.count > MAX_SEGMENTS:
                raise Malformed("unknown marker")
            end = at + 2 + int.from_bytes(self.data[at + 2 : at + 4], "big")
            if end < at + 4 or end > self.limit:
                raise Malformed("segment length")
            found.append(_Segment(marker, at, end))
            at = end
        return at

    def _tile_part(self, start: int) -> int:
        if start + _SOT_LENGTH > self.limit or self.data[start + 2 : start + 4] != b"\0\x0a":
            raise Malformed("SOT")
        segments: list[_Segment] = []
        told = int.from_bytes(self.data[start + 6 : start + 10], "big")
        samples = self._segments(start + _SOT_LENGTH, SOD, segments)
        end = start + told if told else self._last_end(samples)
        if end < samples + 2 or end > self.limit:
            raise Malformed("truncated tile")
        self.parts.append((start, segments, end))
        return end

    def _last_end(self, at: int) -> int:
        """The last tile-part may leave its length out and go on to EOC, which cannot occur in coded data."""
        end = self.data.find(b"\xff\xd9", at, self.limit)
        return end if end >= 0 else self.limit

    def _size(self) -> Size:
        body = self.data[self.head[0].start + 4 : self.head[0].end]
        if len(body) < 36 or len(body) != 36 + 3 * int.from_bytes(body[34:36], "big") or len(body) == 36:
            raise Malformed("SIZ length")
        right, bottom, left, top = (int.from_bytes(body[i : i + 4], "big") for i in (2, 6, 10, 14))
        width, height = right - left, bottom - top
        if width <= 0 or height <= 0:
            raise Malformed("SIZ values")
        if width * height > MAX_PIXELS:
            raise TooBig("more than 200 megapixels")
        bits = max((body[i] & 0x7F) + 1 for i in range(36, len(body), 3))
        steps = {body[i : i + 2] for i in range(37, len(body), 3)}
        return Size(width, height, bits, (len(body) - 36) // 3, len(steps) > 1)
