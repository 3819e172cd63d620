"""What a picture is recognised by, read from the bytes that ``filters.likeness`` makes; how far two of them are apart.

Fingerprints are personal data: outside a process they stand only as ``FingerprintKey`` makes them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

VERSION: Final = 1
_HEAD: Final = struct.Struct(">BHH128sB")  # version, width, height, signs, number of corners
_SHAPE: Final = 133  # octets before the number of corners: the picture as a whole
_CORNER: Final = np.dtype([("x", ">u2"), ("y", ">u2"), ("around", "u1", (16,))])
_SIGNS: Final = 1023  # of 1024 bits; one is always 0
_SHAPES_DIFFER: Final = 0.012  # of the ratio of the sides: rounding when a picture is made a quarter as large


class NotAFingerprint(ValueError):
    """Not the bytes of a fingerprint, or of a version not known here."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``signs``: 16 words of 64 bits; ``places``: n × 2, in pixels of a longest side of 480; ``around``: n × 2 words."""

    width: int
    height: int
    signs: NDArray[np.uint64] = field(repr=False)
    places: NDArray[np.float64] = field(repr=False)
    around: NDArray[np.uint64] = field(repr=False)


Probe = Sequence[Fingerprint]  # of one picture at hand: first as it would be kept, then at other sizes, then turned


def read(data: bytes) -> Fingerprint:
    """Raises NotAFingerprint."""
    if len(data) < _HEAD.size:
        raise NotAFingerprint("too short")
    version, width, height, signs, count = _HEAD.unpack_from(data)
    if version != VERSION or not width or not height or len(data) != _HEAD.size + count * _CORNER.itemsize:
        raise NotAFingerprint("of another kind")
    corners = np.frombuffer(data, _CORNER, count, _HEAD.size)
    places = np.stack((corners["x"], corners["y"]), axis=1).astype(np.float64) / 64
    return Fingerprint(width, height, np.frombuffer(signs, np.uint64), places, _words(corners["around"]))


def shape(data: bytes) -> bytes:
    """The part that tells of the picture as a whole, a fingerprint without corners.  Raises NotAFingerprint."""
    read(data)
    return data[:_SHAPE] + b"\0"


def probe(forms: Sequence[bytes]) -> list[Fingerprint]:
    """Raises NotAFingerprint."""
    if not forms:
        raise NotAFingerprint("nothing")
    return [read(one) for one in forms]


def apart(first: Fingerprint, second: Fingerprint) -> float:
    """The share of signs in which two pictures differ as a whole: 0 the same, 0.5 no likeness.

    1 when their sides have another ratio: then one is not the other saved anew.
    """
    here, there = first.width * second.height, second.width * first.height
    if abs(here - there) > _SHAPES_DIFFER * max(here, there):
        return 1.0
    return float(np.bitwise_count(first.signs ^ second.signs).sum()) / _SIGNS


def _words(octets: NDArray[Any]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(octets).view(np.uint64)
