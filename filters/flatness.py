"""Is a picture plainly a drawing: areas of exactly one colour, few and distinct, and nothing between them but thin edges?

Measured by ``python -m tests.ordinary.decoration`` (docs/decorative.md says how many photographs pass all the same).
Pictures on a white ground, cut out, overexposed or reduced to few colours are among those measured.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Alpha = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Colours = NDArray[np.int16]

_SIDE_LEAST: Final = 8
_EQUAL: Final = 0.5  # share of pixels equal to their right and lower neighbour
_GROUND: Final = 0.4  # share of the picture that has the most frequent colour
_COLOURS: Final = 6  # colours that ...
_COVERED: Final = 0.97  # ... cover this share of the equal pixels
_COUNTED: Final = 0.003  # share of them that makes a colour one of the picture's
_SAME: Final = 3  # difference within which two colours are one (in any of R, G, B)
_APART: Final = 20  # difference between two colours of a drawing; a photograph reduced to few colours has closer ones
_INK: Final = 64  # difference between the ground and at least one other colour: an empty picture says nothing
_CLOSE: Final = 90  # colours closer than this that meet without an edge between them ...
_RAGGED: Final = 0.005  # ... at this share of the pixels are steps of a shading
_DARK: Final = 60  # an area darker than this is the black of an X-ray or ultrasound picture, or of a night
_DARK_SHARE: Final = 0.35
_DARK_SAFE: Final = 0.2  # a larger one, up to the share above, must be black without any noise:
_DARK_NOISE: Final = 1.1  # pixels near it for each that is just so
_NEAR: Final = 12  # what coding and thin strokes make of a colour
_EDGE: Final = 3  # pixels between an area and anything else
_STRAY: Final = 1.5  # pixels near a colour for each in an area of it; the tones of a photograph have more, and explain nothing
_REST: Final = 0.005  # share of pixels that are neither ...
_BLOCK: Final = 8  # ... and of no block of 8 by 8 ...
_BLOCK_KNOWN: Final = 0.6  # ... less than this may be explained
_MOST_SHADES: Final = 400  # exact colours looked at
_CLEAR: Final = 16  # alpha below which a picture is hardly seen
_HIDDEN_COLOURS: Final = 8  # that such pixels may have, edges left out; a picture has more, but for ...
_HIDDEN_SHARE: Final = 0.001  # ... this share of its pixels


def flat(pixels: Pixels, dark: float = _DARK_SHARE) -> bool:
    """True for what a drawing program made of areas: ``pixels`` is (height, width, 3), ``dark`` the most of it that is black."""
    if min(pixels.shape[:2]) < _SIDE_LEAST:
        return False
    words = _words(pixels)
    equal = (words[:-1, :-1] == words[1:, :-1]) & (words[:-1, :-1] == words[:-1, 1:])
    if equal.mean() < _EQUAL:
        return False
    colours, shares = _palette(words[:-1, :-1][equal])
    shares = shares * equal.mean()
    if not len(colours) or not _distinct(colours, shares, dark) or (dark < 1 and _noisy_black(pixels, colours, shares)):
        return False
    return not _shaded(pixels, colours) and not _unexplained(pixels, equal, colours)


def drawn(pixels: Pixels, alpha: Alpha) -> bool:
    """The same with transparency: flat on white paper, and no picture in what ``alpha`` covers or in ``alpha`` itself."""
    part = alpha[..., None].astype(np.uint16)
    if not flat(((pixels * part + 255 * (255 - part)) // 255).astype(np.uint8)):
        return False
    if not (alpha == alpha[0, 0]).all() and not flat(np.repeat(alpha[..., None], 3, axis=2), dark=1.0):
        return False
    seen = alpha >= _CLEAR
    for _ in range(_EDGE):
        seen = _grown(seen)
    _, counts = np.unique(_words(pixels)[~seen], return_counts=True)
    return bool(np.sort(counts)[:-_HIDDEN_COLOURS].sum() <= _HIDDEN_SHARE * alpha.size)


def _words(pixels: Pixels) -> NDArray[np.uint32]:
    """One number a pixel."""
    wide = pixels.astype(np.uint32)
    return np.asarray(wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2], np.uint32)


def _palette(words: NDArray[np.uint32]) -> tuple[Colours, NDArray[np.float64]]:
    """The colours of the areas and their shares, most frequent first; none when they do not cover the areas."""
    values, counts = np.unique(words, return_counts=True)
    order = np.argsort(counts, kind="stable")[::-1][:_MOST_SHADES]
    shades = np.stack((values >> 16, values >> 8 & 255, values & 255), axis=1).astype(np.int16)
    colours = np.empty((0, 3), np.int16)
    sums: list[int] = []
    for index in order:
        apart = np.abs(colours - shades[index]).max(axis=1)
        if len(apart) and apart.min() <= _SAME:
            sums[int(apart.argmin())] += int(counts[index])
        else:
            colours = np.concatenate((colours, shades[index : index + 1]))
            sums.append(int(counts[index]))
    shares = np.array(sums) / counts.sum()
    ranked = np.argsort(shares, kind="stable")[::-1][:_COLOURS]
    if shares[ranked].sum() < _COVERED:
        return colours[:0], shares[:0]
    kept = ranked[shares[ranked] >= _COUNTED]
    return colours[kept], shares[kept]


def _distances(colours: Colours) -> NDArray[np.int16]:
    return np.asarray(np.abs(colours[:, None] - colours[None]).max(axis=2), np.int16)


def _distinct(colours: Colours, shares: NDArray[np.float64], most: float) -> bool:
    """One ground, some ink, no two colours alike, and little black."""
    apart = _distances(colours)
    alike = (apart + np.eye(len(colours), dtype=np.int16) * 256 < _APART).any()
    dark = shares[colours.max(axis=1) < _DARK].sum()
    return bool(shares[0] >= _GROUND and not alike and apart[0].max() >= _INK and dark < most)


def _noisy_black(pixels: Pixels, colours: Colours, shares: NDArray[np.float64]) -> bool:
    """Whether a large dark area has the noise that black has in a photograph, or in anything that was one."""
    dark = colours[colours.max(axis=1) < _DARK]
    if shares[colours.max(axis=1) < _DARK].sum() < _DARK_SAFE:
        return False
    return any(_within(pixels, one, _NEAR).sum() > _DARK_NOISE * _within(pixels, one, 0).sum() for one in dark)


def _shaded(pixels: Pixels, colours: Colours) -> bool:
    """Whether areas of similar colours meet without an edge, as in a photograph reduced to few colours."""
    label = np.zeros(pixels.shape[:2], np.int8)
    for number, colour in enumerate(colours, 1):
        label[_within(pixels, colour, _SAME)] = number
    steps = np.zeros((len(colours) + 1, len(colours) + 1), np.bool_)
    apart = _distances(colours)
    steps[1:, 1:] = (apart < _CLOSE) & (apart > 0)
    return bool(steps[label[:-1], label[1:]].sum() + steps[label[:, :-1], label[:, 1:]].sum() > _RAGGED * label.size)


def _within(pixels: Pixels, colour: Colours, limit: int) -> Mask:
    low, high = np.clip(colour - limit, 0, 255).astype(np.uint8), np.clip(colour + limit, 0, 255).astype(np.uint8)
    return np.asarray(((pixels >= low) & (pixels <= high)).all(axis=2))


def _unexplained(pixels: Pixels, equal: Mask, colours: Colours) -> bool:
    """Whether anything is left that is no area, no stroke in one of the colours, and no thin edge of these."""
    areas = np.zeros(pixels.shape[:2], np.bool_)
    areas[:-1, :-1] = equal
    areas[1:, :-1] |= equal
    areas[:-1, 1:] |= equal
    known = np.zeros(pixels.shape[:2], np.bool_)
    for colour in colours:
        known |= areas & _within(pixels, colour, _SAME)
        near = _within(pixels, colour, _NEAR)
        if near.sum() <= _STRAY * (near & areas).sum():
            known |= near
    for _ in range(_EDGE):
        known = _grown(known)
    high, wide = pixels.shape[0] // _BLOCK * _BLOCK, pixels.shape[1] // _BLOCK * _BLOCK
    blocks = known[:high, :wide].reshape(high // _BLOCK, _BLOCK, wide // _BLOCK, _BLOCK).mean(axis=(1, 3))
    return bool(known.mean() < 1 - _REST or (blocks < _BLOCK_KNOWN).any())


def _grown(mask: Mask) -> Mask:
    """By one pixel in every direction."""
    tall = mask.copy()
    tall[1:] |= mask[:-1]
    tall[:-1] |= mask[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    return wide
