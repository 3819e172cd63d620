"""``clinigate case``: one page for a complaint.  What is noted stands in it in plain words; what is gone is said to be gone."""

from __future__ import annotations

import html as html_module
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filters.catalogue import CODES
from gateway.casepage import words
from gateway.casepage.page import Page, page
from gateway.casepage.rules import RuleBook
from gateway.casepage.show import html, text
from gateway.outcomes.fates import SPENT
from gateway.policyfolder.versions import Versions
from policies import vocabulary
from policies.load import load_policy
from quarantine import ops
from quarantine.consents.model import RANK, SYSTEM, Entry, Seen, patient
from quarantine.consents.model import image as imaged
from quarantine.emergencies.model import VERDICTS
from quarantine.ledger import casefile
from quarantine.ledger.casefile import Emergency, Letter, Mail, Person, Picture, Told
from quarantine.ledger.looks import Look
from quarantine.retention import purge
from quarantine.state import Event
from tests.support.ledgerkit import note
from tests.support.paths import ROOT
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
STATEMENT = {"status": "given", "form": "verbal", "given_by": "patient", "purpose": "COC", "scope": ["record"],
             "carrier": "header",
             "dated": "2026-11-20", "informed": ["people", "withdrawal"]}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> tuple[RuleBook, str]:
    """The shipped policy as a version that was once in force, and its digest."""
    folder = ROOT / "policies"
    files = {"policy.yaml": (folder / "default.yaml").read_text()}
    files["domains.yaml"] = "domains:\n  - {domain: evil.example, status: denied, class: denied, reason: file sharing}\n"
    files |= {path.name: path.read_text() for path in (folder / "data").glob("*.txt")}
    policy = load_policy({name: value.encode() for name, value in files.items()})
    versions = Versions(tmp_path_factory.mktemp("versions"))
    versions.keep(policy, files, "start", MONDAY)
    return RuleBook(versions), policy.digest


def person(**told: Any) -> Person:
    base: dict[str, Any] = {
        "hash": hex_id("peer"), "address": PEER, "domain": "royal.example", "state": "delivered", "at": MONDAY, "rule": "CARE",
        "source": ("GMC 10",), "cls": "A", "mode": "enforce", "method": "route", "protection": "route safe", "consent": "given",
        "statement": STATEMENT, "stripped": True,
    }  # fmt: skip
    return Person(**{**base, **told})


def mail(*people: Person, **told: Any) -> Mail:
    picture = Picture(image("photo"), "K3", "jpeg", ("exif.gps", "exif.serial", "exif.block"), (image("stripped"),))
    base: dict[str, Any] = {
        "message": "m", "refs": ("OUTC-OME2",), "at": MONDAY, "sender": SENDER, "sender_hash": hex_id("dr"),
        "sender_group": "wards", "policies": (), "patients": (), "pictures": (picture,), "people": people or (person(),),
        "steps": (), "told": (),
        "looks": (), "letters": (), "emergencies": (), "on_file": (), "missing": (),
    }  # fmt: skip
    return Mail(**{**base, **told})


def shown(found: Mail, book: RuleBook) -> str:
    """The part for the patient as running text."""
    made = page([found], book, MONDAY, "ig1")
    plain = "\n".join(text(replace(made, file=())))
    return " ".join(plain.partition("FOR THE FILE")[0].split())


# -- words ---------------------------------------------------------------------------------------------------------------


def test_everything_a_statement_can_say_has_words() -> None:
    """No code of HL7 reaches a patient."""
    assert set(vocabulary.STATUSES) <= set(words.STATUSES)
    assert set(vocabulary.FORMS) == set(words.FORMS)
    assert set(vocabulary.GIVERS) == set(words.GIVERS)
    assert set(vocabulary.PURPOSES.values()) <= set(words.USES)
    assert set(vocabulary.SCOPES) == set(words.SCOPES)
    assert set(vocabulary.BASES) == set(words.BASES)
    assert set(vocabulary.INFORMED) == set(words.INFORMED)
    assert set(Event) == set(words.EVENTS)
    assert {*VERDICTS, ""} == set(words.VERDICTS)
    assert set(RANK) == set(words.ON_FILE)
    assert {*words.FINDINGS, *words.KEPT} <= set(CODES), "findings are codes that the filters know"


