"""The compute processes of this very test process; other children (multiprocessing's helpers) are nobody's business here."""

from __future__ import annotations

import contextlib

import psutil


def workers() -> list[psutil.Process]:
    """Living children that run ``gateway.compute.worker``."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if child.status() != psutil.STATUS_ZOMBIE and "gateway.compute.worker" in child.cmdline():
                found.append(child)
    return found
