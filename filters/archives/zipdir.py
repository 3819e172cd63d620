"""The directory of a ZIP archive (PKWARE APPNOTE 6.3.10), read once and held against every local header.

Programs find their way through a ZIP file from its end, from its front, or by guess.  Where these ways would show different
files, the archive is ``Malformed``: overlapping members, a second directory, a local header that disagrees, a name twice.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from filters.api import Encrypted, Fate, Finding, Malformed, TooBig, Unsupported

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
END64, LOCATOR, DESCRIPTOR, SIGNATURE = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08", b"PK\x05\x05"
MAX_ENTRIES = 20_000
SEALED, DESCRIBED, STRONG, UTF8, MASKED = 0x0001, 0x0008, 0x0040, 0x0800, 0x2000  # general-purpose flags, 4.4.4
AES = 99  # method of a member sealed by AES (WinZip AE-1 and AE-2)
ZIP64, UNICODE_PATH, AES_EXTRA, STRONG_EXTRA = 0x0001, 0x7075, 0x9901, 0x0017  # extra fields, 4.5.2
EPOCH = 0x0021 << 16  # 1980-01-01 00:00:00, the oldest time a member can have
_NO_TIMES = frozenset((0, EPOCH))
_FULL, _FULL16 = 0xFFFFFFFF, 0xFFFF  # "see the ZIP64 record"
_FULLS = (_FULL16, _FULL, _FULL)
_PICTURE = 64  # bytes; the smallest pictures that show anything are longer
_LAST_PLACE = 65_557  # of the end record: its own 22 bytes and a comment


@dataclass(frozen=True, slots=True)
class Entry:
    """One member.  ``span`` is all of it, local header to data descriptor; ``data_span`` its stored bytes."""

    index: int
    name: str = field(repr=False)
    raw: bytes = field(repr=False)  # the name as it stands in the archive
    directory: bool
    encrypted: bool
    method: int
    crc: int
    size: int  # decoded
    stored: int
    data_span: tuple[int, int]
    span: tuple[int, int]
    flags: int
    time: int  # MS-DOS date << 16 | time
    need: int  # version needed to extract
    mode: int  # Unix file mode, 0 when the archive tells none
    seal: bytes = field(default=b"", repr=False)  # extra fields without which the sealed bytes cannot be unsealed


@dataclass(frozen=True, slots=True)
class Archive:
    """A ZIP archive: members in the order of the directory.

    ``hidden`` are the spans that belong to no member, and the comments and extra fields long enough to hide a picture.
    """

    data: bytes = field(repr=False)
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    hidden: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _End:
    """The end record: where the directory stands, and how many bytes something put before the archive."""

    count: int
    start: int
    end: int  # of the directory
    shift: int
    comment: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Raw:
    """One record of the directory as it stands."""

    need: int
    flags: int
    method: int
    time: int
    crc: int
    stored: int
    size: int
    name: bytes = field(repr=False)
    extra: bytes = field(repr=False)
    comment: int
    attributes: int
    host: int
    offset: int
    after: int  # where the next record begins


def read(data: bytes) -> Archive:
    """The archive by its directory.  Raises Malformed, Unsupported (several volumes), Encrypted (the directory), TooBig."""
    end = _end(data)
    notes: dict[str, str] = {}
    entries: list[Entry] = []
    at = end.start
    asides: list[tuple[int, int]] = []
    for index in range(end.count):
        raw = _central(data, at, end)
        at = raw.after
        entries.append(_entry(data, index, raw, end, notes))
        asides.append((at - raw.comment - len(raw.extra), at))
        asides.append((entries[-1].span[0] + 30 + len(raw.name), entries[-1].data_span[0]))
    _behind_directory(data, at, end, notes)
    _unique(entries)
    hidden = _hidden(data, entries, end, notes)
    hidden += tuple(span for span in (*asides, end.comment) if span[1] - span[0] >= _PICTURE)
    if end.comment[1] > end.comment[0]:
        notes.setdefault("zip.comment", "end")
    return Archive(data, tuple(entries), tuple(_finding(*note) for note in notes.items()), hidden)


def _finding(code: str, where: str) -> Finding:
    return Finding(code, where, Fate.KEPT if code.endswith(".signed") else Fate.REMOVED)


# ---- the end record


def _end(data: bytes) -> _End:
    at = data.rfind(END, max(0, len(data) - _LAST_PLACE))
    if at < 0 or at + 22 > len(data):
        raise Malformed("no end of central directory")
    disks, here, total, size, offset, comment = struct.unpack_from("<4xI2H2IH", data, at)
    tail = at + 22 + comment
    if tail > len(data) or _another_end(data, at):
        raise Malformed("two ends of central directory")
    limit, wide = at, data.startswith(LOCATOR, at - 20) if at >= 20 else False
    if wide:
        limit, values, place = _end64(data, at - 20)
        if any(old not in both for old, both in zip((total, size, offset), zip(_FULLS, values, strict=True), strict=True)):
            raise Malformed("two ends of central directory disagree")
        total, size, offset = values
        shift = limit - place
    elif disks or here != total:
        raise Unsupported("zip of several volumes")
    start = limit - size
    if wide and start - offset != shift:
        raise Malformed("place of the central directory")
    shift = start - offset
    if shift < 0 or start < 0 or (shift and data.startswith(CENTRAL, offset)):
        raise Malformed("place of the central directory")
    if total > MAX_ENTRIES:
        raise TooBig("limit of members")
    return _End(total, start, limit, shift, (at + 22, tail))


def _another_end(data: bytes, at: int) -> bool:
    """An earlier end record that another program would take: its comment reaches the end of the file."""
    other = data.rfind(END, max(0, len(data) - _LAST_PLACE), at)
    while other >= 0:
        if other + 22 + int.from_bytes(data[other + 20 : other + 22], "little") == len(data):
            return True
        other = data.rfind(END, max(0, len(data) - _LAST_PLACE), other)
    return False


def _end64(data: bytes, locator: int) -> tuple[int, tuple[int, int, int], int]:
    """(offset of the ZIP64 end record, (count, size, offset) of the directory, where the locator says that the record is)."""
    disk, place, disks = struct.unpack_from("<4xIQI", data, locator)
    _sealed_directory(data, place)
    at = locator - 56
    if at < 0 or not data.startswith(END64, at) or place > at:
        raise Malformed("ZIP64 end record")
    length, _made, _need, here, first, on_disk, total, size, offset = struct.unpack_from("<QHHIIQQQQ", data, at + 4)
    if length != 44:
        raise Unsupported("ZIP64 end record with more than the standard names")
    if disk or disks > 1 or here or first or on_disk != total:
        raise Unsupported("zip of several volumes")
    return at, (total, size, offset), place


def _sealed_directory(data: bytes, at: int) -> None:
    """Version 2 of the ZIP64 end record tells how the directory itself is sealed (4.3.14, 7.3.4).  Raises Encrypted."""
    if at + 78 <= len(data) and data.startswith(END64, at):
        (length,) = struct.unpack_from("<Q", data, at + 4)
        if length >= 72 and data[at + 74 : at + 76] != b"\0\0":
            raise Encrypted("zip directory")


# ---- members


def _central(data: bytes, at: int, end: _End) -> _Raw:
    if at + 46 > end.end or not data.startswith(CENTRAL, at):
        raise Malformed("central directory")
    made, need, flags, method, time, crc, stored, size = struct.unpack_from("<4H4I", data, at + 4)
    name, extra, comment, disk, _internal, attributes, offset = struct.unpack_from("<5H2I", data, at + 28)
    middle = at + 46 + name
    after = middle + extra + comment
    if after > end.end:
        raise Malformed("central directory")
    fields = data[middle : middle + extra]
    wide = [value for value in (size, stored, offset) if value == _FULL]
    if wide:
        numbers = iter(_wide(fields, len(wide)))
        size, stored, offset = (next(numbers) if value == _FULL else value for value in (size, stored, offset))
    if disk not in (0, _FULL16):
        raise Unsupported("zip of several volumes")
    if size >= _FULL or stored >= _FULL:
        raise TooBig("member of 4 GiB")
    return _Raw(need, flags, method, time, crc, stored, size, data[at + 46 : middle], fields, comment, attributes, made >> 8,
                offset, after)  # fmt: skip


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The extra fields that can be read; what follows the last of them is padding or damage (4.5.1)."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if at + 4 + size > len(extra):
            return
        yield kind, extra[at + 4 : at + 4 + size]
        at += 4 + size


def _field(extra: bytes, wanted: int) -> bytes | None:
    found = [body for kind, body in _fields(extra) if kind == wanted]
    if len(found) > 1:
        raise Malformed("an extra field twice")
    return found[0] if found else None


def _wide(extra: bytes, count: int) -> tuple[int, ...]:
    """The first ``count`` numbers of the ZIP64 extra field (4.5.3).  Raises Malformed."""
    body = _field(extra, ZIP64)
    if body is None or len(body) < 8 * count:
        raise Malformed("ZIP64 extra field")
    return struct.unpack_from(f"<{count}Q", body)


def _entry(data: bytes, index: int, raw: _Raw, end: _End, notes: dict[str, str]) -> Entry:
    if raw.flags & MASKED:
        raise Encrypted("zip with a masked directory")
    if b"\0" in raw.name:
        raise Malformed("NUL in a name")
    at = raw.offset + end.shift
    body, extra, time = _local(data, at, raw, end)
    after = body + raw.stored
    if after > end.start:
        raise Malformed("member outside the file")
    tail = _descriptor(data, after, raw, end) if data[at + 6] & DESCRIBED else 0
    encrypted = bool(raw.flags & (SEALED | STRONG)) or raw.method == AES
    place = f"member@{index}"
    if _superfluous(raw.extra, encrypted) or _superfluous(extra, encrypted):
        notes.setdefault("zip.extra-field", place)
    if raw.comment:
        notes.setdefault("zip.comment", place)
    if not encrypted and not {raw.time, time} <= _NO_TIMES:
        notes.setdefault("zip.time", place)
    name = _name(raw)
    if name.startswith("META-INF/") and name.upper().endswith((".RSA", ".DSA", ".EC", "SIGNATURES.XML")):
        notes.setdefault("zip.signed", place)
    return Entry(
        index=index, name=name, raw=raw.name, encrypted=encrypted, method=raw.method, crc=raw.crc, size=raw.size,
        directory=raw.name.endswith(b"/") and raw.size == 0 and raw.stored <= 2, stored=raw.stored, data_span=(body, after),
        span=(at, after + tail), flags=raw.flags, time=raw.time, need=raw.need & 0xFF,
        mode=raw.attributes >> 16 if raw.host in (3, 19) else 0, seal=_seal(extra) if encrypted else b"",
    )  # fmt: skip


def _local(data: bytes, at: int, raw: _Raw, end: _End) -> tuple[int, bytes, int]:
    """(offset of the stored bytes, extra fields, time) of the local header, which must say what the directory says."""
    if at + 30 > end.start or not data.startswith(LOCAL, at):
        raise Malformed("local header")
    flags, method, time, crc, stored, size, name, extra = struct.unpack_from("<2H4I2H", data, at + 6)
    body = at + 30 + name + extra
    fields = data[at + 30 + name : body]
    named = data[at + 30 : at + 30 + name]
    if named != raw.name and named.replace(b"\\", b"/") != raw.name.replace(b"\\", b"/"):  # programs take both for a slash
        raise Malformed("local header and directory disagree")
    if method != raw.method or (flags ^ raw.flags) & (SEALED | STRONG | MASKED):
        raise Malformed("local header and directory disagree")
    size, stored = _local_sizes(fields, size, stored)
    told = ((crc, raw.crc), (stored, raw.stored), (size, raw.size))
    later = (0, _FULL) if flags & DESCRIBED else ()
    if any(value != real and value not in later for value, real in told):
        raise Malformed("local header and directory disagree")
    return body, fields, time


def _local_sizes(extra: bytes, size: int, stored: int) -> tuple[int, int]:
    """Both stand in a local header's ZIP64 field (4.5.3); Info-ZIP writes only the one that it did not know."""
    body = _field(extra, ZIP64) if _FULL in (size, stored) else None
    if body is None:
        return size, stored
    if len(body) >= 16 or size == stored:
        size, stored = _wide(extra, 2)
    elif size == _FULL:
        (size,) = _wide(extra, 1)
    else:
        (stored,) = _wide(extra, 1)
    return size, stored


