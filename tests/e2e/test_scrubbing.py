"""Clinigate's column of docs/scrubbing.md: every file of the corpus comes out clean and unharmed, or is held for a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from gateway.certificate import Workbench
from tests.bench import scrub_speed, scrubbers
from tests.support.needs import missing, needs, needs_path
from tests.support.paths import JUDGE, ROOT

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    # The judge, which is not ours, leaves its files open.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[scrubbers.Outcome]]:
    needs("exiftool", "ffmpeg", "pdftoppm", "rsvg-convert")
    needs_path(JUDGE)
    if not scrubbers.files():
        missing("corpus/images")
    bench = Workbench()
    kinds = frozenset((*scrubbers.KINDS, "other"))
    try:
        yield scrubbers.compare(tmp_path_factory.mktemp("scrubbed"), {"Clinigate": (scrubbers.clinigate(bench), kinds)})
    finally:
        bench.close()


@pytest.mark.timeout(400)
def test_nothing_identifying_is_left(found: list[scrubbers.Outcome]) -> None:
    """P2: by the judge, and by raw bytes of every value that exiftool read from the original."""
    assert {one.file.name: one.leaks for one in found if one.leaks} == {}


def test_what_is_shown_stays_identical(found: list[scrubbers.Outcome]) -> None:
    """P4: by decoders that are not ours; and nearly every file has one."""
    assert [one.file.name for one in found if not one.pixels] == []
    assert sum(one.judged for one in found) > 0.9 * sum(not one.refused for one in found)


def test_colours_are_kept(found: list[scrubbers.Outcome]) -> None:
    assert [one.file.name for one in found if not one.colours] == []


def test_what_is_not_written_has_a_reason_and_is_rare(found: list[scrubbers.Outcome]) -> None:
    """Refusing a format is not a way to be perfect: of every kind, nearly all files are cleaned."""
    held = [one for one in found if one.refused]
    assert all(re.match(r"[a-z.-]+", one.refused) for one in held)
    assert len(held) <= 0.03 * len(found)
    assert {one.kind for one in found} == {one.kind for one in found if not one.refused}


def test_the_page_is_filled() -> None:
    """docs/scrubbing.md holds both tables, as the scripts write them, and no machine's paths."""
    page = (ROOT / "docs" / "scrubbing.md").read_text("utf-8")
    for begin, end in ((scrubbers.BEGIN, scrubbers.END), (scrub_speed.BEGIN, scrub_speed.END)):
        body = page.partition(begin)[2].partition(end)[0]
        assert "| JPEG |" in body
    assert "/work" not in page
    assert "/home" not in page


@pytest.mark.timeout(300)
def test_the_speed_script_works() -> None:
    """Figures for every format; how good they are is for a quiet machine to say."""
    rows = scrub_speed.lines(1)
    assert {"JPEG", "PNG", "WebP", "TIFF"} <= {row.split("|")[1].strip() for row in rows if row.startswith("| ")}
    assert rows[-1].startswith("A Word document of ")
