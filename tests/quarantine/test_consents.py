"""The consent register: what a patient said stands until the patient says otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quarantine.audit import verify
from quarantine.consents import desk as register
from quarantine.consents import naming, recalls
from quarantine.consents import waiting as held
from quarantine.consents.model import BY_IMAGE, BY_MAIL, Entry
from quarantine.consents.model import image as of_image
from quarantine.consents.model import patient as of_patient
from quarantine.consents.naming import NobodyFound
from quarantine.model import ObjectKind, State
from quarantine.records import Conflict
from quarantine.retention import DAY
from quarantine.schema import snapshot as snapshot_sql
from quarantine.snapshot import Snapshot
from quarantine.state import NotAllowed
from quarantine.stores.api import Missing, Place
from tests.support.consent_kit import GIVEN, NHS, STRANGER, event, journal, named, note, reference, sent, snapshot, stands, waits
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, World, image, outcome_object

pytestmark = pytest.mark.unit


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


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


def test_the_latest_word_counts_when_the_clock_was_put_back(world: World) -> None:
    """Symptom: a patient withdrew, and an agreement noted while the clock was a day ahead stood for a day."""
    subject = of_patient(reference(world))
    note(world, "withdrawn")
    world.now += 86_400
    note(world, "restored")
    world.now -= 86_400
    for status, stand in (("withdrawn", {subject: "withdrawn"}), ("restored", {}), ("refused", {subject: "refused"})):
        note(world, status)
        assert stands(world) == stand


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
