"""JPEG, scrubbed by segments: the coded picture is copied byte for byte, everything that is not needed to show it goes.

Kept: JFIF header (14 bytes), Adobe APP14 (12 bytes), ICC profile without text, orientation, coding segments, entropy data.
Whatever two decoders might show differently is ``Malformed``.  ITU T.81, T.871 (JFIF), T.872 (APP14), ICC.1 B.4, EXIF 4.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from filters.api import Fate, ImageInfo, Malformed
from filters.jpeg import frame, segments
from filters.jpeg.segments import Kind, Piece
from filters.metadata import exif, icc, orientation
from filters.plan import ByPlan, Plan

_ICC, _JFIF, _ADOBE, _EXIF, _XMP = b"ICC_PROFILE\0", b"JFIF\0", b"Adobe", b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0"
_JFIF_LENGTH, _ADOBE_LENGTH = 14, 12

# (marker, first bytes of the body, code); the first that fits names a segment that goes.
_NAMES: tuple[tuple[int, bytes, str], ...] = (
    (0xE0, b"JFXX\0", "jpeg.jfxx"),
    (0xE1, _XMP, "jpeg.xmp"),
    (0xE1, b"http://ns.adobe.com/xmp/extension/\0", "jpeg.xmp-extended"),
    (0xE1, b"FLIR\0", "jpeg.flir"),
    (0xE2, b"MPF\0", "jpeg.mpf"),
    (0xE2, b"FPXR\0", "jpeg.flashpix"),
    (0xE2, b"urn:iso:std:iso:ts:21496", "jpeg.gain-map"),
    (0xEB, b"JP", "jpeg.jumbf"),
    (0xED, b"Photoshop 3.0\0", "jpeg.photoshop"),
    (segments.COM, b"", "jpeg.comment"),
)
_TRAILERS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg.trailer-image"),
    (b"\x89PNG\r\n", "jpeg.trailer-image"),
    (b"ftyp", "jpeg.trailer-video"),
    (b"PK\x03\x04", "jpeg.trailer-archive"),
    (b"Rar!", "jpeg.trailer-archive"),
    (b"7z\xbc\xaf", "jpeg.trailer-archive"),
    (b"%PDF-", "jpeg.trailer-archive"),
    (b"SEFT", "jpeg.trailer-samsung"),
)
# What says that the second picture behind the first is a gain map: Ultra HDR, ISO 21496-1, Apple.
_GAIN_MAPS = (b"http://ns.adobe.com/hdr-gain-map/1.0/", b"urn:iso:std:iso:ts:21496", b"aux:hdrgainmap")


class Jpeg(ByPlan):
    """The scrubber for JPEG (baseline, extended, progressive, lossless, arithmetic, hierarchical; 8 to 16 bits)."""

    name = "jpeg"
    unreadable = "jpeg.unreadable"

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the picture.  Raises FilterError."""
        job = _Job(data)
        plan = job.plan()
        facts = job.facts
        shape = job.coding.frame
        return ImageInfo(
            width=shape.width, height=shape.height, bits=shape.bits, orientation=facts.orientation,
            codes=plan.codes | facts.codes, make=facts.make, model=facts.model, serial=facts.serial, taken=facts.taken,
        )  # fmt: skip

    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""
        return _Job(data).plan()


