"""Adults who cannot decide for themselves (S1-48, S1-49, S3-12, S3-13; matrix 4.5; Mental Capacity Act 2005)."""

from __future__ import annotations

import pytest

from policies.consent import read_header, read_subject
from policies.decide import decide
from policies.model import Action, Statement
from policies.reasons import HELP, helps
from tests.support.policyfacts import facts, shipped

pytestmark = pytest.mark.unit

HEADER = 'given; given-by={}; capacity=lacks; record="EPR-C-204417"'
AUTHORITIES = ("best-interests", "attorney", "deputy", "guardian")


def tag(text: str) -> Statement:
    return read_subject(text).statements[0]


@pytest.mark.parametrize("stated", [
    tag("[consent: best interests, lacks capacity, ref EPR-204417]"),
    tag("[consent: attorney, lacks capacity, ref EPR-204417]"),
    *(read_header(HEADER.format(who)).statements[0] for who in AUTHORITIES),
])  # fmt: skip
def test_a_decision_on_record_lets_a_picture_go_for_care(stated: Statement) -> None:
    """Regression: it was asked how the patient had agreed, who cannot; the only words offered were untrue."""
    decision = decide(shipped(), facts("A", "K3", stated))
    assert (decision.action, decision.rule) == (Action.PROTECT, "CARE")
    assert "consent.no-form" not in decision.reasons


@pytest.mark.parametrize(
    "text",
    [
        "[consent: best interests, lacks capacity]",
        "[consent verbal, lacks capacity]",
        "[consent: patient, lacks capacity, ref EPR-2]",
        "[consent: family, lacks capacity, ref EPR-2]",
        "[consent: best interests, ref EPR-2]",
    ],
)
def test_who_decided_and_where_it_is_written_is_asked_for(text: str) -> None:
    """Without an authority or its record nothing goes, and the sender is told what to write."""
    decision = decide(shipped(), facts("A", "K3", tag(text)))
    assert decision.action in (Action.ASK, Action.QUARANTINE)
    assert "consent.capacity" in decision.reasons
    assert helps(decision.reasons) == HELP["consent.capacity"]


@pytest.mark.parametrize("purpose", ["teaching", "research", "publication", "court"])
def test_other_uses_are_for_a_reviewer(purpose: str) -> None:
    """S3-13: necessary, in the patient's interests, no other way: IG decides."""
    stated = tag(f"[consent: best interests, lacks capacity, {purpose}, ref EPR-204417]")
    decision = decide(shipped(), facts("A", "K3", stated))
    assert (decision.action, decision.rule) == (Action.QUARANTINE, "LACKS-CAPACITY-SECONDARY")


def test_the_help_can_be_followed() -> None:
    """The tag that the notice shows is read as meant, and sends."""
    text = HELP["consent.capacity"]
    stated = tag(text[text.index("[") :].rstrip("."))
    assert (stated.given_by, stated.capacity, stated.record) == ("best-interests", "lacks", "NOTE-1")
    assert decide(shipped(), facts("A", "K3", stated)).action is Action.PROTECT
