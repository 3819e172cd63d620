"""WebP, scrubbed by chunks: the coded pictures are copied byte for byte (RFC 9649: VP8, VP8L, alpha, animation).

Kept: VP8X with corrected flags, ICC profile without text, ANIM, frames, alpha, orientation.  Unknown chunks go, also inside
frames.  Not seen without decoding: bytes behind the last macroblock inside a VP8 or VP8L chunk, unless they are readable words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from filters.api import Fate, ImageInfo, Malformed, TooBig
from filters.jpeg.tail import ends_in_words
from filters.metadata import exifblock, icc
from filters.plan import ByPlan, Plan
from filters.webp import riff
from filters.webp.riff import Chunk

MAX_PIXELS = 200_000_000
_PICTURES = frozenset((b"VP8 ", b"VP8L"))
_OUTSIDE = frozenset((b"VP8X", b"ANIM", b"ANMF"))
_ICC, _ALPHA, _EXIF, _XMP, _ANIMATED = 0x20, 0x10, 0x08, 0x04, 0x02  # flags of VP8X
_FRAME = 16  # bytes of a frame's header

CODES: Mapping[str, str] = {
    "webp.flags": "The list of contents in the header named what is not there, or reserved bits were set.",
    "webp.hidden-picture": "A second picture or alpha plane that no viewer shows.",
    "webp.info": "A RIFF list, for example of texts.",
    "webp.jumbf": "JUMBF data, for example a C2PA manifest.",
    "webp.length": "The length in the header was wrong.",
    "webp.padding": "Pad bytes that are not zero.",
    "webp.private-chunk": "A private or unknown chunk.",
    "webp.stream-tail": "Bytes behind the content of a chunk.",
    "webp.trailer": "Bytes behind the end of the picture.",
    "webp.unreadable": "The file cannot be read as WebP.",
    "webp.xmp": "An XMP packet.",
}
_NAMES: Mapping[bytes, str] = {
    b"XMP ": "webp.xmp", b"XMP\0": "webp.xmp", b"LIST": "webp.info", b"C2PA": "webp.jumbf", b"VP8 ": "webp.hidden-picture",
    b"VP8L": "webp.hidden-picture", b"ALPH": "webp.hidden-picture", b"ICCP": "icc.damaged",
}  # fmt: skip


class Webp(ByPlan):
    """The scrubber for WebP: lossy, lossless, with alpha, animated."""

    name = "webp"
    unreadable = "webp.unreadable"

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the picture.  Raises FilterError."""
        job = _Job(data)
        codes, facts = job.plan().codes, job.told.facts
        return ImageInfo(
            width=job.size[0], height=job.size[1], bits=8, frames=max(1, job.frames), orientation=facts.orientation,
            codes=codes | facts.codes, make=facts.make, model=facts.model, serial=facts.serial, taken=facts.taken,
        )  # fmt: skip

    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""
        return _Job(data).plan()


@dataclass(frozen=True, slots=True)
class _Profile:
    """The first ICCP chunk and what is left of it."""

    chunk: Chunk
    cleaned: icc.Cleaned
    original: bool  # as it stands in the file


