"""A denied place, a reply address or a listed mailbox that is spelled in another way is still that."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.answers import is_answer
from gateway.demo.samples import Sample, picture
from gateway.pipeline import plan
from policies.load import load_policy
from policies.model import RecipientClass
from policies.register import a_label
from quarantine.keyedhash import KeyedHash
from tests.support.contexts import context, received
from tests.support.policyfacts import files

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 23)
REGISTER = """
domains:
  - {domain: approved.example, status: approved, class: clinical, purposes: [TREAT],
     methods: [smime], approved_by: [a, b], exempt: test}
  - {address: drop@partner.example, status: denied, class: denied, reason: file sharing}
denied: [fileshare.example, xn--strae-oqa.example, josé@approved.example]
"""
SPELLINGS = [
    "x%fileshare.example@clinic.example",
    "fileshare.example!x@clinic.example",
    '"x@fileshare.example"@clinic.example',
    "x%fileshare.example%a.example@stranger.example",
    "drop%partner.example@clinic.example",
    "x@\U0001f135ileshare.example",  # a squared letter of Unicode 6
    "x@files\u2064hare.example",  # an invisible sign of Unicode 5.1
    "x@fileshare\U0001d173.example",
    "x%\U0001f135ileshare.example@clinic.example",
    "x@straße.example",  # IDNA 2008 keeps the letter, IDNA 2003 does not
    "jose\u0301@approved.example",  # the accent apart
]


@pytest.mark.parametrize("address", SPELLINGS)
def test_a_denied_place_is_denied_however_it_is_spelled(address: str) -> None:
    """Symptom: with [not a patient image] a photograph for x%fileshare.example@own-domain was delivered, and Postfix sent it on.

    Cause: such an address was of class D, which the word reaches.  Analysis: the register knew only one reading of an address,
    and took names of newer Unicode letters for unknown domains.  Prevention: every reading a mail server may make is asked about.
    """
    register = load_policy({**files(), "domains.yaml": REGISTER.encode()}).register
    found = register.match(address, today=TODAY)
    assert (found.cls, found.standing) == (RecipientClass.DENIED, "denied")


def test_the_word_not_a_patient_lets_nothing_go_there() -> None:
    photo = Sample("photo", ("clerk@clinic.example",), "[not a patient image] Results", attach=(picture(1),)).build()
    assert plan(context(), received(photo, SPELLINGS[0])).copies == ()
    assert plan(context(), received(photo, "clerk@stranger.example")).copies != ()  # the word alone would let it go


@pytest.mark.parametrize(
    "address",
    [
        "x@approved.example",
        "x@stranger.example",
        "x@other-straße.example",
        "x%stranger.example@clinic.example",
        "jo@approved.example",
    ],
)
def test_nobody_else_is_denied(address: str) -> None:
    register = load_policy({**files(), "domains.yaml": REGISTER.encode()}).register
    assert register.match(address, today=TODAY).cls is not RecipientClass.DENIED


@pytest.mark.parametrize("domain", ["\U0001f135ileshare.example", "a\u2064pproved.example"])
def test_letters_newer_than_idna_2003_name_no_domain(domain: str) -> None:
    """It cannot be registered, approved or matched by that name: two programs would mean two domains by it."""
    assert a_label(domain) is None


def test_letters_that_are_only_newer_name_one() -> None:
    """Scripts that came later have public endings of their own (the public suffix list has this one)."""
    assert a_label("clinic.\u1b29\u1b2e\u1b36.id") == "clinic.xn--9tfky.id"


def test_a_list_means_the_mailbox_whatever_its_quotes() -> None:
    register = load_policy({**files(), "denied.txt": b'"up\\load"@approved.example\n'}).register
    assert register.match("upload@approved.example", today=TODAY).cls is RecipientClass.DENIED


@pytest.mark.parametrize(
    "address", ['"hold\\+abc"@hold.clinic.example', '"h\\old+ABC"@HOLD.clinic.example', "hold+abc@\uff48old.clinic.example"]
)
def test_a_reply_address_is_ours_however_it_is_spelled(address: str) -> None:
    """Such an answer was relayed to the next hop as a mail to a stranger."""
    assert is_answer(address, "hold.clinic.example")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dr.Lee@royal.example", " dr.lee@ROYAL.example "),
        ("dr.lee@royal.example", '"dr.lee"@royal.example'),
        ("dr.lee@royal.example", '"dr\\.lee"@royal.example'),
        ("dr.lee@b\u00fccher.example", "dr.lee@xn--bcher-kva.example"),
        ("dr.lee@b\u00fccher.example", "dr.lee@bu\u0308cher.example"),
        ("jos\u00e9@royal.example", "jose\u0301@royal.example"),
        ("dr.lee@royal.example", "dr.lee@\uff52oyal.example"),
    ],
)
def test_a_mailbox_has_one_hash_however_it_is_spelled(one: str, other: str) -> None:
    """Symptom: ``disclosures --recipient dr.lee@...`` missed a picture that went to ``"dr.lee"@...``; so did aggregation.

    Cause: only case was folded.
    """
    hashes = KeyedHash(b"k" * 32)
    assert hashes.address(one) == hashes.address(other)


@pytest.mark.parametrize(
    "address", ["", "@", '"', '""@x.example', "a@" + "b" * 70 + "\u00e9.example", "\udcff@\udcff.example", "a@[127.0.0.1]"]
)
def test_whatever_stands_for_an_address_has_a_hash(address: str) -> None:
    assert KeyedHash(b"k" * 32).address(address) != KeyedHash(b"k" * 32).address("a@b.example")


def test_other_mailboxes_have_other_hashes() -> None:
    hashes = KeyedHash(b"k" * 32)
    addresses = [
        "a@b.example",
        "a.@b.example",
        '"a b"@b.example',
        '"a\\"b"@b.example',
        "a@b\u00e9.example",
        "a@be.example",
        "a@b.example.",
    ]
    assert len({hashes.address(one) for one in addresses}) == len(addresses)
