"""The snapshot: the gateway learns of the past in keyed hashes; missing, stale or broken means unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quarantine.consents.model import Entry, patient
from quarantine.journal import read_journal
from quarantine.keyedhash import KeyedHash
from quarantine.records import Records
from quarantine.snapshot import Snapshot, write_snapshot
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, World, image, outcome_object

pytestmark = pytest.mark.unit


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def reader(world: World) -> Snapshot:
    return Snapshot(world.settings.snapshot, world.hashes, 900.0, world.clock)


def write(world: World) -> Snapshot:
    write_snapshot(world.settings.snapshot, world.records, world.now)
    return reader(world)


def wrote(snapshot: Snapshot) -> bool | None:
    return {PEER: True, "": False, None: None}[snapshot.first_written_to(SENDER, [PEER])]


def answers(snapshot: Snapshot) -> list[bool | None]:
    return [
        snapshot.disclosed(image(), PEER), snapshot.seen_inline(image("logo"), SENDER), wrote(snapshot),
        snapshot.withdrawn(["943 476 5919"]), snapshot.withdrawn(["1", "943-476-5919"]),
    ]  # fmt: skip


def fill(world: World) -> None:
    world.take(outcome_object(delivered=[PEER]))
    for _ in range(3):
        world.records.add_inline(image("logo"), world.hashes.address(SENDER))
    reference = patient(world.hashes.patient("9434765919"))
    said = Entry("e", reference, "refused", MONDAY, MONDAY, "ig1", "ig", "patient.said", "command")
    world.records.consent_add([said])


def test_what_was_recorded_is_known(world: World) -> None:
    fill(world)
    snapshot = write(world)
    assert answers(snapshot) == [True, True, True, True, True]
    assert snapshot.disclosed(image(), PEER.upper()) is True  # addresses do not differ by case
    assert snapshot.disclosed(image("other"), PEER) is False
    assert snapshot.first_written_to(PEER, [SENDER]) == ""
    assert snapshot.withdrawn(["1"]) is False
    assert snapshot.age() == 0.0


def test_missing_stale_broken_and_future_snapshots_answer_unknown(world: World) -> None:
    assert answers(reader(world)) == [None] * 5
    assert reader(world).age() is None
    fill(world)
    snapshot = write(world)
    world.now += 901
    assert answers(snapshot) == [None] * 5
    assert snapshot.age() == 901
    world.now -= 2000
    assert answers(snapshot) == [None] * 5
    world.settings.snapshot.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert answers(snapshot) == [None] * 5
    world.settings.snapshot.write_bytes(b"")
    assert answers(snapshot) == [None] * 5


def test_a_new_snapshot_is_seen_without_being_told(world: World) -> None:
    snapshot = write(world)
    assert snapshot.disclosed(image(), PEER) is False
    fill(world)
    write_snapshot(world.settings.snapshot, world.records, world.now)
    assert snapshot.disclosed(image(), PEER) is True
    world.settings.snapshot.unlink()
    assert snapshot.disclosed(image(), PEER) is None


def test_consent_that_ended_covers_nothing(world: World) -> None:
    """Fresh enough to be believed, but the consent ran out meanwhile."""
    outcome = outcome_object(delivered=[PEER])
    outcome.meta["recipients"][0]["consent_until"] = world.now + 60
    world.take(outcome)
    snapshot = write(world)
    assert snapshot.disclosed(image(), PEER) is True
    world.now += 61
    assert snapshot.disclosed(image(), PEER) is False


@pytest.mark.parametrize(
    ("field", "value"), [("method", "observe"), ("method", "advise"), ("notice", "N-6"), ("state", "failed")]
)
def test_what_went_without_consent_covers_nothing(world: World, field: str, value: str) -> None:
    outcome = outcome_object(delivered=[PEER])
    outcome.meta["recipients"][0][field] = value
    world.take(outcome)
    assert write(world).disclosed(image(), PEER) is False


def test_another_key_knows_nobody(world: World) -> None:
    fill(world)
    write(world)
    other = Snapshot(world.settings.snapshot, KeyedHash(b"o" * 32), 900.0, world.clock)
    assert answers(other)[0] is False
    assert other.first_written_to(SENDER, [PEER]) == ""


def test_no_address_stands_in_the_snapshot(world: World) -> None:
    fill(world)
    write(world)
    data = world.settings.snapshot.read_bytes()
    assert SENDER.encode() not in data
    assert b"9434765919" not in data


def test_a_write_that_fails_leaves_the_old_one(world: World) -> None:
    fill(world)
    write(world)
    before = world.settings.snapshot.read_bytes()
    world.records.close()
    with pytest.raises(Exception, match="closed"):
        write_snapshot(world.settings.snapshot, world.records, world.now + 1)
    assert world.settings.snapshot.read_bytes() == before


# -- the journal -----------------------------------------------------------------------------------------------------


def event(world: World, **record: Any) -> bytes:
    base = {
        "sender": world.hashes.address(SENDER),
        "recipients": [
            {"address": world.hashes.address(PEER), "consent": None},
            {"address": world.hashes.address("x@y.example")},
        ],
        "inline": [image("logo")],
        "images": [{"sha256": image(), "scrubbed": image("scrubbed")}],
        "patients": [world.hashes.patient("9434765919")],
    }
    line = {"event": "message", "at": MONDAY, "recipients": [{"state": "delivered"}, {"state": "held"}], "record": base | record}
    return json.dumps(line).encode() + b"\n"


def test_the_journal_tells_of_correspondents_logos_and_scrubbed_hashes(world: World) -> None:
    folder = world.settings.journal
    folder.mkdir()
    world.take(outcome_object(delivered=[PEER]))
    (folder / "front-00000001.jsonl").write_bytes(event(world) * 3)
    assert read_journal(folder, world.records) == 3
    snapshot = write(world)
    assert snapshot.first_written_to(SENDER, ["x@y.example", PEER, SENDER]) == PEER
    assert snapshot.first_written_to(SENDER, ["x@y.example"]) == ""  # held is not delivered
    assert snapshot.seen_inline(image("logo"), SENDER) is True
    assert snapshot.disclosed(image("scrubbed"), PEER) is True  # what came back to us is what we had sent
    assert snapshot.withdrawn(["9434765919"]) is False


def test_a_refusal_stated_in_a_mail_is_on_file_from_then_on(world: World) -> None:
    folder = world.settings.journal
    folder.mkdir()
    refused = [{"address": world.hashes.address(PEER), "consent": "refused"}]
    (folder / "front-00000001.jsonl").write_bytes(event(world, recipients=refused))
    read_journal(folder, world.records)
    assert write(world).withdrawn(["943 476 5919"]) is True


def test_each_event_counts_once_and_half_a_line_waits_for_its_end(world: World) -> None:
    folder = world.settings.journal
    folder.mkdir()
    path = folder / "front-00000001.jsonl"
    whole = event(world)
    path.write_bytes(whole + whole[:40])
    assert read_journal(folder, world.records) == 1
    assert read_journal(folder, world.records) == 0
    with path.open("ab") as file:
        file.write(whole[40:])
    assert read_journal(folder, world.records) == 1
    (folder / "front-00000002.jsonl").write_bytes(whole)
    assert read_journal(folder, world.records) == 1
    assert world.records.inline_seen() == [(image("logo"), world.hashes.address(SENDER), 3)]


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{\n",
        b"[]\n",
        b'{"event": "message"}\n',
        b'{"event": "message", "record": {"recipients": [1], "inline": "x", "sender": 5}}\n',
        b'{"event": "start"}\n',
        b"\xff\n",
    ],
)
def test_lines_that_are_not_ours_are_passed_over(world: World, line: bytes) -> None:
    folder = world.settings.journal
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(line + event(world))
    read_journal(folder, world.records)
    assert len(world.records.pairs()) == 1


def test_records_of_another_schema_are_not_touched(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.sqlite")
    records.set_fact("schema", "99")
    records.close()
    with pytest.raises(Exception, match="schema 99"):
        Records(tmp_path / "records.sqlite")


def test_what_went_about_a_patient_is_known_by_picture_and_message(world: World) -> None:
    """S3-29: first message of each picture, in both its forms; not what stayed inside; not longer ago than is kept."""
    patient = world.hashes.patient("9434765919")
    pictures = [{"sha256": image("a"), "scrubbed": image("a'")}]
    world.take(outcome_object(delivered=[PEER], name="one", patients=[patient], images=pictures))
    world.take(outcome_object(delivered=[PEER], name="two", patients=[patient], images=[*pictures, {"sha256": image("b")}]))
    world.take(outcome_object(delivered=[PEER], name="three", images=[{"sha256": image("c")}]))
    snapshot = write(world)
    found = snapshot.gone(["943 476 5919"], PEER.upper(), MONDAY - 1)
    assert sorted(found or ()) == sorted([(image("a"), "msg-one"), (image("a'"), "msg-one"), (image("b"), "msg-two")])
    assert snapshot.gone(["943 476 5919"], SENDER, 0.0) == snapshot.gone(["1"], PEER, 0.0) == []
    assert snapshot.gone(["943 476 5919"], PEER, MONDAY) == []
    world.now += 91 * 86400
    assert write(world).gone(["943 476 5919"], PEER, 0.0) == []
    world.now += 1000
    assert snapshot.gone(["943 476 5919"], PEER, 0.0) is None  # stale is unknown
