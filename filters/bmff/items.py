"""The meta box of a still picture file (14496-12 8.11, 23008-12): items, their places, references and properties."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from filters.api import Encrypted, Malformed, Unsupported
from filters.bmff import boxes
from filters.bmff.boxes import Box, Reader
from filters.bmff.notes import Notes

_MOST_ITEMS = 20_000  # a phone's picture of 200 megapixels has about 800 tiles
_MOST_EXTENTS = 200_000
_ONCE = frozenset((b"hdlr", b"pitm", b"iinf", b"iloc", b"iref", b"iprp", b"idat", b"grpl", b"dinf"))


@dataclass(slots=True)
class Item:
    """One item: what it is, where its bytes stand, which properties it has."""

    number: int
    kind: bytes
    hidden: bool
    named: bool
    content_type: bytes = field(default=b"", repr=False)
    inside: bool = False  # its bytes stand in idat
    external: bool = False  # its bytes stand in another file, or are told in a way we do not follow
    located: bool = False
    extents: list[tuple[int, int]] = field(default_factory=list)  # offset in the file, length
    properties: list[tuple[int, bool]] = field(default_factory=list)  # index from 1, essential

    def content(self, data: bytes) -> bytes:
        """All its bytes."""
        if len(self.extents) == 1:
            offset, length = self.extents[0]
            return data[offset : offset + length]
        return b"".join(data[offset : offset + length] for offset, length in self.extents)

    @property
    def size(self) -> int:
        return sum(length for _, length in self.extents)


@dataclass(slots=True)
class Meta:
    """One meta box.  ``references`` are (kind, from, to …), ``properties`` the boxes of ipco, ``groups`` those of grpl."""

    box: Box
    handler: bytes = b""
    children: tuple[Box, ...] = ()
    primary: int | None = None
    items: dict[int, Item] = field(default_factory=dict)
    references: list[tuple[bytes, int, tuple[int, ...]]] = field(default_factory=list)
    properties: tuple[Box, ...] = ()
    groups: tuple[Box, ...] = ()
    idat: Box | None = None

    def child(self, kind: bytes) -> Box | None:
        return next((box for box in self.children if box.kind == kind), None)


def read(data: bytes, box: Box, notes: Notes) -> Meta:
    """Everything in a meta box.  Raises FilterError."""
    meta = Meta(box)
    start = box.body + 4
    if box.end < start:
        raise Malformed("box too short")
    meta.children = boxes.walk(data, start, box.end)
    kinds = [child.kind for child in meta.children if child.kind in _ONCE]
    if len(kinds) != len(set(kinds)):
        raise Malformed("a box that may stand once stands twice")
    if not boxes.blank(data, boxes.tail(meta.children, start), box.end):
        notes.note("bmff.edit-tail", box)
    handler = meta.child(b"hdlr")
    meta.handler = data[handler.body + 8 : min(handler.body + 12, handler.end)] if handler else b""
    if meta.handler != b"pict":
        return meta
    meta.idat = meta.child(b"idat")
    _primary(data, meta, notes)
    _infos(data, meta, notes)
    _locations(data, meta, notes)
    _references(data, meta, notes)
    _properties(data, meta, notes)
    groups = meta.child(b"grpl")
    meta.groups = boxes.walk(data, groups.body, groups.end) if groups else ()
    if any(child.kind == b"ipro" for child in meta.children):
        raise Encrypted("protected items")
    return meta


def _done(reader: Reader, box: Box, notes: Notes) -> None:
    if reader.left:
        notes.note("bmff.reserved", box)


def _primary(data: bytes, meta: Meta, notes: Notes) -> None:
    box = meta.child(b"pitm")
    if box is None:
        return
    reader = Reader(data, box.body, box.end)
    version, _ = reader.full()
    meta.primary = reader.number(4 if version else 2)
    _done(reader, box, notes)


def _infos(data: bytes, meta: Meta, notes: Notes) -> None:
    """iinf and infe (8.11.6), versions 2 and 3: what the field writes."""
    box = meta.child(b"iinf")
    if box is None:
        return
    reader = Reader(data, box.body, box.end)
    version, _ = reader.full()
    count = reader.number(4 if version else 2)
    entries = boxes.walk(data, reader.at, box.end)
    if len(entries) != count or count > _MOST_ITEMS:
        raise Malformed("items miscounted")
    if boxes.tail(entries, reader.at) != box.end:
        notes.note("bmff.reserved", box)
    for entry in entries:
        item = _info(data, entry)
        if item.number in meta.items:
            raise Malformed("two items of one number")
        meta.items[item.number] = item


def _info(data: bytes, box: Box) -> Item:
    body = data[box.body : box.end]
    if box.kind != b"infe" or body[:1] not in (b"\2", b"\3"):
        raise Unsupported("items of an old kind")
    wide = body[0] == 3
    if len(body) < (14 if wide else 12):
        raise Malformed("box too short")
    number, protection, kind = struct.unpack_from(">IH4s" if wide else ">HH4s", body, 4)
    if protection:
        raise Encrypted("protected items")
    name, _, content = body[14 if wide else 12 :].partition(b"\0")
    named = name not in (b"", b"Color", b"Alpha", b"Image", b"Exif", b"XMP", b"primary", b"base")
    named = named or (bool(content.strip(b"\0")) and kind not in (b"mime", b"uri "))
    return Item(number, kind, bool(body[3] & 1), named, content)


def _locations(data: bytes, meta: Meta, notes: Notes) -> None:
    """iloc (8.11.3)."""
    box = meta.child(b"iloc")
    if box is None:
        return
    reader = Reader(data, box.body, box.end)
    version, _ = reader.full()
    if version > 2:
        raise Unsupported("item locations of an unknown version")
    sizes = reader.number(2)
    offset, length, base, index = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15 if version else 0
    if any(size not in (0, 4, 8) for size in (offset, length, base, index)):
        raise Malformed("item locations of an odd size")
    wide, total = 4 if version == 2 else 2, 0
    for _ in range(reader.number(wide)):
        number, method = reader.number(wide), reader.number(2) & 15 if version else 0
        source, start, count = reader.number(2), reader.number(base), reader.number(2)
        total += count
        if total > _MOST_EXTENTS:
            raise Malformed("too many extents")
        rows = reader.take(count * (index + offset + length))
        step, at = index + offset + length, index + offset
        extents = [
            (start + int.from_bytes(rows[i + index : i + at], "big"), int.from_bytes(rows[i + at : i + step], "big"))
            for i in range(0, count * step, step or 1)
        ] or [(start, 0)] * count
        _locate(data, meta, number, method, source, extents)
    _done(reader, box, notes)


def _locate(data: bytes, meta: Meta, number: int, method: int, source: int, extents: list[tuple[int, int]]) -> None:
    item = meta.items.get(number)
    if item is None:
        return  # readers ignore a place without an item
    if item.located:
        raise Malformed("an item in two places")
    item.located = True
    item.external = source != 0 or method > 1
    if method == 1:
        item.inside = True
        start, end = (meta.idat.body, meta.idat.end) if meta.idat else (0, 0)
    else:
        start, end = 0, len(data)
    if len(extents) == 1 and extents[0][1] == 0:  # the whole rest
        extents = [(extents[0][0], max(0, end - start - extents[0][0]))]
    item.extents = [(start + offset, length) for offset, length in extents]
    if any(start + offset + length > end for offset, length in extents):
        item.external = True  # a picture that is not there: judged when it is needed


def _references(data: bytes, meta: Meta, notes: Notes) -> None:
    """iref (8.11.12)."""
    box = meta.child(b"iref")
    if box is None:
        return
    wide = 4 if data[box.body : box.body + 1] == b"\1" else 2
    children = boxes.walk(data, box.body + 4, box.end)
    if boxes.tail(children, box.body + 4) != box.end:
        notes.note("bmff.reserved", box)
    for child in children:
        reader = Reader(data, child.body, child.end)
        source, count = reader.number(wide), reader.number(2)
        if count * wide > reader.left:
            raise Malformed("references beyond the end of their box")
        meta.references.append((child.kind, source, tuple(reader.number(wide) for _ in range(count))))
        _done(reader, child, notes)


def _properties(data: bytes, meta: Meta, notes: Notes) -> None:
    """iprp: ipco, and ipma which gives properties to items (8.11.14)."""
    box = meta.child(b"iprp")
    if box is None:
        return
    children = boxes.walk(data, box.body, box.end)
    stores = [child for child in children if child.kind == b"ipco"]
    if len(stores) != 1:
        raise Malformed("item properties in more or fewer than one place")
    meta.properties = boxes.walk(data, stores[0].body, stores[0].end)
    if boxes.tail(meta.properties, stores[0].body) != stores[0].end or boxes.tail(children, box.body) != box.end:
        notes.note("bmff.reserved", box)
    seen: set[int] = set()
    for child in children:
        if child.kind == b"ipma":
            _associations(data, meta, child, seen, notes)
        elif child.kind != b"ipco":
            notes.note("bmff.unknown-box", child)


def _associations(data: bytes, meta: Meta, box: Box, seen: set[int], notes: Notes) -> None:
    reader = Reader(data, box.body, box.end)
    version, flags = reader.full()
    wide = 2 if flags & 1 else 1
    for _ in range(reader.number(4)):
        number = reader.number(4 if version else 2)
        if number in seen:
            raise Malformed("properties of an item in two places")
        seen.add(number)
        row = reader.take(wide * reader.number(1))
        rows = struct.unpack(f">{len(row) // 2}H", row) if wide == 2 else tuple(row)
        mask = 0x7FFF if wide == 2 else 0x7F
        item = meta.items.get(number)
        if item is None:
            continue
        item.properties = [(row & mask, row > mask) for row in rows if row & mask]
        if any(index > len(meta.properties) for index, _ in item.properties):
            raise Malformed("a property that is not there")
    _done(reader, box, notes)
