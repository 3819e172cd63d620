"""``clinigate learn-logo`` writes into a file that people edit: everything of theirs stays."""

from __future__ import annotations

import pytest

from gateway.commands.learnlogo import with_logos

pytestmark = pytest.mark.unit
NEW = [("look:0123456789abcdef", "logo.png")]
LINE = "- look:0123456789abcdef  # logo.png\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: x\nsettings:\n  own: [a]\n", "name: x\nsettings:\n  known_logos:\n    {}  own: [a]\n"),
        (
            "settings:\n  known_logos:\n    - aa  # old\n  own: [a]\n",
            "settings:\n  known_logos:\n    {}    - aa  # old\n  own: [a]\n",
        ),
        ("settings:\n  known_logos:\n  - aa\n  own: [a]\n", "settings:\n  known_logos:\n  {}  - aa\n  own: [a]\n"),
        ("settings:\n  known_logos: [aa, bb]\n", "settings:\n  known_logos:\n    - aa\n    - bb\n    {}"),
        ("settings:\n  known_logos: []  # none yet\n", "settings:\n  known_logos:\n    {}"),
    ],
)
def test_a_logo_is_added_where_the_others_are(before: str, after: str) -> None:
    assert with_logos(before, NEW) == after.format(LINE)


def test_nothing_new_changes_nothing() -> None:
    for text in ("settings:\n  own: [a]\n", "settings:\n  known_logos:\n  - aa\n", "name: x\n"):
        assert with_logos(text, []) == text
