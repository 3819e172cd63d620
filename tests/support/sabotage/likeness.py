"""A sandbox that dies of some pictures: ``python -m tests.support.sabotage.likeness FD MEMORY CPU_SECONDS``."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from typing import Any

from filters.api import Budget
from gateway.sandbox import child

CRASH, HANG, EAT = b"\xff\xd8 crash", b"\xff\xd8 hang", b"\xff\xd8 eat"


def _likeness(header: dict[str, Any], blobs: list[bytes], budget: Budget) -> Iterator[child.Frame]:
    if blobs[0] == CRASH:
        ctypes.string_at(0)
    if blobs[0] == HANG:
        time.sleep(600)
    if blobs[0] == EAT:
        bytearray(4 << 30)
    yield from child._likeness(header, blobs, budget)


if __name__ == "__main__":
    child._JOBS["likeness"] = _likeness
    child.main()
