"""JPEG and PNG files with a canary in every place that shows nothing."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.canary_images import jpeg_with_canaries, png_with_canaries

Place = Callable[[str], str]

PICTURES: dict[str, Callable[[Place], bytes]] = {
    "jpeg": lambda place: jpeg_with_canaries(place("jpeg"), size=(64, 48), progressive=False),
    "jpeg-progressive": lambda place: jpeg_with_canaries(place("progressive jpeg"), size=(64, 48)),
    "png": lambda place: png_with_canaries(place("png"), size=(48, 32)),
}
CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {}
EXTENSIONS: dict[str, str] = {"jpeg": "jpg", "jpeg-progressive": "jpg", "png": "png"}
