"""Formats whose modules bring a large library: imported when the first such file comes, not when a process starts."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from filters.api import STRICT, Budget, Cleaning, Finding, ImageInfo, Opener, Scrubbed, Scrubber, Seen


@dataclass(frozen=True, slots=True)
class DeferredScrubber:
    """The scrubber ``attribute`` of ``module``."""

    name: str
    module: str
    attribute: str
    native: bool = False

    def _real(self) -> Scrubber:
        return cast(Scrubber, getattr(importlib.import_module(self.module), self.attribute))

    def inspect(self, data: bytes) -> ImageInfo:
        """As the scrubber."""
        return self._real().inspect(data)

    def scrub(self, data: bytes, cleaning: Cleaning = STRICT) -> Scrubbed:
        """As the scrubber."""
        return self._real().scrub(data, cleaning)

    def residue(self, data: bytes, cleaning: Cleaning = STRICT) -> tuple[Finding, ...]:
        """As the scrubber."""
        return self._real().residue(data, cleaning)


@dataclass(frozen=True, slots=True)
class DeferredOpener:
    """The opener ``attribute`` of ``module``."""

    name: str
    module: str
    attribute: str
    native: bool = False
    rebuilds: bool = True

    def _real(self) -> Opener:
        return cast(Opener, getattr(importlib.import_module(self.module), self.attribute))

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """As the opener."""
        return self._real().open(data, budget, cleaning)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """As the opener."""
        return self._real().rebuild(data, changes, names, budget, cleaning)
