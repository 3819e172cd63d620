"""The audit trail: one function per event, one JSON line each, appended and fsynced; each carries the hash of the line before.

Lines hold ids, codes, domains and keyed hashes: no content, subject, file name, free text or address.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from quarantine.keyedhash import KeyedHash
from quarantine.model import HoldRow, ObjectKind

_START = "0" * 64


class Audit:
    """Appends to one file.  Raises OSError when a line cannot be made durable: what cannot be audited does not happen."""

    def __init__(
        self, path: Path, hashes: KeyedHash, clock: Callable[[], float], fsync: Callable[[int], None] = os.fsync
    ) -> None:
        self._path, self._hashes, self._clock, self._fsync = path, hashes, clock, fsync
        self._lock = threading.Lock()

    def held(self, row: HoldRow) -> None:
        """A hold was taken in."""
        self._hold("held", row, action=row.action, rule=row.rule, reasons=list(row.reasons), releases=row.releases, key=row.key)

    def outcome(self, outcome: str, message: str, fates: Iterable[tuple[str, str, str]]) -> None:
        """The outcome of a message was taken in; ``fates``: (address, state, rule)."""
        recipients = [{"who": self._hashes.address(a), "domain": _domain(a), "state": s, "rule": r} for a, s, r in fates]
        self._write("outcome", outcome=outcome, message=self._hashes.of(message), recipients=recipients)

    def decided(self, row: HoldRow, event: str, actor: str, role: str, reason: str) -> None:
        """A person released, approved, refused or deleted; ``actor`` is a login name of the staff."""
        self._hold(event, row, actor=actor, role=role, reason=reason)

    def answered(self, row: HoldRow, word: str, way: str, who: str) -> None:
        """The sender (or a delegate) decided a hold with one word, by reply or in the form."""
        self._hold("answered", row, word=word, way=way, who=self._hashes.address(who))

    def releasing(self, row: HoldRow, release: str, accepted: Iterable[str]) -> None:
        """A release is handed to the gateway; ``accepted`` codes leave not inspected."""
        self._hold("releasing", row, release=release, attempt=row.attempts + 1, accepted=sorted(accepted))

    def released(self, row: HoldRow, release: str, fates: Iterable[tuple[str, str, str]]) -> None:
        """The gateway answered for every recipient; ``fates``: (address, fate, code)."""
        recipients = [{"who": self._hashes.address(a), "domain": _domain(a), "state": s, "code": c} for a, s, c in fates]
        self._hold("released", row, release=release, recipients=recipients)

    def held_again(self, row: HoldRow, rule: str) -> None:
        """The gateway's policy held a release."""
        self._hold("held-again", row, rule=rule)

    def deferred_retry(self, row: HoldRow, code: str, next_try: float) -> None:
        """A temporary failure; it is tried again."""
        self._hold("deferred-retry", row, code=code, next=next_try)

    def failed(self, row: HoldRow, code: str) -> None:
        """A release was refused for good."""
        self._hold("failed", row, code=code)

    def expired(self, row: HoldRow) -> None:
        """A hold's time was over."""
        self._hold("expired", row)

    def resent(self, row: HoldRow) -> None:
        """The sender sent the same again and that has gone."""
        self._hold("resent", row)

    def reminded(self, row: HoldRow) -> None:
        """A reminder was promised."""
        self._hold("reminded", row)

    def escalated(self, row: HoldRow) -> None:
        """The person on call is to be told."""
        self._hold("escalated", row)

    def alarmed(self, row: HoldRow) -> None:
        """A hold nobody was told of raised the alarm."""
        self._hold("alarmed", row)

    def purged(self, row: HoldRow) -> None:
        """The sealed content of a hold that had ended was erased."""
        self._hold("purged", row)

    def forgotten(self, row: HoldRow) -> None:
        """The addresses of a hold that had ended were blanked."""
        self._hold("forgotten", row)

    def set_aside(self, name: str, kind: ObjectKind | None, why: str) -> None:
        """Something in the store could not be read and was set aside."""
        self._write("set-aside", object=name[:32], kind=kind.value if kind else "", why=why)

    def shown(self, row: HoldRow, actor: str) -> None:
        """A person looked at the facts of a hold."""
        self._hold("shown", row, actor=actor)

    def emergency(self, event: str, case: str, ref: str, sender: str, **facts: Any) -> None:
        """emergency-used | emergency-shown | emergency-reviewed: codes, days and login names; the reason never."""
        self._write(event, case=case, ref=ref, sender=self._hashes.address(sender), domain=_domain(sender), **facts)

    def looked(self, actor: str, what: str, asked: Mapping[str, object]) -> None:
        """A person searched the disclosure ledger; ``asked``: keyed hashes, digests, references and times."""
        self._write("looked", actor=actor, what=what, asked=dict(sorted(asked.items())))

    def consent(self, event: str, actor: str, **facts: Any) -> None:
        """Somebody wrote or read the consent register, or decided about a letter; patients are keyed hashes."""
        self._write(event, actor=actor, **facts)

    def named(self, what: str, actor: str) -> None:
        """A person asked for a report that names people; ``what`` says which."""
        self._write("report-named", what=what, actor=actor)

    def rebuilt(self, holds: int, outcomes: int) -> None:
        """The index was rebuilt from the objects."""
        self._write("rebuilt", holds=holds, outcomes=outcomes)

    def _hold(self, event: str, row: HoldRow, **facts: Any) -> None:
        self._write(
            event,
            hold=row.id,
            ref=row.ref,
            state=row.state.value,
            sender=self._hashes.address(row.sender),
            domain=_domain(row.sender),
            **facts,
        )

    def _write(self, event: str, **facts: Any) -> None:
        with self._lock:
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # service and command line append to one chain; closing unlocks
                _end_line(descriptor)
                line = {"at": round(self._clock(), 3), "event": event, **facts, "before": _last_hash(descriptor)}
                data = json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"
                if os.write(descriptor, data) != len(data):
                    raise OSError("the audit line was written in part")
                self._fsync(descriptor)
            finally:
                os.close(descriptor)


def verify(path: Path) -> int:
    """Check the chain; the number of lines.  Raises ValueError with the number of the first line that does not fit."""
    before = _START
    count = 0
    for count, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        try:
            fits = json.loads(line)["before"] == before
        except (ValueError, KeyError, TypeError):
            fits = False  # cut short by a crash, or not ours
        if not fits:
            raise ValueError(f"line {count} does not follow the one before it")
        before = hashlib.sha256(line).hexdigest()
    return count


def _end_line(descriptor: int) -> None:
    """A line that a crash cut short is ended, so that the next one can be read; ``verify`` shows it."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.write(descriptor, b"\n")


def _last_hash(descriptor: int) -> str:
    """SHA-256 of the last line of the file; the lines are short enough that its end is found in one or a few reads."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return _START
    span = 4096
    while True:
        start = max(0, size - span)
        tail = os.pread(descriptor, size - start, start)
        cut = tail.rfind(b"\n", 0, len(tail) - 1)
        if cut >= 0 or start == 0:
            return hashlib.sha256(tail[cut + 1 :]).hexdigest()
        span *= 4


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
