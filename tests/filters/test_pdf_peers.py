"""PDF judged by others: the metadata judge, qpdf, poppler; the corpus' files and what today's tools leave in them."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from filters import tree
from filters.api import Budget, Fate, FilterError, Finding
from filters.pdf.opener import PDF
from tests.support.canary_images import jpeg_with_canaries
from tests.support.images_judged import leaks
from tests.support.needs import missing, needs
from tests.support.paths import CORPUS
from tests.support.samples.pdf import CONTAINERS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FILES = sorted((CORPUS / "images").rglob("*.pdf")) if (CORPUS / "images").exists() else []


def rendered(path: Path, folder: Path) -> list[str]:
    """A hash of every page as poppler shows it."""
    folder.mkdir()
    subprocess.run(["pdftoppm", "-r", "50", str(path), str(folder / "page")], check=True, capture_output=True, timeout=120)
    return [hashlib.sha256(page.read_bytes()).hexdigest() for page in sorted(folder.iterdir())]


def listed(path: Path) -> list[list[str]]:
    """What ``pdfimages`` says of each picture: type, size, colours, coding."""
    done = subprocess.run(["pdfimages", "-list", str(path)], check=True, capture_output=True, text=True, timeout=60)
    return [line.split()[2:10] for line in done.stdout.splitlines()[2:]]


def cleaned(data: bytes) -> bytes:
    tools = tree.Tools()
    node = tree.examine(data, tools, Budget())
    done = tree.clean(data, node, tools, Budget()).data
    return done if done is not data else PDF.rebuild(data, {}, {}, Budget())


def test_the_corpus_has_pdfs() -> None:
    if not FILES:
        missing("corpus")
    assert len(FILES) >= 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_corpus_files_are_clean_and_look_the_same(path: Path, tmp_path: Path) -> None:
    """No leak by the judge, ``qpdf --check`` without a word, every page and every picture as before."""
    needs("qpdf", "pdftoppm", "pdfimages")
    data = path.read_bytes()
    done = cleaned(data)
    out = tmp_path / path.name
    out.write_bytes(done)
    assert leaks({out: path}) == []
    check = subprocess.run(["qpdf", "--check", str(out)], capture_output=True, text=True, timeout=60)
    assert check.returncode == 0, check.stderr
    assert rendered(out, tmp_path / "after") == rendered(path, tmp_path / "before")
    assert listed(out) == listed(path)
    assert not [one for one in PDF.open(done, Budget()) if isinstance(one, Finding) and one.fate is Fate.REMOVED]


@pytest.mark.parametrize("variant", CONTAINERS)
def test_samples_look_the_same_after_cleaning(variant: str, tmp_path: Path) -> None:
    needs("qpdf", "pdftoppm")
    data = CONTAINERS[variant](jpeg_with_canaries("CANARY-J", size=(40, 24)), "jpg", lambda what: f"CANARY-{what}")
    before, after = tmp_path / "before.pdf", tmp_path / "after.pdf"
    before.write_bytes(data)
    after.write_bytes(cleaned(data))
    subprocess.run(["qpdf", "--check", str(after)], check=True, capture_output=True, timeout=60)
    assert rendered(after, tmp_path / "a") == rendered(before, tmp_path / "b")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_truncated_and_flipped_corpus_files_raise_only_filter_errors(path: Path) -> None:
    data = path.read_bytes()
    for cut in range(0, len(data), max(1, len(data) // 60)):
        _survives(data[:cut])
    for at in range(0, len(data), max(1, len(data) // 120)):
        _survives(data[:at] + bytes((data[at] ^ 0x21,)) + data[at + 1 :])


def _survives(data: bytes) -> None:
    try:
        for _ in PDF.open(data, Budget()):
            pass
        PDF.rebuild(data, {}, {}, Budget())
    except FilterError:
        pass
