"""What a sender reads: the words to reply with, the links that open a reply, and what came of an answer."""

from __future__ import annotations

import asyncio
import email
import email.policy
import html
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from quarantine import promises
from quarantine.answers.model import Answer
from quarantine.answers.ownwords import read as read_reply
from quarantine.answers.quoting import is_ours
from quarantine.answers.reading import read as read_words
from quarantine.answers.replying import mailto, replier
from quarantine.answers.words import offers
from quarantine.lmtp import Answer as Said
from quarantine.model import HoldRow, State
from quarantine.notices.placeholders import VARIANTS
from quarantine.notices.renderer import Mail, Renderer
from quarantine.notices.settings import from_options
from quarantine.notices.wording import load
from quarantine.settings import QuarantineSettings
from tests.support.answerworld import DOMAIN, TAGS, AnswerWorld
from tests.support.quarantine_kit import MONDAY, SENDER, answering, hold_object, outcome_object

pytestmark = pytest.mark.unit

PATIENT = "mary.smith@mailbox.example"


@pytest.fixture
def world(tmp_path: Path) -> AnswerWorld:
    return AnswerWorld(tmp_path)


def render(world: AnswerWorld, kind: str = "N-", *, replies: bool = True, variant: str = "") -> EmailMessage:
    """The notice that the first promised row of this kind becomes."""
    rows = [row for row in world.records.outbox_due(1e12) if row.kind.startswith(kind) and row.role == "sender"]
    rows = [row for row in rows if not variant or row.detail.get("variant") == variant]
    reply = replier(world.settings) if replies else (lambda hold: "")
    made = Renderer(world.records, from_options(world.settings), load(), reply=reply).render(rows[:1], world.now)
    assert isinstance(made, Mail)
    return email.message_from_bytes(made.data, _class=EmailMessage, policy=email.policy.default)


def text(notice: EmailMessage) -> str:
    return " ".join(str(notice.get_body(("plain",)).get_content()).split())  # type: ignore[union-attr]  # ours has one


def shown(notice: EmailMessage) -> str:
    return str(notice.get_body(("html",)).get_content())  # type: ignore[union-attr]  # ours has one


def test_a_notice_asks_for_one_word_and_says_what_each_means(world: AnswerWorld) -> None:
    row = world.ask()
    notice = render(world)
    assert notice["Reply-To"] == world.address(row)
    said = text(notice)
    assert "reply to this email with one word" in said
    assert "- VERBAL – the patient said yes when you talked" in said
    assert "- EMERGENCY and why" in said
    assert [said.index(f"- {word}") for word in ("VERBAL", "NOT PATIENT", "ASK IG", "DELETE", "HELP")] == sorted(
        said.index(f"- {word}") for word in ("VERBAL", "NOT PATIENT", "ASK IG", "DELETE", "HELP")
    )
    assert "with [consent verbal] at the very start of the subject line" in said, "the second way stays"


def test_without_a_domain_the_notice_is_as_before(world: AnswerWorld) -> None:
    world.ask()
    notice = render(world, replies=False)
    assert notice["Reply-To"] == "ig@own.example"
    assert "reply to this email with one word" not in text(notice)
    assert "[consent verbal]" in text(notice)
    assert "mailto:" not in shown(notice)


def test_each_word_is_a_link_that_opens_a_reply_with_it(world: AnswerWorld) -> None:
    """One tap and Send: what the link writes is read as that very word."""
    row = world.ask()
    links = re.findall(r'<a href="(mailto:[^"]+)">([^<]+)</a>', shown(render(world)))
    words = [html.unescape(word) for _, word in links]
    assert words == ["VERBAL", "WRITTEN", "PARENT", "IMPLIED", "NOT PATIENT", "EMERGENCY", "ASK IG", "DELETE", "HELP"]
    for link, word in ((html.unescape(link), word) for link, word in links):
        address, _, query = link.removeprefix("mailto:").partition("?")
        fields = dict(field.split("=", 1) for field in query.split("&"))
        assert unquote(address) == world.address(row)
        body = unquote(fields["body"]) + ("limb at risk, no pulse" if word == "EMERGENCY" else "")
        raw = f"From: {SENDER}\r\nSubject: {unquote(fields['subject'])}\r\n\r\n{body}\r\n".encode()
        assert read_words(read_reply(raw), offers(TAGS)).word == word


def test_a_link_holds_nothing_that_mail_programs_change() -> None:
    assert mailto("hold+abc@h.example", "NOT PATIENT", "") == (
        "mailto:hold%2Babc@h.example?subject=NOT%20PATIENT&body=NOT%20PATIENT"
    )  # fmt: skip
    assert mailto("hold+abc@h.example", "EMERGENCY", "reason").endswith("body=EMERGENCY%20")


