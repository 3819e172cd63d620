"""Step 11, the way out: one message to the recipients of one copy over a named next-hop route.

The answers are the next hop's own, one a recipient (RFC 5321, RFC 2033).  What could not be said for certain is said so:
``Result(code=0)`` = no answer and nothing taken; ``Result(code=0, unknown=True)`` = the final dot may have reached the next
hop but its reply did not reach us (RFC 1047), so it may have taken the message.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gateway.model import Envelope, Recipient, Result
from gateway.outbound.nexthop import NextHopError, Session, Unreachable
from gateway.outbound.routes import Route, Routes, Timeouts
from gateway.outbound.transaction import Died, Job, Transaction

if TYPE_CHECKING:
    from gateway.exitcheck import Cleared, Original

__all__ = ["Delivery", "NextHopError", "Route", "Routes", "Timeouts"]

FAILURES = 3  # connection failures in a row that open a circuit
BACK_OFF = (5.0, 10.0, 20.0, 40.0, 60.0)  # seconds an open circuit rests, longer each time a probe fails

Circuit = Literal["open", "closed"]


@dataclass(slots=True)
class _Hop:
    """What is remembered of one route: idle connections, latest EHLO, circuit."""

    route: Route
    context: ssl.SSLContext | None
    slots: asyncio.Semaphore
    idle: list[Session] = field(default_factory=list)
    extensions: dict[str, str] = field(default_factory=dict)
    failures: int = 0
    rests: int = 0  # how often in a row the circuit opened
    until: float | None = None  # the circuit is open; from then on one probe may pass
    probing: bool = False
    timer: asyncio.TimerHandle | None = None


class Delivery:
    """Sends over ``routes``; keeps connections and reuses them.  For one event loop.

    TLS files are read here: OSError or ssl.SSLError (an OSError) when one is missing or wrong.
    """

    def __init__(self, routes: Routes, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hops = {
            name: _Hop(route, route.context(), asyncio.Semaphore(route.connections)) for name, route in routes.items()
        }

    # -- what the SMTP side asks -------------------------------------------------------------------------------------

    def circuit(self, route: str) -> Circuit:
        """``open``: the next hop did not answer lately, answer 451 at MAIL.  After the back-off one message is let in to try."""
        hop = self._hops[route]
        return "open" if hop.until is not None and (hop.probing or self._clock() < hop.until) else "closed"

    def extensions(self, route: str) -> frozenset[str]:
        """Upper-case EHLO keywords of the latest session; empty before the first (see ``probe``)."""
        return frozenset(self._hops[route].extensions)

    def size(self, route: str) -> int | None:
        """The next hop's announced SIZE in octets; None = no limit told (absent or 0, RFC 1870 section 4)."""
        announced = self._hops[route].extensions.get("SIZE", "")
        return int(announced) or None if announced.isascii() and announced.isdecimal() else None

    async def probe(self, route: str) -> str:
        """Open a session and keep it: learns the extensions.  "ok" or our own words for what went wrong."""
        hop = self._hops[route]
        try:
            session = await self._open(hop)
        except Unreachable as error:
            return str(error)
        self._keep(hop, session)
        return "ok"

    async def aclose(self) -> None:
        """QUIT every idle connection."""
        for hop in self._hops.values():
            if hop.timer is not None:
                hop.timer.cancel()
                hop.timer = None
            while hop.idle:
                await hop.idle.pop().close()

    # -- sending -----------------------------------------------------------------------------------------------------

    async def send(
        self, route: str, sender: str, recipients: Sequence[Recipient], data: Cleared | Original, envelope: Envelope
    ) -> list[Result]:
        """One transaction; one Result for each of ``recipients``, in order.  Never raises for what a next hop does.

        ``sender`` is the envelope sender ("" = null).  Of ``envelope`` only SMTPUTF8, BODY, RET, ENVID and the XFORWARD
        facts are used, each only where the next hop offers the extension.
        """
        hop = self._hops[route]
        if self.circuit(route) == "open":
            return [Result(0, "next hop is resting after connection failures")] * len(recipients)
        probe = hop.until is not None
        hop.probing = hop.probing or probe
        try:
            async with hop.slots:
                return await self._attempts(hop, Job(sender, tuple(recipients), data.data, envelope))
        finally:
            if probe:
                hop.probing = False

    async def _attempts(self, hop: _Hop, job: Job) -> list[Result]:
        """On a kept connection, and once more on a fresh one when it died before message data went out."""
        session = await self._kept(hop)
        try:
            if session is not None:
                try:
                    return await self._on(hop, session, job)
                except Died:
                    pass  # idle connections do die; that says nothing about the next hop
            session = await self._open(hop)
            return await self._on(hop, session, job)
        except Unreachable as error:
            return [Result(0, str(error))] * len(job.recipients)
        except Died as error:
            self._failed(hop)
            return [Result(0, str(error))] * len(job.recipients)

    async def _on(self, hop: _Hop, session: Session, job: Job) -> list[Result]:
        transaction = Transaction(session, job)
        try:
            results = await transaction.run()
        except BaseException:
            session.abort()  # also when cancelled: half a transaction must never be kept, nor ended by a clean close
            raise
        if any(result.code for result in results):
            self._healthy(hop)
        if transaction.usable:
            self._keep(hop, session)
        else:
            session.abort()
        return results

    # -- connections -------------------------------------------------------------------------------------------------

    async def _kept(self, hop: _Hop) -> Session | None:
        while hop.idle:
            session = hop.idle.pop()
            if self._clock() - session.since < hop.route.keep and not await session.stirred():
                return session
            session.abort()
        return None

    def _keep(self, hop: _Hop, session: Session) -> None:
        if session.used >= hop.route.reuse:
            session.leave()
            return
        session.kept, session.since = True, self._clock()
        hop.idle.append(session)
        if hop.timer is None:
            hop.timer = asyncio.get_running_loop().call_later(hop.route.keep, self._sweep, hop)

    def _sweep(self, hop: _Hop) -> None:
        """Leave the sessions nobody needed for a while; come again while any is kept."""
        hop.timer = None
        now = self._clock()
        stale = [session for session in hop.idle if now - session.since >= hop.route.keep]
        hop.idle = [session for session in hop.idle if now - session.since < hop.route.keep]
        for session in stale:
            session.leave()
        if hop.idle:
            hop.timer = asyncio.get_running_loop().call_later(hop.route.keep, self._sweep, hop)

    async def _open(self, hop: _Hop) -> Session:
        try:
            session = await Session.open(hop.route, hop.context)
        except Unreachable:
            self._failed(hop)
            raise
        hop.extensions = session.extensions
        self._healthy(hop)
        return session

    @staticmethod
    def _healthy(hop: _Hop) -> None:
        hop.failures = hop.rests = 0
        hop.until = None

    def _failed(self, hop: _Hop) -> None:
        hop.failures += 1
        if hop.failures >= FAILURES or hop.until is not None:
            hop.until = self._clock() + BACK_OFF[min(hop.rests, len(BACK_OFF) - 1)]
            hop.rests += 1
