# ruff: noqa: E501 - one case a line reads better than a case folded over four
"""Broken policy files: each is refused with file, line, key, what is wrong and the nearest valid word."""

from __future__ import annotations

import pytest

from policies.load import FILES, PolicyError, load_policy
from policies.model import Mode
from tests.support.policyfacts import files

pytestmark = pytest.mark.unit

GOOD = """\
name: test
settings:
  own_domains: [example.org]
rules:
  - id: ONE
    when: {recipient: A, kind: photo}
    then: PROTECT
    source: [somewhere]
    reviewed: 2026-11-20
"""
DOMAINS = """\
domains:
  - domain: approved.example
    status: approved
    class: clinical
    purposes: [TREAT]
    methods: [smime]
    expires: 2027-12-31
    approved_by: [alice, bob]
"""

# what to change in policy.yaml, by what -> words the error must hold
POLICY_FAULTS: list[tuple[str, str, str]] = [
    ("name: test", "nane: test", 'policy.yaml:1: nane: no such key; did you mean "name"?'),
    ("name: test\n", "", "policy.yaml:1: name: is missing"),
    ("  own_domains: [example.org]", "  own_domain: [example.org]", 'policy.yaml:3: settings.own_domain: no such key; did you mean "own_domains"?'),
    ("[example.org]", "[]", "policy.yaml:3: settings.own_domains:"),
    ("[example.org]", "['exa mple']", 'policy.yaml:3: settings.own_domains[0]: "exa mple" is not a domain name'),
    ("[example.org]", "[localhost]", 'policy.yaml:3: settings.own_domains[0]: "localhost" is not a domain name'),
    ("then: PROTECT", "then: PROTCET", 'policy.yaml:7: rules[0].then: "PROTCET" is not allowed here; write one of DELIVER, PROTECT'),
    ("then: PROTECT", "then: PROTCET", 'did you mean "PROTECT"?'),
    ("then: PROTECT", "than: PROTECT", 'policy.yaml:7: rules[0].than: no such key; did you mean "then"?'),
    ("    then: PROTECT\n", "", "policy.yaml:5: rules[0].then: is missing"),
    ("{recipient: A", "{recipeint: A", 'policy.yaml:6: rules[0].when.recipeint: no such condition; did you mean "recipient"?'),
    ("{recipient: A", "{recipient: G", 'policy.yaml:6: rules[0].when.recipient: "G" is not allowed here; write one of O, A, B, C, D, E, F, archive'),
    ("kind: photo}", "kind: foto}", 'policy.yaml:6: rules[0].when.kind: "foto" is not allowed here'),
    ("kind: photo}", "kind: foto}", 'did you mean "photo"?'),
    ("kind: photo}", "consent: writen}", 'did you mean "written"?'),
    ("kind: photo}", "purpose: teaching}", 'policy.yaml:6: rules[0].when.purpose: "teaching" is not allowed here'),
    ("kind: photo}", "kind: []}", "policy.yaml:6: rules[0].when.kind: write one word or a list of words"),
    ("kind: photo}", "kind: {K3: yes}}", "policy.yaml:6: rules[0].when.kind: write one word or a list of words"),
    ("kind: photo}", "group: doctors}", 'rules[0].when.group: "doctors" is not allowed here; write one of ungrouped'),
    ("kind: photo}", "codes: [7]}", 'rules[0].when.codes: "7" is not a word'),
    ("{recipient: A, kind: photo}", "{}", "policy.yaml:6: rules[0].when: a rule without conditions"),
    ("{recipient: A, kind: photo}", "{kind: photo}", "policy.yaml:7: rules[0].then: a rule that says PROTECT must say for which recipients"),
    ("{recipient: A, kind: photo}", "{recipient: [A, F]}", "policy.yaml:6: rules[0].when.recipient: nothing clinical may go to class F"),
    ("then: PROTECT", "then: QUARANTINE", "policy.yaml:7: rules[0].then: a rule that says QUARANTINE must say why"),
    ("then: PROTECT", "then: ASK\n    reasons: [consent.missing]", "rules[0].then: a rule that asks must say what the sender may answer"),
    ("then: PROTECT", "then: PROTECT\n    reasons: [consent.mising]", 'policy.yaml:8: rules[0].reasons[0]: "consent.mising" is no reason code; did you mean "consent.missing"?'),
    ("then: PROTECT", "then: PROTECT\n    methods: [simme]", 'policy.yaml:8: rules[0].methods[0]: "simme" is no protection method'),
    ("then: PROTECT", "then: PROTECT\n    methods: []", "policy.yaml:8: rules[0].methods: an empty list leaves no way to protect"),
    ("then: PROTECT", "then: PROTECT\n    answers: ['[konsent]']", "rules[0].answers[0]: \"[konsent]\" would not be understood"),
    ("then: PROTECT", "then: PROTECT\n    answers: ['[consent]']", 'rules[0].answers[0]: "[consent]" would not be understood'),
    ("then: PROTECT", "then: PROTECT\n    notice: N-9", 'policy.yaml:8: rules[0].notice: "N-9" is not allowed here'),
    ("then: PROTECT", "then: PROTECT\n    releases: igg", 'did you mean "ig"?'),
    ("then: PROTECT", "then: PROTECT\n    on_failure: DELIVER", 'policy.yaml:8: rules[0].on_failure: "DELIVER" is not allowed here; write one of ASK, QUARANTINE, REFUSE'),
    ("then: PROTECT", "then: PROTECT\n    then: DELIVER", "policy.yaml:8: rules[0].then: stands twice (first in line 7)"),
    ("source: [somewhere]", "source: []", "policy.yaml:8: rules[0].source:"),
    ("reviewed: 2026-11-20", "reviewed: yesterday", "policy.yaml:9: rules[0].reviewed:"),
    ("    reviewed: 2026-11-20\n", "", "policy.yaml:5: rules[0].reviewed: is missing"),
    ("    reviewed: 2026-11-20\n", "    reviewed: 2026-11-20\n  - id: ONE\n    when: {recipient: B}\n    then: PROTECT\n    source: [x]\n    reviewed: 2026-11-20\n", 'policy.yaml:10: rules[1].id: the id "ONE" is taken by rules[0]'),
    ("id: ONE", "id: 'has space'", "policy.yaml:5: rules[0].id:"),
    ("rules:", "modes: {default: enforc}\nrules:", 'policy.yaml:4: modes.default: "enforc" is not allowed here; write one of observe, advise, enforce; did you mean "enforce"?'),
    ("rules:", "modes: {groups: {nurses: observe}}\nrules:", 'modes.groups.nurses: no sender group is called "nurses"'),
    ("rules:", "modes: {default: enforce}\nrules:", "on_call"),
    ("rules:", "modes: {groups: {ungrouped: enforce}}\nrules:", "policy.yaml:4: modes.groups.ungrouped: enforce needs somebody"),
    ("rules:", "modes: {recipient_domains: {a.example: enforce}}\nrules:", "modes.recipient_domains.a.example: enforce needs somebody"),
    ("rules:", "modes: {recipient_domains: {'a b': observe}}\nrules:", "modes.recipient_domains.a b: not a domain name"),
    ("[example.org]", "[example.org]\n  header_out: {A: keeep}", 'policy.yaml:4: settings.header_out.A: "keeep" is not allowed here'),
    ("[example.org]", "[example.org]\n  known_logos: [abc]", "policy.yaml:4: settings.known_logos[0]:"),
    ("[example.org]", "[example.org]\n  emergency_recipients: 0", "policy.yaml:4: settings.emergency_recipients:"),
    ("[example.org]", "[example.org]\n  machines: [{address: scanner, owner: it@example.org}]", 'settings.machines[0].address: "scanner" is not an email address'),
    ("[example.org]", "[example.org]\n  decorative: {icon_sides: 3}", 'settings.decorative.icon_sides: no such key; did you mean "icon_side"?'),
    ("[example.org]", "[example.org", "policy.yaml:4: this is not valid YAML"),
    ("settings:", "settings: !!python/object/apply:os.system ['true']", "this is not valid YAML"),
    ("  own_domains", "\town_domains", "policy.yaml:3: this is not valid YAML"),
    (GOOD, "", "policy.yaml:1: the file is empty"),
    (GOOD, "- just\n- a list\n", "policy.yaml:1: the file is empty or no table of keys"),
    (GOOD, "name: x\nsettings: {own_domains: [example.org]}\nrules: []\n", "policy.yaml:3: rules:"),
]

