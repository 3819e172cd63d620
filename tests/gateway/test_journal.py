"""The event journal: durable means on the disk, and a disk that was full once does not end it."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway import journal as module
from gateway.journal import Journal, JournalError

pytestmark = pytest.mark.unit


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path, "gateway")
    yield made
    made.close()
    assert not made._thread.is_alive()


def lines(folder: Path) -> list[dict[str, Any]]:
    """All whole lines of all segments, in order."""
    found = []
    for segment in sorted(folder.glob("*.jsonl")):
        found += [json.loads(line) for line in segment.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return found


class Disk:
    """os.write and os.fsync as a broken disk has them; counts what works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.real_write, self.real_fsync, self.real_open = os.write, os.fsync, os.open
        self.full = self.no_fsync = self.no_files = False
        self.room = 10**9
        self.fsyncs = 0
        self.synced: list[bytes] = []
        monkeypatch.setattr(module.os, "write", self.write)
        monkeypatch.setattr(module.os, "fsync", self.fsync)
        monkeypatch.setattr(module.os, "open", self.open)

    def write(self, fd: int, data: bytes) -> int:
        if threading.current_thread().name != "journal":
            return self.real_write(fd, data)
        if self.full or self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self.real_write(fd, bytes(data)[: self.room])
        self.room -= taken
        return taken

    def fsync(self, fd: int) -> None:
        if self.no_fsync:
            raise OSError(errno.EIO, "Input/output error")
        self.real_fsync(fd)
        self.fsyncs += 1

    def open(self, path: Any, flags: int, *mode: int, **more: Any) -> int:
        if self.no_files and flags & os.O_CREAT:
            raise OSError(errno.EMFILE, "Too many open files")
        return self.real_open(path, flags, *mode, **more)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def test_durable_returns_after_the_fsync_that_covers_the_line(
    disk: Disk, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen at the moment of the fsync: the line is in the file, and append has not returned."""
    gate, seen = threading.Event(), []

    def slow(fd: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{fd}"):
            return
        seen.extend(lines(tmp_path))
        gate.wait(5)

    monkeypatch.setattr(module.os, "fsync", slow)
    waiting = asyncio.ensure_future(journal.append({"n": 1}, durable=True))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert seen == [{"n": 1}]
    gate.set()
    await waiting


async def test_many_durable_events_share_an_fsync(disk: Disk, journal: Journal, tmp_path: Path) -> None:
    """Group commit: 200 waiters, far fewer fsyncs."""
    await journal.append({"n": -1}, durable=True)
    before = disk.fsyncs
    await asyncio.gather(*(journal.append({"n": n}, durable=True) for n in range(200)))
    assert disk.fsyncs - before < 50
    assert [line["n"] for line in lines(tmp_path)] == [-1, *range(200)]


async def test_what_nobody_waits_for_costs_no_fsync(disk: Disk, journal: Journal, tmp_path: Path) -> None:
    await journal.append({"n": 0}, durable=True)
    before = disk.fsyncs
    for n in range(1, 20):
        await journal.append({"n": n}, durable=False)
    while len(lines(tmp_path)) < 20:
        await asyncio.sleep(0.005)
    assert disk.fsyncs == before


async def test_a_full_disk_is_told_and_when_there_is_room_again_it_goes_on(disk: Disk, journal: Journal, tmp_path: Path) -> None:
    await journal.append({"n": 1}, durable=True)
    disk.full = True
    with pytest.raises(JournalError) as caught:
        await journal.append({"n": 2}, durable=True)
    assert caught.value.errno == errno.ENOSPC
    assert str(tmp_path) not in str(caught.value)
    disk.full = False
    await journal.append({"n": 3}, durable=True)
    assert [line["n"] for line in lines(tmp_path)] == [1, 3]


async def test_half_a_line_is_left_behind_and_spoils_no_other(disk: Disk, journal: Journal, tmp_path: Path) -> None:
    """The disk fills in the middle of a line: the next event stands in a segment of its own, readable."""
    await journal.append({"n": 1}, durable=True)
    disk.room = 4
    with pytest.raises(JournalError):
        await journal.append({"n": 2}, durable=True)
    disk.room = 10**9
    await journal.append({"n": 3}, durable=True)
    assert [line["n"] for line in lines(tmp_path)] == [1, 3]
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


async def test_events_nobody_waits_for_are_counted_when_they_are_lost(disk: Disk, journal: Journal) -> None:
    with capture_logs() as logs:
        disk.full = True
        await journal.append({"secret": "content"}, durable=False)
        while not logs:
            await asyncio.sleep(0.005)
        disk.full = False
    assert logs[0]["event"] == "journal.failed"
    assert logs[0]["lost"] == 1
    assert "content" not in str(logs)


async def test_a_failing_fsync_is_told_and_the_journal_lives(disk: Disk, journal: Journal, tmp_path: Path) -> None:
    disk.no_fsync = True
    with pytest.raises(JournalError):
        await journal.append({"n": 1}, durable=True)
    disk.no_fsync = False
    await journal.append({"n": 2}, durable=True)
    assert lines(tmp_path)[-1] == {"n": 2}


async def test_no_new_segment_is_told_and_the_journal_lives(
    disk: Disk, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Symptom: every message waits for ever after the disk was full at the turn of a segment.  Cause: the old segment was closed,
    the new one could not be opened, the old descriptor was closed once more, and that error ended the writer's thread."""
    monkeypatch.setattr(module, "SEGMENT_BYTES", 10)
    await journal.append({"n": 1, "fill": "x" * 20}, durable=True)
    disk.no_files = True
    for _ in range(2):
        with pytest.raises(JournalError):
            await asyncio.wait_for(journal.append({"n": 2}, durable=True), 5)
    disk.no_files = False
    await asyncio.wait_for(journal.append({"n": 3}, durable=True), 5)
    assert [line["n"] for line in lines(tmp_path)] == [1, 3]


async def test_an_event_loop_that_is_gone_does_not_end_the_journal(journal: Journal, tmp_path: Path) -> None:
    """Symptom: as above.  Cause: telling a waiter whose loop had ended raised in the writer's thread."""

    def elsewhere() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(journal.append({"n": 1}, durable=True))
        loop.run_until_complete(asyncio.sleep(0))
        task.cancel()
        with_suppressed = asyncio.gather(task, return_exceptions=True)
        loop.run_until_complete(with_suppressed)
        loop.close()

    block = threading.Event()
    real = journal._write
    journal._write = lambda data: (block.wait(5), real(data))[1]  # type: ignore[method-assign]  # slow disk
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(5)
    block.set()
    await asyncio.wait_for(journal.append({"n": 2}, durable=True), 5)
    assert [line["n"] for line in lines(tmp_path)] == [1, 2]


async def test_closing_loses_nothing_and_fsyncs(disk: Disk, tmp_path: Path) -> None:
    made = Journal(tmp_path, "gateway")
    for n in range(500):
        await made.append({"n": n}, durable=False)
    before = disk.fsyncs
    await asyncio.to_thread(made.close)
    assert [line["n"] for line in lines(tmp_path)] == list(range(500))
    assert disk.fsyncs > before


async def test_after_closing_nothing_is_taken_silently(tmp_path: Path) -> None:
    """Waiting for ever for a writer that has gone would hold a client's connection until it gives up."""
    made = Journal(tmp_path, "gateway")
    made.close()
    for durable in (True, False):
        with pytest.raises(JournalError):
            await asyncio.wait_for(made.append({"n": 1}, durable=durable), 5)


async def test_each_start_begins_a_segment_of_its_own(tmp_path: Path) -> None:
    """A crash may have left half a line at the end of the last one; strangers' files do not matter."""
    (tmp_path / "gateway-old.jsonl").write_bytes(b"{}\n")
    (tmp_path / "other-00000099.jsonl").write_bytes(b"{}\n")
    for n in range(3):
        made = Journal(tmp_path, "gateway")
        await made.append({"n": n}, durable=True)
        made.close()
    names = sorted(path.name for path in tmp_path.glob("gateway-0*.jsonl"))
    assert names == [f"gateway-0000000{n}.jsonl" for n in (1, 2, 3)]
    assert [json.loads((tmp_path / name).read_bytes()) for name in names] == [{"n": 0}, {"n": 1}, {"n": 2}]


async def test_segments_are_turned_and_not_for_everybody_to_read(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 100)
    for n in range(10):
        await journal.append({"n": n, "fill": "x" * 40}, durable=True)
    segments = sorted(tmp_path.glob("*.jsonl"))
    assert len(segments) > 2
    assert [line["n"] for line in lines(tmp_path)] == list(range(10))
    assert all(path.stat().st_mode & 0o007 == 0 for path in segments)
