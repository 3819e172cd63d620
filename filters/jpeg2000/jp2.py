"""JPEG 2000 files (JP2, JPX, JPH), scrubbed by boxes: headers, colours and codestreams stay (ISO 15444-1 I, 15444-2 M).

Kept: signature, file type, headers of image, channels, colours and layers, resolution, ICC profile without text, orientation,
tile data.
Files that point into themselves by offset (fragment tables, JPM pages) are not rewritten but refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from filters.api import Fate, ImageInfo, Malformed, Unsupported
from filters.jpeg2000 import boxes
from filters.jpeg2000.boxes import Box
from filters.jpeg2000.codestream import Codestream
from filters.metadata import exifblock, icc
from filters.plan import ByPlan, Plan

CODES: Mapping[str, str] = {
    "jp2.box-tail": "Bytes behind the content of a box.",
    "jp2.comment": "A comment in the codestream.",
    "jp2.free": "Free space that was not cleared.",
    "jp2.geotiff": "A position on the earth (GeoJP2).",
    "jp2.hidden-picture": "A second picture that no viewer shows.",
    "jp2.iptc": "IPTC captions or Photoshop resources.",
    "jp2.jumbf": "JUMBF data, for example a C2PA manifest.",
    "jp2.label": "A label, or an association with one.",
    "jp2.private-box": "A private or unknown box.",
    "jp2.rights": "A statement of rights.",
    "jp2.trailer": "Bytes behind the end of the picture.",
    "jp2.unreadable": "The file cannot be read as JPEG 2000.",
    "jp2.url": "A list of identifiers with the address of further data.",
    "jp2.uuid": "A vendor's box.",
    "jp2.xml": "A box of XML.",
    "jp2.xmp": "An XMP packet.",
}
_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_NAMES: Mapping[bytes, str] = {
    b"xml ": "jp2.xml", b"asoc": "jp2.label", b"lbl ": "jp2.label", b"nlst": "jp2.label", b"uinf": "jp2.url",
    b"jumb": "jp2.jumbf", b"jp2i": "jp2.rights", b"free": "jp2.free", b"jp2c": "jp2.hidden-picture",
}  # fmt: skip
_EXIF = (b"JpgTiffExif->JP2", bytes.fromhex("0537cdab9d0c4431a72afa561f2a113e"))
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_UUIDS: Mapping[bytes, str] = {
    _XMP: "jp2.xmp",
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): "jp2.iptc",
    bytes.fromhex("09a14e97c0b442e0bebf36df6f0ce36f"): "jp2.iptc",
    bytes.fromhex("2c4c0100850440b9a03e562148d6dfeb"): "jp2.iptc",
    bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03"): "jp2.geotiff",
    bytes.fromhex("96a9f1f1dc98402da7aed68e34451809"): "jp2.geotiff",
}
_OFFSETS = frozenset((b"ftbl", b"dtbl", b"mhdr", b"pcol", b"page", b"cref", b"mdat", b"moov"))
# Superbox -> the boxes that may stand in it.
_TREE: Mapping[bytes, frozenset[bytes]] = {
    b"jp2h": frozenset((b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"res ")),
    b"jpch": frozenset((b"ihdr", b"bpcc", b"pclr", b"cmap")),
    b"jplh": frozenset((b"cgrp", b"opct", b"cdef", b"creg", b"res ")),
    b"cgrp": frozenset((b"colr",)),
    b"res ": frozenset((b"resc", b"resd")),
    b"comp": frozenset((b"copt", b"inst")),
}
_TOP = frozenset((b"jP  ", b"ftyp", b"rreq", b"jp2c", b"jp2h", b"jpch", b"jplh", b"comp"))
_FIXED: Mapping[bytes, int] = {b"ihdr": 14, b"resc": 10, b"resd": 10}
_LAB = 14  # EnumCS of CIELab: seven numbers may follow


class Jp2(ByPlan):
    """The scrubber for JPEG 2000 files."""

    name = "jp2"
    unreadable = "jp2.unreadable"

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the first picture.  Raises FilterError."""
        job = _Job(data)
        codes, size, facts = job.plan().codes, job.streams[0].size, job.told.facts
        return ImageInfo(
            width=size.width, height=size.height, bits=size.bits, frames=len(job.streams) if job.layered else 1,
            orientation=facts.orientation, codes=codes | facts.codes, make=facts.make, model=facts.model, serial=facts.serial,
            taken=facts.taken,
        )  # fmt: skip

    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""
        return _Job(data).plan()


