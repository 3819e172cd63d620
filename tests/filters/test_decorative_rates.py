"""How often decoration is told from pictures, measured: generated icons and logos against photographs at many sizes.

A photograph is never called decorative at the defaults unless it is of icon size; the figures asserted here stand in the docs.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw

from filters.decorative import DEFAULTS, DecorativeSettings, decorative
from filters.registry import SCRUBBERS
from filters.sniff import sniff
from tests.support.canary_images import logo_png, photo, photo_jpeg, png_chunks, png_file
from tests.support.images_judged import JPEG_MAGIC, corpus

pytestmark = pytest.mark.unit
SIZES = (64, 80, 96, 128, 160, 200, 240, 300)


def verdict(
    data: bytes,
    *,
    inline: bool = True,
    seen: bool | None = None,
    logos: frozenset[str] = frozenset(),
    numbers: DecorativeSettings = DEFAULTS,
) -> str | None:
    """What ``decorative`` says of a file."""
    info = SCRUBBERS[sniff(data).format].inspect(data)
    digest = hashlib.sha256(data).hexdigest()
    return decorative(info, data, digest, inline=inline, known_logos=logos, seen_inline_before=seen, settings=numbers)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@cache
def originals() -> tuple[Image.Image, ...]:
    """Corpus photographs that are large enough to crop, and generated ones."""
    found = [photo(seed, (960, 720)) for seed in range(4)]
    for path in corpus(JPEG_MAGIC):
        with Image.open(path) as image:
            if min(image.size) >= 140:
                image.draft("RGB", (600, 600))
                image.thumbnail((640, 640))
                found.append(image.convert("RGB"))
    return tuple(found)


@cache
def photographs() -> tuple[bytes, ...]:
    """Each photograph whole and cropped, at each size, as JPEG of two qualities, PNG and 16-colour PNG; no EXIF to help."""
    out = []
    for index, original in enumerate(originals()):
        width, height = original.size
        crop = original.crop((width // 4, height // 4, width // 4 + width // 2, height // 4 + height // 2))
        for source in (original, crop):
            size = SIZES[index % len(SIZES)], SIZES[(index + 4) % len(SIZES)]
            for side in size:
                small = source.copy()
                small.thumbnail((side, side))
                small = small if max(small.size) >= side else source.resize((side, side * source.height // source.width or 1))
                out += [saved(small, "JPEG", quality=q) for q in (60, 88)]
                out += [saved(small, "PNG"), saved(small.quantize(16, Image.Quantize.FASTOCTREE), "PNG")]
    return tuple(out)


def icons() -> Iterator[bytes]:
    """Social-network buttons and bullets, 12-48 pixels."""
    rng = np.random.default_rng(5)
    for _ in range(60):
        side = int(rng.integers(12, 49))
        image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        draw = ImageDraw.Draw(image)
        draw.rounded_rectangle((0, 0, side - 1, side - 1), side // 4, fill=tuple(int(v) for v in rng.integers(0, 255, 3)))
        draw.line((side // 4, side // 4, side * 3 // 4, side * 3 // 4), fill="white", width=2)
        yield saved(image, "PNG")


def banners() -> Iterator[bytes]:
    """Logos with soft edges as JPEG and true-colour PNG, 160-600 pixels wide."""
    rng = np.random.default_rng(6)
    for index in range(40):
        width = int(rng.integers(160, 600))
        height = min(159, int(width / rng.uniform(2.4, 6)))
        image = Image.new("RGB", (width * 2, height * 2), "white")
        draw = ImageDraw.Draw(image)
        colour = tuple(int(v) for v in rng.integers(0, 180, 3))
        draw.ellipse((4, 4, height * 2 - 4, height * 2 - 4), fill=colour)
        for row in range(3):
            draw.rectangle(
                (height * 2 + 8, 8 + row * height // 2, width * 2 - int(rng.integers(8, width)), 18 + row * height // 2),
                fill=colour,
            )
        yield saved(image.resize((width, height), Image.Resampling.LANCZOS), "JPEG" if index % 2 else "PNG")


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("seen", [True, False, None])
@pytest.mark.slow
def test_no_photograph_is_called_decorative(inline: bool, seen: bool | None) -> None:
    """0 of several hundred, even shown inline and sent before, even without any EXIF, even reduced to 16 colours."""
    assert len(photographs()) >= 400
    wrong = [verdict(data, inline=inline, seen=seen) for data in photographs()]
    assert [code for code in wrong if code] == []


def test_recall_on_decoration() -> None:
    """Icons 100 %, flat logos 100 % on first sight, soft banners on their second inline appearance at least 95 %."""
    assert all(verdict(data) == "decorative.icon" for data in icons())
    assert {verdict(logo_png(seed)) for seed in range(40)} == {"decorative.flat-graphic"}
    again = [verdict(data, seen=True) for data in banners()]
    assert again.count("decorative.recurring-inline") >= 0.95 * len(again)
    assert not any(verdict(data, seen=False) for data in banners())


def test_a_recurring_square_picture_is_not_guessed_at() -> None:
    """Square logos look like photographs to every number we have: they belong on the list of known logos."""
    square = saved(Image.linear_gradient("L").resize((150, 150)).convert("RGB"), "PNG")
    assert verdict(square, seen=True) is None


def test_the_order_of_the_rows() -> None:
    """Tracking pixel, known logo, icon."""
    dot, icon, logo = saved(Image.new("P", (1, 1)), "PNG"), next(icons()), logo_png()
    assert verdict(dot, inline=False) == "decorative.tracking-pixel"
    assert verdict(icon, inline=False) == "decorative.icon"
    assert verdict(logo, inline=False) is None
    known = frozenset((hashlib.sha256(logo).hexdigest(),))
    assert verdict(logo, inline=False, logos=known) == "decorative.known-logo"


def test_a_camera_picture_is_never_decorative_but_by_the_list() -> None:
    """Camera EXIF outweighs size, shape and habit."""
    tiny = photo_jpeg(1, (40, 30))
    wide = photo_jpeg(1, (400, 100))
    for data in (tiny, wide):
        assert verdict(data, seen=True) is None
        assert verdict(data, logos=frozenset((hashlib.sha256(data).hexdigest(),))) == "decorative.known-logo"


def test_a_logo_that_hides_something_is_not_decoration() -> None:
    """What leaves untouched must hold nothing but its picture: trailers, private chunks, positions speak against it."""
    icon, logo = next(icons()), logo_png()
    for data in (icon + b"PK\x03\x04", logo + b"a second file"):
        assert verdict(data, seen=True) is None
    parts = png_chunks(icon)
    assert verdict(png_file([parts[0], (b"prVW", b"preview"), *parts[1:]])) is None
    assert verdict(png_file([parts[0], (b"tEXt", b"Software\0Drawing"), *parts[1:]])) == "decorative.icon"
    assert verdict(saved(Image.new("RGB", (40, 40)), "JPEG") + photo_jpeg(1, (64, 48))) is None


def test_unknown_history_counts_as_none() -> None:
    """``None`` is not permission."""
    banner = next(banners())
    assert verdict(banner, seen=None) is None
    assert verdict(banner, seen=True, inline=False) is None


def test_numbers_are_settings() -> None:
    """A site may narrow every rule, or switch the guess about flat graphics off."""
    assert verdict(logo_png(), numbers=DecorativeSettings(flat_colours=0)) is None
    assert verdict(next(icons()), numbers=DecorativeSettings(icon_side=8)) is None
