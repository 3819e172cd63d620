"""What mails say of consent: statements seen, and refusals that count from then on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quarantine.consents import statements
from quarantine.consents.model import image as of_image
from quarantine.consents.model import patient as of_patient
from quarantine.journal import read_journal
from tests.support.consent_kit import GIVEN, NHS, event, journal, note, reference, snapshot, stands
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, World, hex_id, image, outcome_object

pytestmark = pytest.mark.unit


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# -- statements in mail ----------------------------------------------------------------------------------------------


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


def test_a_release_says_nothing_anew(world: World) -> None:
    """Symptom: IG restored a picture, tried to release the held mail that had said no, and the picture was stopped again for all.

    Cause: a release runs the mail through the gateway once more, and its old words were read as the patient's latest.
    """
    told = event(world, {"status": "refused"}, fates=("held",))
    journal(world, told)
    world.now = MONDAY + 60
    note(world, "restored")
    journal(world, told | {"at": MONDAY + 3600, "outcomes": "", "message": f"release:{hex_id('hold')}-1"})
    assert stands(world) == {}


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


def test_a_line_longer_than_what_is_read_at_once_stops_nothing(world: World) -> None:
    """Many pictures to many people: what stands behind it (a refusal, perhaps) is read all the same."""
    journal(world, event(world, GIVEN, inline=["x" * 64] * 80_000), event(world, {"status": "refused"}))
    assert stands(world)[f"patient:{reference(world)}"] == "refused"


def test_a_long_line_that_is_still_being_written_waits(world: World) -> None:
    world.settings.journal.mkdir()
    segment = world.settings.journal / "gateway-00000001.jsonl"
    line = json.dumps(event(world, {"status": "refused"}, inline=["x" * 64] * 80_000)).encode()
    for written, count in ((line, 0), (b"\n", 1), (b"", 0)):
        with segment.open("ab") as file:
            file.write(written)
        assert read_journal(world.settings.journal, world.records, world.settings.office) == count
    assert stands(world)[f"patient:{reference(world)}"] == "refused"
