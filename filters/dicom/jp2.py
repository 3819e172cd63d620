"""JPEG 2000 frames in the boxes of a JP2 file, which PS3.5 A.4.4 forbids and machines write all the same (T.800 Annex I)."""

from __future__ import annotations

from collections.abc import Callable

from filters.api import Malformed, Unsupported
from filters.metadata import icc

SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_KEPT = frozenset((b"jP  ", b"ftyp"))
_NUMBERS = frozenset((b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"res "))
_MAX_BOXES = 100


def clean(frame: bytes, codestream: Callable[[bytes], bytes]) -> bytes:
    """The frame with the boxes that show it; the very same object when it has no others.  Raises FilterError."""
    out: list[bytes] = []
    for name, at, body, end in _boxes(frame, 0, len(frame)):
        if name == b"jp2c":
            out += [frame[at:body], codestream(frame[body:end])]
        elif name == b"jp2h":
            out.append(_header(frame, at, body, end))
        elif name in _KEPT:
            out.append(frame[at:end])
    done = b"".join(out)
    return frame if done == frame else done


def _boxes(frame: bytes, at: int, stop: int) -> list[tuple[bytes, int, int, int]]:
    """(name, offset, offset of its body, end) of each box; a few bytes of padding may follow."""
    boxes: list[tuple[bytes, int, int, int]] = []
    while stop - at >= 8:
        size, name, body = int.from_bytes(frame[at : at + 4], "big"), frame[at + 4 : at + 8], at + 8
        if not size and not any(frame[at:stop]):
            break  # padding
        if size == 1:
            size, body = int.from_bytes(frame[at + 8 : at + 16], "big"), at + 16
        end = at + size if size else stop
        if end < body or end > stop or len(boxes) > _MAX_BOXES:
            raise Malformed("bad box in a frame")
        boxes.append((name, at, body, end))
        at = end
    return boxes


def _header(frame: bytes, start: int, at: int, end: int) -> bytes:
    """The header box with boxes of numbers and the words taken out of its colour profiles."""
    out: list[bytes] = []
    for name, begin, body, stop in _boxes(frame, at, end):
        if name == b"colr" and frame[body : body + 1] != b"\1":
            out.append(_colours(frame[begin:stop], body - begin))
        elif name in _NUMBERS:
            out.append(frame[begin:stop])
    inner = b"".join(out)
    return frame[start:end] if inner == frame[at:end] else _box(b"jp2h", inner)


def _colours(box: bytes, body: int) -> bytes:
    """A colour specification by ICC profile (T.800 I.5.3.3)."""
    profile = box[body + 3 :]
    cleaned = icc.clean(profile)
    if box[body : body + 1] not in (b"\2", b"\3") or cleaned.data is None:
        raise Unsupported("colours of a frame")
    return box if cleaned.data is profile else _box(b"colr", box[body : body + 3] + cleaned.data)


def _box(name: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + name + body
