"""The commands that read and make files, as their user runs them: scrub, learn-logo, keygen; no file is lost or laid open."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from gateway.demo.documents import encrypted_zip
from gateway.demo.pictures import logo, photo
from tests.support.commandline import clinigate, inside
from tests.support.images_judged import decode
from tests.support.installation import Installation
from tests.support.needs import needs

pytestmark = pytest.mark.e2e


# -- scrub -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A photo with all a phone hides, readable for its owner alone; a logo; a text."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "arm.jpg").write_bytes(photo(1))
    (folder / "arm.jpg").chmod(0o600)
    (folder / "logo.png").write_bytes(logo())
    (folder / "notes.jpg").write_text("just words")
    (folder / "locked.zip").write_bytes(encrypted_zip())
    return folder


def tags(path: Path) -> set[str]:
    """What exiftool finds in a file beside its structure."""
    needs("exiftool")
    done = subprocess.run(["exiftool", "-j", "-G1", "-a", "-u", str(path)], capture_output=True, text=True, check=True)
    allowed = ("System:", "File:", "SourceFile", "ExifTool:", "Composite:", "JFIF:", "PNG:", "ICC_Profile", "IFD0:Orientation")
    found = {name for name in json.loads(done.stdout)[0] if not name.startswith(allowed)}
    return found - {"ExifByteOrder", "IFD0:XResolution", "IFD0:YResolution"}


def test_scrub_leaves_the_original_and_a_clean_file_beside_it(pictures: Path) -> None:
    done = clinigate("scrub", pictures / "arm.jpg", pictures / "logo.png")
    assert done.returncode == 0, done.stderr
    clean = pictures / "arm.clean.jpg"
    assert (pictures / "arm.jpg").read_bytes() == photo(1)
    assert tags(pictures / "arm.jpg") and not tags(clean)
    assert decode(clean.read_bytes()) == decode(photo(1))
    assert f"{pictures / 'arm.jpg'} -> {clean}: removed exif." in done.stdout
    assert "Sample Owner" not in done.stdout + done.stderr
    assert (pictures / "logo.clean.png").read_bytes() == logo()


def test_a_cleaned_file_is_for_nobody_who_could_not_read_the_original(pictures: Path) -> None:
    """Symptom: a private photo became readable for every user of the machine.  Cause: the clean file was made anew."""
    assert clinigate("scrub", "--in-place", pictures / "arm.jpg", pictures / "logo.png").returncode == 0
    assert (pictures / "arm.jpg").stat().st_mode & 0o777 == 0o600
    assert not tags(pictures / "arm.jpg")
    assert sorted(path.name for path in pictures.iterdir()) == ["arm.jpg", "locked.zip", "logo.png", "notes.jpg"]


def test_scrub_into_a_folder_and_exit_1_when_some_are_refused(pictures: Path) -> None:
    out = pictures / "made" / "here"
    names = ("arm.jpg", "notes.jpg", "locked.zip", "gone.jpg")
    done = clinigate("scrub", "-o", out, *(pictures / name for name in names))
    assert done.returncode == 1
    assert [path.name for path in out.iterdir()] == ["arm.jpg"]
    assert not tags(out / "arm.jpg")
    told = done.stderr.splitlines()
    assert [line.removeprefix(f"{pictures}").lstrip("/") for line in told] == [
        "notes.jpg: refused: text: no picture in it",
        "locked.zip: refused: encrypted: zip",
        "gone.jpg: refused: No such file or directory",
    ]


def test_scrub_that_would_lose_a_file_is_exit_2_and_does_nothing(pictures: Path) -> None:
    """Symptom: ``scrub -o . photo.jpg`` replaced the original without being asked to.  Cause: the target was not compared with
    the sources."""
    other = pictures / "other"
    other.mkdir()
    (other / "arm.jpg").write_bytes(photo(2))
    (pictures / "arm.clean.jpg").write_bytes(photo(3))
    before = {path: path.read_bytes() for path in pictures.rglob("*") if path.is_file()}
    for arguments, words in (
        (["-o", pictures, pictures / "arm.jpg"], "--in-place only"),
        (["-o", pictures / ".." / "pictures", pictures / "arm.jpg"], "--in-place only"),
        ([pictures / "arm.jpg", pictures / "arm.clean.jpg"], "--in-place only"),
        (["-o", pictures / "out", pictures / "arm.jpg", other / "arm.jpg"], "the same name"),
        (["-o", pictures / "out", "--in-place", pictures / "arm.jpg"], "either --output or --in-place"),
        ([], "FILES"),
    ):
        done = inside("scrub", *arguments)
        assert done.exit_code == 2, arguments
        assert words.lower() in done.stderr.lower(), done.stderr
    assert {path: path.read_bytes() for path in pictures.rglob("*") if path.is_file()} == before


def test_scrub_goes_through_folders_and_into_containers_and_certifies_it(pictures: Path, tmp_path: Path) -> None:
    """A reviewer sees what was removed where, and that every picture shows the same."""
    folder = tmp_path / "case"
    (folder / "deep").mkdir(parents=True)
    with zipfile.ZipFile(folder / "deep" / "all.zip", "w") as archive:
        archive.writestr("notes.txt", "words")
        archive.writestr("arm.jpg", photo(1))
    (folder / "readme.txt").write_text("words")
    paper = tmp_path / "certificate.json"
    looked = clinigate("scrub", "--check", "--json", folder)
    assert (looked.returncode, sorted(folder.rglob("*.clean.*"))) == (1, [])
    done = clinigate("scrub", "-o", tmp_path / "out", "--certificate", paper, folder)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["all.zip"]
    with zipfile.ZipFile(tmp_path / "out" / "deep" / "all.zip") as archive:
        assert archive.read("notes.txt") == b"words"
        assert decode(archive.read("arm.jpg")) == decode(photo(1))
        (tmp_path / "arm.jpg").write_bytes(archive.read("arm.jpg"))
    assert not tags(tmp_path / "arm.jpg")
    (row,) = [row for row in json.loads(paper.read_text()) if row["format"] == "zip"]
    assert row["pictures"] == [{"where": "2", "format": "jpeg", "pixels": "identical"}]
    assert {"where": "2", "code": "exif.gps"} in row["removed"]
    assert row["sha256_after"] == hashlib.sha256((tmp_path / "out" / "deep" / "all.zip").read_bytes()).hexdigest()


# -- learn-logo ------------------------------------------------------------------------------------------------------------


def test_a_learned_logo_is_decoration_from_then_on_also_saved_anew(tmp_path: Path) -> None:
    """The IG team's own comments stay; a photograph is never known by its looks."""
    site = Installation(tmp_path / "site", mailbox=False)
    policy = site.folder / "policies" / "policy.yaml"
    policy.write_text("# ours\n" + policy.read_text())
    (tmp_path / "logo.png").write_bytes(logo())
    (tmp_path / "arm.jpg").write_bytes(photo(1))
    done = site.run("learn-logo", str(tmp_path / "logo.png"), str(tmp_path / "arm.jpg"))
    assert done.returncode == 0, done.stderr
    assert "looks like a photograph" in done.stderr
    text = policy.read_text()
    assert text.startswith("# ours\n")
    assert (len(re.findall(r"(?<!second_)look:", text)), text.count("# logo.png"), text.count("# arm.jpg")) == (1, 2, 1)
    again = site.run("learn-logo", str(tmp_path / "logo.png"), str(tmp_path / "arm.jpg"))
    assert "0 added, 3 known already" in again.stdout
    assert policy.read_text() == text


# -- keygen ----------------------------------------------------------------------------------------------------------------


def test_keygen_makes_keys_for_their_owners_and_never_overwrites(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    done = clinigate("keygen", folder)
    assert done.returncode == 0, done.stderr
    made = {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    private = dict.fromkeys(("hash.key", "release.key", "quarantine/online.key", "quarantine/review.key"), 0o600)
    assert made == {**private, "quarantine/online.pub": 0o644, "quarantine/review.pub": 0o644}
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert not any(text.decode(errors="replace").strip() in done.stdout for text in before.values())
    again = clinigate("keygen", folder)
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_keygen_makes_nothing_when_one_of_the_keys_is_there(tmp_path: Path) -> None:
    """Symptom: half a set of keys, and a second try failed at the other half.  Cause: the first existing file was met midway."""
    (tmp_path / "hash.key").write_text("in use")
    done = clinigate("keygen", tmp_path)
    assert done.returncode == 1
    assert "hash.key exists already" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["hash.key"]
