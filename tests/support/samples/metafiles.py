"""Windows metafiles with something written in every place that holds words."""

from __future__ import annotations

import struct
from collections.abc import Callable

Place = Callable[[str], str]


def record(kind: int, body: bytes = b"") -> bytes:
    """One EMF record; ``body`` filled up to whole words."""
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 8) + body


def emf(*records: bytes, description: str = "") -> bytes:
    """An EMF of these records between header and end."""
    words = description.encode("utf-16-le")
    words += bytes(-len(words) % 4)
    inner = b"".join(records) + record(14, struct.pack("<III", 0, 16, 20))
    size = 88 + len(words)
    head = struct.pack("<iiii", 0, 0, 40, 30) + struct.pack("<iiii", 0, 0, 400, 300) + b" EMF" + struct.pack("<I", 0x10000)
    head += struct.pack("<IIHH", size + len(inner), len(records) + 2, 1, 0)
    head += struct.pack("<II", len(description), 88 if description else 0) + struct.pack("<IIIII", 0, 1024, 768, 320, 240)
    return record(1, head + words) + inner


def comment(word: bytes, data: bytes) -> bytes:
    """A comment record."""
    return record(70, struct.pack("<I", len(word) + len(data)) + word + data)


def plus_file(data: bytes) -> bytes:
    """An EMF+ comment with one image object that holds a whole file."""
    image = struct.pack("<II", 0xDBC01002, 1) + bytes(16) + struct.pack("<I", 1) + data
    image += bytes(-len(image) % 4)
    return comment(b"EMF+", struct.pack("<HHII", 0x4008, 5 << 8, len(image) + 12, len(image)) + image)


def formats(*files: bytes) -> bytes:
    """A public comment that offers the drawing as these files."""
    table, data = b"", b""
    for file in files:
        table += b" FDP" + struct.pack("<III", 1, len(file), 28 + 16 * len(files) + len(data))
        data += file + bytes(-len(file) % 4)
    return comment(b"GDIC", struct.pack("<IiiiiI", 0x40000004, 0, 0, 40, 30, len(files)) + table + data)


def dib(width: int, height: int) -> tuple[bytes, bytes]:
    """(header, samples) of a true-colour bitmap."""
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return head, bytes(range(256)) * ((width * 3 + 3) // 4 * 4 * height // 256 + 1)


def stretched(width: int = 200, height: int = 150) -> bytes:
    """A record that draws a bitmap."""
    head, bits = dib(width, height)
    bits = bits[: (width * 3 + 3) // 4 * 4 * height]
    return record(
        81, bytes(40) + struct.pack("<IIIIII", 80, len(head), 80 + len(head), len(bits), 0, 0xCC0020) + bytes(8) + head + bits
    )


def wmf(*records: tuple[int, bytes]) -> bytes:
    """A placeable WMF of these (function, parameters)."""
    inner = b"".join(struct.pack("<IH", (len(body) + 6) // 2, function) + body for function, body in (*records, (0, b"")))
    head = b"\xd7\xcd\xc6\x9a" + struct.pack("<HhhhhHIH", 0, 0, 0, 400, 300, 1440, 0, 0)
    return head + struct.pack("<HHHIHIH", 1, 9, 0x300, (18 + len(inner)) // 2, 0, 0, 0) + inner


def escape(words: bytes) -> tuple[int, bytes]:
    """A program's comment."""
    words += bytes(len(words) % 2)
    return 0x0626, struct.pack("<HH", 15, len(words)) + words


def _emf_with(inner: bytes, extension: str, place: Place) -> bytes:
    return emf(
        plus_file(inner), comment(b"MINE", place("comment").encode()), description=f"{place('program')}\0{place('title')}\0"
    )


PICTURES: dict[str, Callable[[Place], bytes]] = {
    "emf": lambda place: emf(stretched(), comment(b"MINE", place("comment").encode()), description=f"{place('program')}\0\0"),
    "wmf": lambda place: wmf((0x0F43, bytes(22) + b"".join(dib(64, 48))), escape(place("escape").encode())),
}
CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {"emf-plus": _emf_with}
EXTENSIONS: dict[str, str] = {"emf": "emf", "wmf": "wmf", "emf-plus": "emf"}
