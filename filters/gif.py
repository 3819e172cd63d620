"""The size of a small, plain GIF, so that spacers, tracking pixels and icons need not be opened (GIF89a).

Not a scrubber: a GIF that is anything else than plain has no size here.
"""

from __future__ import annotations

LARGEST = 8192  # bytes of a file that is looked at
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def plain_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) over screen and all frames; None when damaged, large, or holding anything but frames and loop counts."""
    if len(data) > LARGEST or data[:6] not in (b"GIF87a", b"GIF89a"):
        return None
    try:
        return _walk(data)
    except IndexError:
        return None


def _walk(data: bytes) -> tuple[int, int] | None:
    width, height = _word(data, 6), _word(data, 8)
    at, frames = 13 + _table(data[10]), 0
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            width, height = (
                max(width, _word(data, at + 1) + _word(data, at + 5)),
                max(height, _word(data, at + 3) + _word(data, at + 7)),
            )
            at, frames = _skip(data, at + 11 + _table(data[at + 9])), frames + 1
        elif data[at : at + 2] == b"\x21\xf9" or (data[at : at + 3] == b"\x21\xff\x0b" and data[at + 3 : at + 14] in _LOOPS):
            at = _skip(data, at + 2)
        else:
            return None
    return (width, height) if frames and at + 1 == len(data) else None


def _word(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _table(flags: int) -> int:
    """Bytes of the colour table the flags announce."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _skip(data: bytes, at: int) -> int:
    """Behind a chain of sub-blocks."""
    while data[at]:
        at += 1 + data[at]
    return at + 1
