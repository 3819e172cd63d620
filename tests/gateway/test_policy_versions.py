"""Versions of policies are kept without patients' addresses, whatever stands around them, and without holding up mail."""

from __future__ import annotations

from time import process_time

import pytest

from gateway.policyfolder.versions import patients_of, with_patients

pytestmark = pytest.mark.unit

DOMAINS = "domains:\n- domain: a.example\n  notes: patient_addresses of the unit stand below\n"
BLOCK = "patient_addresses:\n  # asked on the phone\n- address: p@mail.example\n"


@pytest.mark.parametrize(
    ("before", "block", "after"),
    [
        (DOMAINS, BLOCK, "denied: [x.example]\n"),
        (DOMAINS, BLOCK, ""),
        ("", BLOCK, DOMAINS),
        (DOMAINS, '"patient_addresses" :\n- address: p@mail.example\n', "'denied': []\n"),
        ("# patient_addresses: none yet\n" + DOMAINS, "", ""),
    ],
)
def test_the_block_of_patients_is_found_wherever_it_stands(before: str, block: str, after: str) -> None:
    """And nothing else is taken for it."""
    text = before + block + after
    assert patients_of(text) == block
    assert with_patients(text, "") == before + after


def test_a_long_register_is_searched_in_no_time() -> None:
    """Symptom: mail stood still for a moment after each change of a register of a hundred thousand domains.  Cause: patients'
    addresses were looked for line by line, four times, each in one go that nothing else of the program could interrupt."""
    text = DOMAINS + "  - {domain: b.example}\n" * 2_000_000 + BLOCK
    start = process_time()
    assert patients_of(text) == BLOCK
    assert process_time() - start < 0.1
