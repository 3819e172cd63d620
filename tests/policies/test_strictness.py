"""Under every profile: more evidence is never milder, an honest word never worse than silence, nobody is asked twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policies.consent import refuses
from policies.decide import decide
from policies.files.profiles import PROFILES
from policies.model import Action, Carrier, Consent, ConsentStatus, Facts, Kind, RecipientClass, Statement
from policies.vocabulary import FORMS
from tests.support.anyfacts import FACTS
from tests.support.matrix import policy
from tests.support.policyfacts import ALL_METHODS

pytestmark = [pytest.mark.unit, pytest.mark.slow]

POLICIES = st.sampled_from(PROFILES).map(policy)
# The person at the keyboard is known, nothing is released and every method serves: what is left is evidence and words.
PLAIN = FACTS.map(
    lambda one: replace(
        one, vouched=True, withdrawn=False, released=frozenset(), methods=ALL_METHODS, consent=replace(one.consent, per_part=())
    )
)
_NO_PATIENT = ("[not a patient image]", "[teaching, no patients]")


def _coded(facts: Facts, code: str) -> Facts:
    return replace(facts, images=tuple(replace(one, codes=one.codes | {code}) for one in facts.images))


def _declared(facts: Facts, **flags: Any) -> Facts:
    said = facts.consent.statement or Statement(ConsentStatus.PENDING, Carrier.SUBJECT)
    return replace(facts, consent=replace(facts.consent, statement=replace(said, **flags)))


EVIDENCE = {
    "a patient's number in the picture": lambda facts: _coded(facts, "text.nhs-number"),
    "names in the pixels": lambda facts: _coded(facts, "dicom.burned-in"),
    "nobody knows of names in the pixels": lambda facts: _coded(facts, "dicom.burned-in-unknown"),
    "a number in the subject": lambda facts: replace(facts, codes=facts.codes | {"ident.subject"}),
    "a child is declared": lambda facts: _declared(facts, child=True),
    "an intimate picture is declared": lambda facts: _declared(facts, intimate=True),
    "an intimate picture of a child is declared": lambda facts: _declared(facts, intimate=True, child=True),
    "a withdrawal on file": lambda facts: replace(facts, withdrawn=True),
}


def _no_patient(facts: Facts) -> bool:
    said = facts.consent.statement
    return said is not None and said.basis in ("not-patient", "teaching", "no-patient-picture")


@pytest.mark.parametrize("what", EVIDENCE)
@settings(max_examples=25, deadline=None)
@given(policy=POLICIES, facts=PLAIN)
def test_more_evidence_is_never_milder(what: str, policy: Any, facts: Facts) -> None:
    """Whatever is found or declared beside, the action stays or grows stricter; a refusal stays one or is reviewed."""
    before, after = decide(policy, facts), decide(policy, EVIDENCE[what](facts))
    assert after.action >= before.action or (before.action is Action.REFUSE and after.rule.startswith("REFUSED-")), (
        before,
        after,
    )


@settings(max_examples=60, deadline=None)
@given(
    policy=POLICIES, facts=PLAIN, flags=st.sampled_from([{"child": True}, {"intimate": True}, {"child": True, "intimate": True}])
)
def test_declaring_what_a_picture_shows_never_gets_it_refused(policy: Any, facts: Facts, flags: dict[str, bool]) -> None:
    """Settled: held for people, with an alert, but never thrown away for the sender's honesty."""
    said = facts.consent.statement
    assume(said is None or said.identifiable)
    if decide(policy, facts).action is not Action.REFUSE:
        assert decide(policy, _declared(facts, **flags)).action is not Action.REFUSE


@settings(max_examples=60, deadline=None)
@given(
    policy=POLICIES,
    facts=PLAIN,
    form=st.sampled_from([None, *FORMS]),
    status=st.sampled_from([ConsentStatus.GIVEN, ConsentStatus.LIMITED]),
)
def test_saying_that_the_patient_agreed_is_never_worse_than_silence(
    policy: Any, facts: Facts, form: str | None, status: ConsentStatus
) -> None:
    """The action is as mild, or a reviewer is at work and every honest answer that silence was offered is offered still."""
    silent = replace(facts, consent=Consent())
    said = Statement(status, Carrier.SUBJECT, form=form, scope=frozenset({"record"}))
    silence, honest = decide(policy, silent), decide(policy, replace(facts, consent=Consent(said)))
    assert honest.action is not Action.REFUSE or silence.action is Action.REFUSE
    if honest.action > silence.action:
        assert honest.action is Action.QUARANTINE
        assert set(silence.answers) - {*_NO_PATIENT} <= set(honest.answers), (silence, honest)


@settings(max_examples=60, deadline=None)
@given(policy=POLICIES, facts=FACTS)
def test_no_profile_lets_out_what_none_may(policy: Any, facts: Facts) -> None:
    """Class F never; nothing against a refusal or a withdrawal; both whatever a release accepted."""
    denied = decide(policy, replace(facts, recipient=replace(facts.recipient, cls=RecipientClass.DENIED)))
    assert denied.action is Action.REFUSE or denied.kind is Kind.NONE
    decision = decide(policy, facts)
    stated = facts.consent.statement
    said_no = facts.withdrawn is True or (stated is not None and refuses(stated) and not facts.consent.per_part)
    if said_no and decision.kind is not Kind.NONE and facts.recipient.cls is not RecipientClass.ARCHIVE:
        assert decision.action >= Action.QUARANTINE


@settings(max_examples=80, deadline=None)
@given(policy=POLICIES, facts=FACTS)
def test_what_is_remembered_is_what_would_be_found(policy: Any, facts: Facts) -> None:
    """Answers remembered from other mail are those that trying them on this mail gives."""
    assert decide(policy, facts) == decide(replace(policy, remembered={}), facts)


@settings(max_examples=60, deadline=None)
@given(policy=POLICIES, facts=FACTS)
def test_nobody_is_asked_without_an_answer(policy: Any, facts: Facts) -> None:
    """Under every profile ASK has an answer that was tried, and only people and machines with owners are asked."""
    decision = decide(policy, facts)
    if decision.action is Action.ASK:
        assert decision.answers and facts.sender_kind in ("person", "machine") and facts.vouched
