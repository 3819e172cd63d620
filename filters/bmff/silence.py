"""Sound without any picture (dictations, voice memos): positively recognised, so that it may pass."""

from __future__ import annotations

from filters.api import FilterError
from filters.bmff import boxes
from filters.bmff.boxes import Box

_TOP = frozenset((b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"sidx", b"mfra", b"styp"))
# Sound, and words and clocks that go with it
_TRACKS = frozenset((b"soun", b"text", b"sbtl", b"subt", b"tmcd"))
# Boxes and keys that hold a picture: covers, thumbnails, previews, Nero's and QuickTime's
_PICTURES = (b"covr", b"thmb", b"tnal", b"snal", b"PICT", b"pnot", b"thum", b"uuid", b"jumb", b"moov")


def silent(data: bytes) -> bool:
    """True if an ISO base media file has tracks of sound, no other picture or film, and no cover.  Never raises.

    What else may stand in its bytes is for ``filters.sniff``.
    """
    try:
        return _silent(data)
    except FilterError:
        return False


def _silent(data: bytes) -> bool:
    found = boxes.top(data)
    movies = [box for box in found if box.kind == b"moov"]
    if len(movies) != 1 or boxes.tail(found, 0) != len(data) or any(box.kind not in _TOP for box in found):
        return False
    movie = movies[0]
    if any(data.find(word, movie.body, movie.end) >= 0 for word in _PICTURES):
        return False
    tracks = [box for box in boxes.walk(data, movie.body, movie.end) if box.kind == b"trak"]
    handlers = {_handler(data, track) for track in tracks}
    return b"soun" in handlers and handlers <= _TRACKS


def _handler(data: bytes, track: Box) -> bytes:
    """The handler type of a track, b"" when it cannot be told for sure."""
    media = [box for box in boxes.walk(data, track.body, track.end) if box.kind == b"mdia"]
    inner = [box for part in media for box in boxes.walk(data, part.body, part.end) if box.kind == b"hdlr"]
    return data[inner[0].body + 8 : inner[0].body + 12] if len(inner) == 1 else b""
