"""One connection to a next hop, as an SMTP or LMTP client (RFC 5321, 2033, 3207).

The wire only: commands out, replies in, message data in blocks.  What to send and what an answer means is
``gateway/delivery.py``'s.  aiosmtplib is not used here: it reads one reply at a time (no pipelining, no LMTP) and its two
regular expressions over the message cost 290 ms for 20 MB, in the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.inbound.data import dotted
from gateway.outbound.routes import Route

MAX_LINE = 4096  # RFC 5321 4.5.3.1.5 says 512; EHLO and chatty 5xx lines of real servers are longer
MAX_LINES = 200
BLOCK = 256 * 1024
_REPLY = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_ONE_LINE = re.compile(rb"[2-5][0-9]{2} [^\n]*\n")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


class NextHopError(Exception):
    """The link failed.  The text is ours alone: it may stand in a log."""


class Unreachable(NextHopError):
    """No usable session came about: connect, greeting, EHLO or TLS failed."""


class Lost(NextHopError):
    """An open session broke: closed, timed out, or answered what is no SMTP reply."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply: code 200-599 and the sanitised text of each line."""

    code: int
    lines: tuple[str, ...] = field(repr=False)  # a next hop may quote addresses

    @property
    def text(self) -> str:
        """All lines as one, ASCII, at most 200 characters."""
        return clean(" ".join(self.lines))


def clean(text: str) -> str:
    """Printable ASCII, at most 200 characters: fit to stand in a reply or a record of ours."""
    return _UNPRINTABLE.sub("?", text).strip()[:200]


def blocks(data: bytes, size: int = BLOCK) -> Iterator[bytes]:
    """``data`` dot-stuffed (RFC 5321 4.5.2) with its final dot, in blocks of about ``size``; the last block bears the dot.

    Blocks are cut after a line end, so a dot at the start of a block is always one at the start of a line, and no copy of
    the whole message is made.
    """
    start, end = 0, len(data)
    tail = b".\r\n" if data.endswith(b"\r\n") or not data else b"\r\n.\r\n"
    at_line = True
    while True:
        stop = _cut(data, start, size)
        block = data[start:stop]
        if dotted(block):
            block = block.replace(b"\r\n.", b"\r\n..")
        if at_line and block.startswith(b"."):
            block = b"." + block
        if stop == end:
            yield block + tail
            return
        yield block
        at_line = block.endswith(b"\r\n")
        start = stop


def _cut(data: bytes, start: int, size: int) -> int:
    """Where the block that begins at ``start`` ends: after a line end where there is one, never between CR and LF."""
    if len(data) - start <= size:
        return len(data)
    newline = data.rfind(b"\r\n", start, start + size)
    if newline >= 0:
        return newline + 2
    stop = start + size
    return stop + 1 if data[stop - 1 : stop + 1] == b"\r\n" else stop


