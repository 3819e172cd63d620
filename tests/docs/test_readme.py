"""README.md tells of every format that is cleaned or opened."""

from __future__ import annotations

import pytest

from filters.registry import OPENERS, SCRUBBERS
from gateway.opening import attached
from tests.support.paths import ROOT

pytestmark = pytest.mark.unit

SECTION = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What is opened")[2].partition("\n## ")[0].casefold()
CALLED = {  # as people call them
    "jp2": "JPEG 2000", "j2k": "JPEG 2000", "jxl": "JPEG XL", "pnm": "PBM to PAM", "dib": "BMP", "mbox": "mailboxes",
    "docx": "Word", "xlsx": "Excel", "pptx": "PowerPoint", "vsdx": "Visio", "ooxml": "Word", "office-xml": "Word",
    "odt": "OpenDocument", "ods": "OpenDocument", "odp": "OpenDocument", "odg": "OpenDocument",
    "ole": ".doc", "eml": "attached messages", "mhtml": "saved web pages", "tnef": "winmail.dat", "hl7-image": "HL7",
    "xml": "HTML", "jar": "ZIP", "zstd": "Zstandard",
}  # fmt: skip
UNTOLD = {"apple-double", "ar", "xar", "compress", "lzip"}  # rare, behind the "…"


@pytest.mark.parametrize("name", sorted({*SCRUBBERS, *OPENERS, *attached.OPENERS} - UNTOLD))
def test_each_format_is_named(name: str) -> None:
    assert CALLED.get(name, name).casefold() in SECTION
