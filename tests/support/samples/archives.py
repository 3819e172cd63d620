"""Archives around a picture: a canary in every place of their own where words, names or times can stand."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable

from tests.support.zipforge import Piece, field, forge

Place = Callable[[str], str]


def apple_double(text: bytes, resources: tuple[bytes, ...] = ()) -> bytes:
    """A ``._`` file as macOS writes it: Finder flags with an extended attribute, and a resource fork of these types."""
    attribute = b"com.apple.metadata:kMDItemWhereFroms\0"
    start = 26 + 24 + 32 + 2 + 36 + 12 + len(attribute) + (-len(attribute) % 4)
    header = b"ATTR" + struct.pack(">III", 0, start + len(text), start) + struct.pack(">I12xHH", len(text), 0, 1)
    named = struct.pack(">IIHB", start, len(text), 0, len(attribute)) + attribute + bytes(-len(attribute) % 4)
    finder = bytes(32) + b"\0\0" + header + named.ljust(12 + len(attribute) + (-len(attribute) % 4), b"\0") + text
    fork = empty_fork(resources)
    entries = struct.pack(">III", 9, 50, len(finder)) + struct.pack(">III", 2, 50 + len(finder), len(fork))
    return b"\0\5\x16\7\0\2\0\0" + b"Mac OS X        " + b"\0\2" + entries + finder + fork


def empty_fork(kinds: tuple[bytes, ...]) -> bytes:
    """A resource fork with a map that lists resources of these types, and nothing in them."""
    listed = struct.pack(">H", (len(kinds) - 1) & 0xFFFF) + b"".join(struct.pack(">4sHH", kind, 0, 0) for kind in kinds)
    table = bytes(24) + struct.pack(">HH", 28, 28 + len(listed)) + listed
    return struct.pack(">IIII", 256, 256, 0, len(table)).ljust(256, b"\0") + table


def zipped(inner: bytes, extension: str, place: Place, method: int = 8) -> bytes:
    """A ZIP file as macOS, Windows and Unix programs might have written it together."""

    def said(what: str) -> bytes:
        return place(what).encode()

    times = field(0x5455, b"\3" + b"\x11\x22\x33\x44" * 2) + field(0x7875, b"\1\4\xe8\3\0\0\4\xe8\3\0\0")
    pieces = [
        Piece(b"folder/", b"", 0, extra=times, attributes=0o40755 << 16, made=3 << 8 | 30),
        Piece(
            f"folder/photo.{extension}".encode(), inner, method, extra=field(0x4453, said("extra field")),
            local_extra=field(0x4453, said("local extra field")), comment=said("comment of a file"),
        ),
        Piece(b"note.txt", b"With kind regards", gap=said("gap"), attributes=0o100644 << 16, made=3 << 8 | 30, extra=times),
        Piece(f"__MACOSX/folder/._photo.{extension}".encode(), apple_double(said("where from"))),
        Piece(b"folder/.DS_Store", b"\0\0\0\1Bud1" + place("desktop").encode("utf-16-be")),
    ]  # fmt: skip
    return forge(pieces, comment=said("comment"), before_directory=said("gap before the directory"), trailer=said("trailer"))


def tarred(inner: bytes, extension: str, place: Place, format: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar file with owners, attributes, a label, a device and rubbish where blocks end."""
    out = io.BytesIO()
    pax = {"comment": place("global comment")} if format == tarfile.PAX_FORMAT else {}
    with tarfile.open(fileobj=out, mode="w", format=format, pax_headers=pax) as archive:
        for name, content in ((f"folder/photo.{extension}", inner), ("._note.txt", apple_double(place("where from").encode()))):
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uid, member.gid = len(content), 1_700_000_000.5, 1001, 1001
            member.uname, member.gname = place("owner"), place("group")
            member.pax_headers = {"SCHILY.xattr.user.note": place("attribute")} if pax else {}
            archive.addfile(member, io.BytesIO(content))
        device = tarfile.TarInfo(place("device"))
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
    data = bytearray(out.getvalue())
    end = data.index(inner) + len(inner)
    free = -end % 512
    data[end : end + free] = place("padding").encode()[:free].ljust(free, b"\0")
    return bytes(data) + place("trailer").encode()


def gzipped(inner: bytes, extension: str, place: Place) -> bytes:
    """A gzip file with every optional field, and bytes behind it."""
    extra = field(0x4141, place("extra field").encode())
    head = b"\x1f\x8b\x08\x1c" + struct.pack("<IBB", 1_700_000_000, 2, 3) + struct.pack("<H", len(extra)) + extra
    head += place("name").encode() + b"\0" + place("comment").encode() + b"\0"
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = packer.compress(inner) + packer.flush()
    return head + body + struct.pack("<II", zlib.crc32(inner), len(inner)) + place("trailer").encode()


PICTURES: dict[str, Callable[[Place], bytes]] = {}
CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {
    "zip": zipped,
    "zip-stored": lambda inner, extension, place: zipped(inner, extension, place, 0),
    "tar-pax": tarred,
    "tar-gnu": lambda inner, extension, place: tarred(inner, extension, place, tarfile.GNU_FORMAT),
    "gzip": gzipped,
    "bzip2": lambda inner, extension, place: bz2.compress(inner) + place("trailer").encode(),
    "xz": lambda inner, extension, place: lzma.compress(inner) + place("trailer").encode(),
}
EXTENSIONS: dict[str, str] = {
    "zip": "zip", "zip-stored": "zip", "tar-pax": "tar", "tar-gnu": "tar", "gzip": "gz", "bzip2": "bz2", "xz": "xz",
}  # fmt: skip
