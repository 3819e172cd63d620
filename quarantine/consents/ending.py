"""The reason code of a hold that a patient's no has ended, and what its sender is told."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

SAID_NO: Final = "patient.said-no"  # with the day of the entry behind it
_REASON: Final = re.compile(rf"{re.escape(SAID_NO)}\.(\d{{4}}-\d\d-\d\d)")
_WORDS: Final = "The patient has said no, or has taken back their agreement."


def reason(since: float) -> str:
    """The reason code of a hold that ends so."""
    return f"{SAID_NO}.{datetime.fromtimestamp(since, UTC).date().isoformat()}"


def said(code: str) -> str:
    """What its sender is told; "" for any other reason."""
    match = _REASON.fullmatch(code)
    if match is None:
        return ""
    day = date.fromisoformat(match[1])
    return f"{_WORDS} They said so on {day.day} {day:%B %Y}."
