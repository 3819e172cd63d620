"""Letters to those who have pictures that a patient does not want used (R-4): drafted, approved by a person, sent once."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quarantine.consents import desk as register
from quarantine.consents import letters, naming, recalls
from quarantine.consents.desk import Noted, Word
from quarantine.consents.model import BY_COMMAND, BY_IMAGE
from quarantine.consents.naming import Named, NobodyFound
from quarantine.consents.recalls import Recall
from quarantine.notices.renderer import Drop, Mail, Renderer
from quarantine.notices.settings import from_options
from quarantine.notices.wording import load
from quarantine.records import Conflict
from quarantine.retention import DAY
from quarantine.state import NotAllowed
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, World, image, outcome_object

pytestmark = pytest.mark.unit

NHS = "9434765919"
STRANGER = "jane@newclinic.example"
COLLEAGUE = "dr.rao@own.example"
PATIENT = "mary@freemail.example"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, options={"organisation": "Own Hospital"})


def named(world: World) -> Named:
    return naming.by_patients(world.records, [world.hashes.patient(NHS)], BY_COMMAND)


def withdraw(world: World, who: Named | None = None, status: str = "withdrawn") -> Noted:
    world.now += 1
    return register.note(world.desk(), who or named(world), Word(status), "ig1")


def sent(world: World, *to: str, name: str = "mail", pictures: tuple[str, ...] = ("a",), cls: str = "A", **meta: Any) -> None:
    obj = outcome_object(
        delivered=to, name=name, images=[[image(one), ""] for one in pictures], ref=f"{name.upper():X<4}-2345"[:9]
    )
    for line in obj.meta["recipients"]:
        line["class"] = cls
    obj.meta.update({"patients": [world.hashes.patient(NHS)], **meta})
    world.take(obj)


def outbox(world: World) -> list[Any]:
    return [row for row in world.records.outbox_due(world.now + 1) if row.kind in ("R-4", "R-4r", "recall")]


def rendered(world: World, row: Any) -> Any:
    made = Renderer(world.records, from_options(world.settings), load()).render([row], world.now)
    if isinstance(made, Drop):
        return made.code
    assert isinstance(made, Mail)
    return email.message_from_bytes(made.data, policy=email.policy.default)


def say_sent(world: World) -> None:
    """The relay has taken everything that is due."""
    for row in world.records.outbox_due(world.now):
        world.records.outbox_done(row.id, world.now)


# -- drafting --------------------------------------------------------------------------------------------------------


def test_every_recipient_outside_gets_one_draft_about_all_emails(world: World) -> None:
    sent(world, PEER, STRANGER, name="one", pictures=("a", "b"))
    sent(world, PEER, name="two", pictures=("c",), created=MONDAY + 60)
    noted = withdraw(world)
    drafts = {one.address: one for one in noted.drafts}
    assert set(drafts) == {PEER, STRANGER}
    assert [(mail.ref, mail.images, mail.sender) for mail in drafts[PEER].mails] == [
        ("ONEX-2345", 2, SENDER), ("TWOX-2345", 1, SENDER),
    ]  # fmt: skip
    assert all(one.state == "draft" for one in noted.drafts)
    assert outbox(world) == []  # nothing goes before a person says so


def test_colleagues_the_archive_and_the_patient_get_no_letter_and_are_told_of(world: World) -> None:
    sent(world, COLLEAGUE, name="in", cls="O")
    sent(world, "journal@archive.example", name="arc", cls="archive")
    sent(world, PATIENT, name="pat", cls="C")
    noted = withdraw(world)
    assert noted.drafts == ()
    assert noted.patient == 1
    assert {row["recipient"] for row in noted.told if row["where"] == "inside"} == {COLLEAGUE, "journal@archive.example"}
    assert PATIENT not in str(noted.told)


def test_addresses_that_retention_has_blanked_are_counted_and_said(world: World) -> None:
    sent(world, PEER, name="old")
    for outcome in world.records.old_outcomes(world.now + 1):
        world.records.drop_outcome(outcome)
    noted = withdraw(world)
    assert (noted.drafts, noted.forgotten) == ((), 1)
    assert [row["domain"] for row in noted.told] == ["royal.example"]


def test_nobody_is_asked_twice_for_the_same_picture_unless_the_letter_was_dropped(world: World) -> None:
    sent(world, PEER, name="one")
    (first,) = withdraw(world).drafts
    assert withdraw(world).drafts == ()
    sent(world, PEER, name="two", pictures=("b",), created=MONDAY + 60)
    (second,) = withdraw(world, status="refused").drafts
    assert [mail.ref for mail in second.mails] == ["TWOX-2345"]
    letters.decide(world.desk(), first.ref, "drop", "ig1")
    (third,) = withdraw(world).drafts
    assert [mail.ref for mail in third.mails] == ["ONEX-2345"]


def test_a_limit_and_a_change_of_mind_draft_nothing(world: World) -> None:
    sent(world, PEER)
    world.now += 1
    limited = register.note(world.desk(), named(world), Word("limited", scope=("record",)), "ig1")
    assert limited.drafts == () and limited.told != []
    assert withdraw(world, status="restored").drafts == ()


def test_a_picture_without_a_number_finds_its_recipients_in_any_form(world: World) -> None:
    sent(world, PEER, patients=[])
    world.records.add_scrubbed(image("a"), image("a cleaned"))
    (draft,) = withdraw(world, naming.by_images(world.records, [image("a cleaned")], BY_IMAGE)).drafts
    assert draft.address == PEER


# -- deciding --------------------------------------------------------------------------------------------------------


def draft(world: World) -> Recall:
    sent(world, PEER)
    return withdraw(world).drafts[0]


def test_an_approved_letter_goes_once_and_names_no_patient(world: World) -> None:
    letter = draft(world)
    letters.decide(world.desk(), letter.ref, "approve", "ig2")
    (row,) = outbox(world)
    message = rendered(world, row)
    assert (message["To"], message["Reply-To"]) == (PEER, "ig@own.example")
    assert "Own Hospital" in message["Subject"]
    text = " ".join(message.get_body(("plain",)).get_content().split())
    assert "reference MAIL-2345" in text and SENDER in text and "23 November 2026" in text
    for secret in (NHS, world.hashes.patient(NHS), image("a"), "K3", "CANARY"):
        assert secret not in str(message)
    again = rendered(world, row)
    assert again["Message-ID"] == message["Message-ID"]
    with pytest.raises(NotAllowed, match="cannot be approved any more"):
        letters.decide(world.desk(), letter.ref, "approve", "ig1")
    assert len(outbox(world)) == 1


def test_the_preview_is_what_goes_out(world: World) -> None:
    letter = draft(world)
    shown = letters.preview(world.desk(), letter.ref, "ig1")
    letters.decide(world.desk(), letter.ref, "approve", "ig1")
    text = rendered(world, outbox(world)[0]).get_body(("plain",)).get_content()
    assert text.replace("\r\n", "\n") in shown
    assert shown.startswith(f"To: {PEER}\nReply-To: ig@own.example\nSubject: ")


def test_a_dropped_letter_never_goes(world: World) -> None:
    letter = draft(world)
    assert letters.decide(world.desk(), letter.ref, "drop", "ig1")["state"] == "dropped"
    assert outbox(world) == []
    assert letters.listing(world.desk(), "ig1") == []
    assert [one["state"] for one in letters.listing(world.desk(), "ig1", everything=True)] == ["dropped"]


def test_what_left_while_the_no_was_on_its_way_is_in_the_letters_too(world: World) -> None:
    """Symptom: two emails went in the second before the gateway knew; no letter asked about them, and no list named them."""
    sent(world, PEER, name="one", pictures=("a",))
    made = withdraw(world)
    sent(world, PEER, name="two", pictures=("b",), created=world.now)
    sent(world, STRANGER, name="three", pictures=("a",), created=world.now)
    after = register.late(world.desk(), naming.again(world.records, named(world)), made, "ig1")
    assert {one.recipient for one in after.drafts} == {world.hashes.address(PEER), world.hashes.address(STRANGER)}
    (first,) = [one for one in after.drafts if one.id == made.drafts[0].id]
    assert [mail.ref for mail in first.mails] == ["ONEX-2345", "TWOX-2345"]
    assert len(after.told) == 3 and after.pictures == 2
    stands = dict(world.records.consents_in_force())
    assert {f"image:{image('a')}", f"image:{image('b')}"} <= set(stands)
    assert withdraw(world).drafts == ()  # nobody is asked twice
    letters.decide(world.desk(), first.ref, "approve", "ig1")
    sent(world, PEER, name="four", pictures=("c",), created=world.now)
    again = register.late(world.desk(), naming.again(world.records, named(world)), made, "ig1")
    assert [len(one.mails) for one in again.drafts] == [1]  # an approved letter says what was approved


def test_a_letter_is_shown_with_its_own_pictures_only(world: World) -> None:
    """Symptom: `show` of another patient, whose picture had once waited beside, showed this patient's letter."""
    sent(world, PEER, pictures=("a",))
    world.take(outcome_object(name="beside", images=[[image("b"), ""]], patients=[world.hashes.patient(NHS)], ref="BBBB-2345"))
    both = Named((world.hashes.patient(NHS),), (image("a"), image("b")), BY_COMMAND, 2)
    (letter,) = withdraw(world, both).drafts
    for who, shown in ((named(world), 1), (Named((), (image("a"),), BY_IMAGE, 1), 1), (Named((), (image("b"),), BY_IMAGE, 1), 0)):
        assert len(register.show(world.desk(), who, "ig1")["recalls"]) == shown, who
    assert letter.state == "draft"


