"""Harness for PDF."""

from __future__ import annotations

from functools import cache

from filters.api import Budget, Fate, FilterError, Finding, Member
from filters.budget import Limits
from filters.pdf.opener import PDF
from tests.support.canary_images import photo_jpeg
from tests.support.samples.pdf import CONTAINERS

_LIMITS = Limits(total=64 << 20)


@cache
def seeds() -> tuple[bytes, ...]:
    """Small documents of every shape."""
    jpeg = photo_jpeg(1, (16, 12), gps=False)
    return tuple(
        make(inner, extension, lambda what: f"CANARY-{what}")
        for make in CONTAINERS.values()
        for inner, extension in ((jpeg, "jpg"), (b"PK\x05\x06" + bytes(18), "zip"))
    )


def one(data: bytes) -> None:
    """Only FilterErrors are raised; keys are unique; a rebuilt file opens, has nothing to remove and comes to rest."""
    try:
        seen = list(PDF.open(data, Budget(_LIMITS)))
        keys = [member.key for member in seen if isinstance(member, Member)]
        assert len(keys) == len(set(keys))
        first = PDF.rebuild(data, {}, {}, Budget(_LIMITS))
    except FilterError:
        return
    again = list(PDF.open(first, Budget(_LIMITS)))
    left = {found.code for found in again if isinstance(found, Finding) and found.fate is Fate.REMOVED}
    codes = {found.code for found in (*seen, *again) if isinstance(found, Finding)}
    assert left <= ({"pdf.unreferenced"} if "pdf.repaired" in codes else set())  # objects that only the damage keeps
    if "pdf.encrypted" not in codes:
        second = PDF.rebuild(first, {}, {}, Budget(_LIMITS))  # damaged references take one more turn
        assert PDF.rebuild(second, {}, {}, Budget(_LIMITS)) == second
