"""The tables of holds: rows, recipients, history.  State changes go through ``advance`` (compare-and-set) only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from quarantine.database import Conflict, Database
from quarantine.model import HeldRecipient, HoldRow, State, Transition
from quarantine.schema import holds as sql


@dataclass(frozen=True, slots=True)
class Change:
    """What a move writes beside the state; ``None`` keeps what stands there (``next_try`` and ``release`` are always written)."""

    next_try: float | None = None
    deadline: float | None = None
    attempts: int | None = None
    round: int | None = None
    release: str | None = None


class HoldRecords(Database):
    """Holds, their recipients and transitions."""

    def add_hold(self, row: HoldRow, recipients: Iterable[HeldRecipient]) -> bool:
        """Note a hold, or complete a row made from fewer facts.  True when anything was written.

        A row whose state has already moved is never touched again (replay of an old object).
        """
        params = _hold_params(row)
        with self.transaction():
            written = self.run(sql.ADD_HOLD, params) or self.run(sql.COMPLETE_HOLD, params)
            known = {r.address for r in self.recipients(row.id)}
            position = len(known)
            for recipient in recipients:
                if recipient.address in known:
                    continue
                self.run(sql.ADD_RECIPIENT, {
                    "hold": row.id, "position": position, "address": recipient.address,
                    "notify": recipient.notify, "orcpt": recipient.orcpt,
                })  # fmt: skip
                position += 1
        return written > 0

    def hold(self, hold: str) -> HoldRow | None:
        """One hold by its id."""
        row = self.one(sql.HOLD, {"id": hold})
        return None if row is None else self._hold(row)

    def find(self, ref: str) -> list[HoldRow]:
        """Holds by their own reference or id, or by the reference of their message's outcome (as notices give it)."""
        return self._holds(sql.HOLDS_BY_REF, {"ref": ref})

    def holds(self, state: State | None = None) -> list[HoldRow]:
        """All holds, or those in one state, oldest first."""
        if state is None:
            return self._holds(sql.HOLDS, {})
        return self._holds(sql.HOLDS_IN, {"state": state.value})

    def open_holds(self) -> list[HoldRow]:
        """Holds that have not ended, oldest first."""
        return self._holds(sql.HOLDS_OPEN, {})

    def holds_of(self, message: str) -> list[HoldRow]:
        """Every hold of one message."""
        return self._holds(sql.HOLDS_OF, {"message": message})

    def holds_of_sender(self, state: State, sender: str) -> list[HoldRow]:
        """Holds of one sender in one state."""
        return self._holds(sql.HOLDS_OF_SENDER, {"state": state.value, "sender": sender})

    def ready(self, state: State, now: float, limit: int = 50) -> list[HoldRow]:
        """Holds in ``state`` whose next try is due."""
        return self._holds(sql.HOLDS_READY, {"state": state.value, "now": now, "limit": limit})

    def purgeable(self, before: float, limit: int = 100) -> list[HoldRow]:
        """Closed holds whose content is still there although it ended before ``before``."""
        return self._holds(sql.PURGEABLE, {"before": before, "limit": limit})

    def forgettable(self, before: float, limit: int = 100) -> list[HoldRow]:
        """Purged holds that still name people although they ended before ``before``."""
        return self._holds(sql.FORGETTABLE, {"before": before, "limit": limit})

    def unnoticed(self, before: float) -> list[HoldRow]:
        """Open holds made before ``before`` about which nobody has been told."""
        return self._holds(sql.UNNOTICED, {"before": before})

    def recipients(self, hold: str) -> list[HeldRecipient]:
        """All recipients of a hold in the order of its envelope."""
        return [
            HeldRecipient(r["address"], r["state"], r["code"], r["notify"], r["orcpt"])
            for r in self.all(sql.RECIPIENTS, {"hold": hold})
        ]

    def set_recipient(self, hold: str, address: str, state: str, code: str = "") -> None:
        """Note what became of one recipient."""
        self.run(sql.SET_RECIPIENT, {"hold": hold, "address": address, "state": state, "code": code})

    def later(self, row: HoldRow, next_try: float) -> None:
        """Count an attempt and set the time of the next one; the state stays."""
        self.run(sql.LATER, {"id": row.id, "state": row.state.value, "next_try": next_try})

    def mark(self, hold: str, name: str, at: float | None) -> None:
        """Set one of the marks reminded, escalated, alarmed, purged."""
        self.run(sql.MARKS[name], {"id": hold, "at": at})

    def forget(self, hold: str, at: float) -> None:
        """Blank the addresses of a hold; its codes and history stay."""
        with self.transaction():
            self.run(sql.FORGET, {"id": hold, "at": at})
            self.run(sql.FORGET_RECIPIENTS, {"id": hold})

    def transitions(self, hold: str) -> list[Transition]:
        """The history of a hold, oldest first."""
        return [_transition(r) for r in self.all(sql.TRANSITIONS, {"hold": hold})]

    def unnoted(self, limit: int = 200) -> list[Transition]:
        """Moves that no sealed note tells of yet."""
        return [_transition(r) for r in self.all(sql.UNNOTED, {"limit": limit})]

    def noted(self, line: Transition) -> None:
        """A sealed note tells of this move now."""
        self.run(sql.NOTED, {"hold": line.hold, "version": line.version})

    def restore(self, line: Transition, hold: Mapping[str, Any], closed: bool) -> None:
        """Take a move from its note (rebuild): the history, and the hold as it stood after it."""
        with self.transaction():
            self.run(sql.ADD_TRANSITION, {k: getattr(line, k) for k in Transition.__slots__})
            self.noted(line)
            values = {name: hold.get(name) for name in RESTORED}
            self.run(sql.RESTORE, {
                **values, "id": line.hold, "state": line.target, "version": line.version, "closed": line.at if closed else None,
            })  # fmt: skip

    def set_key(self, hold: str, key: str) -> None:
        """The object is sealed to another key now."""
        self.run(sql.SET_KEY, {"id": hold, "key": key})

    def advance(self, row: HoldRow, transition: Transition, change: Change, closed: bool) -> HoldRow:
        """Compare-and-set: write the move if the hold is as ``row`` says.  Raises ``Conflict`` if it is not."""
        params = {
            "id": row.id,
            "source": transition.source,
            "target": transition.target,
            "version": row.version,
            "next_try": change.next_try,
            "deadline": row.deadline if change.deadline is None else change.deadline,
            "attempts": row.attempts if change.attempts is None else change.attempts,
            "round": row.round if change.round is None else change.round,
            "release": change.release,
            "closed": transition.at if closed else None,
        }
        with self.transaction():
            if self.run(sql.MOVE, params) != 1:
                raise Conflict(f"hold {row.id} is not {transition.source} at version {row.version} any more")
            self.run(sql.ADD_TRANSITION, {k: getattr(transition, k) for k in Transition.__slots__})
            moved = self.hold(row.id)
        assert moved is not None  # it was updated in this transaction
        return moved

    def states(self) -> dict[str, tuple[int, float]]:
        """How many holds are in each state, and when the oldest was made."""
        return {r["state"]: (r["n"], r["oldest"]) for r in self.all(sql.COUNT_STATES)}

    def _holds(self, statement: str, params: Mapping[str, Any]) -> list[HoldRow]:
        return [self._hold(row) for row in self.all(statement, params)]

    def _hold(self, row: sqlite3.Row) -> HoldRow:
        plain = {name: row[name] for name in _COPIED}
        return HoldRow(
            **plain,
            state=State(row["state"]),
            reasons=tuple(json.loads(row["reasons"])),
            answers=tuple(json.loads(row["answers"])),
            alert=bool(row["alert"]),
            recipients=tuple(r.address for r in self.recipients(row["id"])),
        )


RESTORED = ("next_try", "attempts", "deadline", "round", "release", "key")  # of a hold, carried by the note of a move
_COPIED = (
    "id", "ref", "version", "created", "deadline", "action", "rule", "releases", "key", "sender", "message", "attempts",
    "next_try", "urgency", "notice", "sender_kind", "owner", "complete", "round", "release", "reminded", "escalated", "alarmed",
    "closed", "purged",
)  # fmt: skip


def _transition(row: sqlite3.Row) -> Transition:
    return Transition(**{name: row[name] for name in Transition.__slots__})


def _hold_params(row: HoldRow) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _COPIED},
        "state": row.state.value,
        "reasons": json.dumps(row.reasons),
        "answers": json.dumps(row.answers),
        "alert": int(row.alert),
    }
