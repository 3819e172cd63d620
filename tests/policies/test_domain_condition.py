"""The condition ``domain``: rules that name where mail goes, exactly or with everything below."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decide import decide
from policies.domains.patterns import naming, overlap, pattern, patterns
from policies.explain import explain
from policies.files.schema import schema
from policies.load import Policy, PolicyError, load_policy
from policies.model import Action, Facts
from policies.record import from_record, to_record
from policies.register import a_label
from policies.replay import Replay
from policies.trial.difference import difference, shifts
from policies.trial.examples import read_examples, run
from policies.trial.phrases import condition
from tests.support.anyfacts import FACTS
from tests.support.policyfacts import NOW, TODAY, facts, files, recipient, shipped, statement

pytestmark = pytest.mark.unit

RULE = """\
rules:
  - id: WRITTEN-ONLY
    when: {domain: DOMAINS, kind: photo, consent: [verbal, implied, unspecified, none]}
    then: THEN
    reasons: [consent.form]
    source: [our decision]
    reviewed: 2026-11-23
"""
ASKING = "ASK\n    answers: ['[consent written]', '[consent verbal]']"


def changed(domains: str = '[newclinic.example, "*.trust.example"]', then: str = "QUARANTINE") -> Policy:
    rule = RULE.replace("DOMAINS", domains).replace("THEN", then)
    return load_policy({**files(), "policy.yaml": files()["policy.yaml"].replace(b"rules:\n", rule.encode(), 1)})


def sent(domain: str, consent: str = "v", purpose: str = "P1") -> Facts:
    return facts("A", "K3", statement(consent, purpose), recipient=recipient("A", domain=domain))


@pytest.mark.parametrize(
    ("domain", "held"),
    [
        ("newclinic.example", True),
        ("mail.newclinic.example", False),  # an exact name is that domain and no other
        ("oldnewclinic.example", False),
        ("trust.example", True),
        ("ward.trust.example", True),
        ("a.b.c.trust.example", True),
        ("nottrust.example", False),
        ("trust.example.org", False),
        ("example", False),
        ("", False),
        ("not a domain", False),
        ("[192.0.2.1]", False),
    ],
)
@pytest.mark.slow
def test_which_domains_a_rule_names(domain: str, held: bool) -> None:
    """Exactly, or a name and everything below it; whatever else stands for a domain fits none."""
    decision = decide(changed(), sent(domain))
    assert (decision.rule == "WRITTEN-ONLY") is held
    assert (decision.action is Action.QUARANTINE) is held


@pytest.mark.parametrize("written", ["NewClinic.EXAMPLE", "newclinic.example.", '"  newclinic.example "'])
def test_how_it_is_written_does_not_matter(written: str) -> None:
    """Case, a last dot, blanks, one word for a list of one."""
    assert decide(changed(written), sent("newclinic.example")).rule == "WRITTEN-ONLY"


def test_letters_beyond_ascii_are_compared_as_a_labels() -> None:
    """As the register has recipients."""
    for written in ("[kühl.example]", '["*.KÜHL.example"]', "[xn--khl-hoa.example]"):
        assert decide(changed(written), sent("xn--khl-hoa.example")).rule == "WRITTEN-ONLY", written


def test_a_name_that_is_also_a_kind_of_picture_stays_a_name() -> None:
    """Aliases of kinds are spelt out in ``kind`` only."""
    assert patterns(["image.example", "photo.example"]) == {"image.example", "photo.example"}
    assert condition("domain", ["photo.example", "*.Trust.example"]) == (
        "to photo.example or trust.example and every domain below it"
    )


def test_consent_in_writing_goes_as_before() -> None:
    """The rule says what it asks for, and no more."""
    assert decide(changed(), sent("newclinic.example", "w")) == decide(shipped(), sent("newclinic.example", "w"))


@pytest.mark.parametrize(
    ("domains", "expected"),
    [
        ("newclinic", 'policy.yaml:LINE: rules[0].when.domain: "newclinic" is not a domain; write newclinic.example for one'),
        ("[a.example, jane@a.example]", 'rules[0].when.domain[1]: "jane@a.example" is not a domain'),
        ('["*"]', 'rules[0].when.domain[0]: "*" is not a domain'),
        ('["*.*.example"]', '"*.*.example" is not a domain'),
        ('["ward*.example"]', '"ward*.example" is not a domain'),
        ("https://a.example/", '"https://a.example/" is not a domain'),
        ("no", '"False" is not a domain'),
        ("[7]", '"7" is not a domain'),
        ("[]", "rules[0].when.domain: write one domain or a list of domains"),
        ("{a.example: yes}", "rules[0].when.domain: write one domain or a list of domains"),
    ],
)
@pytest.mark.slow
def test_what_is_no_domain_is_refused_with_line_and_key(domains: str, expected: str) -> None:
    """A name that no mail has would make a rule that only seems to protect."""
    with pytest.raises(PolicyError) as error:
        changed(domains)
    line = files()["policy.yaml"].decode().partition("rules:\n")[0].count("\n") + 3
    assert expected.replace("LINE", str(line)) in str(error.value)
    assert f"policy.yaml:{line}:" in str(error.value)


def test_a_mistyped_key_gets_its_nearest_word() -> None:
    """Like every other condition."""
    rule = RULE.replace("DOMAINS", "a.example").replace("THEN", "QUARANTINE").replace("domain:", "domian:")
    with pytest.raises(PolicyError, match=r'when\.domian: no such condition; did you mean "domain"\?'):
        load_policy({**files(), "policy.yaml": files()["policy.yaml"].replace(b"rules:\n", rule.encode(), 1)})


def test_a_rule_about_a_domain_lets_nothing_out_without_a_class() -> None:
    """The register approves; a domain in a rule does not stand for that."""
    with pytest.raises(PolicyError, match="must say for which recipients"):
        changed(then="PROTECT")


def test_what_is_remembered_for_one_domain_serves_no_other() -> None:
    """Answers offered to one recipient are tried on the domain they are for, in either order; and mail elsewhere shares them."""
    first, second = sent("newclinic.example", "none", "P1"), sent("other.example", "none", "P1")
    for order in ((first, second), (second, first)):
        policy = changed(then=ASKING)
        for one in order:
            assert decide(policy, one) == decide(replace(policy, remembered={}), one)
    policy = _with_the_same_answers()
    for order in ((first, second), (second, first)):
        policy.remembered.clear()
        told = {one.recipient.domain: decide(policy, one).answers for one in order}
        assert "[consent verbal]" in told["other.example"] and "[consent verbal]" not in told["newclinic.example"]
        assert len(policy.remembered) == 2
        decide(policy, sent("third.example", "none", "P1"))
        assert len(policy.remembered) == 2, "a domain that no rule names is remembered with the others"


def _with_the_same_answers() -> Policy:
    """Every photograph is asked about in the same words; only at one domain a word is not enough."""
    first = (
        RULE.replace("DOMAINS", "newclinic.example")
        .replace("THEN", "QUARANTINE")
        .replace(", unspecified, none]", ", unspecified]")
    )
    asked = (
        "  - id: ASK-ALL\n    when: {kind: photo, consent: none}\n    then: " + ASKING + "\n    reasons: [consent.missing]\n"
        "    source: [x]\n    reviewed: 2026-11-23\n"
    )
    text = files()["policy.yaml"].replace(b"rules:\n", (first + asked).encode(), 1)
    return load_policy({**files(), "policy.yaml": text})


def test_a_record_from_before_is_judged_by_its_domain() -> None:
    """The domain stands in every record; two domains of otherwise equal mail are judged apart."""
    judge = Replay(shipped(), changed())
    for domain, stays in (("other.example", False), ("newclinic.example", True), ("x.trust.example", True), ("other.org", False)):
        record = to_record(sent(domain))
        assert from_record(record).recipient.domain == domain
        pair = judge.judge(record)
        assert pair.before.decision.action is Action.PROTECT
        assert (pair.after.decision.action is Action.QUARANTINE) is stays, domain


def test_the_explanation_names_the_domain_that_a_rule_wanted() -> None:
    """A stricter rule that nearly fitted, with its domains."""
    given = sent("other.example")
    text = explain(changed(), given, decide(changed(), given))
    assert "Stricter rule WRITTEN-ONLY did not fit: domain would have to be *.trust.example or newclinic.example" in text
    held = sent("newclinic.example")
    assert "Rule: WRITTEN-ONLY" in explain(changed(), held, decide(changed(), held))


def test_a_second_look_and_advice_may_name_a_domain() -> None:
    """Rules that look again at what would go ask in the same way."""
    policy = changed("newclinic.example", "QUARANTINE\n    second_look: yes")
    assert decide(policy, sent("newclinic.example")).action is Action.QUARANTINE
    assert decide(policy, sent("other.example")).action is Action.PROTECT
    policy = changed("newclinic.example", "ADVISE")
    assert decide(policy, sent("newclinic.example")).advice == ("consent.form",)
    assert decide(policy, sent("other.example")).advice == ()


@pytest.mark.slow
def test_differences_are_told_with_the_domain() -> None:
    """In sentences, and with typical mails to the very domain."""
    old, new = shipped(), changed("[royal-example.example]")
    assert any("Rule WRITTEN-ONLY is new: to royal-example.example, with any photograph" in one for one in difference(old, new))
    found = shifts(old, new, NOW)
    assert found and all("royal-example.example" in words for one in found for words in one.examples)
    assert shifts(new, old, NOW), "and where the rule is taken out"
    later = difference(new, changed("[royal-example.example, newclinic.example]"))
    assert later == (
        'Rule WRITTEN-ONLY: the condition "to royal-example.example" is now "to royal-example.example or newclinic.example".',
    )


def test_an_example_can_expect_it() -> None:
    """The organisation's own tests name the domain as recipient."""
    text = (
        "examples:\n  - name: verbal is not enough\n    to: [royal-example.example, burns-unit.example]\n    pictures: photo\n"
        '    subject: "[consent verbal]"\n'
        "    expect: {royal-example.example: {then: QUARANTINE, rule: WRITTEN-ONLY}, burns-unit.example: PROTECT}\n"
    )
    policy = changed("royal-example.example")
    assert [one.faults for one in run(policy, read_examples(policy, "own.yaml", text.encode(), TODAY))] == [(), ()]


