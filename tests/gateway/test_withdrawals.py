"""Consent that goes while a message is worked on stops it, where mail is enforced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gateway.exitcheck import adopt
from gateway.model import Copy, Plan
from gateway.outcomes.withdrawals import SnapshotWithdrawals
from quarantine.consents.model import Standing
from tests.support.contexts import COLLEAGUE, HOSPICE, STRANGER, received

pytestmark = pytest.mark.unit

MAIL = received(b"From: a@b.example\r\n\r\n", COLLEAGUE, HOSPICE, STRANGER)
DATA = adopt(b"x", "Cleared")


class Snapshot:
    """The register: what stands for whatever is asked, None for unknown."""

    def __init__(self, *found: Standing, unknown: bool = False) -> None:
        self.found, self.unknown, self.asked = found, unknown, []  # type: ignore[var-annotated]  # what it was asked

    def standing(self, subjects: Sequence[str]) -> list[Standing] | None:
        self.asked += subjects
        return None if self.unknown else list(self.found)


NO = Standing("withdrawn", 0.0)
CARE = Standing("limited", 0.0, ("record",))


def plan(*modes: str, patients: tuple[str, ...] = ("hash",), images: tuple[str, ...] = (), **line: Any) -> Plan:
    lines = [{"mode": mode, "class": "A", "kind": "K3", **line} for mode in modes]
    record = {"patients": list(patients), "recipients": lines, "images": [{"sha256": one} for one in images]}
    return Plan((Copy((0, 1), DATA, "secure", "route"), Copy((2,), DATA, "default", "none")), record=record)


async def after(made: Plan, *found: Standing, unknown: bool = False) -> Plan:
    return await SnapshotWithdrawals(Snapshot(*found, unknown=unknown)).still_allowed(made, MAIL)


ENFORCED = ("enforce", "enforce", "enforce")


async def test_a_withdrawal_holds_every_copy_for_ig() -> None:
    made = await after(plan(*ENFORCED), NO)
    assert made.copies == ()
    assert [(hold.recipients, hold.rule, hold.reasons, hold.releases, hold.key) for hold in made.holds] == [
        ((0, 1, 2), "withdrawn", ("withdrawn",), "ig", "review")
    ]


async def test_observe_and_advise_hold_nobody() -> None:
    """Symptom: a mail in advise was held.  Cause: the copy's method was looked at, and advise has copies of every method."""
    made = await after(plan("advise", "enforce", "observe"), NO)
    assert [copy.recipients for copy in made.copies] == [(0,), (2,)]
    assert [hold.recipients for hold in made.holds] == [(1,)]
    untouched = plan("advise", "observe", "advise")
    assert await after(untouched, NO) is untouched


@pytest.mark.parametrize("unknown", [False, True])
async def test_nothing_on_file_changes_nothing(unknown: bool) -> None:
    """Unknown was a fact of the decision already."""
    made = plan(*ENFORCED)
    assert await after(made, unknown=unknown) is made


async def test_patients_and_pictures_are_both_looked_up() -> None:
    snapshot = Snapshot()
    await SnapshotWithdrawals(snapshot).still_allowed(plan(*ENFORCED, images=("f" * 64,)), MAIL)
    assert snapshot.asked == ["patient:hash", "image:" + "f" * 64]


async def test_a_message_that_names_no_patient_and_bears_no_picture_is_not_looked_up() -> None:
    snapshot = Snapshot(NO)
    made = plan(*ENFORCED, patients=())
    assert await SnapshotWithdrawals(snapshot).still_allowed(made, MAIL) is made
    assert snapshot.asked == []


async def test_a_letter_without_a_picture_goes() -> None:
    """Symptom: a letter naming a patient who had said no to pictures was held at the last moment.  Cause: only the patient was
    looked at, not whether there is a picture (domain settled: a letter is never held)."""
    made = plan(*ENFORCED, kind="K0")
    assert await after(made, NO) is made


async def test_the_archive_gets_everything() -> None:
    made = plan(*ENFORCED, **{"class": "archive"})
    assert await after(made, NO) is made


async def test_a_limit_that_came_meanwhile_holds_the_uses_it_does_not_leave() -> None:
    teaching = await after(plan(*ENFORCED, purpose="TRAIN"), CARE)
    assert teaching.copies == ()
    assert teaching.holds[0].reasons == ("consent.limited-on-file",)
    for untouched in (plan(*ENFORCED, purpose="TREAT"), plan(*ENFORCED), plan(*ENFORCED, purpose="TRAIN", **{"class": "O"})):
        assert await after(untouched, CARE) is untouched


async def test_a_limit_that_was_known_was_weighed_with_what_a_reviewer_accepted() -> None:
    known = {"on_file": {"status": "limited", "since": None, "uses": ["care"]}}
    made = plan(*ENFORCED, purpose="TRAIN", facts=known)
    assert await after(made, CARE) is made
    assert (await after(made, NO)).copies == ()


async def test_a_record_that_says_no_mode_is_enforced() -> None:
    made = Plan((Copy((0,), DATA, "default", "none"),), record={"patients": ["h"]})
    assert (await after(made, NO)).copies == ()
