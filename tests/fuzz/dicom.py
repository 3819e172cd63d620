"""DICOM files and bare data sets."""

from __future__ import annotations

import struct

from filters.api import Cleaning, Fate, FilterError
from filters.dicom.scrubber import DICOM
from tests.support.samples import dicom

_CHOICES = (
    Cleaning(),
    Cleaning(uid_key=b"key", dicom=frozenset((113107,))),
    Cleaning(uid_key=b"key", dicom=frozenset((113105, 113106, 113108, 113109, 113110, 113112))),
)


def seeds() -> list[bytes]:
    """One sample of each encoding: few elements, so that a change of bytes meets them all."""
    ordinary = [
        dicom.picture(transfer, lambda what: what) for transfer in (dicom.EXPLICIT, dicom.IMPLICIT, dicom.BIG, dicom.DEFLATED)
    ]
    coded = [dicom.picture(transfer, lambda what: what) for transfer in (dicom.JPEG, dicom.JPEG_2000)]
    rows, _ = dicom.pixels(dicom.RLE, str)
    frame = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\x07\xc2\x01\0\x05\x80\0"
    last = dicom.element(0x7FE00010, "OB", dicom.fragments([frame]), undefined=True)
    coded.append(dicom.part10(dicom.base(dicom.RLE) | rows, last, dicom.RLE))
    return [*ordinary, *coded, dicom.PICTURES["dicom-report"](lambda what: what), dicom.PICTURES["dicom"](lambda what: what[:4])]


def one(data: bytes) -> None:
    """Scrub raises only FilterError; its output is stable, leaves no residue, can be inspected, and is never another picture."""
    for cleaning in _CHOICES:
        try:
            result = DICOM.scrub(data, cleaning)
        except FilterError:
            assert [finding.fate for finding in DICOM.residue(data, cleaning)] == [Fate.STUCK]
            continue
        before, after = DICOM.inspect(data), DICOM.inspect(result.data)
        assert (before.width, before.height, before.bits, before.frames) == (after.width, after.height, after.bits, after.frames)
        assert DICOM.scrub(result.data, cleaning).data is result.data
        assert DICOM.residue(result.data, cleaning) == ()
