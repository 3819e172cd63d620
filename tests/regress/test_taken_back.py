"""DELETE takes back the whole email: nothing of it goes after that was confirmed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quarantine import ops
from quarantine.answers.model import FORM, Answer
from quarantine.model import State
from quarantine.state import NotAllowed
from tests.support.answerworld import TAGS, AnswerWorld
from tests.support.quarantine_kit import PEER, hex_id, hold_object, outcome_object

pytestmark = pytest.mark.unit

STRANGER = "jane@newclinic.example"


@pytest.fixture
def world(tmp_path: Path) -> AnswerWorld:
    return AnswerWorld(tmp_path)


def held(world: AnswerWorld, **other: Any) -> tuple[str, str]:
    """One email for two: one hold asks its sender, the other waits for somebody else."""
    asks = {"releases": "sender", "notice": "N-1", "answers": list(TAGS), "reasons": ["consent.missing"], "message": "msg-one"}
    first = hold_object("asks", "online", "ASK", (PEER,), ref="ASKS-2345", **asks)
    second = hold_object("waits", recipients=(STRANGER,), ref="WAIT-2345", message="msg-one", **other)
    world.take(first, second, outcome_object([first, second]))
    return first.id, second.id


@pytest.mark.parametrize("way", ["reply", FORM])
@pytest.mark.parametrize("other", [{}, {"action": "DEFERRED", "reasons": ["next-hop-temporary"], "releases": "mail-admin"}])
def test_delete_is_for_everybody_who_has_not_got_it(world: AnswerWorld, way: str, other: dict[str, Any]) -> None:
    """Symptom: the patient said no, the sender replied DELETE as told; IG let the part that waited for them go the day after.

    Cause: only holds that asked the sender were deleted.  Prevention: all of the email that is not on its way or gone.
    """
    first, second = held(world, **other)
    row = world.row(first)
    told = world.answers.answer(world.secret(row, way), Answer("DELETE", way=way), world.now)
    assert told.outcome == "deleted"
    assert [world.row(one).state for one in (first, second)] == [State.DELETED, State.DELETED]
    assert [one.state for one in world.records.recipients(second)] == ["deleted"]
    with pytest.raises(NotAllowed):
        ops.release(world.desk(), second, "ig1")


def test_what_is_on_its_way_is_not_said_to_be_taken_back(world: AnswerWorld) -> None:
    first, second = held(world)
    ops.release(world.desk(), second, "ig1")
    assert world.say(world.row(first), "DELETE") == "deleted"
    assert [world.row(one).state for one in (first, second)] == [State.DELETED, State.RELEASING]


def test_another_email_stays(world: AnswerWorld) -> None:
    first, _ = held(world)
    other = hold_object("other", recipients=(STRANGER,), message="msg-two", ref="OTHR-2345")
    world.take(other, outcome_object([other], name="two"))
    world.say(world.row(first), "DELETE")
    assert world.row(hex_id("other")).state is State.QUARANTINED
