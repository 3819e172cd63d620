"""The disclosure ledger: one line for every picture and everybody who got it, from the sealed objects alone."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarantine import ops
from quarantine.database import RecordsVersionError
from quarantine.ingest import Intake
from quarantine.ledger.query import find
from quarantine.model import SealedObject
from quarantine.records import Records
from quarantine.retention import purge
from quarantine.schema import VERSION
from tests.support.quarantine_kit import (
    MONDAY,
    PEER,
    SENDER,
    World,
    hex_id,
    hold_object,
    image,
    outcome_object,
    released_outcome,
)

pytestmark = pytest.mark.unit
DAY = 86400.0
OTHER = "nurse@royal.example"
PATIENT = "ab" * 16
STATEMENT = {
    "status": "given",
    "form": "verbal",
    "given_by": "patient",
    "purpose": "COC",
    "scope": ["record"],
    "carrier": "header",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def line(address: str = PEER, **told: Any) -> dict[str, Any]:
    base = {
        "address": address, "class": "A", "state": "delivered", "method": "route", "rule": "CARE", "reasons": [],
        "mode": "enforce", "source": ["GMC 10", "NHS England"], "protection": "route safe", "stripped": True, "consent": "given",
        "statement": STATEMENT,
    }  # fmt: skip
    return base | told


def picture(name: str = "image", **told: Any) -> dict[str, Any]:
    base = {"sha256": image(name), "scrubbed": image(f"{name} sent"), "kind": "K3", "format": "jpeg", "codes": ["exif.gps"]}
    return base | {"part": "2", "parts": ["2"]} | told


def outcome(*lines: dict[str, Any], name: str = "outcome", images: tuple[dict[str, Any], ...] = (), **meta: Any) -> SealedObject:
    people = [{"address": one["address"], "notify": None, "orcpt": None} for one in lines]
    envelope = {"sender": SENDER, "recipients": people, "ret": None, "envid": None, "smtputf8": False, "body": None}
    told = {"envelope": envelope, "recipients": list(lines), "images": list(images or (picture(),)), "patients": [PATIENT],
            "sender_group": "wards", "policy": "digest-1"}  # fmt: skip
    return outcome_object(name=name, **{**told, **meta})


def ledger(records: Records) -> tuple[Any, Any]:
    return sorted(records.disclosures(), key=repr), records.disclosure_patients()


def test_a_line_says_everything_a_complaint_asks_for(world: World) -> None:
    """Which picture, as received and as sent, to whom, when, under which statement, rule, source and policy, how protected."""
    world.take(outcome(line()))
    [entry] = find(world.records)
    assert (entry.image, entry.scrubbed, entry.sent) == (image(), image("image sent"), image("image sent"))
    assert (entry.sender, entry.recipient) == (world.hashes.address(SENDER), world.hashes.address(PEER))
    assert (entry.sender_address, entry.recipient_address, entry.at) == (SENDER, PEER, MONDAY)
    assert (entry.rule, entry.source, entry.policy) == ("CARE", ("GMC 10", "NHS England"), "digest-1")
    assert (entry.method, entry.protection, entry.mode, entry.cls) == ("route", "route safe", "enforce", "A")
    assert (entry.consent, entry.form, entry.purpose, entry.statement) == ("given", "verbal", "COC", STATEMENT)
    assert (entry.kind, entry.format, entry.codes, entry.patients) == ("K3", "jpeg", ("exif.gps",), (PATIENT,))
    assert (entry.ref, entry.message, entry.sender_group, entry.domain) == ("OUTC-OME2", "msg-outcome", "wards", "royal.example")


def test_who_did_not_get_it_is_not_in_the_ledger(world: World) -> None:
    states = ("held", "refused", "deferred", "failed")
    world.take(outcome(line(), *(line(f"{state}@x.example", state=state) for state in states)))
    assert [entry.recipient_address for entry in find(world.records)] == [PEER]


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ({"mode": "observe", "method": "observe", "stripped": False}, image()),
        ({"mode": "advise", "method": "advise"}, image("image sent")),
        ({"class": "O", "method": "none"}, image("image sent")),
        ({"class": "archive", "method": "none", "stripped": False}, image()),
    ],
)
def test_mail_that_no_rule_stopped_is_in_it_too_and_marked_so(world: World, told: dict[str, Any], sent: str) -> None:
    """Observe, advise, own organisation, archive: the mark is there, and the picture as it really left for this recipient."""
    world.take(outcome(line(**told)))
    [entry] = find(world.records)
    assert (entry.mode, entry.method, entry.cls) == (told.get("mode", "enforce"), told["method"], told.get("class", "A"))
    assert entry.sent == sent


def test_a_picture_with_its_own_statement_has_that_one(world: World) -> None:
    own = {"status": "given", "form": "written", "purpose": "TRAIN", "carrier": "part"}
    images = (picture("a", parts=["2"]), picture("b", parts=["3"], part="3"))
    world.take(outcome(line(per_part={"3": own}), images=images))
    assert {entry.image: (entry.form, entry.purpose) for entry in find(world.records)} == {
        image("a"): ("verbal", "COC"), image("b"): ("written", "TRAIN"),
    }  # fmt: skip


def test_a_release_is_under_its_own_statement_and_names_who_let_it_go(world: World) -> None:
    """What was held is in the ledger only once it has gone; then with the statement that was added, and the reviewer."""
    hold = hold_object()
    world.take(hold, outcome_object([hold], images=[picture()]))
    assert find(world.records) == []
    ops.release(world.desk(), hold.id, "ig1")
    row = world.records.hold(hold.id)
    assert row is not None
    payload = {"release": f"{hold.id}-1", "hold": hold.id, "ref": row.ref, "message": row.message, "recipients": [PEER],
               "by": "ig1", "role": "ig", "decided": world.now}  # fmt: skip
    added = {**STATEMENT, "form": "written", "carrier": "release"}
    world.take(released_outcome(payload, recipients=[line(statement=added)], images=[picture()], patients=[PATIENT]))
    [entry] = find(world.records)
    assert (entry.released_by, entry.released_role, entry.hold) == ("ig1", "ig", hold.id)
    assert (entry.form, entry.statement["carrier"], entry.message, entry.ref) == ("written", "release", "msg-hold", row.ref)
    assert [e.outcome for e in find(world.records, ref="OUTC-OME2")] == [entry.outcome], "by the reference of the email"
    assert [e.outcome for e in find(world.records, ref=row.ref)] == [entry.outcome], "by the reference of the hold"


def test_an_address_that_is_no_text_stops_nothing(world: World) -> None:
    """RFC 6531 addresses may hold any octets; what is no UTF-8 stands as lone surrogates in the objects."""
    strange = "dr\udcff@caf\udce9.example"
    world.take(outcome(line(strange)))
    [entry] = find(world.records)
    assert (entry.recipient, entry.recipient_address) == (world.hashes.address(strange), strange)


@pytest.mark.parametrize("bad", [{"statement": 5}, {"per_part": ["2"]}, {"source": 7}])
def test_an_outcome_that_cannot_be_understood_leaves_nothing_behind(world: World, bad: dict[str, Any]) -> None:
    world.take(outcome(line(**bad)))
    assert (world.places()["damaged"], find(world.records)) == (1, [])


def test_an_outcome_of_an_older_gateway_is_taken_in(world: World) -> None:
    """It named images only; everything else is empty, nothing is guessed."""
    world.take(outcome_object(delivered=[PEER]))
    [entry] = find(world.records)
    assert (entry.image, entry.mode, entry.statement, entry.patients, entry.policy) == (image(), "", {}, (), "digest")


# -- promises over everything ------------------------------------------------------------------------------------------------

_LINES = st.lists(
    st.tuples(st.sampled_from(["a@x.example", "b@x.example", "C@y.example", "d@own.example"]),
              st.sampled_from(["delivered", "held", "refused", "failed"])),
    min_size=1, max_size=4, unique_by=lambda one: one[0],
)  # fmt: skip
_MAIL = st.tuples(_LINES, st.sets(st.sampled_from("pqrs"), max_size=3), st.booleans())


@given(mails=st.lists(_MAIL, min_size=1, max_size=5))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
def test_the_ledger_is_what_the_outcomes_say(tmp_path_factory: pytest.TempPathFactory, mails: list[Any]) -> None:
    """Its lines are delivered recipients × pictures; twice changes nothing; a rebuild and a new database say the same."""
    world = World(tmp_path_factory.mktemp("ledger"))
    expected, objects = 0, []
    for number, (people, names, release) in enumerate(mails):
        lines = [line(address, state=state, hold="" if state != "held" else hex_id(f"h{number}")) for address, state in people]
        images = [picture(name) for name in sorted(names)]
        obj = outcome(*lines, name=f"m{number}", created=MONDAY + number)
        meta = {**obj.meta, "images": images}
        if release:
            meta["release"] = {"release": f"r{number}", "hold": hex_id(f"h{number}"), "message": f"msg-m{number}", "by": "ig1"}
            for one in lines:
                one["hold"] = ""
        objects.append(SealedObject(obj.id, obj.kind, obj.key, meta))
        expected += sum(state == "delivered" for _, state in people) * len(names)
    world.take(*objects)
    assert world.places()["damaged"] == 0
    before = ledger(world.records)
    assert len(before[0]) == expected == len(find(world.records))
    world.take(*objects)
    assert ledger(world.records) == before
    world.intake.rebuild(world.now)
    assert ledger(world.records) == before
    fresh = Records(":memory:")
    Intake(world.store, fresh, world.private, world.hashes, world.audit, world.settings).rebuild(world.now)
    assert ledger(fresh) == before
    world.records.close()
    fresh.close()


def test_a_rebuild_puts_right_what_was_changed_by_hand(world: World) -> None:
    """The objects are the truth: a line that somebody edited in the database is made anew."""
    world.take(outcome(line()))
    before = ledger(world.records)
    world.records.run("UPDATE disclosures SET rule = 'OTHER', recipient = 'somebody'")
    world.records.run("DELETE FROM disclosure_patients")
    world.intake.rebuild(world.now)
    assert ledger(world.records) == before


# -- retention -----------------------------------------------------------------------------------------------------------


def erase(world: World) -> None:
    purge(world.store, world.records, world.audit, world.settings.retention, world.now)


def test_the_record_outlives_the_consent(world: World) -> None:
    """Symptom: lines vanished some time after the consent's end, whatever the record's own time.  They must prove afterwards."""
    world.take(outcome(line(consent_until=MONDAY + 5 * DAY)))
    world.now += 2900 * DAY
    erase(world)
    assert len(find(world.records)) == 1
    assert world.records.disclosed(world.now) == [], "but it covers nothing any more"


def test_a_consent_that_still_counts_keeps_its_line(tmp_path: Path) -> None:
    """Else a thread would be asked again in the middle of its consent."""
    world = World(tmp_path, options={"retention": {"records_days": 10, "ledger_days": 10}})
    world.take(outcome(line(consent_until=MONDAY + 50 * DAY)))
    world.now += 30 * DAY
    erase(world)
    assert len(world.records.disclosed(world.now)) > 0
    world.now += 30 * DAY
    erase(world)
    assert ledger(world.records) == ([], [])


def test_addresses_go_first_and_keyed_hashes_stay(tmp_path: Path) -> None:
    """After ``records_days`` nobody is named any more; who knows an address or a number can still ask, until ``ledger_days``."""
    world = World(tmp_path, options={"retention": {"records_days": 400, "ledger_days": 800}})
    world.take(outcome(line()))
    world.now += 500 * DAY
    erase(world)
    [entry] = find(world.records, patient=PATIENT)
    assert (entry.sender_address, entry.recipient_address) == ("", "")
    assert entry.recipient == world.hashes.address(PEER)
    assert find(world.records, recipient=world.hashes.address(PEER)) == [entry]
    world.intake.rebuild(world.now)
    assert find(world.records) == [entry], "a rebuild leaves what the objects can no longer say"
    database = world.settings.records.read_bytes()
    assert PEER.encode() not in database
    world.now += 400 * DAY
    erase(world)
    assert ledger(world.records) == ([], [])


# -- an older database ---------------------------------------------------------------------------------------------------

_OLD = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO facts VALUES ('schema', '1');
CREATE TABLE outcomes (
  id TEXT PRIMARY KEY, ref TEXT NOT NULL, message TEXT NOT NULL, merge TEXT NOT NULL, created REAL NOT NULL, meta TEXT NOT NULL);
CREATE TABLE holds (
  id TEXT PRIMARY KEY, ref TEXT NOT NULL, message TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL,
  created REAL NOT NULL, deadline REAL NOT NULL, action TEXT NOT NULL, rule TEXT NOT NULL, reasons TEXT NOT NULL,
  releases TEXT NOT NULL, key TEXT NOT NULL, urgency TEXT NOT NULL, alert INTEGER NOT NULL, notice TEXT,
  answers TEXT NOT NULL, sender TEXT NOT NULL, sender_kind TEXT NOT NULL, owner TEXT NOT NULL, complete INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, next_try REAL, round INTEGER NOT NULL DEFAULT 0, release TEXT,
  reminded REAL, escalated REAL, alarmed REAL, closed REAL, purged REAL, forgotten REAL);
CREATE TABLE disclosures (
  outcome TEXT NOT NULL, image TEXT NOT NULL, scrubbed TEXT NOT NULL, recipient TEXT NOT NULL, sender TEXT NOT NULL,
  at REAL NOT NULL, until REAL NOT NULL, rule TEXT NOT NULL, method TEXT NOT NULL, consent TEXT NOT NULL,
  covered INTEGER NOT NULL, PRIMARY KEY (outcome, image, recipient));
CREATE INDEX disclosures_recipient ON disclosures (recipient, sender);
INSERT INTO disclosures VALUES ('out1', 'i1', 's1', 'r1', 'f1', 10, 20, 'CARE', 'route', 'given', 1);
INSERT INTO disclosures VALUES ('hold1', 'i2', '', 'r1', 'f1', 11, 21, 'UNKNOWN', 'release', '', 1);
INSERT INTO holds (id, ref, message, state, version, created, deadline, action, rule, reasons, releases, key, urgency, alert,
  answers, sender, sender_kind, owner, complete)
VALUES ('hold1', 'HHHH-HHH2', 'm2', 'RELEASED', 2, 1, 2, 'ASK', 'r', '[]', 'ig', 'online', 'routine', 0, '[]', '', 'person',
  '', 2);
"""


