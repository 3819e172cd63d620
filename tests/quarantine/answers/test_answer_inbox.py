"""Replies as they come in: whose count, what is said of those that do not, and that each counts once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quarantine.answers.inbox import erase
from quarantine.model import State
from quarantine.notes import write_notes
from quarantine.stores import Place
from tests.support.answerworld import AnswerWorld, letter
from tests.support.quarantine_kit import SENDER

pytestmark = pytest.mark.unit

OUTSIDER = "eve@elsewhere.example"
SECRETARY = "pa.lee@own.example"


@pytest.fixture
def world(tmp_path: Path) -> AnswerWorld:
    return AnswerWorld(tmp_path, replies={"delegates": {SENDER: [SECRETARY]}})


def test_one_word_lets_it_go(world: AnswerWorld) -> None:
    row = world.ask()
    assert world.say(row, "VERBAL") == "released"
    assert world.row(row.id).state is State.RELEASING
    assert world.places() == {"incoming": 0, "held": 3, "damaged": 0}


def test_a_reply_taken_twice_counts_once(world: AnswerWorld) -> None:
    """The gateway's client came again, or the service stopped between: the same object, the same id."""
    row = world.ask()
    assert world.say(row, "HELP", name="same") == "help"
    before = world.promised()
    world.put(world.reply(row, "HELP", name="same"))
    world.intake.run(world.now)
    assert world.promised() == before
    assert world.places()["incoming"] == 0


@pytest.mark.parametrize("point", ["intake.noted", "intake.moved"])
def test_a_crash_around_an_answer_applies_it_once(world: AnswerWorld, point: str) -> None:
    """The power goes after the answer was written down, before or after its object was moved."""
    row = world.ask()

    class Power(BaseException):
        pass

    def off(name: str) -> None:
        if name == point:
            raise Power

    world.put(world.reply(row, "VERBAL"))
    world.use(world.new_answering_intake(off))
    with pytest.raises(Power):
        world.intake.run(world.now)
    world.use(world.new_answering_intake())
    world.intake.run(world.now)
    assert [line.event for line in world.records.transitions(row.id)] == ["release"]
    assert world.row(row.id).round == 1
    assert not [kind for kind, _ in world.promised() if kind == "answer"], "nobody is told that it was answered before"
    assert world.places()["incoming"] == 0


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"sender": OUTSIDER}, "refused"),  # another sender, whoever the From says it is
        ({"codes": ["identity.not-vouched"]}, "refused"),  # a listener that answers for nobody
        ({"codes": ["identity.not-authenticated"]}, "refused"),
        ({"codes": ["redirect.inbox-rule"]}, "refused"),  # a mailbox rule passed it on
        ({"sender": ""}, "automatic"),  # the null sender is a program
        ({"secret": "a" * 52}, "bad-secret"),  # guessed
        ({"secret": ""}, "bad-secret"),
        ({"secret": "' OR 1=1 --"}, "bad-secret"),
        ({"sender": SENDER.upper()}, "released"),
        ({"sender": SECRETARY}, "released"),  # a listed delegate
        ({"sender": SECRETARY, "codes": ["identity.from-differs"]}, "released"),  # who writes on the sender's behalf
    ],
)
def test_whose_answer_counts(world: AnswerWorld, more: dict[str, Any], outcome: str) -> None:
    """Token, trusted listener, and the sender of the email or a listed delegate: all three, or nothing."""
    row = world.ask()
    assert world.say(row, "VERBAL", **more) == outcome
    assert world.row(row.id).state is (State.RELEASING if outcome == "released" else State.ASKED)


def test_a_secret_of_one_hold_is_no_secret_of_another(world: AnswerWorld) -> None:
    mine, other = world.ask("mine"), world.ask("other")
    mixed = world.secret(mine)[:26] + world.secret(other)[26:]
    assert world.say(mine, "VERBAL", secret=mixed) == "bad-secret"


def test_who_forges_an_answer_is_not_written_to(world: AnswerWorld) -> None:
    """The notice goes to the hold's own sender: they should know, and a forged address gets no mail from us."""
    row = world.ask()
    world.say(row, "VERBAL", sender=OUTSIDER)
    [told] = [one for one in world.records.outbox_due(1e12) if one.kind == "answer"]
    assert (told.to, told.detail["variant"]) == (SENDER, "refused")


def test_a_reused_secret_changes_nothing_and_says_so(world: AnswerWorld) -> None:
    row = world.ask()
    world.say(row, "VERBAL")
    version = world.row(row.id).version
    assert world.say(row, "DELETE") == "spent"
    assert world.row(row.id).version == version
    assert ("answer", "spent") in world.promised()


def test_a_reply_after_expiry_is_told_that_nothing_was_sent(world: AnswerWorld) -> None:
    row = world.ask()
    world.now = row.deadline + 1
    assert world.say(row, "VERBAL") == "too-late"
    assert ("answer", "late") in world.promised()


