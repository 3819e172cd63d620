"""Every rule of the shipped policy is reached, and by the mail it was written for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
import yaml

from policies.consent import read_header, read_subject
from policies.decide import decide
from policies.load import Policy, load_policy
from policies.model import Action, Consent, Facts, OnFile, RecipientClass
from policies.onfile import uses
from policies.reasons import REASONS
from policies.record import from_record, to_record
from tests.support.policyfacts import facts, files, image, recipient, shipped, statement

pytestmark = pytest.mark.unit


def tag(text: str) -> Any:
    return read_subject(text).statements[0]


def header(text: str) -> Any:
    return read_header(text).statements[0]


CARE = frozenset({"TREAT"})
CARE_ONLY = OnFile("limited", date(2026, 11, 12), uses(["record"], []))
EMERGENCY = statement("emergency")
FEW = recipient("A")
FEW = replace(FEW, entry=replace(FEW.entry, max_recipients=2))  # type: ignore[type-var]  # class A has an entry
SPECIAL = recipient("A")
SPECIAL = replace(SPECIAL, entry=replace(SPECIAL.entry, max_sensitivity="V", children_allowed=True))  # type: ignore[type-var]  # as above
SPECIAL_OTHER = replace(SPECIAL, cls=RecipientClass.APPROVED_OTHER)
FIXED = image("K8", opaque="image-not-supported", codes=frozenset({"container.signed"}))
SLIP = frozenset({"recipient.lookalike-address", "recipient.first-time"})
EXPIRED = replace(recipient("A"), cls=RecipientClass.UNKNOWN, standing="expired")

# rule id -> (facts, expected action)
EACH: dict[str, tuple[Facts, Action]] = {
    "ARCHIVE": (facts("archive", "K3", statement("refused")), Action.DELIVER),
    "F-DENIED": (facts("F", "K3", tag("[consent written]")), Action.REFUSE),
    "REFUSED-CARE": (facts("A", "K3", statement("refused", "P1")), Action.QUARANTINE),
    "REFUSED-OWN": (facts("O", "K3", tag("[withdrawn]")), Action.QUARANTINE),
    "REFUSED": (facts("A", "K3", tag("[withdrawn]")), Action.REFUSE),
    "MIME-AMBIGUOUS": (facts("A", "K0", codes=frozenset({"mime.ambiguous"})), Action.QUARANTINE),
    "SCOPE": (facts("D", "K0"), Action.QUARANTINE),
    "NO-PICTURE": (facts("D", "K0"), Action.DELIVER),
    "WITHDRAWAL-UNKNOWN": (facts("A", "K3", statement("v", "P1", patient="p-1"), withdrawn=None), Action.QUARANTINE),
    "SENSITIVE-PRIVATE": (facts("E", "K3", tag("[consent written, teaching, intimate]")), Action.REFUSE),
    "SENSITIVE-OWN-PRIVATE": (
        facts("E", "K3", tag("[consent verbal, referral, intimate]"), recipient=recipient("E", own_private=True)),
        Action.REFUSE,
    ),
    "K6-SPECIALIST": (facts("A", "K3", tag("[consent: parent, intimate]"), recipient=SPECIAL), Action.QUARANTINE),
    "K6-INTIMATE-CHILD": (facts("O", "K3", tag("[consent verbal, intimate, child]")), Action.QUARANTINE),
    "K8-SENDER-ENCRYPTED": (facts("A", "K8", images=(image("K8", format="cms-enveloped"),)), Action.DELIVER),
    "K8-ENCRYPTED-OWN": (facts("O", "K8"), Action.DELIVER),
    "K8-ENCRYPTED-STATED": (facts("B", "K8", tag("[no patient picture]")), Action.DELIVER),
    "K8-ENCRYPTED-ASK": (facts("D", "K8"), Action.ASK),
    "K8-ENCRYPTED": (facts("E", "K8", tag("[no patient picture]")), Action.QUARANTINE),
    "K8-CORRUPT": (facts("A", images=(image("K8", opaque="corrupt"),)), Action.QUARANTINE),
    "K8-LIMIT": (facts("O", images=(image("K8", opaque="limit"),)), Action.QUARANTINE),
    "K8-FIXED-OWN": (facts("O", images=(FIXED,)), Action.DELIVER),
    "K8-FIXED": (facts("A", "K3", tag("[consent verbal]"), images=(FIXED,)), Action.QUARANTINE),
    "K8-NOT-SUPPORTED": (facts("A", images=(image("K8", opaque="image-not-supported"),)), Action.QUARANTINE),
    "K8-UNKNOWN-TYPE": (facts("B", images=(image("K8", opaque="unknown-type"),)), Action.DELIVER),
    "K8-UNKNOWN-TYPE-OUT": (facts("D", images=(image("K8", opaque="unknown-type"),)), Action.QUARANTINE),
    "OWN-SIGNED": (facts("O", codes=frozenset({"mail.signed"})), Action.DELIVER),
    "OWN": (facts("O"), Action.DELIVER),
    "SIGNED": (facts("A", "K3", tag("[consent verbal]"), codes=frozenset({"mail.signed"})), Action.QUARANTINE),
    "LIMITED-USE": (facts("B", "K3", tag("[consent written, teaching]"), on_file=CARE_ONLY), Action.QUARANTINE),
    "TEST-DATA": (facts("A", "K3", header("given; form=verbal; purpose=HTEST")), Action.PROTECT),
    "TEST-ONLY": (facts("A", "K3", tag("[consent verbal]")), Action.QUARANTINE),
    "K4-EMERGENCY": (facts("A", "K4", EMERGENCY), Action.PROTECT),
    "K4-EMERGENCY-OTHER": (facts("D", "K4", EMERGENCY), Action.QUARANTINE),
    "K4-CARE": (facts("A", "K3", tag("[consent verbal, intimate]"), recipient=SPECIAL), Action.PROTECT),
    "K4-ASK": (facts("A", "K3", tag("[intimate]"), recipient=SPECIAL), Action.ASK),
    "K4-INTIMATE": (facts("A", "K3", tag("[consent written, intimate]")), Action.QUARANTINE),
    "NOT-PATIENT": (facts("D", "K3", tag("[teaching, no patients]")), Action.DELIVER),
    "SUSPENDED": (
        facts("A", "K3", EMERGENCY, recipient=recipient("D", standing="suspended")),
        Action.QUARANTINE,
    ),
    "EMERGENCY-CLINICAL": (facts("A", "K3", EMERGENCY), Action.PROTECT),
    "EMERGENCY-HEALTHCARE": (facts("B", "K3", EMERGENCY), Action.PROTECT),
    "EMERGENCY-OTHER": (
        facts("B", "K3", EMERGENCY, recipient=recipient("B", purposes=frozenset({"TRAIN"}))),
        Action.QUARANTINE,
    ),
    "EMERGENCY-MANY": (facts("A", "K3", EMERGENCY, recipients=4), Action.ASK),
    "EMERGENCY-UNKNOWN": (facts("D", "K3", EMERGENCY), Action.PROTECT),
    "EMERGENCY-ON-CALL": (facts("E", "K3", EMERGENCY), Action.QUARANTINE),
    "EXPIRED": (facts("A", "K3", recipient=EXPIRED), Action.ASK),
    "DISCLOSED": (facts("B", images=(image(disclosed=True),)), Action.PROTECT),
    "K9-APPROVED": (facts("A", "K9"), Action.PROTECT),
    "K9-PATIENT": (facts("C", "K9"), Action.DELIVER),
    "K9-STATED": (facts("D", "K9", tag("[document]")), Action.DELIVER),
    "K9-ASK": (facts("E", "K9"), Action.ASK),
    "TOO-MANY": (facts("A", "K3", tag("[consent verbal]"), recipients=3, recipient=FEW), Action.QUARANTINE),
    "K7-PUBLIC-FAMILY": (facts("B", "K3", statement("w", "P6", deceased=True, given_by="executor")), Action.PROTECT),
    "K7-PROOF": (facts("C", "K3", statement("w", "P6", deceased=True, given_by="family")), Action.PROTECT),
    "K7-PUBLIC": (facts("B", "K3", statement("w", "P6", deceased=True)), Action.QUARANTINE),
    "K5-PUBLIC": (facts("B", "K3", tag("[consent written, parent, publication]")), Action.QUARANTINE),
    "LACKS-CAPACITY-SECONDARY": (
        facts("A", "K3", statement("w", "P4", capacity="lacks", given_by="attorney", record="R1")),
        Action.QUARANTINE,
    ),
    "MARKETING": (facts("A", "K3", header("given; form=written; purpose=HMARKT")), Action.QUARANTINE),
    "MARKETING-PRIVATE": (facts("E", "K1", header("given; form=written; purpose=HMARKT")), Action.QUARANTINE),
    "LEGAL-CLINICAL": (facts("A", "K3", statement("w", "P7")), Action.QUARANTINE),
    "PUBLICATION-CLINICAL": (facts("A", "K3", statement("w", "P6")), Action.QUARANTINE),
    "K1-CARE": (facts("A", "K1"), Action.PROTECT),
    "K2-CARE": (facts("A", "K3", header("not-required; basis=gmc-17; purpose=COC; identifiable=?0")), Action.PROTECT),
    "PURPOSE-NOT-LISTED": (
        facts("B", "K3", statement("w", "P5"), recipient=recipient("B", purposes=CARE)),
        Action.QUARANTINE,
    ),
    "K1-CARE-OTHER": (facts("B", "K1", statement("none", "P1")), Action.PROTECT),
    "K2-CARE-OTHER": (facts("B", "K3", header("not-required; basis=gmc-17; purpose=COC; identifiable=?0")), Action.PROTECT),
    "K1-ANONYMOUS": (facts("B", "K1", header("not-required; v=1; purpose=TRAIN; basis=gmc-10; identifiable=?0")), Action.PROTECT),
    "K1-ANONYMOUS-PUBLIC": (facts("B", "K1", statement("none", "P6", identifiable=False)), Action.PROTECT),
    "K2-ANONYMOUS": (facts("B", "K3", header("not-required; basis=gmc-17; purpose=TRAIN; identifiable=?0")), Action.PROTECT),
    "K2-RESEARCH-ASK": (facts("B", "K3", header("not-required; basis=gmc-17; purpose=HRESCH; identifiable=?0")), Action.ASK),
    "K5-NOT-LISTED": (facts("A", "K3", tag("[consent: parent]")), Action.QUARANTINE),
    "K5-AGAIN": (facts("A", "K3", tag("[consent verbal, parent, 1/3/2021]"), recipient=SPECIAL), Action.ASK),
    "K5-CARE": (facts("A", "K3", tag("[consent verbal, child]"), recipient=SPECIAL), Action.ASK),
    "K5-CARE-OTHER": (facts("B", "K3", tag("[consent verbal, child, referral]"), recipient=SPECIAL_OTHER), Action.ASK),
    "K5-USES": (facts("B", "K3", tag("[consent written, child, teaching]"), recipient=SPECIAL_OTHER), Action.ASK),
    "K5-LEGAL": (facts("B", "K3", tag("[consent written, child, court]"), recipient=SPECIAL_OTHER), Action.ASK),
    "K5-PARENT": (facts("A", "K3", tag("[consent: parent]"), recipient=SPECIAL), Action.PROTECT),
    "K5-PATIENT-ASK": (facts("C", "K3", tag("[consent verbal, child]")), Action.ASK),
    "OUT-OF-SCOPE": (facts("A", "K3", header("given; v=1; form=written; purpose=TRAIN; scope=record")), Action.ASK),
    "CARE": (facts("B", "K3", tag("[consent telephone, second opinion]")), Action.PROTECT),
    "IMPLIED-CARE": (facts("A", "K3", tag("[consent implied]")), Action.PROTECT),
    "US-TREATMENT": (facts("A", "K3", statement("none", "P1")), Action.PROTECT),
    "PATIENT-ASKED": (facts("A", "K3", statement("v", "P3")), Action.PROTECT),
    "PATIENT-ASKED-OTHER": (facts("B", "K3", statement("none", "P3")), Action.QUARANTINE),
    "TRAINING": (facts("A", "K3", tag("[consent written, teaching]")), Action.PROTECT),
    "TRAINING-ASK": (facts("A", "K3", tag("[consent verbal, teaching]")), Action.ASK),
    "RESEARCH": (facts("B", "K3", tag("[consent written, research, ref REC-123]")), Action.PROTECT),
    "RESEARCH-ASK": (facts("B", "K3", tag("[consent written, research]")), Action.ASK),
    "RESEARCH-NONE": (facts("B", "K3", statement("none", "P5")), Action.QUARANTINE),
    "PUBLICATION": (facts("B", "K3", tag("[consent written, publication]")), Action.PROTECT),
    "PUBLICATION-ASK": (facts("B", "K3", tag("[consent verbal, publication]")), Action.ASK),
    "LEGAL-OTHER": (facts("B", "K3", statement("w", "P7")), Action.PROTECT),
    "LEGAL-OTHER-REVIEW": (facts("B", "K3", statement("v", "P7")), Action.QUARANTINE),
    "CARE-ASK": (facts("A", "K3"), Action.ASK),
    "CARE-ASK-OTHER": (facts("B", "K3", statement("i", "P1")), Action.ASK),
    "PURPOSE-ASK": (facts("B", "K3", tag("[consent verbal]")), Action.ASK),
    "PATIENT": (facts("C", "K3", statement("v", "P3")), Action.PROTECT),
    "PATIENT-REQUEST": (facts("E", "K3", tag("[to patient someone@there.example]")), Action.PROTECT),
    "PATIENT-PROOF": (facts("C", "K3", statement("none", "P6")), Action.PROTECT),
    "PATIENT-ASK": (facts("C", "K3"), Action.ASK),
    "ADDRESS-UNCONFIRMED": (facts("E", "K3", tag("[to patient]")), Action.ASK),
    "MAILBOX": (facts("D", "K3", tag("[consent verbal]"), codes=frozenset({"recipient.mailbox"})), Action.QUARANTINE),
    "K1-CONFIRMED": (facts("D", "K1", tag("[right address]")), Action.PROTECT),
    "K1-UNKNOWN": (facts("D", "K1", statement("v", "P1")), Action.ASK),
    "UNKNOWN-ASK": (facts("D", "K3"), Action.ASK),
    "UNKNOWN-UNSTATED": (facts("D", "K3", statement("none", "P1")), Action.QUARANTINE),
    "UNKNOWN": (facts("D", "K3", tag("[consent verbal]")), Action.QUARANTINE),
    "K1-PRIVATE": (facts("E", "K1"), Action.ASK),
    "OWN-PRIVATE": (
        facts("E", "K3", tag("[consent verbal, referral]"), recipient=recipient("E", own_private=True)),
        Action.REFUSE,
    ),
    "PRIVATE-SECONDARY": (facts("E", "K3", tag("[consent written, teaching]")), Action.REFUSE),
    "OWN-PRIVATE-ASK": (facts("E", "K3", recipient=recipient("E", own_private=True)), Action.ASK),
    "PRIVATE-ASK": (facts("E", "K3"), Action.ASK),
    "PRIVATE": (facts("E", "K3", tag("[consent verbal, referral]")), Action.QUARANTINE),
    "LOOK-ADDRESS": (facts("A", "K3", tag("[consent verbal]"), codes=SLIP), Action.ASK),
    "LOOK-NAME": (facts("A", "K1", codes=frozenset({"recipient.other-name"})), Action.ASK),
    "LOOK-PAGE": (facts("A", "K9", codes=SLIP), Action.ASK),
    "LOOK-PAGE-DOMAIN": (
        facts("D", "K9", tag("[document]"), recipient=recipient("D", lookalike_of="near.example")),
        Action.ASK,
    ),
    "LOOK-MANY": (facts("A", "K3", tag("[consent verbal]"), codes=frozenset({"recipient.many"})), Action.ASK),
    "LOOK-OPEN-LIST": (facts("C", "K3", statement("v", "P3"), codes=frozenset({"recipient.open-list"})), Action.ASK),
    "LINK-HOLD": (facts("D", "K0", codes=frozenset({"link.file-share"})), Action.ASK),
    "DEVICE-HOLD": (
        facts("A", "K3", tag("[consent verbal]"), images=(image(codes=frozenset({"device.personal"})),)),
        Action.QUARANTINE,
    ),
}

# Rules that hold only under another profile or setting than those shipped -> what is put in their place.
ELSEWHERE: dict[str, tuple[bytes, bytes]] = {
    "SCOPE": (b"scope: images", b"scope: all"),
    "K8-SENDER-ENCRYPTED": (b"sender_encrypted_to_approved: ask", b"sender_encrypted_to_approved: deliver"),
    "TEST-DATA": (b"profile: uk-strict", b"profile: test"),
    "TEST-ONLY": (b"profile: uk-strict", b"profile: test"),
    "K2-ANONYMOUS": (b"profile: uk-strict", b"profile: gmc-17"),
    "IMPLIED-CARE": (b"profile: uk-strict", b"profile: uk-care-team"),
    "US-TREATMENT": (b"profile: uk-strict", b"profile: us"),
    "LINK-HOLD": (b"file_links: {then: advice}", b"file_links: {then: hold}"),
    "DEVICE-HOLD": (b"devices: {personal: warn", b"devices: {personal: hold"),
}


@cache
def policy_of(rule: str) -> Policy:
    """The policy under which a rule holds: the shipped one, but for the few of ``ELSEWHERE``."""
    if rule not in ELSEWHERE:
        return shipped()
    given = files()
    assert given["policy.yaml"].count(b"\n" + ELSEWHERE[rule][0]) + given["policy.yaml"].count(b"  " + ELSEWHERE[rule][0]) == 1
    return load_policy({**given, "policy.yaml": given["policy.yaml"].replace(*ELSEWHERE[rule], 1)})


def test_what_the_sender_encrypted_is_asked_about_as_shipped() -> None:
    """10-settled: encrypted is ASK for A, B and D; delivering it unseen is a site's own choice."""
    assert decide(shipped(), EACH["K8-SENDER-ENCRYPTED"][0]).action is Action.ASK


