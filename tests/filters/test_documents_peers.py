"""Cleaned office documents before judges that are not ours: the metadata judge, LibreOffice, the libraries people use."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document
from openpyxl import load_workbook
from pptx import Presentation

from tests.support import documents_kit as kit
from tests.support.canary_images import photo_jpeg
from tests.support.needs import missing, needs
from tests.support.paths import CORPUS, JUDGE
from tests.support.samples.documents import CONTAINERS, docx

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    # openpyxl's words about what it does not read
    pytest.mark.filterwarnings("ignore:Unknown extension:UserWarning", "ignore:wmf image format:UserWarning"),
]
_SUFFIXES = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp")
_FILES = sorted(path for path in (CORPUS / "images").rglob("*") if path.suffix in _SUFFIXES)
_TITLE = (
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>TITLE</w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>Shown title</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
)


def _plain(what: str) -> str:
    """What stands in a place of the samples; a title is what the fields of the page show."""
    return "Shown title" if what in ("core title", "meta dc:title") else what.replace(" ", "-")


def test_the_judge_finds_nothing_in_the_corpus(tmp_path: Path) -> None:
    """Nothing identifying is left in any office file of the corpus."""
    needs("exiftool")
    if not _FILES:
        missing("corpus/images")
    for path in _FILES:
        out = tmp_path / path.name
        out.write_bytes(kit.cleaned(path.read_bytes()))
        command = [sys.executable, str(JUDGE), "--original", str(path), str(out)]
        told = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (told.returncode, told.stdout) == (0, ""), path.name


def _pdf_texts(folder: Path) -> dict[str, tuple[str, str]]:
    """File name -> (text, line that tells the number of pages), as LibreOffice prints every document of the folder."""
    profile = f"-env:UserInstallation=file://{folder}/profile"
    files = [str(path) for path in sorted(folder.glob("doc*"))]
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder / "pdf"), *files]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    found = {}
    for path in sorted((folder / "pdf").glob("*.pdf")):
        text = subprocess.run(
            ["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True, timeout=60
        ).stdout
        about = subprocess.run(["pdfinfo", str(path)], check=True, capture_output=True, text=True, timeout=60).stdout
        found[path.name] = (text, next(line for line in about.splitlines() if line.startswith("Pages")))
    return found


def _unsigned(said: tuple[str, str]) -> tuple[list[str], str]:
    """The words without the name on a note, which goes, and without where they stand on the line."""
    text, pages = said
    return [word.casefold() for word in text.split() if word != "note-"], pages


@pytest.mark.timeout(700)
def test_libreoffice_shows_the_same_document(tmp_path: Path) -> None:
    """Every cleaned document opens, with as many pages and the same words, also where a field shows the title."""
    needs("soffice", "pdftotext", "pdfinfo")
    documents = {path.name: path.read_bytes() for path in _FILES}
    picture = photo_jpeg(1, (48, 32))
    documents |= {f"sample.{name}": CONTAINERS[name](picture, "jpg", _plain) for name in ("docx", "xlsx", "odt", "ods", "fodt")}
    documents["title.docx"] = docx(picture, "jpg", _plain, _TITLE)
    for folder, change in (("before", lambda data: data), ("after", kit.cleaned)):
        (tmp_path / folder).mkdir()
        for number, (name, data) in enumerate(documents.items()):
            (tmp_path / folder / f"doc{number:02}{Path(name).suffix}").write_bytes(change(data))
    before, after = _pdf_texts(tmp_path / "before"), _pdf_texts(tmp_path / "after")
    assert len(before) == len(documents)
    assert {name: _unsigned(said) for name, said in after.items()} == {name: _unsigned(said) for name, said in before.items()}


def _word(data: bytes) -> object:
    opened = Document(io.BytesIO(data))
    return [paragraph.text for paragraph in opened.paragraphs], len(opened.inline_shapes)


def _excel(data: bytes) -> object:
    opened = load_workbook(io.BytesIO(data))
    return [[cell.value for row in sheet.iter_rows() for cell in row] + [len(sheet._images)] for sheet in opened]


def _powerpoint(data: bytes) -> object:
    opened = Presentation(io.BytesIO(data))
    return [
        [(shape.shape_type, shape.has_text_frame and shape.text_frame.text) for shape in slide.shapes] for slide in opened.slides
    ]


@pytest.mark.parametrize(("suffix", "read"), ((".docx", _word), (".xlsx", _excel), (".pptx", _powerpoint)))
def test_the_usual_libraries_read_the_same_document(suffix: str, read: Callable[[bytes], object]) -> None:
    """python-docx, openpyxl and python-pptx see the same text and as many pictures."""
    for path in _FILES:
        if path.suffix == suffix and not path.name.startswith("exiftool__"):  # that one is cut down to what exiftool reads
            data = path.read_bytes()
            assert read(kit.cleaned(data)) == read(data), path.name
