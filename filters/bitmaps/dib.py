"""Device-independent bitmaps: header, colour table, samples (Windows GDI, BITMAPCOREHEADER to BITMAPV5HEADER).

Shared by BMP files, headerless bitmaps and the entries of icons.  What is not needed to show the samples is found here: path and
reserved fields of the header, colours that no sample can point to, bytes in the padding of rows.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from filters.api import Malformed, TooBig, Unsupported

MAX_PIXELS = 200_000_000
CORE, OS2_SHORT, INFO, MASKS, ALPHA, OS2, V4, V5 = 12, 16, 40, 52, 56, 64, 108, 124
_SIZES = frozenset((CORE, OS2_SHORT, INFO, MASKS, ALPHA, OS2, V4, V5))
RGB, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6
_DEPTHS = {RGB: (1, 2, 4, 8, 16, 24, 32, 64), RLE8: (8,), RLE4: (4,), BITFIELDS: (16, 32), ALPHA_BITFIELDS: (16, 32)}
LINKED, EMBEDDED, SRGB = b"KNIL", b"DEBM", b"BGRs"  # bV5CSType as it stands in the file
_SPACE, _PROFILE = 56, 112  # offsets in the header: colour space, place and size of the profile


@dataclass(frozen=True, slots=True)
class Header:
    """A bitmap's header.  ``size`` of the header itself; ``masks`` bytes of colour masks behind it; ``colours`` of the table,
    ``entry`` bytes each; ``flipped``: rows from the top."""

    size: int
    width: int
    height: int
    bits: int
    compression: int
    masks: int
    colours: int
    entry: int
    told: int  # colours the header tells
    image_size: int  # as the header tells it, 0 = not told

    @property
    def end(self) -> int:
        """Where the samples may begin: behind header, masks and colour table."""
        return self.size + self.masks + self.colours * self.entry

    @property
    def stride(self) -> int:
        """Bytes of a row of uncompressed samples."""
        return (self.width * self.bits + 31) // 32 * 4

    @property
    def row(self) -> int:
        """Bytes of a row that hold samples."""
        return (self.width * self.bits + 7) // 8

    @property
    def packed(self) -> bool:
        return self.compression in (RLE8, RLE4)


def header(data: bytes, at: int) -> Header:
    """The header at ``at``.  Raises Malformed, Unsupported, TooBig."""
    size = int.from_bytes(data[at : at + 4], "little")
    if size not in _SIZES or at + size > len(data):
        raise Malformed("header length")
    if size == CORE:
        width, height, planes, bits = struct.unpack_from("<HHHH", data, at + 4)
        compression = image_size = told = 0
    else:
        width, height, planes, bits = struct.unpack_from("<iiHH", data, at + 4)
        compression, image_size, told = _further(data, at, size)
    return _checked(size, width, height, planes, bits, compression, told, image_size)


def _further(data: bytes, at: int, size: int) -> tuple[int, int, int]:
    """(compression, size of the samples, colours)."""
    if size == OS2_SHORT:
        return RGB, 0, 0
    compression, image_size, _, _, told = struct.unpack_from("<IIiiI", data, at + 16)
    if size == OS2 and compression > RLE4:
        raise Unsupported("bmp: OS/2 compression")  # 3 and 4 mean other things there
    return compression, image_size, told


def _checked(size: int, width: int, height: int, planes: int, bits: int, compression: int, told: int, image_size: int) -> Header:
    if compression in (4, 5):
        raise Unsupported("bmp: JPEG or PNG inside")
    if bits not in _DEPTHS.get(compression, ()) or planes != 1 or width <= 0 or not height:
        raise Malformed("header values")
    if width * abs(height) > MAX_PIXELS:
        raise TooBig("more than 200 megapixels")
    if height < 0 and compression in (RLE8, RLE4):
        raise Malformed("packed from the top")
    masks = {BITFIELDS: 12, ALPHA_BITFIELDS: 16}.get(compression, 0) if size == INFO else 0
    most = 1 << bits if bits <= 8 else 0
    colours = min(told or most, most) if bits <= 8 else told
    return Header(size, width, abs(height), bits, compression, masks, colours, 3 if size == CORE else 4, told, image_size)


def samples_end(data: bytes, at: int, head: Header) -> int:
    """Where the samples that begin at ``at`` end for every decoder.  Raises Malformed."""
    if head.packed:
        return _packed_end(data, at, head)
    end = at + head.stride * head.height
    if len(data) < end - (head.stride - head.row):  # the padding of the last row may be missing
        raise Malformed("truncated samples")
    return min(end, len(data))


def _packed_end(data: bytes, at: int, head: Header) -> int:
    """Behind the end code of run-length coded samples, or behind the last row."""
    row, size = 0, len(data)
    while row < head.height:
        if at + 2 > size:
            raise Malformed("truncated samples")
        count, code = data[at], data[at + 1]
        at += 2
        if count or not code:
            row += not count  # end of line
            continue
        if code == 1:  # end of bitmap
            return at
        if code == 2:  # delta
            row += data[at + 1] if at + 2 <= size else head.height
            at += 2
        else:
            length = code if head.compression == RLE8 else (code + 1) // 2
            at += length + (length & 1)
    if at > size:
        raise Malformed("truncated samples")
    if data[at : at + 2] == b"\0\1":
        return at + 2
    if any(data[at:]):
        raise Malformed("samples behind the last row")  # decoders count rows differently
    return at


def packed_table(head: Header) -> None:
    """Where no file header says where the samples begin, the number of colours must.  Raises Malformed.

    More colours than samples can point to, or any for true colour: some programs count them and some do not.
    """
    if head.told > (1 << head.bits if head.bits <= 8 else 0):
        raise Malformed("colour table of a bitmap that needs none")


def neutral(head: bytes, told: Header, profile: tuple[int, int] = (0, 0)) -> bytes:
    """The header ``head`` with what no decoder needs set to zero, the number of colours right, the profile at ``profile``.

    ``profile``: (offset from the start of the header, size), (0, 0) for none.
    """
    out = bytearray(head)
    if told.size >= INFO:
        most = 1 << told.bits if told.bits <= 8 else 0
        if told.told > most:
            out[32:36] = most.to_bytes(4, "little") if told.bits <= 8 else bytes(4)
        if int.from_bytes(out[36:40], "little") > most:
            out[36:40] = bytes(4)
    if told.size == OS2:
        out[40:64] = out[40:42] + bytes(2) + out[44:46] + bytes(18)  # units, recording order; the rest is the writer's
    if told.size >= V4:
        _neutral_space(out, profile)
    return bytes(out)


def _neutral_space(out: bytearray, profile: tuple[int, int]) -> None:
    """Colour space, end points, gamma, profile (BITMAPV4HEADER, BITMAPV5HEADER)."""
    space = bytes(out[_SPACE : _SPACE + 4])
    if space == LINKED or (space == EMBEDDED and not profile[1]):
        space = SRGB
        out[_SPACE : _SPACE + 4] = space
    if space != bytes(4):
        out[60:108] = bytes(48)  # end points and gamma count only for calibrated colours
    if len(out) == V5:
        out[_PROFILE:V5] = struct.pack("<III", *(profile if space == EMBEDDED else (0, 0)), 0)


def space(data: bytes, at: int, head: Header) -> tuple[bytes, int, int]:
    """(colour space, offset of the profile from the start of the header, its size)."""
    if head.size < V5:
        return data[at + _SPACE : at + _SPACE + 4] if head.size == V4 else b"", 0, 0
    return data[at + _SPACE : at + _SPACE + 4], *struct.unpack_from("<II", data, at + _PROFILE)


def padded(samples: bytes, stride: int, row: int) -> bytes:
    """Uncompressed rows with zeros in their padding; the very same object when they are zero already."""
    whole = len(samples) // stride if row < stride else 0
    if not whole:
        return samples
    rows = np.frombuffer(samples, np.uint8, whole * stride).reshape(whole, stride)
    rest = samples[whole * stride :]
    if not rows[:, row:].any() and not any(rest[row:]):
        return samples
    clean = rows.copy()
    clean[:, row:] = 0
    return clean.tobytes() + rest[:row] + bytes(max(0, len(rest) - row))