def test_where_the_site_wants_it_another_person_approves(tmp_path: Path) -> None:
    world = World(tmp_path, options={"consents": {"second_person": True}})
    letter = draft(world)
    with pytest.raises(NotAllowed, match="another person approves"):
        letters.decide(world.desk(), letter.ref, "approve", "ig1")
    assert letters.decide(world.desk(), letter.ref, "approve", "ig2")["decided_by"] == "ig2"


@pytest.mark.parametrize("user", ["adm", "mallory"])
@pytest.mark.parametrize("word", ["approve", "drop", "confirmed"])
def test_only_ig_decides(world: World, user: str, word: str) -> None:
    letter = draft(world)
    with pytest.raises(NotAllowed, match="information-governance team"):
        letters.decide(world.desk(), letter.ref, word, user)


def test_a_letter_that_nobody_knows_is_said(world: World) -> None:
    draft(world)
    for ref in ("ffffffff", "", "g", "abc"):
        with pytest.raises(NobodyFound, match="no letter is called so"):
            letters.decide(world.desk(), ref, "approve", "ig1")


def test_somebody_was_first(world: World) -> None:
    letter = draft(world)
    recalls.move(world.records, letter, "drop", "ig2", world.now)
    with pytest.raises(Conflict):
        recalls.move(world.records, letter, "approve", "ig1", world.now)


