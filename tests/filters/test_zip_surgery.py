"""filters.archives.zips: what two programs would read differently is refused, and untouched members keep their bytes."""

from __future__ import annotations

import binascii
import bz2
import io
import lzma
import random
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.api import Budget, Encrypted, Fate, FilterError, Malformed, TooBig, Unsupported
from filters.archives import zips
from filters.budget import Limits
from tests.support.zipforge import Piece, deflate, field, forge

pytestmark = pytest.mark.unit

TEXT = b"Dear colleague, " * 40
EPOCH = 0x21 << 16


def plain(name: bytes = b"a.txt", content: bytes = b"content", **more: object) -> Piece:
    return Piece(name, content, time=EPOCH, **more)  # type: ignore[arg-type]  # the test names fields of Piece


def codes(data: bytes) -> set[str]:
    return {finding.code for finding in zips.read(data).findings}


def contents(data: bytes) -> dict[str, bytes]:
    archive = zips.read(data)
    return {entry.name: zips.decode(archive, entry, Budget()) for entry in archive.entries}


# ---- what is read


def test_a_plain_archive_has_nothing_to_remove() -> None:
    """Members in order, contents decoded, no finding."""
    data = forge([plain(), plain(b"b/", b"", method=0), plain(b"b/c.txt", TEXT)])
    archive = zips.read(data)
    assert [(entry.name, entry.directory) for entry in archive.entries] == [("a.txt", False), ("b/", True), ("b/c.txt", False)]
    assert archive.findings == ()
    assert archive.hidden == ()
    assert contents(data)["b/c.txt"] == TEXT


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_method_of_the_standard_library_is_decoded(method: int) -> None:
    """Python writes it, we read it, and write it back untouched."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a.txt", TEXT)
        archive.writestr("empty", b"")
    assert contents(out.getvalue()) == {"a.txt": TEXT, "empty": b""}
    again = zips.rewrite(zips.read(out.getvalue()), {})
    with zipfile.ZipFile(io.BytesIO(again)) as archive:
        assert archive.testzip() is None
        assert archive.read("a.txt") == TEXT


def test_xz_members_are_decoded() -> None:
    """Method 95, which Python does not write."""
    assert contents(forge([plain(method=95, body=lzma.compress(b"content"))])) == {"a.txt": b"content"}


def test_an_archive_written_to_a_pipe_is_read() -> None:
    """Data descriptors of all four forms, with sizes in the local header that are not known yet."""
    crc, body = binascii.crc32(TEXT), deflate(TEXT)
    for layout, head in (("<III", b"PK\7\x08"), ("<III", b""), ("<IQQ", b"PK\7\x08"), ("<IQQ", b"")):
        descriptor = head + struct.pack(layout, crc, len(body), len(TEXT))
        data = forge(
            [plain(content=TEXT, flags=8, local_crc=0, local_size=0, local_stored=0, descriptor=descriptor), plain(b"b")]
        )
        assert contents(data)["a.txt"] == TEXT
        assert codes(data) == set()
        assert len(zips.rewrite(zips.read(data), {})) < len(data)


def test_zip64_is_read_and_written_as_plain_zip() -> None:
    """Python's force_zip64 for a member; sizes in the extra field of both headers."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a.txt", "w", force_zip64=True) as member:
        member.write(TEXT)
    assert contents(out.getvalue()) == {"a.txt": TEXT}
    wide = field(1, struct.pack("<QQ", len(TEXT), len(TEXT)))
    full = 0xFFFFFFFF
    data = forge([plain(content=TEXT, method=0, size=full, stored=full, extra=wide)])
    assert contents(data) == {"a.txt": TEXT}
    assert contents(zips.rewrite(zips.read(data), {})) == {"a.txt": TEXT}
    assert codes(zips.rewrite(zips.read(data), {})) == set()


def test_a_zip64_end_record_is_read() -> None:
    """The directory's place and count stand in the wide record alone."""
    data = forge([plain(content=TEXT)])
    at = data.rindex(b"PK\5\6")
    start = data.index(b"PK\1\2")
    record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, at - start, start)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, at, 1)
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert contents(data[:at] + record + locator + end) == {"a.txt": TEXT}
    lies = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 2, 2, at - start, start, 0)
    with pytest.raises(Malformed):
        zips.read(data[:at] + record + locator + lies)


