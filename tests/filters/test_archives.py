"""filters.archives: every file of an archive is offered, what the archive itself tells goes, and nothing is ever extracted."""

from __future__ import annotations

import io
import random
import re
import struct
import tarfile
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import tree
from filters.api import Budget, FilterError, Finding, Malformed, Member, OpaqueReason, Unsupported
from filters.archives import appledouble, foreign
from filters.archives.appledouble import APPLE_DOUBLE
from filters.archives.codes import CODES
from filters.archives.tars import TAR
from filters.archives.ziparchive import ZIP
from filters.sniff import sniff
from tests.support.archive_kit import OPENERS, PHOTO, TEXT, codes, info, members, tarred
from tests.support.samples import archives
from tests.support.zipforge import Piece, field, forge

pytestmark = pytest.mark.unit


# ---- the contract, for every archive that is rebuilt


@pytest.mark.parametrize("name", archives.CONTAINERS)
def test_no_canary_survives_a_rebuild(name: str) -> None:
    """Nothing that stood beside the files is left, in any encoding, and a second rebuild changes nothing."""
    places: list[str] = []

    def place(what: str) -> str:
        places.append(what)
        return f"CANARY-{len(places)}"

    data = archives.CONTAINERS[name](PHOTO, "jpg", place)
    opener = OPENERS[sniff(data).format]
    found = [one for one in opener.open(data, Budget()) if isinstance(one, Finding)]
    assert {one.code for one in found} <= CODES.keys()
    assert all(re.fullmatch(r"[a-z]{2,8}(@\d+)?", one.where) for one in found)
    again = opener.rebuild(data, {}, {}, Budget())
    assert places
    assert PHOTO in [one.data for one in members(opener, again).values()]
    for layer in (again, *(one.data for one in members(opener, again).values())):
        assert b"CANARY" not in layer
        assert "CANARY".encode("utf-16-be") not in layer
    assert codes(opener, again) == set()
    assert opener.rebuild(again, {}, {}, Budget()) == again


@pytest.mark.parametrize("name", archives.CONTAINERS)
def test_a_changed_member_comes_back_changed_and_the_others_as_they_were(name: str) -> None:
    """By key; the keys stay what they are."""
    data = archives.CONTAINERS[name](PHOTO, "jpg", lambda what: "x")
    opener = OPENERS[sniff(data).format]
    before = members(opener, data)
    (key,) = [key for key, member in before.items() if member.data == PHOTO]
    again = opener.rebuild(data, {key: b"NEW" * 300}, {}, Budget())
    after = [member.data for member in members(opener, again).values()]
    assert after == [b"NEW" * 300 if one == key else member.data for one, member in before.items()]


@pytest.mark.parametrize("name", OPENERS)
def test_an_unknown_key_is_refused(name: str) -> None:
    """ZIP and tar name their members; a mix-up of archives never passes silently."""
    data = archives.CONTAINERS[{"tar": "tar-pax"}.get(name, name)](PHOTO, "jpg", lambda what: "x")
    if name in ("zip", "tar"):
        with pytest.raises(Malformed):
            OPENERS[name].rebuild(data, {"member@99": b""}, {}, Budget())


@pytest.mark.parametrize("outer", archives.CONTAINERS)
@pytest.mark.parametrize("inner", archives.CONTAINERS)
def test_two_deep_the_picture_is_cleaned_and_no_canary_is_left(outer: str, inner: str) -> None:
    """The tree walks through any of them in any other."""
    data = archives.CONTAINERS[inner](PHOTO, "jpg", lambda what: "CANARY")
    data = archives.CONTAINERS[outer](data, archives.EXTENSIONS[inner], lambda what: "CANARY")
    tools = tree.Tools()
    with mock.patch("filters.sniff._polyglot", return_value=False):  # a stored ZIP file at the end of a tar file is no polyglot
        node = tree.examine(data, tools, Budget())
        assert [one.opaque for one in node.walk() if one.opaque] == []
        cleaned = tree.clean(data, node, tools, Budget())
        assert not tree.leftover(cleaned.data, tree.examine(cleaned.data, tools, Budget()), tools)
    assert _layers(cleaned.data) > 2


def _layers(data: bytes) -> int:
    assert b"CANARY" not in data
    opener = OPENERS.get(sniff(data).format)
    return 1 + sum(_layers(member.data) for member in members(opener, data).values()) if opener else 1


# ---- names are only names


NAMES = (
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\Windows\\a.jpg",
    "a/../../b.jpg",
    "..",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "con",
)


