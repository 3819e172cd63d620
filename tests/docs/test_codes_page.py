"""docs/codes.md is what the tables in the code say."""

from __future__ import annotations

import pytest

from tests.support import codes

pytestmark = pytest.mark.unit


def test_the_page_is_current() -> None:
    """Made by ``python -m tests.support.codes``."""
    assert codes.PAGE.read_text(encoding="utf-8") == codes.page()


def test_every_finding_and_reason_code_is_explained() -> None:
    """Each code of every table stands in the page with its sentence."""
    text = codes.PAGE.read_text(encoding="utf-8")
    missing = [code for table in codes.TABLES for code, sentence in table.items() if f"| `{code}` | {sentence} |" not in text]
    assert missing == []
