"""Compute processes: one killable process a core runs steps 2-10; the event loop never does work that grows with a message.

A process that dies, hangs past its wall-clock limit or answers nonsense is killed and replaced; its message gets
``WorkerLost`` and nobody else's is touched (DESIGN section 2, "Processes").
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.codec import INLINE_BYTES, dump_received, load_plan, pack, unpack
from gateway.model import Plan, Received

START_SECONDS = 30.0


class WorkerLost(Exception):
    """The compute process died, was killed at a limit or answered nonsense.  ``why``: died | timeout | nonsense."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoWorker(Exception):
    """No compute process can be started: a fault of this machine or its configuration, not of any message."""


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    channel: socket.socket
    generation: int
    policy: str = ""
    _inbox: asyncio.Queue[tuple[bytes, list[int]]] = field(default_factory=asyncio.Queue)

    def listen(self) -> None:
        asyncio.get_running_loop().add_reader(self.channel, self._readable)

    def _readable(self) -> None:
        try:
            packet, fds, _, _ = socket.recv_fds(self.channel, 1 << 18, 1)
        except BlockingIOError:
            return
        except OSError:
            packet, fds = b"", []
        if not packet:
            asyncio.get_running_loop().remove_reader(self.channel)
        self._inbox.put_nowait((packet, list(fds)))

    async def answer(self, seconds: float) -> tuple[bytes, list[int]]:
        try:
            packet, fds = await asyncio.wait_for(self._inbox.get(), seconds)
        except TimeoutError:
            raise WorkerLost("timeout") from None
        if not packet:
            raise WorkerLost("died")
        return packet, fds

    async def send(self, packet: bytes, fd: int) -> None:
        try:
            while True:
                try:
                    socket.send_fds(self.channel, [packet], [fd] if fd >= 0 else [])
                    return
                except BlockingIOError:
                    await asyncio.sleep(0.001)  # the peer reads nothing else: this ends as soon as it takes its packet
        except OSError:
            raise WorkerLost("died") from None
        finally:
            if fd >= 0:
                os.close(fd)

    def kill(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            asyncio.get_running_loop().remove_reader(self.channel)
        self.channel.close()
        self.process.kill()
        self.process.wait()


class Pool:
    """``size`` compute processes.  ``context`` is the JSON description ``gateway.context.build`` understands."""

    def __init__(self, context: dict[str, Any], *, size: int, memory: int, seconds: float) -> None:
        self._context, self._size, self._memory, self.seconds = context, size, memory, seconds
        self._generation = 0
        self._idle: asyncio.Queue[_Worker | None] = asyncio.Queue()  # None: a place whose process must be started first
        self._busy: set[_Worker] = set()

    async def start(self) -> str:
        """Start all processes; returns the policy digest they loaded.  Raises NoWorker when one cannot start."""
        workers = await asyncio.gather(*(self._spawn() for _ in range(self._size)))
        for worker in workers:
            self._idle.put_nowait(worker)
        return workers[0].policy

    async def plan(self, received: Received, sound: Callable[[Plan], bool] = lambda plan: True) -> Plan:
        """Run steps 2-10 on one message.  ``sound`` judges the answer; what it rejects is nonsense.

        Raises WorkerLost, or NoWorker when the message was not even tried.
        """
        worker = await self._take()
        self._busy.add(worker)
        kept = False
        try:
            packet, fd = await _packed(received)
            await worker.send(packet, fd)
            answer, fds = await worker.answer(self.seconds)
            try:
                header, blobs = await _unpacked(answer, fds)
                plan = load_plan(header, blobs)
            except (ValueError, KeyError, TypeError, IndexError):
                raise WorkerLost("nonsense") from None
            if not sound(plan):
                raise WorkerLost("nonsense")
            kept = worker.generation == self._generation
            return plan
        finally:
            self._busy.discard(worker)
            if not kept:
                worker.kill()
            self._idle.put_nowait(worker if kept else None)

    async def reload(self, context: dict[str, Any]) -> str:
        """Go over to a new context: a first process must accept it, the others follow as they fall idle."""
        old = self._context
        self._context = context
        self._generation += 1
        try:
            probe = await self._spawn()
        except NoWorker:
            self._context = old
            raise
        place = self._idle.get_nowait() if not self._idle.empty() else None
        if place is not None:
            place.kill()
            self._idle.put_nowait(probe)
        else:
            probe.kill()
        return probe.policy

    async def stop(self) -> None:
        while not self._idle.empty():
            worker = self._idle.get_nowait()
            if worker is not None:
                worker.kill()
        for worker in list(self._busy):
            worker.kill()

    async def _take(self) -> _Worker:
        worker = await self._idle.get()
        if worker is not None and worker.generation == self._generation and worker.process.poll() is None:
            return worker
        if worker is not None:
            worker.kill()
        try:
            return await self._spawn()
        except BaseException:
            self._idle.put_nowait(None)
            raise

    async def _spawn(self) -> _Worker:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own program; returns as soon as it is forked
                [sys.executable, "-m", "gateway.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        worker = _Worker(process, ours, self._generation)
        worker.listen()
        try:
            packet, fd = pack({"memory": self._memory, "context": self._context}, [])
            await worker.send(packet, fd)
            header, _ = unpack(*await worker.answer(START_SECONDS))
        except WorkerLost as error:
            worker.kill()
            raise NoWorker(error.why) from None
        worker.policy = header["policy"]
        return worker


async def _packed(received: Received) -> tuple[bytes, int]:
    header = dump_received(received)
    if len(received.raw) < INLINE_BYTES // 2:
        return pack(header, [received.raw])
    return await asyncio.to_thread(pack, header, [received.raw])


async def _unpacked(packet: bytes, fds: list[int]) -> tuple[dict[str, Any], list[bytes]]:
    return await asyncio.to_thread(unpack, packet, fds) if fds else unpack(packet, fds)
