"""docs/clinical-safety/hazard-log.md is whole: every column, scores that follow the matrix, evidence that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import evidence, markdown
from tests.support.paths import ROOT

pytestmark = pytest.mark.unit

LOG = ROOT / "docs" / "clinical-safety" / "hazard-log.md"
TEXT = LOG.read_text(encoding="utf-8")
ALL = [f"H-{number:02}" for number in range(1, 23)]
ASSESSED = ["H-01", "H-02", "H-04", "H-05", "H-08", "H-09", "H-10", "H-12", "H-14", "H-18", "H-19", "H-20", "H-21", "H-22"]
ROWS = (
    "description", "causes", "effect", "harm", "existing controls", "design controls", "test controls", "training controls",
    "process controls", "initial risk", "residual risk", "owner", "status",
)  # fmt: skip
SEVERITY = ("minor", "significant", "considerable", "major", "catastrophic")
LIKELIHOOD = ("very low", "low", "medium", "high", "very high")
MATRIX = {  # likelihood -> risk by severity, mildest first (NHS guidance to DCB0129)
    "very high": (3, 4, 4, 5, 5),
    "high": (2, 3, 3, 4, 5),
    "medium": (2, 2, 3, 3, 4),
    "low": (1, 2, 2, 3, 4),
    "very low": (1, 1, 2, 2, 3),
}
_SCORE = re.compile(rf"({'|'.join(SEVERITY)}) × ({'|'.join(sorted(LIKELIHOOD, key=len, reverse=True))}) = ([1-5])\b")


def section(hazard: str) -> str:
    """The text under a hazard's heading."""
    return re.split(r"^## ", TEXT.partition(f"## {hazard}: ")[2], flags=re.M)[0]


def cells(hazard: str) -> dict[str, str]:
    """The two-column table of a hazard."""
    return dict(re.findall(r"^\| ([^|]+?) \| (.+) \|$", section(hazard), re.M))


def test_all_hazards_are_named() -> None:
    """H-01 to H-22: assessed in a section of their own, or listed as not yet assessed."""
    listed = re.findall(r"^\| (H-\d\d) \|.*\| not yet assessed \|$", TEXT, re.M)
    assert sorted([*ASSESSED, *listed]) == ALL
    assert re.findall(r"^## (H-\d\d): ", TEXT, re.M) == ASSESSED


@pytest.mark.parametrize("hazard", ASSESSED)
def test_every_column_is_filled(hazard: str) -> None:
    """The columns of a DCB0129 hazard log, all of them."""
    table = cells(hazard)
    assert [name for name in ROWS if not table.get(name)] == []


@pytest.mark.parametrize("hazard", ASSESSED)
def test_scores_follow_the_matrix(hazard: str) -> None:
    """Severity × likelihood = risk, and the controls do not make it worse."""
    scores = []
    for name in ("initial risk", "residual risk"):
        match = _SCORE.search(cells(hazard)[name])
        assert match is not None, name
        assert int(match[3]) == MATRIX[match[2]][SEVERITY.index(match[1])], name
        scores.append(int(match[3]))
    assert scores[1] <= scores[0]
    assert f"| {hazard} |" in TEXT.partition("## ")[0] and f"| {scores[0]} | {scores[1]} |" in _summary(hazard)


def _summary(hazard: str) -> str:
    return next(line for line in TEXT.partition("## ")[0].splitlines() if line.startswith(f"| {hazard} |"))


@pytest.mark.parametrize("hazard", ASSESSED)
def test_each_control_has_evidence_that_exists(hazard: str) -> None:
    """Every control of the list names a test or paragraph that is there, or says that it has none yet."""
    controls = re.findall(r"^- (.+?)(?=^- |^\s*$|\Z)", section(hazard).partition("Evidence:")[2], re.M | re.S)
    assert controls
    for control in controls:
        tests = evidence.TEST.findall(control)
        pages = [_reference(target) for target in markdown.links(control)]
        assert tests or pages or "no test yet" in control, control
        assert [found for one in [*tests, *pages] if (found := evidence.problem(ROOT, one))] == []


def _reference(target: str) -> str:
    name, _, anchor = target.partition("#")
    page = (LOG.parent / name).resolve() if name else LOG
    return f"{page.relative_to(Path(ROOT).resolve())}#{anchor}"


@pytest.mark.parametrize("likelihood", LIKELIHOOD)
def test_the_matrix_shown_is_the_matrix_used(likelihood: str) -> None:
    """The table in the page is the one the scores are checked against."""
    assert f"| {likelihood} | {' | '.join(map(str, MATRIX[likelihood]))} |" in TEXT
