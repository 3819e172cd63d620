"""The index of the quarantine: an SQLite file that can be rebuilt from the sealed objects at any time.

Confidential (it holds addresses), but no content, subject, file name or free text.  All SQL stands in ``schema``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quarantine.consents.records import ConsentRecords
from quarantine.database import Conflict
from quarantine.records.answers import AnswerRecords
from quarantine.records.disclosures import Disclosure, DisclosureRecords
from quarantine.records.fingerprints import FingerprintRecords
from quarantine.records.holds import Change, HoldRecords
from quarantine.records.outbox import OutboxRecords
from quarantine.schema import journal as journal_sql
from quarantine.schema import outcomes as outcomes_sql

__all__ = ["Change", "Conflict", "Disclosure", "OutcomeRow", "Records"]


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What became of every recipient of one message, as its OUTCOME object said."""

    id: str
    message: str
    merge: str  # the same for all copies into which an upstream split one message
    created: float
    meta: Mapping[str, Any] = field(repr=False)


class Records(HoldRecords, OutboxRecords, DisclosureRecords, ConsentRecords, AnswerRecords, FingerprintRecords):
    """Everything the quarantine service knows, by table: holds, outbox, disclosures (see the base classes), outcomes."""

    def add_outcome(self, outcome: str, message: str, merge: str, created: float, meta: Mapping[str, Any]) -> bool:
        """Note one outcome; False when it was known."""
        ref = str(meta.get("ref", ""))
        params = {
            "id": outcome,
            "ref": ref,
            "message": message,
            "merge": merge,
            "created": created,
            "meta": json.dumps(meta, sort_keys=True),
        }
        return self.run(outcomes_sql.ADD_OUTCOME, params) > 0

    def outcomes(self, message: str) -> list[OutcomeRow]:
        """The outcomes of one message (more than one when an upstream retried part of it)."""
        return [_outcome(r) for r in self.all(outcomes_sql.OUTCOMES_OF, {"message": message})]

    def outcomes_merged(self, merge: str) -> list[OutcomeRow]:
        """The outcomes of all copies of one message as its sender sees it."""
        return [_outcome(r) for r in self.all(outcomes_sql.OUTCOMES_MERGED, {"merge": merge})]

    def old_outcomes(self, before: float, limit: int = 100) -> list[str]:
        """Ids of outcomes made before ``before`` none of whose holds is open."""
        return [r["id"] for r in self.all(outcomes_sql.OLD_OUTCOMES, {"before": before, "limit": limit})]

    def drop_outcome(self, outcome: str) -> None:
        """Forget one outcome."""
        self.run(outcomes_sql.DROP_OUTCOME, {"id": outcome})

    def add_pair(self, sender: str, recipient: str, at: float) -> None:
        """Note that ``sender`` has written to ``recipient`` (keyed hashes)."""
        self.run(journal_sql.ADD_PAIR, {"sender": sender, "recipient": recipient, "first": at})

    def pairs(self) -> list[tuple[str, str]]:
        """Every (sender, recipient)."""
        return [(r["sender"], r["recipient"]) for r in self.all(journal_sql.PAIRS)]

    def add_inline(self, sha256: str, sender: str) -> None:
        """Count one more message of ``sender`` with this inline image."""
        self.run(journal_sql.ADD_INLINE, {"sha256": sha256, "sender": sender})

    def inline_seen(self) -> list[tuple[str, str, int]]:
        """Every (sha256, sender, count)."""
        return [(r["sha256"], r["sender"], r["count"]) for r in self.all(journal_sql.INLINE)]

    def earlier_withdrawals(self) -> list[tuple[str, float]]:
        """(patient reference, when) of what was noted before there was a consent register."""
        return [(r["patient"], r["at"]) for r in self.all(journal_sql.WITHDRAWALS)]

    def journal_offset(self, segment: str) -> int:
        """How far a segment of the gateway's journal has been read."""
        row = self.one(journal_sql.GET_OFFSET, {"segment": segment})
        return 0 if row is None else int(row["offset"])

    def set_journal_offset(self, segment: str, offset: int) -> None:
        """Note how far a segment has been read."""
        self.run(journal_sql.SET_OFFSET, {"segment": segment, "offset": offset})


def _outcome(row: sqlite3.Row) -> OutcomeRow:
    return OutcomeRow(row["id"], row["message"], row["merge"], row["created"], json.loads(row["meta"]))
