"""docs/proof.md: an information-governance officer finds what was disclosed to whom with the very commands of the page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.demo.pictures import photo
from gateway.demo.samples import COLLEAGUE, SAMPLES, SENDER, STRANGER
from tests.support.installation import Installation, until
from tests.support.needs import needs
from tests.support.paths import ROOT

pytestmark = pytest.mark.e2e

PAGE = (ROOT / "docs" / "proof.md").read_text(encoding="utf-8")
PLACES, BY_PEOPLE, BY_PICTURE, DECISIONS, CHAIN = re.findall(r"```sh\n(.*?)```", PAGE, re.S)


def shell(site: Installation, command: str, **names: str) -> str:
    """One block of the page with the installation's own paths."""
    told = site.settings()
    places = {
        "records": f"{told['quarantine']['state']}/records.sqlite",
        "journal": f"{told['state']}/journal",
        "audit": f"{told['quarantine']['state']}/audit.jsonl",
    }
    assert all(f"{name}=" in PLACES for name in places)
    env = {
        **os.environ,
        **places,
        **names,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_question_of_the_page_is_answered(tmp_path: Path) -> None:
    """By people and day, by the picture sent and the picture received, what was decided, and that the audit is whole."""
    needs("sqlite3", "jq", "sha256sum", "bash")
    samples = {sample.name: sample for sample in SAMPLES}
    with Installation(tmp_path / "site") as site:
        sent = samples["photo, consent by subject tag"]
        assert site.send(sent.build(), (COLLEAGUE,))[0] == 250
        assert site.send(samples["photo to an unapproved domain"].build(), (STRANGER,))[0] == 250
        (hold,) = site.holds(1)
        site.cli("hold", "refuse", hold["ref"], "domain.unknown")
        people = until(lambda: COLLEAGUE in (told := shell(site, BY_PEOPLE)) and told, "the outcome in the records")
        row = next(line for line in people.splitlines() if COLLEAGUE in line)
        assert all(word in row for word in (SENDER, "delivered", "route", "given", "CARE"))
        assert STRANGER not in people

        picture = tmp_path / "from-the-phone.jpg"
        picture.write_bytes(photo(2))
        (found,) = map(json.loads, shell(site, BY_PICTURE, picture=str(picture)).splitlines())
        line = found["recipients"][0]
        assert line.pop("register")
        assert line == {
            "domain": COLLEAGUE.partition("@")[2], "state": "delivered", "rule": "CARE", "consent": "given", "form": "verbal",
            "purpose": None, "reasons": ["consent.stated", "purpose.inferred"],
        }  # fmt: skip
        assert found["outcomes"] in row

        decided = [json.loads(line) for line in shell(site, DECISIONS, ref=hold["ref"]).splitlines()]
        assert [line["event"] for line in decided] == ["held", "refuse"]
        assert decided[1]["actor"] and decided[1]["reason"] == "domain.unknown"
        assert "lines in order" in shell(site, CHAIN)
