"""JPEG XL, scrubbed by boxes: file type, level and codestream stay, all else goes (ISO 18181-2).

The data to rebuild the JPEG from which a file was made (``jbrd``) holds that JPEG's metadata and goes; the picture is the same.
A naked codestream passes when its header holds nothing but numbers.  Not seen without decoding: names of frames, bytes behind the
last frame.  A colour profile, a preview or a named channel inside the codestream is refused: it cannot be cleaned.
"""

from __future__ import annotations

from collections.abc import Mapping

from filters.api import ImageInfo, Malformed
from filters.jpeg.tail import ends_in_words
from filters.jpeg2000 import boxes
from filters.jpeg2000.boxes import Box
from filters.jpegxl import head as jxlhead
from filters.plan import ByPlan, Plan

CODES: Mapping[str, str] = {
    "jxl.compressed": "Compressed metadata (brob).",
    "jxl.gain-map": "A gain map, a second picture for brighter screens; the picture itself is unchanged.",
    "jxl.index": "An index of frames.",
    "jxl.jpeg-data": "Data to rebuild the JPEG the file was made from, with that JPEG's metadata; the picture is unchanged.",
    "jxl.jumbf": "JUMBF data, for example a C2PA manifest.",
    "jxl.private-box": "A private or unknown box.",
    "jxl.trailer": "Bytes behind the end of the picture.",
    "jxl.unreadable": "The file cannot be read as JPEG XL, or its codestream holds what cannot be taken out.",
    "jxl.xmp": "An XMP packet or another XML box.",
}
_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
_NAMES: Mapping[bytes, str] = {
    b"Exif": "exif.block", b"xml ": "jxl.xmp", b"jumb": "jxl.jumbf", b"brob": "jxl.compressed", b"jhgm": "jxl.gain-map",
    b"jbrd": "jxl.jpeg-data", b"jxli": "jxl.index",
}  # fmt: skip
_LAST = 1 << 31  # of the index of a partial codestream


class Jxl(ByPlan):
    """The scrubber for JPEG XL, in boxes or naked."""

    name = "jxl"
    unreadable = "jxl.unreadable"

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the picture; an animation counts as two frames, how many it has is coded.  Raises FilterError."""
        job = _Job(data)
        head, codes = job.head, job.plan().codes
        return ImageInfo(head.width, head.height, head.bits, 2 if head.animated else 1, head.orientation, codes)

    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""
        return _Job(data).plan()


class _Job:
    """One walk through one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.boxes: list[Box] = []
        if data.startswith(_SIGNATURE):
            self.boxes = boxes.walk(data, 0, len(data))
            self.parts = self._parts()
        else:
            self.parts = [(0, len(data))]
        self.head = jxlhead.read(b"".join(data[start:end] for start, end in self.parts[:64]))
        if ends_in_words(data, *self.parts[-1]):
            raise Malformed("words behind the coded data")

    def _parts(self) -> list[tuple[int, int]]:
        """The codestream: one box, or partial ones in order (9.9, 9.10)."""
        if [box.name for box in self.boxes[1:2]] != [b"ftyp"]:
            raise Malformed("no file type")
        whole = [(box.body, box.end) for box in self.boxes if box.name == b"jxlc"]
        partial = [box for box in self.boxes if box.name == b"jxlp"]
        if len(whole) + bool(partial) != 1:
            raise Malformed("not one codestream")
        if whole:
            return whole
        numbers = [int.from_bytes(self.data[box.body : box.body + 4], "big") for box in partial]
        if any(box.end < box.body + 4 for box in partial) or numbers != [*range(len(partial) - 1), len(partial) - 1 | _LAST]:
            raise Malformed("order of the partial codestreams")
        return [(box.body + 4, box.end) for box in partial]

    def plan(self) -> Plan:
        plan = Plan()
        if not self.boxes:
            plan.keep(0, len(self.data))
            return plan
        for index, box in enumerate(self.boxes):
            fixed = {b"JXL ": 12, b"jxll": 9}.get(box.name)
            if index < 2 or box.name in (b"jxlc", b"jxlp") or (fixed == box.end - box.start and not self._repeated(box)):
                plan.keep(box.start, box.end)
            else:
                word = box.name.decode("latin-1").strip() if box.name in _NAMES else "box"
                plan.note(_NAMES.get(box.name, "jxl.private-box"), f"{word}@{box.start}")
        if self.boxes[-1].end < len(self.data):
            plan.note("jxl.trailer", f"box@{self.boxes[-1].end}")
        return plan

    def _repeated(self, box: Box) -> bool:
        return any(other.name == box.name for other in self.boxes if other.start < box.start)


JXL = Jxl()
