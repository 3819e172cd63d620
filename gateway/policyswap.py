"""The IG team's folder, read and changed whole: nobody sees half of a change that touches several files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[None]:
    """While it lasts nobody who asks for ``changing`` writes.  Raises OSError."""
    with _locked(folder, fcntl.LOCK_SH) if folder.is_dir() else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[None]:
    """While it lasts nobody who asks for ``reading`` reads.  Raises OSError."""
    with _locked(folder, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)  # and the lock with it


def replace(folder: Path, texts: Mapping[str, str]) -> None:
    """Put ``texts`` (name -> text) into the folder, all of them or, when one cannot be written, none.  Raises OSError.

    Everything is on disk before the first name changes; mode and owner of a file that was there stay.
    """
    ready: list[tuple[Path, Path]] = []
    try:
        for name, text in texts.items():
            path = folder / name
            ready.append((_written(path, text), path))
        with changing(folder):
            while ready:
                temporary, path = ready[0]
                temporary.replace(path)
                del ready[0]
    finally:
        for temporary, _ in ready:
            temporary.unlink(missing_ok=True)


def _written(path: Path, text: str) -> Path:
    """A hidden file beside ``path`` that holds ``text``, safe on disk."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        was = path.stat() if path.exists() else None
        temporary.chmod(was.st_mode & 0o777 if was else 0o644)
        if was and (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
            with contextlib.suppress(PermissionError):  # only root may give files away; who may write may read all the same
                os.chown(temporary, was.st_uid, was.st_gid)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
