"""Each of the 133 rows of the founding articles is met by a test or a guide, or says which issue will meet it."""

from __future__ import annotations

import pytest

from tests.support import evidence, requirements
from tests.support.paths import ROOT

pytestmark = pytest.mark.unit

TABLE = requirements.load()


def test_there_are_133_rows() -> None:
    """14, 51, 15, 29 and 24 rows: none forgotten, none invented, in their order."""
    assert len(requirements.IDS) == 133
    assert tuple(TABLE) == requirements.IDS


@pytest.mark.parametrize("name", requirements.IDS)
def test_each_row_is_shown_or_promised(name: str) -> None:
    """A row has words and evidence that exists, or names an issue."""
    row = TABLE[name]
    assert row.says
    assert row.evidence or row.not_yet
    assert [found for one in row.evidence if (found := evidence.problem(ROOT, one))] == []
    assert set(row.not_yet) <= set(requirements.ISSUES)


def test_the_page_is_current() -> None:
    """Made by ``python -m tests.support.requirements``."""
    assert requirements.PAGE.read_text(encoding="utf-8") == requirements.page(TABLE)


@pytest.mark.parametrize(
    "reference",
    [
        "tests/docs/test_requirements.py::test_that_is_not_there",
        "tests/docs/test_nothing.py::test_there_are_133_rows",
        "docs/flow.md#no-such-heading",
        "docs/no-such-page.md#a",
        "somewhere else",
    ],
)
def test_evidence_that_does_not_exist_is_seen(reference: str) -> None:
    """The check itself."""
    assert evidence.problem(ROOT, reference) is not None


def test_evidence_that_exists_stands() -> None:
    """The check itself, the other way round."""
    assert evidence.problem(ROOT, "tests/docs/test_requirements.py::test_there_are_133_rows") is None
    assert evidence.problem(ROOT, "docs/flow.md#the-path-of-a-message") is None
