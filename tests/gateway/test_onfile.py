"""What is on file beats whatever a real message says, in whichever carrier; the sender is told since when, and no more."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.context import Context
from gateway.facts import Memory
from gateway.pipeline import judge, plan
from policies.model import Action, Facts
from quarantine.consents.model import Standing
from tests.support.contexts import AT, COLLEAGUE, HOSPICE, STRANGER, context, received
from tests.support.letters import canary_photo, letter

pytestmark = pytest.mark.unit

SENDER = "dr.adams@clinic.example"
NHS = "943 476 5919"
PICTURE = hashlib.sha256(canary_photo()).hexdigest()
SINCE = datetime(2026, 11, 12, tzinfo=UTC).timestamp()
NO = Standing("withdrawn", SINCE)
SUBJECTS = st.sampled_from([
    "[consent verbal] rash", "[consent written, referral]", "[emergency: unconscious, burns unit on call]", "rash",
    "[teaching, no patients]", "consent written, teaching", "[consent: parent]", "[not a patient image]",
    "patient agreed to the photo being shared",
])  # fmt: skip
HEADERS = st.sampled_from([
    {}, {"Clinical-Image-Consent": 'given; v=1; form=written; purpose=COC; date="2026-11-20"'},
    {"Clinical-Image-Consent": 'bypassed; v=1; purpose=ETREAT; bypass=emergency; reason="unconscious, burns unit on call"'},
    {"Clinical-Image-Consent": "not-required; v=1; basis=gmc-17; identifiable=?0"},
])  # fmt: skip


def knowing(patients: tuple[Standing, ...] = (), pictures: tuple[Standing, ...] = ()) -> Context:
    memory = Memory(
        lambda image, to: True,  # even what went there before under consent
        lambda sender, ones: "somebody",
        lambda numbers: any(one.ends for one in patients),
        said=lambda numbers: patients,
        said_of_image=lambda sha256: pictures if sha256 == PICTURE else (),
    )
    return dataclasses.replace(context(), memory=memory)


def mail(*to: str, subject: str = "[consent verbal]", number: str = NHS, headers: dict[str, str] | None = None) -> bytes:
    body = f"Dear colleague,\n\nplease see attached. {number}\n"
    return letter(SENDER, to, subject, pictures=(canary_photo(),), body=body, headers=headers)


@settings(max_examples=40, deadline=None)
@given(subject=SUBJECTS, headers=HEADERS, by_picture=st.booleans())
def test_no_word_in_any_carrier_sends_what_a_patient_has_refused(subject: str, headers: dict[str, str], by_picture: bool) -> None:
    """To approved services, strangers and private addresses: held or refused, never delivered or protected."""
    made = knowing(pictures=(NO,)) if by_picture else knowing(patients=(NO,))
    raw = mail(COLLEAGUE, HOSPICE, STRANGER, subject=subject, headers=headers, number="" if by_picture else NHS)
    judged = judge(made, received(raw, COLLEAGUE, HOSPICE, STRANGER))
    assert {one.action for one in judged.decisions} <= {Action.QUARANTINE, Action.REFUSE}


def facts(made: Context, **options: Any) -> Facts:
    return judge(made, received(mail(COLLEAGUE, **options), COLLEAGUE)).facts[0]


def test_what_stands_for_several_patients_is_one_fact() -> None:
    on_file = facts(knowing(patients=(Standing("limited", SINCE, ("record",)), NO))).on_file
    assert on_file is not None and (on_file.status, str(on_file.since)) == ("withdrawn", "2026-11-12")
    limited = facts(knowing(patients=(Standing("limited", SINCE, ("record",)),))).on_file
    assert limited is not None and limited.uses == {"care", "emergency", "patient"}
    assert facts(knowing()).on_file is None
    assert facts(knowing(patients=(NO,)), number="").on_file is None  # nobody was named


def test_a_picture_that_could_not_be_looked_up_says_so() -> None:
    nobody = dataclasses.replace(context(), memory=Memory(*(lambda *_: None,) * 5))  # type: ignore[arg-type]  # each answers "unknown"
    assert [one.looked_up for one in facts(nobody, number="").images] == [False]
    assert [one.looked_up for one in facts(knowing()).images] == [True]


def test_the_sender_is_told_since_when_and_no_more() -> None:
    """N-4 (b): the date of the entry, no detail."""
    made = plan(knowing(patients=(NO,)), received(mail(COLLEAGUE), COLLEAGUE))
    (line,) = made.record["recipients"]
    assert line["words"] == "The patient has said no, or has taken back their agreement. They said so on 12 November 2026."
    assert made.copies == ()


def test_a_letter_without_a_picture_goes_to_whoever_it_is_for() -> None:
    raw = letter(SENDER, (COLLEAGUE,), "Clinic letter", body=f"NHS {NHS}\n")
    (decision,) = judge(knowing(patients=(NO,)), received(raw, COLLEAGUE)).decisions
    assert decision.action is Action.DELIVER


def test_the_date_is_not_told_of_what_goes() -> None:
    made = plan(knowing(patients=(Standing("limited", SINCE, ("record",)),)), received(mail(COLLEAGUE), COLLEAGUE))
    assert "noted on" not in made.record["recipients"][0]["words"] and AT and made.copies
