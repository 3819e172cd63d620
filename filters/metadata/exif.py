"""EXIF: facts for the policy, and the one block we write ourselves.  EXIF 3.0 (CIPA DC-008), TIFF 6.0.

piexif reads the facts; it is given only blocks whose directories our own bounded reader found sound, because it unpacks
as many values as a directory claims.  What it cannot read falls back to our reader.  It never cleans anything.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import piexif

from filters.metadata import ifd
from filters.metadata.makernote import body_serial

PREFIX = b"Exif\0\0"
ORIENTATION = 0x0112
EXIF_POINTER, GPS_POINTER, INTEROP_POINTER = 0x8769, 0x8825, 0xA005
MAKER_NOTE, BODY_SERIAL = 0x927C, 0xA431
ASCII = 2  # type of a text (TIFF 6.0, section 2)

# tag -> code, per directory of piexif's dictionary
_CODES: Mapping[str, Mapping[int, str]] = {
    "0th": {
        0x010F: "exif.make", 0x0110: "exif.model", 0x0132: "exif.datetime", 0x013B: "exif.owner", 0x9C9D: "exif.owner",
        0xC62F: "exif.serial", 0x010E: "exif.text", 0x8298: "exif.text", 0x9C9B: "exif.text", 0x9C9C: "exif.text",
        0x9C9E: "exif.text", 0x9C9F: "exif.text", 0x0131: "exif.software", 0x013C: "exif.software", 0x83BB: "exif.text",
        0x8649: "exif.text", 0x02BC: "exif.text",
    },
    "Exif": {
        0x9003: "exif.datetime", 0x9004: "exif.datetime", 0xA430: "exif.owner", 0xA431: "exif.serial", 0xA435: "exif.serial",
        0xA420: "exif.serial", 0x927C: "exif.maker-note", 0x9286: "exif.text", 0xA433: "exif.make", 0xA434: "exif.model",
    },
}  # fmt: skip

# What a display-only block may hold: tag -> most values.  Everything else makes the block one to be removed.
_DISPLAY: Mapping[str, Mapping[int, int]] = {
    "0th": {ORIENTATION: 1, 0x011A: 1, 0x011B: 1, 0x0128: 1, 0x0213: 1, EXIF_POINTER: 1},
    "Exif": {0x9000: 4, 0x9101: 4, 0xA000: 4, 0xA001: 1, 0xA002: 1, 0xA003: 1, 0xA500: 1, INTEROP_POINTER: 1},
    "Interop": {0x0001: 4, 0x0002: 4},
}
_PIEXIF_MAX = 4 << 20  # bytes; JPEG's own limit is 64 kB a segment, PNG has none
_DISPLAY_MAX = 400  # bytes; a block of the tags above is smaller


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """What an EXIF block says.  ``damaged`` when no program could read it whole."""

    orientation: int = 1
    codes: frozenset[str] = frozenset()
    make: str = field(default="", repr=False)
    model: str = field(default="", repr=False)
    serial: str = field(default="", repr=False)
    taken: str = field(default="", repr=False)
    damaged: bool = False
    declared: bool = False  # the block has an orientation tag


def facts(tiff: bytes) -> ExifFacts:
    """Facts of one TIFF-structured EXIF block (without "Exif\\0\\0").  Never raises: what cannot be read is absent."""
    order = ifd.byte_order(tiff)
    if order is None:
        return ExifFacts(damaged=True)
    if not _sound(tiff, order):
        return _fallback(tiff, order)
    try:
        tree = piexif.load(PREFIX + tiff)
    except (struct.error, ValueError, TypeError, LookupError, AttributeError):
        return _fallback(tiff, order)  # piexif knows fewer types and trusts more than the field's cameras keep to
    codes = {code for name, table in _CODES.items() for tag, code in table.items() if tree[name].get(tag)}
    if any(tag for tag in tree["GPS"]):  # tag 0 is only the version
        codes.add("exif.gps")
    if tree.get("thumbnail") or tree["1st"]:
        codes.add("exif.thumbnail")
    first, second = tree["0th"], tree["Exif"]
    directory = ifd.read(tiff, _first(tiff, order), order)
    serial = _text(second.get(BODY_SERIAL)) or _text(first.get(0xC62F))
    return ExifFacts(
        orientation=_turn(directory),
        declared=directory is not None and directory.number(ORIENTATION) is not None,
        codes=frozenset(codes),
        make=_text(first.get(0x010F)),
        model=_text(first.get(0x0110)),
        serial=serial or _noted(tiff, directory, order, _text(first.get(0x010F))),
        taken=_text(second.get(0x9003)) or _text(first.get(0x0132)),
    )


def _noted(tiff: bytes, directory: ifd.Directory | None, order: str, make: str) -> str:
    """The serial number that stands in the maker note alone."""
    offset = directory.number(EXIF_POINTER) if directory is not None else None
    inner = ifd.scan(tiff, offset, order) if offset is not None else ()
    note = next((entry for entry in inner if entry.tag == MAKER_NOTE), None)
    return body_serial(tiff, note, order, make) if note is not None else ""


def orientation_only(turn: int) -> bytes:
    """A minimal EXIF block ("Exif\\0\\0" + TIFF) that says nothing but the orientation (1-8)."""
    if not 1 <= turn <= 8:
        raise ValueError("EXIF orientation is 1 to 8")
    return bytes(piexif.dump({"0th": {ORIENTATION: turn}}))


def display_only(tiff: bytes) -> bool:
    """True if the block holds nothing but display tags (orientation, resolution, colour space), every byte accounted for."""
    order = ifd.byte_order(tiff)
    if order is None or len(tiff) > _DISPLAY_MAX:
        return False
    used: list[tuple[int, int]] = [(0, 8)]
    todo = [("0th", _first(tiff, order))]
    while todo:
        name, offset = todo.pop()
        directory = ifd.read(tiff, offset, order)
        if directory is None or directory.next or len(used) > 64:
            return False
        used.append((directory.start, directory.end))
        for entry in directory.entries:
            if entry.count > _DISPLAY[name].get(entry.tag, 0):
                return False
            used.append((entry.start, entry.end))
            if entry.inline and any(tiff[entry.end : entry.start + 4]):
                return False  # the unused bytes of an inline value
            if entry.tag in (EXIF_POINTER, INTEROP_POINTER):
                if not entry.numbers:
                    return False
                todo.append(("Exif" if entry.tag == EXIF_POINTER else "Interop", entry.numbers[0]))
    return _covered(tiff, used)


def _covered(tiff: bytes, used: list[tuple[int, int]]) -> bool:
    """No byte outside ``used`` is other than zero."""
    at = 0
    for start, end in sorted(used):
        if start > at and any(tiff[at:start]):
            return False
        at = max(at, end)
    return not any(tiff[at:])


def _first(tiff: bytes, order: str) -> int:
    return int(struct.unpack_from(order + "I", tiff, 4)[0]) if len(tiff) >= 8 else 0


def _turn(directory: ifd.Directory | None) -> int:
    turn = directory.number(ORIENTATION) if directory else None
    return turn if turn is not None and 1 <= turn <= 8 else 1


def _sound(tiff: bytes, order: str) -> bool:
    """Every directory that piexif will follow lies inside the block with all its values, and none is told twice."""
    if len(tiff) > _PIEXIF_MAX:
        return False
    first = ifd.read(tiff, _first(tiff, order), order)
    if first is None:
        return False
    offsets = [first.next] if first.next else []
    for pointer in (EXIF_POINTER, GPS_POINTER):
        offset = first.number(pointer)
        if offset is None:
            continue
        offsets.append(offset)
        if pointer == EXIF_POINTER:
            second = ifd.read(tiff, offset, order)
            interop = second.number(INTEROP_POINTER) if second else None
            offsets += [interop] if interop is not None else []
    directories = [first, *(ifd.read(tiff, offset, order) for offset in offsets)]
    sizes = [sum(entry.end - entry.start for entry in found.entries) for found in directories if found is not None]
    return len(sizes) == len(directories) and sum(sizes) <= len(tiff)


def _fallback(tiff: bytes, order: str) -> ExifFacts:
    """Facts by our own reader, from as much of the first directories as can be read."""
    turn, declared, texts, codes = 1, False, dict.fromkeys((0x010F, 0x0110, 0x0132), ""), set[str]()
    serial = ""
    for entry in ifd.scan(tiff, _first(tiff, order), order):
        if entry.tag == ORIENTATION and entry.numbers:
            turn, declared = (entry.numbers[0] if 1 <= entry.numbers[0] <= 8 else 1), True
        if entry.tag in texts:
            texts[entry.tag] = _text(tiff[entry.start : entry.end])
        if entry.tag == GPS_POINTER:
            codes.add("exif.gps")
        if entry.count and entry.tag in _CODES["0th"]:
            codes.add(_CODES["0th"][entry.tag])
        if entry.tag == EXIF_POINTER and entry.numbers:
            inner = tuple(ifd.scan(tiff, entry.numbers[0], order))
            codes |= {_CODES["Exif"][e.tag] for e in inner if e.count and e.tag in _CODES["Exif"]}
            serial = next((_text(tiff[e.start : e.end]) for e in inner if e.tag == BODY_SERIAL and e.kind == ASCII), "")
    make, model, taken = texts.values()
    return ExifFacts(turn, frozenset(codes), make, model, serial, taken, damaged=True, declared=declared)


def _text(value: Any) -> str:
    """A text value as piexif gives it (bytes, or a tuple when the type was wrong)."""
    if not isinstance(value, bytes):
        return ""
    return value[:200].split(b"\0")[0].decode("utf-8", "replace").strip()
