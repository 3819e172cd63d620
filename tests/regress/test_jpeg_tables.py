"""Words in the tables of a JPEG, which no one who only walks the segments looks at."""

from __future__ import annotations

import pytest

from filters.api import Malformed
from filters.jpeg import JPEG
from tests.support.canary_images import photo_jpeg

pytestmark = pytest.mark.unit

PHOTO = photo_jpeg(1, (120, 90))


def with_table(symbols: bytes, kind: int, lengths: bytes | None = None) -> bytes:
    """The photograph with one more Huffman table in front of its own, which replaces it before it is used."""
    at = PHOTO.index(b"\xff\xc4")
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
    with pytest.raises(Malformed):
        JPEG.scrub(data)
    assert JPEG.residue(data)


def test_an_ordinary_table_twice_is_taken() -> None:
    """The other side: encoders that write their tables again are read."""
    at = PHOTO.index(b"\xff\xc4")
    table = PHOTO[at : at + 2 + int.from_bytes(PHOTO[at + 2 : at + 4], "big")]
    assert JPEG.scrub(PHOTO[:at] + table + PHOTO[at:]).data
