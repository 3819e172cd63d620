"""What the front process takes from a compute process, and what it does when there is no plan."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.exitcheck import original
from gateway.model import Copy, Hold, Plan
from gateway.pipeline import plan
from gateway.plans import failure_plan, sound
from policies.load import load_policy
from policies.model import Mode
from tests.support.contexts import COLLEAGUE, STRANGER, context, policy, received
from tests.support.letters import canary_photo, letter

pytestmark = pytest.mark.unit

MAIL = received(letter("dr.adams@clinic.example", (COLLEAGUE, STRANGER), pictures=(canary_photo(),)), COLLEAGUE, STRANGER)
HELD = Hold((0, 1), "QUARANTINE", "poison", ("poison",), "review", "mail-admin")


@pytest.mark.parametrize("mode", ["enforce", "advise", "observe"])
def test_what_the_pipeline_plans_is_sound(mode: str) -> None:
    made = context(mode)
    assert sound(made.policy, MAIL, plan(made, MAIL))
    assert sound(made.policy, MAIL, failure_plan(made.policy, MAIL, "poison"))


@pytest.mark.parametrize(
    "holds", [(), (dataclasses.replace(HELD, recipients=(0,)),), (HELD, HELD), (dataclasses.replace(HELD, recipients=(0, 1, 2)),)]
)
def test_a_plan_that_does_not_name_everybody_once_is_nonsense(holds: tuple[Hold, ...]) -> None:
    """P1: a compute process that forgets a recipient must not make the mail vanish."""
    assert not sound(context().policy, MAIL, Plan(holds=holds))


def test_unchecked_bytes_are_taken_for_observe_alone() -> None:
    """P2: a compute process that lies about the mode cannot let the original out in enforce."""
    leaking = Plan((Copy((0, 1), original(MAIL.raw, Mode.OBSERVE), "default", "observe"),))
    assert not sound(context("enforce").policy, MAIL, leaking)
    assert sound(context("observe").policy, MAIL, leaking)


def test_a_failure_in_an_enforced_domain_holds_however_the_domain_is_written() -> None:
    """Symptom: a message that failed went out unchecked to a domain set to enforce.  Cause: the mode was looked up by the
    address as written, a U-label, and the policy knows domains by their A-label."""
    files = policy("observe")
    files["policy.yaml"] = files["policy.yaml"].replace(
        "default: observe", "default: observe\n  recipient_domains: {bücher.example: enforce}"
    )
    mail = received(MAIL.raw, "dr.lee@bücher.example", "dr.lee@other.example", smtputf8=True)
    made = failure_plan(load_policy({name: text.encode() for name, text in files.items()}), mail, "internal-error")
    assert [hold.recipients for hold in made.holds] == [(0,)]
    assert [copy.recipients for copy in made.copies] == [(1,)]
