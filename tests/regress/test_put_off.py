"""An answered mail that does not get through: who thinks that it has gone is told, and an emergency finds a person."""

from __future__ import annotations

import asyncio
import email
import email.policy
from pathlib import Path
from typing import Any

import pytest

from quarantine.lmtp import Answer as Said
from quarantine.model import HoldRow, OutboxRow, State
from quarantine.notices.renderer import Drop, Mail, Renderer
from quarantine.notices.settings import from_options
from quarantine.notices.wording import load
from tests.support.answerworld import TAGS, AnswerWorld
from tests.support.quarantine_kit import answering, hold_object, outcome_object

pytestmark = pytest.mark.unit

LATER = Said(451, "4.4.1 DEFERRED", final=True)
AGAIN = Said(250, "2.1.5 HELD-AGAIN domain.suspended", final=True)
SENT = Said(250, "2.0.0 DELIVERED", final=True)
EMERGENCY = "EMERGENCY airway burn, theatre in ten minutes"


@pytest.fixture
def world(tmp_path: Path) -> AnswerWorld:
    return AnswerWorld(tmp_path)


def tried(world: AnswerWorld, *said: Said) -> None:
    """One try of the release for each of these answers of the gateway, a minute and some apart."""
    for one in said:
        asyncio.run(world.releaser(answering(one)).run(world.now))
        world.now += 400


def promised(world: AnswerWorld, kind: str) -> list[OutboxRow]:
    return [row for row in world.records.outbox_due(world.now + 1e9, 1000) if row.kind == kind]


def rendered(world: AnswerWorld, row: OutboxRow) -> str | Drop:
    made = Renderer(world.records, from_options(world.settings), load()).render([row], world.now)
    if isinstance(made, Drop):
        return made
    assert isinstance(made, Mail)
    notice: Any = email.message_from_bytes(made.data, policy=email.policy.default)
    return " ".join(f"{notice['Subject']} {notice.get_body(('plain',)).get_content()}".split())


def answered(world: AnswerWorld, text: str) -> HoldRow:
    row = world.ask()
    assert world.say(row, text) == "released"
    return row


@pytest.mark.parametrize(("text", "after"), [("VERBAL", 900.0), (EMERGENCY, 0.0)])
def test_what_was_answered_and_is_tried_again_is_told(world: AnswerWorld, text: str, after: float) -> None:
    """Symptom: the next hop was away for hours; the page said that nothing more need be done, and no word came until the end.

    Cause: only mail deferred from the start promised a notice.  Prevention: the first put-off of a release does too: after
    the same quarter of an hour, of an emergency at once; later tries promise no second one.
    """
    row = answered(world, text)
    at = world.now
    tried(world, LATER, LATER, LATER)
    (notice,) = promised(world, "N-7")
    assert notice.due == at + after
    said = rendered(world, notice)
    assert isinstance(said, str)
    assert said.startswith("Delayed: ")
    assert "is not sent yet" in said and "We try again by ourselves until" in said
    assert "VERBAL" not in said  # no word helps any more
    assert world.row(row.id).state is State.RELEASING


@pytest.mark.parametrize("end", [SENT, AGAIN])
def test_nothing_is_told_of_a_delay_that_is_over(world: AnswerWorld, end: Said) -> None:
    """P8: what came of it has a notice of its own."""
    answered(world, "VERBAL")
    tried(world, LATER, end)
    assert [one for row in promised(world, "N-7") if not isinstance(one := rendered(world, row), Drop)] == []


def test_one_that_never_got_through_is_not_said_to_lack_agreement(world: AnswerWorld) -> None:
    """It was said that we had not seen whether the patient agreed, to somebody who had answered just that."""
    hold = hold_object("hold", "online", "ASK", releases="sender", notice="N-1", answers=list(TAGS), reasons=["consent.missing"])
    outcome = outcome_object([hold])
    outcome.meta["recipients"][0]["words"] = "We could not see whether the patient agreed."
    world.take(hold, outcome)
    assert world.say(world.row(hold.id), "VERBAL") == "released"
    tried(world, LATER)
    world.now += 25 * 3600
    tried(world, LATER)
    (notice,) = promised(world, "N-5")
    said = rendered(world, notice)
    assert isinstance(said, str)
    assert "Its time ran out" in said and "It could not be sent on in time" in said
    assert "whether the patient agreed" not in said


@pytest.mark.parametrize(("text", "called"), [("VERBAL", False), (EMERGENCY, True)])
def test_an_emergency_that_is_held_again_calls_the_person_on_call(world: AnswerWorld, text: str, called: bool) -> None:
    """Symptom: EMERGENCY to a domain suspended meanwhile waited for IG's mailbox alone, with a routine deadline.

    Cause: urgent was only what the rule that held it called so.  Prevention: the sender's own word counts as well.
    """
    row = answered(world, text)
    at = world.now
    tried(world, AGAIN)
    assert ("on-call" in [one.role for one in promised(world, "alert")]) is called
    assert world.row(row.id).state is State.QUARANTINED
    assert world.row(row.id).deadline - at == (24 if called else 72) * 3600


@pytest.mark.parametrize(("code", "desk"), [("domain.suspended", "ig"), ("smime.no-certificate", "mail-admin")])
@pytest.mark.parametrize("known", [True, False])
def test_deferred_mail_that_policy_stops_is_told(world: AnswerWorld, code: str, desk: str, known: bool) -> None:
    """Symptom: told "we keep trying", then the domain was suspended: nobody heard of it, neither sender nor IG, until a reminder.

    Cause: a release that is held again was told of only where somebody had answered.  ``known``: the delay had been told already.
    """
    hold = hold_object(
        "hold", "online", "DEFERRED", releases="mail-admin", notice="N-7", reasons=["next-hop-temporary"], answers=[]
    )
    world.take(hold, outcome_object([hold]))
    world.now += 1000 if known else 100
    for row in world.records.outbox_due(world.now):
        world.records.outbox_done(row.id, world.now)
    tried(world, Said(250, f"2.1.5 HELD-AGAIN {code}", final=True))
    assert [row.role for row in promised(world, "alert")] == [desk]
    assert promised(world, "N-7") == []  # nothing is tried again
    (notice,) = promised(world, "answer")
    said = rendered(world, notice)
    assert isinstance(said, str)
    assert "A person looks at it now" in said and "must be looked at before it can go" in said
    assert "Thank you for your answer" not in said and "next mail server" not in said
