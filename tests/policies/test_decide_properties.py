"""What holds for every decision, whatever the facts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.consent import combine, read_subject, refuses
from policies.decide import decide, offered
from policies.explain import REASONS, explain
from policies.model import Action, Carrier, ConsentStatus, Facts, ImageFacts, Kind, Mode, RecipientClass, Statement
from policies.record import from_record, to_record
from policies.rules import ADDRESS
from tests.support.anyfacts import FACTS, IMAGES
from tests.support.policyfacts import shipped

pytestmark = [pytest.mark.unit, pytest.mark.slow]

@settings(max_examples=400)
@given(FACTS)
def test_every_facts_have_a_decision_that_explains_itself(facts: Facts) -> None:
    """Total: never raises; has reasons with sentences, and an explanation without anything of the message."""
    decision = decide(shipped(), facts)
    assert decision.reasons
    assert set(decision.reasons) - set(facts.methods.values()) <= REASONS.keys()
    assert (decision.action is Action.PROTECT) == bool(decision.methods)
    assert all(facts.methods[method] == "ok" for method in decision.methods)
    text = explain(shipped(), facts, decision)
    assert decision.rule in text
    assert not any(secret in text for secret in ("secret word", "photo.jpg", "someone@", "long enough", "REC-1", "p-1"))


@given(FACTS, st.sampled_from([ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN]))
def test_a_refusal_never_relaxes_and_never_lets_out(facts: Facts, status: ConsentStatus) -> None:
    """With a refusal added clinical images are held or refused, and never less strictly than without."""
    refused = replace(facts, consent=replace(facts.consent, statement=Statement(status, Carrier.SUBJECT), per_part=()))
    before, after = decide(shipped(), facts), decide(shipped(), refused)
    clinical = after.kind is not Kind.NONE and facts.recipient.cls is not RecipientClass.ARCHIVE
    if clinical:
        assert after.action >= Action.QUARANTINE
        assert after.action >= before.action or before.action is Action.REFUSE


@given(FACTS)
def test_a_withdrawal_on_file_stops_everything(facts: Facts) -> None:
    """Whatever is stated and released, a withdrawal on file holds or refuses clinical images."""
    decision = decide(shipped(), replace(facts, withdrawn=True))
    if decision.kind is not Kind.NONE and facts.recipient.cls is not RecipientClass.ARCHIVE:
        assert decision.action >= Action.QUARANTINE


@given(FACTS)
def test_nothing_clinical_goes_to_a_denied_destination(facts: Facts) -> None:
    """Class F: refused, whatever is stated, disclosed, accepted or released."""
    decision = decide(shipped(), replace(facts, recipient=replace(facts.recipient, cls=RecipientClass.DENIED)))
    assert decision.action is Action.REFUSE or decision.kind is Kind.NONE


@given(FACTS, IMAGES)
def test_another_image_never_relaxes(facts: Facts, image: ImageFacts) -> None:
    """More images, same or stricter action."""
    bare = replace(facts, consent=replace(facts.consent, per_part=()))
    before = decide(shipped(), bare)
    if before.rule == "NO-PICTURE":
        return
    assert decide(shipped(), replace(bare, images=(*bare.images, image))).action >= before.action or before.kind is Kind.NONE


@given(FACTS)
def test_the_mode_does_not_change_the_decision(facts: Facts) -> None:
    """Observe and advise record what enforce would do."""
    decisions = {decide(shipped(), replace(facts, mode=mode)) for mode in Mode}
    assert len(decisions) == 1


@given(FACTS)
def test_a_question_always_has_an_answer_that_works(facts: Facts) -> None:
    """ASK only where a tag leads to sending; every offered tag, read back as typed, does: no second question."""
    decision = decide(shipped(), facts)
    assert bool(decision.answers) or decision.action is not Action.ASK
    for answer in decision.answers:
        subject = offered(answer, "someone@there.example")
        again = answered(facts, subject)
        assert decide(shipped(), again).action <= Action.PROTECT, (answer, decide(shipped(), again))
    assert ADDRESS not in "".join(offered(answer, "x@y.example") for answer in decision.answers)


def answered(facts: Facts, tag: str) -> Facts:
    """The facts of the same mail sent again with the tag typed in front of the subject, or in the subject of a new mail."""
    subject = f"{tag} rash" if facts.thread == "new" else f"{tag} Re: rash"
    stated = facts.consent.statement
    reading = read_subject(subject)
    earlier = () if stated is None or reading.statements[0].basis not in ("document", "no-patient-picture") else (stated,)
    typed = tuple(replace(one, carrier=Carrier.SUBJECT, fresh=True) for one in earlier)
    both = replace(reading, statements=(*reading.statements, *typed))
    consent = combine([both], today=date(2026, 11, 22), vouched=facts.vouched, thread=facts.thread, images_covered=None)
    said = consent.statement
    if said is not None and stated is not None:  # what was declared about the picture is declared again
        declared = {name: getattr(said, name) or getattr(stated, name) for name in ("intimate", "child", "deceased")}
        said = replace(said, **declared)
    return replace(facts, consent=replace(consent, statement=said, per_part=facts.consent.per_part))


@given(FACTS)
def test_the_same_decision_from_the_record(facts: Facts) -> None:
    """P7: facts recorded as JSON and read again give the same decision; the record names nobody."""
    text = json.dumps(to_record(facts))
    assert not any(secret in text for secret in ("someone", "photo.jpg", "long enough", "REC-1", "POL-1", "p-1", "secret word"))
    again = from_record(json.loads(text))
    assert decide(shipped(), again) == decide(shipped(), facts)
    assert to_record(again)["consent"]["problems"] == to_record(facts)["consent"]["problems"]


@given(FACTS)
def test_no_accepted_reason_lets_out_what_was_refused(facts: Facts) -> None:
    """A release may relax holds; a refusal of the rules stays a refusal."""
    bare = replace(facts, released=frozenset())
    if decide(shipped(), bare).action is Action.REFUSE:
        assert decide(shipped(), replace(facts, released=frozenset(REASONS))).action >= Action.QUARANTINE or any(
            refuses(one) for one in facts.consent.per_part
        )