class _Job:
    """One walk through one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.boxes = boxes.walk(data, 0, len(data)) if data.startswith(_SIGNATURE) else []
        names = [box.name for box in self.boxes]
        if names[1:2] != [b"ftyp"]:
            raise Malformed("no signature and file type")
        if _OFFSETS.intersection(names):
            raise Unsupported("jpeg 2000 with tables of offsets")
        if b"jp2h" not in names or b"jp2c" not in names or names.index(b"jp2h") > names.index(b"jp2c"):
            raise Malformed("no header or no codestream")
        self.layered = not {b"jpch", b"jplh", b"comp"}.isdisjoint(names)
        found = [box for box in self.boxes if box.name == b"jp2c"]
        self.shown = found if self.layered else found[:1]
        self.streams = [Codestream(data, box.body, box.end) for box in self.shown]
        self.exifs = [box for box in self.boxes if self._uuid(box) in _EXIF]
        packets = [self._body(box)[16:] for box in self.boxes if self._uuid(box) == _XMP]
        self.told = exifblock.told([exifblock.bare(self._body(box)[16:]) for box in self.exifs], packets)
        self.placed = self.told.block is None

    def _body(self, box: Box) -> bytes:
        return self.data[box.body : box.end]

    def _uuid(self, box: Box) -> bytes:
        return self.data[box.body : box.body + 16] if box.name == b"uuid" else b""

    def plan(self) -> Plan:
        plan = Plan()
        for box in self.boxes:
            if not self.placed and (box.name == b"uuid" or box is self.shown[0]):
                self._orientation(plan, box)
            if box.name == b"jp2c" and box in self.shown:
                self._stream(plan, box)
            elif box.name in _TOP and box.name != b"jp2c":
                self._keep(plan, box)
            elif not (self.placed and box in self.exifs[:1] and self._in_place(box)):
                self._drop(plan, box)
        if self.boxes[-1].end < len(self.data):
            plan.note("jp2.trailer", f"box@{self.boxes[-1].end}")
        return plan

    # ---- metadata

    def _in_place(self, box: Box) -> bool:
        """The input's own EXIF box, when it says nothing but how to display."""
        return self.told.block is not None and self._body(box) == _EXIF[0] + self.told.block

    def _orientation(self, plan: Plan, box: Box) -> None:
        """Our EXIF box stands where the first vendor's box did, or in front of the codestream."""
        if self.exifs and box is not self.exifs[0]:
            return
        if not self.exifs and self._uuid(box) != _XMP:
            return
        self.placed = True
        plan.note("exif.orientation", f"uuid@{box.start}", Fate.KEPT)
        if self._in_place(box):
            plan.keep(box.start, box.end)
        else:
            block = _EXIF[0] + (self.told.block or b"")
            plan.put(boxes.head(b"uuid", len(block)) + block)

    def _drop(self, plan: Plan, box: Box) -> None:
        word = box.name.decode("latin-1").strip() if box.name in _NAMES or box.name == b"uuid" else "box"
        where, uuid = f"{word}@{box.start}", self._uuid(box)
        if uuid in _EXIF:
            plan.note("exif.block", where)
            for code in sorted(self.told.facts.codes):
                plan.note(code, where)
        elif uuid:
            plan.note(_UUIDS.get(uuid, "jp2.uuid"), where)
        else:
            plan.note(_NAMES.get(box.name, "jp2.private-box"), where)

    # ---- what is needed

    def _stream(self, plan: Plan, box: Box) -> None:
        inner = Plan()
        self.streams[self.shown.index(box)].plan(inner, ("jp2.comment", "jp2.trailer"))
        self._wrap(plan, box, inner)

    def _wrap(self, plan: Plan, box: Box, inner: Plan) -> None:
        """The box around what is left of its content."""
        plan.findings += inner.findings
        if inner.out == [(box.body, box.end)] or (not inner.out and box.body == box.end):
            plan.keep(box.start, box.end)
            return
        plan.put(boxes.head(box.name, inner.size()))
        for part in inner.out:
            plan.put(part) if isinstance(part, bytes) else plan.keep(*part)

    def _keep(self, plan: Plan, box: Box) -> None:
        inner = Plan()
        if box.name in _TREE:
            children = boxes.walk(self.data, box.body, box.end)
            for child in children:
                if child.name in _TREE[box.name]:
                    self._keep(inner, child)
                else:
                    self._drop(inner, child)
            if (children[-1].end if children else box.body) < box.end:
                inner.note("jp2.box-tail", f"box@{box.start}")
        elif box.name == b"colr":
            self._colour(inner, box)
        elif box.name == b"rreq":
            self._requirements(inner, box)
        else:
            self._cut(inner, box, self._length(box))
        self._wrap(plan, box, inner)

    def _cut(self, plan: Plan, box: Box, size: int) -> None:
        plan.keep(box.body, min(box.end, box.body + size))
        if box.end > box.body + size:
            plan.note("jp2.box-tail", f"box@{box.start}")

    def _length(self, box: Box) -> int:
        """Bytes of content that mean something, for boxes of a known length."""
        body, size = self.data[box.body : box.body + 1024], box.end - box.body
        if size < _FIXED.get(box.name, 0):
            raise Malformed("box too short")
        if box.name == b"cdef" and size >= 2:
            return 2 + 6 * int.from_bytes(body[:2], "big")
        if box.name == b"pclr" and size >= 3 + body[2]:
            width = sum(((depth & 0x7F) + 8) // 8 for depth in body[3 : 3 + body[2]])
            return 3 + body[2] + int.from_bytes(body[:2], "big") * width
        return _FIXED.get(box.name, size)

    def _requirements(self, plan: Plan, box: Box) -> None:
        """Reader requirements (15444-2 M.11.1): the standard features; vendors' features go."""
        body = self._body(box)
        width = body[0] if body else 0
        count = int.from_bytes(body[1 + 2 * width : 3 + 2 * width], "big")
        vendors = 3 + 2 * width + count * (2 + width)
        if width not in (1, 2, 4, 8) or vendors + 2 > len(body):
            plan.note("jp2.box-tail", f"box@{box.start}")
            plan.put(b"\1\x80\x80\0\0\0\0")
            return
        plan.keep(box.body, box.body + vendors)
        if vendors + 2 == len(body) and not any(body[vendors:]):
            plan.keep(box.body + vendors, box.end)
        else:
            plan.note("jp2.uuid", f"box@{box.start}")
            plan.put(b"\0\0")

    def _colour(self, plan: Plan, box: Box) -> None:
        """Colour specification (I.5.3.3): enumerated, or an ICC profile; a vendor's method says nothing that viewers know."""
        method, where = self.data[box.body] if box.end > box.body else 0, f"colr@{box.start}"
        if method == 1:
            lab = int.from_bytes(self.data[box.body + 3 : box.body + 7], "big") == _LAB
            self._cut(plan, box, 35 if lab else 7)
            return
        size = self.streams[0].size
        if method not in (2, 3, 4) or (method == 4 and size.subsampled):
            raise Unsupported("jpeg 2000 colour method")  # viewers guess, each in its own way
        profile = self.data[box.body + 3 : box.end]
        cleaned = icc.clean(profile) if method in (2, 3) else icc.Cleaned(None, "jp2.uuid")
        if cleaned.code:
            plan.note(cleaned.code, where)
        if cleaned.data is None:  # as viewers do with what they cannot use: by the number of components
            plan.put(b"\1\0\0" + (17 if size.components < 3 else 16).to_bytes(4, "big"))
            return
        plan.note("icc.profile", where, Fate.KEPT)
        if cleaned.data is profile:
            plan.keep(box.body, box.end)
        else:
            plan.keep(box.body, box.body + 3)
            plan.put(cleaned.data)


JP2 = Jp2()
