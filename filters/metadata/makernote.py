"""Serial numbers of camera bodies in maker notes, where the maker writes none in EXIF's own tag: Nikon and Canon.

Maker notes are private formats; these two tags are told by ExifTool's tables (Nikon 0x001d, Canon 0x000c).
"""

from __future__ import annotations

from typing import Final

from filters.metadata import ifd

_NIKON: Final = b"Nikon\0\x02"  # behind it version and padding, then a TIFF block of its own
_NIKON_HEAD: Final = 10
_NIKON_SERIAL, _CANON_SERIAL = 0x001D, 0x000C


def body_serial(tiff: bytes, note: ifd.Entry, order: str, make: str) -> str:
    """The serial number in the maker note ``note`` of an EXIF block; "" where there is none that is known.  Never raises."""
    data = tiff[note.start : note.end]
    if data.startswith(_NIKON):
        return _nikon(data[_NIKON_HEAD:])
    if make.casefold().startswith("canon"):
        return _canon(tiff, note.start, order)
    return ""


def _nikon(block: bytes) -> str:
    order = ifd.byte_order(block)
    if order is None:
        return ""
    start = int.from_bytes(block[4:8], "little" if order == "<" else "big")
    for entry in ifd.scan(block, start, order):
        if entry.tag == _NIKON_SERIAL and entry.kind == 2:
            return _plain(block[entry.start : entry.end])
    return ""


def _canon(tiff: bytes, start: int, order: str) -> str:
    """A directory without a head, its offsets counted from the EXIF block's own."""
    for entry in ifd.scan(tiff, start, order):
        if entry.tag == _CANON_SERIAL and entry.kind == 4 and entry.numbers and entry.numbers[0]:
            return f"{entry.numbers[0]:010d}"
    return ""


def _plain(value: bytes) -> str:
    text = value[:80].split(b"\0")[0].decode("ascii", "replace").strip()
    return text.removeprefix("NO=").strip()
