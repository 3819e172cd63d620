"""The receiving side of a whole gateway: memory for one large message, and small mail beside large."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import meter, rig
from tests.bench.systems import System

BIG_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes: of the message, of the gateway's processes at rest, and at most while it passed."""

    message: int
    idle: int
    peak: int

    def lines(self) -> list[str]:
        times = (self.peak - self.idle) / self.message
        return [
            f"Memory for one message of {self.message / 1e6:.0f} MB (photos, scrubbed): {(self.peak - self.idle) / 1e6:.0f} MB"
            f" above {self.idle / 1e6:.0f} MB at rest, {times:.1f} × the message (aim ≤ 5).",
            "",
        ]


def memory(system: System, usual: Sequence[Path], big: Path, sink: rig.Sink) -> Memory:
    """Peak of the gateway's tree, memfds included, above what it uses after a few usual messages: with every sandbox started."""
    for message in usual:
        rig.Sending(message, system.port, count=20, seconds=10).result()
        system.rest()
    before = sink.count
    with meter.Peak(system.roots, 0.001, memfds=True) as idle:
        time.sleep(0.1)
    with meter.Peak(system.roots, 0.001, memfds=True) as peak:
        sent = rig.Sending(big, system.port, count=1, seconds=10, connections=1).result()
    system.rest()
    if sent.errors or sink.count - before != 1:
        raise SystemExit(f"the large message did not arrive: {sent.errors}")
    return Memory(big.stat().st_size, idle.bytes, peak.bytes)


@dataclass(frozen=True, slots=True)
class Beside:
    """Seconds for one small mail while large ones arrive: until 354, and until its final answer."""

    ready: Sequence[float]
    answered: Sequence[float]
    large: int

    def lines(self) -> list[str]:
        ready, answered = (statistics.median(values) * 1e3 for values in (self.ready, self.answered))
        return [
            f"2 kB mail while {BIG_CONNECTIONS} connections send 20 MB photo mails without a pause ({len(self.answered)} beside"
            f" {self.large}): MAIL to 354 p50 {ready:.1f} ms (aim for the receiving side ≤ 15), MAIL to final answer p50"
            f" {answered:.0f} ms (through the whole gateway)."
        ]


def small_beside_big(system: System, small: Path, big: Path, seconds: float) -> Beside:
    """One small mail after the other on a kept connection."""
    body = small.read_bytes().replace(b"\r\n.", b"\r\n..") + b".\r\n"
    ready, answered = [], []
    load = rig.Sending(big, system.port, count=1000, seconds=seconds, connections=BIG_CONNECTIONS)
    with socket.create_connection(("127.0.0.1", system.port), timeout=60) as sock, sock.makefile("rb") as replies:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def say(line: bytes) -> None:
            sock.sendall(line)
            while (reply := replies.readline())[3:4] == b"-":
                pass
            if reply[:1] not in (b"2", b"3"):
                raise SystemExit(f"small mail: {reply.decode('latin-1').strip()}")

        say(b"")
        say(b"EHLO bench.example\r\n")
        time.sleep(0.5)  # the large ones have begun
        end = time.monotonic() + seconds - 0.5
        while time.monotonic() < end:
            began = time.perf_counter()
            for line in (f"MAIL FROM:<{rig.SENDER}>\r\n", f"RCPT TO:<{rig.RECIPIENT}>\r\n", "DATA\r\n"):
                say(line.encode())
            ready.append(time.perf_counter() - began)
            say(body)
            answered.append(time.perf_counter() - began)
            time.sleep(0.005)
    large = load.result()
    if large.errors:
        raise SystemExit(f"large mail: {large.errors}")
    return Beside(ready, answered, large.count)