class _Job:
    """One walk through one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pieces = segments.walk(data)
        self.coding = frame.read(data, self.pieces)
        scans = [i for i, piece in enumerate(self.pieces) if piece.marker == segments.SOS]
        self.first_scan = self.pieces[scans[0]].start
        bodies = [self._body(p) for p in self.pieces if p.kind is Kind.SEGMENT and p.marker == 0xE1]
        blocks = [body for body in bodies if body.startswith(_EXIF)]
        self.facts = _exif_facts(blocks, [body for body in bodies if body.startswith(_XMP)])
        self.wanted = self._wanted(blocks)
        self.exif_done = self.wanted is None
        self.in_place: Piece | None = None  # the input's own EXIF segment, when it may stay where it is
        self.jfif_seen = False
        self.adobe: int | None = None
        self.profile = [p for p in self.pieces if self._is_profile(p)]

    def plan(self) -> Plan:
        plan = Plan()
        plan.keep(0, 2)
        for index, piece in enumerate(self.pieces):
            if not self.exif_done and not (index == 0 and self._is_jfif(piece)):
                self._place_exif(plan, piece)
            if piece.kind is Kind.END:
                plan.keep(piece.start, piece.end)
                self._trailer(plan, piece.end)
            elif piece.kind is Kind.GAP:
                plan.note("jpeg.gap", f"gap@{piece.start}")
            elif piece.kind is Kind.SCAN:
                self._scan(plan, piece)
            elif piece.marker in frame.CODING:
                plan.keep(piece.start, piece.end)
            elif piece.end != piece.start:
                self._segment(plan, piece)
        return plan

    def _body(self, piece: Piece) -> bytes:
        return self.data[piece.body : piece.end]

    def _is_jfif(self, piece: Piece) -> bool:
        return piece.marker == 0xE0 and self._body(piece).startswith(_JFIF) and piece.end - piece.body >= _JFIF_LENGTH

    def _is_profile(self, piece: Piece) -> bool:
        return piece.marker == 0xE2 and piece.start < self.first_scan and self.data.startswith(_ICC, piece.body)

    # ---- orientation

    def _wanted(self, blocks: Sequence[bytes]) -> bytes | None:
        """The one EXIF body to stand in the output, or None."""
        turn = self.facts.orientation
        block = blocks[0] if len(blocks) == 1 and blocks[0][:6] == exif.PREFIX else b""
        if exif.display_only(block[6:]) and exif.facts(block[6:]).orientation == turn:
            return block
        return exif.orientation_only(turn) if turn != 1 else None

    def _place_exif(self, plan: Plan, piece: Piece) -> None:
        """Put our EXIF block here, right after SOI and JFIF; the input's own segment stays when it is just that."""
        self.exif_done = True
        assert self.wanted is not None
        plan.note("exif.orientation", "APP1", Fate.KEPT)
        if piece.marker == 0xE1 and self._body(piece) == self.wanted:
            self.in_place = piece
        else:
            plan.put(_segment(0xE1, self.wanted))

    def _exif(self, plan: Plan, piece: Piece) -> None:
        if piece is self.in_place:
            plan.keep(piece.start, piece.end)
            return
        where = f"APP1@{piece.start}"
        plan.note("exif.block", where)
        for code in sorted(self.facts.codes):
            plan.note(code, where)

    # ---- segments

    def _segment(self, plan: Plan, piece: Piece) -> None:
        body = self._body(piece)
        where = f"{_label(piece.marker)}@{piece.start}"
        early = piece.start < self.first_scan
        if self._is_jfif(piece) and early and not self.jfif_seen:
            self._jfif(plan, piece, body, where)
        elif piece.marker == 0xEE and body.startswith(_ADOBE) and len(body) >= _ADOBE_LENGTH and early:
            self._adobe(plan, piece, body, where)
        elif piece in self.profile:
            self._icc(plan, piece, where)
        elif piece.marker == 0xE1 and body.startswith(_EXIF):
            self._exif(plan, piece)
        else:
            plan.note(_code(piece.marker, body), where)

    def _jfif(self, plan: Plan, piece: Piece, body: bytes, where: str) -> None:
        self.jfif_seen = True
        if len(body) == _JFIF_LENGTH and body[12:14] == b"\0\0":
            plan.keep(piece.start, piece.end)
            return
        plan.note("jpeg.jfif-thumbnail", where)
        plan.put(_segment(0xE0, body[:12] + b"\0\0"))

    def _adobe(self, plan: Plan, piece: Piece, body: bytes, where: str) -> None:
        """Kept to its defined length: it says how colours are coded."""
        if self.adobe is not None:
            if body[11] != self.adobe:
                raise Malformed("contradicting APP14")
            plan.note("jpeg.adobe-tail", where)
            return
        self.adobe = body[11]
        if len(body) == _ADOBE_LENGTH:
            plan.keep(piece.start, piece.end)
            return
        plan.note("jpeg.adobe-tail", where)
        plan.put(_segment(0xEE, body[:_ADOBE_LENGTH]))

    def _icc(self, plan: Plan, piece: Piece, where: str) -> None:
        """All segments of the profile are handled at the first of them."""
        if piece is not self.profile[0]:
            return
        profile = _assemble([self._body(p) for p in self.profile])
        cleaned = icc.clean(profile) if profile is not None else icc.Cleaned(None, "icc.damaged")
        if cleaned.code:
            plan.note(cleaned.code, where)
        if cleaned.data is None:
            return
        plan.note("icc.profile", where, Fate.KEPT)
        if cleaned.data is profile and self._together():
            for part in self.profile:
                plan.keep(part.start, part.end)
        else:
            plan.out += _split(cleaned.data)

    def _together(self) -> bool:
        """The profile's segments follow one another without anything in between."""
        return all(a.end == b.start for a, b in zip(self.profile, self.profile[1:], strict=False))

    # ---- scans and the end

    def _scan(self, plan: Plan, piece: Piece) -> None:
        cut = self.coding.cuts.get(piece.start, piece.end)
        plan.keep(piece.start, cut)
        if cut != piece.end:
            plan.note("jpeg.scan-tail", f"scan@{cut}")

    def _trailer(self, plan: Plan, end: int) -> None:
        if end == len(self.data):
            return
        plan.note("jpeg.trailer", f"EOI@{end}")
        codes = {code for word, code in _TRAILERS if self.data.find(word, end) >= 0}
        if "jpeg.trailer-image" in codes:
            codes |= self._second_picture()
        for code in sorted(codes):
            plan.note(code, f"EOI@{end}")

    def _second_picture(self) -> set[str]:
        """What the picture behind the first one is: a gain map, or the second of a multi-picture file (CIPA DC-007)."""
        if any(self.data.find(word) >= 0 for word in _GAIN_MAPS):
            return {"jpeg.gain-map"}
        listed = any(piece.marker == 0xE2 and self.data.startswith(b"MPF\0", piece.body) for piece in self.pieces)
        return {"jpeg.second-picture"} if listed else set()


