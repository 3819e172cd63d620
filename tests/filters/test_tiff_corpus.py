"""Every TIFF of the open corpus: judged by exiftool, the metadata judge, Pillow and libtiff's own tools."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from filters.catalogue import CODES
from filters.sniff import sniff
from filters.tiff.scrubber import TIFF
from tests.support import images_judged as judged
from tests.support.needs import missing, needs
from tests.support.samples import tiff as sample

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_FILES = [path for magic in _MAGIC for path in judged.corpus(magic) if sniff(path.read_bytes()).format in ("tiff", "bigtiff")]
_EACH = pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)


@pytest.mark.unit
def test_the_corpus_is_there() -> None:
    """The tests below have files to run on."""
    if not _FILES:
        missing("corpus/images")
    assert len(_FILES) >= 8


@pytest.mark.unit
@_EACH
def test_pixels_orientation_and_pages_are_those_of_the_original(path: Path) -> None:
    """P4: what Pillow decodes of every page is bit-identical."""
    data = path.read_bytes()
    result = TIFF.scrub(data)
    before = judged.decode(data)
    after = judged.decode(result.data)
    if before is None or after is None:
        assert after == before, "Pillow reads one of the two"  # libtiff's tools judge it below
        return
    assert [frame for frame in before.frames if frame in after.frames] == list(after.frames)
    gone = sum(finding.code in ("tiff.thumbnail", "tiff.preview") for finding in result.findings)
    assert len(before.frames) - gone <= len(after.frames)
    assert after.turn == before.turn
    assert {finding.code for finding in result.findings} <= CODES.keys()


@pytest.mark.unit
@_EACH
def test_a_second_scrub_changes_nothing(path: Path) -> None:
    """Idempotence, and no residue."""
    once = TIFF.scrub(path.read_bytes()).data
    assert TIFF.scrub(once).data is once
    assert TIFF.residue(once) == ()


@pytest.mark.unit
@pytest.mark.parametrize("path", [path for path in judged.controls() if path in _FILES], ids=lambda path: path.name)
def test_a_clean_control_comes_back_unchanged(path: Path) -> None:
    """P3: nothing is rewritten that did not need it."""
    data = path.read_bytes()
    assert TIFF.scrub(data).data is data


@pytest.mark.e2e
def test_the_judge_finds_nothing(tmp_path: Path) -> None:
    """exiftool's tags, bytes that no offset refers to, and the original's words: none, in the corpus and in our samples."""
    files: dict[Path, Path | None] = {}
    for number, path in enumerate(_FILES):
        files[tmp_path / f"{number}.tif"] = path
        (tmp_path / f"{number}.tif").write_bytes(TIFF.scrub(path.read_bytes()).data)
    for name, build in sample.PICTURES.items():
        original, cleaned = tmp_path / f"{name}-original.tif", tmp_path / f"{name}.tif"
        data = build(lambda what: f"CANARY-{what}-7QK3")
        original.write_bytes(data)
        cleaned.write_bytes(TIFF.scrub(data).data)
        files[cleaned] = original
    assert judged.leaks(files) == []


@pytest.mark.e2e
def test_libtiff_reads_the_output_without_a_word_and_sees_the_same_pixels(tmp_path: Path) -> None:
    """tiffinfo has nothing to warn of; tiffcmp, which reads every strip, finds no difference in any sample."""
    needs("tiffinfo", "tiffcmp")
    for name, build in {**sample.PICTURES, **sample.CLEAN}.items():
        data = build(lambda what: f"CANARY-{what}")
        original, cleaned = tmp_path / f"{name}-original.tif", tmp_path / f"{name}.tif"
        original.write_bytes(data)
        cleaned.write_bytes(TIFF.scrub(data).data)
        told = subprocess.run(["tiffinfo", "-D", str(cleaned)], capture_output=True, text=True, timeout=20)
        assert told.returncode == 0, name
        assert "arning" not in told.stderr or "jpeg" in name, told.stderr
        if name in ("tiff-thumbnail", "bigtiff-tiles", "tiff-jpeg", "tiff-old-jpeg"):
            continue  # one page less; tiffcmp reads whole rows, not tiles, nor thinned colour
        compared = subprocess.run(["tiffcmp", "-t", str(original), str(cleaned)], capture_output=True, text=True, timeout=20)
        words = [line for line in compared.stdout.splitlines() if "tag appears only in" not in line and "Directory" not in line]
        assert words == [], compared.stdout


@pytest.mark.e2e
@_EACH
def test_libtiff_still_reads_every_page(path: Path, tmp_path: Path) -> None:
    """tiffinfo -D decodes all strips of the cleaned file as it did those of the original."""
    needs("tiffinfo")
    cleaned = tmp_path / "cleaned.tif"
    cleaned.write_bytes(TIFF.scrub(path.read_bytes()).data)
    before, after = (
        subprocess.run(["tiffinfo", "-D", str(file)], capture_output=True, text=True, timeout=20) for file in (path, cleaned)
    )
    assert after.returncode == before.returncode
    assert len([line for line in after.stderr.splitlines() if "rror" in line]) <= len(
        [line for line in before.stderr.splitlines() if "rror" in line]
    )