def test_no_rule_is_dead_and_none_is_forgotten() -> None:
    """The table names every rule of the policy once, in the policy's order."""
    assert list(EACH) == [rule.id for rule in shipped().rules if not rule.settings.get("advises")]


@pytest.mark.parametrize("rule", EACH)
@pytest.mark.slow
def test_each_rule_decides_the_mail_it_was_written_for(rule: str) -> None:
    """The rule is the one that matches, with its action, and every reason has a sentence."""
    given, expected = EACH[rule]
    decision = decide(policy_of(rule), given)
    assert (decision.rule, decision.action) == (rule, expected), decision
    assert decision.reasons and set(decision.reasons) <= REASONS.keys()
    assert decision.source


def test_every_rule_has_a_source_and_a_review_date() -> None:
    """A rule can be defended: where it comes from and when a person last looked."""
    for rule in shipped().rules:
        assert rule.source and all(rule.source), rule.id
        assert rule.reviewed <= date(2026, 11, 23), rule.id


def test_emergency_is_urgent_and_tells_the_person_on_call() -> None:
    """Break-glass goes at once, alerts, and has its own notice (matrix 4.6)."""
    decision = decide(shipped(), EACH["EMERGENCY-CLINICAL"][0])
    assert (decision.urgency, decision.alert, decision.notice) == ("urgent", True, "N-6")


