"""What stands in an archive beside its members, and whether it could be a picture."""

from __future__ import annotations

from filters.hidden import MOST
from filters.jpegstart import has_jpeg
from filters.signatures import EMBEDDED


def carries(data: bytes) -> bool:
    """A picture's or document's own signature stands somewhere in the data."""
    return any(data.find(word) >= 0 for word in EMBEDDED) or has_jpeg(data, MOST)
