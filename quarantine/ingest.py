"""Intake: sealed objects from ``incoming`` become rows, then move to ``held``.  Idempotent: any of it may be done again.

Works without the review private key: a hold sealed to it gives its header only, and the message's OUTCOME object (sealed to
``online``) completes the row.  What cannot be read is set aside and told of, never deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from quarantine import notes, promises, reading
from quarantine.audit import Audit
from quarantine.consents import sealed as consents
from quarantine.emergencies import notes as case_notes
from quarantine.emergencies import opening
from quarantine.keyedhash import KeyedHash
from quarantine.keys import PrivateKey
from quarantine.ledger.lines import note_outcome
from quarantine.ledger.noting import note_fingerprints
from quarantine.model import HeldRecipient, HoldRow, ObjectKind, SealedObject
from quarantine.reading import Unreadable
from quarantine.records import Records
from quarantine.resent import close_resent
from quarantine.seal import Damaged, NoKey, peek, unseal
from quarantine.settings import QuarantineSettings
from quarantine.stores.api import Entry, Missing, Place, Store, StoreError

log = structlog.get_logger()
HEAD = 8192  # bytes that surely contain header and wrapped key


class Intake:
    """Takes objects in, one by one; one that cannot be taken in never stops the others."""

    def __init__(
        self,
        store: Store,
        records: Records,
        private_keys: Mapping[str, PrivateKey],
        hashes: KeyedHash,
        audit: Audit,
        settings: QuarantineSettings,
        crash_point: Callable[[str], None] = lambda name: None,
        replies: Callable[[SealedObject, float], str] | None = None,  # quarantine.answers.inbox.Inbox.take
    ) -> None:
        self._store, self._records, self._keys, self._replies = store, records, private_keys, replies
        self._hashes, self._audit, self._settings, self._crash = hashes, audit, settings, crash_point

    def run(self, now: float, limit: int = 200) -> int:
        """Take in what is there; how many objects.  Raises sqlite3.Error, StoreError (listing) and OSError (audit)."""
        count = 0
        for entry in self._store.list(Place.INCOMING):
            if count >= limit:
                break
            try:
                count += self._one(entry, now)
            except Missing:
                continue  # taken meanwhile
            except StoreError as error:
                log.error("intake.store", object=entry.id, error=type(error).__name__)  # stays where it is: tried again
            except (Damaged, Unreadable) as error:
                self._set_aside(entry, now, type(error).__name__.lower())
        return count

    def rebuild(self, now: float) -> tuple[int, int]:
        """Empty the index and read every object again; (holds, outcomes).  Nobody is told anything a second time.

        The outbox and what the journal said are kept; moves come back from their notes.  Raises as ``run`` does.
        """
        moves: list[Mapping[str, Any]] = []
        cases: list[Mapping[str, Any]] = []
        outcomes = 0
        with self._records.transaction():
            self._records.empty()
            for entry in list(self._store.list(Place.HELD)):
                try:
                    found = self._open(entry, Place.HELD)
                    if found is not None and notes.is_note(found.meta):
                        moves.append(found.meta)
                    elif found is not None and case_notes.is_note(found.meta):
                        cases.append(found.meta)
                    elif found is not None and consents.is_ours(found.meta):
                        consents.restore(self._records, found.meta)
                    elif entry.kind is ObjectKind.REPLY:
                        self._records.add_reply(entry.id, entry.at, "", "rebuilt")  # what came of it stands in the moves
                    elif found is not None and found.kind is ObjectKind.OUTCOME:
                        outcomes += 1
                        self._outcome(found, now, tell=False)
                    else:
                        self._hold(entry, found, now, tell=False)
                except (Damaged, Unreadable, NoKey, consents.NoEntry) as error:
                    # Left where it is: an index is being rebuilt, and somebody may yet find the key or a copy.
                    log.error("rebuild.unreadable", object=entry.id, error=type(error).__name__)
            notes.replay(self._records, moves)
            case_notes.replay(self._records, cases)
        holds = len(self._records.holds())
        self._audit.rebuilt(holds, outcomes)
        return holds, outcomes

    @property
    def _span(self) -> float:
        return self._settings.retention.disclosure

    def _one(self, entry: Entry, now: float) -> int:
        if entry.kind is None:
            raise Unreadable("name")
        if self._known(entry):
            return 0
        try:
            found = self._open(entry, Place.INCOMING)
        except NoKey:
            self._no_key(entry, now)
            return 0
        with self._records.transaction():
            if entry.kind is ObjectKind.OUTCOME and found is not None:
                self._outcome(found, now)
            elif entry.kind is ObjectKind.REPLY and found is not None:
                self._reply(found, now)
            else:
                self._hold(entry, found, now)
        self._crash("intake.noted")
        self._store.move(entry.id, entry.kind, Place.INCOMING, Place.HELD)
        self._crash("intake.moved")
        return 1

    def _reply(self, found: SealedObject, now: float) -> None:
        if self._replies is None:
            raise Unreadable("reply")
        self._replies(found, now)

    def _known(self, entry: Entry) -> bool:
        """The gateway wrote again what was taken before: the first stays (it may have been handed to another key since)."""
        assert entry.kind is not None  # asked for by _one
        row = self._records.hold(entry.id)
        if not (self._store.sync(entry.id, entry.kind, Place.HELD) or (row is not None and row.purged is not None)
                or (entry.kind is ObjectKind.REPLY and self._records.reply_purged_at(entry.id) is not None)):
            return False
        self._store.delete(entry.id, entry.kind, Place.INCOMING, erase=HEAD)
        return True

    def _open(self, entry: Entry, place: Place) -> SealedObject | None:
        """The object; None for a hold whose private key is kept elsewhere.  Raises Damaged, NoKey, Unreadable."""
        if entry.kind is None:
            raise Unreadable("name")
        data = self._store.open(entry.id, entry.kind, place)
        header = peek(data)
        if header.id != entry.id or header.kind is not entry.kind:
            raise Damaged("the object is not what its name says")
        try:
            return unseal(data, self._keys)
        except NoKey:
            if entry.kind is ObjectKind.HOLD and header.key != "online":
                return None
            raise

    def _hold(self, entry: Entry, found: SealedObject | None, now: float, tell: bool = True) -> None:
        table = self._settings.deadlines
        if found is None:
            place = Place.INCOMING if tell else Place.HELD
            header = peek(self._store.head(entry.id, ObjectKind.HOLD, HEAD, place))
            self._add(reading.from_header(header, entry.at, table), [], now, tell)
            return
        try:
            row, recipients = reading.from_hold(found, table)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Unreadable("hold") from None
        self._add(row, recipients, now, tell)

    def _outcome(self, found: SealedObject, now: float, tell: bool = True) -> None:
        """One outcome: its row, the holds it names, what it disclosed, what it promises to say."""
        records, settings = self._records, self._settings
        try:
            meta = reading.kept(found.meta) | {k: found.meta[k] for k in ("patient", "consent") if k in found.meta}
            keys = {row.id: row.key for row in map(records.hold, reading.named_holds(meta)) if row is not None}
            holds = list(reading.holds_in_outcome(meta, keys, settings.deadlines))
            merge = str(meta["message"]) if "release" in meta else reading.merge_key(meta, self._hashes)
            fates = [(str(r["address"]), str(r["state"]), str(r.get("rule") or "")) for r in meta["recipients"]]
            records.add_outcome(found.id, str(meta["message"]), merge, float(meta["created"]), meta)
            for row, recipients in holds:
                self._add(row, recipients, now, tell)
                records.add_hold_images(row.id, [image for image, _ in reading.images(meta)])
            if not tell:
                records.retake(found.id)
            note_outcome(records, self._hashes, found.id, meta, self._span)
            note_fingerprints(records, self._hashes, found.meta, float(meta["created"]))
            self._emergency(meta, merge, now, tell)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Unreadable("outcome") from None
        if tell and "release" not in meta:  # what becomes of a hold is told where its release is noted
            promises.outcome_told(records, found.id, merge, meta, now, settings.merge_window, settings.note_every)
            close_resent(records, self._hashes, self._audit, str(meta["envelope"].get("sender") or ""), now)
            self._audit.outcome(found.id, str(meta["message"]), fates)

    def _emergency(self, meta: Mapping[str, Any], merge: str, now: float, tell: bool) -> None:
        """What went on the emergency word is a case; of a release the releaser says so."""
        if "release" in meta:
            return
        case = opening.from_outcome(self._records, meta, merge, now, self._settings.emergency_terms, tell)
        if case is not None and tell:
            self._audit.emergency("emergency-used", case.id, case.ref, case.sender, way=case.way, due=case.due)

    def _add(self, row: HoldRow, recipients: list[HeldRecipient], now: float, tell: bool) -> None:
        before = self._records.hold(row.id)
        if not self._records.add_hold(row, recipients) or not tell:
            return
        after = self._records.hold(row.id)
        assert after is not None  # just written
        if after.complete:
            promises.hold_told(self._records, after, now)
            if before is None or not before.complete:
                self._audit.held(after)

    def _no_key(self, entry: Entry, now: float) -> None:
        """Sealed to an ``online`` key that is not here: left for when the key is, and told of at once."""
        log.error("intake.no-key", object=entry.id)
        self._records.outbox_add(
            "damaged",
            to="",
            role="mail-admin",
            due=now,
            hold=entry.id,
            dedup=f"no-key:{entry.id}",
            now=now,
            detail={"why": "no-key"},
        )

    def _set_aside(self, entry: Entry, now: float, why: str) -> None:
        """Damaged: kept apart, audited, told to the mail admins and the person on call; to the sender if the index knows them."""
        self._store.set_aside(entry, Place.INCOMING)
        self._audit.set_aside(entry.name, entry.kind, why)
        log.error("intake.set-aside", object=entry.id[:32], why=why)
        detail = {"object": entry.id[:32], "why": why}
        for role in ("mail-admin", "on-call"):
            self._records.outbox_add(
                "damaged",
                to="",
                role=role,
                due=now,
                hold=entry.id[:32],
                dedup=f"damaged:{entry.name}:{role}",
                now=now,
                detail=detail,
            )
        row = self._records.hold(entry.id)
        if row is not None and entry.kind is ObjectKind.HOLD:
            promises.told(self._records, row, "N-7", "sender", now, f"damaged:{entry.id}:sender", variant="stuck")