def test_emergency_to_an_unknown_domain_goes_by_pick_up_or_not_at_all() -> None:
    """Class D gets an emergency picture by portal only; without one the person on call decides."""
    given = EACH["EMERGENCY-UNKNOWN"][0]
    assert decide(shipped(), given).methods == ("pickup",)
    without = decide(shipped(), replace(given, methods={"smime": "ok", "route": "ok"}))
    assert without.action is Action.QUARANTINE
    assert without.reasons[0] == "protect.no-method"


def test_refusal_beats_emergency() -> None:
    """A withdrawal on file stops break-glass; it can only be reviewed (MDU)."""
    decision = decide(shipped(), facts("A", "K3", EMERGENCY, withdrawn=True))
    assert (decision.action, decision.rule, decision.alert) == (Action.QUARANTINE, "REFUSED-CARE", True)


def test_a_short_reason_breaks_no_glass() -> None:
    """Fewer than ten letters of reason are no emergency."""
    given = facts("A", "K3", replace(statement("emergency"), reason="urgent"))  # type: ignore[type-var]  # it is a statement
    assert decide(shipped(), given).action is Action.ASK


def test_intimate_pictures_of_children_need_two_people_and_alert() -> None:
    """K6 is held for two people, the person on call is told, wherever it goes; so also within the organisation."""
    for cls in "OABCDE":
        decision = decide(shipped(), facts(cls, "K3", tag("[consent verbal, intimate, child]")))
        assert (decision.action, decision.releases, decision.alert) == (Action.QUARANTINE, "two-person", True), cls


