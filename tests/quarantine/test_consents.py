"""The consent register: what a patient said stands until the patient says otherwise, whatever mail, crash or time does to it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from quarantine.audit import verify
from quarantine.consents import desk as register
from quarantine.consents import naming, recalls, statements
from quarantine.consents import waiting as held
from quarantine.consents.desk import Noted, Word
from quarantine.consents.model import BY_COMMAND, BY_IMAGE, BY_MAIL, Entry, digest
from quarantine.consents.model import image as of_image
from quarantine.consents.model import patient as of_patient
from quarantine.consents.naming import Named, NobodyFound
from quarantine.consents.sealed import write_entries, write_letters
from quarantine.journal import read_journal
from quarantine.model import ObjectKind, State
from quarantine.records import Conflict, Records
from quarantine.retention import DAY, purge
from quarantine.schema import snapshot as snapshot_sql
from quarantine.seal import unseal
from quarantine.service import Service
from quarantine.snapshot import Snapshot, tell_consents, write_snapshot
from quarantine.state import NotAllowed
from quarantine.stores.api import Missing, Place
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, World, hex_id, hold_object, image, outcome_object

pytestmark = pytest.mark.unit

NHS = "9434765919"
STRANGER = "jane@newclinic.example"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def reference(world: World, number: str = NHS) -> str:
    return world.hashes.patient(number)


def named(world: World, number: str = NHS) -> Named:
    return naming.by_patients(world.records, [reference(world, number)], BY_COMMAND)


def note(world: World, status: str, who: Named | None = None, user: str = "ig1", **words: Any) -> Noted:
    world.now += 1
    return register.note(world.desk(), who or named(world), Word(status, **words), user)


def stands(world: World) -> dict[str, str]:
    return {subject: one.status for subject, one in world.records.consents_in_force()}


def snapshot(world: World) -> Snapshot:
    write_snapshot(world.settings.snapshot, world.records, world.now)
    return Snapshot(world.settings.snapshot, world.hashes, 900.0, world.clock)


def sent(world: World, *to: str, name: str = "mail", seed: str = "image", **meta: Any) -> None:
    """An email with a picture and the patient's number that went to these people."""
    meta.setdefault("patients", [reference(world)])
    world.take(outcome_object(delivered=to or (PEER,), name=name, images=[{"sha256": image(seed), "scrubbed": ""}], **meta))


def waits(world: World, name: str = "hold", seed: str = "held", patients: Sequence[str] | None = None, **meta: Any) -> str:
    """An email with a picture that is held; the hold's id."""
    obj = hold_object(name, **meta)
    about = {"patients": [reference(world)] if patients is None else list(patients), "images": [[image(seed), ""]]}
    world.take(obj, outcome_object([obj], name=f"of-{name}", **about))
    return obj.id


# -- what stands -----------------------------------------------------------------------------------------------------


def test_the_latest_word_counts_and_every_word_is_kept(world: World) -> None:
    for status in ("withdrawn", "restored", "refused", "limited"):
        note(world, status, **({"scope": ("record",)} if status == "limited" else {}))
    (line,) = world.records.consents_in_force()
    assert (line[1].status, line[1].scope) == ("limited", ("record",))
    history = world.records.consent_history(of_patient(reference(world)))
    assert [(one.status, one.actor, one.role, one.source) for one in history] == [
        (status, "ig1", "ig", "command") for status in ("withdrawn", "restored", "refused", "limited")
    ]


def test_of_two_words_of_the_same_moment_the_stricter_counts(world: World) -> None:
    subject = of_patient(reference(world))
    for status in ("withdrawn", "restored", "limited"):
        world.records.consent_add([Entry(f"e-{status}", subject, status, 1.0, 1.0, "ig1", "ig", "x", "command")])
    assert stands(world) == {subject: "withdrawn"}


def test_a_word_is_told_to_the_gateway_and_taken_back(world: World) -> None:
    assert snapshot(world).withdrawn([NHS]) is False
    note(world, "withdrawn")
    assert snapshot(world).withdrawn(["943 476 5919"]) is True
    note(world, "limited", scope=("record",))
    limited = snapshot(world).said([NHS])
    assert limited is not None and [(one.status, one.scope) for one in limited] == [("limited", ("record",))]
    assert snapshot(world).withdrawn([NHS]) is False
    note(world, "restored")
    assert snapshot(world).said([NHS]) == []


