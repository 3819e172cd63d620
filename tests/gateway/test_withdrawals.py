"""Consent that goes while a message is worked on stops it, where mail is enforced."""

from __future__ import annotations

import pytest

from gateway.exitcheck import adopt
from gateway.model import Copy, Plan
from gateway.withdrawals import SnapshotWithdrawals
from tests.support.contexts import COLLEAGUE, HOSPICE, STRANGER, received

pytestmark = pytest.mark.unit

MAIL = received(b"From: a@b.example\r\n\r\n", COLLEAGUE, HOSPICE, STRANGER)
DATA = adopt(b"x", "Cleared")


class Snapshot:
    def __init__(self, answer: bool | None) -> None:
        self.answer, self.asked = answer, []  # type: ignore[var-annotated]  # what it was asked

    def withdrawn_hashes(self, patients: object) -> bool | None:
        self.asked.append(patients)
        return self.answer


def plan(*modes: str, patients: tuple[str, ...] = ("hash",)) -> Plan:
    record = {"patients": list(patients), "recipients": [{"mode": mode} for mode in modes]}
    return Plan((Copy((0, 1), DATA, "secure", "route"), Copy((2,), DATA, "default", "none")), record=record)


async def after(made: Plan, answer: bool | None) -> Plan:
    return await SnapshotWithdrawals(Snapshot(answer)).still_allowed(made, MAIL)  # type: ignore[arg-type]  # stands for the real one


async def test_a_withdrawal_holds_every_copy_for_ig() -> None:
    made = await after(plan("enforce", "enforce", "enforce"), True)
    assert made.copies == ()
    assert [(hold.recipients, hold.rule, hold.releases, hold.key) for hold in made.holds] == [
        ((0, 1, 2), "withdrawn", "ig", "review")
    ]


async def test_observe_and_advise_hold_nobody() -> None:
    """Symptom: a mail in advise was held.  Cause: the copy's method was looked at, and advise has copies of every method."""
    made = await after(plan("advise", "enforce", "observe"), True)
    assert [copy.recipients for copy in made.copies] == [(0,), (2,)]
    assert [hold.recipients for hold in made.holds] == [(1,)]
    untouched = plan("advise", "observe", "advise")
    assert await after(untouched, True) is untouched


@pytest.mark.parametrize("answer", [False, None])
async def test_no_withdrawal_changes_nothing(answer: bool | None) -> None:
    """Unknown was a fact of the decision already."""
    made = plan("enforce", "enforce", "enforce")
    assert await after(made, answer) is made


async def test_a_message_that_names_no_patient_is_not_looked_up() -> None:
    snapshot = Snapshot(True)
    made = plan("enforce", "enforce", "enforce", patients=())
    assert await SnapshotWithdrawals(snapshot).still_allowed(made, MAIL) is made  # type: ignore[arg-type]  # stands for the real one
    assert snapshot.asked == []


async def test_a_record_that_says_no_mode_is_enforced() -> None:
    made = await after(Plan((Copy((0,), DATA, "default", "none"),), record={"patients": ["h"]}), True)
    assert made.copies == ()
