"""What a release tells the pipeline, and what it cannot."""

from __future__ import annotations

import pytest

from gateway.carriers import statements
from gateway.identity import Identity
from gateway.message import parse
from gateway.model import Envelope, Recipient
from gateway.releases import ReleaseTerms
from policies.model import Carrier, ConsentStatus

pytestmark = pytest.mark.unit


def terms(**payload: object) -> ReleaseTerms:
    told = {"accepted": ["domain.unknown"], "hold": "h1", **payload}
    return ReleaseTerms.of(Envelope("a@b.example", (Recipient("x@y.example"),), release=told))


def test_mail_from_an_mta_is_no_release() -> None:
    found = ReleaseTerms.of(Envelope("a@b.example", ()))
    assert found == ReleaseTerms()
    assert found.identity is None, "it is judged anew"


def test_a_release_brings_what_was_accepted_and_where_it_came_from() -> None:
    found = terms()
    assert (found.accepted, found.hold) == (frozenset({"domain.unknown"}), "h1")


def test_the_identity_is_the_one_recorded_and_never_better() -> None:
    assert terms(identity={"vouched": True, "codes": []}).identity == Identity(True, frozenset())
    spoofed = terms(identity={"vouched": False, "codes": ["identity.from-differs"]}).identity
    assert spoofed == Identity(False, frozenset({"identity.from-differs"}))


@pytest.mark.parametrize("recorded", [None, "vouched", [], 1, {}])
def test_nothing_recorded_vouches_for_nobody(recorded: object) -> None:
    found = terms(identity=recorded).identity
    assert found is not None
    assert not found.vouched


def test_a_statement_given_in_answer_is_read_as_the_strongest() -> None:
    carried = statements(parse(b"Subject: photo [consent refused]\r\nFrom: a@b.example\r\n\r\nx\r\n"))
    readings = terms(statement="given; v=1; form=verbal; purpose=COC").added(carried).readings
    assert readings[:-1] == carried.readings
    assert readings[-1].carrier is Carrier.RELEASE
    assert readings[-1].statements[0].status is ConsentStatus.GIVEN


def test_without_a_statement_nothing_is_added() -> None:
    carried = statements(parse(b"Subject: x\r\n\r\n"))
    assert terms().added(carried) is carried
    assert terms(statement="").added(carried) is carried


def test_no_statement_is_ever_shown_by_repr() -> None:
    """P5: it is free text of a person."""
    assert "verbal" not in repr(terms(statement="given; form=verbal"))


def test_what_the_patient_was_told_stands_in_the_statement() -> None:
    """S0-14: the ticks of the web form; a word that is none is left out."""
    ticked = {"statement": "[consent verbal]", "informed": ["purpose", "people", "the weather"]}
    carried = terms(**ticked).added(statements(parse(b"Subject: x\r\n\r\nx\r\n")))
    (said,) = carried.readings[-1].statements
    assert (said.form, said.informed) == ("verbal", frozenset({"purpose", "people"}))