DOMAIN_FAULTS: list[tuple[str, str, str]] = [
    (DOMAINS, "", "domains.yaml:1: the file is empty"),
    (DOMAINS, "domains: []\n", "domains.yaml:1: domains:"),
    ("class: clinical", "class: clinic", 'domains.yaml:4: domains[0].class: "clinic" is not allowed here'),
    ("class: clinical", "class: clinic", 'did you mean "clinical"?'),
    ("class: clinical", "klass: clinical", 'domains.yaml:4: domains[0].klass: no such key; did you mean "class"?'),
    ("status: approved", "status: aproved", 'did you mean "approved"?'),
    ("[TREAT]", "[TREET]", 'domains.yaml:5: domains[0].purposes[0]: "TREET" is no purpose code'),
    ("[TREAT]", "[]", "domains.yaml:5: domains[0].purposes: an approved domain needs at least one purpose"),
    ("[TREAT]", "[HMARKT]", "domains[0].purposes[0]: no domain is approved for marketing"),
    ("[smime]", "[]", "domains.yaml:6: domains[0].methods: an approved domain needs at least one protection method"),
    ("[smime]", "[smine]", 'domains.yaml:6: domains[0].methods[0]: "smine" is no protection method'),
    ("[smime]", "[route]", "domains[0].route: the method route needs the name of a next-hop route"),
    ("domain: approved.example", "domain: gmail.com", "domains.yaml:2: domains[0].domain: gmail.com is a freemail domain"),
    ("domain: approved.example", "domain: mail.yahoo.co.uk", "mail.yahoo.co.uk is a freemail domain"),
    ("domain: approved.example", "domain: nhs.uk", "domains.yaml:2: domains[0].domain: nhs.uk is a public ending"),
    ("domain: approved.example", "domain: com", "com is a public ending"),
    ("domain: approved.example", "domain: example.org", "example.org is one of your own domains"),
    ("domain: approved.example", "domain: '*.example'", '"*.example" is not a proper domain'),
    ("domain: approved.example", "address: someone", '"someone" is not a proper address'),
    ("domain: approved.example", "notes: none", "domains.yaml:2: domains[0]: write either domain or address"),
    ("[alice, bob]", "[alice]", "domains.yaml:8: domains[0].approved_by: two different people"),
    ("[alice, bob]", "[Alice, alice]", "two different people approve a domain"),
    ("expires: 2027-12-31", "expires: soon", "domains.yaml:7: domains[0].expires:"),
    ("    expires: 2027-12-31\n", "", "domains.yaml:2: domains[0].expires: an approval ends; write its last day, at most 24 months after it was signed"),
    ("[alice, bob]", "[alice, bob]\n    approved_on: 2025-12-30", "domains.yaml:7: domains[0].expires: is more than 24 months after 2025-12-30; write 2027-12-30 or earlier"),
    ("[alice, bob]", "[alice, bob]\n    agreement: {type: dsa, signed: 2024-02-29, expires: 2026-03-01}", "domains.yaml:9: domains[0].agreement.expires: is more than 24 months after 2024-02-29; write 2026-02-28 or earlier"),
    ("[alice, bob]", "[alice, bob]\n    agreement: {type: das}", 'domains.yaml:9: domains[0].agreement.type: "das" is not allowed here; write one of implied-care, dsa'),
    ("[alice, bob]", "[alice, bob]\n    agreement: {ownr: ig@example.org, type: dsa}", 'domains[0].agreement.ownr: no such key; did you mean "owner"?'),
    ("[alice, bob]", "[alice, bob]\n    include_subdomains: true", "domains[0].subdomains_reason: say why the domains below it are approved too"),
    ("[alice, bob]", "[alice, bob]\n    recipients: {deny: [reception]}", 'domains.yaml:9: domains[0].recipients.deny[0]: "reception" is no mailbox; write it like burns@'),
    ("[alice, bob]", "[alice, bob]\n    recipients: {max_per_message: 0}", "domains[0].recipients.max_per_message: must be 1 or more"),
    ("[alice, bob]", "[alice, bob]\n    transport: {verify: mtasts}", 'domains[0].transport.verify: "mtasts" is not allowed here; write one of mta-sts, dane, pkix, none; did you mean "mta-sts"?'),
    ("[alice, bob]", "[alice, bob]\n    transport: {on_failure: portl}", 'domains[0].transport.on_failure: "portl" is no protection method; did you mean "portal"?'),
    ("[alice, bob]", "[alice, bob]\n    encryption: {methods: [smine]}", 'domains[0].encryption.methods[0]: "smine" is no protection method'),
    ("[alice, bob]", "[alice, bob]\n    encryption: {methods: [pgp]}", "domains[0].encryption.methods: differ from the entry's methods"),
    ("[alice, bob]", "[alice, bob]\n    encryption: {smime: {discovery: [dns]}}", 'domains[0].encryption.smime.discovery[0]: "dns" is not allowed here'),
    ("[alice, bob]", "[alice, bob]\n    assurance: [{status: ok}]", "domains[0].assurance[0].scheme: is missing"),
    ("[alice, bob]", "[alice, bob]\n    jurisdiction: {restricted_transfer: yes}", "domains[0].jurisdiction.restricted_transfer:"),
    ("[alice, bob]", "[alice, bob]\n    max_sensitivity: X", 'domains[0].max_sensitivity: "X" is not allowed here; write one of N, R, V'),
    ("[alice, bob]", "[alice, bob]\non_expiry: {grace_days: 365}", "domains.yaml:9: on_expiry.grace_days: must be 90 or less"),
    ("[alice, bob]", "[alice, bob]\napprovals: one", 'domains.yaml:9: approvals: "one" is not allowed here; write one of two-people, countersigned'),
    ("status: approved", "status: suspended", "domains[0].reason: a suspended entry says why"),
    ("status: approved\n    class: clinical", "status: denied\n    class: denied", "domains[0].reason: a denied entry says why"),
    ("status: approved", "status: denied", "a denied entry has status: denied and class: denied, both"),
    (DOMAINS, DOMAINS + DOMAINS.partition("\n")[2], 'domains.yaml:9: domains[1].domain: "approved.example" stands twice'),
    (DOMAINS, DOMAINS + "patient_addresses: [{address: x, verified_on: 2026-01-01, verified_how: call}]\n", "patient_addresses[0].address: not an email address"),
    (DOMAINS, DOMAINS + "denied: ['a b']\n", 'denied[0]: "a b" is neither a domain nor an address'),
]


