"""Stream filters (ISO 32000-2, 7.4), undone within the budget.  What only pictures use is left as it is."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from filters.budget import RATIO_FREE, Budget
from filters.errors import Malformed, TooBig, Unsupported

DCT, JPX, CCITT, JBIG2 = "DCTDecode", "JPXDecode", "CCITTFaxDecode", "JBIG2Decode"
PICTURES: Final = frozenset((DCT, JPX, CCITT, JBIG2))

_SHORT: Final[Mapping[str, str]] = {  # ISO 32000-2 table 92
    "AHx": "ASCIIHexDecode", "A85": "ASCII85Decode", "LZW": "LZWDecode", "Fl": "FlateDecode", "RL": "RunLengthDecode",
    "CCF": CCITT, "DCT": DCT,
}  # fmt: skip
_STEP: Final = 1 << 20
_MOST_FILTERS: Final = 10
_NOT_HEX: Final = re.compile(rb"[^0-9A-Fa-f]+")
_NOT_A85: Final = re.compile(rb"[^!-uz]+")


def full(names: Sequence[str]) -> tuple[str, ...]:
    """The filters by their long names; /Crypt is undone by whoever reads the file."""
    return tuple(_SHORT.get(name, name) for name in names if name != "Crypt")


class Meter:
    """What one stream may become: every piece is paid before the next is made."""

    def __init__(self, stored: int, budget: Budget) -> None:
        self.stored, self.budget, self.made = stored, budget, 0

    def pay(self, count: int) -> None:
        """``count`` more bytes were made.  Raises TooBig."""
        self.made += count
        self.budget.grow(count)
        if self.made > RATIO_FREE and self.made > self.stored * self.budget.limits.ratio:
            raise TooBig("limit of ratio")


def unwrap(raw: bytes, names: Sequence[str], budget: Budget) -> bytes:
    """``raw`` with the filters ``names`` undone in order.  Damaged data end where the damage is, as in readers.

    Raises Unsupported for a filter that is not a general one, TooBig.
    """
    if len(names) > _MOST_FILTERS:
        raise Malformed("too many filters")
    data = raw
    for name in names:
        if name not in _DECODERS:
            raise Unsupported("unknown filter")
        data = _DECODERS[name](data, Meter(len(data), budget))
    if not names:
        budget.tick()
    return data


def general(names: Sequence[str]) -> bool:
    """Whether ``unwrap`` can undo all of them."""
    return all(name in _DECODERS for name in names)


def flate_size(raw: bytes, budget: Budget) -> None:
    """Pays for what a Flate stream becomes, without keeping it.  Raises TooBig."""
    for _ in _inflated(raw, Meter(len(raw), budget)):
        pass


def _inflated(raw: bytes, meter: Meter) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    rest = raw
    while not inflater.eof:
        try:
            piece = inflater.decompress(rest, _STEP)
        except zlib.error:
            return
        meter.pay(len(piece))
        yield piece
        rest = inflater.unconsumed_tail
        if not piece and not rest:
            return


def _flate(raw: bytes, meter: Meter) -> bytes:
    return b"".join(_inflated(raw, meter))


def _hex(raw: bytes, meter: Meter) -> bytes:
    digits = _NOT_HEX.sub(b"", raw.partition(b">")[0])
    made = binascii.unhexlify(digits + b"0" * (len(digits) % 2))
    meter.pay(len(made))
    return made


def _ascii85(raw: bytes, meter: Meter) -> bytes:
    body = raw.lstrip()
    body = body[2:] if body.startswith(b"<~") else body
    text = _NOT_A85.sub(b"", body.partition(b"~")[0])
    meter.pay(text.count(b"z") * 4 + len(text))
    try:
        return base64.a85decode(text)
    except (ValueError, OverflowError):
        raise Malformed("ASCII85 data") from None


def _run_length(raw: bytes, meter: Meter) -> bytes:
    out = bytearray()
    at, size = 0, len(raw)
    while at + 1 < size and raw[at] != 128:
        code = raw[at]
        piece = raw[at + 1 : at + 2 + code] if code < 128 else raw[at + 1 : at + 2] * (257 - code)
        at += 2 + code if code < 128 else 2
        meter.pay(len(piece))
        out += piece
    return bytes(out)


def _lzw(raw: bytes, meter: Meter) -> bytes:
    """ISO 32000-2, 7.4.4 with EarlyChange 1; codes of 9 to 12 bits, most significant first."""
    out = bytearray()
    table = [bytes((i,)) for i in range(256)] + [b"", b""]
    width, held, bits = 9, 0, 0
    before = b""
    for byte in raw:
        held = held << 8 | byte
        bits += 8
        if bits < width:
            continue
        bits -= width
        code = held >> bits
        held &= (1 << bits) - 1
        if code == 257:
            break
        if code == 256:
            del table[258:]
            width, before = 9, b""
            continue
        if code < len(table):
            piece = table[code]
        elif before:
            piece = before + before[:1]
        else:
            break
        if before and len(table) < 4096:
            table.append(before + piece[:1])
        meter.pay(len(piece))
        out += piece
        before = piece
        width = min(12, max(9, (len(table) + 1).bit_length()))
    return bytes(out)


_DECODERS: Final[Mapping[str, Callable[[bytes, Meter], bytes]]] = {
    "FlateDecode": _flate,
    "ASCIIHexDecode": _hex,
    "ASCII85Decode": _ascii85,
    "RunLengthDecode": _run_length,
    "LZWDecode": _lzw,
}
