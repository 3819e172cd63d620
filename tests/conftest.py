"""Fixtures and settings every test shares."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# CI tries the same examples each time, so that a change is judged by itself; everybody else's runs look for new ones.
settings.register_profile(
    "clinigate",
    deadline=None,
    max_examples=100,
    derandomize=os.environ.get("CLINIGATE_REQUIRE_ALL") == "1",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("clinigate")

_NO_UNIT_TESTS = ("e2e", "chaos", "bench", "fuzz")  # as the Makefile says: `make unit` does not read these folders


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A quick unit test there would run in no stage of ``make test``."""
    for item in items:
        quick = item.get_closest_marker("unit") and not item.get_closest_marker("slow")
        if quick and item.path.parent.name in _NO_UNIT_TESTS:
            raise pytest.UsageError(f"{item.nodeid}: a quick unit test stands in the folder of what it is about")
