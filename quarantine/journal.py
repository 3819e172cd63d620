"""The gateway's journal, read by offset: who has written to whom, and which inline images a sender sends again and again.

Only events of kind ``message`` are looked at: ``sender_hash``, ``recipient_hashes`` (of those delivered) and ``inline`` (SHA-256 of
inline images), all optional; the hashes are ``KeyedHash.address``.  A segment that is gone is read no further.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from quarantine.records import Records

_BLOCK = 1 << 22
_HASH = re.compile(r"[0-9a-f]{32,64}")


def read_journal(folder: Path, records: Records) -> int:
    """Read what is new; how many events.  Raises sqlite3.Error; a segment that cannot be read is left for the next time."""
    count = 0
    for segment in sorted(folder.glob("*.jsonl")):
        try:
            count += _segment(segment, records)
        except OSError:
            continue  # rotated away or not ours to read yet: tried again
    return count


def _segment(path: Path, records: Records) -> int:
    offset = records.journal_offset(path.name)
    if path.stat().st_size <= offset:
        return 0
    count = 0
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(_BLOCK):
            whole, _, _ = block.rpartition(b"\n")
            if not whole and b"\n" not in block:
                break  # a line that is still being written
            with records.transaction():  # offset and facts together: each event counts once
                for line in whole.split(b"\n"):
                    count += _event(line, records)
                offset += len(whole) + 1
                records.set_journal_offset(path.name, offset)
            file.seek(offset)
    return count


def _event(line: bytes, records: Records) -> int:
    try:
        event: Any = json.loads(line)
    except ValueError:
        return 0  # cut short by a crash; the journal goes on in the next line
    if not isinstance(event, dict) or event.get("kind") != "message":
        return 0
    sender, at = event.get("sender_hash"), event.get("at")
    if not isinstance(sender, str) or not _HASH.fullmatch(sender):
        return 0
    for recipient in _hashes(event.get("recipient_hashes")):
        records.add_pair(sender, recipient, float(at) if isinstance(at, int | float) else 0.0)
    for image in set(_hashes(event.get("inline"))):
        records.add_inline(image, sender)
    return 1


def _hashes(values: object) -> Iterable[str]:
    if not isinstance(values, list):
        return ()
    return [value for value in values if isinstance(value, str) and _HASH.fullmatch(value)]
