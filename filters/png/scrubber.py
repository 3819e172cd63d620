"""PNG and APNG, scrubbed by chunks: the compressed rows are copied byte for byte, everything not needed to show them goes.

Kept: the chunks of ``_KEEP``, ICC profile without text, orientation (eXIf).  The rows are deflated anew only when the stream
holds more rows than the picture.  PNG third edition (W3C 2025).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import replace

from filters import page
from filters.api import Fate, ImageInfo
from filters.metadata import exif, icc, orientation
from filters.plan import ByPlan, Plan
from filters.png import animation, chunks, scanlines
from filters.png.chunks import Chunk, Header

# Kept as they are when they have one of these lengths and stand before the rows; None = any length.
_KEEP: Mapping[bytes, frozenset[int] | None] = {
    b"cHRM": frozenset((32,)),
    b"gAMA": frozenset((4,)),
    b"sBIT": frozenset((1, 2, 3, 4)),
    b"sRGB": frozenset((1,)),
    b"cICP": frozenset((4,)),
    b"mDCV": frozenset((24,)),
    b"mDCv": frozenset((24,)),  # as it was written before the third edition
    b"cLLI": frozenset((8,)),
    b"cLLi": frozenset((8,)),
    b"bKGD": frozenset((1, 2, 6)),
    b"hIST": None,
    b"pHYs": frozenset((9,)),
}
_GEOMETRY: Mapping[bytes, tuple[str, int]] = {  # layout, greatest sensible number: where the picture sits, nothing more
    b"oFFs": (">iiB", 1_000_000),
    b"vpAg": (">IIB", 1_000_000),
    b"caNv": (">IIii", 1_000_000),
}
_NUMBERS: Mapping[bytes, tuple[str, int]] = {  # kept as above, if the numbers are ones a program could have meant
    b"cHRM": (">8I", 1_000_000),
    b"gAMA": (">I", 100_000_000),
    b"sBIT": (">B", 16),
    b"cICP": (">B", 127),
}
_NAMES: Mapping[bytes, str] = {
    b"tEXt": "png.text", b"zTXt": "png.text", b"iTXt": "png.text", b"tIME": "png.time", b"caBX": "png.jumbf",
    b"sPLT": "png.suggested-palette", b"pCAL": "png.calibration", b"sCAL": "png.calibration",
}  # fmt: skip
_TEXTS: tuple[tuple[bytes, str], ...] = ((b"XML:com.adobe.xmp\0", "png.xmp"), (b"Raw profile type ", "png.raw-profile"))
_PROFILE_NAME = b"ICC"


def _note(plan: Plan, code: str, chunk: Chunk, fate: Fate = Fate.REMOVED) -> None:
    plan.note(code, f"{chunk.name.decode('ascii')}@{chunk.start}", fate)


class Png(ByPlan):
    """The scrubber for PNG and APNG."""

    name = "png"
    unreadable = "png.unreadable"

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the picture.  Raises FilterError."""
        job = _Job(data)
        plan = job.plan()
        shape, facts = job.header, job.facts
        info = ImageInfo(
            width=shape.width, height=shape.height, bits=shape.bits, frames=max(1, job.motion.frames),
            orientation=facts.orientation, codes=plan.codes | facts.codes, colours=job.colours(), make=facts.make,
            model=facts.model, serial=facts.serial, taken=facts.taken,
        )  # fmt: skip
        return page.marked(info)

    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""
        return _Job(data).plan()