@pytest.mark.parametrize(
    ("raw", "flags", "extra", "shown"),
    [
        (b"plain.jpg", 0, b"", "plain.jpg"),
        ("Grüße.jpg".encode(), 0x800, b"", "Grüße.jpg"),
        ("Grüße.jpg".encode(), 0, b"", "Grüße.jpg"),  # macOS forgets the flag
        ("Grüße.jpg".encode("cp437"), 0, b"", "Grüße.jpg"),
        (
            b"Gr__e.jpg",
            0,
            field(0x7075, b"\1" + struct.pack("<I", binascii.crc32(b"Gr__e.jpg")) + "Grüße.jpg".encode()),
            "Grüße.jpg",
        ),
        (
            b"other.jpg",
            0,
            field(0x7075, b"\1" + struct.pack("<I", binascii.crc32(b"Gr__e.jpg")) + "Grüße.jpg".encode()),
            "other.jpg",
        ),
    ],
)
def test_names_are_what_programs_show(raw: bytes, flags: int, extra: bytes, shown: str) -> None:
    """UTF-8, code page 437, Info-ZIP's Unicode path; the rewritten archive shows the same name."""
    data = forge([plain(raw, flags=flags, extra=extra)])
    assert [entry.name for entry in zips.read(data).entries] == [shown]
    again = zips.rewrite(zips.read(data), {})
    assert [entry.name for entry in zips.read(again).entries] == [shown]
    assert codes(again) == set()


# ---- what has to go


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (forge([plain()], comment=b"said"), "zip.comment"),
        (forge([plain(comment=b"said")]), "zip.comment"),
        (forge([plain(extra=field(0x7875, b"said"))]), "zip.extra-field"),
        (forge([plain(local_extra=field(0x7875, b"said"))]), "zip.extra-field"),
        (forge([plain(gap=b""), plain(b"b", gap=b"said")]), "zip.gap"),
        (forge([plain()], before_directory=b"said"), "zip.gap"),
        (forge([plain()], prefix=b"said"), "zip.prefix"),
        (forge([plain()], prefix=b"said", shift=4), "zip.prefix"),
        (forge([plain()], trailer=b"said"), "zip.trailer"),
        (forge([Piece()]), "zip.time"),
    ],
)
def test_what_belongs_to_no_member_is_found_and_goes(data: bytes, code: str) -> None:
    """One finding, and after rewriting neither the finding nor the words."""
    (finding,) = zips.read(data).findings
    assert (finding.code, finding.fate) == (code, Fate.REMOVED)
    again = zips.rewrite(zips.read(data), {})
    assert zips.read(again).findings == ()
    assert b"said" not in again
    assert contents(again) == contents(data)
    assert zips.rewrite(zips.read(again), {}) == again


def test_owners_and_permissions_go_but_a_program_can_still_run() -> None:
    """Of the Unix mode only the kind and whether it may be run are kept."""
    modes = (0o100640, 0o100751, 0o120777, 0o40700)
    pieces = [plain(b"%d" % mode + b"/" * (mode == 0o40700), b"", made=3 << 8 | 20, attributes=mode << 16) for mode in modes]
    again = zips.rewrite(zips.read(forge(pieces)), {})
    with zipfile.ZipFile(io.BytesIO(again)) as archive:
        assert [info.external_attr >> 16 for info in archive.infolist()] == [0o100644, 0o100755, 0o120777, 0o40755]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


# ---- rewriting


def test_untouched_members_keep_their_compressed_bytes() -> None:
    """Only the changed one is deflated anew."""
    odd = bz2.compress(TEXT)
    data = forge([plain(content=TEXT), plain(b"b.txt", TEXT, method=12, body=odd), plain(b"c.txt", b"old")])
    again = zips.rewrite(zips.read(data), {2: b"new"})
    assert deflate(TEXT) in again
    assert odd in again
    assert contents(again) == {"a.txt": TEXT, "b.txt": TEXT, "c.txt": b"new"}


def test_order_and_a_stored_mimetype_stay() -> None:
    """OpenDocument: ``mimetype`` is first, stored, and has no extra field."""
    data = forge([Piece(b"mimetype", b"application/vnd.oasis.opendocument.text", method=0), Piece(b"content.xml", TEXT)])
    again = zips.rewrite(zips.read(data), {1: b"<x/>"})
    assert again[30:].startswith(b"mimetypeapplication/vnd.oasis.opendocument.text")
    stored = zips.rewrite(zips.read(data), {0: b"changed"})
    assert zips.read(stored).entries[0].method == 0


def test_members_can_be_dropped_and_named() -> None:
    """New names are ASCII as they are, else UTF-8 and flagged so."""
    archive = zips.read(forge([plain(b"a"), plain(b"b"), plain(b"c")]))
    again = zips.rewrite(archive, {}, drop=(1,), names={0: "img-1.jpg", 2: "Bild-ö.jpg"})
    with zipfile.ZipFile(io.BytesIO(again)) as out:
        assert out.namelist() == ["img-1.jpg", "Bild-ö.jpg"]
    with pytest.raises(Malformed):
        zips.rewrite(archive, {}, names={0: "c"})


