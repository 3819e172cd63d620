"""The compressed movie box of old QuickTime files (QTFF "Compressed movie resources"): moov > cmov > dcom, cmvd."""

from __future__ import annotations

import zlib

from filters.api import Malformed, TooBig, Unsupported
from filters.bmff import boxes
from filters.bmff.boxes import Box
from filters.bmff.notes import Notes

_LONGEST = 32 << 20  # bytes; the box of an hour of film has about 2 MB


def movie(data: bytes, box: Box, notes: Notes) -> tuple[bytes, Box]:
    """(bytes, movie box in them): those of the file, or of the inflated copy.  Raises FilterError."""
    packed = next((child for child in boxes.walk(data, box.body, box.end) if child.kind == b"cmov"), None)
    if packed is None:
        return data, box
    parts = {child.kind: child for child in boxes.walk(data, packed.body, packed.end)}
    if parts.keys() != {b"dcom", b"cmvd"}:
        raise Malformed("a compressed movie box without its parts")
    method, content = parts[b"dcom"], parts[b"cmvd"]
    if data[method.body : method.end] != b"zlib":
        raise Unsupported("a movie box compressed in an unknown way")
    plain = _inflated(data[content.body + 4 : content.end], notes, packed)
    found = boxes.top(plain)
    if len(found) != 1 or found[0].kind != b"moov":
        raise Malformed("no movie box in the compressed one")
    return plain, found[0]


def _inflated(stream: bytes, notes: Notes, box: Box) -> bytes:
    worker = zlib.decompressobj()
    try:
        plain = worker.decompress(stream, _LONGEST)
    except zlib.error as error:
        raise Malformed("a movie box that cannot be inflated") from error
    if worker.unconsumed_tail:
        raise TooBig("limit of bytes")
    if not worker.eof:
        raise Malformed("a movie box that cannot be inflated")
    if worker.unused_data.strip(b"\0"):
        notes.note("bmff.reserved", box)
    return plain