def test_the_strictest_image_decides_for_the_message() -> None:
    """One photograph among pages and icons is enough; a decorative image never counts."""
    page, photo, icon = image("K9", part="1.1"), image("K3", part="1.2"), image("K3", part="1.3", decorative="decorative.icon")
    assert decide(shipped(), facts("A", images=(page, icon))).action is Action.PROTECT
    assert decide(shipped(), facts("A", images=(page, icon, photo))).action is Action.ASK
    only_icon = decide(shipped(), facts("D", images=(icon,)))
    assert (only_icon.action, only_icon.rule, only_icon.scrub) == (Action.DELIVER, "NO-PICTURE", False)


def test_a_statement_about_one_part_covers_that_part_only() -> None:
    """The other image still asks; a refusal that names no image of the mail stops all of them."""
    consent = Consent(per_part=(replace(header("given; form=verbal; purpose=COC"), part="a.jpg"),))
    first, second = image(part="1.2", name="A.JPG"), image(part="1.3", name="b.jpg")
    assert decide(shipped(), facts("A", images=(first,), consent=consent)).action is Action.PROTECT
    assert decide(shipped(), facts("A", images=(first, second), consent=consent)).action is Action.ASK
    stray = Consent(header("given; form=verbal; purpose=COC"), (replace(header("refused"), part="other.jpg"),))
    assert decide(shipped(), facts("A", images=(first,), consent=stray)).action is Action.REFUSE


