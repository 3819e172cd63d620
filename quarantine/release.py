"""Releases and deferred mail: re-submission to the gateway over its private socket, exactly once for each decision.

The release id (hold and round) is the same at every try, and the gateway's ledger knows what it delivered under it: a crash
between sending and noting sends again and is answered from there.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import structlog

from quarantine import promises, roles
from quarantine.answers import told
from quarantine.audit import Audit
from quarantine.deadlines import expiry, next_try
from quarantine.emergencies import opening
from quarantine.keyedhash import KeyedHash
from quarantine.keys import PrivateKey, PublicKey
from quarantine.lmtp import Answer, deliver
from quarantine.model import HeldRecipient, HoldRow, ObjectKind, SealedObject, State
from quarantine.records import Change, Records
from quarantine.seal import NoKey, SealError, peek, rewrap, unseal
from quarantine.settings import QuarantineSettings
from quarantine.state import Conflict, Event, move
from quarantine.stores.api import Missing, Place, Store
from quarantine.token import PARAMETER, sign

log = structlog.get_logger()
ACTOR: Final = "service"
TOKEN_LIFE: Final = 900.0  # seconds; longer than one try may take
AT_ONCE: Final = 4  # releases on their way at the same time
_AGAIN = re.compile(r"(?:\d\.\d+\.\d+ )?HELD-AGAIN ?(\S*)")
_REFUSED = re.compile(r"(?:\d\.\d+\.\d+ )?REFUSED\b")
_OURS = re.compile(r"not a valid release", re.IGNORECASE)

Deliver = Callable[[Path, Sequence[HeldRecipient], bytes, Sequence[str], float], Awaitable[list[Answer]]]


def release_id(row: HoldRow) -> str:
    """One decision, one id."""
    return f"{row.id}-{row.round}"


def fate(answer: Answer) -> tuple[str, str]:
    """(delivered | again | later | refused | failed, code or rule) of one answer of the gateway (docs/replies.md, release).

    Only what it says of a recipient after the message ends anything: a token or command it will not take is our own trouble.
    """
    if not answer.final or _OURS.search(answer.text):
        return "later", answer.status
    if 200 <= answer.code < 300:
        again = _AGAIN.match(answer.text)
        return ("again", again[1]) if again else ("delivered", answer.status)
    if 500 <= answer.code < 600:
        return ("refused" if _REFUSED.match(answer.text) else "failed"), answer.status
    return "later", answer.status


class Releaser:
    """Sends what is decided or due.  One in a service; the states guard against a second."""

    def __init__(
        self,
        store: Store,
        records: Records,
        private_keys: Mapping[str, PrivateKey],
        public_keys: Mapping[str, PublicKey],
        release_key: bytes,
        hashes: KeyedHash,
        audit: Audit,
        settings: QuarantineSettings,
        clock: Callable[[], float],
        deliver: Deliver = deliver,
        crash_point: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._store, self._records, self._private, self._public = store, records, private_keys, public_keys
        self._key, self._hashes, self._audit, self._settings = release_key, hashes, audit, settings
        self._clock, self._deliver, self._crash = clock, deliver, crash_point

    async def run(self, now: float) -> int:
        """Claim deferred holds that are due, then send everything that is being released and due; how many tries."""
        for row in self._records.ready(State.DEFERRED, now):
            if now < row.deadline:  # else its end is the deadlines' business
                self._claim(row, now)
        rows = self._records.ready(State.RELEASING, now)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(row: HoldRow) -> None:
            async with gate:
                await self._send(row)

        results = await asyncio.gather(*(one(row) for row in rows), return_exceptions=True)
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, Exception):  # one that cannot be sent does not stop the others
                log.error("release.failed", hold=row.id, error=type(result).__name__)
                self._records.later(row, next_try(row.attempts, now))
            elif isinstance(result, BaseException):
                raise result
        return len(rows)

    def _claim(self, row: HoldRow, now: float) -> None:
        terms = json.dumps({"accepted": [], "statement": None})
        try:
            move(self._records, row, Event.RETRY, ACTOR, roles.SYSTEM, now, reason="deferred.retry", change=Change(release=terms))
        except Conflict:
            log.info("release.conflict", hold=row.id)  # a person decided it this very moment

    async def _send(self, row: HoldRow) -> None:
        """One try."""
        if self._clock() >= row.deadline:
            self._settle(row, Event.EXPIRE, "release.expired")
            return
        waiting = [one for one in self._records.recipients(row.id) if one.state == "held"]
        try:
            obj = await asyncio.to_thread(self._object, row)
        except NoKey:
            self._wait_for_key(row)
            return
        except (SealError, Missing) as error:
            self._lost(row, type(error).__name__.lower())
            return
        terms: dict[str, Any] = json.loads(row.release or "{}")
        self._audit.releasing(row, release_id(row), terms.get("accepted", ()))
        self._crash("release.claimed")
        answers = await self._deliver(
            self._settings.release_socket,
            waiting,
            obj.content,
            self._parameters(row, obj, terms, waiting),
            self._settings.release_timeout,
        )
        self._crash("release.sent")
        self._note(row, waiting, answers)
        self._crash("release.noted")

    def _object(self, row: HoldRow) -> SealedObject:
        return unseal(self._store.open(row.id, ObjectKind.HOLD, Place.HELD), self._private)

    def _parameters(
        self, row: HoldRow, obj: SealedObject, terms: Mapping[str, Any], waiting: Sequence[HeldRecipient]
    ) -> list[str]:
        envelope = obj.meta.get("envelope", {})
        payload = {
            "release": release_id(row),
            "hold": row.id,
            "ref": row.ref,
            "message": row.message,
            "recipients": [one.address for one in waiting],
            "accepted": list(terms.get("accepted", ())),
            "statement": opening.statement_of(terms, self._private),
            "informed": list(terms.get("informed", ())),
            "envelope": envelope,
            "identity": obj.meta.get("identity"),
            "sha256": obj.meta.get("sha256"),
            "uncertain": list(obj.meta.get("uncertain", ())),
            "exp": self._clock() + TOKEN_LIFE,
            **self._decided(row),
        }
        found = [f"{PARAMETER}={sign(payload, self._key)}", f"SIZE={len(obj.content)}"]
        if envelope.get("body"):
            found.append(f"BODY={envelope['body']}")
        if envelope.get("smtputf8"):
            found.append("SMTPUTF8")
        return found

    def _decided(self, row: HoldRow) -> dict[str, Any]:
        """Who let it go and when, for the disclosure ledger; nothing for what we only try again by ourselves."""
        made = [line for line in self._records.transitions(row.id) if line.event == Event.RELEASE]
        return {"by": made[-1].actor, "role": made[-1].role, "decided": made[-1].at} if made else {}

    def _note(self, row: HoldRow, waiting: Sequence[HeldRecipient], answers: Sequence[Answer]) -> None:
        """Write down every answer and the move they make, all or nothing."""
        fates = [fate(answer) for answer in answers]
        kinds = {kind for kind, _ in fates}
        with self._records.transaction():
            for one, (kind, code) in zip(waiting, fates, strict=True):
                if kind == "delivered":
                    self._records.set_recipient(row.id, one.address, "delivered", code)
                elif kind in ("refused", "failed"):  # a code is the next hop's; our own policy's refusal has none
                    self._records.set_recipient(row.id, one.address, "refused", code if kind == "failed" else "")
            everybody = self._records.recipients(row.id)
            self._audit.released(row, release_id(row), [(o.address, k, c) for o, (k, c) in zip(waiting, fates, strict=True)])
            if "later" in kinds:
                self._later(row, next(code for kind, code in fates if kind == "later"))
                if row.attempts == 0 and not _by_itself(row):
                    promises.put_off_told(self._records, row, self._clock(), _urgent(row))
            elif "again" in kinds:
                self._again(row, next(rule for kind, rule in fates if kind == "again"))
            elif any(one.state == "delivered" for one in everybody):
                self._settle(row, Event.SENT, "release.sent")
            else:
                self._settle(row, Event.FAILED, "release.refused" if "refused" in kinds else "release.failed")

    def _later(self, row: HoldRow, code: str) -> None:
        now = self._clock()
        again = next_try(row.attempts, now)
        event = Event.PUT_OFF if _by_itself(row) else Event.LATER
        change = Change(next_try=min(again, max(row.deadline, now + 1)), attempts=row.attempts + 1, release=row.release)
        moved = move(self._records, row, event, ACTOR, roles.SYSTEM, now, reason="delivery.temporary", change=change)
        self._audit.deferred_retry(moved, code, again)
        log.warning("release.later", hold=row.id, ref=row.ref, code=code, attempts=row.attempts + 1)  # code 0: no answer at all

    def _again(self, row: HoldRow, rule: str) -> None:
        """Back to the same hold, no second notice; for a person to decide, hence sealed to the review key again."""
        now = self._clock()
        data = self._store.open(row.id, ObjectKind.HOLD, Place.HELD)
        if peek(data).key != "review" and "review" in self._public:
            again = rewrap(data, self._private, "review", self._public["review"])
            self._store.put(row.id, ObjectKind.HOLD, again, Place.HELD, replace=True)
            self._records.set_key(row.id, "review")
        urgency = "urgent" if _urgent(row) else row.urgency
        change = Change(deadline=expiry(now, "QUARANTINE", urgency, self._settings.deadlines), attempts=0)
        moved = move(
            self._records, row, Event.HELD_AGAIN, ACTOR, roles.SYSTEM, now, reason=f"held-again:{_code(rule)}", change=change
        )
        for mark in ("reminded", "escalated"):  # it waits anew, for other people
            self._records.mark(row.id, mark, None)
        if self._records.answered(row.id):
            told.held_again(self._records, moved, now, _urgent(row))
        elif _by_itself(row):
            told.stopped(self._records, moved, rule, now)
        self._audit.held_again(moved, rule)

    def _settle(self, row: HoldRow, event: Event, reason: str) -> None:
        """The end of a release, and what is said about it."""
        now, records = self._clock(), self._records
        with records.transaction():
            moved = move(records, row, event, ACTOR, roles.SYSTEM, now, reason=reason)
            if event is Event.EXPIRE:
                end_recipients(records, row.id, "expired")
                self._audit.expired(moved)
                promises.expired_told(records, moved, now)
                return
            if event is Event.FAILED:
                self._audit.failed(moved, reason)
            self._emergency(row, now)
            failed = any(one.state == "refused" and one.code for one in records.recipients(row.id))
            if failed:
                promises.told(records, moved, "dsn", "sender", now, f"dsn:{row.id}:{row.round}")
            late = records.outbox_state(f"deferred:{row.id}") == "done"
            if not _by_itself(row) or late or (event is Event.FAILED and not failed):
                promises.decided_told(records, moved, now)

    def _emergency(self, row: HoldRow, now: float) -> None:
        """What was let go on the emergency word is a case for review, as what went at once is."""
        release, people = json.loads(row.release or "{}"), self._records.recipients(row.id)
        case = opening.from_release(self._records, row, release, people, now, self._settings.emergency_terms)
        if case is not None:
            self._audit.emergency("emergency-used", case.id, case.ref, case.sender, way=case.way, due=case.due, hold=row.id)

    def _wait_for_key(self, row: HoldRow) -> None:
        """Decided, but the key that opens it is elsewhere: told once, tried again."""
        now = self._clock()
        promises.told(self._records, row, "damaged", "mail-admin", now, f"no-key:{row.id}:{row.round}", why="no-key")
        self._later(row, "no-key")
        log.error("release.no-key", hold=row.id)

    def _lost(self, row: HoldRow, why: str) -> None:
        """The object is gone or damaged: nothing can be sent, and people must know."""
        now = self._clock()
        log.error("release.object", hold=row.id, error=why)
        with self._records.transaction():
            moved = move(self._records, row, Event.FAILED, ACTOR, roles.SYSTEM, now, reason=f"object.{why}")
            self._audit.failed(moved, f"object.{why}")
            promises.told(self._records, moved, "damaged", "mail-admin", now, f"damaged:{row.id}:mail-admin", why=why)
            promises.told(self._records, moved, "N-7", "sender", now, f"damaged:{row.id}:sender", variant="failed")


def end_recipients(records: Records, hold: str, state: str) -> None:
    """Everybody who was still waiting shares the hold's end."""
    for one in records.recipients(hold):
        if one.state == "held":
            records.set_recipient(hold, one.address, state)


def _by_itself(row: HoldRow) -> bool:
    """Deferred mail that nobody has decided about: it is sent again by the service alone."""
    return row.action == "DEFERRED" and row.round == 0


def _urgent(row: HoldRow) -> bool:
    """By its rule, or because its sender answered EMERGENCY."""
    return row.urgency == "urgent" or "emergency" in json.loads(row.release or "{}")


def _code(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:64]
