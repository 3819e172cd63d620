"""Addresses that mean another mailbox to the next mail server than to the register, and senders who borrow a milder mode."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from gateway.demo.samples import Sample, picture
from gateway.pipeline import plan
from policies.load import load_policy
from policies.model import Mode, RecipientClass
from policies.register import a_label
from tests.support.contexts import STRANGER, context, received, vouched_for
from tests.support.policyfacts import files

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 23)
PHOTO = Sample("photo", (STRANGER,), "Results", attach=(picture(1),)).build()
REGISTER = b"""
domains:
  - {domain: approved.example, status: approved, class: clinical, purposes: [TREAT],
     methods: [smime], approved_by: [a, b], exempt: test}
  - {address: left@approved.example, status: suspended, class: clinical, reason: has left}
  - {domain: strasse.example, status: approved, class: clinical, purposes: [TREAT],
     methods: [smime], approved_by: [a, b], exempt: test}
denied: [leaky@approved.example]
"""


@pytest.mark.parametrize(
    "address",
    ["x%evil.example@clinic.example", "evil.example!x@clinic.example", '"x@evil.example"@clinic.example', '"x%y"@clinic.example'],
)
def test_an_address_that_routes_on_is_not_the_own_domain(address: str) -> None:
    """Symptom: a photograph for x%evil.example@own-domain was delivered without a question, and Postfix sent it to evil.example.

    Cause: the class came from what stands behind the last @.  Analysis: a server that knows the domain for its own reads on
    (allow_percent_hack, swap_bangpath and resolve_dequoted_address, all on by default).  Such a recipient is nobody we know.
    """
    made = plan(context(), received(PHOTO, address))
    assert not made.copies
    assert made.holds


@pytest.mark.parametrize("local", ["left", '"left"', "LEFT", "left+x", '"left+x"', '"le\\ft"'])
@pytest.mark.slow
def test_a_suspended_mailbox_stays_suspended_however_it_is_written(local: str) -> None:
    """Symptom: pictures went to a suspended mailbox of an approved domain when its address had a tag or stood in quotes.

    Cause: single entries were found by the address as written.  Analysis: quotes have no meaning (RFC 5321 4.1.2), and a
    subaddress is the same person (RFC 5233); what is withheld is withheld from both.  What is granted is not extended.
    """
    register = load_policy({**files(), "domains.yaml": REGISTER}).register
    assert register.match(f"{local}@approved.example", today=TODAY).standing == "suspended"
    assert register.match("leaky+x@approved.example", today=TODAY).cls is RecipientClass.DENIED
    assert register.match("someone@approved.example", today=TODAY).standing == "approved"


@pytest.mark.parametrize("domain", ["straße.example", "STRAẞE.example", "straſse\u200d.example", "ςtrasse.example"])
def test_a_domain_that_two_standards_read_differently_is_none(domain: str) -> None:
    """Symptom: straße.example counted as the approved strasse.example, while mail servers send to xn--strae-oqa.example.

    Cause: Python speaks IDNA 2003, mail servers IDNA 2008.  Analysis: four characters mean another domain in each (RFC 5894
    7.2); a domain that holds one is taken for none.
    """
    assert a_label(domain) is None


def test_a_forged_sender_does_not_borrow_a_milder_mode() -> None:
    """Symptom: with ``communications@`` as envelope sender a photograph left in advise mode through a listener that vouches for
    nobody.

    Cause: the mode follows the sender's group, and the group follows the address.  Analysis: anybody can write an address.  The
    group's mode binds only where the listener answers for the sender, else the stricter of it and the ungrouped mode.
    """
    ours = context()
    modes = {**ours.policy.modes, "group:clinical": Mode.ADVISE}
    milder = replace(ours, policy=replace(ours.policy, modes=modes))
    vouched = plan(milder, received(PHOTO, STRANGER))
    assert [copy.method for copy in vouched.copies] == ["advise"]
    forged = plan(vouched_for(milder, "nothing"), received(PHOTO, STRANGER))
    assert not forged.copies
    assert forged.holds