def _old(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(_OLD)
    meta = {"recipients": [{"address": PEER}], "envelope": {"sender": SENDER}}
    connection.execute("INSERT INTO outcomes VALUES ('out1', 'OOOO-OOO2', 'm1', 'g1', 10, ?)", (json.dumps(meta),))
    connection.commit()
    connection.close()


def test_records_of_the_version_before_are_brought_up_to_ours(tmp_path: Path) -> None:
    """Every line is still there with what it said, found by message and reference; opening again changes nothing."""
    path = tmp_path / "records.sqlite"
    _old(path)
    for _ in range(2):
        records = Records(path)
        assert records.fact("schema") == str(VERSION)
        first, second = find(records)
        assert (first.image, first.scrubbed, first.message, first.ref, first.method) == ("i1", "s1", "m1", "OOOO-OOO2", "route")
        assert (second.image, second.hold, second.message, second.ref) == ("i2", "hold1", "m2", "HHHH-HHH2")
        assert (first.recipient_address, first.statement, first.mode) == ("", {}, ""), "what was not written down is not guessed"
        records.close()


def test_a_migration_that_fails_leaves_the_old_records_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "records.sqlite"
    _old(path)
    monkeypatch.setattr(
        "quarantine.database.STEPS", {1: ("ALTER TABLE disclosures ADD COLUMN x TEXT", "ALTER TABLE nowhere ADD y")}
    )
    with pytest.raises(sqlite3.OperationalError):
        Records(path)
    monkeypatch.undo()
    records = Records(path)
    assert (len(find(records)), records.fact("schema")) == (2, str(VERSION))
    records.close()


def test_records_of_a_later_version_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    records = Records(path)
    records.set_fact("schema", str(VERSION + 1))
    records.close()
    with pytest.raises(RecordsVersionError, match=f"schema {VERSION + 1}, this program knows {VERSION}"):
        Records(path)
