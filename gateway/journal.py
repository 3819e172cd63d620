"""The gateway's event journal: append-only segments of JSON lines, written by one thread with group commit.

Events hold ids, codes, domains, keyed hashes and the recorded facts; never content, file names, subjects or free text
(P5).  The quarantine service reads the segments by offset; ``clinigate report`` reads them too.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SEGMENT_BYTES = 32 * 1024 * 1024


class JournalError(OSError):
    """An event could not be made durable."""


class Journal:
    """Appends events to ``folder/<name>-<number>.jsonl``.  One writer thread; ``durable`` waits for its fsync."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name = folder, name
        self._queue: queue.SimpleQueue[tuple[bytes, asyncio.Future[None] | None] | None] = queue.SimpleQueue()
        self._number = 1 + max((int(p.stem.rpartition("-")[2]) for p in folder.glob(f"{name}-*.jsonl")), default=0)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def append(self, event: Mapping[str, Any], *, durable: bool) -> None:
        """Queue one event; with ``durable`` return only once it is fsynced.  Raises JournalError when it cannot be."""
        line = json.dumps(event, separators=(",", ":"), default=str).encode() + b"\n"
        if not durable:
            self._queue.put((line, None))
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put((line, done))
        await done

    def close(self) -> None:
        """Write what is queued, then stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        fd, size, stop = -1, 0, False
        while not stop:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            stop = None in batch
            items = [item for item in batch if item is not None]
            waiters = [done for _, done in items if done is not None]
            error: OSError | None = None
            try:
                if fd < 0 or size > SEGMENT_BYTES:
                    fd, size = self._next_segment(fd), 0
                size += _write_all(fd, b"".join(line for line, _ in items))
                if waiters:
                    os.fsync(fd)
            except OSError as caught:
                error = caught
                if fd >= 0:
                    os.close(fd)
                fd = -1
            for done in waiters:
                done.get_loop().call_soon_threadsafe(_settle, done, error)
        if fd >= 0:
            os.close(fd)

    def _next_segment(self, old: int) -> int:
        if old >= 0:
            os.fsync(old)
            os.close(old)
        path = self._folder / f"{self._name}-{self._number:08d}.jsonl"
        self._number += 1
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return fd


def _write_all(fd: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    return len(data)


def _settle(done: asyncio.Future[None], error: OSError | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(JournalError(error.errno, "the journal cannot be written"))
