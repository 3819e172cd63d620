"""The one log line of a message: what an administrator needs to follow it from Postfix's log, and nothing of a person."""

from __future__ import annotations

import json

import pytest

from gateway.model import Reply
from gateway.pipeline import plan
from gateway.plans import failure_plan, summary
from tests.support.contexts import COLLEAGUE, STRANGER, context, received
from tests.support.letters import canary_photo, letter

pytestmark = pytest.mark.unit

RAW = letter("dr.adams@clinic.example", (COLLEAGUE, STRANGER), pictures=(canary_photo(),))
RULES = {"CARE", "UNKNOWN", "poison"}
TAKEN = [Reply(250, "2.0.0", "accepted")]


def test_it_names_the_queue_id_the_answer_and_the_rules() -> None:
    mail = received(RAW, COLLEAGUE, STRANGER, xforward={"IDENT": "4XyZ12abc"})
    line = summary(mail, plan(context(), mail), TAKEN, RULES)
    assert line == {
        "queue": "4XyZ12abc", "listener": "demo", "octets": len(RAW), "replies": [250], "sent": 1, "held": 1, "refused": 0,
        "rules": ["CARE", "UNKNOWN"],
    }  # fmt: skip


def test_it_holds_nothing_of_the_message_or_its_people() -> None:
    mail = received(RAW, COLLEAGUE, STRANGER, xforward={"IDENT": "<someone@example.org>", "HELO": "CANARY"}, helo="CANARY")
    text = json.dumps(summary(mail, plan(context(), mail), TAKEN, RULES))
    assert not [word for word in ("@", "adams", "CANARY", "royal", "newclinic", "opinion") if word.lower() in text.lower()]


def test_a_rule_that_the_policy_does_not_have_is_not_repeated() -> None:
    """The plan comes from a process that parses hostile bytes."""
    mail = received(RAW, COLLEAGUE, STRANGER)
    assert summary(mail, plan(context(), mail), TAKEN, {"CARE"})["rules"] == ["CARE", "other"]
    assert summary(mail, failure_plan(context().policy, mail, "poison"), TAKEN, RULES)["rules"] == ["poison"]