class _Job:
    """One walk through one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.chunks = chunks.walk(data)
        self.header: Header = chunks.header(data, self.chunks)
        self.motion = animation.read(data, self.chunks, self.header)
        self.rows_at = next(chunk.start for chunk in self.chunks if chunk.name == b"IDAT")
        self.blocks = [chunk for chunk in self.chunks if chunk.name == b"eXIf" and chunk.sound]
        self.facts = self._facts()
        self.seen: set[bytes] = set()
        self.streams = self._streams()

    def _facts(self) -> exif.ExifFacts:
        """Facts of eXIf, else of a raw profile; the orientation of XMP when neither has one."""
        texts = [orientation.text_of(c.name, c.body(self.data)) for c in self.chunks if c.name in (b"tEXt", b"zTXt", b"iTXt")]
        raw = [tiff for keyword, text in texts if (tiff := orientation.raw_exif(keyword, text)) is not None]
        tiffs = [chunk.body(self.data) for chunk in self.blocks[:1]] or raw
        facts = exif.facts(tiffs[0]) if tiffs else exif.ExifFacts()
        if not facts.declared:
            turns = (orientation.from_xmp(text) for keyword, text in texts if keyword == b"XML:com.adobe.xmp")
            facts = replace(facts, orientation=next((turn for turn in turns if turn), 1))
        return facts

    def colours(self) -> int:
        """Number of palette entries, 2 for bilevel pictures, else 0."""
        if self.header.colour == 3:
            return next((chunk.end - chunk.start - 12) // 3 for chunk in self.chunks if chunk.name == b"PLTE")
        return 2 if self.header.bits == 1 else 0

    def plan(self) -> Plan:
        plan = Plan()
        plan.keep(0, 8)
        for chunk in self.chunks:
            if not self.blocks and chunk.start == self.rows_at:
                self._oriented(plan, chunk)
            if chunk.name == b"IEND":
                self._end(plan, chunk)
            elif chunk.name in (b"IHDR", b"PLTE", b"tRNS"):
                self._palette(plan, chunk)
            elif chunk.name in (b"IDAT", b"fdAT", b"fcTL", b"acTL"):
                self._picture(plan, chunk)
            elif chunk.name == b"eXIf":
                self._exif(plan, chunk)
            elif chunk.name == b"iCCP":
                self._profile(plan, chunk)
            elif self._fits(chunk):
                self.seen.add(chunk.name)
                plan.keep(chunk.start, chunk.end)
            else:
                _note(plan, self._code(chunk), chunk)
        return plan

    # ---- ancillary chunks

    def _fits(self, chunk: Chunk) -> bool:
        """A chunk of the keep list, sound, of its defined length, for the first time and before the rows."""
        if not chunk.sound or chunk.name in self.seen or chunk.start > self.rows_at:
            return False
        if chunk.name in _GEOMETRY:
            layout, most = _GEOMETRY[chunk.name]
            body = chunk.body(self.data)
            return len(body) == struct.calcsize(layout) and all(abs(n) <= most for n in struct.unpack(layout, body))
        if chunk.name not in _KEEP or not self._sensible(chunk):
            return False
        lengths, size = _KEEP[chunk.name], chunk.end - chunk.start - 12
        return size in lengths if lengths is not None else size == 2 * self.colours()

    def _sensible(self, chunk: Chunk) -> bool:
        """Every number is in its range: letters read as numbers are not."""
        if chunk.name not in _NUMBERS:
            return True
        layout, most = _NUMBERS[chunk.name]
        body, size = chunk.body(self.data), struct.calcsize(layout)
        return len(body) % size == 0 and all(n <= most for one in struct.iter_unpack(layout, body) for n in one)

    def _code(self, chunk: Chunk) -> str:
        if chunk.name in (b"zTXt", b"tEXt", b"iTXt"):
            word = self.data[chunk.start + 8 : chunk.start + 28]
            return next((code for prefix, code in _TEXTS if word.startswith(prefix)), "png.text")
        if chunk.name in _NAMES:
            return _NAMES[chunk.name]
        return "png.damaged-chunk" if chunk.name in _KEEP or chunk.name in _GEOMETRY else "png.private-chunk"

    def _exif(self, plan: Plan, chunk: Chunk) -> None:
        if self.blocks and chunk is self.blocks[0]:
            block = chunk.body(self.data)
            if exif.display_only(block) and exif.facts(block).orientation == self.facts.orientation:
                plan.keep(chunk.start, chunk.end)
                return
            self._oriented(plan, chunk)
        _note(plan, "exif.block", chunk)
        for code in sorted(self.facts.codes):
            _note(plan, code, chunk)

    def _oriented(self, plan: Plan, chunk: Chunk) -> None:
        if self.facts.orientation != 1:
            _note(plan, "exif.orientation", chunk, Fate.KEPT)
            plan.put(chunks.write(b"eXIf", exif.orientation_only(self.facts.orientation)[len(exif.PREFIX) :]))

    def _profile(self, plan: Plan, chunk: Chunk) -> None:
        name, _, rest = chunk.body(self.data).partition(b"\0")
        if not chunk.sound or chunk.name in self.seen or chunk.start > self.rows_at or rest[:1] != b"\0":
            _note(plan, "icc.damaged", chunk)
            return
        self.seen.add(chunk.name)
        profile, exact = _inflate(rest[1:])
        cleaned = icc.clean(profile) if profile is not None else icc.Cleaned(None, "icc.damaged")
        if cleaned.code:
            _note(plan, cleaned.code, chunk)
        if cleaned.data is None:
            return
        _note(plan, "icc.profile", chunk, Fate.KEPT)
        named = icc.known_name(name)
        if cleaned.data is profile and exact and named:
            plan.keep(chunk.start, chunk.end)
            return
        if not named or not exact:
            _note(plan, "png.profile-name" if not named else "png.stream-tail", chunk)
        body = rest[1:] if cleaned.data is profile and exact else zlib.compress(cleaned.data, 9)
        plan.put(chunks.write(b"iCCP", (name if named else _PROFILE_NAME) + b"\0\0" + body))

    # ---- the picture itself

    def _palette(self, plan: Plan, chunk: Chunk) -> None:
        colour, most = self.header.colour, 1 << self.header.bits
        if (chunk.name == b"PLTE" and colour in (0, 4)) or (chunk.name == b"tRNS" and colour in (4, 6)):
            _note(plan, "png.damaged-chunk", chunk)  # has no meaning for this kind of picture
        elif chunk.name == b"PLTE" and colour == 3 and chunk.end - chunk.start - 12 > 3 * most:
            _note(plan, "png.palette-tail", chunk)  # no pixel can point there
            plan.put(chunks.write(b"PLTE", chunk.body(self.data)[: 3 * most]))
        else:
            plan.keep(chunk.start, chunk.end)

    def _streams(self) -> dict[int, tuple[bytes | None, str]]:
        """Start of a chunk that has to change -> (its new body, or None when it is not needed any more; code why)."""
        found: dict[int, tuple[bytes | None, str]] = {}
        view, budget = memoryview(self.data), scanlines.MAX_RAW
        for stream in self.motion.streams:
            head = 4 if stream.chunks[0].name == b"fdAT" else 0  # the sequence number
            parts = [view[chunk.start + 8 + head : chunk.end - 4] for chunk in stream.chunks]
            passes = self.header.rows(stream.width, stream.height)
            used, beyond = scanlines.check(parts, passes, budget)
            budget -= chunks.total(passes)
            if beyond:
                rest, code = scanlines.shorten(parts, chunks.total(passes)), "png.rows-beyond"
            elif used != sum(len(part) for part in parts):
                rest, code = b"".join(parts)[:used], "png.stream-tail"
            else:
                continue
            step = -(-len(rest) // len(parts))  # as many chunks as before: APNG numbers them
            for index, chunk in enumerate(stream.chunks):
                body = self.data[chunk.start + 8 : chunk.start + 8 + head] + rest[index * step : (index + 1) * step]
                found[chunk.start] = (body or None, code)
        return found

    def _picture(self, plan: Plan, chunk: Chunk) -> None:
        """A chunk of the picture: kept, replaced together with its stream, or dropped when no viewer shows it."""
        if chunk.start in self.motion.stray:
            _note(plan, "png.hidden-frame", chunk)
        elif chunk.start in self.streams:
            body, code = self.streams[chunk.start]
            _note(plan, code, chunk)
            if body is not None:
                plan.put(chunks.write(chunk.name, body))
        else:
            plan.keep(chunk.start, chunk.end)

    def _end(self, plan: Plan, chunk: Chunk) -> None:
        if chunk.end - chunk.start == 12:
            plan.keep(chunk.start, chunk.end)
        else:
            _note(plan, "png.trailer", chunk)
            plan.put(chunks.write(b"IEND", b""))
        if chunk.end != len(self.data):
            _note(plan, "png.trailer", chunk)


def _inflate(stream: bytes) -> tuple[bytes | None, bool]:
    """(the profile or None when the stream is damaged or a bomb, True if nothing stood behind the stream)."""
    engine = zlib.decompressobj()
    try:
        profile = engine.decompress(stream, icc.MAX_PROFILE)
    except zlib.error:
        return None, False
    return (profile if engine.eof else None), not engine.unused_data


PNG = Png()
