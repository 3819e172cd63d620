"""What is kept how long after a hold has ended: content is erased first, names later; codes and history stay."""

from __future__ import annotations

from datetime import UTC, datetime

from quarantine.audit import Audit
from quarantine.consents import recalls
from quarantine.consents.sealed import letter_id
from quarantine.emergencies import notes as case_notes
from quarantine.emergencies.cases import Cases
from quarantine.model import ObjectKind
from quarantine.notes import note_id
from quarantine.records import Records
from quarantine.reports import tallies
from quarantine.settings import Retention
from quarantine.stores.api import Place, Store

DAY = 86400.0
ERASED = 8192  # header and wrapped key: without them the rest of the file is noise


def purge(store: Store, records: Records, audit: Audit, retention: Retention, now: float) -> int:
    """One round; how many things were erased or blanked.  Raises StoreError, sqlite3.Error, OSError: tried again."""
    count = 0
    for row in records.purgeable(now - retention.content_days * DAY):
        store.delete(row.id, ObjectKind.HOLD, Place.HELD, erase=ERASED)
        records.mark(row.id, "purged", now)
        audit.purged(row)
        count += 1
    before = now - retention.records_days * DAY
    for row in records.forgettable(before):
        for line in records.transitions(row.id):  # the notes name people
            store.delete(note_id(row.id, line.version), ObjectKind.OUTCOME, Place.HELD, erase=ERASED)
        audit.forgotten(row)
        records.forget(row.id, now)
        count += 1
    for outcome in records.old_outcomes(before):
        store.delete(outcome, ObjectKind.OUTCOME, Place.HELD, erase=ERASED)
        records.drop_outcome(outcome)
        count += 1
    records.drop_disclosures(min(before, now - retention.ledger_days * DAY), now)
    records.drop_fingerprints(before)
    records.drop_statements(before)
    count += _forget_letters(store, records, audit, before, now)
    tallies.forget(records, datetime.fromtimestamp(now, UTC).date())
    return count + _forget_cases(store, records, audit, before, now) + records.outbox_forget(before)


def _forget_letters(store: Store, records: Records, audit: Audit, before: float, now: float) -> int:
    """Letters of long ago to recipients: their addresses go, with the sealed object.  The consent register itself is kept."""
    waiting = recalls.forgettable(records, before)
    for letter in waiting:
        store.delete(letter_id(letter), ObjectKind.OUTCOME, Place.HELD, erase=ERASED)
        audit.consent("recall-forgotten", "service", recall=letter.id, who=letter.recipient)
        recalls.forget(records, letter, now)
    return len(waiting)


def _forget_cases(store: Store, records: Records, audit: Audit, before: float, now: float) -> int:
    """Emergencies that were reviewed long ago: addresses and the sealed reason go, with the notes that hold them."""
    cases = Cases(records)
    waiting = cases.forgettable(before)
    for case in waiting:
        for version in range(1, case.version + 1):
            store.delete(case_notes.note_id(case.id, version), ObjectKind.OUTCOME, Place.HELD, erase=ERASED)
        audit.emergency("emergency-forgotten", case.id, case.ref, case.sender)
        cases.forget(case, now)
    return len(waiting)
