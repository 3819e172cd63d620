"""The tables of the consent register.  Rows are added and read; nothing here changes or deletes an entry."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from quarantine.consents import recalls
from quarantine.consents.model import RANK, Entry, Seen, Standing
from quarantine.consents.recalls import Recall
from quarantine.database import Database
from quarantine.schema import consents as sql


class ConsentRecords(Database):
    """Entries and statements seen."""

    def consent_add(self, entries: Iterable[Entry]) -> int:
        """Note entries, all or none; how many were new."""
        with self.transaction():
            return sum(self.run(sql.ADD, _params(entry)) for entry in entries)

    def consent_put(self, entry: Entry) -> None:
        """Put back an entry that a sealed object tells of."""
        self.run(sql.PUT, _params(entry))

    def consent_history(self, subject: str) -> list[Entry]:
        """Every entry of one subject, oldest first."""
        return [_entry(row) for row in self.all(sql.HISTORY, {"subject": subject})]

    def consent_event(self, event: str) -> list[Entry]:
        """Everything that was noted at once."""
        return [_entry(row) for row in self.all(sql.OF_EVENT, {"event": event})]

    def consents_since(self, since: float) -> list[Entry]:
        """Every entry noted at or after ``since``, oldest first."""
        return [_entry(row) for row in self.all(sql.SINCE, {"since": since})]

    def consents_in_force(self) -> list[tuple[str, Standing]]:
        """What stands now, by subject; what was restored stands for nothing and is left out."""
        return [(row["subject"], _standing(row)) for row in self.all(sql.IN_FORCE)]

    def consent_stamp(self) -> tuple[int, int]:
        """Changes with every new entry, whichever process wrote it: what the snapshot is compared with."""
        row = self.one(sql.STAMP)
        return (0, 0) if row is None else (int(row["n"]), int(row["last"]))

    def consents_unwritten(self, limit: int = 200) -> list[Entry]:
        """Entries whose sealed object is not written yet."""
        return [_entry(row) for row in self.all(sql.UNWRITTEN, {"limit": limit})]

    def consent_written(self, entry: Entry) -> None:
        """The sealed object of this entry is durable."""
        self.run(sql.WRITTEN, {"id": entry.id})

    def recall(self, recall: str) -> Recall | None:
        """One letter by its id."""
        return recalls.one(self, recall)

    def statement_add(self, seen: Seen, subjects: Iterable[str]) -> None:
        """Note a statement seen under these subjects (once)."""
        with self.transaction():
            self.run(sql.ADD_STATEMENT, {
                "id": seen.id, "message": seen.message, "outcomes": " ".join(seen.outcomes), "at": seen.at,
                "sender": seen.sender, "status": seen.status, "form": seen.form, "given_by": seen.given_by,
                "purpose": seen.purpose, "scope": " ".join(seen.scope), "dated": seen.dated, "expires": seen.expires,
                "fates": " ".join(seen.fates),
            })  # fmt: skip
            self.many(sql.ADD_STATEMENT_SUBJECT, [{"subject": one, "statement": seen.id} for one in subjects])

    def statements_of(self, subject: str) -> list[Seen]:
        """Every statement seen under one subject, oldest first."""
        return [_seen(row) for row in self.all(sql.STATEMENTS_OF, {"subject": subject})]

    def drop_statements(self, before: float) -> int:
        """Forget statements seen before ``before``; entries stay."""
        with self.transaction():
            count = self.run(sql.DROP_STATEMENTS, {"before": before})
            if count:
                self.run(sql.DROP_STATEMENT_SUBJECTS)
        return count


def _params(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id, "event": entry.event, "subject": entry.subject, "status": entry.status, "rank": RANK[entry.status],
        "scope": " ".join(entry.scope), "purposes": " ".join(entry.purposes), "since": entry.since, "noted": entry.noted,
        "actor": entry.actor, "role": entry.role, "reason": entry.reason, "source": entry.source,
    }  # fmt: skip


def _entry(row: sqlite3.Row) -> Entry:
    words = ("id", "event", "subject", "status", "since", "noted", "actor", "role", "reason", "source")
    return Entry(
        **{name: row[name] for name in words}, scope=tuple(row["scope"].split()), purposes=tuple(row["purposes"].split())
    )


def _standing(row: sqlite3.Row) -> Standing:
    return Standing(row["status"], row["since"], tuple(row["scope"].split()), tuple(row["purposes"].split()))


def _seen(row: sqlite3.Row) -> Seen:
    words = ("id", "message", "at", "sender", "status", "form", "given_by", "purpose", "dated", "expires")
    split: dict[str, Any] = {name: tuple(row[name].split()) for name in ("outcomes", "scope", "fates")}
    return Seen(**{name: row[name] for name in words}, **split)
