"""Rules on links to file shares, referrals, messengers and several emails: advice by default, never a block by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies.decide import decide
from policies.explain import why
from policies.load import Policy, PolicyError, load_policy
from policies.model import Action, Carrier, Consent, ConsentStatus, Facts, Statement
from policies.record import from_record, to_record
from policies.replay import Replay
from policies.trial.difference import difference
from tests.support.policyfacts import facts, files, image, recipient, shipped, statement

pytestmark = pytest.mark.unit

LINK = frozenset({"link.file-share"})
WORDS = frozenset({"mail.referral"})
SIDE = ("link.file-share", "link.share-only", "mail.referral", "disclosure.aggregate", "disclosure.aggregate-unknown")
OF_PICTURE = ("name.messenger", "device.personal", "device.unregistered", "device.unknown", "device.registered")


def holding() -> Policy:
    """The shipped policy with links held."""
    text = files()["policy.yaml"]
    assert text.count(b"file_links: {then: advice}") == 1
    return load_policy({**files(), "policy.yaml": text.replace(b"file_links: {then: advice}", b"file_links: {then: hold}")})


@pytest.mark.parametrize("cls", ["A", "B", "C", "D", "E"])
def test_a_link_in_mail_without_a_picture_is_a_note_and_holds_nothing(cls: str) -> None:
    decision = decide(shipped(), facts(cls, "K0", codes=LINK))
    assert (decision.action, decision.notice, decision.advice) == (Action.DELIVER, "N-3-note", ("link.file-share",))
    assert not decision.scrub and decision.advise_now


@pytest.mark.parametrize("cls", ["O", "archive", "F"])
def test_nobody_is_told_of_links_sent_inside_or_to_the_archive(cls: str) -> None:
    decision = decide(shipped(), facts(cls, "K0", codes=LINK))
    assert (decision.notice, decision.advice) == (None, ())


def test_a_link_beside_a_picture_stands_in_the_pictures_own_notice() -> None:
    decision = decide(shipped(), facts("A", "K3", statement("v", "P1"), codes=LINK))
    assert (decision.action, decision.notice) == (Action.PROTECT, "N-3")
    assert "link.file-share" in decision.advice


@pytest.mark.parametrize("cls", ["A", "B", "C", "D", "E"])
def test_where_links_are_held_the_senders_word_lets_the_mail_go(cls: str) -> None:
    """No offered answer leads to a second question."""
    made, asked = holding(), facts(cls, "K0", codes=LINK)
    decision = decide(made, asked)
    assert (decision.action, decision.rule) == (Action.ASK, "LINK-HOLD")
    assert decision.answers == ("[no patient picture]", "[not a patient image]")
    for basis in ("no-patient-picture", "not-patient"):
        assert decide(made, answered(cls, basis)).action is Action.DELIVER


def answered(cls: str, basis: str) -> Facts:
    """The same mail with the sender's word that no patient is in it."""
    said = Statement(ConsentStatus.NOT_REQUIRED, Carrier.SUBJECT, basis=basis, fresh=True)
    return replace(facts(cls, "K0", codes=LINK), consent=Consent(said))


def test_a_patients_number_in_the_subject_speaks_against_the_word() -> None:
    """Then a reviewer decides: the sender is not asked what cannot be believed."""
    decision = decide(holding(), facts("D", "K0", codes=LINK | {"ident.subject"}))
    assert (decision.action, decision.answers) == (Action.QUARANTINE, ())


def test_a_link_makes_no_decision_milder() -> None:
    """Whatever the class and kind: with the link the action is the same or stricter, also where links are held."""
    for made in (shipped(), holding()):
        for cls in "OABCDEF":
            for kind in ("K0", "K1", "K3", "K4", "K5", "K8", "K9"):
                for form in ("none", "v", "w", "refused", "emergency"):
                    plain = facts(cls, kind, statement(form, "P1"))
                    before, after = decide(made, plain), decide(made, replace(plain, codes=LINK))
                    assert after.action >= before.action, (cls, kind, form)
                    assert made is not shipped() or after.action is before.action


@pytest.mark.parametrize(
    ("domain", "flag", "told"),
    [
        ("nhs.net", False, True),
        ("royal-example.nhs.uk", False, True),
        ("nhs.uk", False, True),
        ("notnhs.uk", False, False),
        ("nhs.uk.example", False, False),
        ("hospital.example", False, False),
        ("hospital.example", True, True),
    ],
)
def test_a_referral_is_told_of_the_other_way_only_where_there_is_one(domain: str, flag: bool, told: bool) -> None:
    """S1-40: a health service, by its domain or by its entry's word; advice, and never a block."""
    known = recipient("A", domain=domain)
    assert known.entry is not None
    known = replace(known, entry=replace(known.entry, e_referral=flag))
    given = facts("A", "K3", statement("v", "P1"), recipient=known, codes=WORDS)
    decision = decide(shipped(), given)
    assert decision.action is Action.PROTECT
    assert ("mail.referral" in decision.advice) is told
    assert decide(shipped(), from_record(to_record(given))) == decision
    bare = facts("A", "K0", recipient=known, codes=WORDS)
    assert decide(shipped(), bare).advice == ()


