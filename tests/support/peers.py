"""Next hops for tests: scripted ones on raw sockets that misbehave on request, and a loose recording sink."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

Script = Callable[["Wire"], Awaitable[None]]


class Wire:
    """The server's end of one connection: say, hear, take the data."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: list[bytes], number: int) -> None:
        self.reader, self.writer = reader, writer
        self.heard = heard  # every command line of every connection, in order
        self.number = number  # 0 for the first connection
        self.messages: list[bytes] = []

    async def say(self, *lines: str | bytes) -> None:
        for line in lines:
            self.writer.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
        await self.writer.drain()

    async def hear(self) -> bytes:
        """One command; raises EOFError when the client is gone."""
        line = await self.reader.readline()
        if not line:
            raise EOFError
        self.heard.append(line.rstrip(b"\r\n"))
        return self.heard[-1]

    async def take(self) -> bytes:
        """Message data up to the final dot, dot-unstuffed."""
        data = bytearray()
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise EOFError
            data += line[1:] if line.startswith(b".") else line
        return bytes(data)

    async def greet(self, *extensions: str) -> None:
        """220, EHLO or LHLO, extensions."""
        await self.say("220 next.example ESMTP")
        await self.hear()
        lines = ["next.example", *extensions]
        await self.say(*[f"250{'-' if index < len(lines) - 1 else ' '}{line}" for index, line in enumerate(lines)])

    async def serve(self, **replies: str | list[str]) -> None:
        """Answer commands until QUIT.  ``replies``: verb -> one reply, or a list used up in order (its last one stays)."""
        while True:
            verb = (await self.hear()).split(b" ")[0].split(b":")[0].decode().lower()
            default = {"data": "354 go on", "quit": "221 bye"}.get(verb, "250 ok")
            answer = replies.get(verb, default)
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            await self.say(answer)
            if verb == "data" and answer.startswith("354"):
                self.messages.append(await self.take())
                final = replies.get("final", "250 2.0.0 taken")
                for one in final if isinstance(final, list) else [final]:
                    await self.say(one)
            if verb == "quit":
                return


class Peer:
    """A running scripted server."""

    def __init__(self) -> None:
        self.port = 0
        self.heard: list[bytes] = []
        self.wires: list[Wire] = []

    @property
    def messages(self) -> list[bytes]:
        return [message for wire in self.wires for message in wire.messages]

    def commands(self, verb: str) -> list[str]:
        return [line.decode() for line in self.heard if line.upper().startswith(verb.upper().encode())]


@contextlib.asynccontextmanager
async def peer(script: Script, *, socket: Path | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """Serve ``script`` to each connection on a loopback port (or a Unix socket) until the block ends."""
    running = Peer()
    tasks: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        wire = Wire(reader, writer, running.heard, len(running.wires))
        running.wires.append(wire)
        try:
            await script(wire)
        except (EOFError, ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass  # the client went away or the test is over
        finally:
            tasks.discard(task)
            writer.close()

    if socket is not None:
        server = await asyncio.start_unix_server(connection, socket, limit=1 << 26)
    else:
        server = await asyncio.start_server(connection, "127.0.0.1", 0, ssl=tls, limit=1 << 26)
        running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tuple(tasks), return_exceptions=True)
        for wire in running.wires:
            wire.writer.close()
        await asyncio.sleep(0)