def test_editors_are_told_of_it() -> None:
    """policy.json: free words, one or a list."""
    told = schema("policy.json")["$defs"]["RuleModel"]["properties"]["when"]["properties"]["domain"]
    assert told["anyOf"][0] == {"type": "string"} and "*.trust.example" in told["description"]


LABEL = st.text("ab1-é", min_size=1, max_size=4)
NAMES = st.lists(LABEL, min_size=1, max_size=4).map(".".join)


@given(NAMES, NAMES)
def test_a_pattern_names_what_it_says(name: str, other: str) -> None:
    """Against the plain meaning: equal, or below."""
    domain, label = a_label(name), a_label(other)
    for written in (other, f"*.{other}"):
        form = pattern(written)
        assert (form is None) == (label is None or "." not in label)
        if form is None or label is None:
            continue
        plain = domain is not None and (domain == label or (written != other and domain.endswith(f".{label}")))
        assert (form in naming(name)) is plain
        assert pattern(form) == form
        if plain and domain is not None and "." in domain:
            assert overlap([form], [domain]) and overlap([domain], [form])


@given(st.sampled_from(["a.example", "*.a.example", "b.a.example", "*.b.a.example", "*.c.example"]), NAMES)
def test_patterns_overlap_where_a_domain_has_both(some: str, name: str) -> None:
    """Never told to be apart where one domain fits both."""
    for other in ("a.example", "*.b.a.example", "*.a.example"):
        for domain in (f"{name}.a.example", f"{name}.b.a.example", "a.example", "b.a.example"):
            if some in naming(domain) and other in naming(domain):
                assert overlap([some], [other])
    assert not overlap(["a.example"], ["*.b.a.example"]) and not overlap(["*.c.example"], ["*.a.example"])


