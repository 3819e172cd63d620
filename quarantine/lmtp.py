"""One message over LMTP (RFC 2033) on a Unix socket: an answer for every recipient."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quarantine.model import HeldRecipient

_LIMIT = 1 << 16  # longest reply line taken
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said about one recipient; code 0: nothing (the message may or may not have been taken)."""

    code: int
    text: str = field(default="", repr=False)
    final: bool = False  # given after the message, for one recipient: what the gateway decided, not what it made of our command

    @property
    def status(self) -> str:
        """Code and enhanced code: what may be written down (RFC 3463)."""
        match = _ENHANCED.match(self.text)
        return f"{self.code} {match.group()}" if match else str(self.code)


class LmtpError(Exception):
    """The server does not speak LMTP as it must."""


async def deliver(
    path: Path, recipients: Sequence[HeldRecipient], data: bytes, parameters: Sequence[str], seconds: float
) -> list[Answer]:
    """Hand over one message from ``<>``; one Answer a recipient, in order.  Raises nothing for what the other side does.

    ``parameters`` stand behind MAIL; those the server did not announce are left out, but for our own (it must be known).
    """
    answers = [Answer(0)] * len(recipients)
    try:
        async with asyncio.timeout(seconds):
            await _Session(answers).run(path, recipients, data, parameters)
    except (OSError, TimeoutError, LmtpError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        pass  # what was not answered stays 0: tried again under the same release id
    return answers


class _Session:
    """One connection; fills ``answers`` as far as it comes."""

    def __init__(self, answers: list[Answer]) -> None:
        self._answers = answers

    async def run(self, path: Path, recipients: Sequence[HeldRecipient], data: bytes, parameters: Sequence[str]) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(path, limit=_LIMIT)
        try:
            await self._transaction(recipients, data, parameters)
            self._writer.write(b"QUIT\r\n")
        finally:
            self._writer.close()

    async def _transaction(self, recipients: Sequence[HeldRecipient], data: bytes, parameters: Sequence[str]) -> None:
        if (await self._reply()).code != 220:
            raise LmtpError("no greeting")
        announced = await self._hello()
        wanted = [p for p in parameters if p.partition("=")[0] in announced or p.startswith("CLINIGATE-")]
        mail = await self._command(" ".join(["MAIL FROM:<>", *wanted]))
        if mail.code // 100 != 2:
            self._answers[:] = [mail] * len(recipients)
            return
        taken: list[int] = []
        for index, recipient in enumerate(recipients):
            answer = await self._command(_rcpt(recipient, "DSN" in announced))
            if answer.code // 100 == 2:
                taken.append(index)
            else:
                self._answers[index] = answer
        if not taken:
            return
        ready = await self._command("DATA")
        if ready.code != 354:
            for index in taken:
                self._answers[index] = ready if ready.code >= 400 else Answer(0)
            return
        await self._data(data)
        for index in taken:  # RFC 2033 4.2: one reply for each accepted recipient, in order
            answer = await self._reply()
            self._answers[index] = Answer(answer.code, answer.text, final=True)

    async def _hello(self) -> frozenset[str]:
        self._writer.write(b"LHLO clinigate\r\n")
        lines = await self._lines()
        if lines[0][0] != 250:
            raise LmtpError("LHLO")
        return frozenset(text.split(" ")[0].upper() for _, text in lines[1:])

    async def _command(self, line: str) -> Answer:
        if "\r" in line or "\n" in line:
            raise LmtpError("a line break in a command")
        self._writer.write(line.encode("utf-8", "surrogateescape") + b"\r\n")
        await self._writer.drain()
        return await self._reply()

    async def _data(self, data: bytes) -> None:
        stuffed = data.replace(b"\r\n.", b"\r\n..")
        if stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        view = memoryview(stuffed)
        for start in range(0, len(view), _PIECE):
            self._writer.write(view[start : start + _PIECE])
            await self._writer.drain()
        self._writer.write(b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")
        await self._writer.drain()

    async def _reply(self) -> Answer:
        lines = await self._lines()
        return Answer(lines[-1][0], lines[-1][1])

    async def _lines(self) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        while True:
            line = (await self._reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip("\r\n")
            if not re.match(r"[2-5]\d\d(?:[ -]|$)", line):
                raise LmtpError("not a reply")
            found.append((int(line[:3]), line[4:]))
            if line[3:4] != "-":
                return found


def _rcpt(recipient: HeldRecipient, dsn: bool) -> str:
    """RCPT with the DSN parameters the sender gave (RFC 3461 4)."""
    words = [f"RCPT TO:<{recipient.address}>"]
    if dsn and recipient.notify:
        words.append(f"NOTIFY={recipient.notify}")
    if dsn and recipient.orcpt:
        words.append(f"ORCPT={recipient.orcpt}")
    return " ".join(words)
