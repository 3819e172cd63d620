"""Archives that we wrote, judged by the programs people open them with; archives that others wrote, read by us."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from filters import tree
from filters.api import Budget, Encrypted, FilterError, Malformed, Member, OpaqueReason, Opener, Unsupported
from filters.archives import foreign
from filters.archives.gzips import GZIP
from filters.archives.streams import BZIP2, XZ
from filters.archives.tars import TAR
from filters.archives.ziparchive import ZIP
from filters.sniff import sniff
from tests.support.canary_images import jpeg_with_canaries, photo_jpeg
from tests.support.needs import missing, needs, needs_path
from tests.support.paths import SHARED
from tests.support.samples import archives
from tests.support.zipforge import Piece, forge

pytestmark = pytest.mark.e2e

PHOTO = photo_jpeg(1, (48, 32))
FILES = {"photo.jpg": PHOTO, "folder/note.txt": b"Dear colleague, " * 40, "Grüße.txt": b"x"}


def run(*command: str, cwd: Path, ok: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, timeout=60)
    assert done.returncode in ok, (command, done.stdout[-400:], done.stderr[-400:])
    return (done.stdout + done.stderr).decode("utf-8", "replace")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with ``FILES`` in it."""
    for name, content in FILES.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def shown(opener: Opener, data: bytes) -> dict[str, bytes]:
    found = {one.name.removeprefix("./"): one.data for one in opener.open(data, Budget()) if isinstance(one, Member)}
    return {name: content for name, content in found.items() if content or name in FILES}


# ---- ZIP


@pytest.mark.parametrize("options", [("-r",), ("-r0",), ("-rX",), ("-r9", "-z"), ("-r", "-fz"), ("-r", "-fd")], ids=" ".join)
def test_what_info_zip_writes_is_read_and_what_we_write_info_zip_tests(folder: Path, options: tuple[str, ...]) -> None:
    """Stored, without extra fields, with a comment, with ZIP64 fields, with data descriptors."""
    needs("zip", "unzip", "7z")
    comment = b"said by me\n" if "-z" in options else b""
    subprocess.run(
        ["zip", *options, "out.zip", "."], cwd=folder / "in", input=comment, capture_output=True, check=True, timeout=60
    )
    data = (folder / "in" / "out.zip").read_bytes()
    assert shown(ZIP, data) == FILES
    again = ZIP.rebuild(data, {}, {}, Budget())
    assert shown(ZIP, again) == FILES
    _judged(folder, again)


def _judged(folder: Path, data: bytes) -> None:
    (folder / "again.zip").write_bytes(data)
    assert "No errors" in run("unzip", "-t", "again.zip", cwd=folder)
    assert "Everything is Ok" in run("7z", "t", "again.zip", cwd=folder)
    told = run("zipinfo", "-v", "again.zip", cwd=folder)
    assert told.count("length of extra field:                          0 bytes") == told.count("length of extra field:")
    assert "There is no zipfile comment" in told
    assert "extra bytes" not in told
    times = [line.split(":", 1)[1].strip() for line in told.splitlines() if "last modified on (DOS" in line]
    assert set(times) == {"1980 Jan 1 00:00:00"}


@pytest.mark.parametrize("method", ["Copy", "Deflate", "BZip2", "LZMA"])
def test_what_7zip_writes_into_a_zip_is_read(folder: Path, method: str) -> None:
    """LZMA with its end marker, names in UTF-8."""
    needs("7z")
    run("7z", "a", "-tzip", f"-mm={method}", "../out.zip", ".", cwd=folder / "in")
    data = (folder / "out.zip").read_bytes()
    assert shown(ZIP, data) == FILES
    (folder / "again.zip").write_bytes(ZIP.rebuild(data, {}, {}, Budget()))
    assert "Everything is Ok" in run("7z", "t", "again.zip", cwd=folder)


