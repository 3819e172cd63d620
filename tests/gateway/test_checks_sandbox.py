"""``clinigate check`` says whether the process in which C code decodes starts, is shut in, and can open what is sent."""

from __future__ import annotations

from ctypes.util import find_library
from functools import partial
from pathlib import Path

import pytest

import gateway.checks
from gateway.checks import check_sandbox
from gateway.config import Settings, load
from gateway.sandbox.parent import Sandbox
from gateway.sandbox.probe import LIBARCHIVE, PROBES, unable
from tests.support.needs import missing
from tests.support.paths import ROOT

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def told() -> Settings:
    return load(Path(ROOT) / "systemd" / "clinigate.yaml")


async def test_all_is_well_on_a_machine_with_what_the_readme_names(told: Settings) -> None:
    if not find_library("archive"):
        missing("libarchive13")
    assert await check_sandbox(told) == []


async def test_one_that_does_not_start_is_an_error(told: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every PDF would be held: nobody should learn that from a clinician."""
    monkeypatch.setattr(gateway.checks, "Sandbox", partial(Sandbox, program="tests.support.no_such_program"))
    (problem,) = await check_sandbox(told)
    assert (problem.level, problem.where) == ("error", "sandbox")
    assert "sandbox_memory_bytes" in problem.what


async def test_a_missing_library_is_a_warning_that_names_the_package(told: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """7z and RAR are then held: an installation may well live with that."""
    monkeypatch.setattr(gateway.checks, "unable", lambda sandbox: (LIBARCHIVE,))
    problems = await check_sandbox(told)
    assert [one.level for one in problems if LIBARCHIVE in one.what] == ["warning"]
    assert "libarchive13" in problems[0].what


async def test_one_that_is_not_shut_in_is_a_warning(told: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.checks, "unable", lambda sandbox: ())
    (problem,) = await check_sandbox(told)  # never started, therefore never confined
    assert problem.level == "warning"
    assert "seccomp" in problem.what


def test_each_probe_fails_where_nothing_decodes() -> None:
    """A probe that cannot fail would say nothing."""
    sandbox = Sandbox(1_000_000_000, 5.0, program="tests.support.no_such_program")
    try:
        assert unable(sandbox) == tuple(PROBES)
    finally:
        sandbox.close()
