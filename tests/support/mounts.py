"""Small, full and read-only file systems for tests, where this machine lets us mount."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.needs import missing

BLOCK = 4096


@contextlib.contextmanager
def small(folder: Path, size: str = "4m") -> Iterator[Path]:
    """An empty tmpfs of ``size`` at ``folder`` until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    if not _mount("-t", "tmpfs", "-o", f"size={size},mode=755", "none", str(folder)):
        missing("permission to mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """Not one block is left on ``folder``'s file system until the block ends."""
    filler = folder / ".filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 16, BLOCK, 1):
            with contextlib.suppress(OSError):
                while os.write(descriptor, bytes(size)):
                    pass
        yield
    finally:
        os.close(descriptor)
        filler.unlink()


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """``folder``, a mount of its own (``small``) with no file open for writing, takes no writes until the block ends."""
    assert _mount("-o", "remount,ro", str(folder)), f"{folder} is busy"
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)


def _mount(*arguments: str) -> bool:
    return os.geteuid() == 0 and subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
