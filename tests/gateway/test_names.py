"""Names that we give to pictures: traceable for the sender's organisation, telling nobody else anything."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.registry import SCRUBBERS
from gateway.finishing.names import neutral_name

pytestmark = pytest.mark.unit

HASHES = st.binary(min_size=16, max_size=16).map(bytes.hex)


@given(HASHES, st.integers(1, 99), st.integers(1, 99), st.sampled_from(sorted(SCRUBBERS)))
def test_a_name_is_short_plain_and_has_no_letter_that_is_misread(message: str, number: int, count: int, kind: str) -> None:
    """Read out on the telephone: no O, 0, I, 1, L or U in the reference; safe on every file system and in every header."""
    name = neutral_name(message, number, count, kind)
    assert re.fullmatch(rf"img-[2-9A-HJKMNP-TV-Z]{{4}}-[2-9A-HJKMNP-TV-Z]{{4}}-{number}of{count}\.[a-z0-9]+", name)


@given(HASHES, HASHES)
def test_the_same_message_gives_the_same_reference_and_another_one_another(one: str, other: str) -> None:
    assert neutral_name(one, 1, 2, "jpeg") == neutral_name(one, 1, 2, "jpeg")
    assert neutral_name(one, 1, 2, "jpeg") != neutral_name(one, 2, 2, "jpeg")
    if one[-8:] != other[-8:]:
        assert (neutral_name(one, 1, 1, "png") == neutral_name(other, 1, 1, "png")) == (
            int(one, 16) % 30**8 == int(other, 16) % 30**8
        )


def test_the_ending_is_the_one_programs_know() -> None:
    assert neutral_name("0" * 32, 1, 1, "jpeg").endswith("-1of1.jpg")
    assert neutral_name("0" * 32, 1, 1, "png").endswith("-1of1.png")
