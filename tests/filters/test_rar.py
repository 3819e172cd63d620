"""filters.archives.rarblocks: volumes and seals are told by the headers, before C code decodes anything."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.api import Blocked, Budget, Encrypted, FilterError, Member, Unsupported
from filters.archives import foreign, rarblocks
from tests.support.needs import missing

pytestmark = pytest.mark.unit

FIVE, THREE = b"Rar!\x1a\x07\x01\0", b"Rar!\x1a\x07\0"
SEAL = b"\x01"  # kind of the extra record that says how a file is encrypted


def number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def block(kind: int, fields: bytes, data: bytes = b"", extra: bytes = b"", flags: int = 0) -> bytes:
    """One block of RAR 5."""
    flags |= (1 if extra else 0) | (2 if data else 0)
    sizes = (number(len(extra)) if extra else b"") + (number(len(data)) if data else b"")
    body = number(kind) + number(flags) + sizes + fields + extra
    body = number(len(body)) + body
    return struct.pack("<I", zlib.crc32(body)) + body + data


def filed(name: bytes, content: bytes, sealed: bool = False, flags: int = 0) -> bytes:
    """A stored file."""
    fields = number(4) + number(len(content)) + number(0o100644) + struct.pack("<I", zlib.crc32(content))
    fields += number(0) + number(1) + number(len(name)) + name
    extra = number(1 + 20) + SEAL + bytes(20) if sealed else b""
    return block(2, fields, content, extra, flags)


def five(*files: bytes, archive_flags: int = 0) -> bytes:
    return FIVE + block(1, number(archive_flags)) + b"".join(files) + block(5, number(0))


def three(blocks: Sequence[tuple[int, int, bytes]]) -> bytes:
    """Blocks of RAR 3 by (kind, flags, data); nothing but their frames."""
    out = THREE
    for kind, flags, data in blocks:
        size = 11 if kind == 0x74 else 7
        head = struct.pack("<BHH", kind, flags, size) + (struct.pack("<I", len(data)) if kind == 0x74 else b"")
        out += struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head + data
    return out


OPEN, SEALED = filed(b"a.jpg", b"content"), filed(b"b.jpg", b"content", sealed=True)


def test_a_stored_archive_is_opened() -> None:
    """RAR 5, by libarchive; bytes behind the end are told when they are a picture's."""
    try:
        foreign.load()
    except Unsupported:
        missing("libarchive")
    seen = list(foreign.RAR.open(five(OPEN, filed(b"c.txt", b"more")), Budget()))
    assert [(one.name, one.data) for one in seen if isinstance(one, Member)] == [("a.jpg", b"content"), ("c.txt", b"more")]
    assert not [one for one in seen if isinstance(one, Blocked)]
    behind = list(foreign.RAR.open(five(OPEN) + b"\x89PNG\r\n\x1a\n" + bytes(90), Budget()))
    assert [one.code for one in behind if isinstance(one, Blocked)] == ["archive.hidden"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (five(OPEN, archive_flags=1), Unsupported),
        (five(filed(b"a.jpg", b"content", flags=0x10)), Unsupported),
        (five(filed(b"a.jpg", b"content", flags=0x08)), Unsupported),
        (five(SEALED), Encrypted),
        (five(SEALED, SEALED), Encrypted),
        (five(OPEN, SEALED), Unsupported),
        (FIVE + block(4, bytes(20)), Encrypted),
        (three([(0x73, 1, b"")]), Unsupported),
        (three([(0x73, 0, b""), (0x74, 2, b"data")]), Unsupported),
        (three([(0x73, 0x80, b"")]), Encrypted),
        (three([(0x73, 0, b""), (0x74, 4, b"data")]), Encrypted),
        (three([(0x73, 0, b""), (0x74, 4, b"data"), (0x74, 0, b"data")]), Unsupported),
    ],
)
def test_volumes_and_seals_have_their_reason(data: bytes, error: type[FilterError]) -> None:
    """A sender may vouch for what is encrypted, never for open files beside it, and one volume shows only a part."""
    with pytest.raises(error):
        rarblocks.check(data)


@given(st.sampled_from((FIVE, THREE, five(OPEN, SEALED), three([(0x73, 0, b""), (0x74, 0, b"data")]))), st.binary(max_size=80))
@settings(max_examples=100, deadline=None)
def test_noise_is_a_filter_error_or_nothing(head: bytes, noise: bytes) -> None:
    """Total, whatever follows."""
    try:
        rarblocks.check(head + noise)
    except FilterError:
        pass
