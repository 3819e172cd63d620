"""The blocks of a GIF file, by offset (GIF89a).  What decoders read differently is ``Malformed``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from filters.api import Malformed, TooBig

IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
CONTROL, APPLICATION, COMMENT, PLAIN_TEXT = 0xF9, 0xFF, 0xFE, 0x01
MAX_BLOCKS = 100_000  # of one file; a film of an hour has fewer frames
MAX_PIXELS = 200_000_000


class Kind(Enum):
    HEADER = "header"  # with the global colour table
    FRAME = "frame"
    EXTENSION = "extension"
    GAP = "gap"  # zero bytes between blocks, as some encoders leave them
    TRAILER = "trailer"
    REST = "rest"  # what no decoder looks at


@dataclass(frozen=True, slots=True)
class Block:
    """``start``..``end`` in the file; ``data`` is where the chain of sub-blocks begins."""

    kind: Kind
    start: int
    end: int
    label: int = 0  # of an extension
    data: int = 0
    width: int = 0
    height: int = 0
    colours: int = 0  # of the colour table
    whole: bool = True  # False: the file ends before the chain of sub-blocks does


@dataclass(frozen=True, slots=True)
class Screen:
    """Size over screen and all frames, in pixels: programs enlarge a screen that is too small."""

    width: int
    height: int


def walk(data: bytes) -> tuple[Block, ...]:
    """All blocks from the header on.  Raises Malformed, TooBig."""
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        raise Malformed("no GIF header")
    blocks = [Block(Kind.HEADER, 0, 13 + _table(data[10]), colours=_table(data[10]) // 3)]
    while blocks[-1].end < len(data) and blocks[-1].kind is not Kind.REST:
        if len(blocks) > MAX_BLOCKS:
            raise Malformed("too many blocks")
        blocks.append(_block(data, blocks))
    if blocks[0].end > len(data) or not any(block.kind is Kind.FRAME for block in blocks):
        raise Malformed("no frame")
    return tuple(blocks)


def screen(data: bytes, blocks: tuple[Block, ...]) -> Screen:
    """Raises TooBig."""
    frames = [block for block in blocks if block.kind is Kind.FRAME]
    width = max(_word(data, 6), *(_word(data, frame.start + 1) + frame.width for frame in frames))
    height = max(_word(data, 8), *(_word(data, frame.start + 3) + frame.height for frame in frames))
    if width * height > MAX_PIXELS:
        raise TooBig("more than 200 megapixels")
    return Screen(width, height)


def payload(data: bytes, block: Block) -> bytes:
    """The sub-blocks of a block, joined."""
    parts, at, end = [], block.data, min(block.end, len(data))
    while at < end and data[at]:
        parts.append(data[at + 1 : min(at + 1 + data[at], end)])
        at += 1 + data[at]
    return b"".join(parts)


def chain(content: bytes) -> bytes:
    """``content`` as a chain of sub-blocks with its terminator."""
    parts = [content[i : i + 255] for i in range(0, len(content), 255)]
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


def _block(data: bytes, before: list[Block]) -> Block:
    at = before[-1].end
    if before[-1].kind is Kind.TRAILER:
        return Block(Kind.REST, at, len(data))
    code = data[at]
    if code == TRAILER:
        return Block(Kind.TRAILER, at, at + 1)
    if code == IMAGE:
        return _frame(data, at)
    if code == EXTENSION and at + 2 < len(data):
        if not data[at + 2] and data[at + 1] != COMMENT:
            raise Malformed("empty extension")  # some programs look for its content in what follows
        end, whole = _skip(data, at + 2)
        return Block(Kind.EXTENSION, at, end, label=data[at + 1], data=at + 2, whole=whole)
    return _stray(data, at, before)


def _stray(data: bytes, at: int, before: list[Block]) -> Block:
    """Bytes that begin no block.  Browsers stop there, other programs look for the next frame: neither may find one."""
    end = at
    while end < len(data) and not data[end]:
        end += 1
    if end > at and (end == len(data) or data[end] in (IMAGE, EXTENSION, TRAILER)):
        return Block(Kind.GAP, at, end)
    if any(block.kind is Kind.FRAME for block in before) and data.find(b",", at) < 0:
        return Block(Kind.REST, at, len(data))
    raise Malformed("unknown block")


def _frame(data: bytes, at: int) -> Block:
    if at + 11 > len(data):
        raise Malformed("truncated frame")
    table = _table(data[at + 9])
    start = at + 11 + table  # behind the LZW code size
    width, height = _word(data, at + 5), _word(data, at + 7)
    if start > len(data) or not width or not height:
        raise Malformed("frame header")
    end, whole = _skip(data, start)
    return Block(Kind.FRAME, at, end, data=start, width=width, height=height, colours=table // 3, whole=whole)


def _table(flags: int) -> int:
    """Bytes of the colour table the flags announce."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _word(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _skip(data: bytes, at: int) -> tuple[int, bool]:
    """(offset behind a chain of sub-blocks, False if the file ends before it)."""
    size = len(data)
    while at < size and data[at]:
        at += 1 + data[at]
    return (at + 1, True) if at < size else (size, False)
