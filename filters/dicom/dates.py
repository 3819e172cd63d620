"""Dates moved by a secret number of whole days, and the seal that says they were (PS3.15 E.3.6)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)(.*)", re.S)
_MOST_DAYS = 3650
DUMMIES = {"DA": "19000101", "DT": "19000101", "TM": "000000"}


def days(patient: str, key: bytes) -> int:
    """How far the dates of one patient move into the past: 1 to 3650 days, always the same under one key."""
    told = hmac.new(key, b"clinigate dicom days" + patient.encode("latin-1", "replace"), hashlib.sha256).digest()
    return 1 + int.from_bytes(told[:4], "big") % _MOST_DAYS


def shift(vr: str, value: str, back: int) -> str:
    """The date or date and time, ``back`` days earlier; times of day stay; what cannot be read becomes a dummy."""
    if vr == "TM" or not value or not back:
        return value
    found = _DATE.fullmatch(value)
    if found is None:
        return DUMMIES[vr]
    try:
        moved = date(int(found[1]), int(found[2]), int(found[3])) - timedelta(back)
    except (ValueError, OverflowError):
        return DUMMIES[vr]
    return f"{moved:%Y%m%d}".zfill(8) + found[4]


def seal(values: Sequence[str], key: bytes) -> str:
    """A mark over all dates of a file: a second cleaning sees by it that they were moved already."""
    told = "|".join(values).encode("latin-1", "replace")
    return hmac.new(key, b"clinigate dicom dates" + told, hashlib.sha256).hexdigest()[:16]
