"""Fixtures and settings every test shares."""

from __future__ import annotations

import os

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
