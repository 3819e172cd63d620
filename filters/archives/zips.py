"""ZIP surgery: members out, members back, and every byte of the others as it was.  Office files and archives share it."""

from __future__ import annotations

import binascii
import struct
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from filters.api import Budget, Encrypted, Malformed, TooBig, Unsupported
from filters.archives import unpack
from filters.archives.zipdir import AES, CENTRAL, DESCRIBED, DESCRIPTOR, END, EPOCH, LOCAL, UTF8, Archive, Entry, plain, read

__all__ = ["Archive", "Entry", "decode", "read", "rewrite"]

_STORED, _DEFLATED = 0, 8
_DEFLATE_FLAGS = 0x0006  # how hard the writer tried, or the end marker of LZMA; part of the compressed bytes' description
_HAVE_FLAGS = frozenset((6, 8, 9, 14))
_NEED: Mapping[int, int] = {9: 21, 12: 46, 14: 63, 95: 63, 93: 63, 98: 63, AES: 51}  # version needed, APPNOTE 4.4.3
_UNIX = 3 << 8  # host of "version made by" when the member has a Unix mode
_LINK, _FOLDER, _FILE = 0o120000, 0o040000, 0o100000
_MOST = 0xFFFFFFFE


def decode(archive: Archive, entry: Entry, budget: Budget) -> bytes:
    """The member's content, its CRC checked, paid from ``budget``.  Raises Encrypted, Unsupported, Malformed, TooBig."""
    if entry.encrypted:
        raise Encrypted("zip member")
    start, end = entry.data_span
    decoder = unpack.METHODS.get(entry.method)
    if decoder is None and entry.method != _STORED:
        raise Unsupported("zip method")
    budget.grow(entry.size, entry.stored)  # paid before a byte is made: nothing longer than announced comes out
    stored = memoryview(archive.data)[start:end]
    out = bytes(stored) if decoder is None else decoder(stored, entry.size, entry.flags)
    if len(out) != entry.size or binascii.crc32(out) != entry.crc:
        raise Malformed("zip member is not what the directory says")
    return out


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """One member as it will stand: everything that its two headers say."""

    name: bytes = field(repr=False)
    flags: int
    method: int
    time: int
    crc: int
    size: int
    stored: int
    body: bytes | memoryview = field(repr=False)
    mode: int
    seal: bytes = field(default=b"", repr=False)
    needed: int = 0  # what the writer of a sealed member asked for: it tells programs how it is sealed

    @property
    def need(self) -> int:
        return self.needed or _NEED.get(self.method, 20)

    def common(self) -> bytes:
        """What local header and directory say alike."""
        lengths = (len(self.name), len(self.seal))
        return struct.pack(
            "<HHHIIIIHH", self.need, self.flags, self.method, self.time, self.crc, self.stored, self.size, *lengths
        )

    def local(self) -> bytes:
        return LOCAL + self.common() + self.name + self.seal

    def descriptor(self) -> bytes:
        if not self.flags & DESCRIBED:
            return b""
        return DESCRIPTOR + struct.pack("<III", self.crc, self.stored, self.size)

    def central(self, offset: int) -> bytes:
        made = self.need | (_UNIX if self.mode else 0)
        attributes = self.mode << 16 | (0x10 if self.name.endswith(b"/") else 0)
        places = struct.pack("<HHHII", 0, 0, 0, attributes, offset)
        return CENTRAL + struct.pack("<H", made) + self.common() + places + self.name + self.seal


def rewrite(
    archive: Archive, changes: Mapping[int, bytes], drop: Collection[int] = (), names: Mapping[int, str] | None = None
) -> bytes:
    """The archive with the members ``changes`` (index -> content) replaced, ``drop`` left out and ``names`` given.

    The others keep their stored bytes.  Order, methods and names stay; comments, extra fields, times, owners and whatever
    belongs to no member go.  Raises Malformed when two members would have one name, TooBig when 4 GiB do not hold it.
    """
    out = [
        _outgoing(archive, entry, changes.get(entry.index), (names or {}).get(entry.index))
        for entry in archive.entries
        if entry.index not in drop
    ]
    files = [member.name for member in out if not member.name.endswith(b"/")]
    if len(set(files)) != len(files):
        raise Malformed("two members of one name")
    parts: list[bytes | memoryview] = []
    directory: list[bytes] = []
    at = 0
    for member in out:
        directory.append(member.central(min(at, _MOST)))
        pieces = (member.local(), member.body, member.descriptor())
        parts += pieces
        at += sum(len(piece) for piece in pieces)
    length = sum(map(len, directory))
    if at + length > _MOST:
        raise TooBig("zip of 4 GiB")
    end = END + struct.pack("<HHHHIIH", 0, 0, len(out), len(out), length, at, 0)
    return b"".join((*parts, *directory, end))


def _outgoing(archive: Archive, entry: Entry, content: bytes | None, name: str | None) -> _Outgoing:
    raw, utf8 = _named(entry, name)
    mode = _mode(entry)
    if content is not None:
        method = _STORED if entry.method == _STORED else _DEFLATED
        packed = content if method == _STORED else _deflate(content)
        return _Outgoing(raw, utf8, method, EPOCH, binascii.crc32(content), len(content), len(packed), packed, mode)
    if entry.directory and not entry.encrypted:
        return _Outgoing(raw, utf8, _STORED, EPOCH, 0, 0, 0, b"", mode)
    start, end = entry.data_span
    body = memoryview(archive.data)[start:end]
    if entry.encrypted:  # the password is checked against time or CRC, as the flags say (APPNOTE 6.1.6): both stay
        flags = entry.flags & ~UTF8 | utf8
        numbers = (entry.method, entry.time, entry.crc, entry.size, entry.stored)
        return _Outgoing(raw, flags, *numbers, body, mode, entry.seal, entry.need)
    flags = utf8 | (entry.flags & _DEFLATE_FLAGS if entry.method in _HAVE_FLAGS else 0)
    return _Outgoing(raw, flags, entry.method, EPOCH, entry.crc, entry.size, entry.stored, body, mode)


def _named(entry: Entry, name: str | None) -> tuple[bytes, int]:
    """(name as it will stand, the flag that says it is UTF-8)."""
    if name is None:
        if plain(entry.raw) == entry.name:
            return entry.raw, entry.flags & UTF8
        name = entry.name  # an extra field told it, and that goes
    raw = name.encode("utf-8", "replace")
    if len(raw) > 0xFFFF or b"\0" in raw:
        raise Malformed("name of a member")
    return raw, 0 if name.isascii() else UTF8


def _mode(entry: Entry) -> int:
    """Kind and whether it may be run; whose it was and who may read it goes."""
    if not entry.mode:
        return 0
    if entry.directory:
        return _FOLDER | 0o755
    if entry.mode & 0o170000 == _LINK:
        return _LINK | 0o777
    return _FILE | (0o755 if entry.mode & 0o111 else 0o644)


def _deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()
