"""Run a command of ours: as a program, or inside this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from gateway.cli import app
from tests.support.paths import ROOT


def clinigate(*arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Any:
    """Run one command; CompletedProcess with texts."""
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd or ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **(env or {})},
    )


def inside(*arguments: str | Path) -> Any:
    """The same in this process, for the many ways to use a command wrongly."""
    done = CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done
