"""The register: which class an address is, whatever tricks its spelling plays."""

from __future__ import annotations

from datetime import date, timedelta
from time import perf_counter

import pytest

from policies.domains.lookalike import distance_within
from policies.model import RecipientClass
from policies.register import GRACE, Register, a_label
from tests.support.policyfacts import TODAY, files, shipped

pytestmark = pytest.mark.unit

ENTRIES = b"""
domains:
  - {domain: approved.example, status: approved, class: clinical, purposes: [TREAT],
     methods: [smime], approved_by: [a, b], expires: 2027-12-31}
  - {domain: tree.example, status: approved, class: clinical, purposes: [TREAT],
     methods: [smime], approved_by: [a, b], include_subdomains: true, subdomains_reason: one trust, expires: 2027-12-31}
  - {domain: ending.example, status: approved, class: clinical, purposes: [TREAT],
     methods: [smime], approved_by: [a, b], expires: 2026-11-22}
  - {domain: stopped.example, status: suspended, class: clinical, reason: review}
  - {domain: wished.example, status: proposed, class: clinical}
  - {domain: banned.example, status: denied, class: denied, reason: file sharing}
  - {domain: krankenhaus-m\xc3\xbcnchen.example, status: approved, class: clinical, purposes: [TREAT],
     methods: [smime], approved_by: [a, b], expires: 2027-12-31}
  - {address: one@mixed.example, status: approved, class: legal, purposes: [HLEGAL],
     methods: [smime], approved_by: [a, b], expires: 2027-12-31}
  - {address: journal@example.org, status: approved, class: archive, approved_by: [a, b]}
  - {domain: vault.example, status: approved, class: archive, approved_by: [a, b]}
patient_addresses:
  - {address: Pat@freemail.example, verified_on: 2026-01-01, verified_how: in clinic}
"""


@pytest.fixture(scope="module")
def register() -> Register:
    from policies.load import load_policy

    return load_policy({**files(), "domains.yaml": ENTRIES}).register


@pytest.mark.parametrize(
    ("address", "cls", "standing"),
    [
        ("a@approved.example", "A", "approved"),
        ("a@APPROVED.Example", "A", "approved"),
        ("a@approved.example.", "A", "approved"),
        ("<a@approved.example>", "A", "approved"),
        ("a@sub.approved.example", "D", ""),
        ("a@sub.tree.example", "A", "approved"),
        ("a@deep.sub.tree.example", "A", "approved"),
        ("a@nottree.example", "D", ""),
        ("a@ending.example", "A", "approved"),
        ("a@stopped.example", "D", "suspended"),
        ("a@wished.example", "D", "proposed"),
        ("a@banned.example", "F", "denied"),
        ("a@sub.banned.example", "F", "denied"),
        ("a@krankenhaus-münchen.example", "A", "approved"),
        ("a@xn--krankenhaus-mnchen-y6b.example", "A", "approved"),
        ("one@mixed.example", "B", "approved"),
        ("ONE@mixed.example", "B", "approved"),
        ("two@mixed.example", "D", ""),
        ("journal@example.org", "archive", "approved"),
        ("x@vault.example", "archive", "approved"),
        ("x@example.org", "O", "approved"),
        ("x@EXAMPLE.ORG", "O", "approved"),
        ("x@sub.example.org", "D", ""),
        ("pat@freemail.example", "C", "approved"),
        ("other@freemail.example", "E", ""),
        ("x@gmail.com", "E", ""),
        ("x@mail.gmail.com", "E", ""),
        ("me@onenote.com", "F", "denied"),
        ("you@onenote.com", "D", ""),
        ("x@workspace.slack.com", "F", "denied"),
        ("x@fileshare.example", "F", "denied"),
        ("x@[192.0.2.1]", "D", "invalid"),
        ("x@", "D", "invalid"),
        ("nonsense", "D", "invalid"),
        ("", "D", "invalid"),
        ("@approved.example", "D", "invalid"),
        ("x@-approved.example", "D", "invalid"),
        ("x@approved..example", "D", "invalid"),
        ("x@approved.example@evil.example", "D", "invalid"),
        ("x%evil.example@approved.example", "D", "invalid"),
        ("x%evil.example@example.org", "D", "invalid"),
        ("evil.example!x@example.org", "D", "invalid"),
        ('"x@evil.example"@example.org', "D", "invalid"),
        ("x%evil.example@banned.example", "F", "denied"),
        ('"a"@approved.example', "A", "approved"),
        ("x@approved.example\u3002", "A", "approved"),
        ("x@" + "a" * 64 + ".example", "D", "invalid"),
        ("x@\udcff.example", "D", "invalid"),
    ],
)
def test_each_address_has_its_class(register: Register, address: str, cls: str, standing: str) -> None:
    """Exact A-label match; subdomains only where the entry says so; nothing invalid is ever more than unknown."""
    known = register.match(address, today=TODAY)
    assert (known.cls, known.standing) == (RecipientClass(cls), standing)


