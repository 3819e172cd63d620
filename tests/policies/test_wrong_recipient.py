"""A mail that may go to the wrong person is noticed, and the notice can ask whom the sender meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from policies.domains.recipients import CODES, did_you_mean, findings, neighbours, open_list, other_names
from policies.domains.slips import slips
from policies.model import RecipientClass, RecipientFacts
from tests.support.policyfacts import TODAY, recipient, shipped

pytestmark = pytest.mark.unit

KNOWN = "jane.smith@royal-example.example"


@pytest.mark.parametrize(
    "typed",
    [
        "jane.smtih@royal-example.example", "jane.smih@royal-example.example", "jane.smithh@royal-example.example",
        "jane.smuth@royal-example.example", "jane.smith@royal-exmaple.example", "jane.smith@royl-example.example",
        "jane.smith@royalexample.example", "janesmith@royal-example.example", "jane.smit@royal-example.example",
        "jane.smoth@royal-example.example", "jyne.smith@royal-example.example",
    ],
)  # fmt: skip
def test_a_slip_of_the_finger_finds_the_address_that_was_meant(typed: str) -> None:
    """Swapped, left out, doubled, beside the right key; in the name or in the domain."""
    assert KNOWN in neighbours(typed)


@pytest.mark.parametrize("typed", ["john.brown@royal-example.example", "jane.smith@other.example", "j@x.example", KNOWN])
def test_another_address_is_no_slip(typed: str) -> None:
    """Nor is the address itself."""
    assert KNOWN not in neighbours(typed)


def test_numbers_and_vowels_are_mixed_up() -> None:
    """Large directories tell people of one name apart by a number, and names by a vowel."""
    assert "john.smith12@nhs.example" in neighbours("john.smith17@nhs.example")
    assert "dr.lee@nhs.example" in neighbours("dr.lea@nhs.example")
    assert "dr.leb@nhs.example" not in neighbours("dr.lea@nhs.example")


def test_slips_are_few_and_each_once() -> None:
    """Fifty questions a letter at most."""
    found = list(slips("jane.smith"))
    assert len(found) == len(set(found)) <= 50 * 11
    assert "jane.smith" not in found


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ([], False),
        (["a@gmail.com"], False),
        (["a@gmail.com", "b@gmail.com"], True),
        (["a@gmail.com", "A@gmail.com"], False),
        (["a@gmail.com", "x@royal-example.example"], True),
        (["a@gmail.com", "x@example.org"], False),
        (["a@royal-example.example", "b@royal-example.example"], False),
        (["a@one.example", "b@two.example", "c@three.example"], True),
        (["a@one.example", "b@two.example", "c@example.org"], False),
    ],
)
def test_people_who_see_each_other(visible: list[str], expected: bool) -> None:
    """Two patients, a patient beside an organisation, or three organisations."""
    assert open_list(visible, shipped().register, TODAY) is expected


def test_each_finding_has_its_code() -> None:
    """And none appears for a usual mail."""
    plain = findings(recipient("A"), first_time=False, many=False, open_to=False, similar=False)
    assert plain == frozenset()
    odd = recipient("D", lookalike_of="royal-example.example")
    found = findings(odd, first_time=True, many=True, open_to=True, similar=True)
    found |= findings(recipient("E", own_private=True), first_time=None, many=False, open_to=False, similar=False)
    mailbox = replace(recipient("A"), cls=RecipientClass.UNKNOWN, standing="")
    found |= findings(mailbox, first_time=None, many=False, open_to=False, similar=False, other_name=True)
    assert found == set(CODES)


def test_colleagues_are_not_first_timers() -> None:
    """Within the organisation nothing is said."""
    assert findings(recipient("O"), first_time=True, many=True, open_to=True, similar=False) == frozenset()


def test_what_the_notice_asks() -> None:
    """The domain that was meant, or the address the sender has written to before; of private people no address."""

    def asked(known: RecipientFacts) -> str:
        return did_you_mean(known, shipped().register, TODAY)

    assert asked(recipient("D", lookalike_of="royal-example.example")) == "royal-example.example"
    assert asked(recipient("D", similar_to="jane@meant.example")) == "jane@meant.example"
    assert asked(recipient("A", similar_to="jane@there.example")) == "jane@there.example"
    assert asked(recipient("A", similar_to="jane@gmail.com")) == "gmail.com"
    assert asked(recipient("E", domain="gmail.com", similar_to="jane@gmail.com")) == ""
    assert asked(recipient("A")) == ""


@pytest.mark.parametrize(
    ("name", "address", "found"),
    [
        ("jane.lee@royal-example.example", "jane.lee@gmail.com", True),
        ("Jane Lee (jane.lee@royal-example.example)", "Jane.Lee@gmail.com", True),
        ("Jane.Lee@gmail.com", "jane.lee@gmail.com", False),
        ("Jane Lee @ Royal", "jane.lee@gmail.com", False),
        ("", "jane.lee@gmail.com", False),
    ],
)
def test_a_name_that_is_another_address(name: str, address: str, found: bool) -> None:
    """What programs that fill in addresses leave behind."""
    assert other_names([(name, address)]) == (frozenset({address.lower()}) if found else frozenset())


def test_a_gathered_mail_has_the_findings() -> None:
    """From the envelope, To and Cc and what is remembered, to codes a rule can name."""
    from dataclasses import replace as changed

    from gateway.facts import Memory
    from gateway.pipeline import judge
    from tests.support.contexts import COLLEAGUE, STRANGER, context, received
    from tests.support.letters import canary_photo, letter

    def wrote(_: str, ones: Iterable[str]) -> str:
        return COLLEAGUE if COLLEAGUE in ones else ""

    name, _, domain = COLLEAGUE.partition("@")
    slip = f"{name[1]}{name[0]}{name[2:]}@{domain}"
    made = changed(context(), memory=Memory(lambda *_: None, wrote, lambda _: None))
    mail = letter("dr.adams@clinic.example", (slip, STRANGER), pictures=(canary_photo(),))
    typed, stranger = judge(made, received(mail, slip, STRANGER)).facts
    assert {"recipient.first-time", "recipient.lookalike-address"} <= typed.codes
    assert typed.recipient.similar_to == COLLEAGUE
    assert "recipient.lookalike-address" not in stranger.codes


@pytest.mark.parametrize(
    ("domain", "seen"),
    [("rbj.nhs.uk", "rbh.nhs.uk"), ("rhb.nhs.uk", "rbh.nhs.uk"), ("rbq.nhs.uk", None), ("rbj.org", None), ("rb.nhs.uk", None)],
)
def test_short_names_are_mistyped_by_neighbouring_keys_only(domain: str, seen: str | None) -> None:
    """Three letters are close to any three letters; a slip under the same ending is not."""
    from policies.domains.lookalike import Lookalikes
    from policies.register import public_ending

    suffixes = frozenset({"nhs.uk"})
    assert Lookalikes(["rbh.nhs.uk"], lambda one: public_ending(one, suffixes)).find(domain) == seen
