"""Spacers, tracking pixels and icons are the GIFs of ordinary mail; anything more is not decided by its size."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image

from filters.api import FilterError
from filters.decorative import decorative, unopened
from filters.gif.scrubber import GIF

pytestmark = pytest.mark.unit

PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


def gif(width: int, height: int, frames: int = 1, **options: object) -> bytes:
    pictures = [Image.new("P", (width, height), color) for color in range(1, frames + 1)]
    out = io.BytesIO()
    pictures[0].save(out, "GIF", save_all=frames > 1, append_images=pictures[1:], **options)
    return out.getvalue()


def reason(data: bytes, known: frozenset[str] = frozenset()) -> str | None:
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        info = GIF.inspect(data)
    except FilterError:
        return unopened(sha256, len(data), known_logos=known)
    return decorative(info, data, sha256, inline=False, known_logos=known, seen_inline_before=None)


def test_the_pixel_of_every_newsletter_and_small_icons_are_decoration() -> None:
    """A spacer, an icon and a small animated icon never hold mail; neither does the name of a drawing program in one."""
    assert reason(PIXEL) == "decorative.tracking-pixel"
    assert reason(gif(16, 16)) == "decorative.icon"
    assert reason(gif(32, 32, frames=3, loop=0)) == "decorative.icon"
    assert reason(gif(16, 16, comment=b"Created with GIMP")) == "decorative.icon"


@pytest.mark.parametrize(
    "data",
    [
        gif(120, 90),
        gif(16, 16) + b"\xff\xd8\xff\xe0",
        gif(120, 90)[:-20],
        PIXEL[:32] + b"\x00\x02\x00\x02" + PIXEL[36:],
        b"GIF89a" + bytes(90),
        b"BM" + bytes(90),
    ],
    ids=["large", "tail", "truncated", "frame larger than the screen", "header only", "another format"],
)
def test_what_is_not_small_and_plain_is_not(data: bytes) -> None:
    """What carries more than its picture, or is larger than it says, is not decided by guesswork."""
    assert reason(data) is None


def test_a_known_logo_is_one_in_any_format() -> None:
    """Also in one that nothing here opens."""
    data = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    assert reason(data, frozenset({hashlib.sha256(data).hexdigest()})) == "decorative.known-logo"


def test_the_size_is_that_of_screen_and_frames() -> None:
    """All frames together, as programs enlarge a screen that is too small."""
    info = GIF.inspect(gif(40, 20, frames=2))
    assert (info.width, info.height) == (40, 20)