def test_a_notice_quoted_whole_below_nothing_says_nothing(world: AnswerWorld) -> None:
    """Whatever a program does with our text, not one of its lines is an answer."""
    row = world.ask()
    notice = render(world)
    for body in (notice.get_body(("plain",)), notice.get_body(("html",))):
        assert body is not None
        head = f"From: {SENDER}\r\nSubject: Re: {notice['Subject']}\r\nContent-Type: {body.get_content_type()}; charset=utf-8"
        written = read_reply((head + "\r\n\r\n" + body.get_content()).encode(), (row.ref, world.address(row)))
        assert read_words(written, offers(TAGS)).word == ""
    assert is_ours(str(notice["Subject"]))


def test_the_patients_address_is_asked_for_and_never_shown(world: AnswerWorld) -> None:
    hold = hold_object(
        "patient", "online", "ASK", [PATIENT], releases="sender", notice="N-1", reasons=["consent.missing"],
        answers=["[to patient {address}]", "[not a patient image]"],
    )  # fmt: skip
    outcome = outcome_object([hold], name="patient")
    lines: Any = outcome.meta["recipients"]
    lines[0]["class"] = "C"
    world.take(hold, outcome)
    notice = render(world)
    assert "TO PATIENT and the patient's email address, typed again" in text(notice)
    assert PATIENT not in text(notice) + shown(notice)


@pytest.mark.parametrize("kind", ["machine", "list"])
def test_whoever_looks_after_a_machine_is_not_asked_for_a_word(world: AnswerWorld, kind: str) -> None:
    """The question is the sender's; the owner gets the facts."""
    world.ask(sender_kind=kind, owner="owner@own.example")
    rows = [row for row in world.records.outbox_due(1e12) if row.kind == "N-1"]
    made = Renderer(world.records, from_options(world.settings), load(), reply=replier(world.settings)).render(rows, world.now)
    assert isinstance(made, Mail)
    assert DOMAIN.encode() not in made.data


def test_a_reminder_asks_for_the_same_word_at_the_same_address(world: AnswerWorld) -> None:
    row = world.ask()
    promises.told(world.records, row, "N-1r", "sender", MONDAY, "again")
    notice = render(world, "N-1r")
    assert notice["Reply-To"] == world.address(row)
    assert "- VERBAL" in text(notice)


def test_an_answered_hold_asks_for_nothing_any_more(world: AnswerWorld) -> None:
    row = world.ask()
    world.answers.answer(world.secret(row), Answer("ASK IG", "", SENDER), world.now)
    notice = render(world, "answer", variant="asked")
    assert notice["Reply-To"] == "ig@own.example"
    assert "- VERBAL" not in text(notice)
    assert "You passed it to the IG team" in text(notice)


REPLIES = {
    "unclear": "what do you want from me", "missing": "EMERGENCY", "help": "HELP", "asked": "ASK IG",
    "refused": "VERBAL", "spent": "VERBAL", "late": "VERBAL",
}  # fmt: skip


def prepared(world: AnswerWorld, variant: str) -> HoldRow:
    row = world.ask()
    if variant == "spent":
        world.say(row, "DELETE", name="first")
    if variant == "late":
        world.now = row.deadline + 1
    world.say(row, REPLIES[variant], sender="eve@elsewhere.example" if variant == "refused" else SENDER)
    return row


@pytest.mark.parametrize("variant", sorted(REPLIES))
def test_what_came_of_an_answer_is_said_in_plain_words(world: AnswerWorld, variant: str) -> None:
    row = prepared(world, variant)
    notice = render(world, "answer", variant=variant)
    said = text(notice)
    assert notice["To"] == SENDER
    assert row.ref in str(notice["Subject"])
    open_still = world.row(row.id).state is State.ASKED and variant != "late"
    assert (notice["Reply-To"] == world.address(row)) is open_still
    assert ("- VERBAL" in said) is open_still
    assert "eve@" not in said
    assert REPLIES["unclear"] not in said, "nothing of what was written is repeated"


def test_every_variant_is_told_by_somebody() -> None:
    assert set(VARIANTS["answer"]) == {*REPLIES, "again", "stopped"}


def test_a_hold_that_is_held_again_thanks_and_asks_nothing(world: AnswerWorld) -> None:
    """The release came back: people decide now, the sender is not asked a second time."""
    row = world.ask()
    world.say(row, "VERBAL")
    asyncio.run(world.releaser(answering(Said(250, "2.1.5 HELD-AGAIN purpose.review", final=True))).run(world.now))
    assert world.row(row.id).state is State.QUARANTINED
    notice = render(world, "answer", variant="again")
    assert "You need not answer again" in text(notice)
    assert "- VERBAL" not in text(notice)
    assert ("alert", "answered-held-again") in world.promised()


def test_a_release_on_an_answer_says_thank_you(world: AnswerWorld) -> None:
    row = world.ask()
    world.say(row, "VERBAL")
    asyncio.run(world.releaser(answering(Said(250, "2.0.0 DELIVERED", final=True))).run(world.now))
    assert world.row(row.id).state is State.RELEASED
    assert "Thank you for your answer" in text(render(world, "N-5"))


@pytest.mark.parametrize("domain", ["Hold.clinic.example", "clinic", "a b.example", "x@y.example", ".example"])
def test_a_domain_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match="domain"):
        QuarantineSettings.model_validate({"addresses": {}, "replies": {"domain": domain}})
