"""Icons and cursors: each entry is a bitmap without file header or a whole PNG; nothing stands between or behind them.

The directory keeps sizes, depths and the hotspot of cursors (Windows ICONDIR, ICONDIRENTRY).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from filters.api import Fate, Finding, ImageInfo, Malformed
from filters.bitmaps import dib
from filters.plan import ByPlan, Plan
from filters.png.scrubber import PNG

CODES: Mapping[str, str] = {
    "ico.gap": "Bytes between the pictures of an icon.",
    "ico.reserved": "Header fields that mean nothing to a viewer were not zero.",
    "ico.row-padding": "Bytes in the padding of rows.",
    "ico.stream-tail": "Bytes behind the samples of one picture.",
    "ico.trailer": "Bytes behind the last picture.",
    "ico.unreadable": "The file cannot be read as an icon.",
}
_DIRECTORY, _ENTRY = 6, 16
_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_ENTRIES = 1024


@dataclass(frozen=True, slots=True)
class _Picture:
    """One picture as it will stand in the output, and its facts."""

    data: bytes = field(repr=False)
    info: ImageInfo
    findings: tuple[Finding, ...]


class Ico(ByPlan):
    """The scrubber for icons and cursors."""

    name = "ico"
    unreadable = "ico.unreadable"

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the largest picture; ``codes`` of all.  Raises FilterError."""
        job = _Job(data)
        plan = job.plan()
        largest = max((picture.info for picture in job.pictures.values()), key=lambda info: info.width * info.height)
        codes = plan.codes.union(*(picture.info.codes for picture in job.pictures.values()))
        return ImageInfo(largest.width, largest.height, largest.bits, codes=codes, colours=largest.colours)

    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""
        return _Job(data).plan()


class _Job:
    """One walk through one file."""

    def __init__(self, data: bytes) -> None:
        if data[:4] not in (b"\0\0\1\0", b"\0\0\2\0"):
            raise Malformed("no icon header")
        self.data = data
        count = int.from_bytes(data[4:6], "little")
        self.head = _DIRECTORY + _ENTRY * count
        if not 0 < count <= _MAX_ENTRIES or self.head > len(data):
            raise Malformed("icon directory")
        self.entries = [data[at : at + _ENTRY] for at in range(_DIRECTORY, self.head, _ENTRY)]
        self.spans = sorted({_span(entry) for entry in self.entries})  # two entries may share one picture
        self._check_spans()
        self.pictures = {span: self._picture(*span) for span in self.spans}

    def _check_spans(self) -> None:
        at = self.head
        for start, end in self.spans:
            if start < at or end > len(self.data) or end == start:
                raise Malformed("pictures overlap or lie outside")
            at = end

    def _picture(self, start: int, end: int) -> _Picture:
        content = self.data[start:end]
        if content.startswith(_PNG):
            return self._png(content)
        return _bitmap(content, start)

    def _png(self, content: bytes) -> _Picture:
        done = PNG.scrub(content)
        return _Picture(done.data, PNG.inspect(content), done.findings)

    def plan(self) -> Plan:
        plan, at, places = Plan(), self.head, dict[tuple[int, int], tuple[int, int]]()
        for span in self.spans:
            size = len(self.pictures[span].data)
            places[span] = (at, size)
            at += size
        plan.put(self._directory(plan, places))
        behind = self.head
        for start, end in self.spans:
            if start > behind:
                plan.note("ico.gap", f"ICO@{behind}")
            behind = end
            plan.findings += self.pictures[start, end].findings
            plan.put(self.pictures[start, end].data)
        if behind < len(self.data):
            plan.note("ico.trailer", f"ICO@{behind}")
        if not plan.removed:
            plan.out = [(0, len(self.data))]
        return plan

    def _directory(self, plan: Plan, places: Mapping[tuple[int, int], tuple[int, int]]) -> bytes:
        parts = [self.data[:_DIRECTORY]]
        for entry in self.entries:
            place, size = places[_span(entry)]
            parts.append(entry[:3] + b"\0" + entry[4:8] + size.to_bytes(4, "little") + place.to_bytes(4, "little"))
        if any(entry[3] for entry in self.entries):
            plan.note("ico.reserved", "ICO")
        return b"".join(parts)


def _span(entry: bytes) -> tuple[int, int]:
    size, start = int.from_bytes(entry[8:12], "little"), int.from_bytes(entry[12:16], "little")
    return start, start + size


def _bitmap(content: bytes, place: int) -> _Picture:
    """Header of twice the height, colour table, samples, and a mask of one bit a pixel, which has no say where alpha has one."""
    head = dib.header(content, 0)
    dib.packed_table(head)
    height, odd = divmod(head.height, 2)
    if odd or not height or head.packed:
        raise Malformed("icon bitmap")
    middle, mask_stride = head.end + head.stride * height, (head.width + 31) // 32 * 4
    end = min(len(content), middle + mask_stride * height)
    if len(content) < middle or (head.bits < 32 and len(content) != middle + mask_stride * height):
        raise Malformed("length of an icon's samples and mask")  # the mask counts, and some look for it from the end
    samples, mask = content[head.end : middle], content[middle:end]
    table = content[head.size : head.end]
    parts = (
        dib.neutral(content[: head.size], head),
        table,
        dib.padded(samples, head.stride, head.row),
        dib.padded(mask, mask_stride, (head.width + 7) // 8),
    )
    codes = (
        ("ico.reserved", parts[0] != content[: head.size]),
        ("ico.row-padding", parts[2] is not samples or parts[3] is not mask),
        ("ico.stream-tail", end < len(content)),
    )
    findings = tuple(Finding(code, f"ICO@{place}", Fate.REMOVED) for code, true in codes if true)
    info = ImageInfo(head.width, height, min(head.bits, 8), colours=head.colours if head.bits <= 8 else 0)
    return _Picture(b"".join(parts), info, findings)


ICO = Ico()