@pytest.mark.parametrize("cipher", ["ZipCrypto", "AES256"])
@pytest.mark.parametrize("deflated", [True, False])
def test_a_sealed_zip_opens_with_its_password_after_rewriting(folder: Path, cipher: str, deflated: bool) -> None:
    """Beside a changed open member."""
    needs("7z")
    level = "-mx9" if deflated else "-mx0"
    run("7z", "a", "-tzip", f"-mem={cipher}", level, "-psecret", "../out.zip", "folder", cwd=folder / "in")
    run("7z", "a", "-tzip", "../out.zip", "photo.jpg", cwd=folder / "in")
    data = (folder / "out.zip").read_bytes()
    found = {one.name: one for one in ZIP.open(data, Budget()) if isinstance(one, Member)}
    assert found["folder/note.txt"].opaque is OpaqueReason.ENCRYPTED
    assert found["photo.jpg"].data == PHOTO
    again = ZIP.rebuild(data, {found["photo.jpg"].key: b"new"}, {}, Budget())
    (folder / "again.zip").write_bytes(again)
    run("7z", "x", "-psecret", "-oout", "again.zip", cwd=folder)
    assert (folder / "out" / "folder" / "note.txt").read_bytes() == FILES["folder/note.txt"]
    assert (folder / "out" / "photo.jpg").read_bytes() == b"new"


def test_a_sealed_member_written_to_a_pipe_still_opens(folder: Path) -> None:
    """Info-ZIP checks the password against the time when a data descriptor follows."""
    needs("zip", "unzip")
    with (folder / "out.zip").open("wb") as out:
        subprocess.run(
            ["zip", "-rP", "secret", "-", "photo.jpg"], cwd=folder / "in", stdout=out, stderr=subprocess.DEVNULL, check=True
        )
    again = ZIP.rebuild((folder / "out.zip").read_bytes(), {}, {}, Budget())
    (folder / "again.zip").write_bytes(again)
    assert "No errors" in run("unzip", "-t", "-P", "secret", "again.zip", cwd=folder)
    assert run("unzip", "-t", "-P", "wrong", "again.zip", cwd=folder, ok=(82,))


@pytest.mark.parametrize("name", ["zip", "zip-stored"])
def test_the_metadata_judge_finds_nothing_left_in_a_cleaned_zip(folder: Path, name: str) -> None:
    """Comments, times, and the pictures inside."""
    judge = needs_path(SHARED / "tools" / "metadata_judge.py")
    needs("exiftool")
    data = archives.CONTAINERS[name](jpeg_with_canaries("CANARY-1", size=(40, 24)), "jpg", lambda what: "CANARY")
    node = tree.examine(data, tree.Tools(), Budget())
    cleaned = tree.clean(data, node, tree.Tools(), Budget()).data
    (folder / "in.zip").write_bytes(data)
    (folder / "out.zip").write_bytes(cleaned)
    told = run(sys.executable, str(judge), "--original", "in.zip", "out.zip", cwd=folder)
    assert "LEAK" not in told, told


# ---- tar and streams


@pytest.mark.parametrize("format", ["ustar", "gnu", "oldgnu", "pax"])
def test_what_gnu_tar_writes_is_read_and_what_we_write_gnu_tar_lists(folder: Path, format: str) -> None:
    """Links, a pipe and long names included; nothing of the owner is left."""
    needs("tar")
    (folder / "in" / "link").symlink_to("photo.jpg")
    long = folder / "in" / ("d" * 60) / ("e" * 60)
    long.mkdir(parents=True)
    (long / "f.txt").write_bytes(b"far down")
    run("mkfifo", "pipe", cwd=folder / "in")
    run("tar", f"--format={format}", "--owner=smith:1001", "--group=ward:1001", "-cf", "../out.tar", ".", cwd=folder / "in")
    data = (folder / "out.tar").read_bytes()
    assert {**FILES, f"{'d' * 60}/{'e' * 60}/f.txt": b"far down"} == shown(TAR, data)
    again = TAR.rebuild(data, {}, {}, Budget())
    assert shown(TAR, again) == shown(TAR, data)
    (folder / "again.tar").write_bytes(again)
    told = run("tar", "--numeric-owner", "--utc", "-tvf", "again.tar", cwd=folder)
    assert "smith" not in told
    assert all(" 0/0 " in line and "1970-01-01" in line for line in told.splitlines())
    before = sorted(run("tar", "-tf", "out.tar", cwd=folder).splitlines())
    assert sorted(run("tar", "-tf", "again.tar", cwd=folder).splitlines()) == [line for line in before if line != "./pipe"]
    with tarfile.open(fileobj=io.BytesIO(again)) as archive:
        assert all(one.uid == one.mtime == 0 and not one.uname for one in archive)


