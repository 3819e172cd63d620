"""What a tree of processes costs, read from /proc: CPU seconds, memory, and what everybody else used meanwhile."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
KTHREADD = 2  # parent of every kernel thread


@dataclass(frozen=True, slots=True)
class Process:
    """One row of the process table.  ``cpu``: its own seconds and those of the children it has reaped."""

    pid: int
    parent: int
    cpu: float


def processes() -> dict[int, Process]:
    """Everybody who runs now."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            text = Path("/proc", name, "stat").read_text("utf-8", "replace")
        except OSError:
            continue  # it has just ended
        fields = text.rpartition(")")[2].split()  # the name before may hold blanks
        found[int(name)] = Process(int(name), int(fields[1]), sum(map(int, fields[11:15])) / TICK)
    return found


def tree(roots: Iterable[int], table: dict[int, Process] | None = None) -> list[Process]:
    """``roots`` and all their descendants that run now."""
    table = processes() if table is None else table
    children: dict[int, list[Process]] = {}
    for one in table.values():
        children.setdefault(one.parent, []).append(one)
    found = [table[pid] for pid in roots if pid in table]
    for one in found:  # grows while it is read
        found += children.get(one.pid, [])
    return found


def cpu(roots: Iterable[int]) -> float:
    """CPU seconds of whole trees so far, ended and reaped descendants included."""
    return sum(one.cpu for one in tree(roots))


def rss(pids: Sequence[int]) -> int:
    """Resident bytes, added up; pages that processes share count once for each (forking servers look bigger than they are)."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:
                total += int(file.read().split()[1]) * PAGE
        except OSError:
            continue  # it has just ended
    return total


def shared_memory() -> int:
    """Bytes in memfds and other shared memory of the whole machine: no process's RSS shows what it has written there."""
    text = Path("/proc/meminfo").read_text()
    return int(text.partition("Shmem:")[2].split()[0]) * 1024


class Others:
    """How much of the machine somebody else used: all CPU time but ours, the kernel's threads and waiting."""

    def __init__(self, ours: Iterable[int]) -> None:
        self._ours = list(ours)
        self._began, self._then = self._used(), time.monotonic()

    def cores(self) -> float:
        """Cores used by others since this was made."""
        return max(0.0, self._used() - self._began) / (time.monotonic() - self._then)

    def _used(self) -> float:
        user, nice, system, *_, steal = map(int, Path("/proc/stat").read_text().split(maxsplit=9)[1:9])
        table = processes()
        known = [*self._ours, KTHREADD]
        return (user + nice + system + steal) / TICK - sum(one.cpu for one in tree(known, table))


class Peak:
    """Greatest memory of a process tree while the ``with`` block runs, looked at every ``every`` seconds.

    ``memfds``: count shared memory too (only when nobody else on the machine uses any to speak of).
    """

    def __init__(self, roots: Iterable[int], every: float = 0.05, *, memfds: bool = False) -> None:
        self._roots, self._every, self._memfds = list(roots), every, memfds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak")
        self.bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        looked = -1.0
        pids: list[int] = []
        while not self._stop.wait(self._every):
            if time.monotonic() - looked > 0.5:  # new processes are rare, and finding them is dear
                looked, pids = time.monotonic(), [one.pid for one in tree(self._roots)]
            self.bytes = max(self.bytes, rss(pids) + (shared_memory() if self._memfds else 0))
