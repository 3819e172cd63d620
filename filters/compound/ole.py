"""Compound files ([MS-CFB]): old Word, Excel and PowerPoint documents, Outlook messages, previews.  Read only.

Every stream of every storage is looked through: attachments, embedded objects, drawing records, and whatever else bears a
picture's signature.  Nothing can be taken out of them, so a clinical picture in one holds the mail.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

import olefile

from filters.api import (
    STRICT,
    Blocked,
    Budget,
    Cleaning,
    Fate,
    FilterError,
    Finding,
    Malformed,
    Member,
    OpaqueReason,
    Seen,
    Unsupported,
)
from filters.compound import lzfu
from filters.compound.blips import blips
from filters.sniffing.inside import carries
from filters.sniffing.sealed import end_of_zip

PROPERTIES, HIDDEN = "ole.properties", "ole.hidden-image"
_SUMMARIES: Final = ("\x05SummaryInformation", "\x05DocumentSummaryInformation")
_ZIP_END: Final = b"PK\5\6"
_MOST_STREAMS: Final = 20_000
_DRAWING, _CONTINUE = (0x00EB, 0x00EC), 0x003C  # records of an Excel workbook ([MS-XLS] 2.4.171)
_WHOLE: Final = frozenset(("contents", "package", "\x01ole10itemname"))
# Outlook messages ([MS-OXMSG] 2.1.3): property tag and type in the stream's name.
_DATA, _RTF = "__substg1.0_37010102", "__substg1.0_10090102"
_HTML: Final = frozenset(("__substg1.0_10130102", "__substg1.0_1013001e", "__substg1.0_1013001f"))
_LONG_NAME = ("__substg1.0_3707001F", "__substg1.0_3707001E")


_DAMAGE: Final = (
    OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError, struct.error,
)  # fmt: skip  # what the library raises on damaged files


class Ole:
    """The opener for one kind of compound file."""

    native, rebuilds = False, False

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """What the streams hold.  Raises FilterError."""
        try:
            file = olefile.OleFileIO(io.BytesIO(data))
            paths = file.listdir(streams=True, storages=False)
            if max(file.root.size, file.num_mini_fat_sectors * file.sector_size) > len(data):
                raise Malformed("small streams longer than the file")
            if len(paths) > _MOST_STREAMS:
                raise Malformed("too many streams")
            yield Finding(PROPERTIES, "file", Fate.STUCK)  # names, paths and times stand in the directory itself
            for path in paths:
                budget.tick()
                yield from _stream(file, path, len(data), budget)
            if _zip_behind(data, file, paths):
                yield Blocked(HIDDEN)
        except _DAMAGE:
            raise Malformed("damaged compound file") from None

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """Always raises Unsupported."""
        raise Unsupported("a compound file is not written anew")


def _zip_behind(data: bytes, file: Any, paths: list[list[str]]) -> bool:
    """An archive behind the file: its end stands in the last bytes and in no stream."""
    if end_of_zip(data) is None:
        return False
    return not any(_ZIP_END in file.openstream(path).read() for path in paths)


def _stream(file: Any, path: list[str], most: int, budget: Budget) -> Iterator[Seen]:
    key, name = "/".join(path), path[-1]
    if name in _SUMMARIES:
        return
    size = int(file.get_size(path))
    if size > most:  # sectors used again and again: a few kilobytes would be read as gigabytes
        raise Malformed("a stream longer than its file")
    budget.grow(size)
    body: bytes = file.openstream(path).read()
    low = name.lower()
    if low == _DATA:
        budget.member()
        yield Member(f"stream {key}", body, _name_beside(file, path))
    elif low == _RTF:
        yield from _rich_text(f"stream {key}", body, budget)
    elif low in _HTML:
        budget.member()
        yield Member(f"stream {key}", body, media_type="text/html")
    elif low == "\x01ole10native":
        yield from _native_object(f"stream {key}", body, budget)
    elif low in _WHOLE:
        budget.member()
        yield Member(f"stream {key}", body)
    else:
        yield from _drawings(f"stream {key}", _unbroken(body) if low in ("workbook", "book") else body, budget)


def _name_beside(file: Any, path: list[str]) -> str:
    """The attachment's own name, from the stream beside its data."""
    for called, codec in zip(_LONG_NAME, ("utf-16-le", "latin-1"), strict=True):
        beside = [*path[:-1], called]
        if file.exists(beside):
            return str(file.openstream(beside).read(2048).decode(codec, "replace").rstrip("\0"))
    return ""


def _rich_text(key: str, body: bytes, budget: Budget) -> Iterator[Seen]:
    try:
        text = lzfu.decompressed(body, budget)
    except FilterError as error:
        yield Member(key, body, opaque=error.reason)
        return
    budget.member()
    yield Member(key, text)


def _native_object(key: str, body: bytes, budget: Budget) -> Iterator[Seen]:
    """A file dropped into a document ([MS-OLEDS] 2.3.6): size, label, two paths, size, the file."""
    budget.member()
    file = _packaged(body)
    if file is not None:
        yield Member(key, file)
    elif carries(body):
        yield Blocked(HIDDEN)


def _packaged(body: bytes) -> bytes | None:
    if len(body) < 8:
        return None
    at = 6
    for _ in range(2):  # label, original path
        end = body.find(b"\0", at)
        if end < 0:
            return None
        at = end + 1
    if at + 8 > len(body):
        return None
    length = struct.unpack_from("<I", body, at + 4)[0]
    at += 8 + length
    if at + 4 > len(body):
        return None
    size = struct.unpack_from("<I", body, at)[0]
    return body[at + 4 : at + 4 + size] if at + 4 + size <= len(body) else None


def _drawings(key: str, body: bytes, budget: Budget) -> Iterator[Seen]:
    rest = bytearray()
    end = 0
    for start, stop, file in blips(body, budget):
        yield Member(f"{key}@{start}", file, inline=True)
        rest += body[end:start]
        end = stop
    rest += body[end:]
    if carries(bytes(rest)):
        yield Blocked(HIDDEN, OpaqueReason.NOT_SUPPORTED)


def _unbroken(book: bytes) -> bytes:
    """The drawing records of a workbook with what continues them, joined; everything else behind that."""
    joined, others, at, inside = bytearray(), bytearray(), 0, False
    while at + 4 <= len(book):
        kind, size = struct.unpack_from("<HH", book, at)
        inside = kind in _DRAWING or (inside and kind == _CONTINUE)
        (joined if inside else others).extend(book[at + 4 : at + 4 + size])
        at += 4 + size
    return bytes(joined) + bytes(others) + book[at:]


OLE: Final[Mapping[str, Ole]] = {name: Ole(name) for name in ("ole", "doc", "xls", "ppt", "msg", "vsd")}
