"""The bytes of one connection in order: command lines and chunks of a message, whatever packets they came in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

CHUNK = 2**18  # at most so much is taken at once: what asyncio's transports read


class Gone(Exception):
    """The client sends no more: it closed or half-closed."""


class TooLong(Exception):
    """A command line over the limit; it was read to its end and thrown away."""


class Wire:
    """Reads from ``reader``; ``before_wait`` runs before each wait for the network (pending replies go out there)."""

    def __init__(self, reader: asyncio.StreamReader, before_wait: Callable[[], Awaitable[None]]) -> None:
        self._reader = reader
        self._before_wait = before_wait
        self._ahead = bytearray()
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

    @property
    def has_line(self) -> bool:
        """True if the next command is already here, so that its reply can travel with ours (RFC 2920 3.2)."""
        return b"\n" in self._ahead

    async def _more(self) -> bytes:
        await self._before_wait()
        data = await self._reader.read(CHUNK)
        if not data:
            raise Gone
        self.received += len(data)
        return data
