"""``clinigate learn-logo`` writes into a file that people edit: everything of theirs stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.commands import learnlogo
from gateway.commands.learnlogo import with_logos
from gateway.config import load
from gateway.demo.setup import Ports, prepare
from tests.support.needs import missing

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


@pytest.mark.slow
def test_whoever_could_read_the_policy_still_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Symptom: after ``sudo clinigate learn-logo`` the gateway could not read its policy.  Cause: the new file was root's."""
    if os.geteuid() != 0:
        missing("root")
    config = prepare(tmp_path, Ports(1, 2, 3))
    policy = load(config).policy / "policy.yaml"
    policy.chmod(0o640)
    os.chown(policy, 12345, 12346)
    monkeypatch.setattr(learnlogo, "_entries", lambda path: [("ab" * 32, path.name)])
    (tmp_path / "logo.png").touch()
    done = CliRunner().invoke(app, ["learn-logo", str(tmp_path / "logo.png"), "--config", str(config)])
    assert done.exit_code == 0 and "1 added, 0 known already" in done.output, done.output
    assert "ab" * 32 in policy.read_text()
    assert (policy.stat().st_uid, policy.stat().st_gid, policy.stat().st_mode & 0o777) == (12345, 12346, 0o640)
