"""The server side of SMTP and LMTP: one session.  It stands on ``gateway.inbound.connection``; nothing else subclasses aiosmtpd.

aiosmtpd gives the connection, STARTTLS and the table of ``smtp_*`` methods.  Its command loop, its DATA and its timers are
replaced, because (aiosmtpd 1.4.6) they accept bare LF, cancel the work when the client leaves, count time from the last command,
tell exception texts to the client, share command limits between connections, upper-case ENVID and log addresses.
``tests/gateway/test_aiosmtpd_contract.py`` watches every private name used here.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Any

import structlog
from aiosmtpd import smtp as aiosmtpd

from gateway.inbound import addresses, parameters
from gateway.inbound import replies as say
from gateway.inbound.connection import Connection
from gateway.inbound.data import DataReader
from gateway.inbound.incoming import Incoming, hand_over
from gateway.inbound.intake import Intake, ListenerSettings
from gateway.inbound.limits import Roster, fetch
from gateway.inbound.wire import Gone, TooLong
from gateway.model import Envelope, Reply

# Its DEBUG prints body lines and its INFO addresses, whatever the level of the root logger.
logging.getLogger("mail.log").setLevel(logging.WARNING)
log = structlog.get_logger()

COMMAND_LIMIT = 4096  # octets; RFC 3461 6.2 and RFC 5321 4.5.3.1.4 add up to less than 2000
RELEASE_COMMAND_LIMIT = 2**21  # a release token names its recipients: a thousand with the longest addresses
MOST_MISTAKES = 20  # protocol errors since the last message
UNKNOWN_COSTS = 4  # a message or an HTTP request taken for commands must end soon

COMMANDS = frozenset(
    {"EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP", "STARTTLS", "XFORWARD"}
)
BEFORE_TLS = frozenset({"EHLO", "LHLO", "NOOP", "QUIT", "STARTTLS"})  # RFC 3207 4


class Session(Connection):
    """One connection.  Every answer is a ``Reply``; what the intake raises becomes 451 and a reset transaction."""

    def __init__(self, settings: ListenerSettings, intake: Intake, roster: Roster) -> None:
        super().__init__(settings)
        self._settings = settings
        self._intake = intake
        self._roster = roster
        self._work: asyncio.Task[Any] | None = None  # on a message whose client waits for the answer
        self._answered: tuple[str, int] | None = None  # message key, bytes received when its reply went out
        self._mistakes = 0
        self._in_data = False
        self._working = False
        self._quit = False
        self._incoming = Incoming()

    # -- transaction

    def _set_rset_state(self) -> None:
        """Forget the transaction."""
        self._set_post_data_state()

    def _set_post_data_state(self) -> None:
        self._incoming.end()
        self._incoming = Incoming()

    @property
    def busy(self) -> bool:
        """True while a transaction is under way."""
        return self._in_data or self._working or self._incoming.open

    def dismiss(self) -> None:
        """The listener closes: hang up now, or after the transaction that is under way."""
        if not self.busy and self._wire.idle:
            self._leave(say.CLOSING)

    # -- conversation

    async def _say(self, reply: Reply) -> None:
        if reply.enhanced.startswith("5.5."):
            self._mistakes += UNKNOWN_COSTS if reply is say.UNKNOWN_COMMAND else 1
        await self.push(say.line(reply))

    async def handle_exception(self, error: Exception) -> str:
        """What the client is told of an exception: nothing of it.  The transaction is reset."""
        log.error("smtp.error", listener=self._settings.name, error=type(error).__name__)
        self._set_rset_state()
        self._mistakes += 1
        return say.line(say.LOCAL_ERROR)

    async def _handle_client(self) -> None:
        try:
            if await self._welcome():
                while await self._conversation():
                    pass
            await self._hang_up()
        except OSError:
            pass  # the client went first (ENOTCONN is no ConnectionError), or does not hang up (TimeoutError)
        finally:
            self._end()

    def _end(self) -> None:
        self._roster.leave(self)
        if self._answered is not None:
            self._intake.left(self._answered[0])
        elif self._work is not None:
            self._work.add_done_callback(self._left_behind)
        self._incoming.end()
        self._patience.stop()
        if self.transport is not None:
            self.transport.close()

    def _left_behind(self, work: asyncio.Task[Any]) -> None:
        """The work on a message of ours ended when nobody listened any more."""
        if fetch(work) is None and not work.cancelled() and work.result()[0]:
            self._intake.left(work.result()[0])

    async def _welcome(self) -> bool:
        peer = _peer(self.session.peer)
        refusal = None
        if not self._settings.trusts(peer):
            refusal = say.STRANGER
        elif not self._roster.enter(self):
            refusal = say.CLOSING if self._roster.closing else say.FULL
        if refusal is not None:
            log.warning("smtp.refused", listener=self._settings.name, code=refusal.code)
            await self.push(say.line(refusal))
            return False
        await self.push(f"220 {self.hostname} {'LMTP' if self._settings.lmtp else 'ESMTP'}")
        return True

    async def _conversation(self) -> bool:
        """Obey commands until one fails, in a task of its own: whatever it raises arrives here as a value.  False = over."""
        talk = self.loop.create_task(self._talk())
        talk.add_done_callback(fetch)
        try:
            await asyncio.wait({talk})
        finally:
            talk.cancel()
        error = fetch(talk)
        if not isinstance(error, Exception) or isinstance(error, Gone | ConnectionError | aiosmtpd.TLSSetupException):
            return False
        desynchronised = self._in_data  # what follows would be message lines: never to be read as commands
        await self.push(await self.handle_exception(error))
        return not desynchronised and self._mistakes < MOST_MISTAKES

    async def _talk(self) -> None:
        limit = RELEASE_COMMAND_LIMIT if self._settings.kind == "release" else COMMAND_LIMIT
        while not self._quit:
            if self._roster.closing and not self._incoming.open:
                return await self._say(say.CLOSING)
            if self._mistakes >= MOST_MISTAKES:
                return await self._say(say.MISTAKES)
            try:
                line = await self._wire.line(limit)
            except TooLong:
                await self._say(say.LONG_LINE)
                continue
            self._note_going_on()
            self._reset_timeout()
            if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
                return await self._say(say.BAD_LINE)
            await self._obey(line[:-2])
        return None

    def _note_going_on(self) -> None:
        """Tell the intake once that the client has read our final reply.

        Only a command that came after the reply had gone out shows that: RFC 2920 lets a client send the next one
        together with the message.
        """
        if self._answered is None:
            return
        key, then = self._answered
        if self._wire.used > then:
            self._answered = None
            self._intake.went_on(key)

    async def _obey(self, line: bytes) -> None:
        word, _, rest = line.partition(b" ")
        try:
            command, arg = word.decode("ascii").upper(), rest.strip(b" ").decode()
        except UnicodeDecodeError:
            return await self._say(say.BAD_ENCODING)
        if command not in COMMANDS:
            return await self._say(say.UNKNOWN_COMMAND)
        if self._settings.tls is not None and self._tls_protocol is None and command not in BEFORE_TLS:
            return await self._say(say.TLS_FIRST)
        await self._smtp_methods[command](arg)
        return None

    # -- commands

    async def smtp_HELO(self, arg: str) -> None:
        await self._hello(arg, extended=False, fits=not self._settings.lmtp)

    async def smtp_EHLO(self, arg: str) -> None:
        await self._hello(arg, extended=True, fits=not self._settings.lmtp)

    async def smtp_LHLO(self, arg: str) -> None:
        await self._hello(arg, extended=True, fits=self._settings.lmtp)

    async def _hello(self, name: str, *, extended: bool, fits: bool) -> None:
        if not fits:  # RFC 2033 4.1: LMTP has LHLO only
            return await self._say(say.UNKNOWN_COMMAND)
        if not addresses.is_helo(name):
            return await self._say(say.BAD_HELLO)
        offers = self._offers() if extended else []
        self._set_rset_state()
        self.session.host_name = name
        self._announced = frozenset(offer.partition(" ")[0] for offer in offers)
        lines = [self.hostname, *offers]
        self._wire.put(*(f"250-{text}" for text in lines[:-1]))
        await self.push(f"250 {lines[-1]}")
        return None

    def _offers(self) -> list[str]:
        settings = self._settings
        offers = ["PIPELINING", f"SIZE {settings.max_size}", "ENHANCEDSTATUSCODES"]
        offers += sorted(self._intake.extensions() & {"8BITMIME", "SMTPUTF8", "DSN"})
        if settings.xforward:
            offers.append("XFORWARD " + " ".join(parameters.XFORWARD))
        if settings.kind == "release":
            offers.append("CLINIGATE-RELEASE")
        if settings.tls is not None and self._tls_protocol is None:
            offers.append("STARTTLS")
        return offers

    async def smtp_STARTTLS(self, arg: str) -> None:
        if self._settings.tls is None:
            return await self._say(say.UNKNOWN_COMMAND)
        if arg or self._tls_protocol is not None:
            return await self._say(say.NO_ARGUMENT if arg else say.HAS_TLS)
        self._wire.forget()
        self._set_rset_state()
        await super().smtp_STARTTLS(arg)
        return None

    async def smtp_XFORWARD(self, arg: str) -> None:
        if not self._settings.xforward:
            return await self._say(say.UNKNOWN_COMMAND)
        if not self.session.host_name or self._incoming.open:
            return await self._say(say.NESTED if self._incoming.open else say.NO_HELLO)
        try:
            self._incoming.xforward.update(parameters.xforward(arg))
        except say.Refused as error:
            return await self._say(error.reply)
        return await self._say(say.OK)

    async def smtp_MAIL(self, arg: str) -> None:
        try:
            if not self.session.host_name:
                raise say.Refused(say.NO_HELLO)
            self._incoming.mail(arg, self._announced, self._settings, self._intake)
            await self._say(say.SENDER_OK)
        except say.Refused as error:
            await self._say(error.reply)

    async def smtp_RCPT(self, arg: str) -> None:
        try:
            self._incoming.rcpt(arg, self._announced, self._settings)
            await self._say(say.RECIPIENT_OK)
        except say.Refused as error:
            await self._say(error.reply)

    async def smtp_RSET(self, arg: str) -> None:
        if arg:
            return await self._say(say.NO_ARGUMENT)
        self._set_rset_state()
        return await self._say(say.OK)

    async def smtp_NOOP(self, arg: str) -> None:
        await self._say(say.OK)

    async def smtp_HELP(self, arg: str) -> None:
        await self._say(say.HELP)

    async def smtp_VRFY(self, arg: str) -> None:
        await self._say(say.MAYBE if arg else say.BAD_SYNTAX)

    async def smtp_EXPN(self, arg: str) -> None:
        await self._say(say.NO_EXPAND)

    async def smtp_QUIT(self, arg: str) -> None:
        if arg:
            return await self._say(say.NO_ARGUMENT)
        self._quit = True
        return await self._say(say.BYE)

    # -- the message

    async def smtp_DATA(self, arg: str) -> None:
        incoming = self._incoming
        if arg or not incoming.open or not incoming.recipients:
            return await self._say(say.NO_ARGUMENT if arg else say.NO_RCPT if incoming.open else say.NO_MAIL)
        envelope = incoming.envelope(self._settings, _peer(self.session.peer), self.session.host_name or "")
        if self._settings.kind == "release":
            try:
                envelope = incoming.judged(envelope, self._intake)
            except say.Refused as error:
                self._set_rset_state()
                return await self._say(error.reply)
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        reader = await self._receive(incoming)
        if reader.fault is not None:
            # Where sender and server disagree about lines, nothing that follows on this connection can be trusted.
            self._quit = reader.fault in (say.BARE_NEWLINE, say.NUL)
            self._set_post_data_state()
            return await self._answer("", [reader.fault] * self._answers(envelope), self._answers(envelope))
        work = self._roster.work(hand_over(incoming, envelope, reader.content(), self.hostname, self._intake))
        return await self._wait(work, self._answers(envelope))

    async def _receive(self, incoming: Incoming) -> DataReader:
        """Read to the end of the message, good or not.  Each chunk is progress; the whole has its own limit."""
        settings = self._settings
        reader = DataReader(
            settings.max_size,
            expected=incoming.parameters.size or 0,
            normalise=settings.bare_newlines == "normalise",
            grow=incoming.grow,
        )
        last = self.loop.time() + settings.data_total
        self._in_data = True
        rest = None
        while rest is None:
            self._patience.until(min(self.loop.time() + settings.data_timeout, last))
            rest = reader.feed(await self._wire.chunk())
        self._wire.unread(rest)
        self._in_data = False
        return reader

    def _answers(self, envelope: Envelope) -> int:
        """How many final replies there are: one, or with LMTP one for each recipient (RFC 2033 4.2)."""
        return len(envelope.recipients) if self._settings.lmtp else 1

    async def _wait(self, work: asyncio.Task[Any], wanted: int) -> None:
        """Answer when ``work`` is done.  When the client leaves, this ends and the work does not."""
        self._incoming = Incoming()  # the old one, with its memory, is the work's
        self._working = True
        self._work = work
        self._patience.until(math.inf)
        await self._wire.flush()
        await asyncio.wait({work})
        self._work = None
        self._working = False
        if (error := fetch(work)) is not None:
            log.error("smtp.error", listener=self._settings.name, error=type(error).__name__)
        failed = error is not None or work.cancelled()
        key, replies = ("", [say.LOCAL_ERROR] * wanted) if failed else work.result()
        await self._answer(key, replies, wanted)

    async def _answer(self, key: str, replies: list[Reply], wanted: int) -> None:
        """The final replies; too few, too many or nonsense are 451 for all."""
        if not _fit(replies, wanted):
            log.error("smtp.error", listener=self._settings.name, error="replies")
            replies = [say.LOCAL_ERROR] * wanted
        self._mistakes = 0
        self._reset_timeout()
        self._wire.put(*map(say.line, replies))
        if key and self._wire.listening:
            self._answered = (key, self._wire.fed)
        elif key:
            self._intake.left(key)
        await self._wire.flush()


def _fit(replies: Any, wanted: int) -> bool:
    """True for the right number of final replies."""
    return isinstance(replies, list) and len(replies) == wanted and all(map(_final, replies))


def _final(reply: object) -> bool:
    return isinstance(reply, Reply) and reply.code // 100 in (2, 4, 5)


def _peer(peername: Any) -> str:
    """The client's address as text; "" for a Unix socket."""
    return peername[0] if isinstance(peername, tuple) else ""
