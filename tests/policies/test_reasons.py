"""What the sender of a waiting email is told: only what keeps it, and the one step that helps."""

from __future__ import annotations

import pytest

from policies.consent import read_subject
from policies.decide import decide
from policies.explain import advice, words_for_sender
from policies.load import load_policy
from policies.model import Action, Consent, Facts, Problem
from policies.reasons import HELP, REASONS, helps, told
from tests.support.policyfacts import facts, files, image, recipient, shipped, statement

pytestmark = pytest.mark.unit


def said(given: Facts) -> str:
    decision = decide(shipped(), given)
    return " ".join(filter(None, (words_for_sender(decision.action, decision.reasons), advice(given, decision.reasons))))


def misspelt(*words: str) -> Facts:
    problems = tuple(Problem("consent.unknown-word", word) for word in words)
    return facts("A", "K3", consent=Consent(problems=problems))


def test_help_is_for_known_reasons() -> None:
    assert HELP.keys() <= REASONS.keys()


def test_what_speaks_for_sending_is_no_reason_why_it_waits() -> None:
    """A consented HEIC waits for its format: neither its consent nor the purpose we took it for is told."""
    text = said(
        facts(
            "A",
            consent=Consent(statement=statement("v", "P1")),
            images=(image("K8", format="new", opaque="image-not-supported"),),
        )
    )
    assert text == f"{REASONS['opaque.image-not-supported']} {HELP['opaque.image-not-supported']}"


def test_where_only_protection_lacks_only_that_is_told() -> None:
    codes = ("protect.no-method", "smime.no-certificate", "consent.stated", "purpose.inferred", "consent.no-form")
    assert told(codes) == ("protect.no-method", "smime.no-certificate")


def test_a_sender_who_stated_consent_is_never_told_that_it_could_not_be_seen() -> None:
    """To a private address a stated consent does not do; the address is the reason, not the consent."""
    stated = facts("E", "K3", statement("v", "none"))
    assert decide(shipped(), stated).action >= Action.ASK
    assert REASONS["consent.missing"] not in said(stated)
    assert REASONS["domain.private"] in said(stated)


def test_ones_own_private_address_is_called_so() -> None:
    assert REASONS["domain.own-private"] in said(facts("E", "K3", recipient=recipient("E", own_private=True)))


@pytest.mark.parametrize("code", ["consent.expired", "consent.unknown-word", "consent.inherited-tag", "consent.bare-tag"])
def test_the_exact_fault_of_a_statement_replaces_the_vague_one(code: str) -> None:
    assert told(("consent.missing", code)) == (code,)


def test_a_reason_is_never_dropped_to_nothing() -> None:
    assert told(("consent.stated",)) == ("consent.stated",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("vrebal", "verbal"), ("verbla", "verbal"), ("writtn", "written"), ("telehpone", "telephone"), ("refered", "referred")],
)
def test_a_misspelt_word_is_answered_with_the_word_that_was_meant(written: str, meant: str) -> None:
    """Only a word of our own list is ever said."""
    assert said(misspelt(written)).endswith(f"Did you mean {meant}?")


def test_a_word_of_the_message_is_never_told() -> None:
    """What is near no word of ours may be a name: it is not repeated."""
    text = said(misspelt("featherstonehaugh"))
    assert "feather" not in text.casefold() and text.endswith(helps(("consent.unknown-word",)))


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Consent will follow, patient is at the moment not agreed", "Check the spelling."),
        ("[consent will follow after lunch tomorrow]", "Check the spelling."),
        ("[consent vrebal]", "Look at the second word of the tag. Did you mean verbal?"),
    ],
)
def test_places_are_told_of_a_tag_with_few_unknown_words_only(subject: str, text: str) -> None:
    """A plain sentence has no "eighth word of the tag", and "moment" is no "document"."""
    given = facts("A", "K3", consent=Consent(problems=read_subject(subject).problems))
    assert said(given) == f"Some of the words about consent were not understood. {text}"


def test_the_notice_about_addresses_is_for_addresses_only() -> None:
    """N-2 asks "is the address wrong?" and tells to use another one: never where the picture or the consent is what keeps it."""
    told = [rule for rule in shipped().rules if rule.settings.get("notice") == "N-2"]
    assert len(told) > 8
    for rule in told:
        reasons = tuple(map(str, rule.settings["reasons"]))  # type: ignore[call-overload]  # a list by its schema
        assert any(reason.startswith(("domain.", "recipient.mailbox")) for reason in reasons), rule.id


def test_who_said_how_the_patient_agreed_is_told_what_is_missing_instead() -> None:
    """Symptom: after "[consent verbal]" the notice said that nobody could see whether the patient agreed.  Cause: the rule's only
    reason was taken out, and nothing put in its place: the purpose (to a patient), the form (where a site asks for writing)."""
    verbal = read_subject("[consent verbal]").statements[0]
    assert decide(shipped(), facts("C", "K3", verbal)).reasons[:1] == ("consent.purpose-missing",)
    text = files()["policy.yaml"]
    either = b"purpose: [care, emergency], consent: [written, verbal]}"
    written = load_policy({**files(), "policy.yaml": text.replace(either, either.replace(b", verbal", b""), 1)})
    decision = decide(written, facts("A", "K3", verbal))
    assert (decision.rule, decision.reasons[:1], decision.answers[:1]) == ("CARE-ASK", ("consent.form",), ("[consent written]",))
    assert "consent.form" not in decide(shipped(), facts("E", "K3", verbal)).reasons  # a private address: the address is why
