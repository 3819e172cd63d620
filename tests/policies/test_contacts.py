"""Whom notices name: the IG team's contacts, never the example of the shipped policy."""

from __future__ import annotations

import pytest

from policies.files.settings import Contact
from tests.support.policyfacts import shipped

pytestmark = pytest.mark.unit


def test_a_contact_is_printed_as_people_read_it() -> None:
    assert Contact(name="IG team", phone="ext. 1", hours="9 to 5").words() == "IG team, ext. 1 (9 to 5)"
    assert Contact(name="IG team", email="ig@trust.example").words() == "IG team, ig@trust.example"


def test_the_shipped_example_is_never_printed() -> None:
    """A clinician at night must not be told to phone a number that somebody forgot to change."""
    settings = shipped().settings
    assert settings.on_call is not None and settings.ig is not None
    assert (settings.on_call.words(), settings.ig.words()) == ("", "")