def test_pictures_known_under_the_patient_are_stopped_with_them_and_come_back_with_them(world: World) -> None:
    """Sent again without the number, to somebody else, as received or as cleaned: the very picture stays here."""
    sent(world, name="one", seed="a")
    world.records.add_scrubbed(image("a"), image("a cleaned"))
    waits(world, seed="b")
    noted = note(world, "withdrawn")
    known = snapshot(world)
    for seed in ("a", "a cleaned", "b"):
        found = known.said_of_image(image(seed))
        assert found is not None and [one.status for one in found] == ["withdrawn"], seed
    assert known.said_of_image(image("another")) == []
    assert len({one.event for one in noted.entries}) == 1
    note(world, "restored")
    assert stands(world) == {}


def test_a_consent_that_was_taken_back_covers_nothing_afterwards(world: World) -> None:
    """The patient agrees again: each email states it anew, also to who has the picture already."""
    sent(world)
    assert snapshot(world).disclosed(image(), PEER) is True
    note(world, "withdrawn")
    note(world, "restored")
    assert snapshot(world).disclosed(image(), PEER) is False
    sent(world, name="anew", created=world.now + 60)
    assert snapshot(world).disclosed(image(), PEER) is True


def test_a_form_of_a_picture_that_becomes_known_later_is_stopped_too(world: World) -> None:
    note(world, "refused", naming.by_images(world.records, [image("a")], BY_IMAGE))
    world.records.add_scrubbed(image("a"), image("a cleaned"))
    assert snapshot(world).said_of_image(image("a cleaned")) != []


def test_what_the_gateway_cannot_read_is_unknown_and_a_known_no_is_enough(world: World) -> None:
    """Another version's snapshot, either way round, is unknown = stricter; it is no crash."""
    note(world, "withdrawn")
    old = Path(world.settings.snapshot)
    known = snapshot(world)
    assert known.standing([of_patient(reference(world)), of_image(image("x"))]) is not None
    known.close()
    data = old.read_bytes()
    assert snapshot_sql.SNAPSHOT_VERSION == 2
    old.write_bytes(data.replace(b"version2", b"version1"))
    other = Snapshot(old, world.hashes, 900.0, world.clock)
    assert other.said([NHS]) is None and other.said_of_image(image()) is None and other.withdrawn([NHS]) is None
    assert other.said([]) == []


def test_nothing_on_file_cannot_be_taken_back(world: World) -> None:
    with pytest.raises(NobodyFound, match="nothing is on file"):
        note(world, "restored")


# -- who may, and what is no word ------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["adm", "mallory", ""])
def test_only_ig_writes_and_reads(world: World, user: str) -> None:
    for work in (
        lambda: note(world, "withdrawn", user=user),
        lambda: register.show(world.desk(), named(world), user),
        lambda: register.listing(world.desk(), 0.0, user),
    ):
        with pytest.raises(NotAllowed, match="information-governance team"):
            work()
    assert stands(world) == {}


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ({"status": "withdrawn", "reason": "Mrs Smith rang"}, "the reason is a code"),
        ({"status": "withdrawn", "reason": ""}, "the reason is a code"),
        ({"status": "withdrawn", "since": MONDAY + 10**6}, "a day to come"),
        ({"status": "withdrawn", "since": -1.0}, "too long ago"),
        ({"status": "limited"}, "a limit names the uses"),
        ({"status": "refused", "scope": ("record",)}, "a limit names the uses"),
    ],
)
def test_a_word_that_makes_no_sense_is_not_noted(world: World, word: dict[str, Any], problem: str) -> None:
    with pytest.raises(NotAllowed, match=problem):
        note(world, **word)
    assert stands(world) == {}


