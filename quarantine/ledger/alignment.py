"""Are two pictures parts of one another?  Corners that look alike must also lie alike: shifted, turned, larger or smaller."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from quarantine.ledger.fingerprint import Fingerprint, Probe

_ALIKE: Final = 32  # of 128 bits in which the surroundings of one corner differ at most
_CLEARLY: Final = 0.85  # the second best must be farther away (Lowe, IJCV 2004, 7.1)
_TRIED: Final = 60  # pairs of corners of which any two are tried as the way one picture lies on the other
_NEAR: Final = 6.0  # pixels of 480
_SCALES: Final = (0.1, 8.0)  # a cut of a tenth of a side, or a picture with a wide border
_CELL: Final = 4  # pixels: corners of one cell count once


def aligned(wanted: Probe, kept: Fingerprint) -> int:
    """How many corners of a kept picture lie in the wanted one as they lay: below 8 is chance (docs/matching.md)."""
    pairs = [(form, _alike(form.around, kept.around)) for form in wanted if len(form.places)]
    if not pairs:
        return 0
    here = np.concatenate([form.places[found[:, 0]] for form, found in pairs])
    there = np.concatenate([kept.places[found[:, 1]] for _, found in pairs])
    closest = np.argsort(np.concatenate([found[:, 2] for _, found in pairs]), kind="stable")
    return _agreeing(_complex(here[closest]), _complex(there[closest]))


def _alike(one: NDArray[np.uint64], two: NDArray[np.uint64]) -> NDArray[np.int64]:
    """(index in one, index in two, bits that differ) of corners whose surroundings are alike and like nothing else."""
    if len(two) < 2:
        return np.zeros((0, 3), np.int64)
    bits = np.bitwise_count(one[:, None, 0] ^ two[None, :, 0]) + np.bitwise_count(one[:, None, 1] ^ two[None, :, 1])
    at = bits.argmin(axis=1)
    rows = np.arange(len(one))
    best = bits[rows, at].astype(np.int64)
    bits[rows, at] = 255
    good = np.flatnonzero((best <= _ALIKE) & (best < _CLEARLY * bits.min(axis=1)))
    return np.stack((good, at[good], best[good]), axis=1)


def _agreeing(start: NDArray[np.complex128], end: NDArray[np.complex128]) -> int:
    """Corners that one turn, scale and shift take to where they are; the most of all that are tried."""
    first, second = np.triu_indices(min(len(start), _TRIED), 1)
    span = start[second] - start[first]
    wide = np.abs(span) > 4 * _CELL
    first, second = first[wide], second[wide]
    turn = (end[second] - end[first]) / span[wide]
    sound = (np.abs(turn) > _SCALES[0]) & (np.abs(turn) < _SCALES[1])
    if not sound.any():
        return 0
    turn = turn[sound]
    shift = end[first[sound]] - turn * start[first[sound]]
    fits = np.abs(turn[:, None] * start[None, :] + shift[:, None] - end[None, :]) < _NEAR
    best = fits[fits.sum(axis=1).argmax()]
    return min(_places(start[best]), _places(end[best]))


def _places(points: NDArray[np.complex128]) -> int:
    """How many different places: one corner is often found at several sizes."""
    return len(np.unique(np.round(points / _CELL)))


def _complex(places: NDArray[np.float64]) -> NDArray[np.complex128]:
    return places[:, 0] + 1j * places[:, 1]
