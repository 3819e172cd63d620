"""Each fuzz harness for a moment, always from the same beginning; ``python -m tests.fuzz.run`` runs them for long."""

from __future__ import annotations

import pytest

from tests.fuzz import run

pytestmark = pytest.mark.unit


@pytest.mark.slow
@pytest.mark.parametrize("area", run.AREAS)
def test_no_mutation_of_a_moment_breaks_the_invariant(area: str) -> None:
    """The first docstring line of each harness's ``one`` says what it promises."""
    assert (run.harness(area).one.__doc__ or "").strip()
    tried, broken = run.plain(area, 2.0, seed=1)
    assert broken is None
    assert tried >= len(run.harness(area).seeds()) or tried > 5
