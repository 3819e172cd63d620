"""Words in the tables of a JPEG, which no one who only walks the segments looks at."""

from __future__ import annotations

import pytest

from filters.api import Malformed
from filters.jpeg import segments
from filters.jpeg.scrubber import JPEG
from tests.support.canary_images import photo_jpeg

pytestmark = pytest.mark.unit

PHOTO = photo_jpeg(1, (120, 90))
FIRST = next(piece for piece in segments.walk(PHOTO) if piece.marker == segments.DHT)  # not the thumbnail's


def with_table(symbols: bytes, kind: int, lengths: bytes | None = None) -> bytes:
    """The photograph with one more Huffman table in front of its own, which replaces it before it is used."""
    at = FIRST.start
    counts = lengths if lengths is not None else bytes(7) + bytes((len(symbols),)) + bytes(8)
    body = bytes((kind,)) + counts + symbols
    return PHOTO[:at] + b"\xff\xc4" + (len(body) + 2).to_bytes(2, "big") + body + PHOTO[at:]


@pytest.mark.parametrize(
    "data",
    [
        with_table(b"CANARY-0123456789abcdef", 0x10),
        with_table(b"Jones", 0x00),
        with_table(bytes(range(3)), 0x10, b"\x03" + bytes(15)),
    ],
    ids=["a symbol twice", "no difference category", "more codes than bits allow"],
)
def test_a_huffman_table_that_nobody_can_build_is_refused(data: bytes) -> None:
    """Symptom: a mutated photograph left with its canary, which had slid into a Huffman table.

    Cause: a table's length was checked, not its symbols, so that up to 256 free bytes a table passed as coding.  Analysis: each
    symbol stands once, those of differences are at most 16, and the codes must fit (T.81 C.2); what breaks that is no table.
    """
    with pytest.raises(Malformed, match="Huffman symbols"):
        JPEG.scrub(data)
    assert JPEG.residue(data)


def test_an_ordinary_table_twice_is_taken() -> None:
    """The other side: encoders that write their tables again are read."""
    table = PHOTO[FIRST.start : FIRST.end]
    assert table in JPEG.scrub(PHOTO[: FIRST.end] + table + PHOTO[FIRST.end :]).data