def test_the_words_are_short_and_common(book: tuple[RuleBook, str]) -> None:
    """Reading age: Flesch-Kincaid grade of the page under 7 (about twelve years), measured without addresses and rule texts."""
    told = shown(mail(letters=(Letter("ab12cd34", "h", "royal.example", "approved", MONDAY, MONDAY, None),)), book[0])
    plain = re.sub(r"\S+@\S+|\S+\.example|[0-9a-f]{8}|The rule says.*?\.|=+|-{3,}", "", told)
    sentences = [one for one in re.split(r"[.!?:]\s", plain) if one.split()]
    every = re.findall(r"[A-Za-z']+", plain)
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", word.lower().removesuffix("e")))) for word in every)
    grade = 0.39 * len(every) / len(sentences) + 11.8 * syllables / len(every) - 15.59
    assert grade < 7, grade


# -- what stands in it ---------------------------------------------------------------------------------------------------


def test_the_page_answers_what_a_complaint_asks(book: tuple[RuleBook, str]) -> None:
    """Who, when, which pictures, to whom, what was stated, under which rule and source, how protected, what was taken out."""
    told = shown(mail(person(policy=book[1])), book[0])
    for expected in (
        f"{SENDER} sent an email on Monday 23 November 2026",
        "One picture: a photograph.",
        image("photo")[:8],
        f"{PEER} (an approved clinical service)",
        "It was passed on to the mail system of royal.example. We cannot see whether it was read.",
        "It went over a secure line.",
        "The sender wrote that the patient agreed by word of mouth. This was written by the sender's program.",
        "The pictures were sent for care.",
        "They may be used for: the patient's record.",
        "The patient had been told: who will see it and how to take agreement back.",
        "The agreement is of 20 November 2026.",
        "It was decided by our rule CARE, which comes from GMC 10.",
        "The rule says: if to an approved clinical service",
        "The place where the picture was taken (GPS) and a number of the camera, its lens or this very picture.",
        "Nothing is missing.",
    ):
        assert expected in told, expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"mode": "observe", "method": "observe", "stripped": False}, "The email went as it came. Nothing was taken out"),
        ({"mode": "advise", "method": "advise"}, "It stopped nothing."),
        ({"method": "smime"}, "It was locked, so that only this person could open it."),
        ({"method": "none", "cls": "O"}, "It stayed inside the organisation."),
        ({"method": "none", "cls": "D"}, "It went without extra protection."),
        ({"statement": {}}, "Nobody had written whether the patient agreed."),
        ({"statement": {"status": "bypassed", "purpose": "ETREAT"}}, "there was no time to ask"),
        (
            {"statement": {"status": "given", "purpose": "COC", "inferred": True}},
            "Nobody wrote what for. We took it to be for care.",
        ),
        ({"state": "held", "reasons": ("domain.unknown",)}, "It waits for a decision."),
        ({"state": "expired"}, "nobody answered in time"),
        # symptom: "It was stopped. It did not go. ... The pictures were sent in an emergency."
        (
            {"state": "refused", "statement": {"status": "bypassed", "purpose": "ETREAT"}},
            "The sender wanted to send the pictures in an emergency.",
        ),
        ({"state": "held", "rule": SPENT}, "We do not know whether it got there"),
        ({"state": "answered"}, "the sender sent the email again with an answer"),
        ({"state": "something-new"}, "We do not know what became of it."),
        ({"address": ""}, "somebody at royal.example"),
        ({"released_by": "ig1", "released_role": "ig"}, "ig1 (information governance) let it go."),
        # symptoms: "sender (the sender) let it go", "The sender wrote" of what a reviewer had written
        ({"released_by": "sender", "released_role": "sender"}, "The sender's answer let it go."),
        (
            {
                "released_by": "sender", "released_role": "sender",
                "statement": {"status": "given", "form": "verbal", "carrier": "release"},
            },
            "The sender wrote that the patient agreed by word of mouth. This was written in the answer to our notice.",
        ),
        (
            {
                "released_by": "ig1", "released_role": "ig",
                "statement": {"status": "given", "form": "verbal", "carrier": "release"},
            },
            "ig1 wrote that the patient agreed by word of mouth. This was written when the email was let go.",
        ),
        ({"released_by": "a@x", "released_role": "sender", "stopped": "CARE-ASK"}, "Our rule CARE-ASK had stopped it first"),
        ({"released_by": "a@x", "released_role": "sender", "stopped": "CARE-ASK"}, "It then went by our rule CARE, which comes"),
    ],
)
def test_what_became_of_it_is_said_as_it_was(told: dict[str, Any], expected: str, book: tuple[RuleBook, str]) -> None:
    assert expected in shown(mail(person(**told)), book[0])


