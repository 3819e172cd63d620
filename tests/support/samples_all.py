"""Every sample of ``tests.support.samples``: pictures, containers, extensions, and words that are never the same."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from itertools import count
from pathlib import Path

Place = Callable[[str], str]
Picture = Callable[[Place], bytes]
Container = Callable[[bytes, str, Place], bytes]

AREAS = tuple(sorted(path.stem for path in (Path(__file__).parent / "samples").glob("*.py")))
PICTURES: dict[str, Picture] = {}
CONTAINERS: dict[str, Container] = {}
EXTENSIONS: dict[str, str] = {}
for _area in AREAS:
    _module = importlib.import_module(f"tests.support.samples.{_area}")
    PICTURES |= _module.PICTURES
    CONTAINERS |= _module.CONTAINERS
    EXTENSIONS |= _module.EXTENSIONS


class Canaries:
    """``place`` gives a new word for each call and remembers what it stands for."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.places: dict[str, str] = {}

    def of(self, owner: str) -> Place:
        def place(what: str) -> str:
            word = f"CANARY-{next(self._numbers):05d}"
            self.places[word] = f"{owner}: {what}"
            return word

        return place