@pytest.mark.parametrize("sender_kind", ["null", "auto", "list"])
def test_nobody_is_asked_who_cannot_answer(sender_kind: str) -> None:
    """Null senders, auto-submitted mail and lists get no question: a reviewer decides."""
    decision = decide(shipped(), facts("A", sender_kind=sender_kind))
    assert decision.action is Action.QUARANTINE
    assert "sender.cannot-answer" in decision.reasons
    assert decision.releases == "ig"


def test_unvouched_consent_does_not_count_and_unvouched_refusal_does() -> None:
    """Without a certain identity only the stricter reading holds, even where the statement reached the facts."""
    given = decide(shipped(), facts("A", "K3", statement("v", "P1"), vouched=False))
    assert given.action is Action.QUARANTINE  # there is no answer such a sender could give
    assert decide(shipped(), facts("A", "K3", statement("refused"), vouched=False)).action is Action.REFUSE


def test_dicom_evidence_or_an_identifier_contradicts_not_a_patient() -> None:
    """The claim then counts for nothing, which is no worse than silence."""
    claim = tag("[not a patient image]")
    number = facts("A", "K3", claim, images=(image(codes=frozenset({"text.nhs-number"})),))
    decision = decide(shipped(), number)
    assert (decision.action, decision.rule) == (Action.ASK, "CARE-ASK")
    assert "consent.not-patient-contradicted" in decision.reasons
    assert "[not a patient image]" not in decision.answers
    assert decide(shipped(), facts("A", "K1", claim)).rule == "K1-CARE"


