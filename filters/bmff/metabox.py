"""The meta box of a still picture file as it may stay: only the pictures that are shown, and what these need (14496-12 8.11)."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Mapping

from filters.api import Malformed
from filters.bmff import boxes
from filters.bmff.boxes import Box
from filters.bmff.heif import NEEDS, Stills
from filters.bmff.layout import OWN, Parts, Spots, wrap
from filters.bmff.leaves import hdlr

_REFERENCES = NEEDS | {b"auxl", b"prem"}
_GROUPS = frozenset((b"altr", b"ster", b"brst", b"eqiv", b"slid"))
_DROPPED: Mapping[bytes, str] = {
    b"uuid": "bmff.uuid", b"free": "bmff.leftover", b"skip": "bmff.leftover", b"jumb": "bmff.jumbf", b"xml ": "bmff.metadata",
    b"bxml": "bmff.metadata", b"udta": "bmff.user-data",
}  # fmt: skip


class Writer:
    """Writes the meta box of ``stills``; ``tracks`` are the tracks that groups may name besides items."""

    def __init__(self, stills: Stills, tracks: frozenset[int]) -> None:
        self.stills, self.tracks = stills, tracks
        self.data, self.meta, self.notes, self.media = stills.data, stills.meta, stills.notes, stills.media
        self.kept, self.own = stills.kept, stills.own
        self.items = [item for item in self.meta.items.values() if item.number in self.kept]
        self.wide = max(self.kept) > 0xFFFF  # item numbers of four bytes

    def parts(self) -> Parts:
        """The box, its children in the order of the input."""
        idat, places = self._idat()
        makers: Mapping[bytes, Callable[[Box], bytes]] = {
            b"hdlr": self._hdlr, b"pitm": self._pitm, b"iinf": self._iinf, b"iref": self._iref, b"iprp": self._iprp,
            b"grpl": self._grpl, b"dinf": self._dinf, b"idat": lambda child: boxes.write(b"idat", idat) if idat else b"",
        }  # fmt: skip
        out: Parts = [self.data[self.meta.box.body : self.meta.box.body + 1] + bytes(3)]
        for child in self.meta.children:
            if child.kind == b"iloc":
                out += self._iloc(places)
            elif child.kind in makers:
                out.append(makers[child.kind](child))
            elif not (child.kind in (b"free", b"skip") and boxes.blank(self.data, child.body, child.end)):
                self.notes.note(_DROPPED.get(child.kind, "bmff.unknown-box"), child)
        return wrap(b"meta", out)

    def _hdlr(self, box: Box) -> bytes:
        body = self.data[box.body : box.end]
        cleaned = hdlr(body)
        if cleaned != body:
            self.notes.note("bmff.handler-name", box)
        return boxes.write(b"hdlr", cleaned)

    def _pitm(self, box: Box) -> bytes:
        version = self.data[box.body]
        return boxes.full(b"pitm", version, 0, self.stills.roots[0].to_bytes(4 if version else 2, "big"))

    def _dinf(self, box: Box) -> bytes:
        """Everything stands in this very file."""
        del box
        return boxes.write(b"dinf", boxes.full(b"dref", 0, 0, b"\0\0\0\1" + boxes.full(b"url ", 0, 1, b"")))

    def _idat(self) -> tuple[bytes, dict[tuple[int, int], int]]:
        """The bytes of kept items in idat, and where each extent stands there."""
        out, places, patches = bytearray(), dict[tuple[int, int], int](), sorted(self.media.patches)
        for item in self.items:
            for extent in item.extents if item.inside and item.number not in self.own else ():
                if extent not in places:
                    places[extent] = len(out)
                    offset, length = extent
                    within = patches[bisect_left(patches, offset) : bisect_left(patches, offset + length)]
                    out += self.media.copy(offset, offset + length, within)
        if self.meta.idat is not None:
            self._idat_gap(self.meta.idat, places)
        return bytes(out), places

    def _idat_gap(self, idat: Box, places: Mapping[tuple[int, int], int]) -> None:
        at = idat.body
        for offset, length in [*sorted(places), (idat.end, 0)]:
            if not boxes.blank(self.data, at, offset):
                self.notes.note("bmff.gap", idat)
                return
            at = max(at, offset + length)

    def _iinf(self, box: Box) -> bytes:
        """Items without names."""
        del box
        out = []
        for item in self.items:
            wide = item.number > 0xFFFF
            fields = struct.pack(">IH4sx" if wide else ">HH4sx", item.number, 0, item.kind)
            out.append(boxes.full(b"infe", 3 if wide else 2, int(item.hidden), fields))
        return boxes.full(b"iinf", 0, 0, len(out).to_bytes(2, "big") + b"".join(out))

    def _iloc(self, places: Mapping[tuple[int, int], int]) -> Parts:
        """Offsets and lengths of four bytes, version 0 if it can be."""
        inside = any(item.inside and item.number not in self.own for item in self.items)
        version = 2 if self.wide else int(inside)
        size = 4 if version == 2 else 2
        kept = [item for item in self.items if item.located or item.number in self.own]
        out = bytearray(bytes((version, 0, 0, 0, 0x44, 0)) + len(kept).to_bytes(size, "big"))
        spots, values = [], []
        for item in kept:
            own = self.own.get(item.number)
            extents = item.extents if own is None else [(own[0] + OWN, own[1])]
            within = item.inside and own is None
            out += item.number.to_bytes(size, "big") + (bytes((0, within)) if version else b"")
            out += struct.pack(">HH", 0, len(extents))
            for offset, length in extents:
                if not within:
                    spots.append(len(out))
                    values.append(offset)
                out += struct.pack(">II", places[offset, length] if within else 0, length)
        return wrap(b"iloc", [Spots(bytes(out), tuple(spots), tuple(values))])

    def _iref(self, box: Box) -> bytes:
        del box
        size = 4 if self.wide else 2
        out = b""
        for kind, source, targets in self.meta.references:
            kept = [number for number in targets if number in self.kept]
            if kind not in _REFERENCES or source not in self.kept or not kept:
                if source in self.kept:
                    self.notes.note("bmff.reference", f"item@{source}")
                continue
            body = source.to_bytes(size, "big") + len(kept).to_bytes(2, "big")
            out += boxes.write(kind, body + b"".join(number.to_bytes(size, "big") for number in kept))
        return boxes.full(b"iref", int(self.wide), 0, out) if out else b""

    def _iprp(self, box: Box) -> bytes:
        """The properties that kept items have."""
        del box
        bodies = self.stills.bodies
        order = {index: place for place, index in enumerate(sorted(bodies), 1)}
        store = boxes.write(b"ipco", b"".join(bodies[index] for index in sorted(bodies)))
        size, mark = (2, 0x8000) if len(order) > 0x7F else (1, 0x80)
        rows, count = bytearray(), 0
        for item in sorted(self.items, key=lambda item: item.number):
            pairs = [(order[index], need) for index, need in item.properties if index in order]
            if pairs:
                count += 1
                rows += item.number.to_bytes(4 if self.wide else 2, "big") + bytes((len(pairs),))
                rows += b"".join((place | (mark if need else 0)).to_bytes(size, "big") for place, need in pairs)
        table = boxes.full(b"ipma", int(self.wide), size - 1, count.to_bytes(4, "big") + rows)
        return boxes.write(b"iprp", store + table)

    def _grpl(self, box: Box) -> bytes:
        """Groups of shown pictures (14496-12 8.18)."""
        del box
        out = b""
        for group in self.meta.groups:
            reader = boxes.Reader(self.data, group.body, group.end)
            reader.full()
            number, count = reader.take(4), reader.number(4)
            if count * 4 > reader.left:
                raise Malformed("a group beyond the end of its box")
            members = [reader.number(4) for _ in range(count)]
            kept = [member for member in members if member in self.kept or member in self.tracks]
            if reader.left or kept != members or group.kind not in _GROUPS:
                self.notes.note("bmff.group", group)
            if group.kind in _GROUPS and len(kept) > 1:
                ids = b"".join(member.to_bytes(4, "big") for member in kept)
                out += boxes.full(group.kind, 0, 0, number + len(kept).to_bytes(4, "big") + ids)
        return boxes.write(b"grpl", out) if out else b""
