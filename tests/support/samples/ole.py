"""Compound files ([MS-CFB] version 3) built by hand: storages and streams, large enough to need no mini stream."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

Place = Callable[[str], str]
SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SMALLEST = 4096  # bytes below which a stream would stand in the mini stream


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A file with these streams; a path with slashes makes storages.  Short streams are filled up with zeros."""
    entries, bodies = _directory(streams)
    sectors = bytearray()
    chain: list[int] = []

    def store(data: bytes) -> int:
        first = len(chain)
        count = max(1, -(-len(data) // SECTOR))
        chain.extend([*range(first + 1, first + count), END])
        sectors.extend(data.ljust(count * SECTOR, b"\0"))
        return first

    starts = {at: store(body) for at, body in bodies.items()}
    table = b"".join(_entry(entry, starts.get(at, 0), len(bodies.get(at, b""))) for at, entry in enumerate(entries))
    directory = store(table + bytes(-len(table) % SECTOR))
    fats = 1
    while (len(chain) + fats) * 4 > fats * SECTOR:
        fats += 1
    first_fat = len(chain)
    chain.extend([FAT] * fats)
    fat = struct.pack(f"<{len(chain)}I", *chain)
    sectors.extend(fat + b"\xff" * (fats * SECTOR - len(fat)))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, fats, directory, 0, SMALLEST, END, 0, END, 0)
    difat = [first_fat + number for number in range(fats)]
    return head + struct.pack("<109I", *difat, *[FREE] * (109 - fats)) + bytes(sectors)


def _directory(streams: Mapping[str, bytes]) -> tuple[list[list[object]], dict[int, bytes]]:
    """Entries [name, kind, right sibling, child] and the bodies by entry; siblings form a list, which readers accept."""
    entries: list[list[object]] = [["Root Entry", 5, FREE, FREE]]
    storages = {"": 0}
    last: dict[str, int] = {}
    bodies: dict[int, bytes] = {}

    def add(parent: str, name: str, kind: int) -> int:
        entries.append([name, kind, FREE, FREE])
        at = len(entries) - 1
        if parent in last:
            entries[last[parent]][2] = at
        else:
            entries[storages[parent]][3] = at
        last[parent] = at
        return at

    for path, body in streams.items():
        *folders, name = path.split("/")
        parent = ""
        for folder in folders:
            inner = f"{parent}/{folder}"
            if inner not in storages:
                storages[inner] = add(parent, folder, 1)
            parent = inner
        bodies[add(parent, name, 2)] = body.ljust(SMALLEST, b"\0")
    return entries, bodies


def _entry(entry: list[object], start: int, size: int) -> bytes:
    name, kind, sibling, child = entry
    words = str(name).encode("utf-16-le")
    head = words.ljust(64, b"\0") + struct.pack("<HBB", len(words) + 2, int(str(kind)), 1)
    place = END if kind == 5 else start
    return head + struct.pack("<III", FREE, int(str(sibling)), int(str(child))) + bytes(36) + struct.pack("<IQ", place, size)


def blip(kind: int, instance: int, file: bytes) -> bytes:
    """One drawing record with a bitmap file."""
    body = bytes(range(16)) + b"\xff" + file
    return struct.pack("<HHI", instance << 4, kind, len(body)) + body


def message(file: bytes, name: str, place: Place) -> bytes:
    """An Outlook message with one attachment."""
    folder = "__attach_version1.0_#00000000/"
    return compound(
        {
            "__substg1.0_0037001F": place("subject").encode("utf-16-le"),
            folder + "__substg1.0_37010102": file.ljust(SMALLEST, b" " if _is_text(file) else b"\0"),
            folder + "__substg1.0_3707001F": name.encode("utf-16-le"),
        }
    )


def _is_text(file: bytes) -> bool:
    """Zeros behind a text would make it something else."""
    return b"\0" not in file and file[:1] != b"\x89" and all(byte < 0x7F for byte in file[:64])


def packaged(file: bytes, place: Place) -> bytes:
    """A document with a file dropped into it."""
    label = place("label").encode() + b"\0" + place("path").encode() + b"\0"
    body = b"\2\0" + label + struct.pack("<HHI", 0, 3, 4) + b"tmp\0" + struct.pack("<I", len(file)) + file
    return compound({"WordDocument": bytes(64), "ObjectPool/_1/\x01Ole10Native": struct.pack("<I", len(body)) + body})


CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {
    "msg": lambda inner, extension, place: message(inner, f"{place('name')}.{extension}", place),
    "doc-object": lambda inner, extension, place: packaged(inner, place),
}
PICTURES: dict[str, Callable[[Place], bytes]] = {}
EXTENSIONS: dict[str, str] = {"msg": "msg", "doc-object": "doc"}
