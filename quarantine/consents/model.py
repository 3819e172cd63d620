"""The words of the consent register: subjects, entries, what stands, statements seen.

A subject is "patient:" and the keyed hash of an identifier, or "image:" and the SHA-256 of a picture, as received or as sent.
Entries are only ever added; of one subject the latest counts, of two of the same moment the stricter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

REFUSED, WITHDRAWN, LIMITED, RESTORED = "refused", "withdrawn", "limited", "restored"
# Stricter is greater: of two entries of the same moment the greater one counts.
RANK: Final[Mapping[str, int]] = {RESTORED: 0, LIMITED: 1, REFUSED: 2, WITHDRAWN: 3}
ENDING: Final = frozenset({REFUSED, WITHDRAWN})  # nothing goes

# How an entry came here.
BY_COMMAND, BY_IMAGE, BY_MAIL, BY_STATEMENT = "command", "image", "mail", "statement"
SOURCES: Final[Mapping[str, str]] = {
    BY_COMMAND: "the patient was named on the command line",
    BY_IMAGE: "a picture was given on the command line",
    BY_MAIL: "an email was named on the command line",
    BY_STATEMENT: "an email",
}
SYSTEM: Final = "service"  # the actor of entries that a statement in a mail made

_SUBJECT: Final = re.compile(r"patient:[0-9a-f]{32}|image:[0-9a-f]{64}")
CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # a reason: kept and shown, never free text


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the register.  ``event`` ties together what was noted at once (a patient and the patient's pictures)."""

    event: str
    subject: str
    status: str
    since: float  # from when the patient's word counts, POSIX
    noted: float  # when it was written down, POSIX
    actor: str  # login name of the staff, or ``SYSTEM``
    role: str
    reason: str  # a code
    source: str
    scope: tuple[str, ...] = ()  # of ``limited``: record, teaching, research, publication
    purposes: tuple[str, ...] = ()  # of ``limited``: purposes as a policy's rules name them
    id: str = ""  # made from the event, subject and status

    def __post_init__(self) -> None:
        if self.status not in RANK or not is_subject(self.subject):
            raise ValueError("no entry of the consent register")
        object.__setattr__(self, "id", self.id or digest(self.event, self.subject, self.status))

    @property
    def patient(self) -> bool:
        """About a patient, not about one picture."""
        return self.subject.startswith("patient:")


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands for one subject now.  ``status``: refused | withdrawn | limited; a restored one stands for nothing."""

    status: str
    since: float
    scope: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    @property
    def ends(self) -> bool:
        """Nothing may go."""
        return self.status in ENDING


@dataclass(frozen=True, slots=True)
class Seen:
    """One statement seen in a mail.  ``sender`` is a keyed hash, ``fates`` what became of the copies (delivered, held ...)."""

    id: str
    message: str
    outcomes: tuple[str, ...]
    at: float
    sender: str
    status: str
    form: str
    given_by: str
    purpose: str
    scope: tuple[str, ...]
    dated: str
    expires: str
    fates: tuple[str, ...]


def patient(reference: str) -> str:
    """The subject of a patient, from the keyed hash of an identifier."""
    return f"patient:{reference}"


def image(sha256: str) -> str:
    """The subject of one picture."""
    return f"image:{sha256}"


def is_subject(text: str) -> bool:
    """True for what can stand in the register."""
    return _SUBJECT.fullmatch(text) is not None


def digest(*words: str) -> str:
    """32 hex digits naming these words."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:32]


def to_meta(entry: Entry) -> dict[str, Any]:
    """An entry as JSON."""
    return {
        "id": entry.id, "event": entry.event, "subject": entry.subject, "status": entry.status, "since": entry.since,
        "noted": entry.noted, "actor": entry.actor, "role": entry.role, "reason": entry.reason, "source": entry.source,
        "scope": list(entry.scope), "purposes": list(entry.purposes),
    }  # fmt: skip


def from_meta(meta: Mapping[str, Any]) -> Entry:
    """The entry of ``to_meta``.  Raises KeyError, TypeError or ValueError for what is none."""
    words = {name: str(meta[name]) for name in ("id", "event", "subject", "status", "actor", "role", "reason", "source")}
    return Entry(
        **words,
        since=float(meta["since"]),
        noted=float(meta["noted"]),
        scope=tuple(str(one) for one in meta["scope"]),
        purposes=tuple(str(one) for one in meta["purposes"]),
    )
