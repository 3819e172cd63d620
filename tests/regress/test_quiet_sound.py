"""Quiet sound holds the first bytes of pictures by chance."""

from __future__ import annotations

import struct

import pytest

from filters.sniff import sniff
from tests.support.canary_images import photo_jpeg

pytestmark = pytest.mark.unit


def wave(samples: bytes) -> bytes:
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16) + b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", len(head) + len(samples)) + head + samples


@pytest.mark.parametrize("chance", [b"\xff\x4f\xff\x51\0\0\0\1", b"\xff\xd8\xff\xda\0\x08\1\0\0\0", b"\xff\xd8\xff\0"])
def test_a_voicemail_is_not_held_for_a_few_bytes(chance: bytes) -> None:
    """Symptom: about one quiet voicemail in 160 was held as ``sniff.embedded-image``.

    Cause: five bytes of JPEG 2000, or a JPEG's start and a scan without tables, counted as a picture.  Analysis: a codestream
    says its number of components twice, and a scan shows nothing before its tables.
    """
    assert sniff(wave(bytes(4000) + chance + bytes(4000))).harmless


def test_a_photograph_in_a_sound_file_is_still_seen() -> None:
    assert not sniff(wave(bytes(400) + photo_jpeg(1, (40, 30)) + bytes(400))).harmless
    stream = b"\xff\x4f\xff\x51" + struct.pack(">HH8IH", 41, 0, 16, 16, 0, 0, 16, 16, 0, 0, 1) + b"\7\1\1"
    assert not sniff(wave(bytes(400) + stream + bytes(400))).harmless
