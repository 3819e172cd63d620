"""One email to the right person and a slip of it: each has its own fate, and the sender is asked whom they meant."""

from __future__ import annotations

import dataclasses
import json
from functools import cache

import pytest

from gateway.compute.codec import load_plan, plan_header
from gateway.context import Context
from gateway.facts import Memory
from gateway.model import Plan, Received, Result
from gateway.outcomes.fates import Job
from gateway.outcomes.objects import outcome_object
from gateway.pipeline import plan
from quarantine.notices.render import render
from quarantine.notices.wording import load
from quarantine.reading import kept
from tests.support.contexts import AT, COLLEAGUE, STRANGER, context, received
from tests.support.letters import canary_photo, letter
from tests.support.noticeworld import SETTINGS

pytestmark = pytest.mark.unit

SENDER = "dr.adams@clinic.example"
SLIP = "dr.lea@royal-example.example"
LOOKALIKE = "dr.lee@royal-exmaple.example"


@cache
def knowing(*known: str) -> Context:
    """A gateway that remembers to whom the sender has written."""
    memory = Memory(lambda *_: None, lambda _sender, ones: next((one for one in ones if one in known), ""), lambda _: None)
    return dataclasses.replace(context(), memory=memory)


def mail(*recipients: str, to: str = "", subject: str = "[consent verbal] rash") -> Received:
    raw = letter(SENDER, recipients, subject=subject, pictures=(canary_photo(),))
    if to:
        raw = raw.replace(f"To: {', '.join(recipients)}".encode(), f"To: {to}".encode())
    return received(raw, *recipients, sender=SENDER)


def outcome(made: Plan, came: Received) -> dict[str, object]:
    """What the quarantine service keeps of the outcome: every fate settled as planned."""
    job = Job.of(made, came, "relay", AT + 60)
    for hold in made.holds:
        for index in hold.recipients:
            job.fates[index].decided(hold, "0" * 32)
    for copy in made.copies:
        for index in copy.recipients:
            job.fates[index].heard(Result(250), copy.method, job.why(index))
    return kept(outcome_object(job, "1" * 32, job.fates).meta)


def test_each_recipient_is_judged_alone() -> None:
    """The right address gets it, the slip waits for one word, a lookalike domain for IG."""
    came = mail(COLLEAGUE, SLIP, LOOKALIKE)
    made = plan(knowing(COLLEAGUE), came)
    assert [copy.recipients for copy in made.copies] == [(0,)]
    assert {hold.recipients: (hold.action, hold.rule) for hold in made.holds} == {
        (1,): ("ASK", "LOOK-ADDRESS"),
        (2,): ("QUARANTINE", "UNKNOWN"),
    }
    (asked,) = [hold for hold in made.holds if hold.action == "ASK"]
    assert asked.answers == ("[consent verbal, right address]",)  # an emergency goes to one person only


def test_the_sender_is_asked_whom_they_meant() -> None:
    """From the register and what is remembered into the notice, and into no record."""
    came = mail(COLLEAGUE, SLIP, LOOKALIKE)
    made = plan(knowing(COLLEAGUE), came)
    assert made.meant == ("", COLLEAGUE, "royal-example.example")
    assert COLLEAGUE not in json.dumps(made.record)
    text = " ".join(render([outcome(made, came)], AT + 60, SETTINGS, load()).text.split())
    assert f"Did you mean {COLLEAGUE}?" in text and "Did you mean royal-example.example?" in text
    assert text.startswith("Your email to 2 of 3 people is waiting.") and f"Sent: {COLLEAGUE}." in text


def test_it_crosses_to_the_smtp_process() -> None:
    """A plan from a compute process says it too."""
    made = plan(knowing(COLLEAGUE), mail(SLIP))
    header, blobs = plan_header(made)
    assert load_plan(json.loads(json.dumps(header)), blobs).meant == (COLLEAGUE,)
    assert plan(knowing(COLLEAGUE), mail(COLLEAGUE)).meant == ()


def test_the_word_lets_it_go() -> None:
    """As the notice offers it."""
    made = plan(knowing(COLLEAGUE), mail(SLIP, subject="[consent verbal, right address] Fw: [consent verbal] rash"))
    assert not made.holds and len(made.copies) == 1


@pytest.mark.parametrize(
    ("to", "rule"),
    [
        (f'"{COLLEAGUE}" <{STRANGER}>', "UNKNOWN"),
        (f'"{STRANGER}" <{COLLEAGUE}>', "LOOK-NAME"),
        (f'"Dr Lee ({COLLEAGUE})" <{COLLEAGUE}>', ""),
    ],
)
def test_a_shown_name_that_is_another_address(to: str, rule: str) -> None:
    """What a program that fills in addresses leaves behind is asked about."""
    made = plan(knowing(COLLEAGUE, STRANGER), mail(STRANGER if f"<{STRANGER}>" in to else COLLEAGUE, to=to))
    assert [hold.rule for hold in made.holds] == ([rule] if rule else [])


def test_mail_without_a_picture_is_not_looked_at() -> None:
    """Nothing is asked of the memory, nothing held, nothing said."""
    made = plan(knowing(COLLEAGUE), received(letter(SENDER, (SLIP,)), SLIP, sender=SENDER))
    assert made.plain and made.meant == ()
