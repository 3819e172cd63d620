"""An answer by sending again is on record, whatever was asked about; what became of a message later is told in its own words."""

from __future__ import annotations

from hashlib import sha256

import pytest

from gateway.demo.documents import encrypted_zip
from gateway.demo.samples import SAMPLES
from gateway.model import Plan
from gateway.outcomes.fates import Job
from gateway.outcomes.objects import outcome_object
from gateway.pipeline import plan
from policies.reasons import REASONS
from tests.support.contexts import context, received

pytestmark = pytest.mark.unit

LOCKED = next(sample for sample in SAMPLES if sample.name == "encrypted ZIP")
DIGEST = sha256(encrypted_zip()).hexdigest()


def made(subject: str) -> Plan:
    return plan(context("enforce"), received(LOCKED.build(subject), *LOCKED.recipients))


@pytest.mark.slow
def test_a_locked_file_that_was_asked_about_and_one_that_went_are_the_same_on_record() -> None:
    """Else its hold would never be closed, and its sender be told "not sent" of a mail that went."""
    asked, answered = made("Files"), made("Files [no patient picture]")
    assert asked.holds and not answered.holds
    assert [one["sha256"] for one in asked.record["images"]] == [DIGEST]
    assert [one["sha256"] for one in answered.record["images"]] == [DIGEST]
    assert not answered.plain  # so an outcome is written for it


def told(state: str, *reasons: str) -> dict[str, str]:
    """The line of the outcome object for a consented photo that met this fate."""
    sample = next(one for one in SAMPLES if "subject tag" in one.name)
    message = received(sample.build(), *sample.recipients)
    job = Job.of(plan(context("enforce"), message), message, "relay", 240.0)
    fate = job.fates[0]
    fate.state, fate.reasons = state, reasons or tuple(job.why(0)["reasons"])
    line: dict[str, str] = outcome_object(job, "ab" * 16, [fate]).meta["recipients"][0]
    return line


def test_a_consented_mail_that_waits_for_the_next_hop_is_not_told_of_its_consent() -> None:
    """Its decision was to send; why it waits is another matter."""
    line = told("deferred", "next-hop-temporary")
    assert (line["words"], line["help"]) == (REASONS["next-hop-temporary"], "")


def test_a_lost_answer_warns_before_sending_again() -> None:
    assert "phone and ask before you send it again" in told("held", "delivery-unknown")["help"]


def test_what_was_delivered_keeps_the_words_of_its_decision() -> None:
    assert REASONS["consent.stated"] in told("delivered")["words"]
