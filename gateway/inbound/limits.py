"""Shared limits: the memory that messages may fill, and the connections and work a listener has."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.smtp import Session


MEMORY_FACTOR = 4.5  # bytes of memory one byte of message may cost at its peak, all processes together


class MemoryBudget:
    """Memory for messages under way.  Never waits: who gets none is told 452 and comes back.

    ``capacity`` is in bytes; ``factor`` is what one byte of message costs at its peak (raw, decoded and rebuilt copies).
    """

    def __init__(self, capacity: int, factor: float = 1.0) -> None:
        self.capacity = capacity
        self.factor = factor
        self.used = 0

    def reserve(self, size: int) -> Share | None:
        """Room for a message of ``size`` bytes, or None."""
        share = Share(self)
        return share if share.grow(size) else None


class Share:
    """One message's part of a budget (the ``Reservation`` of gateway.inbound.intake)."""

    __slots__ = ("_budget", "_held")

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._held = 0

    def grow(self, size: int) -> bool:
        more = int(size * self._budget.factor) - self._held
        if more <= 0:
            return True
        if self._budget.used + more > self._budget.capacity:
            return False
        self._budget.used += more
        self._held += more
        return True

    def release(self) -> None:
        self._budget.used -= self._held
        self._held = 0


@dataclass(slots=True, eq=False)
class Roster:
    """Who is connected to one listener and which messages are being worked on.  The only thing its sessions share."""

    most: int
    sessions: set[Session] = field(default_factory=set)
    works: set[asyncio.Task[Any]] = field(default_factory=set)
    closing: bool = False
    left: asyncio.Event = field(default_factory=asyncio.Event)  # set whenever a session or a work has ended

    def enter(self, session: Session) -> bool:
        """False when the house is full; a refused session is not counted."""
        if self.closing or len(self.sessions) >= self.most:
            return False
        self.sessions.add(session)
        return True

    def leave(self, session: Session) -> None:
        self.sessions.discard(session)
        self.left.set()

    async def empty(self) -> None:
        """Wait until nobody is connected and no work is under way."""
        while self.sessions or self.works:
            self.left.clear()
            await self.left.wait()

    def work(self, job: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run ``job`` on its own: no session's end cancels it, and the roster keeps it from being collected."""
        task = asyncio.get_running_loop().create_task(job)
        self.works.add(task)
        task.add_done_callback(self._worked)
        return task

    def _worked(self, task: asyncio.Task[Any]) -> None:
        self.works.discard(task)
        self.left.set()
        fetch(task)


def fetch(task: asyncio.Task[Any]) -> BaseException | None:
    """The exception of a finished task, if any; fetching it keeps asyncio from logging it with its text."""
    return None if task.cancelled() else task.exception()