def refused(changed: dict[str, str]) -> PolicyError:
    texts = {**files(), "policy.yaml": GOOD.encode(), "domains.yaml": DOMAINS.encode()}
    texts.update({name: text.encode() for name, text in changed.items()})
    with pytest.raises(PolicyError) as caught:
        load_policy(texts)
    return caught.value


def test_the_good_files_are_good() -> None:
    """What the cases below break is whole before."""
    assert load_policy({**files(), "policy.yaml": GOOD.encode(), "domains.yaml": DOMAINS.encode()}).name == "test"


@pytest.mark.parametrize(("old", "new", "expected"), POLICY_FAULTS)
def test_broken_policy_yaml(old: str, new: str, expected: str) -> None:
    """The error names file, line and key, and what to write instead."""
    assert old in GOOD
    error = refused({"policy.yaml": GOOD.replace(old, new)})
    assert expected in str(error), str(error)
    assert all(line.split(":")[0] in FILES and line.split(":")[1].isdigit() for line in error.problems)


@pytest.mark.parametrize(("old", "new", "expected"), DOMAIN_FAULTS)
def test_broken_domains_yaml(old: str, new: str, expected: str) -> None:
    """The same for the register."""
    assert old in DOMAINS
    assert expected in str(refused({"domains.yaml": DOMAINS.replace(old, new)}))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_empty_file_is_an_error(name: str) -> None:
    """Empty is not permission: nothing loads without all five files."""
    texts = {key: text for key, text in files().items() if key != name}
    with pytest.raises(PolicyError, match=f"{name}:1: this file is missing"):
        load_policy(texts)
    with pytest.raises(PolicyError, match=f"{name}:1: the (file|list) is empty"):
        load_policy({**files(), name: b"# nothing\n"})


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    """One run of the checker, every mistake."""
    broken = GOOD.replace("kind: photo", "kind: foto").replace("recipient: A", "recipient: Z").replace("PROTECT", "QUARANTINE")
    assert len(refused({"policy.yaml": broken}).problems) == 3


