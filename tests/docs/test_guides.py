"""What the guides tell people to do works, and people can read them."""

from __future__ import annotations

import re

import pytest

from policies.consent import read_body_line, read_subject
from policies.model import ConsentStatus
from tests.support.paths import ROOT
from tests.support.readability import grade, sentences

pytestmark = pytest.mark.unit

GUIDE = (ROOT / "docs" / "guide-clinicians.md").read_text(encoding="utf-8")
LEAFLET = (ROOT / "docs" / "patient-leaflet.md").read_text(encoding="utf-8")
TAGS = sorted(set(re.findall(r"`(\[[^`]+\])`", GUIDE)))


def test_the_guide_offers_words() -> None:
    """The table is there and was found."""
    assert {"[consent verbal]", "[not a patient image]", "[emergency: why it cannot wait]"} <= set(TAGS)


@pytest.mark.parametrize("tag", TAGS)
def test_each_word_of_the_clinicians_guide_is_understood(tag: str) -> None:
    """Whoever writes what the guide says is understood, without a question about a word."""
    reading = read_subject(f"{tag} Your opinion please")
    assert len(reading.statements) == 1
    assert reading.problems == ()
    assert reading.statements[0].status is not ConsentStatus.PENDING


def test_the_first_line_of_the_guide_is_understood() -> None:
    """For phones where brackets are hard to find."""
    line = re.search(r"write `([^`\[]+)` as the first line", GUIDE)
    assert line is not None
    assert read_body_line(line[1]).statements[0].form == "verbal"


def test_a_refusal_of_the_guide_is_a_refusal() -> None:
    """The word that stops a mail stops it."""
    assert read_subject("[consent refused]").statements[0].status is ConsentStatus.REFUSED


def test_an_eleven_year_old_can_read_the_leaflet() -> None:
    """Grade 6 at most, and no sentence is longer than 25 words."""
    assert grade(LEAFLET) <= 6.0
    assert max(len(one.split()) for one in sentences(LEAFLET)) <= 25


def test_the_clinicians_guide_is_short_and_plain() -> None:
    """One sheet of paper; a tired reader at night is no better than a twelve-year-old."""
    assert len(re.findall(r"[\w'’-]+", GUIDE)) <= 920
    assert grade(GUIDE) <= 7.0
