"""Base64 is decoded and encoded in blocks for speed; what comes out, and what is refused, is as if it were done at once."""

from __future__ import annotations

import base64
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mime import decode as mimedecode
from gateway.mime import splice
from gateway.mime.part import Undecodable

pytestmark = pytest.mark.unit

LINES = 70  # a few more than it takes to go by blocks
OCTETS = 57


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> Iterator[None]:
    """Blocks of three lines, so that every boundary is met."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mimedecode, "_ROWS", 3)
        patch.setattr(splice, "_ROWS", 3)
        yield


def verdict(wire: bytes) -> bytes | str:
    """The decoded body, or the code for which there is none."""
    try:
        return mimedecode.decode_base64(wire, (0, len(wire)))
    except Undecodable as error:
        return error.code


def at_once(wire: bytes) -> bytes | str:
    """The same by the way that knows no blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mimedecode, "_FEW", 10**9)
        return verdict(wire)


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 55, 56, 57, 58, 169, 170, 171, 172, 173, 340, 342, 343, 1000])
def test_encoded_as_the_standard_library_does(size: int, newline: bytes) -> None:
    """Whatever the size is to lines and blocks; without the very last line end."""
    data = bytes(number % 251 for number in range(size))
    wanted = base64.encodebytes(data).replace(b"\n", newline).removesuffix(newline)
    assert splice.encode_base64(data, newline) == wanted


@pytest.mark.parametrize("size", range(LINES * OCTETS - 3, LINES * OCTETS + 4))
def test_what_was_encoded_is_decoded(size: int) -> None:
    """Any remainder at the end, with and without a line end behind it."""
    data = bytes(number % 251 for number in range(size))
    for end in (b"", b"\r\n", b"\r\n\r\n"):
        wire = splice.encode_base64(data) + end
        assert verdict(wire) == data == at_once(wire)


DAMAGE = st.sampled_from([b"=", b"==", b" ", b"-", b"\r", b"\n", b"\r\n", b"\0", b"A", b"AAAA", b""])


@given(st.integers(0, LINES * 78), st.integers(0, 4), DAMAGE)
def test_damage_is_judged_alike_wherever_it_stands(at: int, gone: int, put: bytes) -> None:
    """Padding, blanks, odd line ends or missing characters in any line, also at the ends of blocks: one verdict."""
    wire = splice.encode_base64(bytes(number % 251 for number in range(LINES * OCTETS + 20))) + b"\r\n"
    damaged = wire[:at] + put + wire[at + gone :]
    assert verdict(damaged) == at_once(damaged)


def test_padding_at_the_end_of_a_block_is_padding_inside() -> None:
    """A decoder that stops there would show another file: not one of the blocks may end the body."""
    lines = splice.encode_base64(bytes(LINES * OCTETS)).split(b"\r\n")
    for row in (2, 3, LINES - 2):
        wire = b"\r\n".join([*lines[:row], lines[row][:-2] + b"==", *lines[row + 1 :]])
        assert verdict(wire) == "mime.b64-padding-inside"


def test_encoding_needs_little_more_than_its_result() -> None:
    """The pieces and the whole, and nothing else of that size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splice, "_ROWS", 8192)
        data = bytes(8_000_000)
        tracemalloc.start()
        encoded = splice.encode_base64(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2.3 * len(encoded)
