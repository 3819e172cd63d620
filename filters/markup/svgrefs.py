"""Which identifiers and classes of a drawing something in it refers to: the others are only words that a person chose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from filters.markup.css import Cut
from filters.markup.svgentities import resolved
from filters.markup.xmltokens import Attribute

_FRAGMENT = re.compile(rb"#([^)\"'\s;,<>&]++)")
_EVENT = re.compile(rb"([^\s;+]++)")
_SELECTOR = re.compile(rb"([#.])(-?[\w\x80-\xff][\w\x80-\xff-]*+)")
_ANY: Final = re.compile(rb"\\|\[\s*(?:id|class)\b")  # a selector in which names may be spelt otherwise
_TIMED: Final = frozenset((b"begin", b"end"))


class References:
    """Collects names and their uses while the drawing is read."""

    def __init__(self) -> None:
        self._ids: list[tuple[bytes, Attribute]] = []
        self._classes: list[tuple[bytes, Attribute]] = []
        self._used: set[bytes] = set()
        self._selected: set[bytes] = set()
        self._all = False

    def identifier(self, name: bytes, one: Attribute) -> None:
        self._ids.append((name.strip(), one))

    def classes(self, names: bytes, one: Attribute) -> None:
        self._classes.append((names, one))

    def value(self, name: bytes, value: bytes) -> None:
        """An attribute that may refer to an element."""
        if name in _TIMED:
            for word in _EVENT.findall(resolved(value)):
                self._used.update(word[:at] for at in range(min(len(word), 200)) if word[at : at + 1] == b".")
        elif b"#" in value and value.lstrip()[:5].lower() != b"data:":
            for word in _FRAGMENT.findall(resolved(value)):
                self._used.update((word, unquote_to_bytes(word)))

    def sheet(self, sheet: bytes) -> None:
        """A style sheet: its selectors and the references in it."""
        self._all = self._all or _ANY.search(sheet) is not None
        for mark, name in _SELECTOR.findall(sheet):
            (self._used if mark == b"#" else self._selected).add(name)
        self._used.update(_FRAGMENT.findall(sheet))

    def unused(self) -> Iterator[Cut]:
        """The attributes that name what nothing refers to."""
        if self._all:
            return
        for name, one in self._ids:
            if name not in self._used:
                yield Cut(one.start, one.end, b"", "svg.name")
        for names, one in self._classes:
            if self._selected.isdisjoint(names.split()):
                yield Cut(one.start, one.end, b"", "svg.name")
