"""Explanations: what an officer or a clinician reads about a decision."""

from __future__ import annotations

import pytest

from policies.consent import read_subject
from policies.decide import decide
from policies.explain import explain
from policies.model import Facts
from policies.record import to_record
from policies.replay import replay
from tests.support.policyfacts import facts, files, shipped, statement

pytestmark = pytest.mark.unit


def told(given: Facts) -> str:
    return explain(shipped(), given, decide(shipped(), given))


def test_a_question_names_rule_source_and_what_helps() -> None:
    """The lines a sender's help desk needs."""
    text = told(facts("A"))
    for words in (
        "waits for the sender's answer",
        "Rule: CARE-ASK",
        "Source: S0-8",
        "We could not see whether the patient agreed.",
        "Rule EMERGENCY-CLINICAL would let it go",
        "[consent verbal]",
    ):
        assert words in text


def test_a_hold_for_a_reviewer_names_who_may_release_it() -> None:
    """Who, and that no word of the sender helps."""
    text = told(facts("A", "K3", read_subject("[consent written, court]").statements[0]))
    assert "May be released by: the information-governance team." in text
    assert "No word of the sender would let it go" in text


def test_protected_mail_names_its_methods() -> None:
    """In order, and what happens when none works."""
    text = told(facts("A", "K3", statement("v", "P1")))
    assert "Protected by: route, then smime; if none works it waits for a reviewer." in text


def test_missing_methods_are_told_one_by_one() -> None:
    """Each method with the code why it cannot serve."""
    text = told(facts("A", "K3", statement("v", "P1"), methods={"smime": "smime.expired"}))
    assert "Method smime cannot serve: smime.expired." in text


def test_the_floor_says_that_no_rule_fitted() -> None:
    """What nobody thought of is held, and says so."""
    from policies.load import load_policy

    rules = b"rules:\n  - {id: ONE, when: {recipient: A, kind: K1}, then: PROTECT, source: [x], reviewed: 2026-11-20}\n"
    head = files()["policy.yaml"].partition(b"rules:\n")[0]
    bare = load_policy({**files(), "policy.yaml": head + rules})
    text = explain(bare, facts("C"), decide(bare, facts("C")))
    assert "Rule: floor" in text and "no rule fitted" in text


def test_replay_lists_who_would_be_treated_differently() -> None:
    """Recorded facts under two policies: only the changed ones, with both decisions."""
    from policies.load import load_policy

    text = files()["policy.yaml"].replace(
        b"  - id: CARE\n    when: {recipient: [A, B], kind: photo, purpose: [care, emergency], consent: [written, verbal]}",
        b"  - id: CARE\n    when: {recipient: [A, B], kind: photo, purpose: [care, emergency], consent: [written]}",
    )
    stricter = load_policy({**files(), "policy.yaml": text})
    records = [to_record(facts("A", "K3", statement(word, "P1"))) for word in ("w", "v", "none")]
    changes = list(replay(shipped(), stricter, records))
    assert [(change.at, change.stricter, change.after.rule) for change in changes] == [(1, True, "CARE-ASK")]