def test_what_cannot_be_audited_does_not_happen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries, held mail and letters are one with the audit line: all or nothing."""
    sent(world)
    hold = waits(world)

    def full(*_args: object, **_facts: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(type(world.audit), "consent", full)
    with pytest.raises(OSError, match="no space"):
        note(world, "withdrawn")
    assert stands(world) == {} and recalls.every(world.records) == []
    row = world.records.hold(hold)
    assert row is not None and row.state is State.QUARANTINED


def test_every_read_and_write_is_audited_and_names_nobody(world: World) -> None:
    sent(world)
    noted = note(world, "withdrawn")
    register.show(world.desk(), named(world), "ig2")
    register.listing(world.desk(), 0.0, "ig2")
    lines = [json.loads(line) for line in world.settings.audit.read_bytes().splitlines()]
    ours = [(one["event"], one["actor"]) for one in lines if "consent" in one["event"]]
    assert ours == [("consent-noted", "ig1"), ("consent-shown", "ig2"), ("consent-listed", "ig2")]
    wrote = next(one for one in lines if one["event"] == "consent-noted")
    assert (wrote["status"], wrote["patients"], wrote["letters"], wrote["entry"]) == (
        "withdrawn",
        [reference(world)],
        1,
        noted.event,
    )
    assert verify(world.settings.audit) == len(lines)
    for path in world.root.rglob("*"):
        if path.is_file():
            assert NHS.encode() not in path.read_bytes(), path


# -- statements in mail ----------------------------------------------------------------------------------------------


def event(world: World, *said: dict[str, Any], fates: Sequence[str] = ("delivered",), **record: Any) -> dict[str, Any]:
    """A journal line as ``gateway.commit`` writes it."""
    lines = [
        {"consent": one.get("status"), "facts": {"consent": {"statement": one or None, "per_part": one.pop("per_part", [])}}}
        for one in map(dict, said)
    ]
    base = {
        "sender": world.hashes.address(SENDER), "patients": [reference(world)], "recipients": lines,
        "images": [{"part": "1.2", "sha256": image("x"), "scrubbed": image("x cleaned")}],
    }  # fmt: skip
    return {
        "event": "message", "at": MONDAY + 5, "seconds": 5, "message": "4XyZ", "outcomes": hex_id("outcome"),
        "recipients": [{"state": fate} for fate in fates], "record": base | record,
    }  # fmt: skip


def journal(world: World, *events: dict[str, Any]) -> None:
    world.settings.journal.mkdir(exist_ok=True)
    with (world.settings.journal / "gateway-00000001.jsonl").open("ab") as file:
        file.writelines(json.dumps(one).encode() + b"\n" for one in events)
    read_journal(world.settings.journal, world.records, world.settings.office)


GIVEN = {
    "status": "given", "form": "verbal", "given_by": "patient", "purpose": "COC", "scope": ["record"], "dated": "2026-11-20",
    "expires": "2027-05-20",
}  # fmt: skip


def test_every_statement_is_seen_under_the_patient_and_the_picture(world: World) -> None:
    """Also of what was held or refused; with who, when, what became of it, and the outcome that tells more."""
    journal(world, event(world, GIVEN, fates=("held", "refused")))
    for subject in (of_patient(reference(world)), of_image(image("x")), of_image(image("x cleaned"))):
        (seen,) = world.records.statements_of(subject)
        assert (seen.status, seen.form, seen.given_by, seen.purpose, seen.scope, seen.dated, seen.expires) == (
            "given", "verbal", "patient", "COC", ("record",), "2026-11-20", "2027-05-20",
        )  # fmt: skip
        assert (seen.at, seen.sender, seen.fates, seen.outcomes) == (
            MONDAY, world.hashes.address(SENDER), ("held", "refused"), (hex_id("outcome"),),
        )  # fmt: skip
    assert stands(world) == {}


def test_a_mail_that_says_no_is_on_file_for_its_patient_and_its_pictures(world: World) -> None:
    journal(world, event(world, {"status": "withdrawn"}, {"status": "refused"}, fates=("refused", "refused")))
    assert stands(world) == dict.fromkeys(
        (of_patient(reference(world)), of_image(image("x")), of_image(image("x cleaned"))), "withdrawn"
    )
    (entry,) = world.records.consent_history(of_patient(reference(world)))
    assert (entry.actor, entry.source, entry.noted) == ("service", "statement", MONDAY)


def test_a_mail_that_says_no_without_a_number_stops_its_pictures(world: World) -> None:
    journal(world, event(world, {"status": "refused"}, patients=[]))
    assert stands(world) == dict.fromkeys((of_image(image("x")), of_image(image("x cleaned"))), "refused")


def test_a_refusal_of_one_part_stops_that_picture_only(world: World) -> None:
    said = GIVEN | {"per_part": [{"status": "refused", "parts": ["1.3"]}]}
    pictures = [{"part": "1.2", "sha256": image("x")}, {"part": "1.3", "sha256": image("y")}]
    journal(world, event(world, said, images=pictures))
    assert stands(world) == {of_image(image("y")): "refused"}


def test_a_mail_read_twice_is_one_entry_and_a_word_that_came_later_stays(world: World) -> None:
    """The journal read again from the start (lost offsets) says no at the time it was said, not now."""
    told = event(world, {"status": "refused"})
    journal(world, told)
    world.now = MONDAY + 60
    note(world, "restored")
    world.records.set_journal_offset("gateway-00000001.jsonl", 0)
    read_journal(world.settings.journal, world.records, world.settings.office)
    assert of_patient(reference(world)) not in stands(world)
    assert len(world.records.consent_history(of_patient(reference(world)))) == 2
    journal(world, told | {"at": MONDAY + 3600, "outcomes": hex_id("later")})
    assert stands(world)[of_patient(reference(world))] == "refused"


def test_the_outcome_alone_tells_of_a_refusal_too(world: World) -> None:
    """Should the journal be lost; where both speak it is one entry."""
    meta = {"patient": reference(world), "consent": "refused"}
    obj = outcome_object(delivered=[PEER], **meta)
    world.take(obj)
    assert stands(world) == {of_patient(reference(world)): "refused"}
    journal(world, event(world, {"status": "refused"}, images=[]) | {"outcomes": obj.id})
    assert len(world.records.consent_history(of_patient(reference(world)))) == 1


@pytest.mark.parametrize(
    "record",
    [
        {"patients": "x", "images": 5, "recipients": [3]},
        {"patients": [None, 7, "not-a-hash"], "images": [None, {"sha256": 5}], "recipients": [{"consent": "refused"}]},
        {"patients": [], "images": [], "recipients": [{"consent": ["refused"], "facts": {"consent": "x"}}]},
        {"recipients": [{"facts": {"consent": {"statement": {"status": "given", "scope": [1, "a b"], "form": {}}}}}]},
    ],
)
def test_lines_that_say_nothing_sensible_are_passed_over(world: World, record: dict[str, Any]) -> None:
    line = event(world) | {"record": record}
    assert statements.entries(line) == []
    for seen, subjects in statements.seen(line):
        world.records.statement_add(seen, subjects)


def test_what_was_noted_before_there_was_a_register_is_taken_over(world: World) -> None:
    world.records.run("INSERT INTO withdrawals VALUES (:p, :at)", {"p": reference(world), "at": 5.0})
    world.records.run("INSERT INTO withdrawals VALUES (:p, :at)", {"p": "not a hash", "at": 5.0})
    assert statements.adopt(world.records) == 1
    assert statements.adopt(world.records) == 0
    assert snapshot(world).withdrawn([NHS]) is True


# -- held mail -------------------------------------------------------------------------------------------------------


def test_held_mail_of_the_patient_is_refused_its_copy_erased_its_sender_told(world: World) -> None:
    by_number = waits(world, "a", "a")
    asked = waits(world, "b", "b", key="online", action="ASK", releases="sender")
    other = waits(world, "c", "c", patients=[])
    noted = note(world, "withdrawn", since=MONDAY - 11 * DAY)
    rows = {hold: world.records.hold(hold) for hold in (by_number, asked, other)}
    assert [row.state for row in rows.values() if row] == [State.REFUSED, State.REFUSED, State.QUARANTINED]
    assert set(noted.refused) == {rows[by_number].ref, rows[asked].ref}  # type: ignore[union-attr]  # they are there
    told = [row for row in world.records.outbox_due(world.now + 1) if row.kind == "N-5"]
    assert len(told) == 2
    assert held.erase(world.records, world.store, world.audit, world.now) == 2
    for hold in (by_number, asked):
        with pytest.raises(Missing):
            world.store.open(hold, ObjectKind.HOLD, Place.HELD)
    assert held.erase(world.records, world.store, world.audit, world.now) == 0
    world.store.open(other, ObjectKind.HOLD, Place.HELD)


def test_held_mail_with_the_picture_but_without_the_number_is_refused_too(world: World) -> None:
    sent(world, seed="same")
    hold = waits(world, seed="same", patients=[])
    note(world, "withdrawn")
    row = world.records.hold(hold)
    assert row is not None and row.state is State.REFUSED


def test_a_limit_and_a_release_on_its_way_leave_held_mail_to_the_gateway(world: World) -> None:
    """What is being released meets the register at the gateway; a limit is weighed there with the purpose."""
    from quarantine import ops

    hold = waits(world)
    note(world, "limited", scope=("record",))
    assert world.records.hold(hold).state is State.QUARANTINED  # type: ignore[union-attr]  # it is there
    ops.release(world.desk(), hold, "ig1", accepted=["domain.unknown"])
    assert note(world, "withdrawn").refused == ()
    assert world.records.hold(hold).state is State.RELEASING  # type: ignore[union-attr]  # it is there


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


# -- naming ----------------------------------------------------------------------------------------------------------


def test_an_email_is_found_by_its_reference_and_by_its_people(world: World) -> None:
    """ "The photo to Dr X, about 3 March": an email that bore only a tag has no number; its pictures are what can be stopped."""
    sent(world, PEER, STRANGER, name="tag", seed="t", patients=[], ref="TAGG-2345")
    waits(world, "w", "w", patients=[])
    (mail,) = naming.mails_with_ref(world.records, "tagg-2345")
    assert (mail.recipients, mail.images, mail.patients) == ((PEER, STRANGER), (image("t"),), ())
    (hold,) = list(world.records.open_holds())
    assert naming.mails_with_ref(world.records, hold.ref)[0].images == (image("w"),)
    day = (MONDAY - DAY, MONDAY + DAY)
    assert len(naming.mails_between(world.records, SENDER.upper(), "", *day)) == 2
    assert [one.ref for one in naming.mails_between(world.records, "", STRANGER, *day)] == ["TAGG-2345"]
    assert naming.mails_between(world.records, "", STRANGER, MONDAY + DAY, MONDAY + 2 * DAY) == []
    note(world, "withdrawn", naming.by_mails(world.records, [mail], BY_MAIL))
    assert stands(world) == {of_image(image("t")): "withdrawn"}


def test_an_email_without_anything_to_go_by_is_said(world: World) -> None:
    world.take(outcome_object(delivered=[PEER], name="plain", images=[], ref="NONE-2345"))
    with pytest.raises(NobodyFound, match="neither"):
        naming.by_mails(world.records, naming.mails_with_ref(world.records, "NONE-2345"), BY_MAIL)


def test_an_email_named_brings_its_patient_along(world: World) -> None:
    sent(world, name="numbered", seed="n", ref="NUMB-2345")
    found = naming.by_mails(world.records, naming.mails_with_ref(world.records, "NUMB-2345"), BY_MAIL)
    assert (found.patients, found.images, found.pictures) == ((reference(world),), (image("n"),), 1)


# -- showing ---------------------------------------------------------------------------------------------------------


def test_show_says_everything_and_is_the_same_for_a_reference(world: World) -> None:
    sent(world, PEER, STRANGER)
    journal(world, event(world, GIVEN))
    note(world, "limited", scope=("record",), since=MONDAY - DAY)
    note(world, "withdrawn")
    shown = register.show(world.desk(), named(world), "ig1")
    (one,) = shown["patients"]
    assert (one["status"], [line["status"] for line in one["history"]]) == ("withdrawn", ["limited", "withdrawn"])
    assert [line["status"] for line in shown["statements"]] == ["given"]
    assert {line["recipient"] for line in shown["disclosures"]} == {PEER, STRANGER}
    assert {line["to"] for line in shown["recalls"]} == {PEER, STRANGER}
    (entry, *_) = register.listing(world.desk(), 0.0, "ig1")
    assert (entry["status"], entry["patients"]) == ("limited", [reference(world)])
    assert register.listing(world.desk(), world.now + 1, "ig1") == []


def test_a_conflict_over_held_mail_notes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody released the mail this very moment: it is said, and the command is given again."""
    waits(world)

    def taken(*_args: object, **_facts: object) -> None:
        raise Conflict("somebody was first")

    monkeypatch.setattr(held, "move", taken)
    with pytest.raises(Conflict):
        note(world, "withdrawn")
    assert stands(world) == {}
