"""Intake: idempotent, replayable, crash-safe; the index is rebuilt from the objects; nothing is readable at rest."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from quarantine import ops
from quarantine.audit import verify as verify_chain
from quarantine.keys import PrivateKey
from quarantine.lmtp import Answer
from quarantine.model import ObjectKind, State
from quarantine.notes import write_notes
from quarantine.records import Records
from quarantine.seal import seal
from quarantine.stores import Place
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, World, answering, hex_id, hold_object, image, outcome_object

pytestmark = pytest.mark.unit
DONE = Answer(250, "2.0.0 DELIVERED", final=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def index(records: Records) -> dict[str, Any]:
    """Everything the index says, without the marks of what was said to people."""
    rows = records.holds()
    return {
        "holds": [dataclasses.replace(row, reminded=None, escalated=None, alarmed=None, purged=None) for row in rows],
        "recipients": {row.id: records.recipients(row.id) for row in rows},
        "history": {row.id: records.transitions(row.id) for row in rows},
        "images": {row.id: records.hold_images(row.id) for row in rows},
        "outcomes": {row.id: records.outcomes(row.message) for row in rows},
        "disclosures": sorted(records.disclosures(), key=repr),
    }


def kinds(world: World) -> list[str]:
    return sorted(row.kind for row in world.records.outbox_due(world.now + 10**6, 1000))


def test_a_hold_becomes_a_row_and_moves_to_held(world: World) -> None:
    hold = hold_object()
    assert world.take(hold, outcome_object([hold])) == 2
    [row] = world.records.holds()
    assert (row.state, row.sender, row.recipients, row.rule, row.complete) == (
        State.QUARANTINED,
        SENDER,
        (PEER,),
        "unknown-domain",
        2,
    )
    assert row.deadline == MONDAY + 72 * 3600
    assert world.places() == {"incoming": 0, "held": 2, "damaged": 0}
    assert kinds(world) == ["N-2", "desk"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("with_review_key", [True, False])
def test_hold_and_outcome_may_come_in_any_order_and_without_the_review_key(
    tmp_path: Path, order: tuple[int, int], with_review_key: bool
) -> None:
    world = World(tmp_path, review_key_here=with_review_key)
    hold = hold_object()
    objects = [hold, outcome_object([hold])]
    for which in order:
        assert world.take(objects[which]) == 1
    [row] = world.records.holds()
    assert (row.state, row.sender, row.recipients, row.rule) == (State.QUARANTINED, SENDER, (PEER,), "unknown-domain")
    assert (row.key, row.releases, row.reasons, row.message) == ("review", "ig", ("domain.unknown",), hold.meta["message"])
    assert kinds(world) == ["N-2", "desk"]


def test_a_hold_whose_outcome_never_came_still_has_a_deadline(tmp_path: Path) -> None:
    world = World(tmp_path, review_key_here=False)
    world.take(hold_object())
    [row] = world.records.holds()
    assert (row.complete, row.state, row.releases) == (0, State.QUARANTINED, "ig")
    assert row.deadline > row.created


def test_taking_in_twice_changes_nothing(world: World) -> None:
    hold = hold_object("a", key="online", action="ASK", releases="sender", notice="N-1")
    objects = [hold, outcome_object([hold], delivered=["x@royal.example"])]
    world.take(*objects)
    before, said = index(world.records), kinds(world)
    world.take(*objects)  # the gateway wrote them again: its answer was lost
    assert index(world.records) == before
    assert kinds(world) == said == ["N-1"]
    assert world.places() == {"incoming": 0, "held": 2, "damaged": 0}


class Killed(Exception):
    pass


@pytest.mark.parametrize("point", ["intake.noted", "intake.moved"])
def test_a_crash_at_any_point_is_made_good_by_the_next_run(world: World, point: str) -> None:
    def crash(name: str) -> None:
        if name == point:
            raise Killed

    hold = hold_object()
    world.put(hold, outcome_object([hold]))
    for _ in range(3):
        with pytest.raises(Killed):
            world.new_intake(crash).run(world.now)
        if world.places()["incoming"] == 0:
            break
    world.intake.run(world.now)
    assert world.places() == {"incoming": 0, "held": 2, "damaged": 0}
    assert len(world.records.holds()) == 1
    assert kinds(world) == ["N-2", "desk"]


def test_damaged_objects_are_set_aside_and_told_of_and_stop_nobody(world: World) -> None:
    good = hold_object("good")
    world.put(hold_object("bad"), good)
    path = world.settings.store / "incoming" / f"{hex_id('bad')}.hold"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    (world.settings.store / "incoming" / "README").write_text("not ours")
    (world.settings.store / "incoming" / f"{'ef' * 16}.outcome").write_bytes(b"")
    world.intake.run(world.now)
    assert [row.id for row in world.records.holds()] == [good.id]
    assert world.places() == {"incoming": 0, "held": 1, "damaged": 3}
    told = world.records.outbox_due(world.now)
    assert {row.role for row in told if row.kind == "damaged"} == {"mail-admin", "on-call"}
    assert (world.settings.store / "damaged" / path.name).read_bytes() == bytes(data)


def test_an_object_under_anothers_name_is_damaged(world: World) -> None:
    data = seal(hold_object("one"), world.public)
    world.store.put(hex_id("two"), ObjectKind.HOLD, data)
    world.intake.run(world.now)
    assert world.places()["damaged"] == 1


@pytest.mark.parametrize(
    "meta", [{"created": "yesterday"}, {"envelope": []}, {"envelope": {"recipients": []}}, {"sha256": "0" * 64}]
)
def test_a_hold_that_says_nonsense_is_set_aside(world: World, meta: dict[str, Any]) -> None:
    world.take(hold_object(**meta))
    assert world.places()["damaged"] == 1
    assert world.records.holds() == []


@pytest.mark.parametrize(
    "meta",
    [
        {"recipients": [{}]},
        {"recipients": 5},
        {"created": None},
        {"recipients": [{"address": "a@b", "state": "held", "hold": "../x"}]},
    ],
)
def test_an_outcome_that_says_nonsense_is_set_aside_whole(world: World, meta: dict[str, Any]) -> None:
    world.take(outcome_object([hold_object()], **meta))
    assert world.places()["damaged"] == 1
    assert world.records.holds() == []
    assert world.records.disclosures() == []


def test_an_object_for_an_unknown_online_key_waits_for_its_key(world: World) -> None:
    strange = {"online": PrivateKey.generate().public_key()}
    world.store.put(hex_id("x"), ObjectKind.OUTCOME, seal(outcome_object(name="x"), strange))
    obj = outcome_object(name="x")
    world.store.put(obj.id, ObjectKind.OUTCOME, seal(obj, strange))
    world.intake.run(world.now)
    world.intake.run(world.now)
    assert world.store.sync(obj.id, ObjectKind.OUTCOME, Place.INCOMING)
    assert [row.kind for row in world.records.outbox_due(world.now) if row.hold == obj.id] == ["damaged"]


def test_one_notice_a_message_named_by_its_strictest(world: World) -> None:
    ask = hold_object(
        "ask", key="online", action="ASK", releases="sender", notice="N-1", message="m1", recipients=["a@x.example"]
    )
    quarantine = hold_object("quarantine", message="m1", recipients=["b@y.example"])
    world.take(ask, quarantine, outcome_object([ask, quarantine], delivered=[PEER], name="m1"))
    [row] = world.records.outbox_due(world.now + 100)
    assert (row.kind, row.to, row.role, row.message) == ("N-1", SENDER, "sender", "m1")
    assert row.due == world.now + world.settings.merge_window


@pytest.mark.parametrize(
    ("meta", "to", "role"),
    [
        ({"sender_kind": "machine", "owner": "owner@own.example"}, "owner@own.example", "owner"),
        ({"sender_kind": "auto", "owner": ""}, "", "ig"),
        ({"sender_kind": "null", "owner": "postmaster"}, "", "postmaster"),
    ],
)
def test_machines_never_get_a_notice_their_owners_do(world: World, meta: dict[str, Any], to: str, role: str) -> None:
    """RFC 3834 2: an automatic message is never answered."""
    hold = hold_object(**meta)
    world.take(hold, outcome_object([hold], **meta))
    [row] = world.records.outbox_due(world.now + 100)
    assert (row.to, row.role) == (to, role)


def test_an_alert_tells_the_person_on_call_at_once(world: World) -> None:
    world.take(hold_object(alert=True, reasons=["kind.intimate-child"], releases="two-person"))
    assert [(row.kind, row.role) for row in world.records.outbox_due(world.now)] == [("alert", "on-call")]


def test_a_delay_is_told_when_it_lasts_and_not_when_it_is_over(world: World) -> None:
    deferred = hold_object(
        "d", key="online", action="DEFERRED", reasons=["next-hop-temporary"], releases="mail-admin", notice=None
    )
    world.take(deferred)
    assert world.records.outbox_due(world.now + 60) == []
    [row] = world.records.outbox_due(world.now + 901)
    assert (row.kind, row.detail["variant"]) == ("N-7", "retry")


def ask(name: str, **meta: Any) -> Any:
    return hold_object(name, key="online", action="ASK", releases="sender", notice="N-1", reasons=["consent.missing"], **meta)


def test_sending_again_with_consent_answers_the_hold(world: World) -> None:
    """Else the sender would be reminded of, and at last told "not sent" about, a mail that has gone."""
    hold = ask("first")
    world.take(hold, outcome_object([hold]))
    world.take(outcome_object(delivered=[PEER.upper()], name="again", created=MONDAY + 60))
    [row] = world.records.holds()
    assert row.state is State.DELETED
    assert world.records.transitions(row.id)[0].event == "resent"
    assert world.records.recipients(row.id)[0].state == "answered"


@pytest.mark.parametrize(("consent", "covered"), [("given", True), ("not-required", False), (None, True)])
def test_not_a_patient_image_is_no_patients_agreement(world: World, consent: str | None, covered: bool) -> None:
    """What a sender said of one message does not let the same picture go again without a question."""
    outcome = outcome_object(delivered=[PEER])
    outcome.meta["recipients"][0]["consent"] = consent
    world.take(outcome)
    assert [one.covered for one in world.records.disclosures()] == [covered]


def test_it_does_not_matter_which_of_the_two_was_taken_in_first(world: World) -> None:
    """Symptom: now and then a sender was told "not sent" of a mail that had gone.  Two objects written within one tick of
    the file system's clock were taken in by name, the answer before the hold it answered, which then was never closed."""
    hold = ask("first")
    world.take(outcome_object(delivered=[PEER], name="again", created=MONDAY + 60))
    world.take(hold)
    assert world.records.holds()[0].state is State.ASKED
    world.take(outcome_object([hold]))
    assert world.records.holds()[0].state is State.DELETED


