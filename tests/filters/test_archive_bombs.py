"""Archives made to exhaust: each ends as TooBig or Malformed, or as opaque members, within two seconds and little memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import tarfile
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from filters import tree
from filters.api import Budget, FilterError, Malformed, Member, Opener, TooBig
from filters.archives.gzips import GZIP
from filters.archives.streams import BZIP2, XZ
from filters.archives.tars import TAR
from filters.archives.ziparchive import ZIP
from filters.budget import Limits
from tests.support.zipforge import Piece, forge

pytestmark = pytest.mark.unit

MIB = 1 << 20
MEMORY = 64 * MIB  # beside the file itself


def zeros(size: int) -> bytes:
    """So many zeros, deflated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])


def gzipped(size: int) -> bytes:
    return b"\x1f\x8b\x08" + bytes(7) + zeros(size) + bytes(8)


def lying(told: int) -> bytes:
    """A member of 100 bytes that is said to be ``told`` long."""
    return forge([Piece(content=bytes(100), size=told, local_size=told)])


def one_for_all(count: int) -> bytes:
    """Fifield's first step: many names for one kernel of compressed bytes."""
    kernel = zeros(8 * MIB)
    first = Piece(b"0", bytes(8 * MIB), body=kernel)
    others = [
        Piece(b"%d" % number, body=b"", stored=len(kernel), size=8 * MIB, offset=0, local_name=b"0") for number in range(1, count)
    ]
    return forge([first, *others])


def quoting(count: int) -> bytes:
    """Fifield's second step: each member quotes the next one's local header in a stored block."""
    kernel = forge([Piece(b"kernel", bytes(MIB), body=zeros(MIB))])
    local = kernel[: kernel.index(b"PK\1\2")]
    quote = b"\0" + struct.pack("<HH", len(local), len(local) ^ 0xFFFF)
    return forge(
        [
            Piece(b"quoting", b"", body=quote, stored=len(quote) + len(local), size=MIB),
            Piece(b"kernel", bytes(MIB), body=zeros(MIB)),
        ]
    )


def header(kind: bytes, size: int = 0) -> bytes:
    info = tarfile.TarInfo("a")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def many_keywords() -> bytes:
    body = b"8 a=bcd\n" * 131_000
    return (header(tarfile.XHDTYPE, len(body)) + body + bytes(-len(body) % 512)) * 5


def wide_dictionary() -> bytes:
    """An xz file whose block header asks for 1 GiB of dictionary (xz file format 5.3.1), its CRC made right."""
    data = bytearray(lzma.compress(b"a", lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 4096}]))
    at = data.index(b"\x21\x01\x00", 12)
    data[at + 2] = 36
    size = (data[12] + 1) * 4
    data[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(data[12 : 12 + size - 4]))
    return bytes(data)


BOMBS: dict[str, tuple[Opener, Callable[[], bytes], type[FilterError]]] = {
    "zip: ratio": (ZIP, lambda: forge([Piece(content=bytes(16 * MIB), body=zeros(16 * MIB))]), TooBig),
    "zip: announced 4 GiB": (ZIP, lambda: lying(0xF0000000), TooBig),
    "zip: announced 8 MiB": (ZIP, lambda: lying(8 * MIB), TooBig),
    "zip: 65,536 members": (ZIP, lambda: forge([Piece(b"", b"", 0)] * 3, count=65_535), TooBig),
    "zip: 19,000 members": (ZIP, lambda: forge([Piece(b"%d" % number, b"", 0) for number in range(19_000)]), TooBig),
    "zip: overlap, one kernel": (ZIP, lambda: one_for_all(500), Malformed),
    "zip: overlap, quoted": (ZIP, lambda: quoting(2), Malformed),
    "gzip: zeros": (GZIP, lambda: gzipped(16 * MIB), TooBig),
    "bzip2: zeros": (BZIP2, lambda: bz2.compress(bytes(8 * MIB)), TooBig),
    "xz: zeros": (XZ, lambda: lzma.compress(bytes(8 * MIB), preset=0), TooBig),
    "xz: a dictionary of 1 GiB": (XZ, wide_dictionary, TooBig),
    "gzip: 21,000 members": (GZIP, lambda: gzip.compress(b"", mtime=0) * 21_000, TooBig),
    "tar: a file of 1 TiB": (TAR, lambda: header(tarfile.REGTYPE, 1 << 40) + bytes(1024), Malformed),
    "tar: 21,000 files": (TAR, lambda: header(tarfile.REGTYPE) * 21_000, TooBig),
    "tar: 21,000 notes": (TAR, lambda: header(tarfile.XHDTYPE) * 21_000, TooBig),
    "tar: 600,000 keywords": (TAR, many_keywords, TooBig),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.slow
def test_a_bomb_ends_soon(name: str) -> None:
    """By its limit, not by the machine's."""
    opener, build, error = BOMBS[name]
    data = build()
    began = time.process_time()
    with pytest.raises(error):
        for _ in opener.open(data, Budget()):
            pass
    assert time.process_time() - began < 2


@pytest.mark.parametrize("name", [name for name in BOMBS if "0" not in name])
def test_a_bomb_takes_little_memory(name: str) -> None:
    """Of those that decode anything; the others make no bytes at all."""
    opener, build, error = BOMBS[name]
    data = build()
    tracemalloc.start()
    with pytest.raises(error):
        for _ in opener.open(data, Budget()):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY


@pytest.mark.slow
def test_nested_bombs_are_paid_from_one_budget() -> None:
    """Eight archives of eight each, in the manner of 42.zip: the limit is the message's, not the archive's."""
    data = forge([Piece(b"0.bin", bytes(MIB))])  # so small that its ratio says nothing
    for _ in range(3):
        data = forge([Piece(b"%d.zip" % number, data) for number in range(8)])
    budget = Budget(Limits(total=20 * MIB))
    node = tree.examine(data, tree.Tools(), budget)
    assert {str(one.opaque) for one in node.walk() if one.sniffed.format == "zip" and one.opaque} == {"limit"}
    assert budget.room == 0


def test_archives_within_each_other_end_at_the_depth() -> None:
    """As a quine does, which holds itself for ever."""
    data = forge([Piece(b"a.txt", b"x")])
    for _ in range(40):
        data = gzip.compress(data, mtime=0)
    node = tree.examine(data, tree.Tools(), Budget())
    assert max(one.where.count("/") for one in node.walk()) < 10
    assert "limit" in {str(one.opaque) for one in node.walk()}


def test_a_member_that_tells_too_little_is_opaque() -> None:
    """Never a byte more is made than was announced."""
    data = forge([Piece(content=bytes(16 * MIB), body=zeros(16 * MIB), size=10, local_size=10)])
    tracemalloc.start()
    (member,) = [one for one in ZIP.open(data, Budget()) if isinstance(one, Member)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(member.opaque) == "corrupt"
    assert peak < MIB