class _Job:
    """One walk through one file."""

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
            raise Malformed("no RIFF header")
        self.data = data
        self.told_end = 8 + int.from_bytes(data[4:8], "little")
        self.end = min(self.told_end, len(data))
        self.chunks = riff.walk(data, 12, self.end)
        self.extended = bool(self.chunks) and self.chunks[0].name == b"VP8X"
        self.flags = self._flags()
        self.exifs = [chunk for chunk in self.chunks if chunk.name == b"EXIF" and chunk.whole]
        packets = [self._body(c) for c in self.chunks if c.name == b"XMP " and c.whole and self.flags & _XMP]
        self.told = exifblock.told([exifblock.bare(self._body(chunk)) for chunk in self.exifs], packets)
        self.profile = self._profile()
        self.picture: Chunk | None = None
        self.size = (0, 0)
        self.frames = 0
        self.loops = 0
        self._pictures()

    def _body(self, chunk: Chunk) -> bytes:
        return self.data[chunk.body : chunk.end]

    def _flags(self) -> int:
        if not self.extended:
            return 0
        first = self.chunks[0]
        if not first.whole or first.end - first.body != 10:
            raise Malformed("VP8X length")
        return self.data[first.body]

    def _profile(self) -> _Profile | None:
        chunk = next((chunk for chunk in self.chunks if chunk.name == b"ICCP" and chunk.whole), None)
        if chunk is None:
            return None
        body = self._body(chunk)
        cleaned = icc.clean(body)
        return _Profile(chunk, cleaned, cleaned.data is body)

    # ---- the picture

    def _pictures(self) -> None:
        """Find what viewers show: one picture, or the frames.  Raises Malformed, TooBig."""
        stills = [chunk for chunk in self.chunks if chunk.name in _PICTURES]
        self.frames = sum(chunk.name == b"ANMF" for chunk in self.chunks)
        moving = bool(self.flags & _ANIMATED)
        if moving != bool(self.frames) or moving == bool(stills):
            raise Malformed("flag, frames and pictures contradict")
        if moving:
            self.size = self._canvas()
            self._check_animation()
            return
        self.picture = stills[0]
        if not self.extended and self.chunks[0] is not self.picture:
            raise Malformed("the picture is not the first chunk")
        self.size = self._picture_size(self.picture)
        if self.extended and self.size != self._canvas():
            raise Malformed("canvas and picture differ")
        self._check_alpha(self.chunks, self.picture)

    def _canvas(self) -> tuple[int, int]:
        at = self.chunks[0].body
        width, height = self._number(at + 4) + 1, self._number(at + 7) + 1
        if width * height > MAX_PIXELS:
            raise TooBig("more than 200 megapixels")
        return width, height

    def _number(self, at: int) -> int:
        return int.from_bytes(self.data[at : at + 3], "little")

    def _picture_size(self, chunk: Chunk) -> tuple[int, int]:
        if not chunk.whole:
            raise Malformed("truncated picture")
        head = self.data[chunk.body : min(chunk.end, chunk.body + 10)]
        if chunk.name == b"VP8 ":
            width, height = _lossy(head, chunk.end - chunk.body)
        else:
            width, height = _lossless(head)
        if width * height > MAX_PIXELS:
            raise TooBig("more than 200 megapixels")
        if ends_in_words(self.data, chunk.body, chunk.end):
            raise Malformed("words behind the coded data")
        return width, height

    def _check_alpha(self, chunks: list[Chunk], picture: Chunk) -> None:
        planes = [chunk for chunk in chunks if chunk.name == b"ALPH" and chunk.start < picture.start]
        if planes and (len(planes) > 1 or picture.name == b"VP8L" or not planes[0].whole or planes[0].end == planes[0].body):
            raise Malformed("alpha")

    def _check_animation(self) -> None:
        control = next((chunk for chunk in self.chunks if chunk.name in (b"ANIM", b"ANMF")), None)
        if control is None or control.name != b"ANIM" or not control.whole or control.end - control.body < 6:
            raise Malformed("ANIM")

    # ---- the output

    def plan(self) -> Plan:
        body = Plan()
        start = 1 if self.extended else 0
        orient = self._exif_source()
        if self.extended:
            self._header(body, orient)
        for chunk in self.chunks[start:]:
            self._chunk(body, chunk, orient)
        if self.chunks[-1].end + self.chunks[-1].odd < self.end or self.end < len(self.data):
            body.note("webp.trailer", f"RIFF@{self.end}")
        return self._framed(body)

    def _framed(self, body: Plan) -> Plan:
        """The body behind a RIFF header of the right length."""
        plan, size = Plan(), 4 + body.size()
        if size == self.told_end - 8:
            plan.keep(0, 12)
        else:
            plan.put(riff.head(b"RIFF", size) + b"WEBP")
            if not body.removed:
                body.note("webp.length", "RIFF")
        for part in body.out:
            plan.put(part) if isinstance(part, bytes) else plan.keep(*part)
        plan.findings = body.findings
        return plan

    def _exif_source(self) -> Chunk | None:
        """The chunk in whose place the EXIF block of the output stands."""
        if self.told.block is None:
            return None
        return self.exifs[0] if self.exifs else next(chunk for chunk in self.chunks if chunk.name == b"XMP ")

    def _header(self, plan: Plan, orient: Chunk | None) -> None:
        chunk, flags = self.chunks[0], self.flags & (_ALPHA | _ANIMATED)
        if self.profile is not None and self.profile.cleaned.data is not None:
            flags |= self.flags & _ICC
        if orient is not None and self.flags & (_EXIF if orient.name == b"EXIF" else _XMP):
            flags |= _EXIF
        if self.data[chunk.body : chunk.body + 4] == bytes((flags, 0, 0, 0)):
            plan.keep(chunk.start, chunk.end)
            return
        plan.note("webp.flags", f"VP8X@{chunk.start}")
        plan.put(riff.head(b"VP8X", 10) + bytes((flags, 0, 0, 0)) + self.data[chunk.body + 4 : chunk.end])

    def _chunk(self, plan: Plan, chunk: Chunk, orient: Chunk | None) -> None:
        if chunk is orient:
            self._exif(plan, chunk)
        elif self.profile is not None and chunk is self.profile.chunk:
            self._icc(plan, self.profile)
        elif chunk is self.picture:
            self._copy(plan, chunk)
        elif chunk.name == b"ALPH" and self.picture is not None and chunk.start < self.picture.start:
            self._alpha(plan, chunk, self.size)
        elif chunk.name == b"ANIM" and self.frames and not self.loops:
            self.loops = 1
            self._cut(plan, chunk, 6)
        elif chunk.name == b"ANMF":
            self._frame(plan, chunk)
        else:
            self._drop(plan, chunk)

    def _drop(self, plan: Plan, chunk: Chunk) -> None:
        where = _where(chunk)
        if chunk.name != b"EXIF":
            plan.note(_NAMES.get(chunk.name, "webp.private-chunk"), where)
            return
        plan.note("exif.block", where)
        for code in sorted(self.told.facts.codes):
            plan.note(code, where)

    def _exif(self, plan: Plan, chunk: Chunk) -> None:
        block = self.told.block or b""
        plan.note("exif.orientation", _where(chunk), Fate.KEPT)
        if chunk.name == b"EXIF" and exifblock.bare(self._body(chunk)) == block:
            self._copy(plan, chunk)
            return
        self._drop(plan, chunk)
        plan.put(riff.head(b"EXIF", len(block)) + block + bytes(len(block) & 1))

    def _icc(self, plan: Plan, profile: _Profile) -> None:
        where, cleaned = _where(profile.chunk), profile.cleaned
        if cleaned.code:
            plan.note(cleaned.code, where)
        if cleaned.data is None:
            return
        plan.note("icc.profile", where, Fate.KEPT)
        if profile.original:
            self._copy(plan, profile.chunk)
        else:
            plan.put(riff.head(b"ICCP", len(cleaned.data)) + cleaned.data + bytes(len(cleaned.data) & 1))

    def _copy(self, plan: Plan, chunk: Chunk) -> None:
        """The chunk as it is, with a pad byte of zero; at the very end of a file some writers leave it out, and may."""
        plan.keep(chunk.start, chunk.end)
        if not chunk.odd:
            return
        if self.data[chunk.end : chunk.end + 1] == b"\0":
            plan.keep(chunk.end, chunk.end + 1)
        elif chunk.end < len(self.data) or self.told_end > len(self.data):
            plan.note("webp.padding", _where(chunk))
            plan.put(b"\0")

    def _cut(self, plan: Plan, chunk: Chunk, size: int) -> None:
        """The chunk with no more than ``size`` bytes of content."""
        if chunk.end - chunk.body <= size:
            self._copy(plan, chunk)
            return
        plan.note("webp.stream-tail", _where(chunk))
        plan.put(riff.head(chunk.name, size) + self.data[chunk.body : chunk.body + size] + bytes(size & 1))

    def _alpha(self, plan: Plan, chunk: Chunk, size: tuple[int, int]) -> None:
        """Raw alpha has a known length; compressed alpha ends where its decoder stops."""
        raw = not self.data[chunk.body] & 3
        self._cut(plan, chunk, 1 + size[0] * size[1] if raw else chunk.end - chunk.body)

    # ---- frames

    def _frame(self, plan: Plan, chunk: Chunk) -> None:
        """A frame: its header, its alpha, its picture (RFC 9649 2.7.1.2); nothing else."""
        inside = riff.walk(self.data, chunk.body + _FRAME, chunk.end)
        picture = next((one for one in inside if one.name in _PICTURES), None)
        if not chunk.whole or picture is None:
            raise Malformed("frame without picture")
        if any(not one.whole or one.name in _OUTSIDE or (one.name in _PICTURES and one is not picture) for one in inside):
            raise Malformed("a frame inside a frame")  # libwebp goes on there as if it stood outside
        self._check_frame(chunk, inside, picture)
        kept, header = Plan(), self.data[chunk.body : chunk.body + _FRAME]
        for one in inside:
            if one is picture:
                self._copy(kept, one)
            elif one.name == b"ALPH" and one.start < picture.start:
                self._alpha(kept, one, self._picture_size(picture))
            else:
                self._drop(kept, one)
        if inside[-1].end + inside[-1].odd < chunk.end:
            kept.note("webp.stream-tail", _where(chunk))
        if header[15] > 3:
            kept.note("webp.flags", _where(chunk))
        self._reframed(plan, chunk, kept, header)

    def _reframed(self, plan: Plan, chunk: Chunk, kept: Plan, header: bytes) -> None:
        plan.findings += kept.findings
        if not kept.removed:
            self._copy(plan, chunk)
            return
        size = _FRAME + kept.size()
        plan.put(riff.head(b"ANMF", size) + header[:15] + bytes((header[15] & 3,)))
        for part in kept.out:
            plan.put(part) if isinstance(part, bytes) else plan.keep(*part)
        if size & 1:
            plan.put(b"\0")

    def _check_frame(self, chunk: Chunk, inside: list[Chunk], picture: Chunk) -> None:
        at = chunk.body
        left, top = 2 * self._number(at), 2 * self._number(at + 3)
        width, height = self._number(at + 6) + 1, self._number(at + 9) + 1
        if left + width > self.size[0] or top + height > self.size[1] or self._picture_size(picture) != (width, height):
            raise Malformed("frame outside the canvas or of another size")
        self._check_alpha(inside, picture)


