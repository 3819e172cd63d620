"""Spans of time as people write them in a configuration: ``30m``, ``4h``, ``2d``, or a number of seconds."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def seconds(value: object) -> object:
    """Seconds of a span; anything that is not a span in words is left to the validation that follows."""
    if isinstance(value, str):
        match = _SPAN.fullmatch(value.strip())
        if match is None:
            raise ValueError("write a span as 30s, 15m, 4h or 2d")
        return float(match[1]) * _UNITS[match[2]]
    return value


Span = Annotated[float, BeforeValidator(seconds)]