def test_release_relaxes_exactly_what_it_accepted() -> None:
    """A reviewer who accepts the unknown domain has not accepted missing consent; a refusal and class F are never accepted."""
    unknown = facts("D", "K3", tag("[consent verbal]"))
    accepted = decide(shipped(), replace(unknown, released=frozenset({"domain.unknown"})))
    assert (accepted.action, accepted.reasons[0]) == (Action.PROTECT, "release.accepted")
    other = decide(shipped(), replace(unknown, released=frozenset({"opaque.corrupt", "consent.missing"})))
    assert other.action is Action.QUARANTINE
    unstated = facts("D", "K3", statement("none", "P1"), released=frozenset({"domain.unknown"}))
    assert decide(shipped(), unstated).action is Action.QUARANTINE
    everything = frozenset(REASONS)
    assert decide(shipped(), facts("F", released=everything)).action is Action.REFUSE
    refused = decide(shipped(), facts("A", "K3", statement("refused", "P1"), released=everything))
    assert (refused.action, refused.rule) == (Action.QUARANTINE, "REFUSED-CARE")


def test_accepted_opaque_part_goes_as_it_is_but_consent_is_still_asked() -> None:
    """A damaged file that a mail admin accepted passes; the photograph beside it still needs consent."""
    broken = image("K8", part="1.3", opaque="corrupt")
    released = frozenset({"opaque.corrupt"})
    alone = decide(shipped(), facts("A", images=(broken,), released=released))
    assert (alone.action, alone.scrub) == (Action.DELIVER, False)
    assert decide(shipped(), facts("A", images=(broken, image()), released=released)).action is Action.ASK


