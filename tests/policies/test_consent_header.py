"""Clinical-Image-Consent: the examples of the grammar, and what people's tools make of it."""

from __future__ import annotations

from datetime import date

import pytest

from policies.consent import read_header, write_header
from policies.model import Carrier, ConsentStatus, Statement

pytestmark = pytest.mark.unit

CARE = (
    "given; v=1; form=verbal; given-by=patient; purpose=COC; scope=record;\r\n"
    ' date="2025-11-20"; patient="p-7f3a9c21"; record="EPR-C-204417"; identifiable; intimate=?0'
)
TWO = (
    "given; v=1; form=written; given-by=parental-responsibility; purpose=COC;\r\n"
    ' scope=record; date="2025-11-20"; expires="2026-05-20"; child; part="rash-1.jpg",\r\n'
    ' bypassed; v=1; purpose=ETREAT; bypass=emergency; reason="unconscious, burns unit on call"; part="burn.jpg"'
)


def test_first_example() -> None:
    """Verbal consent of the patient for coordination of care."""
    reading = read_header(CARE)
    assert reading.problems == ()
    assert reading.statements == (
        Statement(
            status=ConsentStatus.GIVEN,
            carrier=Carrier.HEADER,
            form="verbal",
            given_by="patient",
            purpose="COC",
            scope=frozenset({"record"}),
            dated=date(2025, 11, 20),
            patient="p-7f3a9c21",
            record="EPR-C-204417",
        ),
    )


def test_second_example_has_two_statements_for_two_parts() -> None:
    """A list: each statement names its part; commas inside quotes do not split."""
    first, second = read_header(TWO).statements
    assert (first.part, first.child, first.given_by, first.expires) == (
        "rash-1.jpg", True, "parental-responsibility", date(2026, 5, 20),
    )  # fmt: skip
    assert (second.part, second.status, second.bypass, second.reason) == (
        "burn.jpg", ConsentStatus.BYPASSED, "emergency", "unconscious, burns unit on call",
    )  # fmt: skip


def test_third_and_fourth_example() -> None:
    """Not required with a basis; withdrawn."""
    (third,) = read_header("not-required; v=1; purpose=TRAIN; basis=gmc-10; identifiable=?0").statements
    found = (third.status, third.purpose, third.basis, third.identifiable)
    assert found == (ConsentStatus.NOT_REQUIRED, "TRAIN", "gmc-10", False)
    (fourth,) = read_header('withdrawn; v=1; date="2025-11-21"; patient="p-7f3a9c21"').statements
    assert (fourth.status, fourth.dated) == (ConsentStatus.WITHDRAWN, date(2025, 11, 21))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Given; Form=Verbal; Purpose=coc", {"form": "verbal", "purpose": "COC"}),
        ("given;form=verbal;date=20/11/2025", {"dated": date(2025, 11, 20)}),
        ("given; form=verbal; date=2025-11-20", {"dated": date(2025, 11, 20)}),
        ('given; form="verbal"; given_by=patient', {"form": "verbal", "given_by": "patient"}),
        ("given; form=written; intimate=yes; identifiable=no", {"intimate": True, "identifiable": False}),
        ("given (by the patient); form=verbal (in clinic)", {"form": "verbal"}),
        ("given; form=verbal; colour=blue", {"form": "verbal"}),
        ('given; form=verbal; scope="record teaching"', {"scope": frozenset({"record", "teaching"})}),
        ("given; form=verbal; child", {"child": True}),
        ("given; form=verbal; capacity=gillick", {"child": True, "capacity": "gillick"}),
        ("given; form=verbal; expires=03/04/2027", {"expires": date(2027, 3, 4)}),
        ("not required; basis=not-patient", {"status": ConsentStatus.NOT_REQUIRED, "basis": "not-patient"}),
    ],
)
def test_tolerant_reading(value: str, expected: dict[str, object]) -> None:
    """Any case, bare dates, yes and no, comments, unknown parameters; an ambiguous end date is the earlier of the two."""
    reading = read_header(value)
    assert reading.problems == ()
    (statement,) = reading.statements
    assert {name: getattr(statement, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("value", "code", "word"),
    [
        ("gievn; form=verbal", "consent.unknown-status", "gievn"),
        ("given; form=shouted", "consent.unknown-form", "shouted"),
        ("given; form=verbal; given-by=neighbour", "consent.unknown-giver", "neighbour"),
        ("given; form=verbal; purpose=FUN", "consent.unknown-purpose", "FUN"),
        ("given; form=verbal; date=2025-13-41", "consent.bad-date", "2025-13-41"),
        ("given; form=verbal; expires=soon", "consent.bad-date", "soon"),
        ("given; v=2; form=verbal", "consent.unknown-version", "2"),
        ("given; form=verbal; form=written", "consent.contradiction", "form"),
        ("given; form=verbal; intimate=perhaps", "consent.malformed", "perhaps"),
        ("given; form=verbal; scope=facebook", "consent.unknown-word", "facebook"),
        ("given; form=verbal; patient=\"John Smith\"", "consent.malformed", ""),
        ('given; form=verbal; reason="never ends', "consent.malformed", ""),
        ("given; form=vérbal", "consent.malformed", ""),
        ("", "consent.bare-tag", ""),
        ("given; form=verbal" + " " * 10 + "; x=" + "y" * 2100, "consent.too-long", ""),
        (", ".join(["given; form=verbal"] * 21), "consent.too-many", ""),
    ],
)
def test_what_cannot_be_read_is_no_statement_and_tells_the_word(value: str, code: str, word: str) -> None:
    """No guess: the statement is dropped, the problem names code and word; a possible patient's name is not repeated."""
    reading = read_header(value)
    assert reading.statements == ()
    assert (reading.problems[0].code, reading.problems[0].word) == (code, word)


@pytest.mark.parametrize(
    "value",
    [
        "refused; form=shouted",
        "given; form=verbal, refused",
        'withdrawn; reason="never ends',
        "refused; patient=Zoë",
        "refused; x=" + "y" * 3000,
        ", ".join(["given; form=verbal"] * 25 + ["withdrawn"]),
        "REFUSED",
    ],
)
def test_a_refusal_is_honoured_however_badly_it_is_written(value: str) -> None:
    """Whatever else is wrong with the field, a refusal in it counts."""
    statuses = {statement.status for statement in read_header(value).statements}
    assert statuses & {ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN}


def test_a_dropped_statement_still_declares_what_is_in_the_picture() -> None:
    """intimate and child tighten even where the consent beside them cannot be read."""
    (statement,) = read_header("given; form=shouted; intimate; child").statements
    assert (statement.status, statement.form, statement.intimate, statement.child) == (ConsentStatus.PENDING, None, True, True)


def test_a_parts_own_field_is_about_that_part() -> None:
    """Content-Clinical-Image-Consent: carrier and part come from where it stands."""
    (statement,) = read_header("given; form=verbal", carrier=Carrier.PART, part="1.2").statements
    assert (statement.carrier, statement.part) == (Carrier.PART, "1.2")


def test_what_we_write_we_read() -> None:
    """The canonical writer round-trips; the reduced form leaves out who, when and how."""
    (statement,) = read_header(CARE).statements
    again = read_header(write_header(statement)).statements[0]
    assert (again.form, again.given_by, again.purpose, again.scope, again.dated) == (
        statement.form, statement.given_by, statement.purpose, statement.scope, statement.dated,
    )  # fmt: skip
    assert write_header(statement, private=False) == "given; v=1; purpose=COC; scope=record"
