"""The door out is a type: plain bytes do not pass the type checker that CI runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.slow

SNIPPET = """
from gateway.delivery import Delivery
from gateway.exitcheck import Cleared
from gateway.model import Copy, Envelope, Recipient
async def send(out: Delivery, to: Recipient, made: Cleared, envelope: Envelope) -> None:
    await out.send("default", "", [to], made, envelope)
    await out.send("default", "", [to], made.data, envelope)  # line 7
    Copy((0,), b"raw", "default", "none")  # line 8
"""


def test_sending_plain_bytes_is_a_type_error(tmp_path: Path) -> None:
    """Delivery and Copy take what the exit check made and nothing else."""
    pytest.importorskip("mypy")
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(snippet)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    errors = re.findall(r"snippet\.py:(\d+): error: .*\[arg-type\]", done.stdout)
    assert errors == ["7", "8"], done.stdout + done.stderr
