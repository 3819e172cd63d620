"""What the coding segments of a JPEG say (ITU T.81 B.2): size, components, scans.  Lengths must fit exactly, as libjpeg asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from filters.api import Malformed, TooBig, Unsupported
from filters.jpeg.segments import DAC, DHP, DHT, DNL, DQT, DRI, EXP, JPEG_LS, SOF, SOS, Kind, Piece
from filters.jpeg.tail import ends_in_words

MAX_PIXELS = 200_000_000
_SEQUENTIAL = frozenset((0xC0, 0xC1, 0xC3, 0xC9, 0xCB))  # each component has exactly one scan
_LOSSLESS = frozenset((0xC3, 0xC7, 0xCB, 0xCF))
_DC_MOST = 16  # the largest difference category, in lossless frames (H.1.2.2)
CODING = SOF | {DHT, DAC, DQT, DRI, DNL, DHP, EXP, SOS}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame header.  ``components`` maps a component's id to its sampling factors (H, V)."""

    marker: int
    bits: int
    width: int
    height: int
    components: dict[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Coding:
    """What all coding segments together say: the frame, and the ends of scans whose restart intervals run over."""

    frame: Frame
    cuts: dict[int, int]  # start of a scan -> offset where its displayed data ends


def read(data: bytes, pieces: Sequence[Piece]) -> Coding:
    """Check the coding segments and read the frame.  Raises Malformed, TooBig, Unsupported."""
    return _Reader(data).read(pieces)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.frame: Frame | None = None
        self.hierarchical: Frame | None = None
        self.interval = 0
        self.scans = 0
        self.seen: set[int] = set()
        self.scan: list[tuple[int, int]] = []
        self.cuts: dict[int, int] = {}

    def read(self, pieces: Sequence[Piece]) -> Coding:
        for piece in pieces:
            if piece.kind is Kind.SCAN:
                self._scan(piece)
            elif piece.kind is Kind.GAP and piece.marker and self.scans:
                raise Malformed("restart marker outside a scan")
            elif piece.kind is Kind.SEGMENT:
                self._segment(piece.marker, self.data[piece.body : piece.end] if piece.marker in CODING else b"")
        if self.frame is None or not self.scans:
            raise Malformed("no frame or no scan")
        frame = self.hierarchical or self.frame
        if not frame.height:
            raise Malformed("height 0")
        if frame.width * frame.height > MAX_PIXELS:
            raise TooBig("more than 200 megapixels")
        return Coding(frame, self.cuts)

    def _segment(self, marker: int, body: bytes) -> None:
        if marker in JPEG_LS and self.frame is None:
            raise Unsupported("jpeg-ls")
        if marker == 0xC8:
            raise Unsupported("jpeg extension")
        if marker in SOF or marker == DHP:
            self._frame(marker, body)
        elif marker == SOS:
            self._header(body)
        elif marker == DRI:
            if len(body) != 2:
                raise Malformed("DRI length")
            self.interval = int.from_bytes(body, "big")
        elif marker == DNL:
            self._lines(body)
        elif marker in _CHECKS:
            _CHECKS[marker](body)

    def _frame(self, marker: int, body: bytes) -> None:
        if len(body) < 6 or len(body) != 6 + 3 * body[5] or not body[5]:
            raise Malformed("frame header length")
        height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        components = {body[i]: (body[i + 1] >> 4, body[i + 1] & 15) for i in range(6, len(body), 3)}
        if len(components) != body[5] or not width or not 2 <= body[0] <= 16:
            raise Malformed("frame header values")
        if any(not 1 <= h <= 4 or not 1 <= v <= 4 for h, v in components.values()):
            raise Malformed("sampling factors")
        frame = Frame(marker, body[0], width, height, components)
        if marker == DHP:
            if self.hierarchical or self.frame:
                raise Malformed("second DHP")
            self.hierarchical = frame
            return
        if self.frame and not self.hierarchical:
            raise Malformed("second frame")
        self.frame, self.seen = frame, set()

    def _lines(self, body: bytes) -> None:
        """DNL (B.2.5) gives the height after the first scan when the frame header left it 0."""
        frame = self.frame
        if len(body) != 2 or frame is None or self.scans != 1:
            raise Malformed("DNL")
        lines = int.from_bytes(body, "big")
        if frame.height not in (0, lines):
            raise Malformed("DNL contradicts the frame")
        self.frame = Frame(frame.marker, frame.bits, frame.width, lines, frame.components)

    def _header(self, body: bytes) -> None:
        if self.frame is None:
            raise Malformed("scan before frame")
        if len(body) < 4 or len(body) != 4 + 2 * body[0] or not 1 <= body[0] <= 4:
            raise Malformed("scan header length")
        ids = list(body[1 : 1 + 2 * body[0] : 2])
        if len(set(ids)) != len(ids) or any(i not in self.frame.components for i in ids):
            raise Malformed("scan of an unknown component")
        if self.frame.marker in _SEQUENTIAL:
            # A second scan of the same component is shown by some programs and ignored by others.
            if self.seen.intersection(ids):
                raise Malformed("component scanned twice")
            self.seen.update(ids)
        self.scan = [self.frame.components[i] for i in ids]
        self.scans += 1

    def _scan(self, piece: Piece) -> None:
        if piece.end == piece.start:
            raise Malformed("empty scan")
        if ends_in_words(self.data, piece.start, piece.end):
            raise Malformed("words behind the coded data")
        if not self.interval:
            if piece.restarts:
                raise Malformed("restart marker without interval")
            return
        if self.frame is None or not self.frame.height or self.hierarchical:
            return  # the number of lines is not known yet
        allowed = -(-self._units(self.frame) // self.interval) - 1
        numbers = bytes(self.data[at + 1] & 7 for at in piece.restarts[:allowed])
        if numbers != bytes(i % 8 for i in range(allowed)):
            raise Malformed("restart intervals missing")  # decoders resynchronise each in its own way
        if len(piece.restarts) > allowed and piece.restarts[allowed] + 2 < piece.end:
            # Decoders stop after the last unit: what stands behind one more restart marker is never shown.
            self.cuts[piece.start] = piece.restarts[allowed]

    def _units(self, frame: Frame) -> int:
        """Number of MCUs in the current scan (A.2)."""
        unit = 1 if frame.marker in _LOSSLESS else 8
        most_h = max(h for h, _ in frame.components.values())
        most_v = max(v for _, v in frame.components.values())
        if len(self.scan) > 1:
            return -(-frame.width // (unit * most_h)) * -(-frame.height // (unit * most_v))
        h, v = self.scan[0]
        columns, rows = -(-frame.width * h // most_h), -(-frame.height * v // most_v)
        return -(-columns // unit) * -(-rows // unit)


def _quantisation(body: bytes) -> None:
    at = 0
    while at < len(body):
        if body[at] >> 4 > 1 or body[at] & 15 > 3:
            raise Malformed("quantisation table")
        at += 1 + 64 * (1 + (body[at] >> 4))
    if at != len(body) or not body:
        raise Malformed("quantisation table length")


def _huffman(body: bytes) -> None:
    """Every table must be one that a decoder can build (T.81 C.2): anything else is room for words."""
    at = 0
    while at + 17 <= len(body):
        lengths = body[at + 1 : at + 17]
        count = sum(lengths)
        if body[at] & 0xEC or count > 256:
            raise Malformed("Huffman table")
        symbols = body[at + 17 : at + 17 + count]
        if len(set(symbols)) != len(symbols) or sum(number << 15 - at_bit for at_bit, number in enumerate(lengths)) > 1 << 16:
            raise Malformed("Huffman symbols")
        if not body[at] & 0x10 and any(symbol > _DC_MOST for symbol in symbols):
            raise Malformed("Huffman symbols")
        at += 17 + count
    if at != len(body) or not body:
        raise Malformed("Huffman table length")


def _arithmetic(body: bytes) -> None:
    if not body or len(body) % 2:
        raise Malformed("arithmetic table length")


def _expand(body: bytes) -> None:
    if len(body) != 1:
        raise Malformed("EXP length")


_CHECKS = {DQT: _quantisation, DHT: _huffman, DAC: _arithmetic, EXP: _expand}
