"""The figures of one week and of a report.  Counts, spans in seconds, codes; people are keyed hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from quarantine.reports.tallies import Missing
from quarantine.reports.week import Week

WEEKS = 12  # a report shows so many


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long holds that one desk decides waited until they went; seconds."""

    desk: str  # sender | ig | mail-admin | two-person | service (what was only put off)
    count: int
    median: float
    most: float  # nine in ten waited no longer
    longest: float


@dataclass(frozen=True, slots=True)
class Emergencies:
    """What became of the emergencies of one week, as known when the report was made."""

    used: int = 0
    in_time: int = 0
    late: int = 0
    overdue: int = 0  # still not reviewed, and the time for it is over
    waiting: int = 0  # not reviewed, and still time
    not_justified: int = 0
    told: int = 0  # the patient has been told


@dataclass(frozen=True, slots=True)
class Figures:
    """One week.  ``known``: False where nothing was counted yet (before the first event)."""

    week: Week
    known: bool
    mail: Mapping[str, int]  # plain | pictures | failure
    fates: Mapping[str, int]
    modes: Mapping[str, int]
    reasons: Mapping[str, int]
    held: int
    held_for: Mapping[str, int]  # reason code -> holds that have it
    ended: Mapping[str, int]  # RELEASED | REFUSED | EXPIRED | DELETED
    waits: tuple[Waiting, ...]
    open: int  # when the week was over (or now)
    oldest: float | None  # age of the oldest of them, seconds
    emergencies: Emergencies
    pictures: int
    located: int  # of them with a position
    senders_located: int
    groups: Mapping[str, tuple[int, int]]  # sender group -> (pictures, with a position)
    first_time: int
    disclosed: int  # messages that brought a picture to somebody
    unnamed: int  # of them without a patient's reference
    not_patient: Mapping[str, tuple[int, int]] = field(repr=False)  # keyed hash -> (NOT PATIENT, messages with pictures)
    notices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DomainLine:
    """One domain that IG should look at.  ``day``: last picture, or the end of its approval; None: never."""

    name: str
    day: date | None
    words: str


@dataclass(frozen=True, slots=True)
class Register:
    """What the register says on the day of the report; ``known`` False when it could not be read."""

    known: bool = False
    unused: tuple[DomainLine, ...] = ()
    due: tuple[DomainLine, ...] = ()
    unused_days: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Twelve weeks, oldest first; the last is the one the report is about."""

    weeks: tuple[Figures, ...]
    made: float
    organisation: str
    zone: str
    began: date | None  # first day anything was counted on
    over: bool  # the week has ended
    missing: tuple[Missing, ...]
    register: Register
    names: Mapping[str, str] = field(default_factory=dict, repr=False)  # keyed hash -> address, only where IG asked

    @property
    def now(self) -> Figures:
        """The week the report is about."""
        return self.weeks[-1]
