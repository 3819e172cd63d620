"""``make bench`` works: the script starts all three systems, every message arrives, figures come out, nothing keeps running."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import psutil
import pytest

from gateway.demo.pictures import logo, photo
from tests.bench import rig
from tests.support.needs import missing, needs, needs_path
from tests.support.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


def stand_in(pictures: list[tuple[bytes, str]]) -> bytes:
    """A small mail of the same build as the rig's: making those takes longer than this test may."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = rig.SENDER, rig.RECIPIENT, "bench"
    mail["Message-ID"] = "<bench@clinic.example>"
    mail.set_content("Dear colleague,\n.please see attached.\n")
    for number, (data, subtype) in enumerate(pictures):
        mail.add_attachment(data, "image", subtype, filename=f"IMG_{number}.{subtype}")
    return mail.as_bytes()


def test_the_bench_runs_to_its_end_and_leaves_nothing(tmp_path: Path) -> None:
    """One quick round: a row for each message and system, no message lost, the figures in the document, no process left."""
    needs("cc", "postfix", "postconf")
    needs_path(rig.RIG / "sender.py")
    if os.geteuid() != 0:
        missing("root (Postfix starts as root)")
    photos = [(photo(seed), "jpeg") for seed in range(5)]
    for name, pictures in zip(rig.NAMES, ([], [(logo(), "png")], photos[:1], photos), strict=True):
        (tmp_path / f"{name}.eml").write_bytes(stand_in(pictures))
    document = tmp_path / "performance.md"
    document.write_text("before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n")
    words = ["--quick", "--rounds", "1", "--messages", str(tmp_path), "--write", str(document)]
    before = set(psutil.pids())
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "bench" / "throughput.py"), *words], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in rig.NAMES:
        for system in ("bare", "postfix", "clinigate"):
            assert re.search(rf"^  {name} +{system} +[1-9.]", done.stderr, re.MULTILINE), done.stderr
            assert f"| {name} | {system} |" in done.stdout
    written = document.read_text()
    assert written.startswith("before\n") and written.endswith("after\n") and "old" not in written
    assert "at rest" in written and str(tmp_path) not in written
    left = [process for process in psutil.process_iter(["name", "cmdline"]) if process.pid not in before and ours(process)]
    assert left == []


def ours(process: psutil.Process) -> bool:
    """Started by the bench: it works in the bench's folder, or that stands in the command line."""
    try:
        words = [process.cwd(), *(process.info["cmdline"] or ())]
    except psutil.Error:
        return False  # it has just ended
    return any("clinigate-bench-" in word for word in words)