def test_paths_that_climb_are_only_words() -> None:
    """Nothing is written to disk: a hostile name is a name, offered and kept like any other."""
    with mock.patch("builtins.open", side_effect=AssertionError("a file was opened")):
        data = forge([Piece(name.encode(), PHOTO, flags=0x800) for name in NAMES])
        assert [member.name for member in members(ZIP, data).values()] == list(NAMES)
        assert len(members(ZIP, ZIP.rebuild(data, {}, {}, Budget()))) == len(NAMES)
        data = tarred(*(info(name) for name in NAMES), format=tarfile.PAX_FORMAT, content=PHOTO)
        assert [member.name for member in members(TAR, data).values()] == list(NAMES)
        assert len(members(TAR, TAR.rebuild(data, {}, {}, Budget()))) == len(NAMES)


def test_links_are_kept_and_lead_nowhere() -> None:
    """A symbolic link to a picture outside, then a file through that link: both stay words."""
    links = (info("here", tarfile.SYMTYPE, linkname="/etc"), info("same", tarfile.LNKTYPE, linkname="a.jpg"), info("here/a.jpg"))
    data = tarred(*links, content=PHOTO)
    assert [member.name for member in members(TAR, data).values()] == ["here/a.jpg"]
    with tarfile.open(fileobj=io.BytesIO(TAR.rebuild(data, {}, {}, Budget()))) as archive:
        assert [(one.name, one.linkname) for one in archive] == [("here", "/etc"), ("same", "a.jpg"), ("here/a.jpg", "")]
    linked = forge([Piece(b"here", b"/etc", attributes=0o120777 << 16, made=3 << 8 | 20)])
    assert members(ZIP, linked)["member@0"].data == b"/etc"


def test_neutral_names_reach_the_members_of_an_archive_in_an_archive() -> None:
    """No patient's name is left in the paths of pictures, nor in the folders that held nothing else."""
    inner = forge([Piece(b"Smith John/", b"", 0), Piece(b"Smith John/Smith 1.jpg", PHOTO), Piece(b"notes/a.txt", TEXT)])
    data = tarred(info("Smith.zip"), content=inner) + b""
    with mock.patch("filters.sniff._polyglot", return_value=False):  # a stored ZIP file at the end of a tar file
        node = tree.examine(data, tree.Tools(), Budget())
        cleaned = tree.clean(data, node, tree.Tools(), Budget(), lambda one: f"img-{one.where.replace('/', '-')}.bin")
    assert b"Smith" not in cleaned.data
    (archive,) = members(TAR, cleaned.data).values()
    assert archive.name == "img-1.bin"
    assert [member.name for member in members(ZIP, archive.data).values()] == ["img-1-1.bin", "notes/a.txt"]


# ---- ZIP


def test_sealed_members_and_unknown_methods_are_opaque_with_their_reason() -> None:
    """The others are offered all the same."""
    pieces = [
        Piece(b"a.jpg", PHOTO, flags=1),
        Piece(b"b.jpg", PHOTO, method=99, extra=field(0x9901, b"\2\0AE\3\0\0")),
        Piece(b"c.jpg", PHOTO, method=98, body=b"x"),
        Piece(b"d.jpg", PHOTO, crc=1, local_crc=1),
        Piece(b"e.jpg", PHOTO),
    ]
    found = members(ZIP, forge(pieces)).values()
    encrypted, unknown, corrupt = OpaqueReason.ENCRYPTED, OpaqueReason.NOT_SUPPORTED, OpaqueReason.CORRUPT
    assert [member.opaque for member in found] == [encrypted, encrypted, unknown, corrupt, None]
    assert [member.data for member in found] == [b"", b"", b"", b"", PHOTO]


@pytest.mark.parametrize(
    "data",
    [
        forge([Piece(b"a.txt", TEXT), Piece(b"b", gap=PHOTO)]),
        forge([Piece(b"a.txt", TEXT)], trailer=PHOTO),
        forge([Piece(b"a.txt", TEXT)], prefix=PHOTO),
        forge([Piece(b"a.txt", TEXT)], comment=PHOTO),
        forge([Piece(b"a.txt", TEXT, comment=PHOTO)]),
        forge([Piece(b"a.txt", TEXT, extra=field(0x4444, PHOTO))]),
        forge([Piece(b"a.txt", TEXT, local_extra=field(0x4444, PHOTO))]),
    ],
)
def test_a_picture_hidden_beside_the_members_is_a_member(data: bytes) -> None:
    """Wherever it stands; the rebuilt archive is without it."""
    assert any(PHOTO in member.data for key, member in members(ZIP, data).items() if key.startswith("bytes@"))
    assert PHOTO not in ZIP.rebuild(data, {}, {}, Budget())


