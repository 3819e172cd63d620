"""tar, gzip, bzip2, xz: names and contents stay, owners and hidden pictures go, what programs read differently is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable

import pytest

from filters.api import Budget, FilterError, Malformed, Unsupported
from filters.archives.gzips import GZIP
from filters.archives.streams import BZIP2, XZ
from filters.archives.tars import TAR
from filters.sniff import sniff
from tests.support.archive_kit import OPENERS, PHOTO, TEXT, codes, info, members, tarred

pytestmark = pytest.mark.unit


# ---- tar


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_stay(format: int) -> None:
    """Whichever way the writer told them, every program reads ours."""
    names = ["a.jpg", "folder/" * 13 + "a.jpg"]
    if format != tarfile.USTAR_FORMAT:
        names += ["n" * 240 + ".jpg", "Grüße/" * 30 + "a.jpg", "日本.jpg"]
    data = tarred(*(info(name, linkname="") for name in names), format=format, content=TEXT)
    again = TAR.rebuild(data, {}, {}, Budget())
    assert [member.name for member in members(TAR, again).values()] == names
    with tarfile.open(fileobj=io.BytesIO(again)) as archive:
        assert archive.getnames() == names


def test_a_long_name_that_is_no_utf8_stays() -> None:
    """Bytes are bytes: GNU's long name, both ways."""
    raw = b"\xe9" * 150
    long = info("././@LongLink", b"L").tobuf(tarfile.GNU_FORMAT)
    header = info("x", size=len(raw) + 1)
    header.type = b"L"
    data = header.tobuf(tarfile.GNU_FORMAT) + raw.ljust(512, b"\0") + tarred(info("short"), content=b"x")
    assert long
    again = TAR.rebuild(data, {}, {}, Budget())
    assert [member.name for member in members(TAR, again).values()] == [raw.decode("latin-1")]
    assert TAR.rebuild(again, {}, {}, Budget()) == again


def test_whether_a_file_can_run_stays_and_who_owned_it_goes() -> None:
    """Modes are reduced to kind and execution."""
    data = tarred(info("a", mode=0o4711, uid=7, uname="smith"), info("b", mode=0o600), info("d", tarfile.DIRTYPE, mode=0o700))
    assert codes(TAR, data) == {"tar.owner"}
    with tarfile.open(fileobj=io.BytesIO(TAR.rebuild(data, {}, {}, Budget()))) as archive:
        assert [(one.mode, one.uid, one.uname, one.mtime) for one in archive] == [
            (0o755, 0, "", 0),
            (0o644, 0, "", 0),
            (0o755, 0, "", 0),
        ]


@pytest.mark.parametrize("place", ["padding", "trailer", "note"])
def test_a_picture_hidden_beside_the_files_of_a_tar_is_a_member(place: str) -> None:
    """In the rest of a last block, behind the end, in a pax header."""
    small = b"GIF89a" + b"p" * 100
    if place == "padding":
        data = bytearray(tarred(info("a.txt"), content=b"hello"))
        data[600 : 600 + len(small)] = small
    elif place == "trailer":
        data = bytearray(tarred(info("a.txt"), content=b"hello") + small)
    else:
        named = info("a.txt")
        named.pax_headers = {"comment": small.decode()}
        data = bytearray(tarred(named, format=tarfile.PAX_FORMAT))
    assert any(small in member.data for member in members(TAR, bytes(data)).values())
    assert small not in TAR.rebuild(bytes(data), {}, {}, Budget())


def _broken(data: bytes, at: int, new: bytes) -> bytes:
    """A tar file with other bytes in its first header, the checksum made right."""
    head = bytearray(data[:512])
    head[at : at + len(new)] = new
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + data[512:]


SIMPLE = tarred(info("a.txt"), content=b"hello")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (SIMPLE[:300], Malformed),
        (SIMPLE[:514], Malformed),
        (b"b" + SIMPLE[1:], Malformed),  # checksum
        (_broken(SIMPLE, 124, b"77777777777\0"), Malformed),
        (_broken(SIMPLE, 124, b"\xff" * 12), Malformed),
        (_broken(SIMPLE, 124, b"\x80" + b"\xff" * 11), Malformed),
        (_broken(SIMPLE, 124, b"9x\0"), Malformed),
        (_broken(SIMPLE, 156, b"2"), Malformed),  # a link with a size
        (_broken(SIMPLE, 156, b"S"), Unsupported),
        (_broken(SIMPLE, 156, b"M"), Unsupported),
        (_broken(SIMPLE, 156, b"x"), Malformed),
        (tarred(info("x", tarfile.XHDTYPE)), Malformed),
    ],
)
def test_tars_that_programs_read_differently_are_refused(data: bytes, error: type[FilterError]) -> None:
    """Each defect by itself."""
    with pytest.raises(error):
        list(TAR.open(data, Budget()))


