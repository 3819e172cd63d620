"""One mail transaction with a next hop: MAIL, RCPT, DATA and what every answer means for every recipient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from gateway.model import Envelope, Recipient, Result
from gateway.outbound import esmtp
from gateway.outbound.nexthop import Answer, Lost, Session, blocks

GROUP = 100  # commands in one pipelined write: more could fill both TCP windows while nobody reads (RFC 2920 section 3.1)
CLOSING = 421  # "service not available, closing transmission channel": may answer any command (RFC 5321 3.8)

Step = int | Literal["aside", "mail", "data"]  # a number is RCPT for the recipient of that index


@dataclass(frozen=True, slots=True)
class Job:
    """One message on its way to the recipients of one copy."""

    sender: str = field(repr=False)
    recipients: tuple[Recipient, ...] = field(repr=False)
    data: bytes = field(repr=False)
    envelope: Envelope


class Died(Exception):
    """The session broke before message data went out: the try can be repeated on a fresh connection."""


class _Closing(Exception):
    """The next hop answered 421 before it had the message."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("421")
        self.answer = answer


class Transaction:
    """Runs once.  Afterwards ``usable`` says whether the session stands where a new transaction can begin."""

    def __init__(self, session: Session, job: Job) -> None:
        self.usable = False
        self._session = session
        self._job = job
        self._lmtp = session.route.protocol == "LMTP"
        self._results: list[Result | None] = [None] * len(job.recipients)
        self._taken: list[int] = []  # recipients the next hop said yes to
        self._refused: Answer | None = None  # the answer to MAIL, when it was no
        self._start: Answer | None = None  # the answer to DATA
        self._dotted = False  # the block with the final dot was handed to the connection

    async def run(self) -> list[Result]:
        """One Result a recipient, in order.  Raises Died while nothing of the message is sent."""
        job, extensions = self._job, self._session.extensions
        self._results = esmtp.unsendable(job.sender, job.recipients, job.data, job.envelope, extensions)
        asked = self._open_questions()
        if asked:
            self._session.used += 1
            try:
                await self._ask(asked)
            except Lost as error:
                raise Died(str(error)) from None
            except _Closing as closing:
                if self._session.kept:
                    raise Died("421 on a kept connection") from None
                self._answer(asked, closing.answer)
                return self._finished()
        await self._conclude()
        return self._finished()

    # -- envelope ----------------------------------------------------------------------------------------------------

    async def _ask(self, asked: list[int]) -> None:
        """MAIL, RCPT and DATA, pipelined where offered (LMTP always does, RFC 2033 section 5)."""
        steps = self._steps(asked)
        group = GROUP if self._lmtp or "PIPELINING" in self._session.extensions else 1
        for at in range(0, len(steps), group):
            batch = steps[at : at + group]
            if self._refused or (batch[0][0] == "data" and not self._taken):
                return
            await self._session.send(*(line for _, line in batch))
            for step, _ in batch:
                self._heard(step, await self._session.reply(self._session.route.timeouts.command, "envelope"))

    def _steps(self, asked: list[int]) -> list[tuple[Step, bytes]]:
        job, extensions = self._job, self._session.extensions
        steps: list[tuple[Step, bytes]] = []
        if self._session.route.xforward:
            steps += [("aside", line) for line in esmtp.xforward(job.envelope, extensions)]
        wanted = [job.recipients[index] for index in asked]
        steps.append(("mail", esmtp.mail(job.sender, job.data, job.envelope, extensions, wanted)))
        steps += [(index, esmtp.rcpt(job.recipients[index], extensions)) for index in asked]
        steps.append(("data", b"DATA"))
        return steps

    def _heard(self, step: Step, answer: Answer) -> None:
        """Take the reply to one command.  A reply of the wrong kind means that we and the peer count differently."""
        if answer.code == CLOSING:
            raise _Closing(answer)
        if step == "data":
            if answer.code < 354:
                raise Lost(f"DATA: {answer.code}")
            self._start = answer
        elif 300 <= answer.code < 400:
            raise Lost(f"envelope: {answer.code}")
        elif step == "mail":
            self._refused = answer if answer.code >= 400 else None
        elif step != "aside" and not self._refused:  # a refused XFORWARD is no reason not to deliver
            if answer.code < 300:
                self._taken.append(step)
            else:
                self._answer([step], answer)

    # -- message -----------------------------------------------------------------------------------------------------

    async def _conclude(self) -> None:
        """Send the message, or leave the transaction in order."""
        begin = self._start is not None and self._start.code == 354
        if self._refused:
            self._answer(self._open_questions(), self._refused)
        elif self._taken and begin:
            await self._message()
            return
        elif self._start is not None:
            self._answer(self._taken, self._start)
        await self._reset(begin)

    async def _message(self) -> None:
        try:
            for block in blocks(self._job.data):
                self._dotted = self._dotted or block.endswith(b"\r\n.\r\n")
                await self._session.write_block(block)
        except Lost as error:
            await self._parting_word(error)
            return
        await self._final()

    async def _final(self) -> None:
        """SMTP: one reply for all.  LMTP: one for each recipient taken, in their order (RFC 2033 section 4.2)."""
        waiting = list(self._taken)
        code = 0
        try:
            while waiting:
                answer = await self._session.reply(self._session.route.timeouts.final, "final reply")
                if 300 <= answer.code < 400:
                    raise Lost(f"final reply: {answer.code}")
                some, waiting = (waiting[:1], waiting[1:]) if self._lmtp else (waiting, [])
                self._answer(some, answer)
                code = answer.code
        except Lost as error:
            self._settle(waiting, Result(0, str(error), unknown=True))
            return
        self.usable = code != CLOSING

    async def _parting_word(self, error: Lost) -> None:
        """The connection broke while the message was going out; a peer that refuses a message half-way may have said why."""
        answer = None
        try:
            answer = await self._session.reply(1.0, "early reply")
        except Lost:
            pass  # most say nothing
        if answer is not None and answer.code >= 400:
            self._answer(self._taken, answer)
        else:
            self._settle(self._taken, Result(0, str(error), unknown=self._dotted))

    async def _reset(self, begin: bool) -> None:
        """Leave a transaction that carried no message, so that the session can serve the next one."""
        if begin and self._lmtp:
            return  # 354 with nobody to deliver to: LMTP would owe no reply to the dot (RFC 2033 4.2)
        try:
            if begin:  # pipelined DATA answered 354 though nobody was taken: an empty message ends it (RFC 2920 section 3.1)
                await self._session.command(b".")
            self.usable = not self._session.used or (await self._session.command(b"RSET")).code == 250
        except Lost:
            pass  # the answers are in already; the session is not kept

    # -- results -----------------------------------------------------------------------------------------------------

    def _open_questions(self) -> list[int]:
        return [index for index, result in enumerate(self._results) if result is None]

    def _answer(self, indices: Iterable[int], answer: Answer) -> None:
        self._settle(indices, Result(answer.code, answer.text))

    def _settle(self, indices: Iterable[int], result: Result) -> None:
        for index in indices:
            self._results[index] = self._results[index] or result

    def _finished(self) -> list[Result]:
        """Every recipient has a Result: what nothing was said about is no answer."""
        return [result or Result(0, "no answer") for result in self._results]
