"""Pixel data: nothing hides behind the last frame or between coded frames (PS3.3 C.7.6.3, PS3.5 8.2, A.4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from filters.api import Malformed, Unsupported
from filters.bmff.scrubber import MP4
from filters.dicom import codestream, rle
from filters.dicom.element import PIXELS, Element, find, text
from filters.dicom.transfer import Coding, Transfer

_FRAMES, _ROWS, _COLUMNS, _SAMPLES, _ALLOCATED = 0x00280008, 0x00280010, 0x00280011, 0x00280002, 0x00280100
_STORED, _PHOTOMETRIC = 0x00280101, 0x00280004
_OFFSETS, _LENGTHS = 0x7FE00001, 0x7FE00002
_NATIVE = frozenset((PIXELS, 0x7FE00008, 0x7FE00009))
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\xff\x0a", b"\0\0\0\x0cjP  ", b"\0\0\0\x0cJXL ")


@dataclass(frozen=True, slots=True)
class Shape:
    """The Image Pixel Module."""

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    frames: int
    photometric: str

    @property
    def size(self) -> int:
        """Bytes of all frames without coding."""
        samples = 2 if self.photometric == "YBR_FULL_422" and self.samples == 3 else self.samples
        return (self.rows * self.columns * samples * self.frames * self.allocated + 7) // 8


def shape(elements: Sequence[Element], big: bool) -> Shape | None:
    """What the elements say, None when there are no pixels.  Raises Malformed."""
    if not any(element.tag in _NATIVE for element in elements):
        return None
    values = {tag: _number(elements, tag, big=big) for tag in (_ROWS, _COLUMNS, _SAMPLES, _ALLOCATED, _STORED)}
    frames = _frames(elements)
    if not values[_ROWS] or not values[_COLUMNS] or not values[_ALLOCATED] or frames < 1:
        raise Malformed("pixels without a shape")
    return Shape(
        values[_ROWS], values[_COLUMNS], values[_SAMPLES] or 1, values[_ALLOCATED], values[_STORED] or values[_ALLOCATED], frames,
        text(elements, _PHOTOMETRIC),
    )  # fmt: skip


def signed(elements: Sequence[Element]) -> bool:
    """Pixel Representation says two's complement (little endian)."""
    return bool(_number(elements, 0x00280103, big=False))


def _number(elements: Sequence[Element], tag: int, *, big: bool) -> int:
    element = find(elements, tag)
    return element.number(big) if element is not None and element.items is None else 0


def _frames(elements: Sequence[Element]) -> int:
    told = text(elements, _FRAMES).split("\\")[0].strip()
    if not told:
        return 1
    if not told.isascii() or not told.isdecimal() or len(told) > 9:
        raise Malformed("number of frames")
    return int(told) or 1


def clean(elements: list[Element], transfer: Transfer) -> tuple[list[Element], str]:
    """The elements with clean pixel data, and the code of what went ("" when nothing did).  Raises FilterError."""
    pixels = find(elements, PIXELS)
    seen = shape(elements, transfer.syntax.big)
    if seen is None or pixels is None:
        return elements, ""
    if pixels.fragments is None:
        if transfer.coding is not Coding.NATIVE:
            raise Malformed("coded pixels without fragments")
        return _native(elements, pixels, seen)
    if transfer.coding is Coding.NATIVE and not transfer.uid.endswith(".98"):
        raise Malformed("fragments of pixels that are not coded")
    if transfer.video:
        return _video(elements, pixels)
    return _coded(elements, pixels, transfer.coding, seen)


def _native(elements: list[Element], pixels: Element, seen: Shape) -> tuple[list[Element], str]:
    size = seen.size
    if not any(pixels.value[size + (size & 1) :]):
        return elements, ""
    return _swap(elements, {PIXELS: replace(pixels, value=pixels.value[:size])}), "dicom.pixel-tail"


def _coded(elements: list[Element], pixels: Element, coding: Coding, seen: Shape) -> tuple[list[Element], str]:
    assert pixels.fragments is not None
    if not pixels.fragments:
        raise Malformed("no fragments")
    table, *fragments = pixels.fragments
    groups = _groups(fragments, coding, seen.frames)
    _check_offsets(bytes(table), groups)
    done = [_frame(group, coding, seen.rows * seen.columns) for group in groups]
    if all(new is old for new, old in zip(done, groups, strict=True)):
        return elements, ""
    offsets, starts = _starts(done)
    new = {PIXELS: replace(pixels, fragments=[struct.pack(f"<{len(starts)}I", *starts) if table else b"", *offsets])}
    extended, lengths = find(elements, _OFFSETS), find(elements, _LENGTHS)
    if extended is not None and lengths is not None:
        new[_OFFSETS] = replace(extended, value=struct.pack(f"<{len(starts)}Q", *starts))
        new[_LENGTHS] = replace(lengths, value=struct.pack(f"<{len(starts)}Q", *(sum(map(len, group)) for group in done)))
    return _swap(elements, new), "dicom.frame-metadata"


def _video(elements: list[Element], pixels: Element) -> tuple[list[Element], str]:
    """One stream over all fragments (PS3.5 8.2.5): cleaned where it is an MP4 file, else refused."""
    assert pixels.fragments is not None
    if len(pixels.fragments) < 2:
        raise Malformed("no fragments")
    table, *parts = pixels.fragments
    stream = b"".join(parts)
    if stream[4:8] != b"ftyp":
        raise Unsupported("coded video that is no MP4 file")
    done = codestream.padded(MP4.scrub(stream).data, stream)
    if done is stream:
        return elements, ""
    return _swap(elements, {PIXELS: replace(pixels, fragments=[bytes(4) if table else b"", done])}), "dicom.frame-metadata"


_Group = list[bytes | memoryview]


def _groups(fragments: Sequence[bytes | memoryview], coding: Coding, frames: int) -> list[_Group]:
    """The fragments of each frame.  Raises Malformed where programs would group them differently."""
    if coding in (Coding.RLE, Coding.NATIVE):
        groups = [[fragment] for fragment in fragments]
    else:
        groups = []
        for fragment in fragments:
            if bytes(fragment[:8]).startswith(_STARTS) or not groups:
                groups.append([])
            groups[-1].append(fragment)
    if len(groups) != frames:
        raise Malformed("number of coded frames")
    return groups


def _starts(groups: Sequence[_Group]) -> tuple[list[bytes | memoryview], list[int]]:
    """(all fragments, where each frame begins behind the offset table)."""
    fragments: list[bytes | memoryview] = []
    starts: list[int] = []
    at = 0
    for group in groups:
        starts.append(at)
        for fragment in group:
            at += 8 + len(fragment) + (len(fragment) & 1)
            fragments.append(fragment)
    return fragments, starts


def _check_offsets(table: bytes, groups: Sequence[_Group]) -> None:
    if not table:
        return
    if len(table) % 4:
        raise Malformed("offset table of the frames")
    if list(struct.unpack(f"<{len(table) // 4}I", table)) != _starts(groups)[1]:
        raise Malformed("offset table of the frames")


def _frame(group: _Group, coding: Coding, plane: int) -> _Group:
    frame = bytes(group[0]) if len(group) == 1 else b"".join(group)
    done = rle.clean(frame, plane) if coding is Coding.RLE else codestream.clean(frame, coding)
    return group if done is frame else [done]


def _swap(elements: list[Element], new: dict[int, Element]) -> list[Element]:
    return [new.get(element.tag, element) for element in elements]
