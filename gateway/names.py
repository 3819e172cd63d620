"""Neutral, traceable attachment names: no patient, no date, a reference the sending organisation can resolve (S4-10, S4-11)."""

from __future__ import annotations

from gateway.ids import reference

EXTENSIONS = {"jpeg": "jpg"}


def neutral_name(message: str, number: int, count: int, image_format: str) -> str:
    """``img-7QK3-9F2M-1of3.jpg``; ``message`` is the keyed hash (hex) of the message."""
    return f"img-{reference(message)}-{number}of{count}.{EXTENSIONS.get(image_format, image_format)}"