def test_sealed_members_can_still_be_unsealed() -> None:
    """Time, flags and the AES field stay where the password is checked against them; other fields go."""
    aes = field(0x9901, b"\2\0AE\3\x08\0")
    sealed = [
        Piece(b"old.jpg", b"x" * 40, 8, flags=9, extra=field(0x5455, b"said!"), body=b"s" * 40, descriptor=b""),
        Piece(b"aes.jpg", b"x" * 40, 99, flags=1, extra=aes + field(0x5455, b"said!"), body=b"s" * 40, crc=0),
    ]
    data = forge(sealed)
    archive = zips.read(data)
    assert all(entry.encrypted for entry in archive.entries)
    for entry in archive.entries:
        with pytest.raises(Encrypted):
            zips.decode(archive, entry, Budget())
    again = zips.rewrite(archive, {})
    assert b"said" not in again
    kept = zips.read(again)
    assert kept.findings == ()
    assert [(e.flags & 9, e.time, e.crc) for e in kept.entries] == [(e.flags & 9, e.time, e.crc) for e in archive.entries]
    assert again.count(aes) == 2


# ---- what is refused


END = forge([])
NESTED = forge([plain()])
BAD = {
    "empty": b"",
    "no end": b"PK\3\4" + bytes(60),
    "overlap": forge([plain(content=TEXT, method=0), plain(b"b", offset=0, local_name=b"a.txt")]),
    "one inside another": forge([plain(b"b", TEXT), plain(b"c", b"", method=0, offset=4)]),
    "local name": forge([plain(local_name=b"b.txt")]),
    "local method": forge([plain(local_method=0)]),
    "local size": forge([plain(local_size=3)]),
    "local stored": forge([plain(local_stored=3)]),
    "local crc": forge([plain(local_crc=3)]),
    "local flags": forge([plain(local_flags=1)]),
    "descriptor": forge([plain(flags=8, descriptor=b"PK\7\x08" + bytes(12))]),
    "outside": forge([plain(stored=10_000, local_stored=10_000)]),
    "offset": forge([plain(offset=10_000)]),
    "same name": forge([plain(), plain()]),
    "shown alike": forge([plain("ü".encode("cp437")), plain("ü".encode(), flags=0x800)]),
    "NUL in a name": forge([plain(b"a.txt\0.jpg")]),
    "second directory in the comment": forge([plain()], comment=b"x" + NESTED[NESTED.index(b"PK\1\2") :]),
    "second end in the comment": forge([plain()], comment=END),
    "end in the comment that reaches the end": forge([plain()], comment=END[:20] + b"\4\0said"),
    "archive before": forge([plain(b"b")], prefix=NESTED),
    "archive before a shifted one": NESTED + forge([plain(b"b")]),
    "archive in a gap": forge([plain(), plain(b"b", gap=NESTED)]),
    "deleted member in a gap": forge([plain()], before_directory=NESTED[: NESTED.index(b"PK\1\2")]),
    "too few told": forge([plain(), plain(b"b")], count=1),
    "too many told": forge([plain()], count=2),
    "rubbish in the directory": forge([plain()], in_directory=b"rubbish"),
    "zip64 without its field": forge([plain(size=0xFFFFFFFF)]),
    "zip64 field twice": forge([plain(size=0xFFFFFFFF, extra=field(1, struct.pack("<Q", 7)) * 2)]),
}


@pytest.mark.parametrize("name", BAD)
def test_what_two_programs_would_read_differently_is_malformed(name: str) -> None:
    """Each defect by itself."""
    with pytest.raises(Malformed):
        zips.read(BAD[name])


def test_an_inner_end_record_that_reaches_the_end_of_the_file_is_malformed() -> None:
    """Strict programs look for a comment that ends with the file: with bytes behind the archive they would open the inner one."""

    def nested(rest: int) -> bytes:
        inner = NESTED[:-2] + struct.pack("<H", rest)
        return forge([plain(b"inner.zip", inner, method=0)], trailer=b"said")

    zips.read(nested(0))
    size = len(nested(0))
    with pytest.raises(Malformed):
        zips.read(nested(size - nested(0).index(END[:4]) - 22))


def test_several_volumes_and_masked_directories_are_told_apart() -> None:
    """Unsupported and Encrypted have rules of their own."""
    with pytest.raises(Unsupported):
        zips.read(forge([plain(disk=1)]))
    with pytest.raises(Encrypted):
        zips.read(forge([plain(flags=0x2001)]))