def _descriptor(data: bytes, at: int, raw: _Raw, end: _End) -> int:
    """Length of the data descriptor (4.3.9), 0 when the writer forgot it."""
    for layout in ("<III", "<IQQ"):
        wanted = struct.pack(layout, raw.crc, raw.stored, raw.size)
        for head in (DESCRIPTOR, b""):
            if data.startswith(head + wanted, at) and at + len(head) + len(wanted) <= end.start:
                return len(head) + len(wanted)
    if data.startswith(DESCRIPTOR, at):
        raise Malformed("data descriptor and directory disagree")
    return 0


def _name(raw: _Raw) -> str:
    """The name as most programs show it: Info-ZIP's Unicode path if it is this name's, UTF-8, else code page 437."""
    body = _field(raw.extra, UNICODE_PATH)
    if body is not None and len(body) > 5 and body[0] == 1 and int.from_bytes(body[1:5], "little") == binascii.crc32(raw.name):
        try:
            return body[5:].decode()
        except UnicodeDecodeError:
            pass  # the plain name is as good
    return plain(raw.name)


def plain(name: bytes) -> str:
    """A name without its extra field: UTF-8 if it can be read so (macOS forgets the flag), else code page 437."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp437")


def _superfluous(extra: bytes, encrypted: bool) -> bool:
    """Something stands there that is not needed to unpack the member."""
    return bool(extra) and extra != (_seal(extra) if encrypted else b"")


def _seal(extra: bytes) -> bytes:
    kinds = (AES_EXTRA, STRONG_EXTRA)
    return b"".join(struct.pack("<HH", kind, len(body)) + body for kind, body in _fields(extra) if kind in kinds)


# ---- what belongs to no member


def _behind_directory(data: bytes, at: int, end: _End, notes: dict[str, str]) -> None:
    if data.startswith(SIGNATURE, at) and at + 6 + int.from_bytes(data[at + 4 : at + 6], "little") == end.end:
        notes.setdefault("zip.signed", "record")
    elif at != end.end:
        raise Malformed("central directory of another length")


def _unique(entries: list[Entry]) -> None:
    names = [entry.raw for entry in entries if not entry.directory]
    shown = {entry.name for entry in entries if not entry.directory}
    if len(set(names)) != len(names) or len(shown) != len(names):
        raise Malformed("two members of one name")


def _hidden(data: bytes, entries: list[Entry], end: _End, notes: dict[str, str]) -> tuple[tuple[int, int], ...]:
    """Spans before, between and behind the members.  Raises Malformed when members overlap or a second archive hides there."""
    found: list[tuple[int, int]] = []
    at = 0
    for start, after in [*sorted(entry.span for entry in entries), (end.start, len(data))]:
        if start < at:
            raise Malformed("members overlap")
        if start > at:
            notes.setdefault("zip.gap" if at else "zip.prefix", f"byte@{at}")
            found.append((at, start))
        at = after
    if end.comment[1] < len(data):
        notes.setdefault("zip.trailer", f"byte@{end.comment[1]}")
        found.append((end.comment[1], len(data)))
    if any(data.find(word, *span) >= 0 for span in (*found, end.comment) for word in (LOCAL, CENTRAL)):
        raise Malformed("a second archive beside the members")
    return tuple(found)
