"""PBM, PGM, PPM and PAM (Netpbm): the samples stay, comments and what stands behind the first picture go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from filters import page
from filters.api import ImageInfo, Malformed, TooBig, Unsupported
from filters.plan import ByPlan, Plan

MAX_PIXELS = 200_000_000
_MAX_HEADER = 1 << 16
CODES: Mapping[str, str] = {
    "pnm.comment": "A comment, or an unknown field, in the header.",
    "pnm.trailer": "Bytes, or a further picture, behind the first picture.",
    "pnm.unreadable": "The file cannot be read as a Netpbm picture.",
}
# White space between the numbers of a header may hold comments; one white-space character ends it.
_GAP = rb"(?:[ \t\r\n]|(?<=[ \t\r\n])#[^\r\n]*[\r\n])+"
_NUMBER = rb"([0-9]{1,9})"
_BITMAP = re.compile(rb"P4" + _GAP + _NUMBER + _GAP + _NUMBER + rb"[ \t\r\n]")
_GREYMAP = re.compile(rb"P[56]" + _GAP + _NUMBER + _GAP + _NUMBER + _GAP + _NUMBER + rb"[ \t\r\n]")
_PAM = re.compile(rb"P7\n((?:[^\n]{0,200}\n){1,200}?)ENDHDR\n")
_KINDS = frozenset((b"BLACKANDWHITE", b"GRAYSCALE", b"RGB", b"BLACKANDWHITE_ALPHA", b"GRAYSCALE_ALPHA", b"RGB_ALPHA"))
_FIELDS = (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")


@dataclass(frozen=True, slots=True)
class _Header:
    """``end``: where the samples begin; ``clean``: the header without comments, None when it has none."""

    width: int
    height: int
    depth: int
    most: int
    end: int
    clean: bytes | None

    @property
    def size(self) -> int:
        """Bytes of the samples; bitmaps (``most`` 0) have eight in a byte."""
        if not self.most:
            return (self.width + 7) // 8 * self.height
        return self.width * self.height * self.depth * (2 if self.most > 255 else 1)


class Pnm(ByPlan):
    """The scrubber for binary Netpbm pictures."""

    name = "pnm"
    unreadable = "pnm.unreadable"

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the picture.  Raises FilterError."""
        head = _header(data)
        bits = max(1, head.most.bit_length())
        return page.marked(ImageInfo(head.width, head.height, bits, codes=_plan(data).codes, colours=2 if bits == 1 else 0))

    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""
        return _plan(data)


def _plan(data: bytes) -> Plan:
    head, plan = _header(data), Plan()
    end = head.end + head.size
    if end > len(data):
        raise Malformed("truncated samples")
    if head.clean is None:
        plan.keep(0, head.end)
    else:
        plan.note("pnm.comment", "header")
        plan.put(head.clean)
    plan.keep(head.end, end)
    if end < len(data):
        plan.note("pnm.trailer", f"PNM@{end}")
    return plan


def _header(data: bytes) -> _Header:
    """Raises Malformed, TooBig, Unsupported."""
    magic = data[:2]
    if magic == b"P7":
        head = _pam(data[:_MAX_HEADER])
    elif magic in (b"P4", b"P5", b"P6"):
        head = _numbers(magic, data[:_MAX_HEADER])
    else:
        raise Unsupported("pnm: text or floating point")
    if not head.width or not head.height or not 0 <= head.most <= 65535 or not 1 <= head.depth <= 4:
        raise Malformed("header values")
    if head.width * head.height > MAX_PIXELS:
        raise TooBig("more than 200 megapixels")
    return head


def _numbers(magic: bytes, data: bytes) -> _Header:
    found = (_BITMAP if magic == b"P4" else _GREYMAP).match(data)
    if found is None:
        raise Malformed("header")
    width, height, *rest = (int(number) for number in found.groups())
    if rest == [0]:
        raise Malformed("header values")
    told = b" ".join(found.groups()[:2]) + (b"\n" + found[3] if rest else b"")
    clean = magic + b"\n" + told + b"\n" if b"#" in found[0] else None
    return _Header(width, height, 3 if magic == b"P6" else 1, rest[0] if rest else 0, found.end(), clean)


def _pam(data: bytes) -> _Header:
    found = _PAM.match(data)
    lines = found[1].splitlines() if found else []
    fields = dict(line.split(None, 1) for line in lines if len(line.split(None, 1)) == 2)
    kind = fields.get(b"TUPLTYPE", b"").strip()
    if found is None or any(not fields.get(name, b"").strip().isdigit() for name in _FIELDS):
        raise Malformed("header")
    if sum(line.startswith((*_FIELDS, b"TUPLTYPE")) for line in lines) != len(_FIELDS) + (b"TUPLTYPE" in fields):
        raise Malformed("a field twice")
    values = [int(fields[name].strip()[:10]) for name in _FIELDS]
    told = b"".join(b"%s %d\n" % row for row in zip(_FIELDS, values, strict=True))
    clean = b"P7\n" + told + (b"TUPLTYPE " + kind + b"\n" if kind in _KINDS else b"") + b"ENDHDR\n"
    if not values[3]:
        raise Malformed("header values")
    return _Header(values[0], values[1], values[2], values[3], found.end(), None if clean == found[0] else clean)


PNM = Pnm()
