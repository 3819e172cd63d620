"""The fixture other tests stand on: an installation starts, takes mail, tells what became of it, and ends without a trace."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from gateway.demo.samples import COLLEAGUE, SAMPLES, SENDER, STRANGER
from tests.support.installation import Installation, listening, merged, until

pytestmark = pytest.mark.e2e


def test_an_installation_takes_mail_holds_and_notifies_and_leaves_no_process(tmp_path: Path) -> None:
    """One consented photo arrives, one to an unapproved domain is held and its sender told; afterwards nothing runs."""
    with Installation(tmp_path, limits={"deadline_seconds": 60}) as site:
        pids = [program.pid for program in site.programs.values()]
        pids += [child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)]
        photo = next(sample for sample in SAMPLES if "subject tag" in sample.name)
        stranger = next(sample for sample in SAMPLES if "unapproved" in sample.name)
        assert site.send(photo.build(), photo.recipients)[0] == 250
        assert len(site.mails(COLLEAGUE, 1)) == 1
        assert site.event()["recipients"][0]["state"] == "delivered"
        assert site.send(stranger.build(), (STRANGER,))[0] == 250
        assert [hold["state"] for hold in site.holds(1)] == ["QUARANTINED"]
        until(lambda: any(STRANGER in mail.read_text() for mail in site.mails(SENDER)), "a notice about the held one")
        site.kill("gateway")
        site.start("gateway")
        assert site.send(photo.build("Another [consent verbal]"), photo.recipients)[0] == 250
        port = site.port
    assert not listening(port)
    assert [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE] == []


def test_overrides_are_merged_and_none_removes() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None, "e": 3}, "d": [2]}) == {"a": {"c": 2, "e": 3}, "d": [2]}