def test_a_signed_archive_says_so() -> None:
    """JAR signatures, EPUB signatures, and the record of the format itself: any change would break them."""
    for name in (b"META-INF/CLINIC.RSA", b"META-INF/signatures.xml", b"META-INF/A.EC"):
        found = [one.code for one in ZIP.open(forge([Piece(name, TEXT)]), Budget()) if isinstance(one, Finding)]
        assert "zip.signed" in found
    record = forge([Piece(b"a.txt", TEXT)], in_directory=b"PK\5\5\4\0sign")
    assert "zip.signed" in [one.code for one in ZIP.open(record, Budget()) if isinstance(one, Finding)]


# ---- what macOS leaves


def test_macos_notes_are_left_out_and_hold_no_mail() -> None:
    """``._`` files and .DS_Store are findings, not members; the rebuilt archive is without them."""
    note, desktop = archives.apple_double(b"http://example.org/"), b"\0\0\0\1Bud1" + bytes(200)
    data = forge([Piece(b"a.jpg", PHOTO), Piece(b"__MACOSX/._a.jpg", note), Piece(b".DS_Store", desktop)])
    assert [member.name for member in members(ZIP, data).values()] == ["a.jpg"]
    assert "archive.system-file" in codes(ZIP, data)
    assert len(members(ZIP, ZIP.rebuild(data, {}, {}, Budget()))) == 1
    data = tarred(info("._a.jpg"), info("a.jpg"), content=note)
    assert [member.name for member in members(TAR, data).values()] == ["a.jpg"]
    assert "archive.system-file" in codes(TAR, data)


@pytest.mark.parametrize(
    "data",
    [
        archives.apple_double(PHOTO),
        archives.apple_double(b"x", (b"PICT",)),
        archives.apple_double(b"x", (b"STR ", b"icns")),
        archives.apple_double(b"x").replace(struct.pack(">I", 2), struct.pack(">I", 5), 1),
        archives.apple_double(b"x")[:-40],
        b"\0\5\x16\7\0\2\0\0" + bytes(16) + b"\xff\xff",
        b"\0\5\x16\7\0\2\0\0",
    ],
)
def test_a_resource_fork_that_may_hold_a_picture_is_looked_at(data: bytes) -> None:
    """Icons, previews and whatever cannot be read to its end stay members, and are blocked."""
    assert not appledouble.harmless(data)
    assert [one.code for one in APPLE_DOUBLE.open(data, Budget()) if not isinstance(one, Member)] == ["apple-double.resources"]
    assert [member.data for member in members(ZIP, forge([Piece(b"__MACOSX/._a", data)])).values()] == [data]


def test_an_ordinary_resource_fork_is_harmless() -> None:
    """As Finder, Preview and downloads leave them."""
    assert appledouble.harmless(archives.apple_double(b"x"))
    assert appledouble.harmless(archives.apple_double(b"x", (b"STR ", b"usro")))
    assert list(APPLE_DOUBLE.open(archives.apple_double(b"x"), Budget())) == []


# ---- 7z, RAR and the like


def test_without_the_shared_library_foreign_archives_are_unsupported() -> None:
    """The import fails in several ways; none of them is a crash."""
    for error in (ImportError(), OSError(), AttributeError(), TypeError()):
        with mock.patch("importlib.import_module", side_effect=error), pytest.raises(Unsupported):
            list(foreign.SEVEN_ZIP.open(b"7z\xbc\xaf\x27\x1c" + bytes(26), Budget()))


# ---- whatever the bytes are


def holds(data: bytes) -> None:
    """A FilterError, or an archive that is clean once rebuilt and holds the same files."""
    opener = OPENERS.get(sniff(data).format)
    if opener is None:
        return
    try:
        before = members(opener, data)
        again = opener.rebuild(data, {}, {}, Budget())
    except FilterError:
        return
    assert codes(opener, again) == set()
    assert opener.rebuild(again, {}, {}, Budget()) == again
    after = [(member.data, member.opaque) for member in members(opener, again).values()]
    assert after == [(member.data, member.opaque) for key, member in before.items() if not key.startswith("bytes@")]


SEEDS = [build(PHOTO[:400], "jpg", lambda what: "said") for build in archives.CONTAINERS.values()]


@pytest.mark.parametrize("seed", SEEDS, ids=list(archives.CONTAINERS))
@pytest.mark.slow
def test_cuts_and_flips_are_a_filter_error_or_sound(seed: bytes) -> None:
    """Cut at every seventeenth byte and flipped at random, from a fixed seed."""
    for size in range(0, len(seed), 17):
        holds(seed[:size])
    chance = random.Random(3)
    for _ in range(120):
        data = bytearray(seed)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        holds(bytes(data))


@given(st.sampled_from((b"PK\3\4", b"PK\5\6", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0")), st.binary(max_size=200))
@settings(max_examples=80, deadline=None)
def test_noise_behind_a_signature_is_a_filter_error_or_sound(magic: bytes, noise: bytes) -> None:
    """Arbitrary bytes."""
    holds(magic + noise)
