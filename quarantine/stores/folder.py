"""Sealed objects as files: ``<root>/<place>/<id>.<kind>``.  Durable write = temp, write, fsync, rename, fsync folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from quarantine.model import ObjectKind
from quarantine.stores.api import Data, Entry, Missing, Place, StoreError

_TEMPORARY = ".tmp-"
_KINDS = {kind.value: kind for kind in ObjectKind}
_MODE = 0o660  # the quarantine service reads, and at the end of retention overwrites, what the gateway's user wrote


@dataclass(frozen=True, slots=True)
class System:
    """The system calls used; a test makes each fail in turn."""

    open: Callable[[Path | str, int, int], int] = os.open
    write: Callable[[int, memoryview], int] = os.write
    fsync: Callable[[int], None] = os.fsync
    close: Callable[[int], None] = os.close
    rename: Callable[[Path, Path], None] = os.rename
    unlink: Callable[[Path], None] = os.unlink


class FolderStore:
    """A folder with one sub-folder a place.  Several processes may use it; a rename decides who was first."""

    def __init__(self, root: Path, system: System | None = None) -> None:
        self._root = root
        self._system = system or System()

    def prepare(self) -> None:
        """Make the sub-folders (the packaged installation makes them with their owners)."""
        for place in Place:
            (self._root / place.value).mkdir(mode=0o770, parents=True, exist_ok=True)

    def put(self, object_id: str, kind: ObjectKind, data: Data, place: Place = Place.INCOMING, *, replace: bool = False) -> None:
        """See ``Store.put``."""
        if not replace and self.sync(object_id, kind, place):
            return
        path = self._path(object_id, kind, place)
        temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
        with _told(object_id, "write"):
            try:
                self._write(temporary, memoryview(data))
                self._system.rename(temporary, path)
            except BaseException:
                with contextlib.suppress(OSError):  # the first error is the one to tell; a left-over is swept later
                    self._system.unlink(temporary)
                raise
            self._sync_folder(path.parent)

    def sync(self, object_id: str, kind: ObjectKind, place: Place = Place.INCOMING) -> bool:
        """See ``Store.sync``."""
        path = self._path(object_id, kind, place)
        with _told(object_id, "sync"):
            try:
                descriptor = self._system.open(path, os.O_RDONLY, 0)
            except FileNotFoundError:
                return False
            try:
                self._system.fsync(descriptor)
            finally:
                self._system.close(descriptor)
            self._sync_folder(path.parent)
        return True

    def open(self, object_id: str, kind: ObjectKind, place: Place = Place.HELD) -> bytes:
        """See ``Store.open``."""
        with _told(object_id, "read"):
            return self._path(object_id, kind, place).read_bytes()

    def head(self, object_id: str, kind: ObjectKind, size: int, place: Place = Place.HELD) -> bytes:
        """See ``Store.head``."""
        with _told(object_id, "read"), self._path(object_id, kind, place).open("rb") as file:
            return file.read(size)

    def list(self, place: Place) -> Iterator[Entry]:
        """See ``Store.list``."""
        found: list[Entry] = []
        with _told(place.value, "list"), os.scandir(self._root / place.value) as entries:
            for entry in entries:
                if entry.name.startswith(_TEMPORARY) or not entry.is_file(follow_symlinks=False):
                    continue
                try:
                    facts = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # moved meanwhile
                stem, _, suffix = entry.name.partition(".")
                found.append(Entry(stem, _KINDS.get(suffix), facts.st_size, facts.st_mtime, entry.name))
        return iter(sorted(found, key=lambda e: (e.at, e.name)))

    def move(self, object_id: str, kind: ObjectKind, source: Place, target: Place) -> None:
        """See ``Store.move``."""
        self._move(self._path(object_id, kind, source), self._path(object_id, kind, target), object_id)

    def set_aside(self, entry: Entry, source: Place) -> None:
        """See ``Store.set_aside``."""
        target = self._root / Place.DAMAGED.value / entry.name
        if target.exists():  # never over another damaged object
            target = target.with_name(f"{entry.name}.{secrets.token_hex(4)}")
        self._move(self._root / source.value / entry.name, target, "set aside")

    def delete(self, object_id: str, kind: ObjectKind, place: Place = Place.HELD, erase: int = 0) -> None:
        """See ``Store.delete``.  Where the disk keeps old blocks (copy-on-write, SSD), erasing is only as good as the disk."""
        path = self._path(object_id, kind, place)
        with _told(object_id, "delete"):
            try:
                if erase:
                    self._erase(path, erase)
                self._system.unlink(path)
            except FileNotFoundError:
                return
            self._sync_folder(path.parent)

    def sweep(self, place: Place, before: float) -> int:
        """Remove unfinished writes older than ``before`` (POSIX time): nobody was promised anything about them."""
        count = 0
        for path in (self._root / place.value).glob(f"{_TEMPORARY}*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    self._system.unlink(path)
                    count += 1
        return count

    def _path(self, object_id: str, kind: ObjectKind, place: Place) -> Path:
        if len(object_id) != 32 or not set(object_id) <= set("0123456789abcdef"):
            raise StoreError("an object id is 32 hex digits")
        return self._root / place.value / f"{object_id}.{kind.value}"

    def _write(self, path: Path, data: memoryview) -> None:
        descriptor = self._system.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
        try:
            while data:
                data = data[self._system.write(descriptor, data) :]
            self._system.fsync(descriptor)
        finally:
            self._system.close(descriptor)

    def _erase(self, path: Path, size: int) -> None:
        descriptor = self._system.open(path, os.O_WRONLY | os.O_CLOEXEC, 0)
        try:
            blank = memoryview(bytes(min(size, os.fstat(descriptor).st_size)))
            while blank:
                blank = blank[self._system.write(descriptor, blank) :]
            self._system.fsync(descriptor)
        finally:
            self._system.close(descriptor)

    def _move(self, source: Path, target: Path, what: str) -> None:
        with _told(what, "move"):
            self._system.rename(source, target)
            # The new name first: after a crash in between the object may be at both places, never at none.
            self._sync_folder(target.parent)
            self._sync_folder(source.parent)

    def _sync_folder(self, folder: Path) -> None:
        descriptor = self._system.open(folder, os.O_RDONLY | os.O_DIRECTORY, 0)
        try:
            self._system.fsync(descriptor)
        finally:
            self._system.close(descriptor)


@contextlib.contextmanager
def _told(what: str, doing: str) -> Iterator[None]:
    """Every failure of the system as a StoreError, so that callers know one kind of failure."""
    try:
        yield
    except FileNotFoundError:
        raise Missing(f"cannot {doing} {what}: not there") from None
    except OSError as error:
        raise StoreError(f"cannot {doing} {what}: {os.strerror(error.errno or 0)}") from error
