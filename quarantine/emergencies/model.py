"""The words of a break-glass review: the case, whom it went to, what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from quarantine.deadlines import OfficeHours

ANSWERED: Final = "answered.emergency"  # why a hold moved whose sender answered EMERGENCY
REASON: Final = "consent.emergency"  # the reason code of a decision that the emergency word carried
REASON_LETTERS: Final = 10  # a reason shorter than this is none (domain/04 4.6); policies says the same, a test compares
SPAN: Final = 30 * 86400.0  # how far back one sender's emergencies are counted
VERDICTS: Final = ("justified", "not-justified")


@dataclass(frozen=True, slots=True)
class Party:
    """One address that got the email on the emergency word.  ``at``: POSIX seconds."""

    address: str = field(repr=False)
    cls: str
    rule: str
    method: str
    at: float


@dataclass(frozen=True, slots=True)
class Case:
    """One email that went on the emergency word.  ``reason`` is sealed to ``review``; "" where none was kept."""

    id: str
    ref: str
    hold: str  # the hold it was released from; "" when it went at once
    merge: str  # the same for all copies of one email as its sender sees it
    sender: str = field(repr=False)
    at: float
    due: float  # when the review must be done: the end of the next working day
    way: str  # subject | header | body | part | release | reply | form | ig: where the word stood, or who let it go
    reason: str = field(repr=False)
    version: int
    verdict: str = ""  # justified | not-justified; "" until reviewed
    reviewer: str = ""
    reviewed: float | None = None
    informed: str = ""  # ISO date on which the patient was told; "" while not
    code: str = ""  # note code
    reminded: float | None = None
    escalated: float | None = None
    forgotten: float | None = None

    def overdue(self, now: float) -> bool:
        """Nobody has reviewed it in time."""
        return self.reviewed is None and now > self.due


@dataclass(frozen=True, slots=True)
class Terms:
    """What opening a case needs of the settings."""

    office: OfficeHours
    per_sender: int  # emergencies of one sender in ``SPAN`` above which IG is told
