"""What opening one message may cost: depth, members, decoded bytes, ratio, pixels, time.  Bombs end here, whatever their kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from filters.errors import TooBig

RATIO_FREE = 1 << 20  # bytes up to which a high ratio is nothing: blank pages and XML compress a thousandfold


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one message.  Pixels are of one picture, all frames together as they are stored."""

    depth: int = 8
    members: int = 2_000
    total: int = 512 << 20  # decoded bytes, all members of all containers
    ratio: int = 200  # decoded : stored, of one stream
    pixels: int = 200_000_000


class Budget:
    """Counts what is spent.  ``expired`` says whether the time is over; the filters themselves know no clock."""

    def __init__(self, limits: Limits = Limits(), expired: Callable[[], bool] = lambda: False) -> None:
        self.limits = limits
        self._expired = expired
        self._depth = self._members = self._spent = 0

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One container inside another.  Raises TooBig."""
        if self._depth >= self.limits.depth:
            raise TooBig("limit of depth")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def member(self) -> None:
        """One more member was found.  Raises TooBig."""
        self._members += 1
        if self._members > self.limits.members:
            raise TooBig("limit of members")
        self.tick()

    @property
    def room(self) -> int:
        """Bytes that may still be decoded: the ``max_length`` of a decompressor is this plus one."""
        return max(0, self.limits.total - self._spent)

    def grow(self, decoded: int, stored: int | None = None) -> None:
        """``decoded`` bytes were made, of ``stored`` ones where a ratio can be told.  Raises TooBig."""
        self._spent += decoded
        if self._spent > self.limits.total:
            raise TooBig("limit of bytes")
        if stored is not None and decoded > RATIO_FREE and decoded > stored * self.limits.ratio:
            raise TooBig("limit of ratio")
        self.tick()

    def pixels(self, count: int) -> None:
        """A picture of so many pixels is to be looked at.  Raises TooBig."""
        if count > self.limits.pixels:
            raise TooBig("limit of pixels")

    def tick(self) -> None:
        """Called in every loop that hostile bytes can make long.  Raises TooBig when the time is over."""
        if self._expired():
            raise TooBig("limit of seconds")
