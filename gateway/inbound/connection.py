"""One connection of ``gateway.smtp``: its transport, its bytes both ways, its end."""

from __future__ import annotations

import asyncio
import collections
import math

from aiosmtpd import smtp as aiosmtpd

from gateway.inbound import replies as say
from gateway.inbound.intake import ListenerSettings
from gateway.inbound.patience import Patience
from gateway.inbound.wire import CHUNK, Wire
from gateway.model import Reply

LINGER = 2.0  # seconds in which a client may still read our last reply


class Connection(aiosmtpd.SMTP):
    """What is the same whatever is said: it opens, is written to, is given up when the client is too slow, and closes."""

    session: aiosmtpd.Session  # set as soon as there is a connection
    transport: asyncio.Transport | None

    def __init__(self, settings: ListenerSettings) -> None:
        # tls_context is set afterwards: the constructor warns of a required client certificate, which is what we want.
        super().__init__(
            None,
            data_size_limit=settings.max_size,
            hostname=settings.hostname,
            timeout=settings.command_timeout,
            loop=asyncio.get_running_loop(),
        )
        self.command_size_limits = collections.defaultdict(int)  # the class's own is shared by all connections
        self.tls_context = settings.tls
        self._patience = Patience(self.loop, lambda: self._leave(say.TIMED_OUT))
        self._over = False  # the last word is said
        self._announced: frozenset[str] = frozenset()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called a second time when STARTTLS has succeeded: nothing of the session before survives (RFC 3207 4.2)."""
        self._announced = frozenset()
        super().connection_made(transport)
        assert self.transport is not None
        self._wire = Wire(self.transport, self._writer)
        if hasattr(transport, "max_size"):  # asyncio's plain sockets; 256 kB at once would let the others wait
            transport.max_size = CHUNK

    def data_received(self, data: bytes) -> None:
        self._wire.feed(data)

    def eof_received(self) -> bool:
        """The client sends no more.  aiosmtpd would cancel the work here; we end what we have and then answer."""
        self._wire.feed_eof()
        return self.session.ssl is None  # True keeps our half open; TLS has no half-closed state

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone.  aiosmtpd would cancel the work here; we let the conversation find the end by itself."""
        self._patience.stop()
        if self._original_transport is not None:
            self._original_transport.close()
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self._wire.feed_eof()
        self.transport = None

    def _reset_timeout(self, duration: float | None = None) -> None:
        self._patience.until(self.loop.time() + (duration or self._timeout_duration))

    def _leave(self, reply: Reply) -> None:
        """Say a last word outside of the conversation, and hang up."""
        if self.transport is not None and not self.transport.is_closing() and not self._over:
            self._over = True
            self.transport.write(self._wire.unsent() + say.line(reply).encode() + b"\r\n")
            self.transport.close()
            self.loop.call_later(LINGER, self.transport.abort)  # close() waits for a client that does not read

    async def push(self, status: str | bytes) -> None:
        await self._wire.send(status if isinstance(status, str) else status.decode("ascii"))

    async def _hang_up(self) -> None:
        """Close so that the last reply is read: closing with unread input would reset the connection and lose it."""
        if self.transport is None or self.transport.is_closing():
            return
        self._over = True
        self._patience.until(math.inf)
        await self._wire.flush()
        if self.session.ssl is None:  # TLS has no half-closed state; its close sends close_notify first
            self._writer.write_eof()
            async with asyncio.timeout(LINGER):
                await self._wire.drain()
