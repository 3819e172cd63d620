"""Films whose samples are picture files of their own (Motion JPEG, PNG): the metadata in each is overwritten in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from filters.api import Unsupported
from filters.bmff.userdata import Patch

_SOI, _SOS, _EOI = 0xD8, 0xDA, 0xD9
_KEPT = ((0xE0, b"JFIF\0"), (0xE0, b"AVI1"), (0xEE, b"Adobe"))
_MOST_SEGMENTS = 1000


def jpeg(data: bytes, start: int, end: int) -> list[Patch]:
    """Patches of one JPEG sample: application segments and comments in front of the first scan become zeros."""
    found: list[Patch] = []
    at = start + 2
    for _ in range(_MOST_SEGMENTS):
        if at + 4 > end or data[at] != 0xFF or data[at + 1] in (_SOS, _EOI):
            return found
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        body, after = at + 4, min(at + 2 + size, end)
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if _beside(marker, data[body : body + 8]) and data.count(0, body, after) != max(0, after - body):
            found.append((body, bytes(after - body)))
        at = max(after, at + 2)
    return found


def _beside(marker: int, head: bytes) -> bool:
    """A segment that is not needed to decode; QuickTime's Motion JPEG A tells its fields in APP1."""
    if marker != 0xFE and not 0xE0 <= marker <= 0xEF:
        return False
    if marker == 0xE1 and head[4:8] == b"mjpg":
        return False
    return not any(marker == known and head.startswith(word) for known, word in _KEPT)


def png(data: bytes, start: int, end: int) -> list[Patch]:
    """A PNG sample may hold only chunks that are needed.  Raises Unsupported."""
    at = start + 8
    while at + 12 <= end:
        if data[at + 4 : at + 8] in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"tIME", b"caBX"):
            raise Unsupported("a film of PNG pictures with metadata")
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return []


CODECS: Mapping[bytes, Callable[[bytes, int, int], list[Patch]]] = {
    **dict.fromkeys((b"jpeg", b"JPEG", b"mjpa", b"mjpb", b"AVDJ"), jpeg),
    b"png ": png,
}
