"""Independent programs on cleaned drawings: the metadata judge finds nothing, librsvg shows the same pixels."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from filters import tree
from filters.api import Budget, Member
from filters.jpeg.scrubber import JPEG
from filters.markup.svg import SVG
from tests.support.images_judged import leaks
from tests.support.needs import needs
from tests.support.paths import CORPUS
from tests.support.samples import markup

pytestmark = pytest.mark.e2e

FILES = sorted((CORPUS / "images").rglob("*.svg")) if CORPUS.exists() else []


def cleaned(data: bytes) -> bytes:
    """The drawing with its JPEGs scrubbed."""
    changes = {one.key: JPEG.scrub(one.data).data for one in SVG.open(data, Budget()) if isinstance(one, Member)}
    return SVG.rebuild(data, changes, {}, Budget())


def pixels(data: bytes) -> bytes | None:
    """The drawn picture, None when librsvg refuses the file."""
    needs("rsvg-convert")
    done = subprocess.run(["rsvg-convert", "--width", "300", "--keep-aspect-ratio"], input=data, capture_output=True, timeout=60)
    return done.stdout if done.returncode == 0 else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_drawing_of_the_corpus_is_perfect(path: Path, tmp_path: Path) -> None:
    """Nothing identifying is left, the pixels are those of the original."""
    data = path.read_bytes()
    out = tmp_path / path.name
    out.write_bytes(cleaned(data))
    assert [line for line in leaks({out: path}) if "LEAK" in line] == []
    shown = pixels(out.read_bytes())
    assert shown is not None and pixels(data) in (shown, None)  # one original uses a prefix that nobody declared


def test_a_drawing_of_all_canaries_leaks_none(tmp_path: Path) -> None:
    out = tmp_path / "a.svg"
    out.write_bytes(cleaned(markup.svg(lambda what: "CANARY-" + what.replace(" ", "-"))))
    assert [line for line in leaks({out: None}) if "LEAK" in line] == []
    assert b"CANARY" not in out.read_bytes()


def test_the_whole_tree_cleans_a_photograph_in_a_drawing() -> None:
    """As the gateway does it: examine, clean, and nothing is left over."""
    data = (CORPUS / "images/constructed/svg_data_uri_photo.svg").read_bytes()
    tools = tree.Tools()
    node = tree.examine(data, tools, Budget())
    done = tree.clean(data, node, tools, Budget())
    assert node.holds_clinical and done.data != data and done.removed
    again = tree.examine(done.data, tools, Budget())
    assert not tree.leftover(done.data, again, tools)
