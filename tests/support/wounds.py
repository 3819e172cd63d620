"""Made-up skin with a made-up wound, photographed as often as is wanted: pictures of little texture that belong to nobody.

``skin`` is the place on a body, ``shot`` one photograph of it: the hand moved, the light changed, the sensor's noise another.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

_TONES = ((224, 172, 140), (198, 134, 100), (141, 85, 58), (90, 56, 40), (240, 200, 175))
_WOUNDS = ((150, 40, 45), (110, 50, 40), (190, 90, 90), (70, 45, 40))


def skin(seed: int, width: int = 1400, height: int = 1050) -> Image.Image:
    """One place on a body: tone, folds, pores, a wound of its own outline, hairs and moles."""
    rng = np.random.default_rng(seed)
    tone = np.array(_TONES[seed % len(_TONES)], np.float32)
    grain = sum(
        weight * _clouds(rng, width, height, cell) for weight, cell in ((0.35, 280), (0.2, 84), (0.1, 21), (0.08, 7), (0.05, 3))
    )
    picture = tone * (1 + 0.1 * np.asarray(grain)[..., None])
    inside = _outline(rng, width, height)[..., None]
    wound = np.array(_WOUNDS[int(rng.integers(len(_WOUNDS)))], np.float32)
    texture = 1 + 0.15 * _clouds(rng, width, height, 35) + 0.1 * _clouds(rng, width, height, 9)
    picture = picture * (1 - inside) + wound * texture[..., None] * inside
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    _marks(rng, image, tone)
    return image


def shot(place: Image.Image, seed: int, moved: float) -> Image.Image:
    """One photograph; the hand moved by about ``moved`` of the width (one standard deviation), and turned and neared with it."""
    rng = np.random.default_rng(seed)
    width, height = place.size
    scale, turn = 1 + rng.normal(0, moved), rng.normal(0, moved * 0.6)
    across, down = rng.normal(0, moved, 2) * width
    cos, sin = np.cos(turn) / scale, np.sin(turn) / scale
    middle = np.array([width / 2, height / 2])
    moved_middle = middle + np.array([across, down])
    shift = middle - np.array([[cos, -sin], [sin, cos]]) @ moved_middle
    turned = _wider(place, 0.25)
    edge = 0.25 * np.array([width, height])
    affine = (cos, -sin, shift[0] + edge[0], sin, cos, shift[1] + edge[1])
    moved_to = turned.transform((width, height), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC)
    soft = moved_to.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.1))))
    light = 1 + rng.normal(0, 0.04) + np.linspace(-0.5, 0.5, width)[None, :, None] * rng.normal(0, 0.06)
    noise = rng.normal(0, 5, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(soft, np.float32) * light + noise, 0, 255).astype(np.uint8))


def golden() -> bytes:
    """A picture made by arithmetic alone; PNG, so that no decoder has a choice."""
    y, x = np.mgrid[:360, :480]
    wave = 128 + 60 * np.sin(x / 17.0) * np.cos(y / 23.0) + 40 * np.sin((x * y) / 5000.0)
    blocks = 30 * (((x // 40) * 7 + (y // 30) * 13) % 5)
    file = io.BytesIO()
    Image.fromarray(np.clip(wave + blocks - 60, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _wider(place: Image.Image, share: float) -> Image.Image:
    """With more of the same skin around it, mirrored, so that a moved hand sees skin."""
    pixels = np.asarray(place)
    down, across = int(place.height * share), int(place.width * share)
    return Image.fromarray(np.pad(pixels, ((down, down), (across, across), (0, 0)), mode="reflect"))


def _clouds(rng: np.random.Generator, width: int, height: int, cell: int) -> NDArray[np.float32]:
    coarse = rng.standard_normal((height // cell + 3, width // cell + 3)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.float32)


def _outline(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """1 inside the wound, 0 outside, with a soft edge."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x0, y0 = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.35, 0.65)
    radius = rng.uniform(0.08, 0.25) * height
    angle = np.arctan2(y - y0, x - x0)
    waves = [rng.uniform(0, 0.18) * np.sin((k + 2) * angle + rng.uniform(0, 6.3)) for k in range(6)]
    edge = radius * (1 + np.sum(waves, axis=0)) + 0.06 * radius * _clouds(rng, width, height, 28)
    away = np.clip((np.hypot(x - x0, y - y0) - edge) / (radius * rng.uniform(0.03, 0.15)), -30, 30)
    return np.asarray(1 / (1 + np.exp(away)), np.float32)


def _marks(rng: np.random.Generator, image: Image.Image, tone: NDArray[np.float32]) -> None:
    draw = ImageDraw.Draw(image)
    dark, mole = (tuple(int(value * share) for value in tone) for share in (0.5, 0.6))
    for _ in range(int(rng.integers(0, 40))):
        x, y = rng.uniform(0, 1, 2) * image.size
        across, down = rng.normal(0, 40, 2)
        draw.line((x, y, x + across, y + down), fill=dark, width=1)
    for _ in range(int(rng.integers(2, 25))):
        x, y = rng.uniform(0, 1, 2) * image.size
        r = rng.uniform(1, 6)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=mole)
