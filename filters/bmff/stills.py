"""Films whose samples are picture files of their own (Motion JPEG, PNG): the metadata in each is overwritten in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from filters.api import Unsupported
from filters.bmff.userdata import Patch

_SOI, _SOS, _EOI = 0xD8, 0xDA, 0xD9
# (marker, place of a word, the word, bytes with a meaning): JFIF without its thumbnail, Motion JPEG's fields, Adobe's colours
_KEPT = ((0xE0, 0, b"JFIF\0", 12), (0xE0, 0, b"AVI1", 16), (0xEE, 0, b"Adobe", 12), (0xE1, 4, b"mjpg", 44))
_MOST_SEGMENTS = 1000


def jpeg(data: bytes, start: int, end: int) -> list[Patch]:
    """Patches of one JPEG sample: application segments and comments in front of the first scan become zeros."""
    found: list[Patch] = []
    at = start + 2
    for _ in range(_MOST_SEGMENTS):
        marker = data.find(b"\xff", at, end)
        if marker < 0 or marker + 4 > end or not data.startswith(b"\xff\xd8", start):
            return found
        if data.count(0, at, marker) < marker - at:  # bytes that no marker announces
            found.append((at, bytes(marker - at)))
        kind, body = data[marker + 1], marker + 4
        if kind in (_SOS, _EOI):
            return found
        if kind in (0, 0xFF):  # no marker, a fill byte
            at = marker + 1
            continue
        after = min(marker + 2 + int.from_bytes(data[marker + 2 : body], "big"), end)
        words = body + _meaning(kind, data[body : body + 8])
        if data.count(0, words, after) < after - words:
            found.append((words, bytes(after - words)))
        at = max(after, marker + 2)
    return found


def _meaning(marker: int, head: bytes) -> int:
    """Bytes at the beginning of a segment that a decoder needs: all of a coding segment, few or none of others."""
    if marker != 0xFE and not 0xE0 <= marker <= 0xEF:
        return 0xFFFF
    return next((size for known, at, word, size in _KEPT if marker == known and head.startswith(word, at)), 0)


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
