"""Letters that a later word of the patient has overtaken: they would ask for what nobody wants any more."""

from __future__ import annotations

from collections.abc import Iterable

from quarantine.consents import recalls
from quarantine.consents.model import Entry
from quarantine.consents.recalls import Recall
from quarantine.records import Records


def overtaken(records: Records, letter: Recall) -> bool:
    """True if nothing of what the letter rests on is on file any more.  A limit leaves it to IG."""
    said = records.consent_event(letter.event)
    stands = dict(records.consents_in_force())
    return bool(said) and not any(entry.subject in stands for entry in said)


def about(records: Records, entries: Iterable[Entry]) -> list[Recall]:
    """Letters about these subjects that have just been overtaken, drafts and sent ones."""
    events = {old.event for entry in entries for old in records.consent_history(entry.subject)}
    found = [one for event in sorted(events) for one in recalls.of_event(records, event)]
    return [one for one in found if one.state != recalls.DROPPED and overtaken(records, one)]