@pytest.mark.parametrize(("tool", "opener"), [("gzip", GZIP), ("bzip2", BZIP2), ("xz", XZ)], ids=["gzip", "bzip2", "xz"])
def test_streams_go_both_ways(folder: Path, tool: str, opener: Opener) -> None:
    """Theirs read by us, ours by them, changed and unchanged."""
    needs(tool)
    run(tool, "-k", "photo.jpg", cwd=folder / "in")
    (packed,) = (path for path in (folder / "in").iterdir() if path.name.startswith("photo.jpg."))
    data = packed.read_bytes()
    (member,) = [one for one in opener.open(data, Budget()) if isinstance(one, Member)]
    assert member.data == PHOTO
    for content, changes in ((PHOTO, {}), (b"new" * 999, {"content": b"new" * 999})):
        again = opener.rebuild(data, changes, {}, Budget())
        done = subprocess.run([tool, "-dc"], input=again, capture_output=True, timeout=60, check=True)
        assert done.stdout == content
        subprocess.run([tool, "-t"], input=again, capture_output=True, timeout=60, check=True)


# ---- archives that are only read


@pytest.fixture
def library() -> None:
    try:
        foreign.load()
    except Unsupported:
        missing("libarchive")


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "options", [(), ("-mx0",), ("-m0=LZMA",), ("-m0=PPMd",), ("-m0=BZip2",), ("-ms=off", "-mhc=off")], ids=str
)
def test_7z_archives_are_opened(folder: Path, options: tuple[str, ...]) -> None:
    """Every method that 7-Zip offers; a picture in one cannot be cleaned, so the tree holds it."""
    needs("7z")
    run("7z", "a", *options, "../out.7z", ".", cwd=folder / "in")
    data = (folder / "out.7z").read_bytes()
    assert shown(foreign.SEVEN_ZIP, data) == FILES
    node = tree.examine(data, tree.Tools(), Budget())
    assert (node.sniffed.format, node.opaque, node.fixed) == ("7z", None, tree.READ_ONLY)
    assert [one.opaque for one in node.walk() if one.info] == [OpaqueReason.NOT_SUPPORTED]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("headers", ["-mhe=off", "-mhe=on"])
def test_sealed_7z_archives_are_encrypted(folder: Path, headers: str) -> None:
    """With readable names or without; never corrupt, never empty."""
    needs("7z")
    run("7z", "a", "-psecret", headers, "../out.7z", ".", cwd=folder / "in")
    try:
        found = [one for one in foreign.SEVEN_ZIP.open((folder / "out.7z").read_bytes(), Budget()) if isinstance(one, Member)]
    except Encrypted:
        return
    assert {one.opaque for one in found if one.name in FILES} == {OpaqueReason.ENCRYPTED}


@pytest.mark.usefixtures("library")
def test_a_sealed_file_beside_open_ones_never_makes_a_7z_archive_merely_encrypted(folder: Path) -> None:
    """A sender may vouch for what is encrypted, not for what stands beside it."""
    needs("7z")
    run("7z", "a", "-psecret", "../out.7z", "folder", cwd=folder / "in")
    run("7z", "a", "../out.7z", "photo.jpg", cwd=folder / "in")
    node = tree.examine((folder / "out.7z").read_bytes(), tree.Tools(), Budget())
    assert OpaqueReason.NOT_SUPPORTED in {one.opaque for one in node.walk()} or node.holds_clinical


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(("format", "opener"), [("newc", foreign.CPIO), ("odc", foreign.CPIO)], ids=["newc", "odc"])
def test_cpio_archives_are_opened(folder: Path, format: str, opener: Opener) -> None:
    """Both headers in use."""
    needs("cpio")
    names = "\n".join(FILES).encode()
    done = subprocess.run(
        ["cpio", "-o", "-H", format], cwd=folder / "in", input=names, capture_output=True, timeout=60, check=True
    )
    assert shown(opener, done.stdout) == FILES
    assert any(getattr(one, "code", "") == "archive.hidden" for one in opener.open(done.stdout + PHOTO, Budget()))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("options", [("-J", "-r"), ("-r",), ("-J",), ("-iso-level", "4")], ids=" ".join)
