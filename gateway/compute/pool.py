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
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gateway.compute.codec import INLINE_BYTES, close, dump_received, load_plan, pack, unpack
from gateway.model import Plan, Received

START_SECONDS = 60.0  # a register of 100,000 domains takes 8 s of a processor to read anew, and all processes read it at once
LARGE = 2**20  # bytes; such messages queue among themselves first, so that a small one waits for the work in hand only
T = TypeVar("T")


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

    @property
    def quiet(self) -> bool:
        """It lives and has said nothing unasked: what it says next is an answer to what it is asked next."""
        return self._inbox.empty() and self.process.poll() is None

    async def answer(self, seconds: float) -> tuple[bytes, list[int]]:
        try:
            async with asyncio.timeout(seconds):  # wait_for would make a task of it
                packet, fds = await self._inbox.get()
        except TimeoutError:
            raise WorkerLost("timeout") from None
        if not packet:
            close(fds)
            raise WorkerLost("died")
        return packet, fds

    async def send(self, packet: bytes, fd: int, seconds: float) -> None:
        """Hand over one packet; closes ``fd``."""
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                try:
                    socket.send_fds(self.channel, [packet], [fd] if fd >= 0 else [])
                    return
                except BlockingIOError:
                    await asyncio.sleep(0.001)  # the peer reads nothing else: this ends as soon as it takes its packet
            raise WorkerLost("timeout")
        except OSError:
            raise WorkerLost("died") from None
        finally:
            if fd >= 0:
                os.close(fd)

    def kill(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            asyncio.get_running_loop().remove_reader(self.channel)
        self.channel.close()
        while not self._inbox.empty():
            close(self._inbox.get_nowait()[1])
        self._inbox.put_nowait((b"", []))  # whoever waits for an answer waits in vain
        self.process.kill()
        self.process.wait()


class Pool:
    """``size`` compute processes.  ``context`` is the JSON description ``gateway.context.build`` understands.

    ``memory``: address space of one, in bytes.  ``seconds``: what one try may take.  ``log_level``: as in ``gateway.logs.setup``.
    """

    def __init__(self, context: dict[str, Any], *, size: int, memory: int, seconds: float, log_level: str = "INFO") -> None:
        self._context, self._size, self._memory, self.seconds = context, size, memory, seconds
        self._log_level = log_level
        self._generation = 0
        self._turns = asyncio.Semaphore(size)  # of large messages
        self._idle: asyncio.Queue[_Worker | None] = asyncio.Queue()  # None: a place whose process must be started first
        self._line = asyncio.Lock()  # whoever waits for a process is served in turn: a queue alone would serve whoever asks next
        self._busy: set[_Worker] = set()
        self._stopped = False

    async def start(self) -> str:
        """Start all processes; returns the policy digest they loaded.  Raises NoWorker when one cannot start: then none runs."""
        workers = await asyncio.gather(*(self._spawn(self._context, 0) for _ in range(self._size)), return_exceptions=True)
        started = [worker for worker in workers if isinstance(worker, _Worker)]
        for worker in workers:
            if isinstance(worker, BaseException):
                for one in started:
                    one.kill()
                raise worker
        for one in started:
            self._idle.put_nowait(one)
        return started[0].policy

    async def plan(self, received: Received, sound: Callable[[Plan], bool] = lambda plan: True) -> Plan:
        """Run steps 2-10 on one message.  ``sound`` judges the answer; what it rejects is nonsense.

        Raises WorkerLost; NoWorker, or OSError for want of memory, when the message was not even tried.
        """
        if len(received.raw) < LARGE:
            return await self._work(received, sound)
        async with self._turns:
            return await self._work(received, sound)

    async def _work(self, received: Received, sound: Callable[[Plan], bool]) -> Plan:
        worker = await self._take()
        self._busy.add(worker)
        kept = True  # it stands where it can take the next message
        try:
            packet, fd = await _packed(received)
            kept = False
            await worker.send(packet, fd, self.seconds)
            answer, fds = await worker.answer(self.seconds)
            try:
                header, blobs = await _unpacked(answer, fds)
                plan = load_plan(header, blobs)
            except (ValueError, KeyError, TypeError):
                raise WorkerLost("nonsense") from None
            if not sound(plan):
                raise WorkerLost("nonsense")
            kept = True
            return plan
        finally:
            self._put_back(worker, kept)

    def _put_back(self, worker: _Worker, kept: bool) -> None:
        self._busy.discard(worker)
        if not kept:
            worker.kill()
        self._idle.put_nowait(worker if kept else None)

    async def reload(self, context: dict[str, Any]) -> str:
        """Go over to a new context, which differs in its policy only: a first process must accept it, the others follow.

        Until then, and when it does not (NoWorker), the old one stays in force.  The process goes over in place: it knows what
        has not changed in a register of a hundred thousand domains, and the others work meanwhile.
        """
        worker = await self._take(behind=True, follows=False)  # whoever has the context in force goes on serving
        self._busy.add(worker)
        kept = False
        try:
            taken = await self._change(worker, context)
            kept = True
            if taken is None:
                raise NoWorker("refused")
            self._context, worker.policy = context, taken
            self._generation += 1
            worker.generation = self._generation
            return taken
        except WorkerLost as error:
            raise NoWorker(error.why) from None
        finally:
            self._put_back(worker, kept)

    async def follow(self) -> None:
        """Take every process over to the context in force, so that no message has to wait for it."""
        for _ in range(self._size - 1):
            try:
                self._idle.put_nowait(await self._take(behind=True))
            except NoWorker:
                return  # its place is kept; the next message tries again

    async def _change(self, worker: _Worker, context: dict[str, Any]) -> str | None:
        """The digest of the policy it has taken; None: it will not have it.  Raises WorkerLost; OSError for want of memory."""
        packet, fd = await _in_thread(pack, {"context": context}, [], unwanted=_unsent)
        await worker.send(packet, fd, START_SECONDS)
        try:
            header, _ = unpack(*await worker.answer(START_SECONDS))
            return str(header["policy"]) if header["ready"] is True else None
        except (ValueError, KeyError):
            raise WorkerLost("nonsense") from None

    async def stop(self) -> None:
        """Kill them all; who still waits for one gets NoWorker."""
        self._stopped = True
        while not self._idle.empty():
            worker = self._idle.get_nowait()
            if worker is not None:
                worker.kill()
        for worker in list(self._busy):
            worker.kill()

    async def _take(self, *, behind: bool = False, follows: bool = True) -> _Worker:
        """A process that nobody else has.  ``behind``: rather one without the context in force; ``follows``: it gets that now."""
        async with self._line:
            worker = await self._next(behind)
        try:
            if worker is not None and worker.quiet and (not follows or await self._follows(worker)):
                return worker
            if worker is not None:
                worker.kill()
            return await self._spawn(self._context, self._generation)
        except BaseException:
            if worker is not None:
                worker.kill()
            self._idle.put_nowait(None)
            raise

    async def _next(self, behind: bool) -> _Worker | None:
        """The place that waits longest; of processes first those that have the context in force, or (``behind``) have it not."""
        worker = await self._idle.get()
        for _ in range(self._idle.qsize() + 1):  # once round: where none is as wanted it is the first again
            if worker is None or (worker.generation != self._generation) is behind:
                break
            self._idle.put_nowait(worker)
            worker = self._idle.get_nowait()
        return worker

    async def _follows(self, worker: _Worker) -> bool:
        """Has it the context in force, or does it take it now?"""
        while worker.generation != (generation := self._generation):
            try:
                taken = await self._change(worker, self._context)
            except (WorkerLost, OSError):
                return False
            if taken is None:
                return False
            worker.generation, worker.policy = generation, taken
        return True

    async def _spawn(self, context: dict[str, Any], generation: int) -> _Worker:
        """A process that has loaded ``context``.  Raises NoWorker."""
        if self._stopped:
            raise NoWorker("stopped")
        try:
            worker = _fork(generation)
        except OSError as error:
            raise NoWorker(error.strerror or type(error).__name__) from None
        ready = False
        try:
            packet, fd = pack({"memory": self._memory, "context": context, "log_level": self._log_level}, [])
            await worker.send(packet, fd, START_SECONDS)
            header, _ = unpack(*await worker.answer(START_SECONDS))
            worker.policy = str(header["policy"])
            ready = True
        except WorkerLost as error:
            raise NoWorker(error.why) from None
        except (ValueError, KeyError):
            raise NoWorker("nonsense") from None
        except OSError as error:
            raise NoWorker(error.strerror or type(error).__name__) from None
        finally:
            if not ready:
                worker.kill()
        return worker


def _fork(generation: int) -> _Worker:
    """A process and a channel to it.  Raises OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "gateway.compute.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    worker = _Worker(process, ours, generation)
    worker.listen()
    return worker


async def _packed(received: Received) -> tuple[bytes, int]:
    header = dump_received(received)
    if len(received.raw) < INLINE_BYTES // 2:
        return pack(header, [received.raw])
    return await _in_thread(pack, header, [received.raw], unwanted=_unsent)


def _unsent(packed: tuple[bytes, int]) -> None:
    close([fd for fd in packed[1:] if fd >= 0])


async def _unpacked(packet: bytes, fds: list[int]) -> tuple[dict[str, Any], list[bytes]]:
    return await _in_thread(unpack, packet, fds) if fds else unpack(packet, fds)


async def _in_thread(work: Callable[..., T], *arguments: Any, unwanted: Callable[[T], object] = lambda result: None) -> T:
    """Run ``work`` off the event loop, and to its end: when the caller is cancelled, ``unwanted`` gets the result."""
    running = asyncio.get_running_loop().run_in_executor(None, work, *arguments)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        running.add_done_callback(lambda done: None if done.cancelled() or done.exception() else unwanted(done.result()))
        raise
