"""Where answers are taken: every word does what it says, once, for every hold of the message that offers it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quarantine import roles
from quarantine.answers.desk import DELEGATE, statement_of
from quarantine.answers.model import FORM, REPLY, Answer, BadSecret, Offer, Question, Spent
from quarantine.model import HoldRow, State
from quarantine.state import Event, move
from tests.support.answerworld import TAGS, AnswerWorld
from tests.support.quarantine_kit import PEER, SENDER, hold_object, outcome_object

pytestmark = pytest.mark.unit

OTHER = "dr.brown@other.example"


@pytest.fixture
def world(tmp_path: Path) -> AnswerWorld:
    return AnswerWorld(tmp_path)


def answer(world: AnswerWorld, row: HoldRow, word: str, text: str = "", **more: Any) -> str:
    return world.answers.answer(world.secret(row), Answer(word, text, **{"by": SENDER, **more}), world.now).outcome


def terms(world: AnswerWorld, row: HoldRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.row(row.id).release or "{}")
    return found


def test_a_question_says_what_is_asked_of_whom_about_whom(world: AnswerWorld) -> None:
    row = world.ask()
    asked = world.answers.question(world.secret(row), world.now, REPLY)
    assert (asked.ref, asked.sender, asked.holds, asked.recipients, asked.state) == (row.ref, SENDER, (row.id,), (PEER,), "ASKED")
    assert [offer.word for offer in asked.offers] == ["VERBAL", "WRITTEN", "PARENT", "IMPLIED", "NOT PATIENT", "EMERGENCY"]
    assert (asked.sent, asked.deadline) == (row.created, row.deadline)
    assert SENDER not in repr(asked)
    assert PEER not in repr(asked)


@pytest.mark.parametrize(
    ("word", "tag"),
    [("VERBAL", "[consent verbal]"), ("parent", "[consent verbal, parent]"), (" Not  patient ", "[not a patient image]")],
)
def test_a_word_releases_with_the_tag_that_was_offered(world: AnswerWorld, word: str, tag: str) -> None:
    row = world.ask()
    assert answer(world, row, word) == "released"
    assert world.row(row.id).state is State.RELEASING
    assert terms(world, row)["statement"] == tag
    last = world.records.transitions(row.id)[-1]
    assert (last.actor, last.role) == ("sender", roles.SENDER)
    assert world.records.answered(row.id) == " ".join(word.upper().split())


def test_an_emergency_needs_a_reason_which_stays_sealed(world: AnswerWorld) -> None:
    row = world.ask()
    assert answer(world, row, "EMERGENCY", "asap") == "not-understood"
    assert world.row(row.id).state is State.ASKED
    assert answer(world, row, "EMERGENCY", "CANARY burn, theatre now") == "released"
    assert "CANARY" not in (world.row(row.id).release or "")
    assert "CANARY" not in world.settings.audit.read_text()


def test_delete_ends_it_and_tells(world: AnswerWorld) -> None:
    row = world.ask()
    assert answer(world, row, "DELETE") == "deleted"
    assert world.row(row.id).state is State.DELETED
    assert ("N-5", "") in world.promised()


def test_ask_ig_gives_it_to_the_reviewers_with_a_deadline_of_theirs(world: AnswerWorld) -> None:
    row = world.ask()
    world.now += 3600
    assert answer(world, row, "ASK IG") == "asked-ig"
    moved = world.row(row.id)
    assert (moved.state, moved.reminded) == (State.QUARANTINED, None)
    assert moved.deadline == world.now + world.settings.deadlines["QUARANTINE.routine"].expire
    assert ("alert", "sender-asks-ig") in world.promised()
    assert ("answer", "asked") in world.promised()


def test_an_urgent_one_passed_on_is_told_to_the_person_on_call(world: AnswerWorld) -> None:
    row = world.ask(urgency="urgent")
    answer(world, row, "ASK IG")
    rows = [one for one in world.records.outbox_due(1e12) if one.kind == "alert"]
    assert {one.role for one in rows} == {"ig", "on-call"}


def test_help_spends_nothing_and_brings_a_person(world: AnswerWorld) -> None:
    row = world.ask()
    assert answer(world, row, "HELP") == "help"
    assert ("alert", "sender-asks-help") in world.promised()
    assert ("answer", "help") in world.promised()
    assert answer(world, row, "VERBAL") == "released"


@pytest.mark.parametrize("word", ["GILLICK", "", "YES", "[consent verbal]", "VERBAL WRITTEN"])
def test_what_was_not_offered_changes_nothing(world: AnswerWorld, word: str) -> None:
    row = world.ask()
    told = world.answers.answer(world.secret(row), Answer(word, "", SENDER), world.now)
    assert told.outcome == "not-understood"
    assert told.words[:2] == ("VERBAL", "WRITTEN")
    assert world.row(row.id).version == row.version


@pytest.mark.parametrize(("word", "outcome"), [("VERBAL", "released"), ("DELETE", "deleted"), ("ASK IG", "asked-ig")])
def test_a_secret_is_spent_by_one_answer(world: AnswerWorld, word: str, outcome: str) -> None:
    row = world.ask()
    answer(world, row, word)
    version = world.row(row.id).version
    for way in (REPLY, FORM):
        with pytest.raises(Spent) as error:
            world.answers.question(world.secret(row, way), world.now, way)
        assert error.value.outcome == outcome
    assert answer(world, row, "VERBAL") == "spent"
    assert world.row(row.id).version == version


def test_an_answer_after_the_deadline_is_too_late(world: AnswerWorld) -> None:
    """Also in the moment before the service has ended it."""
    row = world.ask()
    world.now = row.deadline
    assert answer(world, row, "VERBAL") == "too-late"
    move(world.records, row, Event.EXPIRE, "service", roles.SYSTEM, world.now)
    assert answer(world, row, "VERBAL") == "too-late"


def test_a_secret_for_the_form_is_none_for_a_reply(world: AnswerWorld) -> None:
    """A reply address stands in the logs of mail servers: it opens no page."""
    row = world.ask()
    with pytest.raises(BadSecret):
        world.answers.question(world.secret(row, REPLY), world.now)
    with pytest.raises(BadSecret):
        world.answers.answer(world.secret(row, FORM), Answer("VERBAL", "", SENDER, REPLY), world.now)


@pytest.mark.parametrize("kind", ["machine", "list", "auto", "null"])
def test_nobody_answers_for_a_machine(world: AnswerWorld, kind: str) -> None:
    row = world.ask(sender_kind=kind, owner="ig@own.example")
    with pytest.raises(BadSecret):
        world.answers.question(world.secret(row), world.now, REPLY)


def test_one_word_answers_every_hold_of_the_message_that_offers_it(world: AnswerWorld) -> None:
    """Two recipients, two rules: VERBAL means for each the tag that its own hold offered."""
    first = hold_object(
        "h1", "online", "ASK", [PEER], releases="sender", answers=list(TAGS), message="m", reasons=["consent.missing"]
    )
    second = hold_object(
        "h2", "online", "ASK", [OTHER], releases="sender", message="m", reasons=["consent.missing"],
        answers=["[consent verbal, referral]", "[not a patient image]"],
    )  # fmt: skip
    world.take(first, second, outcome_object([first, second], message="m"))
    one, two = world.row(first.id), world.row(second.id)
    assert answer(world, one, "VERBAL") == "released"
    assert [terms(world, row)["statement"] for row in (one, two)] == ["[consent verbal]", "[consent verbal, referral]"]


def test_a_word_that_only_one_hold_offers_leaves_the_other_asked(world: AnswerWorld) -> None:
    first = hold_object(
        "h1", "online", "ASK", [PEER], releases="sender", answers=list(TAGS), message="m", reasons=["consent.missing"]
    )
    second = hold_object(
        "h2", "online", "ASK", [OTHER], releases="sender", message="m", reasons=["consent.missing"], answers=["[document]"]
    )  # fmt: skip
    world.take(first, second, outcome_object([first, second], message="m"))
    assert answer(world, world.row(first.id), "VERBAL") == "released"
    assert [world.row(one.id).state for one in (first, second)] == [State.RELEASING, State.ASKED]
    assert answer(world, world.row(first.id), "DOCUMENT") == "released"  # the same address still asks about the other


def copies(world: AnswerWorld, **second: Any) -> tuple[HoldRow, HoldRow]:
    """Two messages with one Message-ID, as an upstream splits them."""
    rows = []
    for name, more in (("c1", {}), ("c2", second)):
        hold = hold_object(name, "online", "ASK", [f"{name}@royal.example"], releases="sender", answers=list(TAGS),
                           reasons=["consent.missing"], created=more.get("created", world.now))  # fmt: skip
        meta = {"message_id": "<one@own.example>", **{k: v for k, v in more.items() if k == "images"}}
        world.take(hold, outcome_object([hold], name=name, **meta))
        rows.append(world.row(hold.id))
    return rows[0], rows[1]


def test_the_copies_of_a_split_message_are_one_question(world: AnswerWorld) -> None:
    one, two = copies(world)
    assert answer(world, one, "VERBAL") == "released"
    assert world.row(two.id).state is State.RELEASING


@pytest.mark.parametrize("second", [{"images": ["e" * 64]}, {"created": 1_795_435_200.0 + 7200}])
def test_another_message_under_the_same_message_id_is_another_question(world: AnswerWorld, second: dict[str, Any]) -> None:
    """Other pictures, or two hours later: the answer was not about them."""
    one, two = copies(world, **second)
    assert answer(world, one, "VERBAL") == "released"
    assert world.row(two.id).state is State.ASKED


def test_a_hold_for_others_to_decide_offers_only_what_lets_nothing_out(world: AnswerWorld) -> None:
    row = world.ask(releases="mail-admin", reasons=["protect.no-method"])
    asked = world.answers.question(world.secret(row), world.now, REPLY)
    assert asked.offers == ()
    assert answer(world, row, "VERBAL") == "not-understood"
    assert answer(world, row, "ASK IG") == "asked-ig"


def test_a_delegate_is_written_down_as_one(world: AnswerWorld) -> None:
    row = world.ask()
    answer(world, row, "VERBAL", by="secretary@own.example")
    assert world.records.transitions(row.id)[-1].actor == DELEGATE
    assert "secretary" not in world.settings.audit.read_text()


def test_an_answer_is_one_transaction(world: AnswerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be audited does not happen."""
    row = world.ask()

    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(world.audit, "answered", broken)
    with pytest.raises(OSError, match="disk full"):
        answer(world, row, "VERBAL")
    assert world.row(row.id).state is State.ASKED
    assert world.records.answered(row.id) == ""


