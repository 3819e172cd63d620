"""A compound file of some kilobytes that is read as gigabytes.

Symptom: a mutated file of 14 KB took seconds and hundreds of megabytes.
Cause: the directory's size of a stream was believed, and a chain of sectors that runs in a circle never ends before that size.
Analysis: no stream is longer than its file; more is damage.
"""

from __future__ import annotations

import struct
import time

import pytest

from filters.api import Budget, Malformed
from filters.compound.ole import OLE
from tests.support.samples import ole

pytestmark = pytest.mark.unit


def test_a_stream_in_a_circle_ends_at_once() -> None:
    whole = bytearray(ole.compound({"WordDocument": bytes(8192)}))
    fat = 512 * (1 + struct.unpack_from("<I", whole, 76)[0])
    struct.pack_into("<II", whole, fat, 1, 0)  # sector 0 -> 1 -> 0 ...
    name = "WordDocument".encode("utf-16-le")
    struct.pack_into("<Q", whole, whole.index(name) + 120, 0xFFFFFF00)
    began = time.monotonic()
    with pytest.raises(Malformed):
        list(OLE["doc"].open(bytes(whole), Budget()))
    assert time.monotonic() - began < 1


def test_so_do_the_places_of_small_streams() -> None:
    """Their size stands in the root entry and in the header."""
    whole = ole.compound({"WordDocument": bytes(8192)})
    root = whole.index("Root Entry".encode("utf-16-le"))
    for at, value in ((root + 120, struct.pack("<Q", 0xFFFFFF00)), (64, struct.pack("<I", 0xFFFFFF))):
        with pytest.raises(Malformed):
            list(OLE["doc"].open(whole[:at] + value + whole[at + len(value) :], Budget()))
