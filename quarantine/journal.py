"""The gateway's journal, read by offset: who has written to whom, recurring inline images, scrubbed hashes, refusals of consent.

Only lines with ``event: message`` are looked at: ``record.sender``, ``record.recipients[].address`` (keyed hashes, in the order
of ``recipients[].state``), ``record.inline``, ``record.images`` and ``record.patients``; all optional.  Statements of consent:
``quarantine.consents.statements``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from quarantine.consents import statements
from quarantine.deadlines import OfficeHours
from quarantine.records import Records
from quarantine.reports.tallies import Tally

_BLOCK = 1 << 22
_GONE = frozenset({"delivered", "passed"})
_HASH = re.compile(r"[0-9a-f]{32,64}")


def read_journal(folder: Path, records: Records, office: OfficeHours | None = None) -> int:
    """Read what is new, and count it for the reports by the days of ``office``; how many events.

    Raises sqlite3.Error; a segment that cannot be read is left for the next time.
    """
    count = 0
    for segment in sorted(folder.glob("*.jsonl")):
        try:
            count += _segment(segment, records, office or OfficeHours())
        except OSError:
            continue  # rotated away or not ours to read yet: tried again
    return count


def _segment(path: Path, records: Records, office: OfficeHours) -> int:
    offset = records.journal_offset(path.name)
    if path.stat().st_size <= offset:
        return 0
    count = 0
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(_BLOCK):
            if b"\n" not in block:
                block += file.readline()  # many pictures to many people make a long line
            whole, end, _ = block.rpartition(b"\n")
            if not end:
                break  # a line that is still being written
            tally = Tally(office, path.name)
            with records.transaction():  # offset and facts together: each event counts once
                for event in map(_message, whole.split(b"\n")):
                    if event is not None:
                        count += _event(event, records)
                        tally.take(event)
                tally.write(records)
                offset += len(whole) + 1
                records.set_journal_offset(path.name, offset)
            file.seek(offset)
    return count


def _message(line: bytes) -> dict[str, Any] | None:
    """The event of a line if it is about a message."""
    try:
        event: Any = json.loads(line)
    except ValueError:
        return None  # cut short by a crash; the journal goes on in the next line
    if not isinstance(event, dict) or event.get("event") != "message" or not isinstance(event.get("record"), dict):
        return None
    return event


def _event(event: dict[str, Any], records: Records) -> int:
    record = event["record"]
    at = float(event["at"]) if isinstance(event.get("at"), int | float) else 0.0
    sender = record.get("sender")
    known = _dicts(record.get("recipients"))
    if isinstance(sender, str) and _HASH.fullmatch(sender):
        for recipient, fate in zip(known, _dicts(event.get("recipients")), strict=False):
            if _HASH.fullmatch(str(recipient.get("address"))) and (fate.get("state") or fate.get("outcome")) in _GONE:
                records.add_pair(sender, str(recipient["address"]), at)
        for image in sorted(set(_hashes(record.get("inline")))):
            records.add_inline(image, sender)
    for pair in _dicts(record.get("images")):
        original, scrubbed = str(pair.get("sha256")), str(pair.get("scrubbed"))
        if _HASH.fullmatch(original) and _HASH.fullmatch(scrubbed) and original != scrubbed:
            records.add_scrubbed(original, scrubbed)
    records.consent_add(statements.entries(event))
    for one, subjects in statements.seen(event):
        records.statement_add(one, subjects)
    return 1


def _dicts(values: object) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _hashes(values: object) -> list[str]:
    return [v for v in values if isinstance(v, str) and _HASH.fullmatch(v)] if isinstance(values, list) else []
