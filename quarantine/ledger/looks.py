"""Who has looked at what is recorded of an email: from the audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Events of the audit trail by which a person saw something, and the word the page has for it.
EVENTS: Final = ("shown", "looked", "emergency-shown", "consent-shown", "form-shown")


@dataclass(frozen=True, slots=True)
class Look:
    """One look."""

    at: float
    who: str
    what: str  # the event, or the command


def of(audit: Path, needles: Iterable[str]) -> tuple[tuple[Look, ...], bool]:
    """Looks at anything that ``needles`` name (ids, references, digests, keyed hashes), and whether the trail could be read."""
    wanted = [needle.encode() for needle in needles if len(needle) >= 8]
    try:
        with audit.open("rb") as lines:
            found = [look for line in lines if any(one in line for one in wanted) for look in _look(line)]
    except OSError:
        return (), False
    return tuple(found), True


def _look(line: bytes) -> Iterable[Look]:
    try:
        told = json.loads(line)
    except ValueError:
        return ()  # cut short by a crash; ``clinigate`` checks the chain elsewhere
    if told.get("event") not in EVENTS:
        return ()
    return (Look(float(told["at"]), str(told.get("actor", "")), str(told.get("what") or told["event"])),)
