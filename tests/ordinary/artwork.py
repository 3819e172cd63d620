"""Larger pictures of ordinary mail: logos, charts, screenshots, scanned letters, and photographs of places and people at work."""

from __future__ import annotations

import io
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.ordinary.pictures import saved
from tests.support.canary_images import photo

WORDS = (
    "clinic", "rota", "ward", "bed", "patient", "letter", "result", "meeting", "agenda", "Thursday", "room", "policy", "training",
    "NHS", "trust", "appointment",
)  # fmt: skip
Colour = tuple[int, ...]


def colour(rng: Random, most: int = 190) -> Colour:
    return tuple(rng.randrange(most) for _ in range(3))


def words(rng: Random, count: int) -> str:
    return " ".join(rng.choices(WORDS, k=count))


def logo(rng: Random, clear: bool = False) -> Image.Image:
    """A mark and a name, smooth edges, as a design studio delivers it; ``clear`` = on a transparent ground."""
    width, height = rng.randrange(180, 520), rng.randrange(50, 160)
    big = Image.new("RGBA", (width * 3, height * 3), (255, 255, 255, 0 if clear else 255))
    draw, ink = ImageDraw.Draw(big), colour(rng)
    draw.ellipse((9, 9, height * 3 - 9, height * 3 - 9), fill=ink)
    draw.rectangle((height, height * 1.3, height * 2, height * 1.7), fill="white")
    draw.text((height * 3.2, height), words(rng, 2).title(), fill=colour(rng), font=ImageFont.load_default(height))
    small = big.resize((width, height), Image.Resampling.LANCZOS)
    return small if clear else small.convert("RGB")


def chart(rng: Random) -> Image.Image:
    """Bars or lines with axes and words, as a spreadsheet exports them."""
    width, height = rng.choice(((480, 288), (640, 400), (752, 452), (960, 540)))
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.text((width // 3, 8), words(rng, 3), fill="#444444", font=ImageFont.load_default(18))
    count, inks = rng.randrange(4, 12), [colour(rng) for _ in range(2)]
    for step in range(5):
        draw.line((50, 40 + step * (height - 80) // 4, width - 20, 40 + step * (height - 80) // 4), fill="#d9d9d9")
        draw.text((12, 32 + step * (height - 80) // 4), str(100 - step * 25), fill="#595959", font=ImageFont.load_default(12))
    for bar in range(count):
        left, pitch = 60 + bar * (width - 90) // count, (width - 90) // count
        for half, ink in enumerate(inks):
            x = left + half * pitch // 3
            draw.rectangle((x, rng.randrange(50, height - 50), x + pitch // 3 - 2, height - 40), fill=ink)
    return image


def screenshot(rng: Random) -> Image.Image:
    """A program's window with text and no picture."""
    width, height = rng.choice(((800, 600), (1024, 768), (1280, 720), (1366, 768)))
    image = Image.new("RGB", (width, height), rng.choice(("white", "#f3f3f3")))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, 36), fill=rng.choice(("#0a4f7d", "#2b579a", "#217346")))
    draw.text((10, 8), words(rng, 3), fill="white", font=ImageFont.load_default(15))
    draw.rectangle((0, 36, 160, height), fill="#dde3ea")
    for y in range(50, height - 20, rng.choice((20, 24))):
        draw.text((10, y), words(rng, 1), fill="black", font=ImageFont.load_default(12))
        draw.text((176, y), words(rng, rng.randrange(2, 9)), fill="black", font=ImageFont.load_default(rng.choice((12, 13))))
    return image


def letter(rng: Random, dots: int = 150) -> Image.Image:
    """A typed A4 letter with a letterhead, as it lies on the glass: grey levels."""
    width, height = round(8.27 * dots), round(11.69 * dots)
    image = Image.new("L", (width, height), 255)
    draw, size = ImageDraw.Draw(image), dots // 9
    draw.ellipse((dots * 0.8, dots * 0.5, dots * 1.3, dots), fill=60)
    draw.text((dots * 1.5, dots * 0.6), words(rng, 3).title(), fill=30, font=ImageFont.load_default(size * 2))
    for line in range(rng.randrange(18, 36)):
        draw.text(
            (dots * 0.9, dots * 1.8 + line * size * 1.5),
            words(rng, rng.randrange(4, 10)),
            fill=20,
            font=ImageFont.load_default(size),
        )
    draw.line([(dots * (1 + i * 0.1), dots * (10 + rng.random() * 0.3)) for i in range(12)], fill=20, width=3)
    return image


def scanned(rng: Random, dots: int = 100, tint: bool = False) -> Image.Image:
    """The same through a scanner: paper that is not quite white, slightly soft, slightly turned, noise."""
    page = letter(rng, dots).filter(ImageFilter.GaussianBlur(0.6)).rotate(rng.uniform(-0.7, 0.7), fillcolor=255)
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 2, (page.height, page.width))
    grey = np.clip(np.asarray(page) * (rng.uniform(232, 250) / 255) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(np.stack((grey, grey, (grey * 0.97).astype(np.uint8)), axis=2)) if tint else Image.fromarray(grey)


def photograph(rng: Random, size: tuple[int, int] = (640, 420)) -> bytes:
    """A picture from a picture agency, or of a colleague; no camera is named in it."""
    return saved(photo(rng.randrange(10_000), size), "JPEG")


def jpeg(image: Image.Image, quality: int = 80) -> bytes:
    out = io.BytesIO()
    image.convert("RGB" if image.mode not in ("L", "RGB") else image.mode).save(out, "JPEG", quality=quality)
    return out.getvalue()
