"""Skip visibly what this machine lacks; under CLINIGATE_REQUIRE_ALL=1 a missing tool is a failure."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REQUIRE_ALL = os.environ.get("CLINIGATE_REQUIRE_ALL") == "1"


def missing(what: str) -> None:
    """Skip the running test because ``what`` is absent, or fail it when everything is required."""
    if REQUIRE_ALL:
        pytest.fail(f"{what} is required (CLINIGATE_REQUIRE_ALL=1) and not there")
    pytest.skip(f"{what} is not installed here")


def needs(*tools: str) -> None:
    """Call first in a test or fixture: each of ``tools`` must be an executable on PATH (or in /usr/sbin)."""
    for tool in tools:
        if not (shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin:/usr/lib/postfix/sbin")):
            missing(tool)


def needs_path(path: Path) -> Path:
    """The path, if it exists."""
    if not path.exists():
        missing(str(path.name))
    return path