def test_a_draft_is_dropped_when_the_patient_agrees_again(world: World) -> None:
    """Symptom: after `restore` the letter "the patient does not agree any more" could still be approved, and went."""
    letter = draft(world)
    made = withdraw(world, status="restored")
    assert [one.ref for one in made.dropped] == [letter.ref] and made.asked == ()
    with pytest.raises(NotAllowed, match="is dropped"):
        letters.decide(world.desk(), letter.ref, "approve", "ig1")
    assert [one.recipient for one in withdraw(world).drafts] == [letter.recipient]  # a second no asks them after all


def test_a_draft_that_lost_its_ground_otherwise_is_not_approved(world: World) -> None:
    """Its patient agrees again through an entry that was read back, so that nobody dropped it."""
    letter = draft(world)
    said = world.records.consent_event(letter.event)
    world.records.consent_add(replace(one, status="restored", noted=world.now + 1, event="other", id="") for one in said)
    with pytest.raises(NotAllowed, match="not true any more"):
        letters.decide(world.desk(), letter.ref, "approve", "ig1")


def test_a_draft_stays_while_a_second_no_or_a_limit_stands(world: World) -> None:
    letter = draft(world)
    withdraw(world, status="refused")
    register.note(world.desk(), named(world), Word("limited", scope=("record",)), "ig1")
    assert letters.decide(world.desk(), letter.ref, "approve", "ig1")["state"] == "approved"


