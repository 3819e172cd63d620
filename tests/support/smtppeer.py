"""A client on raw bytes, an intake that remembers, and a loose next hop's parser: what the SMTP side is tested with."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.inbound.limits import MemoryBudget, Share
from gateway.inbound.listener import Listener, ListenerSettings, start
from gateway.model import Envelope, Received, Reply

TAKEN = Reply(250, "2.0.0", "taken")
PATIENCE = 5.0  # seconds a test waits for an answer
_CLIENTS: dict[int, list[Client]] = {}  # by id of their listener, to be closed with it


@dataclass
class FakeIntake:
    """Takes everything, unless a field says otherwise."""

    budget: MemoryBudget = field(default_factory=lambda: MemoryBudget(10**9))
    offers: frozenset[str] = frozenset({"8BITMIME", "SMTPUTF8", "DSN"})
    refusal: Reply | None = None  # what ``admit`` says
    answer: Callable[[Received], Awaitable[Any]] | None = None  # instead of TAKEN
    tokens: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    raises: dict[str, Exception] = field(default_factory=dict)  # method -> what it raises
    admitted: list[int | None] = field(default_factory=list)
    seen: list[Received] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    on: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    judged: list[tuple[str, Envelope]] = field(default_factory=list)

    def _maybe_raise(self, name: str) -> None:
        if name in self.raises:
            raise self.raises[name]

    def admit(self, envelope_size: int | None) -> Reply | None:
        self._maybe_raise("admit")
        self.admitted.append(envelope_size)
        return self.refusal

    def reserve(self, size: int) -> Share | None:
        return self.budget.reserve(size)

    def extensions(self) -> frozenset[str]:
        self._maybe_raise("extensions")
        return self.offers

    async def message(self, received: Received) -> list[Reply]:
        self.seen.append(received)
        self._maybe_raise("message")
        count = len(received.envelope.recipients) if received.envelope.protocol == "LMTP" else 1
        replies = [TAKEN] * count if self.answer is None else await self.answer(received)
        self.finished.append(received.key)
        return replies

    def known_as(self, digest: str) -> str:
        return digest

    def left(self, key: str) -> None:
        self.gone.append(key)

    def went_on(self, key: str) -> None:
        self._maybe_raise("went_on")
        self.on.append(key)

    def verify_release(self, token: str, envelope: Envelope) -> Mapping[str, Any] | None:
        self._maybe_raise("verify_release")
        self.judged.append((token, envelope))
        return self.tokens.get(token)


class Client:
    """Sends exactly the bytes it is told; reads replies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> str:
        """One reply, all its lines joined by newline; "" when the server has closed."""
        lines = []
        while True:
            line = (await asyncio.wait_for(self.reader.readline(), PATIENCE)).decode()
            lines.append(line.removesuffix("\r\n"))
            if line[3:4] != "-":
                return "\n".join(lines)

    async def cmd(self, *lines: str | bytes) -> str:
        """Send commands, one after the other; the last one's reply."""
        got = ""
        for line in lines:
            await self.raw((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
            got = await self.reply()
        return got

    async def hello(self, word: str = "EHLO") -> str:
        return await self.cmd(f"{word} client.example")

    async def to_data(self, *recipients: str, mail: str = "MAIL FROM:<a@x.example>") -> None:
        """From MAIL to 354."""
        assert (await self.cmd(mail)).startswith("250")
        for recipient in recipients or ("b@y.example",):
            assert (await self.cmd(f"RCPT TO:<{recipient}>")).startswith("250")
        assert (await self.cmd("DATA")).startswith("354")

    async def send(self, body: bytes, *recipients: str, mail: str = "MAIL FROM:<a@x.example>") -> str:
        """One whole message; ``body`` goes as it is, with CRLF.CRLF behind.  The first final reply."""
        await self.to_data(*recipients, mail=mail)
        await self.raw(body + b"\r\n.\r\n")
        return await self.reply()

    async def closed(self) -> bool:
        """True if the server closes within the patience of a test, saying nothing more."""
        return await asyncio.wait_for(self.reader.read(1), PATIENCE) == b""

    def reset(self) -> None:
        """Vanish: RST instead of FIN."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        self.writer.close()


@contextlib.asynccontextmanager
async def listening(intake: FakeIntake, **settings: Any) -> AsyncIterator[Listener]:
    """A real listener on loopback; ``settings`` are fields of ListenerSettings."""
    sock = settings.pop("sock", None)
    running = await start(ListenerSettings(**{"name": "test", "kind": "relay", **settings}), intake, sock=sock)
    clients = _CLIENTS[id(running)] = []
    try:
        yield running
    finally:
        await running.close(0)
        for client in clients:
            client.writer.transport.abort()
        await until(lambda: not running.connections)
        await asyncio.sleep(0)
        del _CLIENTS[id(running)]


async def dial(listener: Listener) -> Client:
    """Connected; the greeting is still to be read."""
    if listener.port:
        client = Client(*await asyncio.open_connection(listener.address, listener.port))
    else:
        client = Client(*await asyncio.open_unix_connection(listener.address))
    _CLIENTS[id(listener)].append(client)
    return client


async def connect(listener: Listener) -> Client:
    """Connected, greeting read."""
    client = await dial(listener)
    assert (await client.reply()).startswith("220 ")
    return client


@contextlib.asynccontextmanager
async def session(intake: FakeIntake, **settings: Any) -> AsyncIterator[Client]:
    """A listener and one client that has said hello."""
    async with listening(intake, **settings) as listener:
        client = await connect(listener)
        await client.hello("LHLO" if settings.get("protocol") == "LMTP" else "EHLO")
        try:
            yield client
        finally:
            client.close()


async def until(true: Callable[[], object]) -> None:
    """Wait for something that happens in another task."""
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.005)


def stuffed(message: bytes) -> bytes:
    """What a correct client sends: every line's first dot doubled (lines end with CRLF), CRLF.CRLF behind."""
    body = re.sub(rb"(?m)(?:^|(?<=\r\n))\.", b"..", message) if message.startswith(b".") else message.replace(b"\r\n.", b"\r\n..")
    return body + (b"" if body.endswith(b"\r\n") or not body else b"\r\n") + b".\r\n"


# What some server somewhere took for the end of a message (CVE-2023-51764, -51765, -51766, CVE-2024-27305 and kin).
_LOOSE_END = re.compile(rb"(?:\r\n|\n|\r|\r\n\x00|\r\r\n|\n\x00)\.(?:\r\r\n|\r\n|\n|\r|\x00\r\n)")


def loose_messages(wire: bytes) -> int:
    """How many messages the loosest next hop would see in one DATA's bytes (as sent on, with dots stuffed and CRLF.CRLF)."""
    return len(_LOOSE_END.findall(b"\r\n" + wire))
