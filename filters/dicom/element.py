"""A DICOM data set as it is encoded: elements whose values are slices of the file (PS3.5 section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

UNDEFINED = 0xFFFFFFFF
PIXELS = 0x7FE00010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a data set is encoded: value representations written or implied, byte order."""

    explicit: bool
    big: bool = False

    @property
    def order(self) -> str:
        """Byte order as ``struct`` writes it."""
        return ">" if self.big else "<"


EXPLICIT, IMPLICIT, BIG = Syntax(True), Syntax(False), Syntax(True, big=True)


@dataclass(slots=True)
class Item:
    """One item of a sequence.  ``undefined``: written with a delimiter instead of a length."""

    elements: list[Element] = field(repr=False)
    undefined: bool


@dataclass(slots=True)
class Element:
    """One data element: exactly one of ``value``, ``items`` and ``fragments`` says what stands in it.

    ``fragments`` are those of encapsulated pixel data, the offset table first (PS3.5 A.4).  ``syntax`` is that of its items.
    """

    tag: int
    vr: str
    at: int  # offset in the file (or in the inflated data set)
    value: bytes | memoryview = field(default=b"", repr=False)
    items: list[Item] | None = field(default=None, repr=False)
    fragments: Sequence[bytes | memoryview] | None = field(default=None, repr=False)
    undefined: bool = False
    syntax: Syntax = EXPLICIT

    @property
    def where(self) -> str:
        """Place for a finding: tag and offset."""
        return f"{self.tag:08X}@{self.at}"

    def text(self) -> str:
        """The value without padding, each byte one character."""
        return str(bytes(self.value), "latin-1").strip(" \0")

    def number(self, big: bool) -> int:
        """The first unsigned integer of a binary value, 0 when it is empty."""
        size = 4 if self.vr in ("UL", "SL") else 2
        return int.from_bytes(self.value[:size], "big" if big else "little")


def find(elements: Sequence[Element], tag: int) -> Element | None:
    """The element of that tag, None when it is not there."""
    return next((element for element in elements if element.tag == tag), None)


def text(elements: Sequence[Element], tag: int) -> str:
    """Its text, "" when it is not there."""
    element = find(elements, tag)
    return element.text() if element is not None and element.items is None else ""
