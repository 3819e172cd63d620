"""Step 11 looks at the consent register once more, just before anything leaves: a word may have come meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from gateway.facts import standing
from gateway.model import Hold, Plan, Received
from gateway.plans import recorded
from policies.features import LIMITED_USE
from policies.model import Kind, Mode, OnFile, RecipientClass
from policies.onfile import allows
from policies.vocabulary import PURPOSES
from quarantine.consents.model import Standing, image, patient

RULE: Final = "withdrawn"
_UNTOUCHED: Final = RecipientClass.ARCHIVE.value  # the organisation's own archive gets everything as it came


class Register(Protocol):
    """The part of ``quarantine.snapshot.Snapshot`` that is asked."""

    def standing(self, subjects: Sequence[str]) -> list[Standing] | None:
        """What stands for these subjects; None when it cannot be known."""


class SnapshotWithdrawals:
    """``commit.Withdrawals`` over the snapshot.  Only plans that name a patient or bear a clinical picture matter."""

    def __init__(self, snapshot: Register) -> None:
        self._snapshot = snapshot

    async def still_allowed(self, plan: Plan, received: Received) -> Plan:
        """The plan, or one that holds every copy that what is on file now keeps.  Unknown was a fact of the decision already."""
        subjects = _subjects(plan)
        on_file = standing(self._snapshot.standing(subjects)) if subjects else None
        if on_file is None:
            return plan
        stopped = tuple(index for copy in plan.copies for index in copy.recipients if _keeps(on_file, recorded(plan, index)))
        if not stopped:
            return plan
        left = [
            replace(copy, recipients=tuple(index for index in copy.recipients if index not in stopped)) for copy in plan.copies
        ]
        held = _hold(stopped, RULE if on_file.ends else LIMITED_USE)
        return replace(plan, copies=tuple(copy for copy in left if copy.recipients), holds=(*plan.holds, held))


def _subjects(plan: Plan) -> list[str]:
    """The patients a plan names and its pictures, as the register calls them."""
    patients, images = plan.record.get("patients", ()), plan.record.get("images", ())
    return [*map(patient, patients), *(image(one["sha256"]) for one in images if one.get("sha256"))]


def _keeps(on_file: OnFile, line: Mapping[str, Any]) -> bool:
    """Whether what is on file keeps this recipient's copy.  Observe and advise hold nothing; a letter bears no picture.

    A limit that was on file when the mail was decided has been weighed there, with whatever a reviewer accepted.
    """
    if line.get("mode") in (Mode.OBSERVE.value, Mode.ADVISE.value) or line.get("kind") == Kind.NONE.value:
        return False
    if line.get("class") == _UNTOUCHED:
        return False
    if on_file.ends:
        return True
    facts = line.get("facts", {})
    known = [facts.get("on_file"), *(one.get("on_file") for one in facts.get("images", ()))]
    if any(known) or line.get("class") == RecipientClass.OWN.value:
        return False
    return not allows(on_file, PURPOSES.get(str(line.get("purpose")), "none"))


def _hold(recipients: tuple[int, ...], reason: str) -> Hold:
    return Hold(recipients, "QUARANTINE", RULE, (reason,), "review", "ig", "N-1")
