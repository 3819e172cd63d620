"""Harness for what pictures are recognised by."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image

from filters.api import FilterError
from filters.likeness import likeness
from quarantine.ledger.alignment import aligned
from quarantine.ledger.fingerprint import NotAFingerprint, apart, read
from tests.support.wounds import golden

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000")


@cache
def seeds() -> tuple[bytes, ...]:
    """One small picture in every format that is decoded, and a fingerprint."""
    picture = Image.open(io.BytesIO(golden())).resize((120, 90))
    made = []
    for form in FORMATS:
        file = io.BytesIO()
        picture.save(file, form)
        made.append(file.getvalue())
    return (*made, likeness(golden()))


def one(data: bytes) -> None:
    """likeness raises only FilterError and makes a fingerprint; what read does not refuse can be compared."""
    try:
        assert len(read(likeness(data)).signs) == 16
    except FilterError:
        pass
    try:
        found = read(data)
    except NotAFingerprint:
        return
    known = read(seeds()[-1])
    assert 0 <= apart(found, known) <= 1
    assert aligned([found], known) >= 0
