"""What the consent register says of a patient or of one picture, and which uses it leaves.

A refusal or withdrawal leaves none.  A limit leaves the uses it names: "record" stands for the patient's own care, an emergency
and what the patient asks for; the other words of a scope for what they say.  Where no use is named it is taken for care, since
no rule lets a picture go for anything else unsaid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from policies.model import Facts, OnFile
from policies.vocabulary import PURPOSE_ROWS, PURPOSES

ENDING: Final = frozenset({"refused", "withdrawn"})
STATUSES: Final = ("refused", "withdrawn", "limited")
_CARE: Final = frozenset({"care", "emergency", "patient"})
SCOPES: Final[Mapping[str, frozenset[str]]] = {
    "record": _CARE,
    "teaching": frozenset({"training"}),
    "research": frozenset({"research"}),
    "publication": frozenset({"publication"}),
}
_RANK: Final = {"limited": 0, "refused": 1, "withdrawn": 2}


def uses(scope: Iterable[str], purposes: Iterable[str]) -> frozenset[str]:
    """The purposes (rows of the matrix) that a limit leaves; words that are not known leave nothing."""
    found: set[str] = set()
    for word in scope:
        found |= SCOPES.get(word, frozenset())
    for word in purposes:
        named = PURPOSES.get(word, word)
        found |= _CARE if named == "care" else {named} & PURPOSE_ROWS.keys()
    return frozenset(found)


def combined(found: Iterable[OnFile]) -> OnFile | None:
    """What holds where several stand: a refusal beats a limit, the first day is told, limits leave what all of them leave."""
    standing = sorted(found, key=lambda one: (-_RANK[one.status], one.since or date.max))
    if not standing or standing[0].ends:
        return standing[0] if standing else None
    left = frozenset.intersection(*(one.uses for one in standing))
    return OnFile("limited", standing[0].since, left)


def allows(on_file: OnFile | None, purpose: str) -> bool:
    """Whether what is on file leaves this use (a row of the matrix)."""
    if on_file is None:
        return True
    return not on_file.ends and ("care" if purpose == "none" else purpose) in on_file.uses


def to_record(on_file: OnFile | None) -> dict[str, Any] | None:
    """As JSON."""
    if on_file is None:
        return None
    since = on_file.since.isoformat() if on_file.since else None
    return {"status": on_file.status, "since": since, "uses": sorted(on_file.uses)}


def from_record(record: Mapping[str, Any] | None) -> OnFile | None:
    """What ``to_record`` wrote; None also where an older record says nothing.  Raises KeyError or ValueError."""
    if record is None:
        return None
    if record["status"] not in STATUSES:
        raise ValueError("a status that the consent register does not know")
    since = date.fromisoformat(record["since"]) if record["since"] else None
    return OnFile(record["status"], since, frozenset(str(one) for one in record["uses"]))


def noted(facts: Facts) -> date | None:
    """The first day on which a no was noted that stops this message, None when none is on file or nobody wrote the day down."""
    found = [facts.on_file, *(image.on_file for image in facts.images)]
    return min((one.since for one in found if one is not None and one.ends and one.since is not None), default=None)
