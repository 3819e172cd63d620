"""Step 11 looks once more for withdrawals, just before anything leaves: consent may have gone while the message was worked on."""

from __future__ import annotations

from dataclasses import replace

from gateway.model import Hold, Plan, Received
from gateway.plans import recorded
from policies.model import Mode
from quarantine.snapshot import Snapshot

RULE = "withdrawn"


class SnapshotWithdrawals:
    """``gateway.commit.Withdrawals`` over the snapshot.  Only plans that name a patient reference are affected."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def still_allowed(self, plan: Plan, received: Received) -> Plan:
        """The plan, or one that holds every copy carrying images of a patient who has withdrawn."""
        patients = plan.record.get("patients", ())
        if not patients or not self._snapshot.withdrawn_hashes(patients):
            return plan
        stopped = tuple(index for copy in plan.copies for index in copy.recipients if _enforced(plan, index))
        if not stopped:
            return plan
        left = [
            replace(copy, recipients=tuple(index for index in copy.recipients if index not in stopped)) for copy in plan.copies
        ]
        return replace(plan, copies=tuple(copy for copy in left if copy.recipients), holds=(*plan.holds, _hold(stopped)))


def _enforced(plan: Plan, index: int) -> bool:
    """Observe and advise hold nothing."""
    return recorded(plan, index).get("mode") not in (Mode.OBSERVE.value, Mode.ADVISE.value)


def _hold(recipients: tuple[int, ...]) -> Hold:
    return Hold(recipients, "QUARANTINE", RULE, (RULE,), "review", "ig", "N-2")