@pytest.mark.parametrize(
    ("tag", "needs", "text", "want"),
    [
        ("[emergency: why it cannot wait]", "reason", "airway burn", "[emergency: airway burn]"),
        ("[emergency: why it cannot wait]", "reason", "burn [consent verbal] now", "[emergency: burn consent verbal now]"),
        ("[emergency: why it cannot wait]", "reason", "too short", None),
        ("[to patient {address}]", "address", "Dr.Chen@royal.example", "[to patient dr.chen@royal.example]"),
        ("[to patient {address}]", "address", "other@royal.example", None),
        ("[to patient {address}]", "address", "", None),
        ("[consent written, research, ref NUMBER-1]", "number", "21/LO/1234", "[consent written, research, ref 21/LO/1234]"),
        ("[consent written, research, ref NUMBER-1]", "number", "yes", None),
        ("[consent written, research, ref NUMBER-1]", "number", "1] [consent", None),
    ],
)
def test_what_stands_beside_a_word_goes_into_the_tag_and_nothing_else_does(
    tag: str, needs: str, text: str, want: str | None
) -> None:
    assert statement_of(Offer("X", tag, "x", needs), text, [PEER]) == want


def test_a_question_compares_by_what_it_asks(world: AnswerWorld) -> None:
    row = world.ask()
    one, two = (world.answers.question(world.secret(row), world.now, REPLY) for _ in range(2))
    assert isinstance(one, Question)
    assert one == two
