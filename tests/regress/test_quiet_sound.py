"""Dictations and voicemail are no pictures."""

from __future__ import annotations

import random
import struct

import pytest

from filters.text import embedded
from tests.support.canary_images import photo_jpeg

pytestmark = pytest.mark.unit


def wav(seed: int, seconds: float = 8.0, loud: int = 60) -> bytes:
    """Quiet 16-bit sound, 8 kHz."""
    rng = random.Random(seed)
    samples = [int(rng.gauss(0, loud)) for _ in range(int(8000 * seconds))]
    data = struct.pack(f"<{len(samples)}h", *samples)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", len(data)
    )
    return head + data


@pytest.mark.parametrize("seed", range(12))
def test_quiet_sound_holds_no_picture(seed: int) -> None:
    """Symptom: more than half of all quiet dictations were held as ``text.raw-image``.

    Cause: FF D8 FF, a byte above BF and 00 were taken for the start of a JPEG.  Analysis: small negative samples are xx FF, so
    quiet sound is full of it; what makes a JPEG is that segments follow each other.
    """
    sound = wav(seed)
    assert not [one for one in embedded(sound, html=False) if one.code == "text.raw-image"]


@pytest.mark.parametrize("seed", range(4))
def test_a_photograph_behind_quiet_sound_is_seen(seed: int) -> None:
    """The other side: the picture is found wherever it stands, behind whatever looks like one."""
    photo = photo_jpeg(seed=seed)
    for hidden in (wav(seed) + photo + wav(seed + 1, 1), wav(seed) + photo[: len(photo) // 2]):
        assert [one for one in embedded(hidden, html=False) if one.code == "text.raw-image"]
