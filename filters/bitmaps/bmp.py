"""BMP, and bitmaps without a file header ("dib"): header, colour table and samples stay; gaps, paths, tails go (Windows GDI)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from filters import page
from filters.api import Fate, Finding, ImageInfo, Malformed, Unsupported
from filters.bitmaps import dib
from filters.metadata import icc
from filters.plan import ByPlan, Plan

CODES: Mapping[str, str] = {
    "bmp.gap": "Bytes between the header and the samples.",
    "bmp.linked-profile": "The path of a colour profile on somebody's computer.",
    "bmp.palette-tail": "Colours that no sample can point to.",
    "bmp.reserved": "Header fields that mean nothing to a viewer were not zero.",
    "bmp.row-padding": "Bytes in the padding of rows.",
    "bmp.trailer": "Bytes behind the end of the picture.",
    "bmp.unreadable": "The file cannot be read as a bitmap.",
}
_FILE_HEADER = 14


class Bmp(ByPlan):
    """The scrubber for Windows and OS/2 bitmaps."""

    unreadable = "bmp.unreadable"

    def __init__(self, name: str, start: int) -> None:
        self.name = name
        self._start = start  # of the bitmap's header

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the picture.  Raises FilterError."""
        job = _Job(data, self._start)
        head, codes = job.head, job.plan().codes
        bits = {64: 16, 16: 5}.get(head.bits, min(head.bits, 8))
        info = ImageInfo(width=head.width, height=head.height, bits=bits, codes=codes, colours=job.colours())
        return page.marked(info)

    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""
        return _Job(data, self._start).plan()


@dataclass(frozen=True, slots=True)
class _Profile:
    """The embedded profile as it will stand in the output."""

    start: int
    end: int
    data: bytes
    original: bool


class _Job:
    """One walk through one file."""

    def __init__(self, data: bytes, start: int) -> None:
        self.data, self.start = data, start
        if start and data[:2] != b"BM":
            raise Unsupported("bmp: array of bitmaps") if data[:2] == b"BA" else Malformed("no BM")
        if len(data) < start + dib.CORE:
            raise Malformed("truncated header")
        self.head = dib.header(data, start)
        self.samples = self._samples()
        self.end = dib.samples_end(data, self.samples, self.head)
        # A table that runs into the samples is cut off by where they begin, as every decoder reads it.
        self.table_end = min(start + self.head.end, self.samples)
        self.findings: list[Finding] = []
        self.profile = self._profile()

    def _samples(self) -> int:
        """Where the samples begin."""
        least = self.start + self.head.size + self.head.masks
        if not self.start:
            dib.packed_table(self.head)
            return self.head.end
        told = int.from_bytes(self.data[10:14], "little")
        if not told or (told == least and self.head.bits <= 8):  # writers that forget the colour table; decoders do not
            return self.start + self.head.end
        if told < least:
            raise Malformed("samples inside the header")
        return told

    def colours(self) -> int:
        """Entries of the colour table that samples can point to, else 0."""
        return self.head.colours if self.head.bits <= 8 else 0

    def _note(self, code: str, at: int, fate: Fate = Fate.REMOVED) -> None:
        self.findings.append(Finding(code, f"BMP@{at}", fate))

    def _profile(self) -> _Profile | None:
        space, offset, size = dib.space(self.data, self.start, self.head)
        at = self.start + offset
        if space == dib.LINKED:
            self._note("bmp.linked-profile", at)
        if space != dib.EMBEDDED:
            return None
        body = self.data[at : at + size]
        cleaned = icc.clean(body) if at >= self.table_end else icc.Cleaned(None, "icc.damaged")
        if cleaned.code:
            self._note(cleaned.code, at)
        if cleaned.data is None:
            return None
        self._note("icc.profile", at, Fate.KEPT)
        return _Profile(at, at + len(body), cleaned.data, cleaned.data is body)

    # ---- the output

    def plan(self) -> Plan:
        """Header, table, samples, profile, one behind the other."""
        table = self._table()
        samples = self.data[self.samples : self.end]
        cleaned = samples if self.head.packed else dib.padded(samples, self.head.stride, self.head.row)
        behind = self.start + len(table) + self.head.size + self.head.masks + len(cleaned)
        place = (behind - self.start, len(self.profile.data)) if self.profile else (0, 0)
        header = self.data[self.start : self.start + self.head.size]
        plan = Plan(findings=self.findings)
        neutral = dib.neutral(header, self.head, self._as_it_is() or place)
        if self._unchanged(table, cleaned is samples, neutral == header):
            plan.keep(0, len(self.data))
            return plan
        neutral = dib.neutral(header, self.head, place)
        masks = self.data[self.start + self.head.size : self.start + self.head.size + self.head.masks]
        tail = self.profile.data if self.profile else b""
        plan.put(self._file_header(behind - len(cleaned), behind + len(tail)) + neutral + masks + table)
        plan.put(cleaned)
        plan.put(tail)
        return plan

    def _table(self) -> bytes:
        at = self.start + self.head.size + self.head.masks
        if self.head.bits > 8:
            return b""
        return self.data[at : self.table_end]

    def _as_it_is(self) -> tuple[int, int] | None:
        """The profile where it stands, when it may stay there: right behind the samples, in front of nothing."""
        there = self.profile
        if there is None or not there.original or there.start - self.end not in range(4) or there.end != len(self.data):
            return None
        return None if any(self.data[self.end : there.start]) else (there.start - self.start, len(there.data))

    def _unchanged(self, table: bytes, padding: bool, header: bool) -> bool:
        """Note what has to change; True when nothing has."""
        before = len(self.findings)
        behind = self.start + self.head.size + self.head.masks + len(table)
        if self.head.told > self.head.colours or (self.head.bits > 8 and self.head.told):
            self._note("bmp.palette-tail", behind)
        elif self.samples > behind or (self.start and int.from_bytes(self.data[10:14], "little") != self.samples):
            self._note("bmp.gap", behind)
        if not padding:
            self._note("bmp.row-padding", self.samples)
        if not header or (self.start and any(self.data[6:10])):
            self._note("bmp.reserved", 0)
        if self.end < len(self.data) and self._as_it_is() is None:
            self._note("bmp.trailer", self.end)
        return len(self.findings) == before and all(finding.fate is Fate.KEPT for finding in self.findings)

    def _file_header(self, samples: int, size: int) -> bytes:
        return struct.pack("<2sIII", b"BM", size, 0, samples) if self.start else b""


BMP, DIB = Bmp("bmp", _FILE_HEADER), Bmp("dib", 0)
