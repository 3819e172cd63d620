"""What stands in an archive beside its members, and whether it could be a picture."""

from __future__ import annotations

from filters.sniffing.inside import carries
from filters.text import embedded


def worth(data: bytes) -> bool:
    """The same, or a text that hides one: a program that goes by a file's name may show a page that stands behind an archive."""
    return data.count(0) != len(data) and (carries(data) or any(one.opaque for one in embedded(data, html=False)))