@pytest.mark.parametrize(
    "headers", ["Auto-Submitted: auto-replied", "Precedence: bulk", "X-Autoreply: yes", "List-Id: <x.own.example>"]
)
def test_a_program_that_quotes_every_word_is_never_an_answer(world: AnswerWorld, headers: str) -> None:
    """Nor is it told anything: two programs would write to each other for ever."""
    row = world.ask()
    raw = letter("VERBAL", world.address(row), headers=headers)
    assert world.say(row, "", raw=raw) == "automatic"
    assert world.row(row.id).state is State.ASKED
    assert not [kind for kind, _ in world.promised() if kind == "answer"]


def test_a_reply_that_quotes_all_the_words_says_none_of_them(world: AnswerWorld) -> None:
    row = world.ask()
    quoted = "VERBAL – the patient said yes\nDELETE – do not send it\nEMERGENCY and why"
    assert world.say(row, "", raw=letter("", world.address(row), quoted=quoted)) == "not-understood"
    assert world.row(row.id).state is State.ASKED


def test_what_was_not_understood_is_told_only_so_often(world: AnswerWorld) -> None:
    """A loop that no header gives away ends after three notices."""
    row = world.ask()
    for number in range(9):
        assert world.say(row, f"whatever this is {'x' * number}") == "not-understood"
    assert [variant for kind, variant in world.promised() if kind == "answer"] == ["unclear"] * 3
    assert world.say(row, "VERBAL") == "released"  # and the secret still works


def test_an_emergency_without_a_reason_is_told_what_is_missing(world: AnswerWorld) -> None:
    row = world.ask()
    assert world.say(row, "EMERGENCY") == "not-understood"
    assert ("answer", "missing") in world.promised()


def test_an_emergency_with_its_reason_goes(world: AnswerWorld) -> None:
    row = world.ask()
    assert world.say(row, "EMERGENCY CANARY airway burn") == "released"
    assert "CANARY" not in (world.settings.state / "records.sqlite").read_bytes().decode("latin-1")


def test_nothing_that_was_written_stands_in_records_audit_or_logs(world: AnswerWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """P5: of a reply only the outcome is kept."""
    row = world.ask()
    for text in ("VERBAL\nCANARY about the patient", "CANARY nothing"):
        world.say(row, text)
    found = b"".join(path.read_bytes() for path in world.settings.state.iterdir() if path.is_file())
    assert b"CANARY" not in found
    assert "CANARY" not in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["secret", "envelope", "identity"])
def test_an_object_that_does_not_say_what_it_must_is_set_aside(world: AnswerWorld, missing: str) -> None:
    """And never stops those behind it."""
    row = world.ask()
    broken = world.reply(row, "VERBAL", name="broken")
    del broken.meta[missing]  # type: ignore[attr-defined]  # a Mapping that is a dict here
    world.take(broken)
    assert world.places()["damaged"] == 1
    assert world.say(row, "VERBAL") == "released"


def test_a_hostile_reply_never_stops_the_others(world: AnswerWorld) -> None:
    row = world.ask()
    for number, raw in enumerate(
        (b"", b"\xff" * 500, b"Content-Type: multipart/mixed; boundary=\r\n\r\n", b"Subject: =?x?q?=?=\r\n\r\n")
    ):
        world.put(world.reply(row, "", raw=raw, name=f"hostile {number}"))
    world.put(world.reply(row, "VERBAL", name="last"))
    world.intake.run(world.now)
    assert world.row(row.id).state is State.RELEASING


def test_the_index_is_rebuilt_without_applying_an_answer_again(world: AnswerWorld) -> None:
    """The secret is derived, the move stands in its note: after a rebuild the question is answered and stays so."""
    row = world.ask()
    world.say(row, "ASK IG", name="asked")
    write_notes(world.records, world.store, world.public)
    world.intake.rebuild(world.now)
    assert world.row(row.id).state is State.QUARANTINED
    assert world.say(row, "VERBAL") == "spent"


def test_a_question_survives_a_rebuild(world: AnswerWorld) -> None:
    """A notice that was sent before still works after."""
    row = world.ask()
    before = world.address(row)
    world.intake.rebuild(world.now)
    assert world.address(world.row(row.id)) == before
    assert world.say(world.row(row.id), "VERBAL") == "released"


def test_sealed_replies_are_erased_when_their_time_is_over(world: AnswerWorld) -> None:
    row = world.ask()
    world.say(row, "VERBAL", name="old")
    assert erase(world.store, world.records, world.settings.replies, world.now + 29 * 86400) == 0
    assert erase(world.store, world.records, world.settings.replies, world.now + 31 * 86400) == 1
    assert world.places()["held"] == 2
    world.put(world.reply(row, "VERBAL", name="old"))  # a client that comes again a month later
    world.intake.run(world.now)
    assert [entry.id for entry in world.store.list(Place.INCOMING)] == []
