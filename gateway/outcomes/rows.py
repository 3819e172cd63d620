"""Rows of the ledger: what stands in the file for one recipient, and what it says of earlier tries."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

Note = Mapping[str, Any]  # JSON-able; codes only
UPSERT = """
INSERT INTO recipients (key, digest, rcpt, state, token, generation, born, sends, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET state = excluded.state, token = excluded.token, generation = excluded.generation,
  born = excluded.born, sends = excluded.sends, updated = excluded.updated
"""


class State(StrEnum):
    CLAIMED = "CLAIMED"
    SENDING = "SENDING"
    DONE = "DONE"
    UNKNOWN = "UNKNOWN"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Standing:
    """What earlier tries left behind for one recipient.

    ``fresh``: nothing.  ``unknown``: handed to the next hop ``sends`` times and the answer or our note of it was lost.
    ``intended``: ``note`` is a hold that may or may not have been written; ``released`` says that it was, and has been delivered
    since.  ``done``: ``note`` is the outcome; ``report`` names the outcome object it belongs to ("" when not yet assigned),
    ``finished`` says that this object is durable.  ``inherited``: so the released hold says, and the row itself does not yet.
    """

    state: str = "fresh"
    sends: int = 0
    note: Note | None = None
    report: str = ""
    finished: bool = False
    released: bool = False
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    state: str
    token: str
    generation: int
    born: float
    sends: int
    note: str
    report: str
    finished: int


def read(db: sqlite3.Connection, key: str, digest: str, label: str) -> Row | None:
    query = (
        "SELECT state, token, generation, born, sends, note, report, finished FROM recipients "
        "WHERE key = ? AND digest = ? AND rcpt = ?"
    )
    found = db.execute(query, (hashed(key), digest, hashed_rcpt(key, label))).fetchone()
    return None if found is None else Row(*found)


def held_key(key: str, generation: int) -> str:
    """Under which the holds are kept that may have been written for one generation of a message."""
    return hashed(f"held:{generation}:{key}")


def held(db: sqlite3.Connection, key: str, generation: int, digest: str, label: str) -> list[str]:
    """Holds that may have been written for this recipient."""
    query = "SELECT note FROM recipients WHERE key = ? AND digest = ? AND rcpt = ?"
    found = db.execute(query, (held_key(key, generation), digest, hashed_rcpt(key, label))).fetchone()
    return list(json.loads(found[0])) if found is not None else []


def annotate(db: sqlite3.Connection, key: str, digest: str, rcpt: str, text: str) -> None:
    db.execute("UPDATE recipients SET note = ? WHERE key = ? AND digest = ? AND rcpt = ?", (text, key, digest, rcpt))


def inherit(db: sqlite3.Connection, key: str, digest: str, rcpt: str, standing: Standing) -> None:
    """Write down what was learnt from another row, so that the next try knows it too."""
    change = "UPDATE recipients SET note = ?, finished = ? WHERE key = ? AND digest = ? AND rcpt = ?"
    db.execute(change, (json.dumps(standing.note), int(standing.finished), key, digest, rcpt))


def settled(db: sqlite3.Connection, row: Row | None, after: str, label: str) -> Standing:
    """The standing of one recipient, with what is known of the hold released (``after``) or once meant to be written."""
    known = read(db, f"hold:{after}", "", label) if after else None
    note = json.loads(known.note) if known is not None and known.state == State.DONE else {}
    if known is not None and note.get("do") == "done" and (row is None or row.state != State.DONE):
        return Standing("done", known.sends, note, finished=bool(known.finished), inherited=True)  # tried again, it has got there
    standing = _standing(row, known.sends if known is not None else 0)
    if standing.state == "intended" and standing.note is not None:
        released = read(db, f"hold:{standing.note['id']}", "", label)
        return replace(standing, released=released is not None and released.state == State.DONE)
    return standing


def _standing(row: Row | None, sent_before: int) -> Standing:
    if row is None or row.state == State.CLOSED:
        return Standing("unknown", sent_before) if sent_before else Standing()
    note = json.loads(row.note) if row.note else None
    if row.state == State.DONE:
        return Standing("done", row.sends, note, row.report, bool(row.finished))
    if row.state == State.SENDING and note is not None and note["do"] == "hold":
        return Standing("intended", row.sends, note)
    return Standing("unknown", row.sends) if row.sends else Standing()


def claimed(standing: Standing) -> State:
    """The state of a row that has just been claimed."""
    states = {"fresh": State.CLAIMED, "unknown": State.UNKNOWN, "intended": State.SENDING, "done": State.DONE}
    return states[standing.state]


def open_row(db: sqlite3.Connection, key: str) -> bool:
    query = "SELECT 1 FROM recipients WHERE key = ? AND state <> 'CLOSED' LIMIT 1"
    return db.execute(query, (hashed(key),)).fetchone() is not None


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:40]


def hashed_rcpt(key: str, label: str) -> str:
    """A recipient is hashed with the message's key, so that one address looks different in every message."""
    return hashed(f"{key}\0{label}")
