"""Compound files: what olefile reads of them, drawing records, packages and Outlook messages in them."""

from __future__ import annotations

from filters.api import Budget, FilterError, Member
from filters.budget import Limits
from filters.compound.ole import OLE
from tests.support.samples import ole

_TINY = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(64))
_LIMITS = Limits(members=500, total=16 << 20)


def seeds() -> list[bytes]:
    """One small file of each variant, and one with drawing records in each stream that may have them."""
    made = [make(_TINY, "jpg", lambda what: "c-" + what) for make in ole.CONTAINERS.values()]
    records = ole.blip(0xF01D, 0x46A, _TINY) + ole.blip(0xF01E, 0x6E0, _TINY)
    return [*made, ole.compound({"Pictures": records, "Data": records, "Workbook": records, "WordDocument": records})]


def one(data: bytes) -> None:
    """Only FilterError is raised; the same members come out each time, and none is larger than the limits say."""
    for opener in (OLE["ole"], OLE["xls"]):
        try:
            first = [seen.data for seen in opener.open(data, Budget(_LIMITS)) if isinstance(seen, Member)]
        except FilterError:
            continue
        assert sum(map(len, first)) <= 2 * _LIMITS.total
        assert first == [seen.data for seen in opener.open(data, Budget(_LIMITS)) if isinstance(seen, Member)]
