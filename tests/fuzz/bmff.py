"""HEIC, AVIF, MP4, QuickTime: still pictures, films, fragments, sound."""

from __future__ import annotations

from filters.api import Fate, FilterError
from filters.bmff.scrubber import MP4
from filters.bmff.silence import silent
from tests.support.samples import bmff


def seeds() -> list[bytes]:
    """Every sample, as it is and cleaned."""
    built = [make(lambda what: "c-" + what.replace(" ", "-")) for make in bmff.PICTURES.values()]
    return built + [MP4.scrub(data).data for data in built]


def one(data: bytes) -> None:
    """Scrub raises only FilterError, leaves no residue, and changes nothing a second time; all names share one scrubber."""
    silent(data)
    try:
        cleaned = MP4.scrub(data).data
    except FilterError:
        assert [finding.fate for finding in MP4.residue(data)] == [Fate.STUCK]
        return
    MP4.inspect(data)
    assert MP4.residue(cleaned) == ()
    assert MP4.scrub(cleaned).data is cleaned