def _exif_facts(blocks: Sequence[bytes], packets: Sequence[bytes]) -> exif.ExifFacts:
    """Facts of the first readable block; further blocks without a TIFF header go on where the one before ended.

    The orientation is that of the first block that has one, else that of XMP.
    """
    tiffs: list[bytes] = []
    for block in blocks:
        tiff = block[6:]
        if tiff[:2] in (b"II", b"MM") or not tiffs:
            tiffs.append(tiff)
        else:
            tiffs[-1] += tiff
    found = [exif.facts(tiff) for tiff in tiffs]
    oriented = next((facts for facts in found if facts.declared), None)
    turn = oriented.orientation if oriented else next((t for packet in packets if (t := orientation.from_xmp(packet))), 1)
    first = next((facts for facts in found if not facts.damaged), found[0] if found else exif.ExifFacts())
    codes = frozenset[str]().union(*(facts.codes for facts in found))
    return replace(first, orientation=turn, codes=codes)


def _assemble(bodies: Sequence[bytes]) -> bytes | None:
    """The ICC profile of these APP2 bodies (ICC.1 B.4), None when their numbering does not fit."""
    parts = {body[12]: body[14:] for body in bodies if len(body) > 14}
    count = len(bodies)
    if len(parts) != count or sorted(parts) != list(range(1, count + 1)) or any(body[13] != count for body in bodies):
        return None
    return b"".join(parts[i] for i in range(1, count + 1))


def _split(profile: bytes) -> list[bytes]:
    step = 0xFFFF - 2 - 14
    parts = [profile[i : i + step] for i in range(0, len(profile), step)]
    return [_segment(0xE2, _ICC + bytes((i, len(parts))) + part) for i, part in enumerate(parts, 1)]


def _segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes((marker,)) + (len(body) + 2).to_bytes(2, "big") + body


def _label(marker: int) -> str:
    if 0xE0 <= marker <= 0xEF:
        return f"APP{marker - 0xE0}"
    return "COM" if marker == segments.COM else f"FF{marker:02X}"


def _code(marker: int, body: bytes) -> str:
    for number, prefix, code in _NAMES:
        if marker == number and body.startswith(prefix):
            return code
    return "jpeg.vendor" if 0xE0 <= marker <= 0xEF else "jpeg.reserved-marker"


JPEG = Jpeg()
