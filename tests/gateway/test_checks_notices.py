"""``clinigate check`` finds what would keep notices from being written, sent, or from naming the right number."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from gateway.checks import check_policy, check_quarantine, check_relay
from gateway.config import Settings, load
from gateway.demo.setup import Ports, prepare
from tests.support.installation import merged

pytestmark = [pytest.mark.unit, pytest.mark.slow]


def settings(folder: Path, **quarantine: object) -> Settings:
    path = prepare(folder, Ports(2525, 9464, 2526))
    path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), {"quarantine": quarantine})))
    return load(path)


async def test_a_language_without_templates_is_told_with_those_there_are(tmp_path: Path) -> None:
    """The service would not start with it."""
    (one,) = await check_quarantine(settings(tmp_path, language="cy"))
    assert (one.level, one.what) == ("error", "no folder for language cy; there are: en")


async def test_a_relay_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    """Mail would be held and nobody told."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        (one,) = await check_relay(settings(tmp_path, relay={"port": taken.getsockname()[1]}))
        assert one.level == "error" and "notices to senders could not leave" in one.what
        taken.listen()
        assert await check_relay(settings(tmp_path / "again", relay={"port": taken.getsockname()[1]})) == []


@pytest.mark.parametrize(("mode", "level"), [("enforce", "error"), ("observe", "warning")])
async def test_the_shipped_policys_example_contact_is_told(tmp_path: Path, mode: str, level: str) -> None:
    """It is never printed, so somebody must write the real one before people need it."""
    told = settings(tmp_path)
    path = told.policy / "policy.yaml"
    example = {"name": "IG on call", "phone": "ext. 1", "email": "ig-oncall@example.org"}
    changed = merged(yaml.safe_load(path.read_text()), {"settings": {"on_call": example}, "modes": {"default": mode}})
    path.write_text(yaml.safe_dump(changed, allow_unicode=True))
    found = {one.where: one.level for one in await check_policy(told)}
    assert found["policy.yaml: settings: on_call"] == level


async def test_a_mistake_in_a_template_is_told_with_file_and_line(tmp_path: Path) -> None:
    """Before the service would not start with it."""
    own = tmp_path / "notices" / "en"
    own.mkdir(parents=True)
    (own / "N-4.txt").write_text("[text]\nWhy: {why}\nPatient: {patient}\n", encoding="utf-8")
    (one,) = await check_quarantine(settings(tmp_path, templates=str(own.parent)))
    assert one.level == "error" and one.what.startswith("en/N-4.txt:3: {patient} may not stand in a notice")


async def test_what_another_language_lacks_is_a_warning(tmp_path: Path) -> None:
    """The English words stand in; nobody is left without a notice."""
    own = tmp_path / "notices" / "cy"
    own.mkdir(parents=True)
    (own / "frame.txt").write_text("[and]\na\n", encoding="utf-8")
    found = await check_quarantine(settings(tmp_path, templates=str(own.parent), language="cy"))
    assert {one.level for one in found} == {"warning"}
    assert any(one.what == "cy/N-1.txt is missing: the English words stand in its place" for one in found)
