"""What stands in an archive beside its members, and whether it could be a picture."""

from __future__ import annotations

from filters.plaintext.hidden import MOST
from filters.sniffing.jpegstart import has_jpeg
from filters.sniffing.signatures import EMBEDDED
from filters.text import embedded


def carries(data: bytes) -> bool:
    """A picture's or document's own signature stands somewhere in the data."""
    return any(data.find(word) >= 0 for word in EMBEDDED) or has_jpeg(data, MOST)


def worth(data: bytes) -> bool:
    """The same, or a text that hides one: a program that goes by a file's name may show a page that stands behind an archive."""
    return data.count(0) != len(data) and (carries(data) or any(one.opaque for one in embedded(data, html=False)))