def word(status: str, noted: float, subject: str = "", **told: Any) -> Entry:
    base: dict[str, Any] = {"event": "one", "since": noted - DAY, "actor": "ig1", "role": "ig", "source": "command"}
    return Entry(subject=subject or patient("ab" * 16), status=status, noted=noted, reason="r", **{**base, **told})


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "It is not noted that anybody said no, or took agreement back."),
        ({}, "The email gave no number of a patient, so we looked by its pictures only."),
        (
            {"patients": ("ab" * 16,), "on_file": (word("withdrawn", MONDAY + 3 * DAY),)},
            "25 November 2026: the patient took the agreement back. ig1 noted it on Thursday 26 November 2026 at 12:00. "
            "This email had gone by then.",
        ),
        # symptom: the page of a patient who had said no before did not say so
        ({"on_file": (word("refused", MONDAY - DAY),)}, "the patient said no. ig1 noted it on Sunday 22 November 2026"),
        ({"on_file": (word("refused", MONDAY - DAY),)}, "This email went later."),
        (
            {"on_file": (word("refused", MONDAY + 60),), "people": (person(), person(hash="other", at=MONDAY + 90))},
            "Some copies of this email had gone by then.",
        ),
        ({"on_file": (word("limited", MONDAY, scope=("record",)),)}, "the patient agreed to some uses only (for care"),
        ({"on_file": (word("restored", MONDAY + DAY),)}, "the earlier word was taken back, and nothing stands any more."),
        ({"on_file": (word("refused", MONDAY),), "patients": ("ab" * 16, "cd" * 16)}, "one of the patients said no"),
        (
            {"on_file": (word("refused", MONDAY, imaged(image("photo"))),), "patients": ("ab" * 16,)},
            "This is about a picture of this email only.",
        ),
        ({"on_file": (replace(word("refused", MONDAY), actor=SYSTEM),)}, "An email said so on Monday 23 November 2026"),
    ],
)
def test_what_the_patient_has_said_is_told_with_its_days(
    told: dict[str, Any], expected: str, book: tuple[RuleBook, str]
) -> None:
    assert expected in shown(replace(mail(), **told), book[0])


def test_the_email_that_said_no_itself_is_not_said_to_have_gone_after_it(book: tuple[RuleBook, str]) -> None:
    """Symptom: where the policy only observed, "This email went later" of the email that had told us."""
    told = shown(replace(mail(), on_file=(replace(word("refused", MONDAY), actor=SYSTEM),)), book[0])
    assert "An email said so" in told and "went later" not in told
    assert "went later" in shown(replace(mail(), on_file=(word("refused", MONDAY),)), book[0]), "staff had noted it before"


def test_letters_emergency_notices_and_looks_are_told(book: tuple[RuleBook, str]) -> None:
    found = mail(
        letters=(Letter("ab12cd34", "h", "royal.example", "confirmed", MONDAY, MONDAY, MONDAY + DAY),),
        emergencies=(Emergency("E", MONDAY, "justified", "ig1", MONDAY, "2026-11-24"),),
        told=(Told("N-3", "sender", MONDAY, MONDAY, "done"), Told("alert", "on-call", MONDAY, None, "pending")),
        looks=(
            Look(MONDAY, "ig1", "shown"),
            Look(MONDAY, "ig1", "disclosures --csv"),
            Look(MONDAY + 60, "ig1", "disclosures --fhir"),
        ),
    )
    told = shown(found, book[0])
    assert "A letter to royal.example was answered: the pictures are deleted or not used any more." in told
    assert "It was right to send it without asking. ig1 reviewed it" in told
    assert "The patient was told on 24 November 2026." in told
    assert "the sender, that the email was passed on." in told and "on call" not in told
    assert "ig1 looked at the list of what went to whom 2 times" in told


def test_a_rule_that_is_no_longer_kept_is_said_to_be_gone(book: tuple[RuleBook, str]) -> None:
    """The page never gives today's words for yesterday's rule."""
    told = shown(mail(person(policy="ab" * 32)), book[0])
    assert "The words of the rule as it then was are not kept here any more." in told
    assert "The rule says" not in told


