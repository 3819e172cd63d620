"""The opener for Office packages of either family: read, list what a rebuild removes, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from filters.api import STRICT, Blocked, Budget, Cleaning, Member, Seen
from filters.documents.package import Package, Plan


class Reading(Protocol):
    """One package, as its family reads it."""

    package: Package

    def plan(self) -> Plan:
        """What a rebuild removes.  Raises FilterError."""
        ...

    def seen(self, index: int, plan: Plan) -> Iterator[Member | Blocked]:
        """What one part holds."""
        ...


class Office:
    """The opener for one kind of package; ``read`` is its family's reader."""

    native = False
    rebuilds = True

    def __init__(self, name: str, read: Callable[[bytes, Budget, Cleaning], Reading]) -> None:
        self.name = name
        self._read = read

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Pictures, embedded files and what a rebuild removes.  Raises FilterError."""
        reading = self._read(data, budget, cleaning)
        plan = reading.plan()
        yield from (one for one in reading.package.archive.findings if one.code != "zip.signed" and not plan.signed)
        yield from plan.findings()
        yield from reading.package.gaps()
        for entry in reading.package.files:
            budget.tick()
            yield from reading.seen(entry.index, plan)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The package with these members, cleaned.  Parts keep their names: they are numbers.  Raises FilterError."""
        reading = self._read(data, budget, cleaning)
        return reading.package.write(reading.plan(), changes)