def test_enforce_with_somebody_on_call_loads() -> None:
    """Nobody enforces before somebody answers for what cannot wait."""
    text = GOOD.replace(
        "[example.org]",
        "[example.org]\n  on_call: {name: IG, phone: '4410'}",
    ).replace("rules:", "sender_groups: {ward: {addresses: ['ward*@example.org']}}\nmodes: {default: advise, groups: {ward: enforce},"
              " recipient_domains: {pilot.example: observe}}\nrules:")  # fmt: skip
    policy = load_policy({**files(), "policy.yaml": text.encode(), "domains.yaml": DOMAINS.encode()})
    assert policy.group_of("Ward7@Example.org") == "ward"
    assert policy.group_of("other@example.org") == "ungrouped"
    assert policy.mode_of("ward", "anywhere.example") is Mode.ENFORCE
    assert policy.mode_of("ward", "pilot.example") is Mode.ENFORCE, "of two the stricter"
    assert policy.mode_of("ungrouped", "pilot.example") is Mode.OBSERVE
    assert policy.mode_of("ungrouped", "anywhere.example") is Mode.ADVISE


def test_a_fresh_install_observes() -> None:
    """The shipped policy holds nothing until somebody decides so."""
    policy = load_policy(files())
    assert set(policy.modes.values()) == {Mode.OBSERVE}


def test_the_digest_is_of_the_content_not_of_the_layout() -> None:
    """Comments and order of keys change nothing; a changed word does."""
    first = load_policy({**files(), "policy.yaml": GOOD.encode()})
    same = load_policy({**files(), "policy.yaml": b"# hello\n" + GOOD.replace("name: test\n", "").encode() + b"name: test\n"})
    other = load_policy({**files(), "policy.yaml": GOOD.replace("somewhere", "elsewhere").encode()})
    assert first.digest == same.digest != other.digest
    assert first.version.startswith("test-")