def test_a_strangers_words_are_no_html(book: tuple[RuleBook, str]) -> None:
    """An address can hold anything; on the page it is text, and the page runs no script."""
    hostile = '"<script>alert(1)</script>"@x.example'
    made: Page = page([mail(person(address=hostile, domain="<b>"))], book[0], MONDAY, "ig1")
    found = html(made)
    assert "<script" not in found and html_module.escape(hostile) in found
    assert "default-src 'none'" in found and "http" not in found.replace("http-equiv", "")
    assert "\x1b" not in "\n".join(text(page([mail(person(address="\x1b[2J@x.example"))], book[0], MONDAY, "ig1")))


# -- gathering -----------------------------------------------------------------------------------------------------------


def line(address: str = PEER, **told: Any) -> dict[str, Any]:
    return {
        "address": address, "class": "A", "state": "delivered", "method": "route", "rule": "CARE", "reasons": [],
        "mode": "enforce", "source": ["GMC 10"], "protection": "route safe", "stripped": True, "consent": "given",
        "statement": STATEMENT,
    } | told  # fmt: skip


def files(world: World, **asked: Any) -> list[Mail]:
    return casefile.gather(world.desk(), world.hashes, casefile.messages(world.records, **asked))


def test_a_hold_that_was_released_is_one_story(world: World, book: tuple[RuleBook, str]) -> None:
    """Whichever reference is at hand: who got it at once, who waited, who let it go, and under which statement."""
    hold = hold_object(recipients=["late@x.example"])
    meta = outcome_object([hold], delivered=[PEER]).meta
    told = outcome_object([hold], delivered=[PEER], patients=[hex_id("anna")], recipients=[*meta["recipients"][:1], line()])
    world.take(hold, told)
    ops.show(world.desk(), hold.id, "ig2")
    ops.release(world.desk(), hold.id, "ig1")
    row = world.records.hold(hold.id)
    assert row is not None
    payload = {"release": f"{hold.id}-1", "hold": hold.id, "ref": row.ref, "message": row.message,
               "recipients": ["late@x.example"], "by": "ig1", "role": "ig"}  # fmt: skip
    world.records.set_recipient(hold.id, "late@x.example", "delivered")
    added = {**STATEMENT, "carrier": "release", "form": "written"}
    world.take(released_outcome(payload, recipients=[line("late@x.example", statement=added, **{"class": "D"})]))
    for asked in ({"ref": row.ref}, {"ref": "OUTC-OME2"}, {"images": [image()]}, {"patient": hex_id("anna")}):
        [found] = files(world, **asked)
        late, peer = sorted(found.people, key=lambda one: one.address, reverse=True)
        assert (late.address, late.state, late.released_by, late.statement["form"]) == (
            "late@x.example",
            "delivered",
            "ig1",
            "written",
        )
        assert (peer.address, peer.state, peer.released_by) == (PEER, "delivered", "")
        assert [step.event for step in found.steps] == ["release"]
        assert [(look.who, look.what) for look in found.looks] == [("ig2", "shown")]
        assert {told.kind for told in found.told} >= {"N-2"}
        told = shown(found, book[0])
        assert "let it go" in told
        assert (late.stopped, late.rule) == (hold.meta["rule"], "CARE"), "an answer lets it go by another rule than stopped it"
        assert f"Our rule {late.stopped} had stopped it first" in told and "Our rule CARE had stopped" not in told


def test_what_the_other_side_did_not_take_is_not_explained_by_what_speaks_for_it(book: tuple[RuleBook, str]) -> None:
    """Symptom: "It did not get there ... Why: The patient's agreement is stated", of a failure."""
    said = shown(mail(person(state="failed", reasons=("consent.stated",))), book[0])
    assert "the other mail system did not take it." in said and "Why:" not in said


def test_what_is_tried_again_waits_for_nobody(world: World, book: tuple[RuleBook, str]) -> None:
    """Symptom: "It waits for a decision ... decided by our rule next-hop-temporary, which comes from S0-8"."""
    hold = hold_object(action="DEFERRED", reasons=["next-hop-temporary"], rule="next-hop-temporary", releases="mail-admin")
    told = outcome_object([hold])
    told.meta["recipients"][0]["rule"] = "next-hop-temporary"
    world.take(hold, told)
    [found] = files(world, images=[image()])
    said = shown(found, book[0])
    assert "It has not gone yet. We try again by ourselves." in said
    assert "Our system did this by itself (next-hop-temporary); no rule decided it." in said and "our rule next-hop" not in said


