"""A sandbox whose openers misbehave: ``python -m tests.support.sabotage.decoder FD MEMORY CPU_SECONDS``."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from filters.api import STRICT, Budget, Cleaning, Finding, Malformed, Member, Seen
from filters.registry import OPENERS
from gateway.sandbox import child
from gateway.sandbox.frames import send


def _crash() -> Iterator[Seen]:
    ctypes.string_at(0)
    yield Member("never", b"")


def _hang() -> Iterator[Seen]:
    time.sleep(600)
    yield Member("never", b"")


def _flood() -> Iterator[Seen]:
    while True:
        yield Member("more", b"x" * 1_000_000)


def _eat() -> Iterator[Seen]:
    yield Member("much", b"x" * (4 << 30))


def _raise() -> Iterator[Seen]:
    raise RuntimeError("a text with content in it")


def _refuse() -> Iterator[Seen]:
    yield Member("first", b"seen")
    raise Malformed("structure")


def _lie() -> Iterator[Seen]:
    yield Finding("made.up", "somewhere", "neither")  # type: ignore[arg-type]  # that is the lie


def _babble() -> Iterator[Seen]:
    os.write(int(sys.argv[1]), b"\xff" * 64)
    yield Member("after", b"nonsense")


def _forge() -> Iterator[Seen]:
    send(socket.socket(fileno=os.dup(int(sys.argv[1]))), {"member": {"key": 1, "no": "such"}}, [b"x"])
    yield Member("after", b"nonsense")


def _connect() -> Iterator[Seen]:
    socket.create_connection(("127.0.0.1", 9), 1)
    yield Member("out", b"")


def _run() -> Iterator[Seen]:
    os.execv("/bin/true", ["true"])
    yield Member("out", b"")


def _signal() -> Iterator[Seen]:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(434, os.getppid(), 0) >= 0:  # pidfd_open: a way to signal the parent that is not kill(2)
        yield Member("out", b"")
    raise PermissionError("denied")


def _x32() -> Iterator[Seen]:
    if ctypes.CDLL(None, use_errno=True).syscall(0x40000000 + 39) > 0:  # getpid under its x32 number: ends the process
        yield Member("out", b"")
    yield Member("out", b"")


def _write() -> Iterator[Seen]:
    Path("/dev/shm/clinigate-sandbox-wrote").write_bytes(b"x")  # an empty file may come to be, with nothing in it
    yield Member("out", b"")


def _honest() -> Iterator[Seen]:
    yield Member("only", b"what it is")


SABOTAGES: Mapping[str, Callable[[], Iterator[Seen]]] = {
    name[1:]: made
    for name, made in list(globals().items())
    if name.startswith("_") and getattr(made, "__module__", "") == __name__
}


class Saboteur:
    """An opener that does what the file tells it."""

    name, native, rebuilds = "zip", True, True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        return SABOTAGES[data.decode()]()

    def rebuild(
        self, data: bytes, changes: Mapping[str, bytes], names: Mapping[str, str], budget: Budget, cleaning: Cleaning = STRICT
    ) -> bytes:
        return data + b"".join(changes.values())


if __name__ == "__main__":
    OPENERS["zip"] = Saboteur()  # type: ignore[index]  # a dict behind its read-only type
    child.main()
