"""Rules that advise: they hold nothing, and their sender is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.decide import decide
from policies.load import Policy, load_policy
from policies.model import Action, Facts
from policies.reasons import REASONS
from policies.record import from_record, to_record
from policies.statements.tags import read_subject
from tests.support.matrix import policy
from tests.support.policyfacts import facts, files, shipped, statement

pytestmark = pytest.mark.unit

SAID = statement("v", "P1")


def found(code: str, **changes: Any) -> Facts:
    return facts("A", "K3", changes.pop("said", SAID), codes=frozenset({code}), **changes)


# Rule -> a mail whose sender it advises.
ADVISED: dict[str, Facts] = {
    "TELL-EMERGENCY": found("recipient.lookalike-address", said=statement("emergency")),
    "TELL-MANY": found("recipient.many"),
    "TELL-OPEN-LIST": found("recipient.open-list"),
    "TELL-NOT-PATIENT": facts("E", "K3", read_subject("[not a patient image]").statements[0], first_time=True),
    "TELL-FIRST-TIME": found("recipient.first-time"),
}


def policy_of(rule: str) -> Policy:
    return policy("uk-care-team") if rule == "TELL-MANY" else shipped()


@pytest.mark.parametrize("rule", ADVISED)
@pytest.mark.slow
def test_each_advice_is_told_and_holds_nothing(rule: str) -> None:
    """The rule's reasons are told beside; the mail goes as it would have gone without it, and the record says the same."""
    advises = next(one for one in policy_of(rule).rules if one.id == rule)
    decision = decide(policy_of(rule), ADVISED[rule])
    assert set(_reasons(advises)) <= set(decision.advice) <= REASONS.keys()
    assert decision.action <= Action.PROTECT
    assert decision.advise_now is (advises.settings.get("notice") is not None)
    bare = decide(_without(rule), ADVISED[rule])
    assert (bare.action, bare.rule, bare.reasons, bare.methods) == (
        decision.action, decision.rule, decision.reasons, decision.methods,
    )  # fmt: skip
    assert decide(policy_of(rule), from_record(json.loads(json.dumps(to_record(ADVISED[rule]))))) == decision


def test_every_advice_has_a_sentence_that_can_be_told_to_the_sender() -> None:
    """An advising rule without words would be silent."""
    for rule in shipped().rules:
        if rule.settings.get("advises"):
            assert _reasons(rule) and set(_reasons(rule)) <= REASONS.keys(), rule.id


def _reasons(rule: Any) -> tuple[str, ...]:
    return tuple(rule.settings["reasons"])


def _without(rule: str) -> Policy:
    """The shipped policy in which a rule advises nobody."""
    text = files()["policy.yaml"].decode()
    profile = "uk-care-team" if rule == "TELL-MANY" else "uk-strict"
    start = text.index(f"  - id: {rule}\n")
    end = text.find("\n  - id: ", start)
    cut = text[:start] + text[end + 1 :]
    return load_policy({**files(), "policy.yaml": cut.replace("\nprofile: uk-strict\n", f"\nprofile: {profile}\n").encode()})