def test_deciding_stays_fast() -> None:
    """A policy whose rules name hundreds of domains decides about as fast as the shipped one."""
    many = changed(f"[{', '.join(f'clinic{number}.example' for number in range(500))}]")
    mails = [sent(f"clinic{number}.example") for number in (1, 499, 777)]

    def spent(policy: Policy) -> float:
        best = 1.0
        for _ in range(5):
            start = perf_counter()
            for _ in range(100):
                for one in mails:
                    decide(policy, one)
            best = min(best, (perf_counter() - start) / 300)
        return best

    plain, named = spent(shipped()), spent(many)
    print(f"{plain * 1e6:.1f} {named * 1e6:.1f} µs")
    assert named < max(3 * plain, 200e-6)


SHARED = changed(then=ASKING)
REPLAYED = Replay(shipped(), SHARED)


@settings(max_examples=60, deadline=None)
@given(FACTS, st.sampled_from(["newclinic.example", "a.newclinic.example", "x.trust.example", "other.example", "junk junk"]))
def test_whatever_comes_one_domain_is_never_judged_by_another(given_: Facts, domain: str) -> None:
    """Answers remembered and mails replayed are those of the very domain; every decision is made whatever stands for it."""
    one = replace(given_, recipient=replace(given_.recipient, domain=domain))
    assert decide(SHARED, one) == decide(replace(SHARED, remembered={}), one)
    record = to_record(one)
    assert REPLAYED.judge(record).after.decision == decide(SHARED, from_record(record))
