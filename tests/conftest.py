"""Fixtures and settings every test shares."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("clinigate", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("clinigate")