@pytest.mark.parametrize(
    "piece",
    [
        plain(crc=1, local_crc=1),
        plain(content=TEXT, size=5, local_size=5),
        plain(content=TEXT, size=5000, local_size=5000),
        plain(content=TEXT, body=deflate(TEXT)[:-3]),
        plain(content=TEXT, body=deflate(TEXT) + b"behind"),
        plain(content=TEXT, method=0, size=5, local_size=5),
        plain(content=TEXT, method=12, body=bz2.compress(TEXT) + b"behind"),
        plain(content=TEXT, method=12, body=bz2.compress(TEXT)[:-4]),
        plain(content=TEXT, method=14, body=b"\x09\x14\x05\0\xff\0\0\0\0" + bytes(20)),
        plain(content=TEXT, method=14, body=b"\x09\x14"),
        plain(content=TEXT, method=95, body=lzma.compress(TEXT)[:-9]),
        plain(b"looks/like/a/folder/", b"hidden", method=0, size=0, local_size=0),
    ],
)
def test_members_that_lie_about_themselves_are_malformed(piece: Piece) -> None:
    """Size, CRC, end of the stream, bytes behind it."""
    archive = zips.read(forge([piece]))
    with pytest.raises(Malformed):
        zips.decode(archive, archive.entries[0], Budget())


@pytest.mark.parametrize("method", [1, 6, 9, 93, 98, 97, 200])
def test_other_methods_are_unsupported(method: int) -> None:
    """Never guessed at."""
    archive = zips.read(forge([plain(method=method, body=b"x")]))
    with pytest.raises(Unsupported):
        zips.decode(archive, archive.entries[0], Budget())


def test_limits_are_reached_before_a_byte_is_made() -> None:
    """Announced size beyond the budget, ratio, four GiB, more members than anybody sends."""
    archive = zips.read(forge([plain(content=bytes(3 << 20))]))
    with pytest.raises(TooBig):
        zips.decode(archive, archive.entries[0], Budget())
    with pytest.raises(TooBig):
        zips.decode(zips.read(forge([plain(content=TEXT)])), archive.entries[0], Budget(Limits(total=100)))
    with pytest.raises(TooBig):
        zips.read(forge([plain()], count=20_001))
    wide = field(1, struct.pack("<Q", 1 << 33))
    with pytest.raises(TooBig):
        zips.read(forge([plain(size=0xFFFFFFFF, extra=wide)]))


def test_no_content_shows_in_reprs_and_errors() -> None:
    """P5: names and bytes of members stand in no log line."""
    archive = zips.read(forge([plain(b"Smith.jpg", b"Smith", comment=b"Smith")], comment=b"Smith"))
    assert "Smith" not in repr(archive)


# ---- whatever the bytes are

SEEDS = [
    forge([plain(content=TEXT), plain(b"b/", b"", method=0), plain(b"c", TEXT, extra=field(1, b"12345678"), comment=b"c")]),
    forge(
        [
            plain(
                content=TEXT, flags=8, descriptor=b"PK\7\x08" + struct.pack("<III", binascii.crc32(TEXT), len(deflate(TEXT)), 640)
            )
        ]
    ),
]


def holds(data: bytes) -> None:
    """A FilterError, or an archive that Python reads alike and that is clean once rewritten."""
    try:
        archive = zips.read(data)
        again = zips.rewrite(archive, {})
        told = zips.read(again)
    except FilterError:
        return
    assert not [finding for finding in told.findings if finding.fate is not Fate.KEPT]
    assert zips.rewrite(told, {}) == again
    for old, new in zip(archive.entries, told.entries, strict=True):
        try:
            content = zips.decode(archive, old, Budget())
        except FilterError:
            continue
        assert zips.decode(told, new, Budget()) == content


@pytest.mark.parametrize("seed", SEEDS)
def test_every_truncation_is_a_filter_error_or_sound(seed: bytes) -> None:
    """At every length."""
    for size in range(len(seed)):
        holds(seed[:size])


def test_bit_flips_are_a_filter_error_or_sound() -> None:
    """Two thousand of them, from a fixed seed."""
    chance = random.Random(7)
    for _ in range(1000):
        for seed in SEEDS:
            data = bytearray(seed)
            for _ in range(chance.randint(1, 3)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            holds(bytes(data))


@given(
    st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=80), st.sampled_from((0, 8))), max_size=6),
    st.binary(max_size=30),
)
@settings(max_examples=80, deadline=None)
def test_any_members_come_back(members: list[tuple[bytes, bytes, int]], rest: bytes) -> None:
    """Whatever names and contents are, with whatever around them."""
    holds(forge([plain(name, content, method=method) for name, content, method in members], comment=rest, trailer=rest))