def test_discs_are_opened_in_every_view(folder: Path, options: tuple[str, ...]) -> None:
    """Joliet, Rock Ridge and plain names: the same files once, and those hidden from one view too."""
    needs("genisoimage")
    run(
        "genisoimage",
        *options,
        "-hide-joliet" if "-J" in options else "-V",
        "photo.jpg",
        "-o",
        "../out.iso",
        ".",
        cwd=folder / "in",
    )
    data = (folder / "out.iso").read_bytes()
    assert sniff(data).format == "iso"
    assert sorted(one.data for one in foreign.ISO.open(data, Budget()) if isinstance(one, Member)) == sorted(FILES.values())


@pytest.mark.usefixtures("library")
def test_discs_with_a_second_file_system_are_unsupported(folder: Path) -> None:
    """Windows shows UDF, macOS HFS; libarchive reads neither."""
    needs("genisoimage")
    for option in ("-udf", "-hfs"):
        run("genisoimage", option, "-o", "../out.iso", ".", cwd=folder / "in")
        with pytest.raises(Unsupported):
            list(foreign.ISO.open((folder / "out.iso").read_bytes(), Budget()))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("command", "opener"),
    [
        (("zstd", "-qc"), foreign.ZSTD),
        (("lz4", "-qc"), foreign.LZ4),
        (("lzip", "-c"), foreign.LZIP),
        (("compress", "-cf"), foreign.COMPRESS),
    ],
    ids=["zstd", "lz4", "lzip", "compress"],
)
def test_foreign_streams_are_opened(folder: Path, command: tuple[str, ...], opener: foreign.Foreign) -> None:
    """One member each; a bomb ends at the ratio."""
    needs(command[0])
    done = subprocess.run(command, input=PHOTO, capture_output=True, timeout=60, check=True, cwd=folder)
    assert sniff(done.stdout).format == opener.name
    assert [one.data for one in opener.open(done.stdout, Budget()) if isinstance(one, Member)] == [PHOTO]
    bomb = subprocess.run(command, input=bytes(32 << 20), capture_output=True, timeout=60, check=True, cwd=folder).stdout
    if len(bomb) < (32 << 20) / 220:
        with pytest.raises(FilterError, match="ratio"):
            list(opener.open(bomb, Budget()))


@pytest.mark.usefixtures("library")
def test_damage_and_other_formats_are_filter_errors() -> None:
    """What libarchive says of them goes no further."""
    for opener in (value for value in vars(foreign).values() if isinstance(value, foreign.Foreign)):
        for data in (b"", b"x" * 5000, PHOTO, forge([Piece(b"Smith.jpg", PHOTO)]), gzip.compress(PHOTO)):
            try:
                assert not [one for one in opener.open(data, Budget()) if isinstance(one, Member) and one.data]
            except FilterError as error:
                assert "Smith" not in str(error)


@pytest.mark.usefixtures("library")
def test_several_cabinets_and_volumes_are_unsupported() -> None:
    """Told by their headers, before C code sees them."""
    with pytest.raises(Unsupported):
        list(foreign.CAB.open(b"MSCF" + bytes(26) + b"\1\0" + bytes(40), Budget()))
    with pytest.raises(Unsupported):
        list(foreign.CAB.open(b"ISc(" + bytes(60), Budget()))
    volume = b"Rar!\x1a\x07\0" + b"\0\0\x73\x01\0\x0d\0" + bytes(6)
    with pytest.raises(Unsupported):
        list(foreign.RAR.open(volume, Budget()))
    with pytest.raises(Encrypted):
        list(foreign.RAR.open(b"Rar!\x1a\x07\0" + b"\0\0\x73\x80\0\x0d\0" + bytes(6), Budget()))
    with pytest.raises(Malformed):
        list(foreign.RAR.open(b"Rar!\x1a\x07\0" + bytes(40), Budget()))
