"""Recall letters as rows: what is asked of whom, and how far it has come.  States change by compare-and-set only.

draft → approved (the outbox sends it) → confirmed, or draft → dropped.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from quarantine.consents.model import digest
from quarantine.database import Conflict, Database
from quarantine.schema import recalls as sql

DRAFT, APPROVED, DROPPED, CONFIRMED = "draft", "approved", "dropped", "confirmed"
KIND: Final = "R-4"  # of the outbox row, and the template
REMINDER: Final = "R-4r"
# state → where a person's word may lead it
MOVES: Final[Mapping[tuple[str, str], str]] = {
    (DRAFT, "approve"): APPROVED,
    (DRAFT, "drop"): DROPPED,
    (APPROVED, "confirmed"): CONFIRMED,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One email that bore pictures to the recipient: what the letter may say of it, and nothing more."""

    outcome: str
    ref: str
    at: float
    images: int
    sender: str = field(repr=False)
    method: str = ""


@dataclass(frozen=True, slots=True)
class Recall:
    """One letter to one recipient.  ``address`` and senders are blanked when their time is over."""

    id: str
    event: str  # of the register: what the patient said
    recipient: str  # keyed hash
    address: str = field(repr=False)
    domain: str
    mails: tuple[Sent, ...] = field(repr=False)
    state: str
    drafted: float
    drafted_by: str
    decided: float | None = None
    decided_by: str = ""
    answered: float | None = None
    answered_by: str = ""
    reminded: float | None = None
    version: int = 0
    sent: float | None = None  # when the relay took it

    @property
    def ref(self) -> str:
        """What people call it by."""
        return self.id[:8]

    @property
    def waits(self) -> bool:
        """Sent, and nobody has confirmed yet."""
        return self.state == APPROVED and self.sent is not None


def recall_id(event: str, recipient: str) -> str:
    """One letter to one recipient for one thing a patient said."""
    return digest("recall", event, recipient)


def add(records: Database, recall: Recall, images: Iterable[tuple[str, str]]) -> bool:
    """Note a draft and the (outcome, picture) pairs it asks about (once)."""
    new = records.run(sql.ADD, _params(recall)) > 0
    records.many(sql.ADD_IMAGE, [{"recall": recall.id, "outcome": o, "image": i} for o, i in images])
    return new


def extend(records: Database, recall: Recall, images: Iterable[tuple[str, str]]) -> None:
    """Let a draft ask about further (outcome, picture) pairs; ``recall`` has all its mails.  One that is no draft stays."""
    if records.run(sql.EXTEND, {"id": recall.id, "mails": json.dumps([_mail(mail) for mail in recall.mails])}) == 1:
        records.many(sql.ADD_IMAGE, [{"recall": recall.id, "outcome": o, "image": i} for o, i in images])


def put(records: Database, recall: Recall, images: Iterable[tuple[str, str]]) -> None:
    """Put back a letter that a sealed object tells of; one that is there stays as it is."""
    records.run(sql.PUT, _params(recall))
    records.many(sql.ADD_IMAGE, [{"recall": recall.id, "outcome": o, "image": i} for o, i in images])


def asked(records: Database, recipient: str) -> frozenset[tuple[str, str]]:
    """(outcome, picture) this recipient has been asked about, or shall be."""
    return frozenset((row["outcome"], row["image"]) for row in records.all(sql.ASKED, {"recipient": recipient}))


def images(records: Database, recall: Recall) -> list[tuple[str, str]]:
    """(outcome, picture) this letter asks about."""
    return [(row["outcome"], row["image"]) for row in records.all(sql.IMAGES, {"recall": recall.id})]


def one(records: Database, recall: str) -> Recall | None:
    """One letter by its whole id."""
    row = records.one(sql.ONE, {"id": recall})
    return None if row is None else _recall(row)


