"""Writes a data set as it was encoded: same byte order, same VRs, same kind of lengths (PS3.5 section 7)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace

from filters.api import Malformed
from filters.dicom import vr
from filters.dicom.element import EXPLICIT, ITEM, ITEM_END, PIXELS, SEQUENCE_END, UNDEFINED, Element, Item, Syntax

Chunks = list[bytes | memoryview]


def write(elements: Iterable[Element], syntax: Syntax) -> Chunks:
    """The encoded elements in ascending order, to be joined."""
    out: Chunks = []
    for element in sorted(elements, key=lambda one: one.tag):
        out += _element(element, syntax)
    return out


def told(elements: Iterable[Element], signed: bool) -> list[Element]:
    """Elements of implicit VRs to be written with explicit ones (PS3.5 A.4: coded pixels allow no others)."""
    return [_told(element, signed) for element in elements]


def _told(element: Element, signed: bool) -> Element:
    name = "SS" if signed and vr.of(element.tag).endswith("SS") else element.vr
    name = "OB" if element.tag == PIXELS else name
    items = element.items
    if items is not None:
        items = [Item(told(item.elements, signed), item.undefined) for item in items]
    return replace(element, vr=name, items=items, syntax=EXPLICIT)


def size(chunks: Iterable[bytes | memoryview]) -> int:
    """Bytes of all chunks together."""
    return sum(len(chunk) for chunk in chunks)


def _element(element: Element, syntax: Syntax) -> Chunks:
    if element.items is not None:
        body = _items(element.items, element.syntax)
    elif element.fragments is not None:
        body = _fragments(element.fragments, syntax)
    else:
        body = [element.value]
        if len(element.value) & 1:
            body.append(b" " if element.vr in vr.SPACED else b"\0")
    if element.undefined:
        return [_header(element, UNDEFINED, syntax), *body, _mark(SEQUENCE_END, 0, element.syntax)]
    return [_header(element, size(body), syntax), *body]


def _header(element: Element, length: int, syntax: Syntax) -> bytes:
    tag = struct.pack(syntax.order + "HH", element.tag >> 16, element.tag & 0xFFFF)
    if not syntax.explicit:
        return tag + struct.pack(syntax.order + "I", length)
    name = element.vr.encode("ascii")
    if element.vr in vr.LONG:
        return tag + name + b"\0\0" + struct.pack(syntax.order + "I", length)
    if length > 0xFFFF:
        raise Malformed("value too long for its representation")
    return tag + name + struct.pack(syntax.order + "H", length)


def _items(items: Sequence[Item], syntax: Syntax) -> Chunks:
    out: Chunks = []
    for item in items:
        body = write(item.elements, syntax)
        if item.undefined:
            out += [_mark(ITEM, UNDEFINED, syntax), *body, _mark(ITEM_END, 0, syntax)]
        else:
            out += [_mark(ITEM, size(body), syntax), *body]
    return out


def _fragments(fragments: Sequence[bytes | memoryview], syntax: Syntax) -> Chunks:
    out: Chunks = []
    for fragment in fragments:
        odd = len(fragment) & 1
        out += [_mark(ITEM, len(fragment) + odd, syntax), fragment] + ([b"\0"] if odd else [])
    return out


def _mark(tag: int, length: int, syntax: Syntax) -> bytes:
    return struct.pack(syntax.order + "HHI", tag >> 16, tag & 0xFFFF, length)
