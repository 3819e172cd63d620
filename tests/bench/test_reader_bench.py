"""The DATA reader beside stock aiosmtpd, in one run on one machine: a discarding intake, loopback, a sender process's thread."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import socket
import statistics
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from gateway.inbound.listener import ListenerSettings, start
from tests.support.smtppeer import FakeIntake

pytestmark = pytest.mark.slow

LINE = b"A" * 76 + b"\r\n"
BIG = LINE * (20_000_000 // len(LINE))
SMALL = b"From: a@x.example\r\nSubject: s\r\n\r\n" + LINE * 25  # 2 kB
TRIES = 3  # the machine is shared: the best of so many measurements counts


class Discard:
    """Stock aiosmtpd's handler."""

    async def handle_DATA(self, *_: object) -> str:
        return "250 OK"


class Forgetful(FakeIntake):
    """Takes a message and keeps nothing of it."""

    async def message(self, received: object) -> list:  # type: ignore[type-arg]  # a fake
        replies = await super().message(received)  # type: ignore[arg-type]  # a fake
        self.seen.clear()
        return replies


def peak() -> int:
    """Peak memory of this process in kB."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])  # type: ignore[index]  # Linux has it


def serve(which: str, pipe: Connection) -> None:
    """A server in a process of its own: says its port, then its peak memory in kB when asked, then ends."""

    async def run() -> None:
        if which == "stock":
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: SMTP(Discard(), data_size_limit=2**30, loop=loop), "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
        else:
            port = (await start(ListenerSettings("bench"), Forgetful())).port
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from here
        before = peak()
        pipe.send(port)
        await asyncio.to_thread(pipe.recv)
        pipe.send(peak() - before)

    asyncio.run(run())


class Server:
    """``serve`` as a context: ``port``; ``grown`` (kB of peak memory) after it has ended."""

    def __init__(self, which: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(which, theirs), daemon=True)
        self.grown = 0

    def __enter__(self) -> Server:
        self._process.start()
        self.port: int = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send("end")
        self.grown = self._pipe.recv()
        self._process.join(10)
        self._process.close()
        self._pipe.close()


class Sender:
    """One kept connection; ``send`` is one transaction and returns its seconds."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._sock.makefile("rb")
        self._reply()
        self._command(b"EHLO bench")

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._sock.close()

    def send(self, body: bytes) -> float:
        began = time.perf_counter()
        for line in (b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@y.example>", b"DATA"):
            self._command(line)
        self._sock.sendall(body)
        assert self._command(b".").startswith(b"250")
        return time.perf_counter() - began

    def _command(self, line: bytes) -> bytes:
        self._sock.sendall(line + b"\r\n")
        return self._reply()

    def _reply(self) -> bytes:
        while (line := self._file.readline())[3:4] == b"-":
            pass
        assert line[:1] in b"23", line
        return line


def big_mail(which: str) -> tuple[float, int]:
    """Best seconds of three for a 20 MB mail; how much the server's peak memory grew, in kB."""
    with Server(which) as server:
        with Sender(server.port) as sender:
            sender.send(SMALL)
            best = min(sender.send(BIG) for _ in range(3))
    return best, server.grown


def small_beside_big(which: str) -> float:
    """Median seconds of a 2 kB mail while four connections send 20 MB mails without a pause."""
    stop = threading.Event()

    def load(port: int) -> None:
        with Sender(port) as sender:
            while not stop.is_set():
                sender.send(BIG)

    with Server(which) as server:
        threads = [threading.Thread(target=load, args=(server.port,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            with Sender(server.port) as sender:
                time.sleep(0.2)
                times = [sender.send(SMALL) for _ in range(60)]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    return statistics.median(times)


def until_good(measure: Callable[[], bool]) -> bool:
    return any(measure() for _ in range(TRIES))


def test_five_times_as_fast_as_stock_on_20_mb() -> None:
    def measure() -> bool:
        (stock, stock_memory), (ours, our_memory) = big_mail("stock"), big_mail("ours")
        print(f"\n20 MB: stock {stock * 1e3:.0f} ms, ours {ours * 1e3:.0f} ms, {stock / ours:.1f} x;"
              f" memory above idle: stock {stock_memory / 1e3:.0f} MB, ours {our_memory / 1e3:.0f} MB")  # fmt: skip
        return stock / ours >= 5

    assert until_good(measure)


def test_memory_of_a_20_mb_message_stays_near_twice_its_size() -> None:
    """One growing buffer and the finished bytes: no needless copies."""
    _, grown = big_mail("ours")
    print(f"\n20 MB: peak memory {grown * 1024 / len(BIG):.2f} x the message")
    assert grown * 1024 <= 2.2 * len(BIG)


def test_a_small_mail_does_not_wait_for_big_ones() -> None:
    def measure() -> bool:
        median = small_beside_big("ours")
        print(f"\n2 kB beside four times 20 MB: p50 {median * 1e3:.1f} ms")
        return median <= 0.015

    assert until_good(measure)
