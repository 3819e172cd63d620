"""What becomes of an attribute: PS3.15 table E.1-1 under the chosen options, and stricter rules for what the table passes over.

The table lists what identifies; the profile keeps the rest.  Here text that is not listed goes too, unless it is needed to show
the picture: people write anything into any text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from filters.dicom import vr
from filters.dicom.table import ROWS


class Act(Enum):
    """What is done with an element."""

    KEEP = "keep"
    REMOVE = "remove"
    EMPTY = "empty"
    DUMMY = "dummy"
    UID = "uid"
    WORDS = "words"  # only words of ``filters.dicom.words`` stay
    SHIFT = "shift"  # dates move by a secret number of days
    DEEPER = "deeper"  # a sequence, cleaned inside


CLEAN_DESCRIPTORS, FULL_DATES, MODIFIED_DATES, PATIENT, DEVICE, UIDS, INSTITUTION = (
    113105, 113106, 113107, 113108, 113109, 113110, 113112,
)  # fmt: skip
# (letter of the table, option, what it does instead); the first chosen one that fits counts
_LETTERS: tuple[tuple[str, int, Act], ...] = (
    ("p", PATIENT, Act.KEEP), ("v", DEVICE, Act.KEEP), ("u", UIDS, Act.KEEP), ("i", INSTITUTION, Act.KEEP),
    ("f", FULL_DATES, Act.KEEP), ("m", MODIFIED_DATES, Act.SHIFT), ("d", CLEAN_DESCRIPTORS, Act.WORDS),
    ("P", PATIENT, Act.WORDS), ("V", DEVICE, Act.WORDS),
)  # fmt: skip
OPTIONS: Mapping[int, str] = {
    CLEAN_DESCRIPTORS: "Clean Descriptors Option",
    FULL_DATES: "Retain Longitudinal Temporal Information Full Dates Option",
    MODIFIED_DATES: "Retain Longitudinal Temporal Information Modified Dates Option",
    PATIENT: "Retain Patient Characteristics Option",
    DEVICE: "Retain Device Identity Option",
    UIDS: "Retain UIDs Option",
    INSTITUTION: "Retain Institution Identity Option",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    action: str
    letters: str


def _rows() -> Mapping[int, Row]:
    split = (word.split(":") for word in ROWS.split())
    return {int(tag, 16): Row(action, rest[0] if rest else "") for tag, action, *rest in split}


TABLE: Mapping[int, Row] = _rows()

# Binary values that are the picture or belong to it; no other value of these representations stays.
_BINARY = frozenset(
    {
        0x00281201, 0x00281202, 0x00281203, 0x00281204, 0x00281211, 0x00281212, 0x00281213, 0x00281221, 0x00281222, 0x00281223,
        0x00281224, 0x00281408, 0x00282000, 0x00283006, 0x003A032E, 0x00640009, 0x00660016, 0x00660021, 0x00660022, 0x00660023,
        0x00660024, 0x00660025, 0x00660029, 0x00660040, 0x00660041, 0x00660042, 0x00660043, 0x00660103, 0x00660125, 0x00660129,
        0x006A0011, 0x00700256, 0x0070150D, 0x00701808, 0x00701A07, 0x00800010, 0x00800011, 0x00221531, 0x54000110, 0x54000112,
        0x5400100A, 0x54001010, 0x56000010, 0x56000020, 0x7FE00001, 0x7FE00002, 0x7FE00008, 0x7FE00009, 0x7FE00010,
    }
)  # fmt: skip
# Technical texts: they stay as far as their words are known ones (``filters.dicom.words``).
_TECHNICAL = frozenset(
    {
        0x00180024, 0x00180085, 0x00181160, 0x00181180, 0x00181210, 0x00181250, 0x00181251, 0x00189005,
        0x00189020, 0x00189320, 0x00209056, 0x00281054, 0x00281055, 0x00283004, 0x00480106, 0x00541101, 0x00541103, 0x00541105,
        0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080119, 0x00080120,
    }
)  # fmt: skip
# Texts that an object cannot do without (type 1) become a dummy; those that must be there (type 2) become empty.
_NEEDED = frozenset(
    {
        0x00080070, 0x00081090, 0x00181020, 0x00180031, 0x00189005, 0x00209056, 0x00281054, 0x00283003, 0x00283004, 0x00409210,
        0x00480106, 0x00620005, 0x00620009, 0x00700006, 0x00700310, 0x30020002, 0x30020020,
    }
)  # fmt: skip
_EXPECTED = frozenset({0x00540018, 0x00201040, 0x00700081, 0x00181210})
_DEVICE_TEXTS = frozenset(
    {
        0x00080070, 0x00081090, 0x00181003, 0x00181006, 0x00181010, 0x00181016, 0x00181018, 0x00181019, 0x00181020, 0x0018702A,
        0x0018702B,
    }
)  # fmt: skip
# Facts about the patient that the table passes over: all go but how an animal was laid; body mass and girth with the option.
_ORIENTATION = 0x00102210
_BODY = frozenset({0x00101022, 0x00101023, 0x00101024})
_NUMBERS = frozenset({0x002000AA, 0x00201070, 0x00203402})  # of reports, other studies, modified images
_DRAWN = 0x00700001  # graphic annotations: lines can be handwriting
_ACQUISITION_CONTEXT = 0x00400555  # must be there (type 2), but may be empty
_GONE_GROUPS = frozenset({0x0000, 0x0002, 0x0004, 0x0400, 0x4FFE, 0xFFFA, 0xFFFC})
# One dummy number or name for all patients would make one patient of them in an archive.
_NEVER_ALIKE = frozenset({0x00100010, 0x00100020})
# Decay times: a dummy would make viewers compute a wrong uptake; without them they compute none.
_NEVER_DUMMY = frozenset({0x00181072, 0x00181073, 0x00181078, 0x00181079, 0x00189701})


def gone(tag: int) -> bool:
    """Whole groups that never stay: private, overlays, curves, commands, directories, signatures, and what nobody knows."""
    group = tag >> 16
    if group & 1 or group in _GONE_GROUPS or tag & 0xFFFF == 0:
        return True
    return not vr.of(tag) or tag == 0x00880200


def act(tag: int, representation: str, options: frozenset[int]) -> Act:
    """What to do with an attribute that ``gone`` does not name."""
    row = TABLE.get(tag)
    if row is not None:
        return _chosen(row, representation, options) or _basic(tag, row.action, representation)
    if tag >> 16 == 0x0010 and tag != _ORIENTATION:
        return Act.KEEP if tag in _BODY and PATIENT in options else Act.REMOVE
    if tag in _NUMBERS:
        return Act.REMOVE
    if representation == "SQ":
        return Act.DEEPER
    if tag in _DEVICE_TEXTS and DEVICE in options:
        return Act.KEEP
    if tag in _TECHNICAL:
        return Act.WORDS
    if representation in vr.TEXT:
        return _wanting(tag)
    if representation in vr.DATES:
        return Act.REMOVE
    if representation == "UI":
        return Act.KEEP if UIDS in options else Act.UID
    if representation in vr.OPAQUE and tag not in _BINARY:
        return Act.REMOVE
    return Act.KEEP


def without(tag: int) -> Act:
    """What becomes of a text of which no word may stay."""
    row = TABLE.get(tag)
    return _basic(tag, row.action, "LO") if row is not None else _wanting(tag)


def _wanting(tag: int) -> Act:
    if tag in _NEEDED:
        return Act.DUMMY
    return Act.EMPTY if tag in _EXPECTED else Act.REMOVE


def _chosen(row: Row, representation: str, options: frozenset[int]) -> Act | None:
    for letter, option, instead in _LETTERS:
        if option in options and letter in row.letters:
            return Act.DEEPER if representation == "SQ" else instead
    return None


def _basic(tag: int, action: str, representation: str) -> Act:
    """The strictest choice that leaves every kind of object valid: a dummy before empty before nothing."""
    if action == "U" or (representation == "UI" and "D" in action):
        return Act.UID
    if representation == "SQ":
        return _sequence(tag, action)
    if "D" in action and tag not in _NEVER_ALIKE:
        return Act.REMOVE if tag in _NEVER_DUMMY else Act.DUMMY
    if tag in _NEVER_ALIKE:
        return Act.EMPTY
    return Act.EMPTY if "Z" in action else Act.REMOVE


def _sequence(tag: int, action: str) -> Act:
    if tag == _DRAWN:
        return Act.REMOVE
    if action == "D" or "U*" in action:
        return Act.DEEPER
    return Act.REMOVE if "X" in action and tag != _ACQUISITION_CONTEXT else Act.EMPTY