def _lossy(head: bytes, size: int) -> tuple[int, int]:
    """Width and height of a VP8 key frame (RFC 6386 9.1)."""
    tag = int.from_bytes(head[:3], "little")
    shown, first = tag & 16, tag >> 5
    if len(head) < 10 or tag & 1 or not shown or (tag >> 1) & 7 > 3 or first > size - 10 or head[3:6] != b"\x9d\x01\x2a":
        raise Malformed("VP8 header")
    width, height = int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF
    if not width or not height:
        raise Malformed("VP8 size")
    return width, height


def _lossless(head: bytes) -> tuple[int, int]:
    """Width and height of a VP8L picture (RFC 9649 3.4)."""
    word = int.from_bytes(head[1:5], "little")
    if len(head) < 5 or head[0] != 0x2F or word >> 29:
        raise Malformed("VP8L header")
    return (word & 0x3FFF) + 1, (word >> 14 & 0x3FFF) + 1


def _where(chunk: Chunk) -> str:
    """The name of a known chunk, "chunk" for any other: it could be a word."""
    word = chunk.name.decode("latin-1").strip() if chunk.name in _NAMES or chunk.name in _SHOWN else "chunk"
    return f"{word.strip(chr(0))}@{chunk.start}"


_SHOWN = frozenset((b"VP8X", b"ANIM", b"ANMF", b"EXIF", b"ICCP"))
WEBP = Webp()