def test_a_held_referral_is_told_too() -> None:
    """The N-1 that asks for consent also says that e-RS can carry the picture."""
    decision = decide(shipped(), facts("A", "K3", recipient=recipient("A", domain="nhs.net"), codes=WORDS))
    assert (decision.action, decision.advice) == (Action.ASK, ("mail.referral",))


def test_a_messengers_name_is_advice_alone() -> None:
    named = facts("A", "K3", statement("v", "P1"), images=(image(codes=frozenset({"name.messenger"})),))
    decision = decide(shipped(), named)
    assert (decision.action, decision.advice) == (Action.PROTECT, ("name.messenger",))


def test_a_rule_can_hold_for_several_emails_about_one_patient() -> None:
    """As shipped the finding changes nothing; the IG team's own rule may hold for it."""
    many = facts("A", "K3", statement("v", "P1"), codes=frozenset({"disclosure.aggregate"}))
    assert decide(shipped(), many).action is Action.PROTECT
    rule = b"""
  - id: MANY-ABOUT-ONE
    when: {recipient: [A, B, C, D, E], kind: photo, codes: [disclosure.aggregate]}
    second_look: true
    then: QUARANTINE
    reasons: [consent.purpose-missing]
    releases: ig
    source: [S3-29]
    reviewed: 2026-11-23
"""
    made = load_policy({**files(), "policy.yaml": files()["policy.yaml"] + rule})
    assert (decide(made, many).action, decide(made, many).rule) == (Action.QUARANTINE, "MANY-ABOUT-ONE")


def test_replay_sees_what_another_setting_would_hold() -> None:
    """The finding is in the record; whether it holds is the policy's."""
    record = to_record(facts("D", "K0", codes=LINK))
    pair = Replay(shipped(), holding()).judge(record)
    assert (pair.before.decision.action, pair.after.decision.action) == (Action.DELIVER, Action.ASK)
    old: dict[str, Any] = to_record(facts("A", "K3", statement("v", "P1")))
    old["recipient"]["entry"].pop("e_referral")
    assert decide(shipped(), from_record(old)).action is Action.PROTECT


def test_explain_tells_the_finding_in_words() -> None:
    assert "links to a file share" in why(holding(), facts("D", "K0", codes=LINK))


@pytest.mark.parametrize("code", [*SIDE, *OF_PICTURE])
def test_no_finding_changes_what_becomes_of_a_mail_as_shipped(code: str) -> None:
    """Default is advice: the same action with and without, for every class."""
    for cls in "OABCDE":
        for form in ("none", "v", "emergency"):
            plain = facts(cls, "K3", statement(form, "P1"))
            of_image = (image(codes=frozenset({code})),)
            marked = replace(plain, codes=frozenset({code})) if code in SIDE else replace(plain, images=of_image)
            assert decide(shipped(), marked).action is decide(shipped(), plain).action


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (b"  devices: {groups: {clinicl: {personal: allow}}}\n", 'no sender group is called "clinicl"'),
        (b"  referral: {domains: [nhs]}\n", '"nhs" is not a domain name'),
        (b"  file_links: {allowed: ['https://share.example/x']}\n", "is no host or host/path"),
        (b"  file_links: {then: maybe}\n", '"maybe" is not allowed here; write one of ignore, advice, hold'),
        (b"  aggregation: {mails: 1}\n", "settings.aggregation.mails"),
        (b"  devices: {kinds: {K9: {personal: hold}}}\n", "settings.devices.kinds"),
    ],
)
def test_a_wrong_setting_is_told_with_its_line(settings: bytes, told: str) -> None:
    key = settings.split(b":")[0].strip()
    text = b"".join(line for line in files()["policy.yaml"].splitlines(keepends=True) if not line.startswith(b"  " + key + b":"))
    with pytest.raises(PolicyError) as caught:
        load_policy({**files(), "policy.yaml": text.replace(b"settings:\n", b"settings:\n" + settings, 1)})
    assert any(told in one and one.startswith("policy.yaml:") for one in caught.value.problems), caught.value.problems


def test_the_difference_of_two_policies_names_lists_cameras_and_settings() -> None:
    """What an IG officer reads before a change is taken up; no serial number stands in it."""
    camera = b"devices:\n  - {id: derm-1, make: Canon, model: EOS 850D, serial: '12345', owner: A}\n"
    moved = camera.replace(b"owner: A", b"owner: B, location: Clinic 2")
    old = load_policy({**files(), "devices.yaml": camera, "file-shares.txt": b"share.example x\n"})
    new = load_policy({**files(), "devices.yaml": moved, "file-shares.txt": b"share.example  x\nother.example y\n"})
    assert difference(old, new) == ("List file-shares: added other.example y.", "Camera derm-1: other owner, location.")
    assert difference(new, shipped())[-1] == "Camera derm-1 is gone."
    assert "settings.file_links.then: advice -> hold." in difference(shipped(), holding())