def test_no_method_means_no_sending_and_says_why_for_each() -> None:
    """PROTECT without a usable method becomes the rule's on_failure, with the reasons of the methods."""
    given = facts("A", "K3", tag("[consent verbal]"), methods={"route": "route.down", "smime": "smime.expired"})
    decision = decide(shipped(), given)
    assert (decision.action, decision.releases, decision.notice) == (Action.QUARANTINE, "mail-admin", "N-7")
    assert decision.reasons[:3] == ("protect.no-method", "route.down", "smime.expired")


def test_methods_are_the_entrys_in_its_order() -> None:
    """Only methods that can serve now, in the order of preference of the domain's entry."""
    entry = replace(recipient("A").entry, methods=("smime", "route", "pickup"))  # type: ignore[type-var]  # class A has an entry
    given = facts("A", "K3", tag("[consent verbal]"), recipient=replace(recipient("A"), entry=entry))
    assert decide(shipped(), given).methods == ("smime", "route", "pickup")
    assert decide(shipped(), replace(given, methods={"pickup": "ok", "smime": "ok", "route": "x"})).methods == ("smime", "pickup")


@pytest.mark.parametrize("rule", EACH)
def test_each_rule_decides_the_recorded_mail_alike(rule: str) -> None:
    """P7 for every rule: the JSON record of its mail gives the same decision."""
    given = EACH[rule][0]
    assert decide(shipped(), from_record(json.loads(json.dumps(to_record(given))))) == decide(shipped(), given)


def without(*rules: str) -> Policy:
    """The shipped policy with some rules cut out, as a careless edit would."""
    data = yaml.safe_load(files()["policy.yaml"])
    data["rules"] = [rule for rule in data["rules"] if rule["id"] not in rules]
    return load_policy({**files(), "policy.yaml": yaml.safe_dump(data, sort_keys=False).encode()})


def test_losing_the_rule_for_denied_destinations_lets_nothing_out() -> None:
    """The safeguard refuses class F although no rule says so any more, even after a release."""
    policy = without("F-DENIED")
    for released in (frozenset[str](), frozenset(REASONS)):
        decision = decide(policy, facts("F", "K3", tag("[consent written]"), released=released))
        assert (decision.action, decision.rule) == (Action.REFUSE, "guard")


def test_losing_the_rules_for_refusals_lets_nothing_out() -> None:
    """A page or an X-ray that other rules would send stays here if the patient refused."""
    policy = without("REFUSED", "REFUSED-CARE", "REFUSED-OWN")
    for cls, kind in (("A", "K9"), ("A", "K1"), ("O", "K3"), ("C", "K9")):
        decision = decide(policy, facts(cls, kind, tag("[refused]")))
        assert (decision.action, decision.rule) == (Action.QUARANTINE, "guard"), (cls, kind)
