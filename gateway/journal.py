"""The gateway's event journal: append-only segments of JSON lines, written by one thread with group commit.

Events hold ids, codes, domains, keyed hashes and the recorded facts; never content, file names, subjects or free text
(P5).  The quarantine service reads the segments by offset; ``clinigate report`` reads them too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()
SEGMENT_BYTES = 32 * 1024 * 1024


class JournalError(OSError):
    """An event could not be made durable."""


_Item = tuple[bytes, "asyncio.Future[None] | None"]


class Journal:
    """Appends events to ``folder/<name>-<number>.jsonl``.  One writer thread; ``durable`` waits for its fsync.

    What cannot be written is not kept for later: who waits for it is told, what nobody waits for is counted in the log.
    """

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name = folder, name
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        numbers = (re.fullmatch(rf"{re.escape(name)}-([0-9]+)\.jsonl", path.name) for path in folder.iterdir())
        self._number = 1 + max((int(found[1]) for found in numbers if found), default=0)
        self._fd, self._size = -1, 0  # of the open segment
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def append(self, event: Mapping[str, Any], *, durable: bool) -> None:
        """Queue one event; with ``durable`` return only once it is fsynced.  Raises JournalError when it cannot be."""
        line = json.dumps(event, separators=(",", ":"), default=str).encode() + b"\n"
        if self._closed:
            raise JournalError("the journal is closed")
        if not durable:
            self._queue.put((line, None))
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put((line, done))
        await done

    def close(self) -> None:
        """Write what is queued, then stop."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    # -- the writer's thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        stop = False
        while not stop:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            stop = None in batch
            items = [item for item in batch if item is not None]
            waiters = [done for _, done in items if done is not None]
            error: OSError | None = None
            try:
                if items:
                    self._write(b"".join(line for line, _ in items))
                if waiters or stop:
                    self._sync()
            except OSError as caught:
                error = caught
                self._failed(items, caught)
            for done in waiters:
                with contextlib.suppress(RuntimeError):  # its event loop has ended: nobody waits any more
                    done.get_loop().call_soon_threadsafe(_settle, done, error)
        self._close_segment()

    def _write(self, data: bytes) -> None:
        if self._fd >= 0 and self._size > SEGMENT_BYTES:
            self._sync()
            self._close_segment()
        if self._fd < 0:
            self._open_segment()
        view = memoryview(data)
        while view:
            written = os.write(self._fd, view)
            self._size += written
            view = view[written:]

    def _sync(self) -> None:
        if self._fd >= 0:
            os.fsync(self._fd)

    def _failed(self, items: Sequence[_Item], error: OSError) -> None:
        """Half a line may stand at the end of the segment: the next try begins another one."""
        unwaited = sum(1 for _, done in items if done is None)
        log.error("journal.failed", errno=error.errno, events=len(items), lost=unwaited)
        self._close_segment()

    def _open_segment(self) -> None:
        path = self._folder / f"{self._name}-{self._number:08d}.jsonl"
        self._number += 1
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        self._size = 0
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _close_segment(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):  # what had to be durable was fsynced, or its waiter told
                os.close(fd)


def _settle(done: asyncio.Future[None], error: OSError | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(JournalError(error.errno, "the journal cannot be written"))
