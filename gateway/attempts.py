"""The poison counter: how often the work on a message was begun and never finished, because it killed its process.

One small file a message, one byte a try.  It has to survive the death of a process, not of the machine, so nothing is
fsynced; and it holds no word of the message: the file's name is a hash of the key.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

POISON_AT = 3  # the third try of a message whose first two ended with the process holds it (DESIGN P1)


class Attempts:
    """Counts unfinished tries in ``folder``.  Cheap enough for every message; several processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def begin(self, key: str) -> int:
        """Note one more try; the number of tries begun and not finished, this one included.  Raises OSError."""
        fd = os.open(self._file(key), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(fd, b".")
            return os.fstat(fd).st_size
        finally:
            os.close(fd)

    def finish(self, key: str) -> None:
        """The work on this message ended, well or badly, and the process lives: it is no poison.  Raises OSError."""
        self._file(key).unlink(missing_ok=True)

    def expire(self, before: float) -> int:
        """Forget messages whose last try began before ``before`` (POSIX time); how many.  Raises OSError."""
        old = [file for file in self._folder.iterdir() if file.stat().st_mtime < before]
        for file in old:
            file.unlink(missing_ok=True)
        return len(old)

    def _file(self, key: str) -> Path:
        return self._folder / hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:40]
