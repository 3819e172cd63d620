"""What becomes of a picture before it is sent: cropped, made smaller, blurred, put on a ground, reduced to few colours, coded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

_SMOOTH = Image.Resampling.LANCZOS


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def coded(image: Image.Image, rng: Random) -> tuple[str, bytes]:
    """(how, file) in one of the ways programs save photographs and people shrink them."""
    how = rng.choice(("JPEG", "JPEG", "JPEG", "PNG", "16", "64", "256", "GIF", "WebP", "WebP lossless"))
    if how == "JPEG":
        return how, saved(image, "JPEG", quality=rng.choice((20, 35, 50, 60, 75, 85, 90, 95)), subsampling=rng.choice((0, 2)))
    if how.isdecimal():
        few = image.quantize(int(how), rng.choice((0, 2)), dither=Image.Dither(rng.choice((0, 3))))
        return f"PNG {how} colours", saved(few, "PNG")
    if how.startswith("WebP"):
        return how, saved(image, "WEBP", quality=rng.choice((30, 60, 85)), lossless=how.endswith("lossless"))
    return how, saved(image, how)


def cropped(image: Image.Image, rng: Random) -> Image.Image:
    share = rng.choice((1, 1, 0.7, 0.45, 0.25))
    width = max(24, int(image.width * share))
    height = min(image.height, max(24, int(image.height * share * rng.choice((1, 1, 0.6, 0.3)))))
    x, y = rng.randrange(image.width - width + 1), rng.randrange(image.height - height + 1)
    piece = image.crop((x, y, x + width, y + height))
    scale = rng.choice((60, 100, 160, 240, 320, 480, 640, 900)) / max(piece.size)
    return piece.resize((max(16, int(width * scale)), max(16, int(height * scale))), _SMOOTH)


def changed(image: Image.Image, rng: Random) -> tuple[str, Image.Image]:
    """(how, picture): as it is, blurred, too bright, too dark, pale, on a ground, or cut out."""
    how = rng.choice(
        ("as it is", "as it is", "as it is", "blurred", "too bright", "too dark", "on white", "on black", "cut out", "pale")
    )
    if how == "blurred":
        return how, image.filter(ImageFilter.GaussianBlur(rng.choice((2, 5, 12))))
    if how in ("too bright", "too dark"):
        return how, ImageEnhance.Brightness(image).enhance(0.25 if how == "too dark" else rng.choice((1.8, 2.8)))
    if how == "pale":
        veil = Image.new("RGB", image.size, rng.choice(("white", "#e8b89a", "black")))
        return how, Image.blend(image, veil, rng.choice((0.6, 0.8)))
    if how.startswith("on "):
        margin = rng.choice((0.2, 0.5, 1.0))
        ground = Image.new("RGB", (int(image.width * (1 + margin)), int(image.height * (1 + margin))), how[3:])
        ground.paste(image, (int(image.width * margin / 2), int(image.height * margin / 2)))
        return how, ground
    if how == "cut out":
        shape = Image.new("L", image.size, 0)
        ImageDraw.Draw(shape).ellipse((image.width * 0.1, image.height * 0.1, image.width * 0.8, image.height * 0.7), fill=255)
        return how, Image.composite(image, Image.new("RGB", image.size, rng.choice(("white", "#00ff00", "#2b579a"))), shape)
    return how, image


def photographs(image: Image.Image, rng: Random, count: int) -> Iterator[tuple[str, bytes]]:
    """(what was done, file) of ``count`` variants of a photograph."""
    for _ in range(count):
        how, piece = changed(cropped(image.convert("RGB"), rng), rng)
        if rng.random() < 0.15:
            piece = piece.convert("L").convert("RGB")
        _, data = coded(piece, rng)
        yield how, data


def drawings(image: Image.Image, rng: Random, count: int) -> Iterator[tuple[str, bytes]]:
    """(format, file) of ``count`` variants of a drawing: sometimes another size, often on white."""
    for _ in range(count):
        shown = image.convert("RGBA")
        if rng.random() < 0.3:
            scale = rng.choice((0.5, 0.75, 1.5))
            shown = shown.resize((max(12, int(image.width * scale)), max(12, int(image.height * scale))), _SMOOTH)
        white = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")
        how = rng.choice(("PNG, transparent", "PNG", "PNG 256 colours", "GIF", "WebP lossless", "JPEG 60", "JPEG 75", "JPEG 90"))
        if how.startswith("JPEG"):
            yield how, saved(white, "JPEG", quality=int(how[5:]))
        elif how == "WebP lossless":
            yield how, saved(white, "WEBP", lossless=True)
        elif how == "GIF":
            yield how, saved(white, "GIF")
        else:
            yield how, saved(shown if "transparent" in how else white.quantize(256) if "256" in how else white, "PNG")
