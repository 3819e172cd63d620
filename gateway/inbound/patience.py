"""One timer for one connection that is pushed on at every sign of life, without arming a timer each time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_FAR = 3600.0  # seconds; a timer is never armed further ahead, so that "never" (infinity) needs no special case


class Patience:
    """Calls ``over`` once the event loop's time has passed the last ``until``."""

    def __init__(self, loop: asyncio.AbstractEventLoop, over: Callable[[], None]) -> None:
        self._loop = loop
        self._over = over
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def until(self, deadline: float) -> None:
        """Set the deadline (loop time, may be infinite), earlier or later than the one before."""
        self._deadline = deadline
        due = min(deadline, self._loop.time() + _FAR)
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._ring)
        elif self._timer.when() > due:
            self._timer.cancel()
            self._timer = self._loop.call_at(due, self._ring)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        if self._loop.time() < self._deadline:
            self.until(self._deadline)
        else:
            self._over()
