"""Step 11 looks once more for withdrawals, just before anything leaves: consent may have gone while the message was worked on."""

from __future__ import annotations

from dataclasses import replace

from gateway.model import Hold, Plan, Received
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
        kept = tuple(copy for copy in plan.copies if copy.method == "observe")
        stopped = tuple(index for copy in plan.copies if copy.method != "observe" for index in copy.recipients)
        return replace(plan, copies=kept, holds=(*plan.holds, _hold(stopped))) if stopped else plan


def _hold(recipients: tuple[int, ...]) -> Hold:
    return Hold(recipients, "QUARANTINE", RULE, (RULE,), "review", "ig", "N-2")
