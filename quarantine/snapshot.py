"""The snapshot: what the gateway may know of the past (disclosures, correspondents, withdrawals), in keyed hashes.

The service writes the file whole and renames it; the gateway opens it read-only and opens it anew when it changed.  Missing,
unreadable or stale means ``None`` = unknown, which decisions treat as the stricter answer.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from quarantine.consents.model import Standing, image, patient
from quarantine.keyedhash import KeyedHash
from quarantine.ledger import seen
from quarantine.ledger.fingerprint import Fingerprint, read
from quarantine.ledger.fingerprintkey import FingerprintKey
from quarantine.ledger.query import family
from quarantine.records import Records
from quarantine.schema import snapshot as sql

GONE_FOR = 90 * 86400.0  # longest span of ``settings.aggregation``: how far back the gateway can look
RECIPIENTS = 50  # of whom pictures are kept at hand
SEEN_OFTEN = 3  # an inline image in so many messages of one sender is a recurring one (a logo)


def told(records: Records) -> list[tuple[str, str, float, str, str]]:
    """What the gateway is told of the consent register; of a picture under every form it is known in."""
    rows = {
        subject: (one.status, one.since, " ".join(one.scope), " ".join(one.purposes))
        for subject, one in records.consents_in_force()
    }
    for subject in [one for one in rows if one.startswith("image:")]:
        for form in family(records, subject.partition(":")[2]):
            rows.setdefault(image(form), rows[subject])
    return sorted((subject, *row) for subject, row in rows.items())


def _marked(records: Records, said: Iterable[tuple[str, float | str, float | str, str, str]]) -> list[tuple[str, bytes]]:
    """(picture, encrypted fingerprint) of every picture that the consent register speaks of, as far as it is known."""
    named = [subject.partition(":")[2] for subject, *_ in said if subject.startswith("image:")]
    kept = ((one, records.fingerprint(one)) for one in named)
    return [(one, found[1]) for one, found in kept if found is not None]


def _standing(row: tuple[str, float, str, str]) -> Standing:
    return Standing(row[0], row[1], tuple(row[2].split()), tuple(row[3].split()))


def write_snapshot(path: Path, records: Records, now: float) -> None:
    """Write the snapshot atomically and durably (temp, fsync, rename, fsync folder).  Raises OSError or sqlite3.Error."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o640)
    connection = sqlite3.connect(temporary, isolation_level=None)
    try:
        # Nothing reads the temporary file, and it is fsynced before its rename: no journal, no waiting.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + sql.SNAPSHOT_TABLES)
        connection.execute("BEGIN")
        connection.executemany(sql.SNAPSHOT_META, [("version", str(sql.SNAPSHOT_VERSION)), ("written_at", repr(now))])
        connection.executemany(sql.SNAPSHOT_DISCLOSED, records.disclosed(now))
        connection.executemany(sql.SNAPSHOT_INLINE, records.inline_seen())
        connection.executemany(sql.SNAPSHOT_PAIR, records.pairs())
        _say(connection, records)
        connection.executemany(sql.SNAPSHOT_GONE, records.gone(now - GONE_FOR))
        connection.executemany(sql.SNAPSHOT_PICTURE, records.gone_pictures(now - GONE_FOR, now))
        connection.execute("COMMIT")
    finally:
        connection.close()
    _durable(temporary, path)


