"""Reads an encoded data set (PS3.5 section 7) without decoding values.  Depth and number of elements are bounded.

Where two programs might read different things it is ``Malformed``: unknown VRs, undefined lengths where none may stand, items
that overrun their sequence.
"""

from __future__ import annotations

import struct

from filters.api import Malformed, TooBig
from filters.dicom import vr
from filters.dicom.element import IMPLICIT, ITEM, ITEM_END, PIXELS, SEQUENCE_END, UNDEFINED, Element, Item, Syntax

MAX_ELEMENTS = 500_000  # of one file; an enhanced multi-frame object has some hundred thousand
MAX_DEPTH = 24
_PADDING = 0xFFFCFFFC


class Reader:
    """One walk through one data set."""

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)
        self._count = 0

    def data_set(self, at: int, syntax: Syntax) -> tuple[list[Element], int]:
        """The elements from ``at`` to the end, and where they end: behind the pixels, or before padding.  Raises FilterError."""
        elements: list[Element] = []
        end = len(self.data)
        while end - at >= 8:
            if self._tag(at, syntax) == _PADDING or not any(self.data[at : at + 8]):
                return elements, at
            element, at = self._element(at, end, syntax, 0)
            elements.append(element)
            if element.tag == PIXELS:
                return elements, at  # what may stand behind them by the standard is removed anyway
        return elements, at

    def group(self, at: int, number: int, syntax: Syntax) -> tuple[list[Element], int]:
        """The elements of one group, and the offset behind them.  Raises FilterError."""
        elements: list[Element] = []
        while len(self.data) - at >= 8 and self._tag(at, syntax) >> 16 == number:
            element, at = self._element(at, len(self.data), syntax, 0)
            elements.append(element)
        return elements, at

    # ---- elements

    def _tag(self, at: int, syntax: Syntax) -> int:
        group, number = struct.unpack_from(syntax.order + "HH", self.data, at)
        return int(group << 16 | number)

    def _element(self, at: int, end: int, syntax: Syntax, depth: int) -> tuple[Element, int]:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise TooBig("too many elements")
        tag = self._tag(at, syntax)
        if tag >> 16 == 0xFFFE:
            raise Malformed("item where an element should stand")
        name, size, start = self._header(tag, at, end, syntax)
        if size == UNDEFINED:
            return self._undefined(Element(tag, name, at, undefined=True, syntax=syntax), start, end, depth)
        stop = start + size
        if stop > end:
            raise Malformed("element longer than the file")
        element = Element(tag, name, at, self.data[start:stop], syntax=syntax)
        if _nested(tag, name):
            element.syntax = IMPLICIT if name == "UN" else syntax
            element.items, _ = self._items(start, stop, element.syntax, depth + 1, delimited=False)
            element.value = b""
        return element, stop

    def _header(self, tag: int, at: int, end: int, syntax: Syntax) -> tuple[str, int, int]:
        """(VR, length, offset of the value)."""
        if not syntax.explicit:
            return vr.guess(tag), self._number("I", at + 4, end, syntax), at + 8
        name = str(bytes(self.data[at + 4 : at + 6]), "latin-1")
        if name in vr.LONG:
            return name, self._number("I", at + 8, end, syntax), at + 12
        if name in vr.SHORT:
            return name, self._number("H", at + 6, end, syntax), at + 8
        raise Malformed("unknown value representation")

    def _number(self, code: str, at: int, end: int, syntax: Syntax) -> int:
        if at + 4 > end and (code == "I" or at + 2 > end):
            raise Malformed("truncated element")
        return int(struct.unpack_from(syntax.order + code, self.data, at)[0])

    # ---- sequences and fragments

    def _undefined(self, element: Element, start: int, end: int, depth: int) -> tuple[Element, int]:
        if element.tag == PIXELS and element.vr in ("OB", "OW", "UN") and depth == 0:
            element.fragments, stop = self._fragments(start, end, element.syntax)
        elif element.vr in ("SQ", "UN"):
            if element.vr == "UN":
                element.syntax = IMPLICIT  # PS3.5 6.2.2 note 2
            element.items, stop = self._items(start, end, element.syntax, depth + 1, delimited=True)
        else:
            raise Malformed("undefined length of a plain value")
        return element, stop

    def _items(self, at: int, end: int, syntax: Syntax, depth: int, *, delimited: bool) -> tuple[list[Item], int]:
        if depth > MAX_DEPTH:
            raise TooBig("sequences nested too deep")
        items: list[Item] = []
        while delimited or at < end:
            tag, size, at = self._mark(at, end, syntax)
            if tag == SEQUENCE_END and delimited:
                return items, at
            if tag != ITEM:
                raise Malformed("no item in a sequence")
            item, at = self._item(at, end, size, syntax, depth)
            items.append(item)
        return items, at

    def _item(self, at: int, end: int, size: int, syntax: Syntax, depth: int) -> tuple[Item, int]:
        stop = end if size == UNDEFINED else at + size
        if stop > end:
            raise Malformed("item longer than its sequence")
        elements: list[Element] = []
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise TooBig("too many elements")
        while at < stop:
            if stop - at < 8:
                raise Malformed("truncated item")
            if size == UNDEFINED and self._tag(at, syntax) == ITEM_END:
                return Item(elements, undefined=True), at + 8
            element, at = self._element(at, stop, syntax, depth)
            elements.append(element)
        if size == UNDEFINED:
            raise Malformed("item without end")
        return Item(elements, undefined=False), at

    def _fragments(self, at: int, end: int, syntax: Syntax) -> tuple[list[bytes | memoryview], int]:
        fragments: list[bytes | memoryview] = []
        while True:
            tag, size, at = self._mark(at, end, syntax)
            if tag == SEQUENCE_END:
                return fragments, at
            if tag != ITEM or size == UNDEFINED or at + size > end:
                raise Malformed("bad fragment of pixel data")
            self._count += 1
            if self._count > MAX_ELEMENTS:
                raise TooBig("too many fragments")
            fragments.append(self.data[at : at + size])
            at += size

    def _mark(self, at: int, end: int, syntax: Syntax) -> tuple[int, int, int]:
        """(tag, length, offset behind) of an item or delimiter."""
        if at + 8 > end:
            raise Malformed("sequence without end")
        return self._tag(at, syntax), int(struct.unpack_from(syntax.order + "I", self.data, at + 4)[0]), at + 8


def _nested(tag: int, name: str) -> bool:
    """The value holds items.  Private sequences of known length are never looked into: they go."""
    if tag >> 16 & 1:
        return False
    return name == "SQ" or (name == "UN" and vr.of(tag) == "SQ")