def test_who_was_asked_before_is_named_when_the_patient_agrees_again_and_not_reminded(world: World) -> None:
    letter = draft(world)
    letters.decide(world.desk(), letter.ref, "approve", "ig1")
    say_sent(world)
    assert [one.address for one in withdraw(world, status="restored").asked] == [PEER]
    world.now += 8 * DAY
    assert remind(world) == 0 and not letters.listing(world.desk(), "ig1")[0]["overdue"]
    (anew,) = withdraw(world).drafts  # symptom: nobody asked them once more, although they had been told that all is well
    assert (anew.address, anew.mails) == (PEER, letter.mails)
    assert withdraw(world, status="refused").drafts == ()


def test_an_answer_is_noted_only_of_a_letter_that_went(world: World) -> None:
    letter = draft(world)
    letters.decide(world.desk(), letter.ref, "approve", "ig1")
    with pytest.raises(NotAllowed, match="not gone out yet"):
        letters.decide(world.desk(), letter.ref, "confirmed", "ig1")
    say_sent(world)
    done = letters.decide(world.desk(), letter.ref, "confirmed", "ig2")
    assert (done["state"], done["answered_by"]) == ("confirmed", "ig2")


# -- reminding -------------------------------------------------------------------------------------------------------


def remind(world: World) -> int:
    return letters.remind(world.records, world.audit, world.settings, world.now)


def test_who_does_not_answer_is_reminded_once_and_ig_told_once(world: World) -> None:
    letter = draft(world)
    letters.decide(world.desk(), letter.ref, "approve", "ig1")
    say_sent(world)
    world.now += 7 * DAY - 1
    assert remind(world) == 0 and not letters.listing(world.desk(), "ig1")[0]["overdue"]
    world.now += 2
    assert remind(world) == 1 and remind(world) == 0
    assert letters.listing(world.desk(), "ig1")[0]["overdue"]
    reminder, told = sorted(outbox(world), key=lambda row: row.kind)
    assert (reminder.kind, reminder.to, told.role) == ("R-4r", PEER, "ig")
    assert rendered(world, reminder)["Subject"].startswith("Reminder: ")
    to_ig = str(rendered(world, told))
    assert letter.ref in to_ig and PEER not in to_ig and SENDER not in to_ig


def test_who_answered_meanwhile_is_not_reminded(world: World) -> None:
    letter = draft(world)
    letters.decide(world.desk(), letter.ref, "approve", "ig1")
    say_sent(world)
    world.now += 8 * DAY
    remind(world)
    letters.decide(world.desk(), letter.ref, "confirmed", "ig1")
    (reminder,) = [row for row in outbox(world) if row.kind == "R-4r"]
    assert rendered(world, reminder) == "dropped:answered"


def test_what_waits_for_the_relay_is_not_overdue(world: World) -> None:
    letter = draft(world)
    letters.decide(world.desk(), letter.ref, "approve", "ig1")
    world.now += 30 * DAY
    assert remind(world) == 0
    assert letters.listing(world.desk(), "ig1")[0]["sent"] is None


def test_decisions_and_looks_are_audited(world: World) -> None:
    letter = draft(world)
    letters.listing(world.desk(), "ig2")
    letters.preview(world.desk(), letter.ref, "ig2")
    letters.decide(world.desk(), letter.ref, "approve", "ig2")
    text = world.settings.audit.read_text()
    for event in ("recalls-listed", "recall-read", "recall-approved"):
        assert f'"event":"{event}","actor":"ig2"' in text
    assert PEER not in text
