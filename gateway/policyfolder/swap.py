"""The IG team's folder, read and changed whole: nobody sees half of a change, and nobody's change is lost to another's."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from policies.load import POLICY


class ChangedMeanwhile(OSError):
    """Somebody else changed a file since it was read; the text says so."""


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


class Watch:
    """Tells when files were changed, by what the file system says of them: to look costs little however large a register is."""

    def __init__(self, files: Callable[[], Iterable[Path]]) -> None:
        self._files = files
        self._last: list[tuple[object, ...]] | None = None
        self._told: list[tuple[object, ...]] | None = None

    def changed(self) -> bool:
        """True once for each change, when nothing was written since the look before: no half of a file is read.  Raises OSError.

        The first change is that the files are there.
        """
        now = [_look(path) for path in self._files()]
        rests, self._last = now == self._last, now
        if not rests or now == self._told:
            return False
        self._told = now
        return True

    def again(self) -> None:
        """What was told last counts as not told."""
        self._told = None


def _look(path: Path) -> tuple[object, ...]:
    """Differs after every write: nobody can set the time of change (ctime) as they can that of the content."""
    try:
        told = path.stat()
    except FileNotFoundError:  # gone since it was listed, or a link to nowhere; who reads it says so
        return (path,)
    return path, told.st_ino, told.st_size, told.st_ctime_ns


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)  # and the lock with it


def replace(folder: Path, texts: Mapping[str, str], seen: Mapping[str, str]) -> None:
    """Put ``texts`` (name -> text) into the folder, all of them or, when one cannot be written, none.  Raises OSError.

    ``seen``: the texts as they were read before; a file that is not as it was raises ChangedMeanwhile.  Everything is on disk
    before the first name changes; mode and owner of a file stay, a new one gets those of the policy.
    """
    ready: list[tuple[Path, Path]] = []
    try:
        for name, text in texts.items():
            path = folder / name
            ready.append((_written(path, text, folder / POLICY), path))
        with changing(folder):
            for name in texts:
                _unchanged(folder / name, seen.get(name))
            while ready:
                temporary, path = ready[0]
                temporary.replace(path)
                del ready[0]
        for parent in {(folder / name).parent for name in texts}:
            _sync(parent)
    finally:
        for temporary, _ in ready:
            temporary.unlink(missing_ok=True)


def _unchanged(path: Path, seen: str | None) -> None:
    if path.exists() and path.read_text("utf-8") != seen:
        raise ChangedMeanwhile(f"{path} was changed by somebody else just now; nothing is written, try again")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _written(path: Path, text: str, like: Path) -> Path:
    """A hidden file beside ``path`` that holds ``text``, safe on disk, with the mode and owner of ``path``, else of ``like``."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        was = next((one.stat() for one in (path, like) if one.exists()), None)
        temporary.chmod(was.st_mode & 0o777 if was else 0o644)
        if was and (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
            with contextlib.suppress(PermissionError):  # only root may give files away; who may write may read all the same
                os.chown(temporary, was.st_uid, was.st_gid)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
