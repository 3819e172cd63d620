"""Which notices a hold or an outcome promises: rows for the outbox.  Rendering and sending are the notices' business.

One notice a message and state change; who is told stands in the outcome (``tell``) or follows from the kind of sender
(RFC 3834 2: nobody answers a null sender or an automatic message; its owner is told instead).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarantine import roles
from quarantine.model import HoldRow, State
from quarantine.records import Records

# The strictest of a message's notices names its row; the renderer tells about every recipient.
STRICTEST = ("N-4", "N-7", "N-1", "N-2", "N-6", "N-5", "N-3", "N-3-note")
NOTE = "N-3-note"  # advice about an email without a picture: not again to the same sender for a while
DESK_EVERY = 600.0  # who decides is told of new holds at most this often: one mail names all of these minutes
PUT_OFF = "put-off"  # the N-7 of a decided release; it says nothing once that is over
DEFERRED_TOLD_AFTER = 900.0  # most temporary failures pass in minutes; after these the sender must know


def addressee(sender_kind: str, sender: str, owner: str, reasons: tuple[str, ...] = ()) -> tuple[str, str]:
    """(address, role) of whoever is told about a message.  An empty address is the role's mailbox of the settings."""
    if sender_kind == "person" and sender:
        return sender, "sender"
    if "@" in owner:
        return owner, "owner"
    if owner in (roles.IG, roles.MAIL_ADMIN, "postmaster"):
        return "", owner
    technical = bool(reasons) and roles.role_of_reason(reasons[0]) == roles.MAIL_ADMIN
    return "", "postmaster" if technical or not reasons else roles.IG


def strictest(notices: list[str]) -> str:
    """The notice that names the row; one that is not in the table comes before all."""
    return min(notices, key=lambda code: STRICTEST.index(code) if code in STRICTEST else -1)


def outcome_told(
    records: Records, outcome: str, merge: str, meta: Mapping[str, Any], now: float, window: float, note_every: float = 0.0
) -> None:
    """Promise what an outcome says: one notice to the sender or owner, one report (RFC 3464) for what failed.

    ``note_every``: seconds within which nobody gets a second note about an email without a picture.
    """
    lines = [line for line in meta.get("recipients", ()) if isinstance(line, Mapping)]
    sender = str(meta.get("envelope", {}).get("sender", ""))
    kind, owner, message = str(meta.get("sender_kind", "person")), str(meta.get("owner", "")), str(meta.get("message", ""))
    told = [line for line in lines if line.get("tell", "sender") != "nobody"]
    notices = [str(line["notice"]) for line in told if line.get("notice") and line.get("kind", "notice") == "notice"]
    if notices and not _noted(records, strictest(notices), sender, now - note_every):
        to, role = addressee(kind, sender, owner, tuple(str(r) for line in told for r in line.get("reasons", ())))
        records.outbox_add(
            strictest(notices),
            to=to,
            role=role,
            due=now + window,
            message=message,
            merge=merge,
            dedup=f"outcome:{outcome}",
            now=now,
        )
    if any(line.get("kind") == "dsn" for line in told):
        to, role = addressee(kind, sender, owner)
        records.outbox_add(
            "dsn",
            to=to,
            role=role,
            due=now,
            message=message,
            merge=merge,
            dedup=f"dsn:{outcome}",
            now=now,
            detail={"outcome": outcome},
        )


def _noted(records: Records, notice: str, sender: str, since: float) -> bool:
    """Has this sender had a note lately?"""
    last = records.outbox_last(NOTE, sender) if notice == NOTE else None
    return last is not None and last > since


def hold_told(records: Records, row: HoldRow, now: float) -> None:
    """Promise what a new hold needs beside its outcome's notice: who decides, the person on call, word of a longer delay."""
    if row.alert:
        told(records, row, "alert", "on-call", now, f"alert:{row.id}")
    if row.state is State.QUARANTINED:
        desk = roles.desk(row.releases, row.reasons)
        told(records, row, "desk", desk, (now // DESK_EVERY + 1) * DESK_EVERY, f"desk:{row.id}")
    if row.state is State.DEFERRED:
        due = now if row.urgency == "urgent" else row.created + DEFERRED_TOLD_AFTER
        to, role = addressee(row.sender_kind, row.sender, row.owner, row.reasons)
        records.outbox_add(
            "N-7", to=to, role=role, due=due, message=row.message, hold=row.id, dedup=f"deferred:{row.id}", now=now,
            detail={"state": row.state.value, "variant": "retry", "deadline": row.deadline},
        )  # fmt: skip


def put_off_told(records: Records, row: HoldRow, now: float, urgent: bool) -> None:
    """What was decided does not get through: whoever thinks that it has gone must know, unless it soon has."""
    due = now if urgent else now + DEFERRED_TOLD_AFTER
    told(records, row, "N-7", "sender", due, f"put-off:{row.id}:{row.round}", variant=PUT_OFF)


def told(records: Records, row: HoldRow, kind: str, role: str, now: float, dedup: str, **detail: Any) -> None:
    """Promise a notice about one hold; ``role`` sender means whoever is told instead of a machine, too."""
    to, role = addressee(row.sender_kind, row.sender, row.owner, row.reasons) if role == "sender" else ("", role)
    records.outbox_add(
        kind, to=to, role=role, due=now, message=row.message, hold=row.id, dedup=dedup, now=now,
        detail={"state": row.state.value, "deadline": row.deadline, **detail},
    )  # fmt: skip


def decided_told(records: Records, row: HoldRow, now: float, **detail: Any) -> None:
    """N-5: what became of a hold in the end (released, refused, expired, deleted)."""
    told(records, row, "N-5", "sender", now, f"N-5:{row.id}:{row.state.value}", **detail)


def expired_told(records: Records, row: HoldRow, now: float) -> None:
    """A hold whose time was over: N-7 for what we could not deliver, N-5 for what nobody answered or decided."""
    if row.action == "DEFERRED":
        told(records, row, "N-7", "sender", now, f"expired:{row.id}", variant="failed")
        return
    decided_told(records, row, now)
