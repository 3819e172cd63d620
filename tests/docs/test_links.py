"""The documentation leads somewhere: links, anchors, and the pages that code and configuration name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import markdown
from tests.support.paths import ROOT

pytestmark = pytest.mark.unit

PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
NAMED = re.compile(r"docs/[\w./-]+\.md\b")
SOURCES = [path for folder in ("gateway", "filters", "policies", "quarantine", "systemd") for path in (ROOT / folder).rglob("*")]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_and_anchor_leads_somewhere(page: Path) -> None:
    """No link of a page is dead, and every anchor is a heading."""
    broken = [markdown.problem(ROOT, page, target) for target in markdown.links(page.read_text(encoding="utf-8"))]
    assert [one for one in broken if one] == []


def test_every_page_is_reached_from_the_index() -> None:
    """docs/README.md links every page under docs/, so that none is written for nobody."""
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in markdown.links(index.read_text(encoding="utf-8"))}
    assert sorted(str(page.relative_to(ROOT)) for page in PAGES[:-1] if page != index and page.resolve() not in linked) == []


def test_pages_that_code_and_configuration_name_exist() -> None:
    """A message or comment that sends its reader to docs/x.md sends them to a page that is there."""
    files = [path for path in SOURCES if path.suffix in {".py", ".yaml", ".txt", ".service", ".md"}]
    named = {(name, path) for path in files for name in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert sorted(f"{path.relative_to(ROOT)}: {name}" for name, path in named if not (ROOT / name).is_file()) == []


def test_anchors_are_made_as_viewers_make_them() -> None:
    """Punctuation goes, blanks become hyphens, a repeated heading is numbered; fenced code has no headings."""
    text = "# A b: `c`, d!\n\n```\n# no heading\n```\n\n## Twice\n\n## Twice\n"
    assert markdown.anchors(text) == {"a-b-c-d", "twice", "twice-1"}


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    """The check itself: a missing file, a missing anchor, a way out of the repository; other sites and code are left alone."""
    page = tmp_path / "a.md"
    page.write_text("# Here\n[x](b.md) [y](#there) [z](../c.md) [ok](#here) [web](https://example.org/q) `[code](d.md)`\n")
    found = [markdown.problem(tmp_path, page, target) for target in markdown.links(page.read_text())]
    assert [one for one in found if one] == [
        "b.md: no such file",
        "#there: no such heading",
        "../c.md: leads out of the repository",
    ]
