"""Whoever sent a file that cannot be cleaned is told the one step that works for this kind of file."""

from __future__ import annotations

import pytest

from filters.api import OpaqueReason
from filters.registry import OPENERS, SCRUBBERS
from policies.explain import advice
from policies.model import Facts
from policies.remedies import NOT_SUPPORTED, remedy
from tests.support.policyfacts import facts, image
from tests.support.readability import grade

pytestmark = pytest.mark.unit

OURS = ("apple-double", "bzip2", "calendar", "hl7-image", "jar", "vcard")  # nobody sends these on purpose: the general words do


def holding(*kinds: tuple[str, str]) -> Facts:
    """A message whose files have these formats and codes."""
    return facts(
        "A", images=tuple(image("K8", opaque=NOT_SUPPORTED, format=name, codes=frozenset(codes.split())) for name, codes in kinds)
    )


def test_the_word_is_that_of_the_filters() -> None:
    assert OpaqueReason.NOT_SUPPORTED.value == NOT_SUPPORTED


@pytest.mark.parametrize("name", sorted({*SCRUBBERS, *OPENERS} - {*OURS}))
def test_every_format_that_is_ever_cleaned_or_opened_has_a_step(name: str) -> None:
    assert remedy(holding((name, "")))


@pytest.mark.parametrize(
    ("name", "codes", "words"),
    [
        ("psd", "", "save it as JPEG"),
        ("matroska", "", "MP4"),
        ("doc", "", ".docx"),
        ("onenote", "", "PDF"),
        ("7z", "", "ZIP"),
        ("jpeg", "container.read-only", "Attach the picture by itself"),
        ("samples", "container.signed", "digital signature"),
    ],
)
def test_the_step_fits_the_file(name: str, codes: str, words: str) -> None:
    given = holding((name, codes))
    assert words in remedy(given)
    assert advice(given, ("opaque.image-not-supported",)) == remedy(given)


def test_an_unknown_kind_gets_the_general_words() -> None:
    assert "JPEG" in advice(holding(("no-such-format", "")), ("opaque.image-not-supported",))


def test_no_more_than_two_steps_are_told_and_none_twice() -> None:
    told = remedy(holding(("psd", ""), ("cr2", ""), ("avi", ""), ("7z", "")))
    assert told.count("Open the picture") == 1
    assert "MP4" in told and "ZIP" not in told


def test_a_tired_reader_understands_each_step() -> None:
    for name in ("psd", "avi", "doc", "pdf", "rar", "dicom", "text"):
        assert grade(remedy(holding((name, "")))) <= 7.0
