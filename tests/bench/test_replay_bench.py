"""Past mail runs through a new policy at 20,000 messages a second or more.

Measured 2026-11-23 on a busy two-core machine: 31,000 a second of processor time for 100,000 messages, reading included.
"""

from __future__ import annotations

import pytest

from tests.bench.replaying import measure

pytestmark = pytest.mark.slow

WANTED = 20_000  # messages a second of one processor
TRIES = 3  # the machine is shared: the best of so many counts


def test_replay_is_fast() -> None:
    """A cold replay, files included, by the processor's time."""
    assert any(measure(100_000)[1] >= WANTED for _ in range(TRIES))