def test_a_mail_that_nobody_got_has_a_page_too(world: World) -> None:
    """A complaint may be about what did not arrive."""
    hold = hold_object()
    world.take(hold, outcome_object([hold]))
    [found] = files(world, images=[image()])
    assert [(one.state, one.address) for one in found.people] == [("held", PEER)]


def test_what_is_on_file_of_its_patient_and_pictures_is_found_once(world: World, book: tuple[RuleBook, str]) -> None:
    """A patient and the patient's pictures are noted at once: one line, the patient's."""
    note(world.records, patients=("p",), scrubbed="stripped")
    [before] = files(world, ref="OUTC-OME2")
    assert before.on_file == ()
    about = [imaged(one) for picture in before.pictures for one in (picture.image, *picture.sent)]
    at_once = [word("withdrawn", MONDAY, subject) for subject in (*about, patient(hex_id("p")))]
    other = word("refused", MONDAY, imaged(image("another")), event="other")
    world.records.consent_add([*at_once, other, word("restored", MONDAY + DAY, about[0], event="later")])
    [found] = files(world, ref="OUTC-OME2")
    said = [(one.event, one.status, one.patient) for one in found.on_file]
    assert said == [("one", "withdrawn", True), ("later", "restored", False)]
    made = " ".join("\n".join(text(page([found], book[0], MONDAY, "ig1"))).split())
    assert f"2026-11-24T12:00:00Z restored since 2026-11-23T12:00:00Z {about[0]} by ig1 (ig) r" in made


def test_an_email_that_was_refused_to_everybody_at_once_is_counted(world: World, book: tuple[RuleBook, str]) -> None:
    """Symptom: the page of a patient did not speak of the email that had been stopped for her."""
    note(world.records, patients=("p",))
    mails = files(world, patient=hex_id("p"))
    said = Seen("s1", "gone", (), MONDAY + DAY, "dr", "given", "verbal", "", "", (), "", "", ("refused",))
    others = [replace(said, id="s2", message=mails[0].message), replace(said, id="s3", message="two", fates=("held", "refused"))]
    for one in (said, *others):
        world.records.statement_add(one, [patient(hex_id("p"))])
    assert casefile.stopped(world.records, hex_id("p"), mails) == [MONDAY + DAY]
    assert casefile.stopped(world.records, hex_id("q"), mails) == []
    for mails_, expected in (
        (mails, "agreement went to nobody, and no copy was kept: Tuesday 24 November 2026 at 12:00."),
        ([], "One more email that said something of this patient's agreement"),
        ([], "Emails that said nothing of it and went to nobody are not counted here."),
    ):
        assert expected in " ".join(page(mails_, book[0], MONDAY, "ig1", [MONDAY + DAY]).about)


def test_nothing_known_is_nothing_found(world: World) -> None:
    assert files(world, ref="ZZZZ-ZZZZ") == [] == files(world, patient="00" * 16, images=["00" * 32])


def test_what_retention_erased_is_said_and_the_rest_still_stands(tmp_path: Path, book: tuple[RuleBook, str]) -> None:
    """After the addresses have gone: prints, day, rule, statement and domain are left; the page says what is not."""
    world = World(tmp_path, options={"retention": {"records_days": 400, "ledger_days": 800}})
    world.take(outcome_object(recipients=[line()], delivered=[PEER]))
    world.now += 500 * DAY
    purge(world.store, world.records, world.audit, world.settings.retention, world.now)
    [found] = files(world, ref="OUTC-OME2")
    told = shown(found, book[0])
    assert "Somebody whose name has been erased" in told and "somebody at royal.example" in told
    assert words.MISSING["names-erased"] in told and PEER not in told
    assert "agreed by word of mouth" in told


def test_lines_of_an_older_version_make_a_page(world: World, book: tuple[RuleBook, str]) -> None:
    note(world.records, "old", ref="OLDR-EFS2")
    [found] = files(world, ref="OLDR-EFS2")
    assert {"names-erased", "older-version"} <= set(found.missing)
    assert words.MISSING["older-version"] in shown(found, book[0])


def test_an_audit_trail_that_cannot_be_read_is_said(world: World) -> None:
    note(world.records, "one")
    world.settings.audit.unlink(missing_ok=True)
    [found] = files(world, ref="OUTC-OME2")
    assert "audit-not-readable" in found.missing
