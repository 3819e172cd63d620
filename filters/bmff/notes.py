"""What was seen on the way through a file."""

from __future__ import annotations

from filters.api import Fate, Finding
from filters.bmff.boxes import Box

_MOST = 500  # findings told one by one; beyond, each code once more


class Notes:
    """Collects findings, no more of them than a reader can use."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._seen: set[tuple[str, str]] = set()

    def note(self, code: str, place: Box | str, fate: Fate = Fate.REMOVED) -> None:
        where = place if isinstance(place, str) else place.where
        if len(self.findings) >= _MOST:
            where = "file"
        if (code, where) not in self._seen:
            self._seen.add((code, where))
            self.findings.append(Finding(code, where, fate))

    @property
    def removed(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.fate is not Fate.KEPT)
