"""Step 11, what is written: each object has an id of its own and tells the quarantine service what it needs, and no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.ids import ALPHABET, reference
from gateway.model import Plan
from gateway.outcomes.objects import message_id
from quarantine import reading
from quarantine.deadlines import DEADLINES
from quarantine.model import State
from tests.support.commitworld import A, B, C, World, commit, copy, hold, opened, received

pytestmark = pytest.mark.unit


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with opened(tmp_path, monkeypatch) as made:
        yield made


def test_objects_of_two_messages_under_one_queue_id_are_never_taken_for_one(world: World) -> None:
    """Symptom: a sender's notice was dropped, or named the recipients of somebody else's mail.  Cause: the quarantine service
    merges the objects of one message by ``message``; that was the upstream's queue id alone, and those are used again."""
    commit(world, Plan(holds=(hold(0),)), received([A], b"one"))
    commit(world, Plan(holds=(hold(0),)), received([A], b"two"))
    assert len({obj.meta["message"] for obj in world.outcomes}) == 2
    assert {obj.meta["message"] for obj in world.outcomes} == {obj.meta["message"] for obj in world.holds}


def test_an_id_is_not_used_again_after_the_ledger_forgot(world: World) -> None:
    """P1: the same bytes a week later make a new hold; with the old id the quarantine service would take it for known."""
    plan, mail = Plan((), (hold(0),)), received([A])
    commit(world, plan, mail)
    world.now += 7 * 86400
    assert asyncio.run(world.committer.expire(world.now)) == 1
    commit(world, plan, mail)
    assert len(world.holds) == 2


def test_a_release_tells_the_disclosure_ledger_what_went_and_who_let_it_go(world: World) -> None:
    """The statement is the one of the release's own decision; what goes back to its hold, or has no picture, tells nothing."""
    statement = {"status": "given", "form": "verbal", "carrier": "release", "identifiable": True, "child": False}
    why = {
        "mode": "enforce", "kind": "K3", "source": ["GMC 10"], "protection": "route safe", "stripped": True, "rule": "r-1",
        "facts": {"sender_group": "wards", "consent": {"statement": statement}}, "reasons": ["purpose.inferred"],
    }  # fmt: skip
    record = {
        "policy": "digest", "recipients": [why, why], "patients": ["hash"],
        "images": [{"part": "2", "sha256": "aa", "scrubbed": "bb", "kind": "K3", "format": "jpeg", "codes": ["exif.gps"]},
                   {"part": "3", "sha256": "aa", "scrubbed": "bb", "kind": "K3", "format": "jpeg", "codes": ["exif.gps"]}],
    }  # fmt: skip
    terms = {"release": "r1", "hold": "h1", "ref": "H7Q2-93KD", "message": "m1", "by": "ig1", "role": "ig", "decided": 5.0}
    release = received([A, B], protocol="LMTP", release={**terms, "statement": "CANARY", "envelope": {}})
    commit(world, Plan((copy([0], b"data"),), (hold(1),), record=record), release, "release")
    [outcome] = world.objects.values()
    meta = reading.kept(outcome.meta)
    assert meta["release"] == {name: terms[name] for name in terms if name != "ref"}
    assert (meta["ref"], meta["patients"], meta["sender_group"]) == ("H7Q2-93KD", ["hash"], "wards")
    [line] = meta["recipients"]
    said = {"status": "given", "form": "verbal", "carrier": "release", "purpose": "COC", "inferred": True}
    assert (line["address"], line["statement"], line["protection"], line["source"]) == (A, said, "route safe", ["GMC 10"])
    assert meta["images"] == [{"sha256": "aa", "scrubbed": "bb", "part": "2", "parts": ["2", "3"], "format": "jpeg", "kind": "K3",
                               "codes": ["exif.gps"]}]  # fmt: skip
    assert "CANARY" not in json.dumps(outcome.meta)
    world.objects.clear()
    plain = received([A], protocol="LMTP", release={**terms, "release": "r2"})
    commit(world, Plan((copy([0], b"data"),), record=record, plain=True), plain, "release")
    assert not world.objects


def test_the_objects_tell_the_quarantine_service_what_it_needs(world: World) -> None:
    """Both objects are read by the service's own reader: rows, references, images, deadlines, consent."""
    why = {
        "class": "A",
        "rule": "r-1",
        "reasons": ["why"],
        "notice": "N-3",
        "consent": "refused",
        "expires": "2026-11-30",
        "urgency": "urgent",
    }
    record = {
        "policy": "digest", "recipients": [why, why, {**why, "facts": {"at": "now"}}], "patients": ["hash"],
        "images": [{"part": "2", "sha256": "aa", "scrubbed": "bb"}, {"part": "3", "sha256": "cc", "scrubbed": None}],
    }  # fmt: skip
    plan = Plan((copy([0], b"a"), copy([1], b"b")), (hold(2),), record=record)
    world.answers[B] = "4yz"
    commit(world, plan, received([A, B, C], notify="DELAY", envid="E1", ret="HDRS"))
    held = {obj.meta["action"]: reading.from_hold(obj, DEADLINES) for obj in world.holds}
    assert [one.address for one in held["ASK"][1]] == [C]
    assert (held["ASK"][0].state, held["DEFERRED"][0].state) == (State.ASKED, State.DEFERRED)
    assert held["DEFERRED"][0].urgency == "urgent"
    assert all(row.ref == reference(row.id) for row, _ in held.values())
    [outcome] = world.outcomes
    meta = reading.kept(outcome.meta)
    assert json.loads(json.dumps(outcome.meta)) == outcome.meta
    assert sorted(reading.named_holds(meta)) == sorted(obj.id for obj in world.holds)
    assert {row.id: row.action for row, _ in reading.holds_in_outcome(meta, {}, DEADLINES)} == {
        o.id: o.meta["action"] for o in world.holds
    }
    assert reading.images(meta) == [("aa", "bb"), ("cc", "")]
    assert (outcome.meta["patient"], outcome.meta["consent"], meta["message_id"]) == ("hash", "refused", "<1@trust.example>")
    assert meta["recipients"][0]["consent_until"] == datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    assert (meta["envelope"]["envid"], meta["envelope"]["ret"]) == ("E1", "HDRS")
    assert next(obj.meta["facts"] for obj in world.holds if obj.meta["action"] == "ASK") == {"at": "now"}


def test_no_address_stands_in_events_or_exceptions(world: World) -> None:
    """P5: the journal holds domains and codes."""
    commit(world, Plan((copy([0], b"a"),), (hold(1),)), received([A, B]))
    assert "a@" not in str(world.events) and "royal.example" in str(world.events)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"Message-ID: <1@x>\r\n\r\n", "<1@x>"),
        (b"Subject: s\r\nmessage-id:\r\n <2@x>\r\n\r\nMessage-ID: <no@x>\r\n", "<2@x>"),
        (b"Subject: s\r\n\r\nMessage-ID: <no@x>\r\n", ""),
        (b"X-Message-ID: <no@x>\r\n\r\n", ""),
    ],
)
def test_the_message_id_is_read_from_the_header_only(raw: bytes, found: str) -> None:
    assert message_id(raw) == found


def test_references_can_be_read_out_on_the_telephone() -> None:
    """Eight letters none of which sounds or looks like another."""
    ref = reference("f" * 32)
    assert len(ref) == 9 and ref[4] == "-"
    assert set(ref) <= {*ALPHABET, "-"} and not set(ALPHABET) & set("01ILOU")
