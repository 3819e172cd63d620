"""The bytes of one connection: command lines and chunks of a message in order, whatever packets they came in, and replies.

Stands in for asyncio's StreamReader, which copies every byte three times; chunks pass here as the transport made them.
"""

from __future__ import annotations

import asyncio
from collections import deque

CHUNK = 2**16  # bytes a transport reads at once: small, so that many connections take turns quickly
MOST_AHEAD = 4 * CHUNK  # bytes waiting here before the transport is told to pause


class Gone(Exception):
    """The client sends no more: it closed or half-closed."""


class TooLong(Exception):
    """A command line over the limit; it was read to its end and thrown away."""


class Wire:
    """``feed`` and ``feed_eof`` are the connection's, the rest is the session's.

    Replies to pipelined commands travel together (RFC 2920 3.2), and none waits while we wait for the client.
    """

    def __init__(self, transport: asyncio.Transport, writer: asyncio.StreamWriter) -> None:
        self._transport = transport
        self._writer = writer
        self._arrived: deque[bytes] = deque()
        self._waiting = 0  # bytes in it
        self._waiter: asyncio.Future[None] | None = None
        self._over = False
        self._ahead = bytearray()
        self._out = bytearray()
        self.fed = 0  # bytes that have arrived so far

    # -- from the connection

    def feed(self, data: bytes) -> None:
        self.fed += len(data)
        self._waiting += len(data)
        self._arrived.append(data)
        if self._waiting > MOST_AHEAD:
            self._transport.pause_reading()
        self._wake()

    def feed_eof(self) -> None:
        self._over = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- to the session

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
        """Drop what was sent ahead: nothing a client sent in clear may be taken for a command under TLS (RFC 3207 4.2)."""
        self._ahead.clear()
        self._arrived.clear()
        self._waiting = 0

    @property
    def used(self) -> int:
        """Bytes handed out by ``line`` and ``chunk`` and not put back."""
        return self.fed - self._waiting - len(self._ahead)

    @property
    def idle(self) -> bool:
        """True if nothing the client sent waits to be obeyed."""
        return not self._ahead and not self._arrived

    @property
    def listening(self) -> bool:
        """False once the client has sent its last byte, or while so much waits that we do not know what else it has sent."""
        return not self._over and not self._transport.is_closing() and self._transport.is_reading()

    async def drain(self) -> None:
        """Throw away all that comes until the client has sent its last byte."""
        while True:
            self._ahead.clear()
            try:
                await self._more()
            except Gone:
                return

    async def _more(self) -> bytes:
        await self.flush()
        while not self._arrived:
            if self._over:
                raise Gone
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data = self._arrived.popleft()
        self._waiting -= len(data)
        if self._waiting <= MOST_AHEAD and not self._transport.is_closing() and not self._transport.is_reading():
            self._transport.resume_reading()
        return data

    # -- replies

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
