"""Facts of a TIFF: its first directory is EXIF's own IFD0, and a small EXIF block is copied out of it to be read like one.

Large files and BigTIFF are read that way like any other, and no sample or preview is looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from filters.identify import numbers as identifiers
from filters.metadata import exif
from filters.tiff import tags
from filters.tiff.directory import Directory, Layout
from filters.tiff.tree import Tree

_MAX_VALUE = 4096  # bytes of one value that is copied
_FIRST = frozenset((
    0x010E, 0x010F, 0x0110, 0x0112, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F, 0xC62F,
))  # fmt: skip
_SECOND = frozenset((0x9003, 0x9004, 0x927C, 0x9286, 0xA420, 0xA430, 0xA431, 0xA433, 0xA434, 0xA435))
_THIRD = frozenset(range(32))
_WORDS = (0x010D, 0x010E, 0x011D, 0x013B, 0x8298, 0x9286)  # texts in which numbers of patients are looked for
_KINDS = frozenset(range(1, 14))


def read(data: bytes, tree: Tree) -> exif.ExifFacts:
    """What the file says about camera, owner, place and time.  Never raises."""
    order = tree.form.order
    second, third = tree.info.get(tags.EXIF_POINTER), tree.info.get(tags.GPS_POINTER)
    block = bytearray((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8))
    first = _values(data, tree.form, tree.chain[0].directory, _FIRST)
    children = [(tag, _values(data, tree.form, found, wanted)) for tag, found, wanted in
                ((tags.EXIF_POINTER, second, _SECOND), (tags.GPS_POINTER, third, _THIRD)) if found]  # fmt: skip
    at = len(block) + _size({**first, **{tag: (4, 1, b"\0" * 4) for tag, _ in children}})
    for tag, values in children:
        first[tag] = (4, 1, struct.pack(order + "I", at))
        at += _size(values)
    for values in (first, *(values for _, values in children)):
        block += _directory(values, len(block), order)
    return exif.facts(bytes(block))


def patient_numbers(data: bytes, tree: Tree) -> tuple[str, ...]:
    """Numbers of patients written in the texts of the first pages."""
    texts = []
    for page in tree.chain[:16]:
        for tag in _WORDS:
            one = page.directory.fields.get(tag)
            if one is not None and one.sound:
                texts.append(data[one.start : min(one.end, one.start + _MAX_VALUE)].decode("utf-8", "replace"))
    found = identifiers.find("\n".join(texts))
    return tuple(dict.fromkeys(one.value for one in found if one.strong))


def _values(data: bytes, form: Layout, found: Directory, wanted: frozenset[int]) -> dict[int, tuple[int, int, bytes]]:
    """Tag -> (kind, count, value bytes), long values cut short."""
    values: dict[int, tuple[int, int, bytes]] = {}
    for tag, one in found.fields.items():
        if tag not in wanted or not one.sound or not one.count or one.kind not in _KINDS:
            continue
        width = (one.end - one.start) // one.count
        count = min(one.count, _MAX_VALUE // width)
        values[tag] = (one.kind, count, data[one.start : one.start + count * width])
    return values


def _size(values: Mapping[int, tuple[int, int, bytes]]) -> int:
    return 2 + 12 * len(values) + 4 + sum(len(value) + (len(value) & 1) for _, _, value in values.values() if len(value) > 4)


def _directory(values: Mapping[int, tuple[int, int, bytes]], at: int, order: str) -> bytes:
    entries, rest = bytearray(struct.pack(order + "H", len(values))), bytearray()
    behind = at + 2 + 12 * len(values) + 4
    for tag in sorted(values):
        kind, count, value = values[tag]
        place = value.ljust(4, b"\0")
        if len(value) > 4:
            place = struct.pack(order + "I", behind + len(rest))
            rest += value + bytes(len(value) & 1)
        entries += struct.pack(order + "HHI", tag, kind, count) + place
    return bytes(entries) + bytes(4) + bytes(rest)
