"""Delivery to Postfix's own test server, over SMTP and LMTP, with its ways of failing."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.delivery import Delivery, Route, Routes, Timeouts
from gateway.model import Envelope, Recipient, Result
from tests.support.needs import needs

pytestmark = pytest.mark.e2e

DATA = b"From: a@x.example\r\nSubject: s\r\n\r\n" + b"." * 76 + b"\r\n" + (b"x" * 76 + b"\r\n") * 60_000 + b"..\r\n"
WHO = [Recipient("a@b.example"), Recipient("c@b.example")]


class Sink:
    """smtp-sink with ``options``, dumping what it takes into a folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        needs("smtp-sink")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.folder = folder
        folder.chmod(0o777)  # smtp-sink gives up root, if it has it, and we look in from outside
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
        command = [program, *user, "-d", f"{folder}/", *options, f"127.0.0.1:{self.port}", "50"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(self.process.communicate()[1])

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=5)

    def messages(self) -> list[bytes]:
        """Without the X-... envelope lines and Received that smtp-sink puts before each."""
        return [_bare(path.read_bytes()) for path in sorted(self.folder.iterdir()) if path.is_file()]


def _bare(dumped: bytes) -> bytes:
    text = dumped.replace(b"\n", b"\r\n")
    start = re.search(rb"^From: ", text, re.MULTILINE)
    return text[start.start() :] if start else text


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside pytest's own folders, which nobody else may enter."""
    with tempfile.TemporaryDirectory(prefix="sink-") as name:
        yield Path(name)


async def send(port: int, times: int = 1, **options: object) -> list[list[Result]]:
    out = Delivery(Routes([Route("default", "127.0.0.1", port, timeouts=Timeouts(command=5, final=5), **options)]))  # type: ignore[arg-type]  # test options
    cleared = SimpleNamespace(data=DATA)
    try:
        return [await out.send("default", "s@x.example", WHO, cleared, Envelope("s@x.example", tuple(WHO))) for _ in range(times)]  # type: ignore[arg-type]  # stands for what only the exit check makes
    finally:
        await out.aclose()
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("lmtp", [False, True])
async def test_smtp_sink_takes_every_message_to_the_octet(folder: Path, lmtp: bool) -> None:
    sink = Sink(folder, *(["-L"] if lmtp else []))
    try:
        results = await send(sink.port, 3, protocol="LMTP" if lmtp else "SMTP")
    finally:
        sink.stop()
    assert [[result.code for result in one] for one in results] == [[250, 250]] * 3
    assert [message.rstrip(b"\r\n") for message in sink.messages()] == [DATA.rstrip(b"\r\n")] * 3


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-r RCPT", (450, False)), ("-f RCPT", (500, False)), ("-f MAIL", (500, False)), ("-r DATA", (450, False)),
        ("-f .", (500, False)), ("-r .", (450, False)), ("-q RCPT", (0, False)), ("-q .", (0, True)),
    ],
)  # fmt: skip
async def test_its_refusals_and_hang_ups_are_told_as_they_are(folder: Path, options: str, expected: tuple[int, bool]) -> None:
    sink = Sink(folder, *options.split())
    try:
        ((first, second),) = await send(sink.port)
    finally:
        sink.stop()
    assert (first.code // 50 * 50, first.unknown) == expected == (second.code // 50 * 50, second.unknown)
