"""What becomes of one file: its output as ranges of the input and new bytes, and the findings on the way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from filters.api import STRICT, Cleaning, Fate, FilterError, Finding, Scrubbed


@dataclass(slots=True)
class Plan:
    """Ranges that follow one another are joined, so that a file of which all is kept is one range."""

    out: list[tuple[int, int] | bytes] = field(default_factory=list, repr=False)
    findings: list[Finding] = field(default_factory=list)

    def keep(self, start: int, end: int) -> None:
        """The bytes ``start``..``end`` of the input."""
        last = self.out[-1] if self.out else None
        if isinstance(last, tuple) and last[1] == start:
            self.out[-1] = (last[0], end)
        elif start != end:
            self.out.append((start, end))

    def put(self, data: bytes) -> None:
        """New bytes."""
        self.out.append(data)

    def note(self, code: str, where: str, fate: Fate = Fate.REMOVED) -> None:
        self.findings.append(Finding(code, where, fate))

    def size(self) -> int:
        """Bytes of the output so far."""
        return sum(len(part) if isinstance(part, bytes) else part[1] - part[0] for part in self.out)

    @property
    def removed(self) -> tuple[Finding, ...]:
        """Everything that does not stay as it is."""
        return tuple(finding for finding in self.findings if finding.fate is not Fate.KEPT)

    @property
    def codes(self) -> frozenset[str]:
        """Of what does not stay."""
        return frozenset(finding.code for finding in self.removed)

    def bytes_of(self, data: bytes) -> bytes:
        """The output; the very same object when all of the input is kept."""
        if self.out == [(0, len(data))]:
            return data
        view = memoryview(data)
        return b"".join(part if isinstance(part, bytes) else view[part[0] : part[1]] for part in self.out)

    def scrubbed(self, data: bytes) -> Scrubbed:
        """The result for the input ``data``."""
        return Scrubbed(self.bytes_of(data), tuple(self.findings))


class ByPlan(ABC):
    """A scrubber that does what a ``Plan`` says; the formats differ in how they make it.  Decodes nothing."""

    native = False
    unreadable: str  # the finding about a file of which no plan can be made

    @abstractmethod
    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""

    def scrub(self, data: bytes, cleaning: Cleaning = STRICT) -> Scrubbed:
        """The same picture without metadata; the very same object when there was none.  Raises FilterError."""
        return self.plan(data).scrubbed(data)

    def residue(self, data: bytes, cleaning: Cleaning = STRICT) -> tuple[Finding, ...]:
        """Everything that a second scrub would still remove; a file that cannot be read is one STUCK finding."""
        try:
            return self.plan(data).removed
        except FilterError:
            return (Finding(self.unreadable, "file", Fate.STUCK),)
