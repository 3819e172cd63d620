"""Step 11: deliver, hold or refuse every recipient of one plan, durably, and say so (DESIGN section 2, docs/replies.md).

The order is the promise (P1, P8):

  1. image-free, same bytes for all: send; the next hop's answer is ours.  Nothing is written.
  2. else claim the message in the ledger; what earlier tries settled stays settled;
  3. holds first: they are noted, then written.  What cannot be made durable shows before any byte has left;
  4. copies: noted as being sent, sent, noted as done together with the next note;
  5. with somebody terminal, what met a temporary failure becomes one DEFERRED hold (SMTP has one answer for all);
  6. outcomes into the ledger, the outcome object into the vault, the event into the journal;
  7. only then 250.

Whatever durable step fails: 451, and the next try goes on from the ledger.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from gateway import crash
from gateway.evidence.recognising import journalled
from gateway.ids import note_id, object_id
from gateway.model import Copy, Envelope, Hold, Plan, Received, Recipient, Reply, Result
from gateway.outcomes.fates import DEFERRED, Fate, Job, intent
from gateway.outcomes.ledger import Busy, Claim, Ledger
from gateway.outcomes.objects import hold_object, outcome_object
from gateway.outcomes.rows import Note
from quarantine.model import SealedObject
from quarantine.seal import SealError
from quarantine.stores.api import StoreError

if TYPE_CHECKING:
    from gateway.exitcheck import Cleared, Original

log = structlog.get_logger()

CRASH_POINTS: Final = (
    "commit.begin",  # the plan is made, nothing has happened
    "commit.claimed",
    "commit.holds-noted",
    "commit.hold-written",
    "commit.sending",
    "commit.sent",
    "commit.deferral-noted",
    "commit.deferral-written",
    "commit.settled",
    "commit.outcome-written",
    "commit.finished",
    "commit.passed",  # an image-free message was sent, the answer not yet given
    "commit.closed",  # the client went on and the ledger knows
)
TROUBLE: Final = (OSError, sqlite3.Error, StoreError, SealError)  # nothing was promised; the client tries again
LEASE_AFTER_DEADLINE: Final = 660.0  # copies in flight may finish after the deadline (RFC 5321 4.5.3.2.6: 10 minutes)
FORGET_AFTER: Final = 86400.0  # no session lasts so long that its client could still go on
TEMPORARY_FAILURE: Final = "next-hop-temporary"  # rule and reason of a DEFERRED hold


class NextHop(Protocol):
    async def send(
        self, route: str, sender: str, recipients: Sequence[Recipient], data: Cleared | Original, envelope: Envelope
    ) -> list[Result]:
        """One Result for each recipient, in order.  Does not raise for what a next hop does."""


class Vault(Protocol):
    def put(self, obj: SealedObject) -> None:
        """Seal and make durable; idempotent by id.  Blocking.  Raises OSError, StoreError or SealError when it cannot."""


class Journal(Protocol):
    async def append(self, event: Mapping[str, Any], *, durable: bool) -> None:
        """Raises OSError when ``durable`` and it cannot be."""


class Withdrawals(Protocol):
    async def still_allowed(self, plan: Plan, received: Received) -> Plan:
        """The plan, or a stricter one where consent was withdrawn since it was made."""


class NoWithdrawals:
    """Every plan stands."""

    async def still_allowed(self, plan: Plan, received: Received) -> Plan:
        return plan


class Committer:
    """Commits plans.  One for each front process; ``offload`` runs blocking work off the event loop."""

    def __init__(
        self,
        next_hop: NextHop,
        vault: Vault,
        journal: Journal,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.time,
        withdrawals: Withdrawals | None = None,
        offload: Callable[..., Awaitable[Any]] = asyncio.to_thread,
        crash_point: Callable[[str], None] = crash.here,
    ) -> None:
        self._next_hop, self._vault, self._journal, self._ledger = next_hop, vault, journal, ledger
        self._clock, self._offload, self._crash = clock, offload, crash_point
        self._withdrawals: Withdrawals = withdrawals or NoWithdrawals()
        self._running: set[asyncio.Task[list[Reply]]] = set()
        self._open: dict[str, float] = {}  # key -> when we answered: its rows are closed when the client goes on

    async def commit(self, plan: Plan, received: Received, listener_kind: str, deadline: float) -> list[Reply]:
        """One Reply over SMTP, one a recipient over LMTP.  ``listener_kind``: relay | submission | release.

        ``deadline`` (POSIX time): copies not yet started then are not sent.  The work goes on when the caller is cancelled.
        Raises ValueError or LookupError for a plan or listener that makes no sense; whatever is raised is 451 4.3.0.
        """
        gone = asyncio.Event()
        task = asyncio.ensure_future(self._commit(plan, received, listener_kind, deadline, gone))
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            gone.set()
            raise

    async def went_on(self, key: str) -> None:
        """The client sent its next command after our 250: the message with this key is closed."""
        if self._open.pop(key, None) is not None:
            try:
                await self._ledger.close(key)
            except sqlite3.Error as error:  # the row expires; until then the same bytes again are taken for a retry
                log.warning("ledger.not-closed", error=type(error).__name__)
            self._crash("commit.closed")

    async def expire(self, now: float) -> int:
        """Forget what no client will ask for again; how many rows of the ledger.  Raises sqlite3.Error."""
        self._open = {key: at for key, at in self._open.items() if at > now - FORGET_AFTER}
        return await self._ledger.expire(now)

    async def drain(self) -> None:
        """Wait for the work of clients that have gone away (shutdown)."""
        while self._running:
            await asyncio.wait(self._running)

    def _ended(self, task: asyncio.Task[list[Reply]]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:  # the caller answers 451; it may be gone
            log.error("commit.failed", error=type(task.exception()).__name__)

    async def _commit(self, plan: Plan, received: Received, listener: str, deadline: float, gone: asyncio.Event) -> list[Reply]:
        self._crash("commit.begin")
        job = Job.of(await self._withdrawals.still_allowed(plan, received), received, listener, deadline)
        if job.simple and self._clock() < deadline and not await self._known(job):
            return await self._pass_on(job, gone)
        return await self._journaled(job)

    # -- 1. image-free mail ------------------------------------------------------------------------------------------

    async def _known(self, job: Job) -> bool:
        """Did an earlier try leave something?  Image-free mail flows without a ledger; at worst as a duplicate."""
        try:
            return await self._ledger.known(job.key)
        except sqlite3.Error as error:
            log.warning("ledger.unreadable", error=type(error).__name__)
            return False

    async def _pass_on(self, job: Job, gone: asyncio.Event) -> list[Reply]:
        copy = job.plan.copies[0]
        await self._send(job, copy, list(job.fates))
        outcomes = {fate.outcome for fate in job.fates}
        if "delivered" in outcomes and len(outcomes) > 1 and not job.lmtp:
            return await self._journaled(job)  # one answer for recipients who differ: somebody has to be deferred or failed
        if "unknown" in outcomes or gone.is_set():
            await self._note(job)
        if any(fate.state and fate.notice and job.why(fate.index).get("advised") for fate in job.fates):
            await self._advise(job)
        for fate in job.fates:
            fate.outcome = "passed" if fate.outcome == "delivered" else fate.outcome
        self._crash("commit.passed")
        await self._journal.append(_event(job, "", self._clock()), durable=False)
        return job.replies()

    async def _advise(self, job: Job) -> None:
        """Image-free mail about which its sender shall be told something: an outcome object, if it can be written.

        The mail has gone and does not wait for it (P3): what cannot be written is a line in the log.
        """
        try:
            await self._fingerprint(job)
            told = [fate for fate in job.fates if fate.state]
            await self._put(outcome_object(job, note_id(job.key, job.digest), told))
        except TROUBLE as error:
            log.warning("advice.not-written", error=type(error).__name__)

    async def _note(self, job: Job) -> None:
        """An answer was lost, the next hop's or ours (the client is gone): the next try has to know what this one did.

        Image-free mail does not depend on it: without a ledger the next try may be one duplicate more.
        """
        noted = [fate for fate in job.fates if fate.outcome in ("unknown", "delivered")]
        try:
            await self._fingerprint(job)
            labels = [fate.label for fate in noted]
            claim = await self._ledger.claim(job.key, labels, self._lease(job), digest=job.digest)
            unknown: dict[str, Note] = {fate.label: {"do": "send"} for fate in noted if fate.outcome == "unknown"}
            await self._ledger.sending(claim, unknown, done=_notes([fate for fate in noted if fate.state]))
            await self._ledger.finish(claim)
        except (sqlite3.Error, Busy) as error:
            log.warning("ledger.not-noted", error=type(error).__name__)

    # -- 2. everything else ------------------------------------------------------------------------------------------

    async def _journaled(self, job: Job) -> list[Reply]:
        await self._fingerprint(job)
        labels = [fate.label for fate in job.fates]
        digest = "" if job.released else job.digest
        try:
            claim = await self._ledger.claim(job.key, labels, self._lease(job), digest=digest, after=job.hold)
        except Busy:
            return job.busy()
        except sqlite3.Error as error:
            self._trouble(job, error)
            return job.replies()
        self._crash("commit.claimed")
        try:
            await self._work(job, claim)
        except TROUBLE as error:
            self._trouble(job, error)
        finally:
            if not job.ended:
                await self._abandon(job, claim)
        return job.replies()

    async def _work(self, job: Job, claim: Claim) -> None:
        await self._write_holds(job, claim)
        unnoted = [fate for fate in job.fates if fate.state == "delivered" and not fate.report and not fate.finished]
        for copy in job.plan.copies:
            fates = job.open(copy)
            if fates and self._clock() >= job.deadline:
                for fate in fates:
                    fate.outcome = "late"
            elif fates:
                await self._ledger.sending(claim, {fate.label: {"do": "send"} for fate in fates}, done=_notes(unnoted))
                self._crash("commit.sending")
                await self._send(job, copy, fates)
                unnoted = [fate for fate in fates if fate.state]
        for refusal in job.plan.refusals:
            for fate in job.open(refusal):
                fate.decided(refusal)
        await self._defer(job, claim, unnoted)
        job.fail()
        await self._settle(job, claim)

    async def _send(self, job: Job, copy: Copy, fates: Sequence[Fate]) -> None:
        envelope = job.received.envelope
        recipients = [fate.recipient for fate in fates]
        results = await self._next_hop.send(copy.route, copy.sender or envelope.sender, recipients, copy.data, envelope)
        self._crash("commit.sent")
        if len(results) != len(fates):  # nonsense: they may have it, they may not
            results = [Result(0, unknown=True)] * len(fates)
        for fate, result in zip(fates, results, strict=True):
            fate.heard(result, copy.method, job.why(fate.index))

    # -- 3. and 5. holds ---------------------------------------------------------------------------------------------

    async def _write_holds(self, job: Job, claim: Claim) -> None:
        holds = job.holds(claim)
        if job.released:  # goes back to the hold it came from
            for _, hold in holds:
                _decide(job, hold, "")
            return
        if holds:
            await self._ledger.sending(claim, _intents(job, holds))
            self._crash("commit.holds-noted")
        for key, hold in holds:
            try:
                await self._put(hold_object(job, key, hold))
            except TROUBLE as error:
                if not job.lmtp:
                    raise
                self._trouble(job, error, [job.fates[index] for index in hold.recipients])
                continue
            _decide(job, hold, key)
            self._crash("commit.hold-written")

    async def _defer(self, job: Job, claim: Claim, unnoted: Sequence[Fate]) -> None:
        waiting = job.deferred()
        if not waiting:
            return
        indexes = tuple(fate.index for fate in waiting)
        reasons = tuple(sorted({TEMPORARY_FAILURE if fate.outcome != "late" else "deadline" for fate in waiting}))
        urgency = "urgent" if any(job.why(index).get("urgency") == "urgent" for index in indexes) else "routine"
        hold = Hold(indexes, DEFERRED, TEMPORARY_FAILURE, reasons, "online", "mail-admin", "N-7", urgency=urgency)
        key = object_id(claim, job.labels(indexes), DEFERRED)
        await self._ledger.sending(claim, _intents(job, [(key, hold)]), done=_notes(unnoted))
        self._crash("commit.deferral-noted")
        await self._put(hold_object(job, key, hold))
        _decide(job, hold, key)
        self._crash("commit.deferral-written")

    # -- 6. and 7. ---------------------------------------------------------------------------------------------------

    async def _settle(self, job: Job, claim: Claim) -> None:
        """Outcomes, outcome object, event; then the claim is finished."""
        lasting = [fate for fate in job.lasting() if not fate.finished]
        reports, fresh = job.reports(lasting)
        if fresh:
            identity = object_id(claim, [fate.label for fate in fresh], "OUTCOME")
            await self._ledger.done(claim, _notes(fresh), f"{identity}/{len(fresh)}")
            reports[identity] = fresh
            self._crash("commit.settled")
        event = _event(job, " ".join(reports), self._clock())
        if job.telling():
            for identity, fates in reports.items():
                await self._put(outcome_object(job, identity, fates))
            self._crash("commit.outcome-written")
        await self._journal.append(event, durable=not job.plan.plain and bool(reports))
        if lasting:
            await self._ledger.finish(claim, self._untaken(job))
            job.ended = True
        if not job.released and any(fate.state for fate in job.fates):
            self._open[job.key] = self._clock()
        self._crash("commit.finished")

    async def _abandon(self, job: Job, claim: Claim) -> None:
        try:
            await self._ledger.abandon(claim, self._untaken(job))
        except sqlite3.Error as error:  # the lease ends by itself
            log.warning("ledger.not-abandoned", error=type(error).__name__)

    def _untaken(self, job: Job) -> list[str]:
        return [fate.label for fate in job.fates if fate.untaken and not fate.state]

    def _trouble(self, job: Job, error: Exception, only: Sequence[Fate] | None = None) -> None:
        log.error("commit.not-durable", error=type(error).__name__)
        job.unwritten(only)

    async def _put(self, obj: SealedObject) -> None:
        await self._offload(self._vault.put, obj)

    async def _fingerprint(self, job: Job) -> None:
        if not job.digest:
            job.digest = job.received.sha256 or await self._offload(_sha256, job.received.raw)

    def _lease(self, job: Job) -> float:
        return max(job.deadline - self._clock(), 0.0) + LEASE_AFTER_DEADLINE


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _decide(job: Job, hold: Hold, key: str) -> None:
    for index in hold.recipients:
        job.fates[index].decided(hold, key)


def _notes(fates: Sequence[Fate]) -> dict[str, Note]:
    return {fate.label: fate.note() for fate in fates}


def _intents(job: Job, holds: Sequence[tuple[str, Hold]]) -> dict[str, Note]:
    return {label: intent(key, hold) for key, hold in holds for label in job.labels(hold.recipients)}


def _event(job: Job, reports: str, now: float) -> dict[str, Any]:
    """What the journal keeps: codes, domains, the pipeline's record."""
    words = ("outcome", "state", "rule", "method", "hold", "code")
    return {
        "event": "message",
        "at": now,
        "message": job.key,
        "listener": job.received.envelope.listener,
        "outcomes": reports,
        "seconds": round(now - job.received.at, 3),
        "recipients": [{"domain": fate.recipient.domain, **{word: getattr(fate, word) for word in words}} for fate in job.fates],
        "record": journalled(job.plan.record),
    }
