"""The ledger: a crash journal for messages that split, hold or refuse (DESIGN section 2).

One row for every recipient of a message: ``CLAIMED -> SENDING -> DONE | UNKNOWN``, and ``CLOSED`` once the client went on
after our 250.  A claim is a lease on the rows of one message: who finds a live one of somebody else waits (``Busy``, 451).  The
rows of an earlier boot of the same owner are free at once, those of another owner when the lease has run out.

The file holds codes and hashes only: no address, no queue id, no content (P5).  SQLite in WAL mode with synchronous=FULL for
every note that something outside depends on; a bare claim is synced with the first note that follows it.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from gateway.outcomes.rows import (
    UPSERT,
    Note,
    Standing,
    State,
    annotate,
    claimed,
    hashed,
    hashed_rcpt,
    held,
    held_key,
    inherit,
    open_row,
    read,
    settled,
)

P = ParamSpec("P")
T = TypeVar("T")

DURABLE = "FULL"  # PRAGMA synchronous for notes that something outside depends on
KEEP_SECONDS = 6 * 86400  # longer than the upstream keeps trying (Postfix: 5 days)
BUSY_SECONDS = 5.0  # how long to wait for another process's transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
  token TEXT PRIMARY KEY, owner TEXT NOT NULL, boot TEXT NOT NULL, lease REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS recipients (
  key TEXT NOT NULL, digest TEXT NOT NULL, rcpt TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('CLAIMED', 'SENDING', 'DONE', 'UNKNOWN', 'CLOSED')),
  token TEXT NOT NULL, generation INTEGER NOT NULL, born REAL NOT NULL, sends INTEGER NOT NULL,
  note TEXT NOT NULL DEFAULT '', report TEXT NOT NULL DEFAULT '', finished INTEGER NOT NULL DEFAULT 0,
  updated REAL NOT NULL, PRIMARY KEY (key, digest, rcpt)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recipients_token ON recipients (token);
"""


class Busy(Exception):
    """Another connection or process is at work on this message for one of these recipients."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on some recipients of one message.

    ``generation``: how often they were closed before.  ``born``: when this generation was first claimed; with it an id is never
    used again, not even when the rows of an earlier generation have expired.
    """

    token: str
    key: str
    digest: str
    generation: int
    born: float
    standings: Mapping[str, Standing] = field(repr=False)
    after: str = ""  # the hold that is being released


