"""The IG team's folder as commands change it: read, checked as a whole, replaced whole or not at all."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.commands.options import fail, settings
from gateway.config import ConfigError, policy_files
from policies.load import POLICY, Policy, load_policy


@dataclass(frozen=True, slots=True)
class Folder:
    """A policy folder and the texts of its files."""

    path: Path
    files: Mapping[str, str]

    def policy(self, **changed: str) -> Policy:
        """The policy, with other texts for some files.  Raises PolicyError naming every fault."""
        return load_policy({name: text.encode() for name, text in {**self.files, **changed}.items()})

    def write(self, name: str, text: str) -> Policy:
        """Replace one file if the whole policy is good with it.  Raises PolicyError, OSError.

        What somebody else changed in the meantime is not overwritten.
        """
        policy = load_policy({**{one: old.encode() for one, old in self.files.items()}, name: text.encode()})
        path = self.path / name
        lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists() and path.read_text("utf-8") != self.files[name]:
                raise OSError(f"{path} was changed by somebody else just now; nothing is written, try again")
            replace(path, text)
        finally:
            os.close(lock)
        return policy


def opened(config: Path) -> Folder:
    """The folder of a configuration, or an end with what is wrong."""
    path = settings(config).policy
    try:
        return Folder(path, policy_files(path))
    except ConfigError as error:
        fail(*error.problems)
    except OSError as error:
        fail(f"{path}: {error.strerror}", code=1)


def replace(path: Path, text: str) -> None:
    """Whole or not at all, durable, with the file's own mode and owner.  Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        there = (path if path.exists() else path.with_name(POLICY)).stat()  # a file that an older folder lacks
        temporary.chmod(there.st_mode & 0o777)
        if os.getuid() == 0:
            os.chown(temporary, there.st_uid, there.st_gid)
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
