"""TIFF and BigTIFF of every coding that is measured."""

from __future__ import annotations

from filters.api import Fate, FilterError
from filters.sniff import sniff
from filters.tiff.scrubber import TIFF
from tests.support.samples import tiff


def seeds() -> list[bytes]:
    """One small sample of each variant."""
    return [build(lambda what: "c" * 9) for build in (*tiff.PICTURES.values(), *tiff.CLEAN.values())]


def one(data: bytes) -> None:
    """scrub raises only FilterError, is idempotent, leaves no residue, and never grows the samples."""
    sniff(data)
    try:
        cleaned = TIFF.scrub(data).data
    except FilterError:
        assert [finding.fate for finding in TIFF.residue(data)] == [Fate.STUCK]
        return
    TIFF.inspect(data)
    assert TIFF.residue(cleaned) == ()
    assert TIFF.scrub(cleaned).data is cleaned
    assert len(cleaned) <= 2 * len(data) + 64
