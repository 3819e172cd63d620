"""GIF, scrubbed by blocks: colour tables, frames, timing and the loop count stay, everything that is not shown goes (GIF89a).

The LZW data of a frame is copied byte for byte up to the code that ends it for every decoder; what stands behind goes.
"""

from __future__ import annotations

from collections.abc import Mapping

from filters import page
from filters.api import Fate, ImageInfo, Malformed
from filters.gif import blocks as gifblocks
from filters.gif import lzw
from filters.gif.blocks import Block, Kind
from filters.metadata import icc
from filters.plan import ByPlan, Plan

_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_PROFILE, _XMP = b"ICCRGBG1012", b"XMP DataXMP"
_APPLICATION = b"\x21\xff\x0b"
_CONTROL_BYTES = 4

CODES: Mapping[str, str] = {
    "gif.application": "An application extension, or a loop count with more than a number in it.",
    "gif.comment": "A comment.",
    "gif.extension": "An unknown extension.",
    "gif.gap": "Bytes between blocks.",
    "gif.plain-text": "A plain-text extension; no program of today shows it.",
    "gif.stray-control": "Timing or transparency that belongs to no frame.",
    "gif.stream-tail": "Data behind the last pixel of a frame.",
    "gif.trailer": "Bytes behind the end of the picture.",
    "gif.unreadable": "The file cannot be read as GIF.",
    "gif.xmp": "An XMP packet.",
}
_EXTENSIONS: Mapping[int, str] = {gifblocks.COMMENT: "gif.comment", gifblocks.PLAIN_TEXT: "gif.plain-text"}


class Gif(ByPlan):
    """The scrubber for GIF, still and animated."""

    name = "gif"
    unreadable = "gif.unreadable"

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the picture.  Raises FilterError."""
        job = _Job(data)
        plan, screen = job.plan(), gifblocks.screen(data, job.blocks)
        colours = job.colours()
        info = ImageInfo(
            width=screen.width, height=screen.height, bits=1 if colours == 2 else 8, frames=len(job.frames), codes=plan.codes,
            colours=colours,
        )  # fmt: skip
        return page.marked(info)

    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""
        return _Job(data).plan()


class _Job:
    """One walk through one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.blocks = gifblocks.walk(data)
        gifblocks.screen(data, self.blocks)
        self.frames = [block for block in self.blocks if block.kind is Kind.FRAME]
        self.last = self.frames[-1].start
        self.loops: set[bytes] = set()
        self.profiled = False

    def colours(self) -> int:
        """Entries of all colour tables that a frame uses."""
        shared = self.blocks[0].colours if any(not frame.colours for frame in self.frames) else 0
        return shared + sum(frame.colours for frame in self.frames)

    def plan(self) -> Plan:
        plan = Plan()
        for block in self.blocks:
            if block.kind is Kind.FRAME:
                self._frame(plan, block)
            elif block.kind is Kind.EXTENSION:
                self._extension(plan, block)
            elif block.kind is Kind.GAP:
                plan.note("gif.gap", f"GIF@{block.start}")
            elif block.kind is Kind.REST:
                plan.note("gif.trailer", f"GIF@{block.start}")
                if self.blocks[-2].kind is not Kind.TRAILER:
                    plan.put(bytes((gifblocks.TRAILER,)))
            else:
                plan.keep(block.start, block.end)
        return plan

    # ---- frames

    def _frame(self, plan: Plan, block: Block) -> None:
        bits, content = self.data[block.data - 1], gifblocks.payload(self.data, block)
        at = lzw.stop(content, bits, block.width * block.height)
        if not block.whole and not at.filled:
            raise Malformed("truncated frame")
        rest = content[-(-at.bits // 8) :]
        if not rest.strip(b"\0") and len(rest) < 3:  # encoders that flush once too often
            plan.keep(block.start, block.end)
            return
        plan.note("gif.stream-tail", f"frame@{block.start}")
        plan.keep(block.start, block.data)
        plan.put(gifblocks.chain(lzw.close(content, bits, at)))

    # ---- extensions

    def _extension(self, plan: Plan, block: Block) -> None:
        where = f"ext{block.label:02x}@{block.start}"
        if block.label == gifblocks.CONTROL:
            self._control(plan, block, where)
        elif block.label == gifblocks.APPLICATION:
            self._application(plan, block, where)
        else:
            plan.note(_EXTENSIONS.get(block.label, "gif.extension"), where)

    def _control(self, plan: Plan, block: Block, where: str) -> None:
        """Timing, disposal and transparency of the frame that follows: four bytes in one sub-block."""
        at = block.data
        if block.start > self.last or self.data[at] < _CONTROL_BYTES:
            plan.note("gif.stray-control", where)
        elif self.data[at] == _CONTROL_BYTES and block.end == at + 2 + _CONTROL_BYTES:
            plan.keep(block.start, block.end)
        else:
            plan.note("gif.stray-control", where)
            plan.put(b"\x21\xf9\x04" + self.data[at + 1 : at + 1 + _CONTROL_BYTES] + b"\0")

    def _application(self, plan: Plan, block: Block, where: str) -> None:
        name = self.data[block.data + 1 : block.data + 12] if self.data[block.data] == 11 else b""
        if name in _LOOPS:
            self._loop(plan, block, where)
        elif name == _PROFILE and block.whole:
            self._icc(plan, block, where)
        else:
            plan.note("gif.xmp" if name == _XMP else "gif.application", where)

    def _loop(self, plan: Plan, block: Block, where: str) -> None:
        """The loop count: a sub-block of three bytes, the first of them 1."""
        at = block.data + 12
        count = self.data[at : at + 4]
        told = count[:2] == b"\x03\x01" and len(count) == 4 and not (count[2:] in self.loops or len(self.loops) > 1)
        if told:
            self.loops.add(count[2:])
        if told and block.end == at + 5 and block.whole:
            plan.keep(block.start, block.end)
            return
        plan.note("gif.application", where)
        if told:
            plan.put(self.data[block.start : at] + count + b"\0")

    def _icc(self, plan: Plan, block: Block, where: str) -> None:
        profile = gifblocks.payload(self.data, block)[11:]
        cleaned = icc.Cleaned(None, "icc.damaged") if self.profiled else icc.clean(profile)
        if cleaned.code:
            plan.note(cleaned.code, where)
        if cleaned.data is None:
            return
        self.profiled = True
        plan.note("icc.profile", where, Fate.KEPT)
        if cleaned.data is profile:
            plan.keep(block.start, block.end)
        else:
            plan.put(_APPLICATION + _PROFILE + gifblocks.chain(cleaned.data))


GIF = Gif()