@pytest.mark.parametrize(
    "meta",
    [{"images": [image("another")]}, {"created": MONDAY - 60}, {"images": []}],
)
def test_another_picture_or_an_earlier_mail_answers_nothing(world: World, meta: dict[str, Any]) -> None:
    hold = ask("first")
    world.take(hold, outcome_object([hold]))
    world.take(outcome_object(delivered=[PEER], name="again", **{"created": MONDAY + 60} | meta))
    assert world.records.holds()[0].state is State.ASKED


def test_a_hold_for_two_is_over_only_when_both_have_it(world: World) -> None:
    hold = ask("first", recipients=[PEER, "second@x.example"])
    world.take(hold, outcome_object([hold]))
    world.take(outcome_object(delivered=[PEER], name="again", created=MONDAY + 60))
    assert world.records.holds()[0].state is State.ASKED
    world.take(outcome_object(delivered=["second@x.example"], name="more", created=MONDAY + 90))
    assert world.records.holds()[0].state is State.DELETED


async def fill(world: World) -> None:
    """A bit of everything that can happen to holds."""
    world.take(
        hold_object("waiting"), outcome_object([hold_object("waiting")], delivered=["z@royal.example"]),
        hold_object("released"), outcome_object([hold_object("released")]),
        hold_object("refused"), outcome_object([hold_object("refused")]),
        hold_object("again"), outcome_object([hold_object("again")]),
        ask("asked"), outcome_object([ask("asked")], name="asked"),
        outcome_object(delivered=[PEER], name="resent", created=MONDAY + 30),
    )  # fmt: skip
    desk = world.desk()
    ops.release(desk, hex_id("released"), "ig1")
    await world.releaser(answering(DONE)).run(world.now)
    ops.release(desk, hex_id("again"), "ig1", accepted=["opaque.encrypted"])
    await world.releaser(answering(Answer(250, "2.1.5 HELD-AGAIN kind-rule", final=True))).run(world.now)
    ops.refuse(desk, hex_id("refused"), "ig2", "domain.no")
    write_notes(world.records, world.store, world.public)


