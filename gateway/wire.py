"""The bytes of one connection: command lines and chunks of a message in order, whatever packets they came in, and replies."""

from __future__ import annotations

import asyncio

CHUNK = 2**18  # at most so much is taken at once: what asyncio's transports read


class Gone(Exception):
    """The client sends no more: it closed or half-closed."""


class TooLong(Exception):
    """A command line over the limit; it was read to its end and thrown away."""


class Wire:
    """Replies to pipelined commands travel together (RFC 2920 3.2), and never wait while we wait for the client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ahead = bytearray()
        self._out = bytearray()
        self.received = 0  # bytes taken off the reader so far

    async def line(self, limit: int) -> bytes:
        """The next line with its end, up to and with LF (the caller judges CRLF).  Raises Gone, TooLong."""
        cut = False
        while (end := self._ahead.find(b"\n")) < 0:
            if len(self._ahead) > limit:
                self._ahead.clear()
                cut = True
            self._ahead += await self._more()
        line = bytes(self._ahead[: end + 1])
        del self._ahead[: end + 1]
        if cut or len(line) > limit:
            raise TooLong
        return line

    async def chunk(self) -> bytes:
        """Whatever there is next, at least one byte.  Raises Gone."""
        if not self._ahead:
            return await self._more()
        data = bytes(self._ahead)
        self._ahead.clear()
        return data

    def unread(self, data: bytes) -> None:
        """Put back what was read beyond the end of a message."""
        self._ahead[:0] = data

    def forget(self) -> None:
        """Drop what was read ahead: nothing a client sent in clear may be taken for a command under TLS (RFC 3207 4.2)."""
        self._ahead.clear()

    @property
    def ahead(self) -> int:
        return len(self._ahead)

    def put(self, *lines: str) -> None:
        """Add reply lines to what goes out next."""
        for line in lines:
            self._out += line.encode() + b"\r\n"

    async def send(self, *lines: str) -> None:
        """Add reply lines; they go out now unless the next command is already here.  Raises ConnectionError."""
        self.put(*lines)
        if b"\n" not in self._ahead:
            await self.flush()

    async def flush(self) -> None:
        """Let out what was added.  Raises ConnectionError."""
        if self._out:
            self._writer.write(self.unsent())
            await self._writer.drain()

    def unsent(self) -> bytes:
        """What was added and not let out; it is the caller's now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    @property
    def idle(self) -> bool:
        """True if nothing the client sent waits to be obeyed."""
        return not self._ahead

    async def _more(self) -> bytes:
        await self.flush()
        data = await self._reader.read(CHUNK)
        if not data:
            raise Gone
        self.received += len(data)
        return data
