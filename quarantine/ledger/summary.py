"""How much of what went out names a patient: a disclosure without a patient's reference is found by picture, people or day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from quarantine.records import Records
from quarantine.schema import disclosures as sql

WEEK: Final = 604_800
THURSDAY: Final = 259_200  # 1 January 1970 was a Thursday: so much later, weeks begin on Mondays


@dataclass(frozen=True, slots=True)
class Share:
    """One week of one sender group.  A message counts in the week it came in (UTC); ``pictures`` are pictures × recipients."""

    week: date  # its Monday
    group: str
    messages: int
    unnamed: int  # messages of these without a patient's reference
    pictures: int
    unnamed_pictures: int

    @property
    def share(self) -> float:
        """Part of the messages without a reference, 0 to 1."""
        return self.unnamed / self.messages if self.messages else 0.0


def shares(records: Records, since: float, until: float) -> list[Share]:
    """Every week and sender group with disclosures from ``since`` to before ``until`` (POSIX seconds), oldest first."""
    rows = records.all(sql.SHARES, {"since": since, "until": until, "week": WEEK, "shift": THURSDAY})
    return [
        Share(_monday(r["week"]), r["sender_group"], r["messages"], r["messages"] - r["named"], r["pictures"],
              r["pictures"] - r["named_pictures"])
        for r in rows
    ]  # fmt: skip


def total(found: list[Share]) -> Share | None:
    """All of them together; None when there is none.  ``week`` is the first."""
    if not found:
        return None
    return Share(
        found[0].week, "", sum(s.messages for s in found), sum(s.unnamed for s in found), sum(s.pictures for s in found),
        sum(s.unnamed_pictures for s in found),
    )  # fmt: skip


def _monday(week: int) -> date:
    return datetime.fromtimestamp(week * WEEK - THURSDAY, UTC).date()
