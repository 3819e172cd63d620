# ruff: noqa: E501 - one case a line reads better than a case folded over four
"""What changes from one policy to another, in sentences that need no YAML; and never a patient's address."""

from __future__ import annotations

import pytest

from policies.conditions import WHEN
from policies.load import Policy, load_policy
from policies.trial.difference import difference, shifts
from policies.trial.phrases import CLASSES, CONSENTS, KINDS, PURPOSES, condition, rule_lines
from policies.trial.typical import typical
from tests.support.policyfacts import NOW, files, shipped

pytestmark = pytest.mark.unit


def changed(old: str, new: str, file: str = "policy.yaml") -> Policy:
    text = files()[file]
    assert old.encode() in text
    return load_policy({**files(), file: text.replace(old.encode(), new.encode(), 1)})


@pytest.mark.parametrize(
    ("old", "new", "file", "sentence"),
    [
        ("default: observe", "default: advise", "policy.yaml", "Mode for everybody else: observe -> advise."),
        ("name: uk-strict", "name: ours", "policy.yaml", "The policy was called uk-strict; now it is called ours."),
        ("profile: uk-strict", "profile: us", "policy.yaml", "The profiles in force were mdu-strict, uk-strict; now they are mdu-strict, us."),
        ("scope: images", "scope: all", "policy.yaml", "settings.scope: images -> all."),
        ("scrub_own: true", "scrub_own: false", "policy.yaml", "settings.scrub_own: yes -> no."),
        ("[example.org]", "[example.org, more.example]", "policy.yaml", "settings.own_domains: added more.example."),
        ("hr@example.org]", "hr@example.org, pr@example.org]", "policy.yaml", "Sender group non-clinical, addresses: added pr@example.org."),
        ("id: ARCHIVE", "id: OUR-ARCHIVE", "policy.yaml", "Rule OUR-ARCHIVE is new: to your archive: it goes as it came; it stands first."),
        ("id: ARCHIVE", "id: OUR-ARCHIVE", "policy.yaml", "Rule ARCHIVE is gone; it said: to your archive: it goes as it came."),
        ("recipient: F, kind: image}", "recipient: F}", "policy.yaml", 'Rule F-DENIED: the condition "with any picture or unopened file" is gone.'),
        ("notice: N-4", "notice: N-1", "policy.yaml", "Rule F-DENIED: notice: N-4 -> N-1."),
        ("max_recipients: 5", "max_recipients: 9", "domains.yaml", "Domain royal-example.example: max_recipients 5 -> 9."),
        ("domain: burns-unit.example", "domain: burns.example", "domains.yaml", "Domain burns-unit.example is gone; it was approved, class A."),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_each_change_is_a_sentence(old: str, new: str, file: str, sentence: str) -> None:
    """Rules, settings, groups, modes, register."""
    assert sentence in difference(shipped(), changed(old, new, file))


@pytest.mark.slow
def test_the_same_policy_has_no_difference() -> None:
    """Comments and layout say nothing."""
    same = load_policy({**files(), "policy.yaml": files()["policy.yaml"] + b"\n# a comment\n"})
    assert difference(shipped(), same) == () and shifts(shipped(), same, NOW) == ()


def test_a_moved_rule_is_told_once() -> None:
    """Only the one that moved, with the place where it stands now."""
    text = files()["policy.yaml"].decode()
    start, second = text.index("  - id: ARCHIVE"), text.index("  - id: F-DENIED")
    third = text.index("  - id: REFUSED-CARE")
    moved = text[:start] + text[second:third] + text[start:second] + text[third:]
    told = difference(shipped(), load_policy({**files(), "policy.yaml": moved.encode()}))
    assert len(told) == 1 and "moved: it stands" in told[0]


def test_no_address_of_a_patient_is_told() -> None:
    """How many came and went, not which."""
    entry = b"  - {address: p.canary@mail.example, verified_on: 2026-11-01, verified_how: phone, methods: [pickup]}\n"
    new = load_policy(
        {**files(), "domains.yaml": files()["domains.yaml"].replace(b"patient_addresses:\n", b"patient_addresses:\n" + entry)}
    )
    told = difference(shipped(), new)
    assert told == ("Addresses of patients: 1 added, 0 removed, 0 changed.",)
    assert "canary" not in " ".join(difference(new, shipped()))


@pytest.mark.slow
def test_typical_mails_that_end_otherwise_are_put_together() -> None:
    """Alike changes are one line with a count; stricter first."""
    new = changed("id: F-DENIED\n    when: {recipient: F, kind: image}\n    then: REFUSE", "id: F-DENIED\n    when: {recipient: F, kind: image}\n    then: QUARANTINE")  # fmt: skip
    assert shifts(shipped(), new, NOW) == (), "the guard outside the rules refuses all the same"
    new = load_policy(
        {**files(), "policy.yaml": files()["policy.yaml"].replace(b"consent: [written, verbal]", b"consent: [written]")}
    )
    found = shifts(shipped(), new, NOW)
    assert found and all(one.count >= len(one.examples) > 0 for one in found)
    assert all(one.words.startswith(("stricter: ", "freer: ")) for one in found)


def test_typical_mails_are_many_and_named_apart() -> None:
    """Every class and kind is among them, each with words of its own."""
    made = list(typical(NOW))
    assert len({one.words for one in made}) == len(made) > 2000
    assert {one.facts.recipient.cls.value for one in made} == set(CLASSES)


def test_every_condition_has_words() -> None:
    """No rule of the shipped policy is told in code words only."""
    for rule in shipped().rules:
        text = "\n".join(rule_lines(1, rule))
        assert rule.id in text and rule.source[0] in text
    for key, (allowed, _) in WHEN.items():
        for word in allowed or ("x",):
            assert condition(key, word)
    for table, key in ((CLASSES, "recipient"), (CONSENTS, "consent"), (PURPOSES, "purpose")):
        assert set(table) == set(WHEN[key][0])
    assert set(WHEN["kind"][0]) == set(KINDS)
    assert condition("recipient", ["A", "archive"]) == "to an approved clinical service (A) or your archive"
