"""The same likeness on every machine: what one gateway noted, another one finds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from filters.likeness import likeness
from quarantine.ledger.alignment import aligned
from quarantine.ledger.fingerprint import apart, read
from tests.support.paths import ROOT
from tests.support.wounds import golden

pytestmark = pytest.mark.e2e


def test_another_process_makes_the_same_likeness() -> None:
    """Also one whose numpy and OpenCV use no vector instructions beyond the processor's least."""
    program = (
        "import sys; from tests.support.wounds import golden; from filters.likeness import likeness;"
        "sys.stdout.buffer.write(likeness(golden()))"
    )
    plain = {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F", "OPENCV_CPU_DISABLE": "AVX2,FP16,AVX512_SKX,AVX"}
    made = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            env={"PYTHONPATH": str(ROOT)} | env,
            capture_output=True,
            check=True,
            cwd=ROOT,
        ).stdout
        for env in ({}, plain)
    ]
    assert made[0] == likeness(golden())
    assert apart(read(made[1]), read(made[0])) <= 0.004
    itself = aligned([read(made[0])], read(made[0]))
    assert aligned([read(made[1])], read(made[0])) >= 0.9 * itself
