"""What every test of TIFF needs: a small file with any tag, and a scrub whose promises are checked."""

from __future__ import annotations

from filters.api import Fate, Scrubbed
from filters.tiff.scrubber import TIFF
from tests.support.samples.tiff import Builder, Page, Value, fields, photo


def canary(what: str) -> str:
    """A word that stands nowhere else."""
    return f"CANARY-{what}-7QK3"


def scrub(data: bytes) -> Scrubbed:
    """Scrubbed, with what every result promises checked."""
    result = TIFF.scrub(data)
    assert TIFF.residue(result.data) == ()
    assert TIFF.scrub(result.data).data is result.data
    return result


def codes(data: bytes) -> set[str]:
    """Codes of what was removed."""
    return {finding.code for finding in TIFF.scrub(data).findings if finding.fate is Fate.REMOVED}


def plain(extra: dict[int, tuple[int, Value]] | None = None, order: str = "<", big: bool = False) -> bytes:
    """One page with these tags besides those that display needs."""
    return Builder(order, big).file([Page(fields() | (extra or {}), (photo().tobytes(),))])
