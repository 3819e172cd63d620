"""Is it encrypted?  Told from the bytes of containers that say so, without opening them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping

_EOCD, _CENTRAL, _LOCAL = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"
_PDF_ENCRYPT = re.compile(rb"/Encrypt(?:\s+\d+\s+\d+\s+R\b|\s*<<)")  # ISO 32000-2 7.6.1; xref streams' dictionaries are plain too
_MAX_MEMBERS = 20_000
_SEVEN_ZIP_AES = b"\x06\xf1\x07\x01"


def end_of_zip(data: bytes) -> int | None:
    """Offset of the end-of-central-directory record that a ZIP program would find (APPNOTE 4.3.16), or None."""
    at = data.rfind(_EOCD, max(0, len(data) - 65_557))
    return at if 0 <= at <= len(data) - 22 else None


def members(data: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    """(name, general-purpose flags, method, offset of its local header) of every central-directory entry that can be read."""
    end = end_of_zip(data)
    if end is None:
        return
    size, offset = struct.unpack_from("<II", data, end + 12)
    shift = max(0, end - size - offset)  # bytes that something put before the archive
    at = data.find(_CENTRAL, min(offset + shift, len(data)))
    for _ in range(_MAX_MEMBERS):
        if at < 0 or not data.startswith(_CENTRAL, at) or at + 46 > len(data):
            return
        flags, method = struct.unpack_from("<HH", data, at + 8)
        name, extra, comment = struct.unpack_from("<HHH", data, at + 28)
        (local,) = struct.unpack_from("<I", data, at + 42)
        yield data[at + 46 : at + 46 + name], flags, method, local + shift
        at += 46 + name + extra + comment


def _zip(data: bytes) -> bool:
    """Every file in it is encrypted: one sealed beside open ones leaves an archive that anybody can look into."""
    told = [
        _member_sealed(flags, method) or _local_sealed(data, local)
        for name, flags, method, local in members(data)
        if not name.endswith(b"/")
    ]
    if told:
        return all(told)
    at = -1
    for _ in range(_MAX_MEMBERS):
        at = data.find(_LOCAL, at + 1)
        if at < 0 or at + 30 > len(data):
            return False
        if _local_sealed(data, at):
            return True
    return False


def _local_sealed(data: bytes, at: int) -> bool:
    """A local header at this offset says that its file is encrypted."""
    if not data.startswith(_LOCAL, at) or at + 10 > len(data):
        return False
    version, flags, method = struct.unpack_from("<HHH", data, at + 4)
    return version & 0xFF <= 63 and method in (0, 8, 9, 12, 14, 93, 95, 98, 99) and _member_sealed(flags, method)


def _member_sealed(flags: int, method: int) -> bool:
    return bool(flags & 0x2041) or method == 99  # encrypted, strongly encrypted, masked headers, AES


def _pdf(data: bytes) -> bool:
    return _PDF_ENCRYPT.search(data) is not None


def ole_stream(data: bytes, name: str) -> int | None:
    """File offset of the first sector of a stream of a compound file ([MS-CFB] 2.6), None when it is not there or short."""
    wide = name.encode("utf-16-le")
    at = data.find(wide + b"\0\0")
    while at >= 0 and (at % 128 or at + 128 > len(data)):
        at = data.find(wide + b"\0\0", at + 1)
    if at < 0:
        return None
    shift = int.from_bytes(data[30:32], "little")
    start, size = struct.unpack_from("<II", data, at + 116)
    if not 9 <= shift <= 12 or size < 4096:
        return None
    offset = (start + 1) << shift
    return offset if offset + 64 <= len(data) else None


def has_ole_stream(data: bytes, name: str) -> bool:
    """True if the compound file's directory names such a stream or storage."""
    return data.find(name.encode("utf-16-le")) >= 0


def _ole(data: bytes) -> bool:
    if has_ole_stream(data, "EncryptedPackage") or has_ole_stream(data, "EncryptedSummary"):
        return True
    word = ole_stream(data, "WordDocument")
    if word is not None and data[word : word + 2] == b"\xec\xa5":  # FIB: fEncrypted ([MS-DOC] 2.5.1)
        return bool(int.from_bytes(data[word + 10 : word + 12], "little") & 0x0100)
    book = ole_stream(data, "Workbook") or ole_stream(data, "Book")
    for _ in range(8 if book else 0):  # FilePass stands right behind BOF ([MS-XLS] 2.4.117)
        assert book is not None
        kind, size = struct.unpack_from("<HH", data.ljust(book + 4, b"\0"), book)
        if kind == 0x2F:
            return True
        book += 4 + size
    return False


def _seven_zip(data: bytes) -> bool:
    offset, size = struct.unpack_from("<QQ", data.ljust(32, b"\0"), 12)
    return _SEVEN_ZIP_AES in data[32 + offset : 32 + offset + size]


def _rar(data: bytes) -> bool:
    return _rar5(data) if data[6:8] == b"\x01\0" else _rar4(data)


def _rar4(data: bytes) -> bool:
    at = 7
    for _ in range(64):
        if at + 11 > len(data):
            return False
        kind, flags, size = struct.unpack_from("<BHH", data, at + 2)
        if (kind == 0x73 and flags & 0x80) or (kind == 0x74 and flags & 0x04):
            return True
        packed = struct.unpack_from("<I", data, at + 7)[0] if flags & 0x8000 or kind == 0x74 else 0
        at += max(7, size) + packed
    return False


def _rar5(data: bytes) -> bool:
    at = 8
    for _ in range(64):
        size, start = _vint(data, at + 4)
        kind, body = _vint(data, start)
        if not size or start >= len(data):
            return False
        if kind == 4:
            return True  # encrypted headers
        flags, body = _vint(data, body)
        extra, body = _vint(data, body) if flags & 1 else (0, body)
        packed, body = _vint(data, body) if flags & 2 else (0, body)
        if kind == 2 and extra and _rar5_record(data, start + size - extra, start + size):
            return True
        at = start + size + packed
    return False


def _rar5_record(data: bytes, at: int, end: int) -> bool:
    while at < end:
        size, start = _vint(data, at)
        kind, _ = _vint(data, start)
        if kind == 1:
            return True  # file encryption record
        at = start + max(1, size)
    return False


def _vint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 63, 7):
        if at >= len(data):
            return value, at
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            break
    return value, at


_CHECKS: Mapping[str, Callable[[bytes], bool]] = {"zip": _zip, "pdf": _pdf, "ole": _ole, "7z": _seven_zip, "rar": _rar}


def encrypted(kind: str, data: bytes) -> bool:
    """True if a container of this kind ("zip", "pdf", "ole", "7z", "rar") says that it, or any member, is encrypted."""
    check = _CHECKS.get(kind)
    return check is not None and check(data)