class Ledger:
    """The crash journal in one SQLite file.  Opens lazily and again after a failure; every method may raise sqlite3.Error.

    ``owner`` names this process among all that share the file and must outlive a restart ("gateway-0"); ``boot`` tells its
    lives apart.  All SQL runs on one thread of its own.
    """

    def __init__(
        self, path: Path, owner: str, clock: Callable[[], float], *, boot: str | None = None, keep: float = KEEP_SECONDS
    ) -> None:
        self._path, self._owner, self._clock, self._keep = path, owner, clock, keep
        self._boot = boot or uuid.uuid4().hex
        self._count = 0
        self._db: sqlite3.Connection | None = None
        self._inode = -1
        self._glass: sqlite3.Connection | None = None  # for looking only, on the event loop's thread
        self._glass_inode = -1
        self._thread = ThreadPoolExecutor(1, "ledger")

    async def known(self, key: str) -> bool:
        """Is there any open row for this message?  One read, no write.

        All mail without a picture asks this, and handing it to the thread would cost ten times the look itself.  A look waits for
        nobody (WAL); where it cannot be had at once, the thread does it.
        """
        try:
            return self._look(key)
        except sqlite3.Error:
            self._put_away()
            return await self._run(self._known, key)

    async def claim(
        self, key: str, recipients: Sequence[str], lease_seconds: float, *, digest: str = "", after: str = ""
    ) -> Claim:
        """Take these recipients of a message, whatever earlier tries left.  Raises Busy.

        ``recipients`` are distinct labels.  ``digest`` tells messages apart that share a key (queue ids are used again).
        ``after`` names a hold whose recipients may have been sent to before they were deferred.
        """
        return await self._run(self._claim, key, digest, tuple(recipients), lease_seconds, after)

    async def sending(self, claim: Claim, intents: Mapping[str, Note], *, done: Mapping[str, Note] | None = None) -> None:
        """Note durably what is about to happen ({"do": "send"} or {"do": "hold", "id": …}) and, in one go, what is done."""
        await self._run(self._sending, claim, dict(intents), dict(done or {}))

    async def done(self, claim: Claim, outcomes: Mapping[str, Note], report: str = "") -> None:
        """Note durably the outcome of each recipient and the outcome object that names it."""
        await self._run(self._done, claim, dict(outcomes), report)

    async def finish(self, claim: Claim, failed: Iterable[str] = ()) -> None:
        """Everything of this claim that is DONE is reported and durable; end the claim.  ``failed`` as in ``abandon``."""
        await self._run(self._end, claim, tuple(failed), True)

    async def abandon(self, claim: Claim, failed: Iterable[str] = ()) -> None:
        """End a claim without a final answer.  ``failed`` were not delivered for certain; other sends become UNKNOWN."""
        await self._run(self._end, claim, tuple(failed), False)

    async def close(self, key: str) -> None:
        """The client went on after our 250: what is finished is closed, and the same bytes are a new message from now on."""
        await self._run(self._close, key)

    async def expire(self, now: float) -> int:
        """Forget rows that no client will ask for again; how many."""
        return await self._run(self._expire, now)

    async def aclose(self) -> None:
        """Close the file and end the thread."""
        self._put_away()
        await self._run(self._disconnect)
        self._thread.shutdown(wait=False)

    # -- on the event loop's thread ----------------------------------------------------------------------------------

    def _look(self, key: str) -> bool:
        if self._glass is not None and self._glass_inode != self._on_disk():
            self._put_away()
        if self._glass is None:
            self._glass_inode = self._on_disk()
            self._glass = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None)
        return open_row(self._glass, key)

    def _put_away(self) -> None:
        glass, self._glass = self._glass, None
        if glass is not None:
            glass.close()

    # -- on the ledger's thread --------------------------------------------------------------------------------------

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args, **kwargs))

    def _connected(self) -> sqlite3.Connection:
        """The connection; opened again when the file went away beneath it (writing on would be writing to nowhere)."""
        if self._db is not None and self._inode != self._on_disk():
            self._disconnect()
        if self._db is None:
            self._db = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(SCHEMA)
            self._inode = self._on_disk()
        return self._db

    def _on_disk(self) -> int:
        try:
            return self._path.stat().st_ino
        except OSError:
            return -1

    def _disconnect(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    @contextmanager
    def _transaction(self, durable: bool = True) -> Iterator[sqlite3.Connection]:
        try:
            db = self._connected()
            db.execute(f"PRAGMA synchronous = {DURABLE if durable else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()
            raise

    def _known(self, key: str) -> bool:
        try:
            return open_row(self._connected(), key)
        except sqlite3.Error:
            self._disconnect()
            raise

    def _claim(self, key: str, digest: str, labels: tuple[str, ...], seconds: float, after: str) -> Claim:
        now, self._count = self._clock(), self._count + 1
        token, row_key = f"{self._boot}.{self._count}", hashed(key)
        with self._transaction(durable=False) as db:
            found = {label: read(db, key, digest, label) for label in labels}
            rows = [row for row in found.values() if row is not None]
            if any(self._live(db, row.token, now) for row in rows):
                raise Busy
            generation = max((row.generation for row in rows), default=0)
            born = max((row.born for row in rows if row.state != State.CLOSED), default=now)
            db.execute("INSERT INTO claims VALUES (?, ?, ?, ?)", (token, self._owner, self._boot, now + seconds))
            standings = {label: settled(db, row, after, label) for label, row in found.items()}
            for label, standing in standings.items():
                state = claimed(standing)
                rcpt = hashed_rcpt(key, label)
                db.execute(UPSERT, (row_key, digest, rcpt, state, token, generation, born, standing.sends, now))
                if standing.inherited:
                    inherit(db, row_key, digest, rcpt, standing)
        return Claim(token, key, digest, generation, born, standings, after)

    def _live(self, db: sqlite3.Connection, token: str, now: float) -> bool:
        claim = db.execute("SELECT owner, boot, lease FROM claims WHERE token = ?", (token,)).fetchone()
        if claim is None:
            return False
        owner, boot, lease = claim
        return bool(lease > now and (owner != self._owner or boot == self._boot))

    def _sending(self, claim: Claim, intents: dict[str, Note], done: dict[str, Note]) -> None:
        with self._transaction() as db:
            self._settle(db, claim, done, "")
            for label, intent in intents.items():
                more = 1 if intent["do"] == "send" else 0
                self._update(db, claim, label, "state = 'SENDING', sends = sends + ?, note = ?", more, json.dumps(intent))
                if intent["do"] == "hold":
                    self._remember_sends(db, claim, label, intent["id"])
                if intent.get("action") == "DEFERRED":  # is sent again by itself, and nobody decides anew
                    self._remember_hold(db, claim, label, intent["id"])

    def _remember_hold(self, db: sqlite3.Connection, claim: Claim, label: str, hold: str) -> None:
        """This hold may have been written for this recipient, whatever becomes of them in a later try."""
        known = {*held(db, claim.key, claim.generation, claim.digest, label), hold}
        key, rcpt = held_key(claim.key, claim.generation), hashed_rcpt(claim.key, label)
        db.execute(UPSERT, (key, claim.digest, rcpt, State.UNKNOWN, "", 0, claim.born, 0, self._clock()))
        annotate(db, key, claim.digest, rcpt, json.dumps(sorted(known)))

    def _gone(self, db: sqlite3.Connection, claim: Claim, label: str, outcome: Note) -> None:
        """Delivered: neither a hold that may have been written before, nor its message tried again, delivers a second time."""
        for hold in held(db, claim.key, claim.generation, claim.digest, label):
            self._about_hold(db, claim, label, hold, note=outcome)
        if claim.after:
            self._about_hold(db, claim, label, claim.after, note={"do": "released"})

    def _remember_sends(self, db: sqlite3.Connection, claim: Claim, label: str, hold: str) -> None:
        """A recipient that may have got the message is deferred: the release of that hold has to know."""
        row = read(db, claim.key, claim.digest, label)
        if row is not None and row.sends:
            self._about_hold(db, claim, label, hold, sends=row.sends)

    def _about_hold(
        self, db: sqlite3.Connection, claim: Claim, label: str, hold: str, sends: int = 0, note: Note | None = None
    ) -> None:
        """The row that releases of this hold find; it is finished with the claim that wrote it."""
        key = f"hold:{hold}"
        state, token = (State.DONE, claim.token) if note else (State.UNKNOWN, "")
        db.execute(UPSERT, (hashed(key), "", hashed_rcpt(key, label), state, token, 0, claim.born, sends, self._clock()))
        annotate(db, hashed(key), "", hashed_rcpt(key, label), json.dumps(note) if note else "")

    def _done(self, claim: Claim, outcomes: dict[str, Note], report: str) -> None:
        with self._transaction() as db:
            self._settle(db, claim, outcomes, report)

    def _settle(self, db: sqlite3.Connection, claim: Claim, outcomes: dict[str, Note], report: str) -> None:
        for label, outcome in outcomes.items():
            self._update(db, claim, label, "state = 'DONE', note = ?, report = ?", json.dumps(outcome), report)
            if outcome.get("state") == "delivered":
                self._gone(db, claim, label, outcome)

    def _end(self, claim: Claim, failed: tuple[str, ...], finished: bool) -> None:
        with self._transaction(durable=False) as db:
            for label in failed:
                db.execute(_NOT_SENT, (claim.token, hashed_rcpt(claim.key, label)))
            if finished:
                db.execute("UPDATE recipients SET finished = 1 WHERE token = ? AND state = 'DONE'", (claim.token,))
            for statement in _ENDING:
                db.execute(statement, (claim.token,))

    def _close(self, key: str) -> None:
        now = self._clock()
        with self._transaction(durable=False) as db:
            rows = db.execute("SELECT DISTINCT token FROM recipients WHERE key = ? AND finished", (hashed(key),)).fetchall()
            for (token,) in rows:
                if not self._live(db, token, now):
                    db.execute(
                        "UPDATE recipients SET state = 'CLOSED', generation = generation + 1, sends = 0, note = '', report = '', "
                        "finished = 0, updated = ? WHERE key = ? AND token = ? AND finished",
                        (now, hashed(key), token),
                    )

    def _expire(self, now: float) -> int:
        with self._transaction(durable=False) as db:
            db.execute("DELETE FROM claims WHERE lease <= ?", (now,))
            old = "DELETE FROM recipients WHERE updated <= ? AND token NOT IN (SELECT token FROM claims)"
            return db.execute(old, (now - self._keep,)).rowcount

    def _update(self, db: sqlite3.Connection, claim: Claim, label: str, change: str, *values: Any) -> None:
        """Change one row of this claim.  A row that is no longer ours is an error: somebody else answers for it now."""
        found = db.execute(
            f"UPDATE recipients SET {change}, updated = ? "  # noqa: S608 - ``change`` is a literal of this file
            "WHERE key = ? AND digest = ? AND rcpt = ? AND token = ?",
            (*values, self._clock(), hashed(claim.key), claim.digest, hashed_rcpt(claim.key, label), claim.token),
        )
        if found.rowcount != 1:
            raise sqlite3.IntegrityError("the claim was lost")


# A send that surely failed: as if it had not been.  (Not a hold that was noted since, and not what is DONE.)
_NOT_SENT = """
UPDATE recipients SET state = 'CLAIMED', sends = sends - 1, note = ''
WHERE token = ? AND rcpt = ? AND state = 'SENDING' AND note LIKE '{"do": "send"%'"""
# What becomes of a claim's rows when it ends, in this order.  DONE rows stay; a hold that was intended stays intended.
_ENDING = (
    "UPDATE recipients SET state = 'UNKNOWN', note = '' WHERE token = ? AND sends > 0 AND "
    "(state = 'CLAIMED' OR (state = 'SENDING' AND note LIKE '{\"do\": \"send\"%'))",
    "UPDATE recipients SET state = 'CLOSED', note = '' WHERE token = ? AND state = 'CLAIMED' AND generation > 0",
    "DELETE FROM recipients WHERE token = ? AND state = 'CLAIMED'",
    "DELETE FROM claims WHERE token = ?",
)