def test_an_archive_behind_the_end_of_another_is_looked_into_and_goes() -> None:
    """Most programs stop at the end mark, some read on."""
    data = SIMPLE + tarred(info("photo.jpg"), content=PHOTO)
    second = members(TAR, data)[f"bytes@{len(SIMPLE)}"].data
    assert [member.data for member in members(TAR, second).values()] == [PHOTO]
    assert TAR.rebuild(data, {f"bytes@{len(SIMPLE)}": b""}, {}, Budget()) == TAR.rebuild(SIMPLE, {}, {}, Budget())


@pytest.mark.parametrize("keyword", ["GNU.sparse.major", "GNU.sparse.map", "SUN.holesdata"])
def test_sparse_files_are_unsupported(keyword: str) -> None:
    """Their bytes are not what stands in the archive."""
    sparse = info("a.jpg")
    sparse.pax_headers = {keyword: "1"}
    with pytest.raises(Unsupported):
        list(TAR.open(tarred(sparse, format=tarfile.PAX_FORMAT), Budget()))


# ---- streams


def test_concatenated_streams_are_one_content() -> None:
    """As gunzip, bunzip2 and unxz show them."""
    for opener, pack in ((GZIP, gzip.compress), (BZIP2, bz2.compress), (XZ, lzma.compress)):
        packer: Callable[[bytes], bytes] = pack  # type: ignore[assignment]  # all three take one argument
        data = packer(b"one ") + packer(b"") + packer(b"two")
        assert [member.data for member in members(opener, data).values()] == [b"one two"]
        again = opener.rebuild(data, {}, {}, Budget())
        assert [member.data for member in members(opener, again).values()] == [b"one two"]


def test_padding_is_no_finding_and_hidden_pictures_behind_streams_are_members() -> None:
    """Zeros behind gzip and xz come from tapes; anything else is a trailer."""
    for opener, packed in ((GZIP, gzip.compress(b"x", mtime=0)), (XZ, lzma.compress(b"x"))):
        assert codes(opener, packed + bytes(512)) == set()
        assert f"{opener.name}.trailer" in codes(opener, packed + b"said")
        assert any(member.data == PHOTO for member in members(opener, packed + PHOTO).values())
        assert opener.rebuild(packed + PHOTO, {}, {}, Budget()) == opener.rebuild(packed, {}, {}, Budget())


def test_a_gzip_file_keeps_its_compressed_bytes() -> None:
    """Only the header changes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(TEXT) + packer.flush()
    data = b"\x1f\x8b\x08\x08\1\2\3\4\2\3said\0" + body + struct.pack("<II", zlib.crc32(TEXT), len(TEXT))
    again = GZIP.rebuild(data, {}, {}, Budget())
    assert body in again
    assert gzip.decompress(again) == TEXT
    assert members(GZIP, data)["content"].name == "said"


@pytest.mark.parametrize(
    "data",
    [
        b"\x1f\x8b",
        b"\x1f\x8b\x09" + bytes(30),
        b"\x1f\x8b\x08\xe0" + bytes(30),
        b"\x1f\x8b\x08\x08" + b"n" * 30,
        gzip.compress(TEXT, mtime=0)[:-1],
        gzip.compress(TEXT, mtime=0)[:-8] + bytes(8),
        gzip.compress(TEXT, mtime=0)[:20] + b"\xff" * 9,
        bz2.compress(TEXT)[:-1],
        bz2.compress(TEXT)[:20] + bytes(20),
        lzma.compress(TEXT)[:-1],
        lzma.compress(TEXT)[:20] + bytes(20),
        lzma.compress(TEXT) + lzma.compress(TEXT)[:8],
    ],
)
def test_damaged_streams_are_refused(data: bytes) -> None:
    """Every reader checks the sums."""
    with pytest.raises(FilterError):
        list(OPENERS[sniff(data).format].open(data, Budget()))
