"""The quarantine service: one loop a concern, each retried by itself; one bad object or dead neighbour never stops the others."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from quarantine import daily, ops, promises, roles
from quarantine import keys as keyfiles
from quarantine.answers.desk import Answers
from quarantine.answers.inbox import Inbox, erase
from quarantine.answers.secrets import Secrets
from quarantine.audit import Audit
from quarantine.consents import letters, waiting
from quarantine.consents.sealed import write_entries, write_letters
from quarantine.consents.statements import adopt
from quarantine.deadlines import Due, due
from quarantine.emergencies import notes as case_notes
from quarantine.emergencies.watch import look as look_at_emergencies
from quarantine.ingest import Intake
from quarantine.journal import read_journal
from quarantine.keyedhash import KeyedHash
from quarantine.lmtp import deliver
from quarantine.model import HoldRow, State
from quarantine.notes import write_notes
from quarantine.outbox import unsent
from quarantine.records import Records
from quarantine.release import Deliver, Releaser, end_recipients
from quarantine.retention import purge
from quarantine.settings import QuarantineSettings
from quarantine.snapshot import tell_consents, write_snapshot
from quarantine.state import Conflict, Event, move
from quarantine.stores import STORES, Place

log = structlog.get_logger()
RunDue = Callable[[], object]  # ``quarantine.outbox.Outbox.run_due``; blocking, called in a thread
PURGE_EVERY: Final = 3600.0
FORM_EVERY: Final = 30.0
STALE_WRITES: Final = 86400.0
BACKLOG: Final = 50  # rounds of intake before anything else begins


class WebForm(Protocol):
    """``quarantine.form.server.FormServer``."""

    def check(self) -> None: ...
    def stop(self) -> None: ...


class Service:
    """Ingest, deadlines, releases, outbox, snapshot, retention, heartbeat."""

    def __init__(
        self,
        settings: QuarantineSettings,
        run_outbox: RunDue | None = None,
        clock: Callable[[], float] = time.time,
        deliver: Deliver = deliver,
    ) -> None:
        """Opens everything.  Raises OSError, sqlite3.Error, keys.KeyFileError: what is missing is said before work begins."""
        self.settings, self._clock = settings, clock
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _single(settings.state / "lock")
        self.hashes = KeyedHash.load(settings.hash_key)
        self.private_keys = keyfiles.load_private(settings.keys)
        self.public_keys = keyfiles.load_public(settings.keys)
        self.store = STORES[settings.store_kind](settings.store)
        self.store.prepare()
        self.records = Records(settings.records)
        self.audit = Audit(settings.audit, self.hashes, clock)
        self.run_outbox = run_outbox
        release_key = keyfiles.load_secret(settings.release_key)
        self.answers = Answers(self.desk(), Secrets(release_key))
        inbox = Inbox(self.answers, self.records, settings.replies)
        self.intake = Intake(
            self.store, self.records, self.private_keys, self.hashes, self.audit, settings, replies=inbox.take
        )  # fmt: skip
        self.releaser = Releaser(
            self.store, self.records, self.private_keys, self.public_keys, release_key,
            self.hashes, self.audit, settings, clock, deliver,
        )  # fmt: skip
        self.form: WebForm | None = None
        self._stop = asyncio.Event()
        self._wake: dict[str, asyncio.Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._register: tuple[int, int] | None = None  # how the consent register stood then
        self._snapshot: tuple[int, float] = (-1, 0.0)  # what the last snapshot showed, and when it was written
        self._done: dict[str, float] = {}
        self._failing: dict[str, str] = {}

    def desk(self) -> ops.Desk:
        """What the command line's functions need, in this process."""
        return ops.Desk(self.store, self.records, self.audit, self.settings, self.public_keys, self.private_keys, self._clock)

    def stop(self) -> None:
        """End ``run`` after the steps in hand."""
        self._stop.set()
        for wake in self._wake.values():
            wake.set()

    def nudge(self, name: str) -> None:
        """Let a step look now, not at its next round.  May be called from any thread."""
        if self._loop is not None and name in self._wake:
            self._loop.call_soon_threadsafe(self._wake[name].set)

    async def run(self) -> None:
        """Work until ``stop``."""
        self._loop, poll = asyncio.get_running_loop(), self.settings.poll
        steps: list[tuple[str, Callable[[], Awaitable[object]], float]] = [
            ("ingest", self.ingest, poll),
            ("expect", self.expect, PURGE_EVERY),
            ("deadlines", self.deadlines, poll),
            ("release", self.release, poll),
            ("snapshot", self.snapshot, poll),
            ("notes", self.notes, poll),
            ("retention", self.retention, PURGE_EVERY),
            ("alarm", self.alarm, max(poll, 5.0)),
        ]
        if self.run_outbox is not None:
            steps.append(("outbox", self.outbox, poll))
        if self.form is not None:
            steps.append(("form", self.look_at_form, FORM_EVERY))
        log.info("service.started", steps=[name for name, _, _ in steps])
        await self.step("ingest", self._backlog)
        tasks = [asyncio.create_task(self._every(name, step, seconds)) for name, step, seconds in steps]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self.form is not None:
                await asyncio.to_thread(self.form.stop)
            self.close()

    def close(self) -> None:
        """Let go of files and of the lock."""
        self.records.close()
        os.close(self._lock)

    async def step(self, name: str, work: Callable[[], Awaitable[object]]) -> bool:
        """One step as a task of its own: its failure is a value, logged by type only (a text could quote an address).

        Whatever failed is tried again with the next round; the other steps go on.
        """
        task = asyncio.ensure_future(work())
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()  # only if we are being ended ourselves; a finished task does not mind
        error = task.exception()
        if error is None:
            self._failing.pop(name, None)
            self._done[name] = self._clock()
            return True
        if not isinstance(error, Exception):
            raise error
        self._failing[name] = type(error).__name__
        log.error("service.step-failed", step=name, error=type(error).__name__)
        return False

    async def expect(self) -> None:
        """From the first start on the daily job is expected to run."""
        daily.expect(self.records, self._clock())

    async def ingest(self) -> int:
        """Take in what the gateway wrote."""
        return await asyncio.to_thread(self.intake.run, self._clock())

    async def _backlog(self) -> None:
        """What came while we were down, before any deadline is looked at: an answer that came in time counts."""
        for _ in range(BACKLOG):
            if not await self.ingest():
                return

    async def deadlines(self) -> int:
        """Remind, escalate, end."""
        now, count = self._clock(), 0
        for row in self.records.open_holds():
            for what in due(row, now, self.settings.deadlines, self.settings.office):
                with contextlib.suppress(Conflict):  # it was decided this very moment
                    self._due(row, what, now)
                    count += 1
        return count + look_at_emergencies(self.records, now, self.settings.office, self.settings.emergencies.escalate_to)

    async def release(self) -> int:
        """Send what is decided or due."""
        return await self.releaser.run(self._clock())

    async def outbox(self) -> object:
        """Say what was promised and is due."""
        return await asyncio.to_thread(self.run_outbox) if self.run_outbox is not None else 0

    async def look_at_form(self) -> None:
        """Ask the web form whether it is well; a form that does not answer is a failing step, which the alarm outside sees."""
        if self.form is not None:
            await asyncio.to_thread(self.form.check)

    async def notes(self) -> int:
        """Write the moves down beside the objects."""
        count = await asyncio.to_thread(write_notes, self.records, self.store, self.public_keys)
        count += await asyncio.to_thread(case_notes.write_notes, self.records, self.store, self.public_keys)
        return count + await asyncio.to_thread(self._consents)

    def _consents(self) -> int:
        """The register's entries and letters as sealed objects; copies of held mail that a patient's no has ended are erased."""
        count = write_entries(self.records, self.store, self.public_keys)
        count += write_letters(self.records, self.store, self.public_keys)
        return count + waiting.erase(self.records, self.store, self.audit, self._clock())

    async def snapshot(self) -> bool:
        """Read the journal; write the snapshot if it would say something new, or before it looks stale."""
        now, settings = self._clock(), self.settings
        await asyncio.to_thread(read_journal, settings.journal, self.records, settings.office)
        if self._register is None:
            adopt(self.records)
        register = self.records.consent_stamp()  # what a patient said reaches the gateway with the next round
        changes, (seen, written) = self.records.changes(), self._snapshot
        age = now - written
        due = not 0 <= age < settings.snapshot_refresh or (changes != seen and age >= settings.snapshot_every)
        if not due:
            return register != self._register and await self._tell_consents(register)
        settings.snapshot.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(write_snapshot, settings.snapshot, self.records, now)
        self._snapshot, self._register = (changes, now), register
        return True

    async def _tell_consents(self, register: tuple[int, int]) -> bool:
        """What patients have said goes to the gateway at once; the rest of the snapshot when its time has come."""
        try:
            await asyncio.to_thread(tell_consents, self.settings.snapshot, self.records)
        except (OSError, sqlite3.Error) as error:
            log.warning("snapshot.whole", error=type(error).__name__)
            self._snapshot = (-1, 0.0)  # it is not as we left it: all of it is written in the next round
            return False
        self._register = register
        return True

    async def retention(self) -> int:
        """Erase what has been kept long enough; sweep unfinished writes; remind of letters that nobody has answered."""
        now = self._clock()
        letters.remind(self.records, self.audit, self.settings, now)
        for place in Place:
            self.store.sweep(place, now - STALE_WRITES)
        count = await asyncio.to_thread(erase, self.store, self.records, self.settings.replies, now)
        return count + await asyncio.to_thread(purge, self.store, self.records, self.audit, self.settings.retention, now)

    async def alarm(self) -> int:
        """Raise the alarm outside for holds nobody was told of; write the heartbeat."""
        now, count = self._clock(), 0
        for row in self.records.unnoticed(now - self.settings.alarm.after):
            log.error("hold.unnoticed", hold=row.id, ref=row.ref, minutes=int((now - row.created) / 60))
            await self._command("hold-unnoticed", row.ref)
            promises.told(self.records, row, "alert", "on-call", now, f"alarm:{row.id}", why="unnoticed")
            self.records.mark(row.id, "alarmed", now)
            self.audit.alarmed(row)
            count += 1
        self._heartbeat(now)
        return count

    def status(self) -> dict[str, Any]:
        """For health checks and metrics: numbers, names of steps and types of failures."""
        now = self._clock()
        waiting_notices, oldest = unsent(self.records)
        states = self.records.states()
        return {
            "at": now,
            "holds": {state: count for state, (count, _) in states.items()},
            "oldest_open": min((o for s, (_, o) in states.items() if s in _OPEN), default=None),
            "outbox": waiting_notices,
            "outbox_oldest": oldest,
            "damaged": sum(1 for _ in self.store.list(Place.DAMAGED)),
            "incoming": sum(1 for _ in self.store.list(Place.INCOMING)),
            "steps": dict(self._done),
            "failing": dict(self._failing),
            "snapshot_age": now - self._snapshot[1] if self._snapshot[1] else None,
            "ok": not self._failing,
        }

    def _due(self, row: HoldRow, what: Due, now: float) -> None:
        with self.records.transaction():
            if what is Due.EXPIRE:
                moved = move(self.records, row, Event.EXPIRE, "service", roles.SYSTEM, now, reason="deadline")
                end_recipients(self.records, row.id, "expired")
                promises.expired_told(self.records, moved, now)
                self.audit.expired(moved)
            elif what is Due.REMIND:
                if row.state is State.ASKED:
                    promises.told(self.records, row, "N-1r", "sender", now, f"N-1r:{row.id}")
                else:
                    desk = roles.desk(row.releases, row.reasons)
                    promises.told(self.records, row, "alert", desk, now, f"remind:{row.id}", why="waiting")
                self.records.mark(row.id, "reminded", now)
                self.audit.reminded(row)
            else:
                promises.told(self.records, row, "alert", "on-call", now, f"escalate:{row.id}", why="unanswered")
                self.records.mark(row.id, "escalated", now)
                self.audit.escalated(row)

    async def _every(self, name: str, work: Callable[[], Awaitable[object]], seconds: float) -> None:
        wake = self._wake.setdefault(name, asyncio.Event())
        while not self._stop.is_set():
            wake.clear()
            await self.step(name, work)
            if not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wake.wait(), seconds)

    async def _command(self, code: str, ref: str) -> None:
        """The site's own alarm: a program, with code and reference as its last arguments."""
        command = self.settings.alarm.command
        if not command:
            return
        process = await asyncio.create_subprocess_exec(
            *command,
            code,
            ref,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            result = await asyncio.wait_for(process.wait(), self.settings.alarm.timeout)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        if result != 0:
            raise OSError("the alarm command failed")

    def _heartbeat(self, now: float) -> None:
        path = self.settings.heartbeat
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.status() | {"at": now}, sort_keys=True))
        temporary.rename(path)


_OPEN = frozenset({"ASKED", "QUARANTINED", "DEFERRED", "RELEASING"})


def _single(path: Path) -> int:
    """Take the lock that only one service may have.  Raises OSError when another one runs."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
