"""Does a picture or document begin somewhere inside other bytes?"""

from __future__ import annotations

from filters.plaintext.hidden import MOST
from filters.sniffing.jpegstart import has_codestream, has_jpeg
from filters.sniffing.signatures import EMBEDDED


def carries(data: bytes) -> bool:
    """A picture's or document's own signature stands somewhere in the data."""
    return any(data.find(word) >= 0 for word in EMBEDDED) or has_jpeg(data, MOST) or has_codestream(data)
