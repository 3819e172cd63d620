"""docs/cli.md is what the commands say of themselves."""

from __future__ import annotations

import pytest

from tests.support import cli

pytestmark = pytest.mark.unit

COMMANDS = dict(cli.commands())


def test_the_page_is_current() -> None:
    """Made by ``python -m tests.support.cli``."""
    assert cli.PAGE.read_text(encoding="utf-8") == cli.page()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_is_there_with_its_words(name: str) -> None:
    text = cli.PAGE.read_text(encoding="utf-8")
    assert f"\n## {name}\n" in text
    section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    for written, _, words in cli.parameters(COMMANDS[name]):
        assert f"`{written}`" in section
        assert len(words.split()) >= 3, f"{name} {written}: says nothing"


def test_no_command_is_without_an_explanation() -> None:
    assert [name for name, command in COMMANDS.items() if not (command.__doc__ or "").strip()] == []
