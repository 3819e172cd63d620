"""What a look at the pixels says: drawings, pages, photographs, and known logos.  The measured sets are in docs/decorative.md."""

from __future__ import annotations

import io
from functools import cache
from hashlib import sha256
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from filters.api import FilterError, ImageInfo
from filters.decorative import DecorativeSettings, decorative
from filters.flatness import drawn, flat
from filters.looks import alike, look
from tests.ordinary import artwork, variants
from tests.support.canary_images import photo

pytestmark = pytest.mark.unit
SEEDS = range(4)


def png(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@cache
def photograph(seed: int = 1) -> Image.Image:
    return photo(seed, (320, 240))


def pixels(image: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("make", [artwork.logo, artwork.chart, artwork.screenshot])
@pytest.mark.slow
def test_drawings_are_flat(make: Any) -> None:
    """Logos with smooth edges, charts, windows with text."""
    for seed in SEEDS:
        image = make(Random(seed))
        assert look(png(image)).flat, seed


def test_a_transparent_logo_is_flat() -> None:
    """On white, with its own edges."""
    assert all(look(png(artwork.logo(Random(seed), clear=True))).flat for seed in SEEDS)


@pytest.mark.slow
def test_no_variant_of_a_photograph_is_flat() -> None:
    """Cropped, blurred, bright, dark, cut out, on a ground, posterised, coded: 0 of 40."""
    for seed in range(4):
        for how, data in variants.photographs(photograph(seed), Random(seed), 10):
            assert not look(data).flat, (seed, how)


def test_a_photograph_on_a_white_sheet_is_neither_flat_nor_a_page() -> None:
    """The ground must not speak for what stands on it; what is smaller than a letterhead's mark does not count on a page."""
    for side in (40, 90, 200):
        sheet = Image.new("RGB", (827, 1169), "white")
        sheet.paste(photograph().resize((side, side)), (100, 100))
        found = look(png(sheet))
        assert not found.flat, side
        assert not found.page or side < 60


def test_a_screenshot_that_shows_a_photograph_is_not_flat() -> None:
    """A window with a picture in it, also a small one."""
    window = artwork.screenshot(Random(3))
    window.paste(photograph().resize((48, 36)), (400, 300))
    assert not flat(pixels(window))


@pytest.mark.slow
def test_a_photograph_of_few_colours_is_not_flat() -> None:
    """Reduced without dithering: areas of one colour, but in steps of a shading."""
    smooth = photograph(2).filter(ImageFilter.GaussianBlur(6))
    for count in (4, 6, 8, 16):
        assert not flat(pixels(smooth.quantize(count, dither=Image.Dither.NONE))), count


def test_black_areas_are_no_ground_for_a_guess() -> None:
    """X-ray and ultrasound pictures stand on black."""
    image = Image.new("RGB", (300, 300), "black")
    ImageDraw.Draw(image).ellipse((60, 60, 240, 240), fill="white")
    assert not flat(pixels(image))
    blank = Image.new("RGB", (300, 300), "white")
    assert not flat(pixels(blank))


def test_nothing_hides_behind_or_in_transparency() -> None:
    """A photograph whose pixels are all transparent, and one that only the transparency draws."""
    logo = np.asarray(artwork.logo(Random(1), clear=True))
    hidden = np.asarray(photograph().resize((logo.shape[1], logo.shape[0])))
    behind = np.where(logo[..., 3:] == 0, hidden, logo[..., :3]).astype(np.uint8)
    assert drawn(logo[..., :3], logo[..., 3])
    assert not drawn(behind, logo[..., 3])
    white = np.full_like(hidden, 255)
    assert not drawn(white, hidden[..., 0])


def test_scanned_letters_are_pages() -> None:
    """Grey or coloured, as JPEG; never drawings."""
    for seed in range(3):
        found = look(artwork.jpeg(artwork.scanned(Random(seed), 100, tint=bool(seed % 2)), 75))
        assert found.page and not found.flat


def test_a_logo_saved_anew_is_known() -> None:
    """The look of the list: at most four bits of 64 differ; another logo, or a photograph, differs in more."""
    logos = [artwork.logo(Random(seed)) for seed in SEEDS]
    listed = frozenset(("look:" + look(png(logos[0])).hash,))
    info = ImageInfo(logos[0].width, logos[0].height, 8)

    def verdict(data: bytes) -> str | None:
        return decorative(
            info, data, sha256(data).hexdigest(), inline=False, known_logos=listed, seen_inline_before=None, look=look(data).hash
        )

    assert verdict(png(logos[0], "JPEG", quality=70)) == "decorative.known-logo"
    assert verdict(png(logos[0].resize((logos[0].width // 2, logos[0].height // 2), Image.Resampling.LANCZOS))) is not None
    assert not any(verdict(png(photograph(seed), "JPEG")) for seed in SEEDS)
    assert alike("0" * 16, "f" * 16) == 64


def test_a_flat_graphic_has_a_largest_size_and_is_no_page() -> None:
    """The numbers are settings; a page of writing is a document."""

    def verdict(codes: set[str], **numbers: int) -> str | None:
        info = ImageInfo(800, 600, 8, codes=frozenset(codes))
        settings = DecorativeSettings(**numbers)  # type: ignore[arg-type]  # whole numbers, all of them
        data = bytes(5000)
        return decorative(info, data, "", inline=False, known_logos=frozenset(), seen_inline_before=None, settings=settings)

    assert verdict({"image.flat"}) == "decorative.flat-graphic"
    assert verdict({"image.flat"}, drawing_pixels=400_000) is None
    assert verdict({"image.flat"}, drawing_bytes=4000) is None
    assert verdict({"image.flat", "image.page"}) is None
    assert verdict({"image.flat", "png.private"}) is None
    assert verdict(set()) is None


def test_damaged_pictures_raise_only_filter_errors() -> None:
    """Cut anywhere, or with a byte changed."""
    for data in (png(artwork.logo(Random(1))), artwork.photograph(Random(1), (64, 48)), png(artwork.logo(Random(2)), "GIF")):
        rng = Random(7)
        for _ in range(40):
            broken = bytearray(data[: rng.randrange(len(data))] if rng.random() < 0.5 else data)
            if broken:
                broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
            try:
                look(bytes(broken))
            except FilterError:
                continue
