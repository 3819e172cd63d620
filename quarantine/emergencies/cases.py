"""The table of cases.  A case grows by people and by its review; each version is noted in a sealed object."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from typing import Any

from quarantine.database import Conflict
from quarantine.emergencies.model import Case, Party
from quarantine.records import Records
from quarantine.schema import emergencies as sql


def case_id(merge: str) -> str:
    """The id of the case of one email as its sender sees it."""
    return hashlib.sha256(f"emergency:{merge}".encode()).hexdigest()[:32]


class Cases:
    """Break-glass cases in the records."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def open(self, case: Case, people: list[Party]) -> bool:
        """Note a case, or further people of one that is known.  True when it is new."""
        with self._records.transaction():
            new = self._records.run(sql.ADD, _params(case)) > 0
            more = sum(self._records.run(sql.ADD_PERSON, _person(case.id, one)) for one in people)
            if more and not new:
                self._records.run(sql.GROWN, {"id": case.id})
        return new

    def get(self, case: str) -> Case | None:
        """One case by its id."""
        row = self._records.one(sql.GET, {"id": case})
        return None if row is None else _case(row)

    def find(self, ref: str) -> list[Case]:
        """Cases by their reference, or that of the email or of the hold they came from."""
        return self._cases(sql.FIND, {"ref": ref})

    def people(self, case: str) -> list[Party]:
        """Whom one email went to."""
        rows = self._records.all(sql.PEOPLE, {"emergency": case})
        return [Party(r["address"], r["class"], r["rule"], r["method"], r["at"]) for r in rows]

    def all(self) -> list[Case]:
        """Every case that is still kept, oldest first."""
        return self._cases(sql.ALL)

    def waiting(self) -> list[Case]:
        """Cases nobody has reviewed, the most urgent first."""
        return self._cases(sql.OPEN)

    def between(self, since: float, until: float) -> list[Case]:
        """Emergencies used from ``since`` to before ``until``."""
        return self._cases(sql.BETWEEN, {"since": since, "until": until})

    def of_sender(self, sender: str, since: float, until: float) -> list[Case]:
        """One sender's cases after ``since`` up to ``until``."""
        return self._cases(sql.OF_SENDER, {"sender": sender, "since": since, "until": until})

    def review(self, case: Case, *, verdict: str, reviewer: str, at: float, informed: str, code: str) -> Case:
        """Write down what was found.  Raises ``Conflict`` when somebody was first."""
        params = {
            "id": case.id, "version": case.version, "verdict": verdict, "reviewer": reviewer, "reviewed": at,
            "informed": informed, "code": code,
        }  # fmt: skip
        if self._records.run(sql.REVIEW, params) != 1:
            raise Conflict(f"case {case.ref} was changed meanwhile: look at it again")
        found = self.get(case.id)
        assert found is not None  # just written
        return found

    def mark(self, case: str, what: str, at: float) -> None:
        """``what``: reminded | escalated."""
        self._records.run(sql.MARKS[what], {"id": case, "at": at})

    def unnoted(self, limit: int = 100) -> list[Case]:
        """Cases whose newest version stands in no sealed note yet."""
        return self._cases(sql.UNNOTED, {"limit": limit})

    def noted(self, case: Case) -> None:
        """A sealed note tells of this version now."""
        self._records.run(sql.NOTED, {"id": case.id, "version": case.version})

    def restore(self, case: Case, people: list[Party]) -> None:
        """Take a case from its note (rebuild)."""
        with self._records.transaction():
            self._records.run(sql.RESTORE, _params(case))
            for one in people:
                self._records.run(sql.ADD_PERSON, _person(case.id, one))

    def forgettable(self, before: float, limit: int = 100) -> list[Case]:
        """Reviewed cases from before ``before`` that still name people."""
        return self._cases(sql.FORGETTABLE, {"before": before, "limit": limit})

    def forget(self, case: Case, at: float) -> None:
        """Blank addresses and the reason; codes and times stay."""
        with self._records.transaction():
            self._records.run(sql.FORGET_PEOPLE, {"id": case.id})
            self._records.run(sql.FORGET, {"id": case.id, "at": at})

    def _cases(self, statement: str, params: Mapping[str, Any] | None = None) -> list[Case]:
        return [_case(row) for row in self._records.all(statement, params)]


def _case(row: sqlite3.Row) -> Case:
    return Case(**{name: row[name] for name in Case.__slots__})


def _params(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in Case.__slots__ if name != "forgotten"}


def _person(case: str, one: Party) -> dict[str, Any]:
    return {"emergency": case, "address": one.address, "class": one.cls, "rule": one.rule, "method": one.method, "at": one.at}
