"""The outbox table: what is to be said, to whom, when.  A row stays until it is said or dropped."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from quarantine.database import Database
from quarantine.model import OutboxRow
from quarantine.schema import outbox as sql


class OutboxRecords(Database):
    """Rows of the outbox."""

    def outbox_add(
        self,
        kind: str,
        *,
        to: str,
        role: str,
        due: float,
        message: str = "",
        hold: str = "",
        merge: str = "",
        dedup: str | None = None,
        detail: Mapping[str, Any] | None = None,
        now: float | None = None,
    ) -> bool:
        """Promise a notice.  ``dedup`` names the state change: a second row with it is not added (False).

        ``to`` may be empty: the role is then looked up in the settings when the notice is rendered.
        """
        params = {
            "dedup": dedup or f"{kind}:{message}:{hold}:{role}",
            "kind": kind,
            "message": message,
            "hold": hold,
            "recipient": to,
            "role": role,
            "merge": merge or message or hold,
            "due": due,
            "created": due if now is None else now,
            "detail": json.dumps(dict(detail or {}), sort_keys=True),
        }
        return self.run(sql.OUTBOX_ADD, params) > 0

    def outbox_due(self, now: float, limit: int = 100) -> list[OutboxRow]:
        """Pending rows whose time has come, oldest first."""
        return [_row(r) for r in self.all(sql.OUTBOX_DUE, {"now": now, "limit": limit})]

    def outbox_merged(self, row: OutboxRow) -> list[OutboxRow]:
        """All pending rows that one notice may answer together with ``row`` (itself among them), due or not.

        The copies of a split message may have got different notices (N-1 here, N-3 there): one tells them all.
        """
        kind = "N-%" if row.kind.startswith("N-") else row.kind
        params = {"merge": row.merge, "kind": kind, "recipient": row.to, "hold": row.hold}
        return [_row(r) for r in self.all(sql.OUTBOX_MERGED, params)]

    def outbox_state(self, dedup: str) -> str | None:
        """pending | done | dropped of the row promised under ``dedup``; None if nothing was promised."""
        row = self.one(sql.OUTBOX_STATE, {"dedup": dedup})
        return None if row is None else str(row["state"])

    def outbox_done(self, row: int, now: float, code: str = "sent") -> None:
        """Said.  ``code`` is the next hop's code or why nothing had to be said; ``dropped:…`` marks the latter."""
        state = "dropped" if code.startswith("dropped") else "done"
        self.run(sql.OUTBOX_DONE, {"id": row, "state": state, "code": code, "now": now})

    def outbox_retry(self, row: int, due: float, code: str = "") -> None:
        """Not said yet: try again at ``due``."""
        self.run(sql.OUTBOX_RETRY, {"id": row, "due": due, "code": code})

    def outbox_cancel(self, hold: str, now: float, code: str = "closed") -> int:
        """Drop what would only have nagged about a hold that is over (N-1r, N-7, alert, desk)."""
        return self.run(sql.OUTBOX_CANCEL, {"hold": hold, "now": now, "code": f"dropped:{code}"})

    def outbox_waiting(self) -> list[tuple[float, int]]:
        """(due, failed tries) of every row that waits."""
        return [(float(row["due"]), int(row["attempts"])) for row in self.all(sql.OUTBOX_WAITING)]

    def outbox_sent(self, kind: str, to: str) -> int:
        """How many notices of this kind this address has had or will have."""
        row = self.one(sql.OUTBOX_SENT, {"kind": kind, "recipient": to})
        return 0 if row is None else int(row["n"])

    def outbox_last(self, kind: str, to: str) -> float | None:
        """When this address was last promised a notice of this kind."""
        row = self.one(sql.OUTBOX_LAST, {"kind": kind, "recipient": to})
        return None if row is None or row["last"] is None else float(row["last"])

    def outbox_forget(self, before: float) -> int:
        """Blank the addresses of rows that were finished before ``before``."""
        return self.run(sql.OUTBOX_FORGET, {"before": before})


def _row(row: sqlite3.Row) -> OutboxRow:
    return OutboxRow(
        id=row["id"],
        kind=row["kind"],
        message=row["message"],
        hold=row["hold"],
        to=row["recipient"],
        role=row["role"],
        due=row["due"],
        merge=row["merge"],
        attempts=row["attempts"],
        created=row["created"],
        detail=json.loads(row["detail"]),
    )
