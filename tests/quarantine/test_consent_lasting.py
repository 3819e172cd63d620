"""The consent register through crashes, loss, two people at once and time."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from quarantine.consents import recalls
from quarantine.consents.model import Entry, digest
from quarantine.consents.model import patient as of_patient
from quarantine.consents.sealed import write_entries, write_letters
from quarantine.journal import read_journal
from quarantine.model import ObjectKind
from quarantine.records import Records
from quarantine.retention import DAY, purge
from quarantine.seal import unseal
from quarantine.service import Service
from quarantine.snapshot import Snapshot, tell_consents
from quarantine.stores.api import Place
from tests.support.consent_kit import GIVEN, NHS, event, journal, note, reference, sent, snapshot, stands
from tests.support.quarantine_kit import MONDAY, PEER, World, hex_id, image

pytestmark = pytest.mark.unit


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# -- two at once, time, loss -----------------------------------------------------------------------------------------


def test_two_people_at_once_are_both_noted(world: World) -> None:
    """Two processes beside the service: no word is lost, none is noted twice."""
    problems: list[BaseException] = []

    def work(user: str) -> None:
        records = Records(world.settings.records)
        try:
            for turn in range(10):
                entry = Entry(
                    digest(user, str(turn)), of_patient(reference(world)), "refused", 1.0, float(turn), user, "ig", "x", "command"
                )
                records.consent_add([entry])
        except Exception as error:
            problems.append(error)
        finally:
            records.close()

    threads = [threading.Thread(target=work, args=(user,)) for user in ("ig1", "ig2")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert problems == []
    assert len(world.records.consent_history(of_patient(reference(world)))) == 20


async def test_a_word_of_another_process_reaches_the_snapshot_with_the_next_round(world: World) -> None:
    """Symptom: a withdrawal at the command line took half a minute, or five.  Cause: only the service's own writes counted."""
    world.records.close()
    service = Service(world.settings, clock=world.clock)
    try:
        assert await service.snapshot() is True
        world.now += 1
        assert await service.snapshot() is False
        beside = World(world.root, now=world.now)
        note(beside, "withdrawn")
        world.now += 1
        assert await service.snapshot() is True
        assert Snapshot(world.settings.snapshot, world.hashes, 900.0, world.clock).withdrawn([NHS]) is True
        assert await service.snapshot() is False
        world.settings.snapshot.unlink()  # somebody cleaned up: the next word has all of it written
        note(beside, "restored")
        assert await service.snapshot() is False
        assert await service.snapshot() is True
        assert Snapshot(world.settings.snapshot, world.hashes, 900.0, world.clock).withdrawn([NHS]) is False
    finally:
        service.close()


async def test_a_snapshot_from_the_future_is_written_anew(world: World) -> None:
    """Symptom: the clock was put back by a day, and for a day the gateway took the snapshot for unknown."""
    world.records.close()
    service = Service(world.settings, clock=world.clock)
    try:
        assert await service.snapshot() is True
        world.now -= 86_400
        assert await service.snapshot() is True
        assert Snapshot(world.settings.snapshot, world.hashes, 900.0, world.clock).withdrawn([NHS]) is False
        assert await service.snapshot() is False
    finally:
        service.close()


def test_a_word_alone_is_put_into_the_snapshot_that_is_there(world: World) -> None:
    """A large ledger takes seconds to write; the rest stays as old as it is; a snapshot that cannot be read is not touched."""
    sent(world)
    snapshot(world)
    world.now += 100
    note(world, "withdrawn")
    tell_consents(world.settings.snapshot, world.records)
    told = Snapshot(world.settings.snapshot, world.hashes, 900.0, world.clock)
    assert told.withdrawn([NHS]) is True and told.disclosed(image(), PEER) is True
    assert told.age() == 101.0
    note(world, "restored")
    tell_consents(world.settings.snapshot, world.records)
    assert told.withdrawn([NHS]) is False
    for broken in (b"", b"x" * 5000, world.settings.snapshot.read_bytes().replace(b"version2", b"version1")):
        world.settings.snapshot.write_bytes(broken)
        with pytest.raises(sqlite3.Error):
            tell_consents(world.settings.snapshot, world.records)
        assert world.settings.snapshot.read_bytes() == broken


def test_a_rebuild_keeps_the_register_and_lost_records_come_back(world: World) -> None:
    """No mail says again what a patient said on the telephone: entries and letters are sealed objects of their own."""
    sent(world)
    note(world, "withdrawn")
    note(world, "limited", scope=("record",), purposes=("TREAT",))
    write_letters(world.records, world.store, world.public)
    before = (world.records.consents_in_force(), world.records.consents_since(0.0), recalls.every(world.records))
    world.intake.rebuild(world.now)
    assert (world.records.consents_in_force(), world.records.consents_since(0.0), recalls.every(world.records)) == before
    world.records.close()
    for path in world.settings.records.parent.glob("records.sqlite*"):
        path.unlink()
    again = World(world.root, now=world.now)
    assert again.records.consents_in_force() == []
    again.intake.rebuild(again.now)
    assert (again.records.consents_in_force(), again.records.consents_since(0.0), recalls.every(again.records)) == before
    assert again.records.consents_unwritten() == []


def test_the_journal_read_again_before_a_rebuild_does_not_bring_an_old_no_back(world: World) -> None:
    told = event(world, {"status": "refused"})
    journal(world, told)
    world.now = MONDAY + 60
    note(world, "restored")
    write_entries(world.records, world.store, world.public)
    world.records.close()
    for path in world.settings.records.parent.glob("records.sqlite*"):
        path.unlink()
    again = World(world.root, now=world.now)
    read_journal(again.settings.journal, again.records, again.settings.office)
    assert of_patient(reference(again)) in stands(again)
    again.intake.rebuild(again.now)
    assert of_patient(reference(again)) not in stands(again)


def test_an_object_that_is_no_entry_is_left_alone(world: World) -> None:
    from quarantine.model import SealedObject

    world.vault.put(SealedObject(hex_id("bad"), ObjectKind.OUTCOME, "online", {"created": 1.0, "consent": {"status": "maybe"}}))
    world.store.move(hex_id("bad"), ObjectKind.OUTCOME, Place.INCOMING, Place.HELD)
    world.intake.rebuild(world.now)
    assert stands(world) == {}
    world.store.open(hex_id("bad"), ObjectKind.OUTCOME, Place.HELD)


def test_entries_are_sealed_and_nothing_of_them_is_readable_at_rest(world: World) -> None:
    note(world, "withdrawn", reason="patient.rang")
    (entry,) = world.store.list(Place.HELD)
    data = world.store.open(entry.id, ObjectKind.OUTCOME, Place.HELD)
    assert reference(world).encode() not in data and b"patient.rang" not in data
    assert unseal(data, world.private).meta["consent"]["status"] == "withdrawn"


def test_retention_keeps_entries_and_forgets_statements_and_addresses(world: World) -> None:
    sent(world)
    journal(world, event(world, GIVEN))
    note(world, "withdrawn")
    write_letters(world.records, world.store, world.public)
    much_later = world.now + 4000 * DAY
    purge(world.store, world.records, world.audit, world.settings.retention, much_later)
    assert stands(world)[of_patient(reference(world))] == "withdrawn"
    assert world.records.statements_of(of_patient(reference(world))) == []
    (letter,) = recalls.every(world.records)
    assert (letter.address, letter.mails) == ("", ())
    for entry in world.store.list(Place.HELD):
        assert PEER.encode() not in world.store.open(entry.id, ObjectKind.OUTCOME, Place.HELD)
