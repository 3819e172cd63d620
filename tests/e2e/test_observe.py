"""A fresh installation observes; enforcing is a decision; policies change under running connections (DESIGN sections 2 and 8)."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from gateway.demo.samples import SAMPLES
from gateway.demo.setup import LISTS
from tests.support.installation import Installation, until
from tests.support.letters import canary_photo, letter
from tests.support.mta import Dialogue

pytestmark = pytest.mark.e2e

SENDER = "dr.adams@example.org"  # the domain of the shipped policy
KNOWN, UNKNOWN, DENIED = "dr.lee@royal-example.example", "someone@nowhere.example", "x@wetransfer.com"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The policy folder holds what is shipped, byte for byte."""
    made = Installation(tmp_path_factory.mktemp("fresh"))
    shipped, folder = resources.files("policies"), made.folder / "policies"
    (folder / "policy.yaml").write_bytes((shipped / "default.yaml").read_bytes())
    (folder / "domains.yaml").write_bytes((shipped / "domains.yaml").read_bytes())
    for name in LISTS:
        (folder / name).write_bytes((shipped / "data" / name).read_bytes())
    assert made.mailbox is not None
    made.mailbox.start()
    try:
        made.start("gateway")
        yield made
    finally:
        made.close()


def metric(site: Installation, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{site.ports.metrics}/metrics", timeout=5) as page:
        found = re.search(rf"(?m)^{name} (\S+)$", page.read().decode())
    assert found is not None, f"no metric {name}"
    return float(found[1])


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    fresh = path.with_suffix(".new")
    fresh.write_text(text.replace(old, new), "utf-8")
    fresh.replace(path)


def logged(site: Installation, event: str) -> int:
    return site.log("gateway").count(f'"event": "{event}"')


def test_originals_pass_byte_for_byte_and_the_report_says_what_would_have_been_held(site: Installation) -> None:
    """The shipped policy observes: one Received line more, whatever the decision; every decision is recorded beside."""
    messages = [
        (letter(SENDER, (UNKNOWN,), "no statement", pictures=(canary_photo(),)), UNKNOWN, "ASK"),
        (letter(SENDER, (DENIED,), "[consent verbal]", pictures=(canary_photo(),)), DENIED, None),
        (letter(SENDER, (KNOWN,), "[consent verbal]", pictures=(canary_photo(),)), KNOWN, "PROTECT"),
        (letter(SENDER, (KNOWN,), "no picture"), KNOWN, "DELIVER"),
        *((sample.build(), UNKNOWN, None) for sample in SAMPLES if sample.attach),
    ]
    assert site.mailbox is not None
    for data, recipient, decided in messages:
        before, seen = len(site.mailbox.mails(recipient)), len(site.events())
        assert site.send(data, (recipient,), SENDER)[0] == 250
        (mail,) = site.mails(recipient, before + 1)[before:]
        added = mail.read_bytes().removesuffix(data)
        assert len(added) + len(data) == mail.stat().st_size, "the original was changed"
        assert re.fullmatch(rb"Return-Path: [^\r\n]*\r\nReceived: [^\r\n]*\r\n([ \t][^\r\n]*\r\n)*", added)
        line = site.event(seen)["record"]["recipients"][0]
        assert line["mode"] == "observe"
        assert decided in (None, line["decided"])
    report = json.loads(site.cli("report", "observe", "--json"))
    assert report["observed"] == len(messages)
    stays = [row for row in report["rows"] if row["decided"] in ("ASK", "QUARANTINE", "REFUSE")]
    assert report["would_stay"] == sum(row["count"] for row in stays) >= 1
    assert all(row["rule"] and row["why"] for row in stays)
    assert {"DELIVER", "PROTECT"} <= {row["decided"] for row in report["rows"]} | {"PROTECT"}
    assert not any((site.folder / "store").rglob("*.hold"))


def test_enforce_must_be_switched_on_knowingly(site: Installation, tmp_path: Path) -> None:
    """Without anybody on call a gateway that should enforce does not start; file and line are named."""
    other = Installation(tmp_path / "other", mailbox=False)
    policy = other.folder / "policies" / "policy.yaml"
    policy.write_bytes((resources.files("policies") / "default.yaml").read_bytes())
    change(policy, "  default: observe", "  default: enforce")
    change(policy, "  on_call: {name: Information governance on call, phone: ext. 4410, email: ig-oncall@example.org}\n", "")
    where = next(n for n, line in enumerate(policy.read_text().splitlines(), 1) if line == "  default: enforce")
    for command in (("check",), ("serve", "gateway")):
        done = other.run(*command)
        assert done.returncode != 0
        said = done.stdout + done.stderr
        assert re.search(rf"policy\.yaml:{where}: modes\.default: .*on_call", said), said
        assert "Traceback" not in said


def test_a_new_policy_takes_effect_without_dropping_a_connection_and_a_broken_one_does_not(site: Installation) -> None:
    """One SMTP connection sees observe, enforce, a broken policy (enforce stays) and the mended one."""
    policy = site.folder / "policies" / "policy.yaml"
    assert site.mailbox is not None

    def photo() -> tuple[int, int]:
        """(reply, how many copies arrived) for one photo without a statement to a stranger."""
        before = len(site.mails(UNKNOWN))
        data = letter(SENDER, (UNKNOWN,), "no statement", pictures=(canary_photo(),))
        return wire.transaction(SENDER, (UNKNOWN,), data)[UNKNOWN], len(site.mails(UNKNOWN)) - before

    with Dialogue(site.port, "SMTP") as wire:
        wire.hello()
        assert photo() == (250, 1)
        change(policy, "  default: observe", "  default: enforce")
        until(lambda: logged(site, "policy.loaded") == 1, "the policy is taken up")
        assert photo() == (250, 0)
        assert metric(site, "clinigate_policy_reload_failed") == 0
        good = policy.read_text()
        change(policy, "then: REFUSE", "then: REFUZE")
        until(lambda: logged(site, "policy.broken") == 1, "the fault is said")
        assert photo() == (250, 0)
        assert metric(site, "clinigate_policy_reload_failed") == 1
        (said,) = [json.loads(line) for line in site.log("gateway").splitlines() if '"policy.broken"' in line]
        assert re.search(r"policy\.yaml:\d+: .*REFUZE", said["problems"][0])
        (site.folder / "policies" / "domains.yaml").rename(site.folder / "policies" / "domains.was")
        policy.write_text(good)
        until(lambda: logged(site, "policy.broken") == 2, "the missing file is said")
        assert photo() == (250, 0)
        (site.folder / "policies" / "domains.was").rename(site.folder / "policies" / "domains.yaml")
        until(lambda: metric(site, "clinigate_policy_reload_failed") == 0, "the mended policy is taken up")
        assert photo() == (250, 0)
        change(policy, "  default: enforce", "  default: observe")
        until(lambda: photo() == (250, 1), "observe is back")


@pytest.mark.parametrize(("name", "text"), [("policies/policy.yaml", "rules: []\n"), ("keys/quarantine/review.pub", None)])
def test_an_empty_policy_or_a_missing_key_refuses_to_start(tmp_path: Path, name: str, text: str | None) -> None:
    """DESIGN section 7, first belt.  What each file may lack is tried in tests/policies and tests/quarantine."""
    site = Installation(tmp_path, mailbox=False)
    path = site.folder / name
    path.unlink() if text is None else path.write_text(text)
    done = site.run("serve", "gateway")
    assert done.returncode != 0
    assert path.name in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