def test_expiry_has_thirty_days_of_grace_and_then_stops(register: Register) -> None:
    """Last day good, then grace, then unknown with the entry still known."""
    last = date(2026, 11, 22)
    stand = [register.match("a@ending.example", today=last + timedelta(days=days)) for days in (0, 1, 30, 31)]
    found = [(one.cls.value, one.standing) for one in stand]
    assert found == [("A", "approved"), ("A", "grace"), ("A", "grace"), ("D", "expired")]
    assert timedelta(days=30) == GRACE


@pytest.mark.parametrize(
    ("domain", "seen"),
    [
        ("aproved.example", "approved.example"),
        ("approvde.example", "approved.example"),
        ("appr0ved.example", "approved.example"),
        ("approveed.example", "approved.example"),
        ("approved.invalid", "approved.example"),
        ("аpproved.example", "approved.example"),  # Cyrillic a
        ("appröved.example", "approved.example"),
        ("a-p-p-r-o-v-e-d.example", "approved.example"),
        ("examp1e.org", "example.org"),
        ("something-else.example", None),
        ("reproof.example", None),
        ("approved.example.evil.example", "approved.example"),
    ],
)
def test_lookalikes_of_approved_and_own_domains(register: Register, domain: str, seen: str | None) -> None:
    """One or two letters, look-alike characters and another ending are noticed; other names are not."""
    known = register.match(f"x@{domain}", today=TODAY)
    assert (known.cls, known.lookalike_of) == (RecipientClass.UNKNOWN, seen)


@pytest.mark.parametrize(
    ("local", "own"),
    [
        ("jane.smith", True), ("janesmith82", True), ("jsmith", True), ("smith.jane", True), ("smithj", True),
        ("jane.smith+x", True), ("jayne.smith", True),
        ("bob.jones", False), ("j", False), ("info", False), ("smithson.k", False), ("1234", False),
    ],
)  # fmt: skip
def test_the_senders_own_private_address(register: Register, local: str, own: bool) -> None:
    """A freemail address whose local part resembles the sender's."""
    known = register.match(f"{local}@gmail.com", sender="jane.smith@example.org", today=TODAY)
    assert known.own_private is own


def test_distance_counts_a_swap_as_one() -> None:
    """Neighbours swapped are one slip of the finger."""
    assert distance_within("abcdef", "abdcef", 1)
    assert not distance_within("abcdef", "abdfec", 1)
    assert distance_within("", "ab", 2)
    assert not distance_within("", "abc", 2)


def test_idna() -> None:
    """A-labels are made, lower case; what has none is None."""
    assert a_label("MÜNCHEN.example") == "xn--mnchen-3ya.example"
    assert a_label("a" * 300) is None
    assert a_label(".") is None


def test_version_names_the_content() -> None:
    """The same register has the same version, another has another."""
    from policies.load import load_policy

    other = load_policy({**files(), "domains.yaml": ENTRIES}).register
    assert other.version != shipped().register.version
    assert load_policy(files()).register.version == shipped().register.version


@pytest.mark.slow
def test_a_register_of_a_hundred_thousand_domains_answers_quickly() -> None:
    """Known, unknown and look-alike addresses in well under a millisecond each."""
    from policies.domains.lookalike import Lookalikes
    from policies.model import DomainEntry
    from policies.register import public_ending

    names = [f"clinic-{number:06d}-{number * 7919 % 99991}.example" for number in range(100_000)]
    entries = {name: DomainEntry(name, "approved", RecipientClass.APPROVED_CLINICAL) for name in names}
    big = Register(frozenset(), entries, lookalikes=Lookalikes(names, lambda domain: public_ending(domain, frozenset())))
    assert big.lookalikes is not None
    big.lookalikes.ready()
    start = perf_counter()
    for number in range(1000):
        assert big.match(f"x@{names[number]}", today=TODAY).entry is not None
    known = (perf_counter() - start) / 1000
    start = perf_counter()
    for number in range(200):
        big.match(f"x@practice{number}.invalid", today=TODAY)
    unknown = (perf_counter() - start) / 200
    assert known < 1e-4
    assert unknown < 5e-3