def find(records: Database, ref: str) -> list[Recall]:
    """The letters whose id begins so."""
    wanted = "".join(c for c in ref.strip().lower() if c in "0123456789abcdef")
    return [_recall(row) for row in records.all(sql.LIKE, {"id": f"{wanted}%"})] if len(wanted) >= 4 else []


def every(records: Database) -> list[Recall]:
    """All letters, oldest first."""
    return [_recall(row) for row in records.all(sql.ALL)]


def of_event(records: Database, event: str) -> list[Recall]:
    """The letters for one thing a patient said."""
    return [_recall(row) for row in records.all(sql.OF_EVENT, {"event": event})]


def overdue(records: Database, before: float) -> list[Recall]:
    """Letters sent before ``before`` that nobody has confirmed."""
    return [one for one in every(records) if one.waits and one.sent is not None and one.sent <= before]


def move(records: Database, recall: Recall, word: str, by: str, at: float) -> Recall:
    """Move a letter as ``recall`` shows it.  Raises ``Conflict`` when somebody was first; KeyError for no such move."""
    target = MOVES[recall.state, word]
    statement = sql.ANSWER if word == "confirmed" else sql.DECIDE
    params = {"id": recall.id, "source": recall.state, "target": target, "version": recall.version, "at": at, "by": by}
    if records.run(statement, params) != 1:
        raise Conflict(f"letter {recall.ref} is not a {recall.state} any more")
    moved = one(records, recall.id)
    assert moved is not None  # it was updated just now
    return moved


def reminded(records: Database, recall: Recall, at: float) -> None:
    """Note that the recipient was reminded."""
    records.run(sql.REMINDED, {"id": recall.id, "at": at})


def unwritten(records: Database, limit: int = 200) -> list[Recall]:
    """Letters whose sealed object does not say yet how they stand."""
    return [_recall(row) for row in records.all(sql.UNWRITTEN, {"limit": limit})]


def written(records: Database, recall: Recall) -> None:
    """The sealed object says what ``recall`` says."""
    records.run(sql.WRITTEN, {"id": recall.id, "version": recall.version})


def forgettable(records: Database, before: float, limit: int = 100) -> list[Recall]:
    """Letters in which nothing has happened since ``before`` and that still name people."""
    return [_recall(row) for row in records.all(sql.FORGETTABLE, {"before": before, "limit": limit})]


def forget(records: Database, recall: Recall, at: float) -> None:
    """Blank the addresses."""
    records.run(sql.FORGET, {"id": recall.id, "at": at})


_PLAIN: Final = (
    "id", "event", "recipient", "address", "domain", "state", "drafted", "drafted_by", "decided", "decided_by", "answered",
    "answered_by", "reminded", "version",
)  # fmt: skip


def _params(recall: Recall) -> dict[str, Any]:
    return {**{name: getattr(recall, name) for name in _PLAIN}, "mails": json.dumps([_mail(mail) for mail in recall.mails])}


def to_meta(recall: Recall) -> dict[str, Any]:
    """A letter as JSON."""
    return {**{name: getattr(recall, name) for name in _PLAIN}, "mails": [_mail(mail) for mail in recall.mails]}


def from_meta(meta: Mapping[str, Any]) -> Recall:
    """The letter of ``to_meta``.  Raises KeyError or TypeError for what is none."""
    return Recall(**{name: meta[name] for name in _PLAIN}, mails=_mails(meta["mails"]))


def _mail(mail: Sent) -> dict[str, Any]:
    return {name: getattr(mail, name) for name in Sent.__slots__}


def _mails(told: Iterable[Mapping[str, Any]]) -> tuple[Sent, ...]:
    return tuple(Sent(**{name: mail[name] for name in Sent.__slots__}) for mail in told)


def _recall(row: sqlite3.Row) -> Recall:
    plain = {name: row[name] for name in _PLAIN}
    return Recall(**plain, mails=_mails(json.loads(row["mails"])), sent=row["said"] if row["sending"] == "done" else None)
