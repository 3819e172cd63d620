"""Facts that films and sound tell of themselves (QTFF "User Data Atoms", "Metadata", iTunes lists), read before they go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from filters.api import FilterError
from filters.bmff import boxes
from filters.bmff.boxes import Box

# What a key means: code of the finding, and the fact it tells
_KEYS: Mapping[bytes, tuple[str, str]] = {
    b"\xa9xyz": ("exif.gps", ""), b"loci": ("exif.gps", ""), b"com.apple.quicktime.location.ISO6709": ("exif.gps", ""),
    b"\xa9mak": ("exif.make", "make"), b"\xa9mod": ("exif.model", "model"), b"manu": ("exif.make", "make"),
    b"modl": ("exif.model", "model"), b"com.apple.quicktime.make": ("exif.make", "make"),
    b"com.apple.quicktime.model": ("exif.model", "model"), b"com.apple.quicktime.creationdate": ("exif.datetime", "taken"),
    b"\xa9day": ("exif.datetime", "taken"), b"com.apple.quicktime.software": ("exif.software", ""),
    b"\xa9swr": ("exif.software", ""), b"\xa9too": ("exif.software", ""), b"\xa9ART": ("exif.owner", ""),
    b"\xa9aut": ("exif.owner", ""), b"auth": ("exif.owner", ""), b"com.apple.quicktime.author": ("exif.owner", ""),
    b"\xa9nam": ("exif.text", ""), b"\xa9cmt": ("exif.text", ""), b"\xa9des": ("exif.text", ""), b"desc": ("exif.text", ""),
    b"titl": ("exif.text", ""), b"dscp": ("exif.text", ""), b"cprt": ("exif.text", ""), b"\xa9cpy": ("exif.text", ""),
    b"covr": ("bmff.cover", "cover"), b"com.android.manufacturer": ("exif.make", "make"),
    b"com.android.model": ("exif.model", "model"), b"\xa9fmt": ("exif.text", ""), b"CAME": ("exif.serial", "serial"),
    b"thmb": ("bmff.thumbnail", ""), b"tnal": ("bmff.thumbnail", ""), b"MVTG": ("exif.maker-note", ""),
    b"TAGS": ("exif.maker-note", ""),
}  # fmt: skip
_MOST = 5_000  # entries looked at
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)")
_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found; ``cover`` are the bytes of a cover picture."""

    codes: frozenset[str] = frozenset()
    make: str = field(default="", repr=False)
    model: str = field(default="", repr=False)
    serial: str = field(default="", repr=False)
    taken: str = field(default="", repr=False)
    cover: bytes = field(default=b"", repr=False)


def read(data: bytes, moov: Box) -> Facts:
    """Facts of a movie box.  Never raises: what cannot be read is absent, and goes all the same."""
    found = dict.fromkeys(("make", "model", "serial", "taken"), "")
    codes, cover = set[str](), b""
    for key, value in _entries(data, moov):
        code, fact = _KEYS.get(key, ("", ""))
        if not code:
            continue
        codes.add(code)
        if fact == "cover":
            cover = cover or value
        elif fact and not found[fact]:
            found[fact] = value[:200].split(b"\0")[0].decode("utf-8", "replace").strip()
    taken = _date(found["taken"]) or _created(data, moov)
    return Facts(frozenset(codes), found["make"], found["model"], found["serial"], taken, cover)


def _entries(data: bytes, moov: Box) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of all user data and metadata lists of the movie and its tracks."""
    count = 0
    for box in _lists(data, moov):
        for entry in _list(data, box):
            count += 1
            if count > _MOST:
                return
            yield entry


def _inner(data: bytes, box: Box, skip: int = 0) -> tuple[Box, ...]:
    try:
        return boxes.walk(data, min(box.body + skip, box.end), box.end)
    except FilterError:
        return ()


def _lists(data: bytes, moov: Box) -> Iterator[Box]:
    for child in _inner(data, moov):
        if child.kind in (b"udta", b"meta"):
            yield child
        elif child.kind == b"trak":
            yield from (inner for inner in _inner(data, child) if inner.kind in (b"udta", b"meta"))


def _list(data: bytes, box: Box) -> Iterator[tuple[bytes, bytes]]:
    if box.kind == b"meta":
        yield from _metadata(data, box)
        return
    for entry in _inner(data, box):
        if entry.kind == b"meta":
            yield from _metadata(data, entry)
        else:
            body = data[entry.body : min(entry.end, entry.body + 4096)]
            yield entry.kind, body[4:] if entry.kind[:1] == b"\xa9" else body


def _metadata(data: bytes, box: Box) -> Iterator[tuple[bytes, bytes]]:
    """ilst, its items named by four letters or by their number in keys."""
    plain = data[box.body + 4 : box.body + 8] in (b"hdlr", b"keys", b"ilst")
    children = {child.kind: child for child in _inner(data, box, 0 if plain else 4)}
    keys = _names(data, children.get(b"keys"))
    for item in _inner(data, children[b"ilst"]) if b"ilst" in children else ():
        number = int.from_bytes(item.kind, "big")
        key = keys[number - 1] if 0 < number <= len(keys) else item.kind
        for value in _inner(data, item):
            if value.kind == b"data":
                yield key, data[value.body + 8 : value.end]


def _names(data: bytes, box: Box | None) -> list[bytes]:
    return [data[key.body : key.end] for key in _inner(data, box, 8)] if box is not None else []


def _date(text: str) -> str:
    found = _DATE.search(text)
    return "{}:{}:{} {}:{}:{}".format(*found.groups()) if found else ""


def _created(data: bytes, moov: Box) -> str:
    """The creation time of mvhd (seconds since 1904, UTC) as EXIF writes it."""
    header = next((child for child in _inner(data, moov) if child.kind == b"mvhd"), None)
    if header is None:
        return ""
    body = data[header.body : header.end]
    seconds = int.from_bytes(body[4:12] if body[:1] == b"\1" else body[4:8], "big")
    if not 0 < seconds < 1 << 33:
        return ""
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y:%m:%d %H:%M:%S")
