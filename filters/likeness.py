"""What a picture is recognised by when it comes again as another file: saved anew, made smaller, turned, cut.

Two measures of one small grey picture (docs/matching.md says how they were chosen and what they reach): the signs of its low
frequencies, for the picture as a whole, and up to ``POINTS`` corners with what surrounds them (ORB: Rublee et al., ICCV 2011),
for parts of it.  Pixels are decoded by C code, so the gateway runs this in its sandbox.

A likeness is bytes (``quarantine.ledger.fingerprint`` reads them): version, width and height of the small picture (2 octets each,
big-endian), 128 octets of signs, the number of corners, and for each corner x and y in 64ths of a pixel (2 octets each) and 16
octets of surroundings.  It says roughly what the picture shows: it is personal data and never kept in the clear.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filters.api import Unsupported
from filters.greyscale import small

VERSION: Final = 1
SIDE: Final = 480  # longest side of the small picture, in pixels
POINTS: Final = 180  # so that a row of the records fits a page of 4 kB
PROBE_SIDES: Final = (SIDE, 240, 288, 336, 400, 680, 960)  # a part of a picture shows the same corners larger, a border smaller
PROBE_POINTS: Final = 255
_WHOLE: Final = 64  # side of the picture the signs are taken of
_KEPT: Final = 32  # low frequencies in each direction
_CELLS: Final = 5  # corners are taken from all over the picture, not only where there are most
_FOUND: Final = 800  # corners among which is chosen
_SURROUNDINGS: Final = 16  # octets
_AROUND: Final = 61  # pixels around a place that make its contrast even
_FLAT: Final = 1.5  # grey levels of spread below which there is nothing to tell a picture by


def likeness(data: bytes) -> bytes:
    """The likeness of a picture.  Raises Unsupported, Malformed, TooBig."""
    grey = small(data, SIDE)
    _telling(grey)
    return _packed(grey, SIDE, POINTS)


def probe(data: bytes) -> list[bytes]:
    """What a picture is looked for by: likenesses at several sizes, and of the picture turned by 90, 180 and 270 degrees.

    Raises Unsupported, Malformed, TooBig.
    """
    largest = small(data, max(PROBE_SIDES))
    _telling(largest)
    forms = [_packed(_resized(largest, side), side, PROBE_POINTS) for side in PROBE_SIDES]
    upright = _resized(largest, SIDE)
    return forms + [_packed(np.rot90(upright, turns), SIDE, 0) for turns in (1, 2, 3)]


def _telling(grey: NDArray[np.uint8]) -> None:
    if grey.std() < _FLAT:
        raise Unsupported("a picture of one tone")


def _resized(grey: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    image = Image.fromarray(grey)
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS), np.uint8)


def _packed(grey: NDArray[np.uint8], side: int, points: int) -> bytes:
    """Places of corners are told as if the picture were ``SIDE`` large."""
    high, wide = grey.shape
    scale = SIDE / side
    head = struct.pack(">BHH", VERSION, round(wide * scale), round(high * scale))
    places, surroundings = _corners(grey, points) if points else (np.zeros((0, 2)), np.zeros((0, _SURROUNDINGS), np.uint8))
    at = np.clip(np.rint(places * scale * 64), 0, 65535).astype(">u2")
    corners = b"".join(one.tobytes() + two.tobytes() for one, two in zip(at, surroundings, strict=True))
    return head + _signs(grey) + bytes([len(at)]) + corners


def _signs(grey: NDArray[np.uint8]) -> bytes:
    """Signs of the low frequencies of the discrete cosine transform, against their median; the mean brightness is left out."""
    square = np.asarray(Image.fromarray(grey).resize((_WHOLE, _WHOLE), Image.Resampling.BOX), np.float64)
    at = np.arange(_WHOLE)
    basis = np.cos(np.pi * (2 * at + 1) * at[:, None] / (2 * _WHOLE))
    low = (basis @ square @ basis.T)[:_KEPT, :_KEPT].ravel()
    bits = low > np.median(low[1:])
    bits[0] = False
    return np.packbits(bits).tobytes()


def _corners(grey: NDArray[np.uint8], points: int) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """(places, surroundings) of the strongest corners of each cell in turn."""
    import cv2  # large, and wanted only where there are pictures

    cv2.setNumThreads(1)
    even = _even(grey)
    found, told = cv2.ORB.create(nfeatures=_FOUND, fastThreshold=5).detectAndCompute(even, None)
    if told is None:
        return np.zeros((0, 2)), np.zeros((0, _SURROUNDINGS), np.uint8)
    places = np.array([one.pt for one in found], np.float64)
    chosen = _spread(places, np.array([one.response for one in found]), grey.shape)[:points]
    return places[chosen], np.asarray(told[chosen][:, :_SURROUNDINGS], np.uint8)


def _even(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With the same contrast everywhere, so that skin has corners too."""
    import cv2

    exact = grey.astype(np.float32)
    mean = cv2.blur(exact, (_AROUND, _AROUND))
    spread = np.sqrt(np.maximum(cv2.blur(exact * exact, (_AROUND, _AROUND)) - mean * mean, 0)) + 2
    return np.asarray(np.clip(128 + (exact - mean) / spread * 50, 0, 255), np.uint8)


def _spread(places: NDArray[Any], strength: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Indexes: the strongest of every cell, then the second of every cell …"""
    cells = (places * _CELLS / np.array([shape[1], shape[0]])).astype(np.int64)
    seen: dict[tuple[int, int], int] = {}
    ranks = []
    for index in np.argsort(-strength, kind="stable"):
        cell = (int(cells[index, 0]), int(cells[index, 1]))
        seen[cell] = seen.get(cell, 0) + 1
        ranks.append((seen[cell], int(index)))
    return np.array([index for _, index in sorted(ranks, key=lambda one: one[0])], np.int64)
