"""Spacers, tracking pixels and icons are the GIFs of ordinary mail; anything more is not decided here."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image

from filters.decorative import unopened
from filters.gif import plain_size

pytestmark = pytest.mark.unit

PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


def gif(width: int, height: int, frames: int = 1, **options: object) -> bytes:
    pictures = [Image.new("P", (width, height), color) for color in range(1, frames + 1)]
    out = io.BytesIO()
    pictures[0].save(out, "GIF", save_all=frames > 1, append_images=pictures[1:], **options)
    return out.getvalue()


def reason(data: bytes, known: frozenset[str] = frozenset()) -> str | None:
    return unopened(data, hashlib.sha256(data).hexdigest(), known_logos=known)


def test_the_pixel_of_every_newsletter_and_small_icons_are_decoration() -> None:
    assert reason(PIXEL) == "decorative.tracking-pixel"
    assert reason(gif(16, 16)) == "decorative.icon"
    assert reason(gif(32, 32, frames=3, loop=0)) == "decorative.icon"


@pytest.mark.parametrize(
    "data",
    [
        gif(120, 90),
        gif(16, 16) + b"\xff\xd8\xff\xe0",
        gif(16, 16, comment=b"Mrs Jones"),
        gif(16, 16)[:-4],
            PIXEL[:32] + b"\x00\x02\x00\x02" + PIXEL[36:],
        b"GIF89a",
        b"BM" + bytes(60),
    ],
    ids=["large", "tail", "comment", "truncated", "frame larger than the screen", "header only", "another format"],
)
def test_what_is_not_small_and_plain_is_not(data: bytes) -> None:
    assert reason(data) is None


def test_a_known_logo_is_one_in_any_format() -> None:
    data = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    assert reason(data, frozenset({hashlib.sha256(data).hexdigest()})) == "decorative.known-logo"


def test_the_size_is_that_of_screen_and_frames() -> None:
    assert plain_size(gif(40, 20, frames=2)) == (40, 20)
