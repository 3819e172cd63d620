"""A DICOM file (PS3.10 section 7): preamble, file meta information, data set; or the bare data set that old machines send."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace

from filters.api import Malformed, TooBig, Unsupported
from filters.dicom import vr
from filters.dicom.element import BIG, EXPLICIT, IMPLICIT, Element, Syntax, text
from filters.dicom.reader import Reader
from filters.dicom.transfer import TRANSFERS, Transfer

PREAMBLE, MAGIC = 128, b"DICM"
_TRANSFER_SYNTAX = 0x00020010
_MAX_INFLATED, _INFLATED_FREE, _MAX_RATIO = 512 << 20, 64 << 20, 200  # bytes, bytes whatever the ratio, decoded : stored


@dataclass(slots=True)
class File:
    """What was read.  Offsets of elements are those in ``body``, the data set as it was inflated."""

    transfer: Transfer
    meta: list[Element] = field(repr=False)
    elements: list[Element] = field(repr=False)
    preamble: bool  # something stands in it
    headless: bool  # no preamble
    trailer: bool  # something stands behind the data set
    packed: bytes = field(default=b"", repr=False)  # the deflated data set as it stands in the file
    body: bytes = field(default=b"", repr=False)


def parse(data: bytes) -> File:
    """The file's elements.  Raises FilterError."""
    if data.startswith(MAGIC, PREAMBLE):
        meta, at = Reader(data).group(PREAMBLE + 4, 2, EXPLICIT)
        return _data_set(data, at, meta, preamble=any(data[:PREAMBLE]), headless=False)
    if data[:2] == b"\x02\0":
        meta, at = Reader(data).group(0, 2, EXPLICIT)
        return _data_set(data, at, meta, preamble=False, headless=True)
    return _data_set(data, 0, [], preamble=False, headless=True)


def _data_set(data: bytes, at: int, meta: list[Element], *, preamble: bool, headless: bool) -> File:
    transfer = _transfer(data, at, text(meta, _TRANSFER_SYNTAX))
    packed, body, start = b"", data, at
    if transfer.deflated:
        packed, body, start = *_inflate(data, at), 0
    elements, end = Reader(body).data_set(start, transfer.syntax)
    trailer = end < len(body) or (transfer.deflated and len(data) - at - len(packed) > (len(packed) & 1))
    if not elements:
        raise Malformed("no data set")
    if end < len(body) and not _harmless(body, end, elements):
        raise Malformed("no element behind the last one")
    return File(transfer, meta, elements, preamble, headless, trailer, packed, body)


def _harmless(body: bytes, end: int, elements: list[Element]) -> bool:
    """What stands behind the data set is not a part of it that was damaged: it follows pixels, or is padding."""
    behind_pixels = bool(elements) and elements[-1].tag == 0x7FE00010
    return behind_pixels or body[end : end + 4] in (b"\xfc\xff\xfc\xff", b"\xff\xfc\xff\xfc") or not any(body[end : end + 8])


def _transfer(data: bytes, at: int, uid: str) -> Transfer:
    """The transfer syntax told, corrected where the first element shows that VRs are written or not, as readers do."""
    seen = _seen(data, at)
    if not uid:
        if seen is None:
            raise Malformed("no data set")
        return next(one for one in TRANSFERS.values() if one.syntax == seen)
    transfer = TRANSFERS.get(uid)
    if transfer is None:
        raise Unsupported("unknown transfer syntax")
    if transfer.deflated or seen is None or seen == transfer.syntax:
        return transfer
    if seen.big or transfer.syntax.big:
        raise Malformed("not the transfer syntax that is told")
    return replace(transfer, uid=_PLAIN[seen.explicit] if uid in _PLAIN else uid, syntax=seen)


_PLAIN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")


def _seen(data: bytes, at: int) -> Syntax | None:
    """How the first element is written; None when there is none."""
    if len(data) - at < 8:
        return None
    written = str(data[at + 4 : at + 6], "latin-1") in vr.LONG | vr.SHORT
    if data[at] == 0 and data[at + 1]:  # group 0008 with its high byte first
        return BIG if written else None
    return EXPLICIT if written else IMPLICIT


def _inflate(data: bytes, at: int) -> tuple[bytes, bytes]:
    """(the stream, the data set in it) of the deflated transfer syntax (PS3.5 A.5)."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    room = min(_MAX_INFLATED, max(_INFLATED_FREE, (len(data) - at) * _MAX_RATIO))
    try:
        body = stream.decompress(data[at:], room)
    except zlib.error:
        raise Malformed("damaged deflate stream") from None
    if not stream.eof:
        if len(body) >= room:
            raise TooBig("deflated data set")
        raise Malformed("truncated deflate stream")
    return data[at : len(data) - len(stream.unused_data)], body


def deflate(body: bytes) -> bytes:
    """The stream that holds ``body``, of even length (PS3.5 A.5)."""
    stream = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = stream.compress(body) + stream.flush()
    return packed + b"\0" * (len(packed) & 1)
