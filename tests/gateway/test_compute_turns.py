"""Who is next: a small message waits for the work in hand, never for the large ones that queue."""

from __future__ import annotations

import asyncio

import pytest

from gateway.compute import pool as compute
from gateway.model import Envelope, Received, Recipient

pytestmark = pytest.mark.unit


class Worker:
    """Takes every message, one after the other, and notes its key."""

    generation, quiet = 0, True

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def send(self, packet: bytes, fd: int, seconds: float) -> None:
        self.taken.append(packet.decode())

    async def answer(self, seconds: float) -> tuple[bytes, list[int]]:
        await asyncio.sleep(0.01)
        return b"", []


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    async def packed(received: Received) -> tuple[bytes, int]:
        return received.key.encode(), -1

    async def unpacked(packet: bytes, fds: list[int]) -> tuple[dict[str, object], list[bytes]]:
        return {}, []

    monkeypatch.setattr(compute, "_packed", packed)
    monkeypatch.setattr(compute, "_unpacked", unpacked)
    monkeypatch.setattr(compute, "load_plan", lambda header, blobs: None)
    return Worker()


async def work(worker: Worker, *sizes: int) -> list[str]:
    """One message of each size, all at once, one process: their numbers in the order they were taken."""
    pool = compute.Pool({}, size=1, memory=0, seconds=1)
    pool._idle.put_nowait(worker)  # type: ignore[arg-type]  # stands in for a process
    envelope = Envelope("a@x.example", (Recipient("b@y.example"),), listener="t")
    waiting = [Received(envelope=envelope, raw=bytes(size), at=0.0, key=str(number)) for number, size in enumerate(sizes)]
    await asyncio.gather(*(pool.plan(one) for one in waiting))
    return worker.taken


async def test_a_small_message_passes_the_large_ones_that_wait(worker: Worker) -> None:
    """It is taken as soon as the work in hand is done."""
    large = compute.LARGE
    assert await work(worker, large, large, large, 10) == ["0", "3", "1", "2"]


async def test_large_messages_get_their_turn(worker: Worker) -> None:
    """One of them stands in line with the small ones, so that it is never passed by those that come later."""
    large = compute.LARGE
    assert await work(worker, 10, large, 10, large, 10) == ["0", "1", "2", "4", "3"]