def tell_consents(path: Path, records: Records) -> None:
    """Put what patients have said into the snapshot that is there, and leave the rest of it as old as it is.

    A large ledger takes seconds to write; a patient's no does not wait for it.  Raises OSError or sqlite3.Error as above, also
    when there is no snapshot of this version yet: then all of it has to be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    shutil.copyfile(path, temporary)
    temporary.chmod(0o640)
    connection = sqlite3.connect(temporary, isolation_level=None)
    try:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        if dict(connection.execute(sql.READ_META).fetchall()).get("version") != str(sql.SNAPSHOT_VERSION):
            raise sqlite3.DatabaseError("a snapshot of another version")
        connection.execute("BEGIN")
        for statement in sql.FORGET_CONSENTS:
            connection.execute(statement)
        _say(connection, records)
        connection.execute("COMMIT")
    finally:
        connection.close()
    _durable(temporary, path)


def _say(connection: sqlite3.Connection, records: Records) -> None:
    said = told(records)
    connection.executemany(sql.SNAPSHOT_CONSENT, said)
    connection.executemany(sql.SNAPSHOT_MARKED, _marked(records, said))


def _durable(temporary: Path, path: Path) -> None:
    for target in (temporary, path.parent):
        if target == path.parent:
            temporary.rename(path)
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Snapshot:
    """The reader.  Answers take plain addresses and identifiers and hash them with the shared key."""

    def __init__(self, path: Path, hashes: KeyedHash, max_age: float = 900.0, clock: Callable[[], float] = time.time) -> None:
        self._path, self._hashes, self._max_age, self._clock = path, hashes, max_age, clock
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._connection: sqlite3.Connection | None = None
        self._written: float | None = None
        self._key = FingerprintKey(hashes)
        self._marked: tuple[object, list[tuple[str, Fingerprint]]] = (None, [])  # of the file as it was when they were read
        self._gone: tuple[object, dict[str, list[seen.Gone]]] = (None, {})  # likewise

    def age(self) -> float | None:
        """Seconds since the snapshot was written; None when there is none that can be read."""
        with self._lock:
            self._refresh()
            return None if self._written is None else self._clock() - self._written

    def disclosed(self, image: str, recipient: str) -> bool | None:
        """Has this image (SHA-256, original or as sent) gone to this address under consent that is still live?"""
        found = self._ask(sql.READ_DISCLOSED, image, self._hashes.address(recipient))
        if found is None:
            return None
        return any(bool(row[1]) and row[0] > self._clock() for row in found)

    def seen_inline(self, sha256: str, sender: str) -> bool | None:
        """Does this sender send this inline image again and again?"""
        found = self._ask(sql.READ_INLINE, sha256, self._hashes.address(sender))
        return None if found is None else any(row[0] >= SEEN_OFTEN for row in found)

    def first_written_to(self, sender: str, addresses: Iterable[str]) -> str | None:
        """The first of these addresses to which this sender has written before, "" if there is none; None when that is unknown.

        Hundreds of addresses may be asked about at once.
        """
        asked = {self._hashes.address(one): one for one in addresses}
        found = self._ask(sql.READ_PAIRS, self._hashes.address(sender), json.dumps(list(asked)))
        if found is None:
            return None
        known = {row[0] for row in found}
        return next((one for name, one in asked.items() if name in known), "")

    def withdrawn(self, numbers: Sequence[str]) -> bool | None:
        """Is there a refusal or withdrawal on file for any of these patient identifiers?"""
        found = self.said(numbers)
        return None if found is None else any(one.ends for one in found)

    def gone(self, numbers: Sequence[str], recipient: str, since: float) -> list[tuple[str, str]] | None:
        """(picture, message that brought it first) of what went to this address about any of these patients."""
        found: list[tuple[str, str]] = []
        for number in numbers:
            rows = self._ask(sql.READ_GONE, self._hashes.patient(number), self._hashes.address(recipient))
            if rows is None:
                return None
            found += [(str(image), str(message)) for image, message, at in rows if at > since]
        return found

    def said(self, numbers: Sequence[str]) -> list[Standing] | None:
        """What stands in the consent register for any of these patient identifiers; None when that cannot be known."""
        return self.standing([patient(self._hashes.patient(number)) for number in numbers])

    def said_of_image(self, sha256: str) -> list[Standing] | None:
        """What stands for one picture, as received or as it was once sent."""
        return self.standing([image(sha256)])

    def standing(self, subjects: Sequence[str]) -> list[Standing] | None:
        """What stands for these subjects of the register.  Known to be refused is enough, whatever else is not known."""
        answers = [self._ask(sql.READ_CONSENT, subject) for subject in subjects]
        found = [_standing(row) for answer in answers for row in answer or ()]
        return None if None in answers and not any(one.ends for one in found) else found

    def disclosed_again(self, likeness: bytes, recipient: str) -> bool | None:
        """Has this very picture, as another file (saved anew, made smaller), gone to this address under consent still live?

        ``likeness`` as ``filters.likeness`` makes it.  Strict: a cut, or another photograph of the same, is not it.
        """
        before = self._pictures(recipient)
        return None if before is None else seen.again(read(likeness), before, self._clock())

    def gone_alike(self, likeness: bytes, recipient: str, since: float) -> list[tuple[str, str, bool]] | None:
        """(picture, message that brought it, the very picture) of what went to this address and looks nearly the same."""
        before = self._pictures(recipient)
        return None if before is None else seen.alike(read(likeness), before, since)

    def said_of_likeness(self, likeness: bytes) -> list[Standing] | None:
        """What stands for pictures that are very likely this one or a part of it, or were taken at the same moment."""
        marked = self._marked_pictures()
        if marked is None:
            return None
        return self.standing([image(one) for one in seen.spoken_of(read(likeness), marked)])

    def _marked_pictures(self) -> list[tuple[str, Fingerprint]] | None:
        """Read once from each file."""
        if self._ask(sql.READ_META) is None:
            return None
        if self._marked[0] != self._seen:
            rows, stands = self._ask(sql.READ_MARKED), self._seen
            if rows is None:
                return None
            found = ((str(name), seen.opened(self._key, str(name), bytes(data))) for name, data in rows)
            self._marked = (stands, [(name, one) for name, one in found if one is not None])
        return self._marked[1]

    def _pictures(self, recipient: str) -> list[seen.Gone] | None:
        """Read once a recipient from each file; of the recipients of the moment only."""
        who = self._hashes.address(recipient)
        if self._ask(sql.READ_META) is None:
            return None
        if self._gone[0] != self._seen or len(self._gone[1]) > RECIPIENTS:
            self._gone = (self._seen, {})
        stands, known = self._gone
        if who not in known:
            rows = self._ask(sql.READ_PICTURES, who, seen.NEWEST)
            if rows is None or stands != self._seen:  # the file was replaced this very moment
                return None if rows is None else list(seen.gone(self._key, rows))
            known[who] = list(seen.gone(self._key, rows))
        return known[who]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._drop()

    def _ask(self, statement: str, *values: str | int) -> list[Any] | None:
        with self._lock:
            self._refresh()
            if self._connection is None or self._written is None:
                return None
            age = self._clock() - self._written
            if age > self._max_age or age < -self._max_age:  # written in the future: one of the clocks is wrong
                return None
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error:
                self._drop()  # unreadable = unknown
                return None

    def _refresh(self) -> None:
        try:
            facts = self._path.stat()
        except OSError:
            self._drop()
            return
        seen = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
        if seen == self._seen:
            return
        self._drop()
        self._seen = seen
        try:
            # immutable: the file is never changed in place, so no lock and no -wal is looked for
            self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            meta = dict(self._connection.execute(sql.READ_META).fetchall())
            if meta.get("version") == str(sql.SNAPSHOT_VERSION):
                self._written = float(meta["written_at"])
        except (sqlite3.Error, ValueError, KeyError):
            self._drop()
            self._seen = seen  # look again only when the file changes

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._written, self._seen = None, None, None
