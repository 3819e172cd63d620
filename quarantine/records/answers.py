"""The tables of answers: words that decided a hold, and replies that were taken in."""

from __future__ import annotations

from quarantine.database import Database
from quarantine.schema import answers as sql


class AnswerRecords(Database):
    """Rows of answers and replies.  Words and codes only; what else was written stays sealed."""

    def add_answer(self, hold: str, at: float, word: str, way: str) -> None:
        """Note the word by which a hold's sender decided it."""
        self.run(sql.ADD_ANSWER, {"hold": hold, "at": at, "word": word, "way": way})

    def answered(self, hold: str) -> str:
        """The last word by which the sender decided this hold; "" if none did."""
        row = self.one(sql.ANSWERED, {"hold": hold})
        return "" if row is None else str(row["word"])

    def add_reply(self, reply: str, at: float, hold: str, outcome: str) -> bool:
        """Note what came of a reply (id of its object); False when it was known."""
        return self.run(sql.ADD_REPLY, {"id": reply, "at": at, "hold": hold, "outcome": outcome}) > 0

    def reply(self, reply: str) -> str | None:
        """What came of a reply; None if it is not known."""
        row = self.one(sql.REPLY, {"id": reply})
        return None if row is None else str(row["outcome"])

    def old_replies(self, before: float, limit: int = 100) -> list[str]:
        """Ids of replies taken in before ``before`` whose objects are still kept."""
        return [r["id"] for r in self.all(sql.OLD_REPLIES, {"before": before, "limit": limit})]

    def reply_purged_at(self, reply: str) -> float | None:
        """When a sealed reply was erased; None while it is kept, or if it is not known."""
        row = self.one(sql.REPLY, {"id": reply})
        return None if row is None else row["purged"]

    def reply_purged(self, reply: str, at: float) -> None:
        """The sealed reply was erased."""
        self.run(sql.REPLY_PURGED, {"id": reply, "at": at})
