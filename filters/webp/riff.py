"""The chunks of a RIFF file, by offset (Microsoft RIFF; WebP container, RFC 9649 2.3)."""

from __future__ import annotations

from dataclasses import dataclass

from filters.api import Malformed

MAX_CHUNKS = 100_000  # of one file; an animation has three a frame


@dataclass(frozen=True, slots=True)
class Chunk:
    """``start`` of the header, ``body``..``end`` of the content.  ``whole`` is False when the file ends before the chunk does."""

    name: bytes
    start: int
    body: int
    end: int
    whole: bool = True

    @property
    def odd(self) -> bool:
        """A pad byte belongs behind it."""
        return bool((self.end - self.body) & 1)


def walk(data: bytes, at: int, end: int) -> list[Chunk]:
    """The chunks between ``at`` and ``end``; up to seven bytes that are too few for one are left over.  Raises Malformed."""
    found: list[Chunk] = []
    while at + 8 <= end:
        if len(found) >= MAX_CHUNKS:
            raise Malformed("too many chunks")
        stop = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        found.append(Chunk(data[at : at + 4], at, at + 8, min(stop, end), stop <= end))
        at = stop + ((stop - at) & 1)
    return found


def head(name: bytes, size: int) -> bytes:
    """The header of a chunk of ``size`` bytes."""
    return name + size.to_bytes(4, "little")
