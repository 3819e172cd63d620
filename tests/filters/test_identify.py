"""filters.identify.numbers: valid patient numbers are found, and telephone and random numbers are not taken for them."""

from __future__ import annotations

import random

import pytest

from filters.identify.numbers import find, is_chi, is_ihi, is_medicare, is_nhs

pytestmark = pytest.mark.unit

# Published examples and numbers made here from the check rules; none belongs to a person.
NHS = "9434765919"
IHI = "8003608166690503"
MEDICARE = "2428778132"


def luhn_chi(first: str) -> str:
    return next(first + str(digit) for digit in range(10) if is_chi(first + str(digit)) and not is_nhs(first + str(digit)))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("943 476 5919", "nhs"),
        ("Re: Mrs Example 943 476 5919 rash", "nhs"),
        ("NHS: 9434765919", "nhs"),
        ("NHS_9434765919.jpg", "nhs"),
        ("nhs no 943-476-5919", "nhs"),
        ("hospital number 9434765919", "nhs"),
        ("ihi 8003 6081 6669 0503", "ihi"),
        ("8003608166690503", "ihi"),
        ("Medicare 2428778132", "medicare"),
        ("2428 77813 2", "medicare"),
        ("2428 77813 2-1", "medicare"),
    ],
)
def test_written_as_people_write_them_they_are_strong(text, kind):
    assert [(one.kind, one.strong) for one in find(text) if one.strong] == [(kind, True)]


def test_both_check_rules_of_the_chi_number_hold():
    """Modulus 11 until January 2026, modulus 10 from February (Public Health Scotland)."""
    new = luhn_chi("010203001")
    assert is_chi(new)
    assert [one.kind for one in find(f"CHI {new}") if one.strong] == ["chi"]
    assert not is_chi("9999999999") and not is_chi("3113031237")


@pytest.mark.parametrize(
    "text",
    [
        "tel 943 476 5919",
        "call 0161 496 0000 or 07700 900123",
        "+44 7700 900123",
        "(415) 943-476-5919",
        "415-555-2671",
        "mobile 0102030012",
        "fax: 010203 0014",
        "IMG_20251120_101112.jpg",
        "1712345678.jpg",
        "order 12345678901",
        "9434765918",
        "2025-11-20 10:11:12",
        "0000000000",
        "GBP 943,476,5919",
        "DSC_9434765919000.jpg",
    ],
)
def test_other_numbers_are_not_strong(text):
    assert not [one for one in find(text) if one.strong]


def test_a_check_digit_alone_is_weak():
    assert [(one.kind, one.strong) for one in find("ref 9434765919")] == [("nhs", False)]


def test_wrong_check_digits_are_refused():
    for good, check in ((NHS, is_nhs), (IHI, is_ihi)):
        wrong = [good[:-1] + str(digit) for digit in range(10) if str(digit) != good[-1]]
        assert check(good) and not any(check(one) for one in wrong)
    assert is_medicare(MEDICARE) and not is_medicare("2428778142") and not is_medicare("1428778132")


@pytest.mark.slow
def test_measured_false_positives():
    """Random ten digits (200,000 measured): 9.2 % pass as NHS by the check alone.  Strong are 0.43 % of bare ones, 0.66 % of
    those spaced 6-4, 4.6 % of those spaced 3-3-4 as a health number is, and no UK telephone number however it is spaced."""
    draw = random.Random(7)
    numbers = [f"{draw.randrange(10**10):010d}" for _ in range(20_000)]
    assert 0.08 < sum(map(is_nhs, numbers)) / len(numbers) < 0.10
    bare = sum(any(one.strong for one in find(f"ref {number}")) for number in numbers)
    assert bare / len(numbers) < 0.006
    spaced = sum(any(one.strong for one in find(f"{n[:3]} {n[3:6]} {n[6:]}")) for n in numbers)
    assert spaced / len(numbers) < 0.055
    phones = [f"07{draw.randrange(10**9):09d}" for _ in range(5_000)]
    for write in (
        lambda p: p,
        lambda p: f"{p[:5]} {p[5:]}",
        lambda p: f"{p[:5]} {p[5:8]} {p[8:]}",
        lambda p: f"+44 {p[1:5]} {p[5:]}",
    ):
        assert not any(one.strong for phone in phones for one in find(write(phone)))


def test_values_never_show_in_repr():
    assert NHS not in repr(find(f"NHS {NHS}"))
