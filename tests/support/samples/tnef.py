"""winmail.dat files written attribute by attribute (MS-OXTNEF), with a canary in every property that is no body."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence

Place = Callable[[str], str]

MESSAGE, ATTACHMENT = 1, 2
VERSION, CODEPAGE, CLASS, SUBJECT, BODY, MESSAGE_PROPERTIES, MESSAGE_ID, RECIPIENTS = (
    0x89006, 0x69007, 0x78008, 0x18004, 0x2800C, 0x69003, 0x18009, 0x69004,
)  # fmt: skip
RENDERING, TITLE, DATA, METAFILE, ATTACHMENT_PROPERTIES = 0x69002, 0x18010, 0x6800F, 0x68011, 0x69005
LONG, BOOLEAN, OBJECT, STRING8, UNICODE, TIME, BINARY, MANY = 0x03, 0x0B, 0x0D, 0x1E, 0x1F, 0x40, 0x102, 0x1000
IS_MESSAGE, IS_STORAGE = bytes.fromhex("0703020000000000c000000000000046"), bytes.fromhex("0b00000000000000c000000000000046")
_PRESET_LENGTH = 207


def attribute(level: int, number: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, number, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)


def prop(kind: int, number: int, *values: bytes, name: str = "") -> bytes:
    """One property; ``name`` makes it a named one."""
    head = struct.pack("<HH", kind, number)
    if name:
        spelt = (name + "\0").encode("utf-16-le")
        head += bytes(16) + struct.pack("<II", 1, len(spelt)) + _padded(spelt)
    variable = kind & ~MANY in (OBJECT, STRING8, UNICODE, BINARY)
    count = struct.pack("<I", len(values)) if variable or kind & MANY else b""
    return head + count + b"".join((struct.pack("<I", len(one)) if variable else b"") + _padded(one) for one in values)


def block(*found: bytes) -> bytes:
    return struct.pack("<I", len(found)) + b"".join(found)


def wide(text: str) -> bytes:
    return (text + "\0").encode("utf-16-le")


def lzfu(text: bytes, *, stored: bool = False) -> bytes:
    """Compressed rich text: letters only, and the mark of the end."""
    if stored:
        return struct.pack("<II4sI", len(text) + 12, len(text), b"MELA", 0) + text
    body, at, position = bytearray(), 0, _PRESET_LENGTH
    while at <= len(text):
        piece = text[at : at + 8]
        at, position = at + 8, position + len(piece)
        if len(piece) == 8:
            body += b"\0" + piece
        else:
            body += bytes((1 << len(piece),)) + piece + struct.pack(">H", position % 4096 << 4)
    crc = zlib.crc32(body, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return struct.pack("<II4sI", len(body) + 12, len(text), b"LZFu", crc) + bytes(body)


def attached(
    data: bytes, name: str, *, content_id: str = "", object_type: int = 0, metafile: bytes = b"", extra: Sequence[bytes] = ()
) -> bytes:
    """The attributes of one attachment; ``object_type`` puts its content into a property of that type."""
    short = name.encode("ascii", "replace")
    found = [prop(UNICODE, 0x3707, wide(name)), prop(LONG, 0x3705, struct.pack("<I", 1)), *extra]
    if content_id:
        found.append(prop(UNICODE, 0x3712, wide(content_id)))
    if object_type:
        found.append(prop(object_type, 0x3701, data))
    parts = [attribute(ATTACHMENT, RENDERING, bytes(14)), attribute(ATTACHMENT, TITLE, short + b"\0")]
    if not object_type:
        parts.append(attribute(ATTACHMENT, DATA, data))
    if metafile:
        parts.append(attribute(ATTACHMENT, METAFILE, metafile))
    return b"".join((*parts, attribute(ATTACHMENT, ATTACHMENT_PROPERTIES, block(*found))))


def tnef(*attachments: bytes, properties: Sequence[bytes] = (), body: bytes = b"", codepage: int = 1252) -> bytes:
    """A whole file."""
    parts = [
        b"\x78\x9f\x3e\x22\x01\x00",
        attribute(MESSAGE, VERSION, struct.pack("<I", 0x10000)),
        attribute(MESSAGE, CODEPAGE, struct.pack("<II", codepage, 0)),
        attribute(MESSAGE, CLASS, b"IPM.Microsoft Mail.Note\0"),
    ]
    if body:
        parts.append(attribute(MESSAGE, BODY, body + b"\0"))
    if properties:
        parts.append(attribute(MESSAGE, MESSAGE_PROPERTIES, block(*properties)))
    return b"".join((*parts, *attachments))


def _winmail(inner: bytes, extension: str, place: Place, *, object_type: int = 0) -> bytes:
    own = [
        prop(UNICODE, 0x0C1A, wide(place("sender"))),
        prop(STRING8, 0x8001, place("named").encode() + b"\0", name=place("name")),
    ]
    return tnef(
        attached(inner, f"a.{extension}", object_type=object_type, extra=[prop(UNICODE, 0x3001, wide(place("display")))]),
        properties=[prop(BINARY, 0x1013, b"<html><body>Hello</body></html>"), *own],
    )


def _nested(inner: bytes, extension: str, place: Place) -> bytes:
    message = _winmail(inner, extension, place)
    return tnef(attached(IS_MESSAGE + message, "forwarded", object_type=OBJECT))


CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {
    "tnef": _winmail,
    "tnef-property": lambda inner, extension, place: _winmail(inner, extension, place, object_type=BINARY),
    "tnef-nested": _nested,
}
PICTURES: dict[str, Callable[[Place], bytes]] = {}
EXTENSIONS: dict[str, str] = dict.fromkeys(CONTAINERS, "dat")
