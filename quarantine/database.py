"""The records' connection: SQLite with WAL and synchronous=FULL, one lock, short transactions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quarantine import schema
from quarantine.schema.migrations import STEPS

Params = Mapping[str, Any]


class Database:
    """Thread-safe access to one SQLite file; several processes may have it open (service and command line).

    A transaction takes the write lock at its beginning, so that what it read cannot change under it.
    Raises ``sqlite3.Error`` as it comes: the callers decide what a missing database means.
    """

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        if path != ":memory:":
            # The file is confidential from its first byte on; SQLite gives -wal and -shm the same mode.
            Path(path).touch(mode=0o600)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}").close()
        with self.transaction():
            self.run(schema.FACTS)
            self._migrate()
            for statement in filter(None, map(str.strip, schema.TABLES.split(";"))):
                self.run(statement)
            if self.fact("schema") is None:
                self.set_fact("schema", str(schema.VERSION))
        if (found := self.fact("schema")) != str(schema.VERSION):
            self.close()
            raise RecordsVersionError(f"records are of schema {found}, this program knows {schema.VERSION}")

    def close(self) -> None:
        """Close the file; nothing can be asked afterwards."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested transactions join the outer one."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1
                if self._depth == 0 and self._connection.in_transaction:  # an exception, or COMMIT itself failed
                    self._connection.execute("ROLLBACK")

    def _migrate(self) -> None:
        """Bring records of an older version up to ours; a newer one is left alone."""
        found = self.fact("schema")
        while found is not None and found.isdecimal() and (steps := STEPS.get(int(found))) and int(found) < schema.VERSION:
            for statement in steps:
                self.run(statement)
            found = str(int(found) + 1)
            self.set_fact("schema", found)

    def fact(self, name: str) -> str | None:
        """A single named value kept beside the tables."""
        row = self.one(schema.GET_FACT, {"name": name})
        return None if row is None else str(row["value"])

    def set_fact(self, name: str, value: str) -> None:
        """Set a named value."""
        self.run(schema.SET_FACT, {"name": name, "value": value})

    def empty(self) -> None:
        """Forget everything a rebuild can learn again from the objects."""
        with self.transaction():
            for table in schema.REBUILT:
                self.run(f"DELETE FROM {table}")  # noqa: S608 names from our own literal tuple

    def changes(self) -> int:
        """A number that grows with every row changed through this connection."""
        return self._connection.total_changes

    def run(self, statement: str, params: Params | None = None) -> int:
        """Execute and return how many rows changed."""
        with self._lock:
            cursor = self._connection.execute(statement, params or {})
            count = cursor.rowcount
            cursor.close()
            return count

    def many(self, statement: str, params: Iterable[Params]) -> None:
        """Execute once for each."""
        with self._lock:
            self._connection.executemany(statement, params).close()

    def one(self, statement: str, params: Params | None = None) -> sqlite3.Row | None:
        """The first row, or None."""
        rows = self.all(statement, params)
        return rows[0] if rows else None

    def all(self, statement: str, params: Params | None = None) -> list[sqlite3.Row]:
        """Every row."""
        with self._lock:
            return self._connection.execute(statement, params or {}).fetchall()


class Conflict(Exception):
    """The row changed since it was read (compare-and-set): read it again and decide again."""


class RecordsVersionError(Exception):
    """The records were written by another version of this program."""