class Session:
    """An open, greeted, EHLO'd connection.  Not for concurrent use."""

    def __init__(self, route: Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.route = route
        self.extensions: dict[str, str] = {}  # upper-case keyword -> parameters
        self.secured = False
        self.used = 0  # messages so far
        self.kept = False  # it has been idle: that it is closed by now says nothing about the next hop
        self.since = 0.0  # when it became idle; the pool's
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()

    # -- opening -----------------------------------------------------------------------------------------------------

    @classmethod
    async def open(cls, route: Route, context: ssl.SSLContext | None) -> Session:
        """Connect, greet, secure.  Raises Unreachable."""
        session = await cls._connect(route)
        try:
            await session._greet()
            if context is not None:
                secured = await session._secure(context)
                if not secured:
                    await session.close()
                    session = await cls._connect(route)
                    await session._greet()
        except BaseException as error:
            session.abort()
            if isinstance(error, Lost):
                raise Unreachable(str(error)) from None
            raise
        return session

    @classmethod
    async def _connect(cls, route: Route) -> Session:
        try:
            async with asyncio.timeout(route.timeouts.connect):
                if route.socket is not None:
                    streams = await asyncio.open_unix_connection(route.socket)
                else:
                    streams = await asyncio.open_connection(route.host, route.port)
        except TimeoutError:
            raise Unreachable("connect: timed out") from None
        except OSError as error:
            raise Unreachable(f"connect: {type(error).__name__}") from None
        return cls(route, *streams)

    async def _greet(self) -> None:
        greeting = await self.reply(self.route.timeouts.greeting, "greeting")
        if greeting.code != 220:
            raise Unreachable(f"greeting: {greeting.code}")
        await self._hello()

    async def _hello(self) -> None:
        verb = b"LHLO" if self.route.protocol == "LMTP" else b"EHLO"
        answer = await self.command(verb + b" " + self.route.helo.encode("ascii"))
        self.extensions = {}
        if answer.code == 250:
            for line in answer.lines[1:]:
                keyword, _, parameters = line.partition(" ")
                self.extensions[keyword.upper()] = parameters.strip()
        elif verb == b"EHLO" and answer.code >= 500:  # RFC 5321 3.2: a server without extensions
            answer = await self.command(b"HELO " + self.route.helo.encode("ascii"))
        if answer.code != 250:
            raise Unreachable(f"{verb.decode()}: {answer.code}")

    async def _secure(self, context: ssl.SSLContext) -> bool:
        """STARTTLS and a second EHLO.  False: opportunistic and the handshake failed, so begin again in plain text."""
        optional = self.route.tls == "opportunistic"
        if "STARTTLS" not in self.extensions:
            if optional:
                return True
            raise Unreachable("tls: not offered")
        answer = await self.command(b"STARTTLS")
        if answer.code != 220:
            if optional:
                return True
            raise Unreachable(f"tls: {answer.code}")
        if self._buffer or await self.stirred():  # RFC 3207 section 6: nothing said before the handshake may count after it
            raise Unreachable("tls: data before the handshake")
        try:
            await self._writer.start_tls(
                context,
                server_hostname=self.route.checked_name or None,
                ssl_handshake_timeout=self.route.timeouts.connect,
            )
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(f"tls: certificate refused ({error.verify_message})") from None
        except OSError as error:
            if optional:
                return False
            raise Unreachable(f"tls: {type(error).__name__}") from None
        self.secured = True
        await self._hello()
        return True

    # -- talking -----------------------------------------------------------------------------------------------------

    async def command(self, line: bytes) -> Answer:
        """Send one command and take its reply.  Raises Lost."""
        await self.send(line)
        return await self.reply(self.route.timeouts.command, "reply")

    async def send(self, *lines: bytes) -> None:
        """Send commands in one write.  ``lines`` bear no line end; one that does is a defect of the caller."""
        for line in lines:
            if b"\r" in line or b"\n" in line or b"\0" in line:
                raise ValueError("a command line may not contain CR, LF or NUL")
        await self._write(b"".join(line + b"\r\n" for line in lines), self.route.timeouts.command)

    async def write_block(self, block: bytes) -> None:
        """Send message data as it is."""
        await self._write(block, self.route.timeouts.block)

    async def _write(self, data: bytes, seconds: float) -> None:
        transport = self._writer.transport
        try:
            self._writer.write(data)
            if not transport.is_closing() and not transport.get_write_buffer_size():
                return  # the system has taken it all
            async with asyncio.timeout(seconds):
                await self._writer.drain()
        except TimeoutError:
            raise Lost("write: timed out") from None
        except OSError as error:
            raise Lost(f"write: {type(error).__name__}") from None

    async def reply(self, seconds: float, what: str) -> Answer:
        """The next reply, all its lines.  Raises Lost; ``what`` names the phase in its text."""
        try:
            if _ONE_LINE.match(self._buffer):
                return await self._reply(what)  # is here already: replies to pipelined commands come together
            async with asyncio.timeout(seconds):
                return await self._reply(what)
        except TimeoutError:
            raise Lost(f"{what}: timed out") from None
        except OSError as error:
            raise Lost(f"{what}: {type(error).__name__}") from None

    async def _reply(self, what: str) -> Answer:
        code = b""
        lines: list[str] = []
        while len(lines) < MAX_LINES:
            match = _REPLY.fullmatch(await self._line(what))
            if match is None or (code and match[1] != code):
                raise Lost(f"{what}: not an SMTP reply")
            code = match[1]
            lines.append(clean((match[3] or b"").decode("ascii", "replace")))
            if match[2] != b"-":
                return Answer(int(code), tuple(lines))
        raise Lost(f"{what}: too many lines")

    async def _line(self, what: str) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                raise Lost(f"{what}: line too long")
            chunk = await self._reader.read(MAX_LINE)
            if not chunk:
                raise Lost(f"{what}: connection closed")
            self._buffer += chunk
        if end > MAX_LINE:
            raise Lost(f"{what}: line too long")
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line

    async def stirred(self) -> bool:
        """Whether the peer has said something unasked, or gone: such a session must not be used again.

        A reply left over from the last transaction would be taken for the answer to the next one's first command.
        """
        if self._buffer or self._reader.at_eof() or self._writer.is_closing():
            return True
        try:
            async with asyncio.timeout(0):  # returns what is there already, or is cancelled at the loop's next turn
                self._buffer += await self._reader.read(MAX_LINE)
        except TimeoutError:
            return self._reader.at_eof()
        except OSError:
            return True
        return True

    # -- closing -----------------------------------------------------------------------------------------------------

    def abort(self) -> None:
        """Drop the connection at once, without a word: the peer must not take what was half sent."""
        self._writer.transport.abort()

    def leave(self) -> None:
        """QUIT and close without waiting for the answer."""
        if not self._writer.is_closing():
            self._writer.write(b"QUIT\r\n")
        self._writer.close()

    async def close(self) -> None:
        """QUIT, its answer and the end of the connection, without waiting long for either."""
        try:
            await self._write(b"QUIT\r\n", 1.0)
            await self.reply(1.0, "QUIT")
        except Lost:
            pass  # it is going anyway
        self._writer.close()
        with contextlib.suppress(OSError):
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()
