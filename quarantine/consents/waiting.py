"""Held mail under a patient who says no: it is refused at once, its copy erased, its sender told (N-4)."""

from __future__ import annotations

from typing import Final

from quarantine import promises
from quarantine.audit import Audit
from quarantine.consents.ending import SAID_NO, reason
from quarantine.consents.naming import Named
from quarantine.model import HoldRow, ObjectKind, State
from quarantine.records import Records
from quarantine.release import end_recipients
from quarantine.retention import ERASED
from quarantine.schema import consents as sql
from quarantine.state import Event, move
from quarantine.stores.api import Place, Store

_STOPPED: Final = (State.ASKED, State.QUARANTINED, State.DEFERRED)  # what is being sent meets the register on its way


def waiting(records: Records, named: Named) -> list[HoldRow]:
    """Open holds with one of these pictures, or of a mail that names one of these patients."""
    images, patients = frozenset(named.images), frozenset(named.patients)
    return [
        row
        for row in records.open_holds()
        if row.state in _STOPPED and (images & records.hold_images(row.id) or patients & _patients(records, row))
    ]


def refuse(records: Records, audit: Audit, rows: list[HoldRow], user: str, role: str, since: float, now: float) -> None:
    """End these holds.  Raises ``Conflict`` or ``NotAllowed``: then nothing at all is noted, and it is tried again."""
    for row in rows:
        moved = move(records, row, Event.REFUSE, user, role, now, reason=reason(since))
        end_recipients(records, row.id, "refused")
        promises.decided_told(records, moved, now, reason=SAID_NO)
        audit.decided(moved, Event.REFUSE, user, role, reason(since))


def erase(records: Records, store: Store, audit: Audit, now: float) -> int:
    """Erase the copies of what was ended so (the notice says that none is kept); how many.  Raises StoreError: tried again."""
    ids = [str(row["id"]) for row in records.all(sql.NOT_ERASED, {"reason": f"{SAID_NO}.%"})]
    for hold in ids:
        row = records.hold(hold)
        if row is not None:
            store.delete(hold, ObjectKind.HOLD, Place.HELD, erase=ERASED)
            records.mark(hold, "purged", now)
            audit.purged(row)
    return len(ids)


def _patients(records: Records, row: HoldRow) -> frozenset[str]:
    outcomes = records.outcomes(row.message) if row.message else []
    return frozenset(str(one) for outcome in outcomes for one in outcome.meta.get("patients") or ())
