"""Imported by every Python process whose PYTHONPATH begins with this folder; only compute processes are sabotaged."""

import sys

if "gateway.compute.worker" in sys.orig_argv:
    from tests.support.sabotage.stages import arm

    arm()
