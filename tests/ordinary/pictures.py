"""Small pictures that ordinary mail carries: icons, spacers, logos.  Drawn anew from the seed; none shows anything clinical."""

from __future__ import annotations

import io
from random import Random

from PIL import Image, ImageDraw

from tests.support.canary_images import logo_png


def saved(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def icon(rng: Random, kind: str) -> bytes:
    """A social network's button, 16-48 pixels, as PNG or GIF."""
    side = rng.choice((16, 20, 24, 32, 40, 48))
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, side - 1, side - 1), side // 4, fill=tuple(rng.randrange(256) for _ in range(3)))
    draw.line((side // 4, side // 4, side * 3 // 4, side * 3 // 4), fill="white", width=2)
    return saved(image if kind == "PNG" else image.convert("P"), kind)


def spacer(kind: str) -> bytes:
    """One transparent pixel."""
    return saved(Image.new("P", (1, 1)), kind)


def flat_logo(rng: Random) -> bytes:
    """A signature's logo: a few flat colours, PNG."""
    return logo_png(rng.randrange(1000))


def soft_logo(rng: Random) -> bytes:
    """A signature's logo as JPEG, soft edges: no number tells it from a photograph at first sight."""
    width, height = rng.randrange(160, 420), rng.randrange(40, 80)
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    colour = tuple(rng.randrange(180) for _ in range(3))
    draw.ellipse((2, 2, height - 4, height - 4), fill=colour)
    draw.rectangle((height + 6, height // 3, width - 8, height // 2), fill=colour)
    return saved(image, "JPEG")