async def test_the_index_rebuilt_from_the_objects_is_the_same(world: World) -> None:
    await fill(world)
    before, said = index(world.records), kinds(world)
    assert {row.state for row in world.records.holds()} == {State.QUARANTINED, State.RELEASED, State.REFUSED, State.DELETED}
    world.intake.rebuild(world.now)
    assert index(world.records) == before
    assert kinds(world) == said  # nobody is told a second time


async def test_a_lost_database_is_made_again_from_the_objects(world: World, tmp_path: Path) -> None:
    await fill(world)
    before = index(world.records)
    world.records.close()
    for path in world.settings.state.glob("records.sqlite*"):
        path.unlink()
    again = World(tmp_path)
    again.intake.rebuild(again.now)
    assert index(again.records) == before


async def test_nothing_is_readable_at_rest(world: World, tmp_path: Path) -> None:
    """P5: content, subject and file names in no file; addresses in the records database only; nor in snapshot or audit."""
    await fill(world)
    secret = (b"CANARY", b"canary")
    address = (SENDER.encode(), PEER.encode())
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(found) > 15
    for path in found:
        data = path.read_bytes()
        assert not any(word in data for word in secret), path.name
        if not path.name.startswith("records.sqlite"):
            assert not any(word in data for word in address), path.name


async def test_the_audit_is_a_chain_of_codes(world: World) -> None:
    await fill(world)
    lines = [json.loads(line) for line in world.settings.audit.read_text().splitlines()]
    assert verify_chain(world.settings.audit) == len(lines)
    assert {"held", "outcome", "release", "releasing", "released", "held-again", "refuse", "resent"} <= {
        line["event"] for line in lines
    }
    assert next(line for line in lines if line["event"] == "refuse")["actor"] == "ig2"


async def test_a_changed_or_missing_audit_line_is_found(world: World) -> None:
    await fill(world)
    lines = world.settings.audit.read_bytes().splitlines(keepends=True)
    world.settings.audit.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    with pytest.raises(ValueError, match="line 4"):
        verify_chain(world.settings.audit)
    world.settings.audit.write_bytes(b"".join([*lines[:3], lines[3].replace(b'"at":', b'"at": '), *lines[4:]]))
    with pytest.raises(ValueError, match="line 5"):
        verify_chain(world.settings.audit)


def test_an_audit_line_cut_short_by_a_crash_does_not_swallow_the_next(world: World) -> None:
    world.take(hold_object("a"))
    with world.settings.audit.open("ab") as file:
        file.write(b'{"cut')
    world.take(hold_object("b"))
    assert json.loads(world.settings.audit.read_bytes().splitlines()[-1])["hold"] == hex_id("b")


def test_rows_are_kept_out_of_words_that_could_be_logged(world: World) -> None:
    world.take(hold_object())
    [row] = world.records.holds()
    assert SENDER not in repr(row)
    assert PEER not in repr(world.records.recipients(row.id))
    assert "CANARY" not in repr(hold_object())
