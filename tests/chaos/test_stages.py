"""Each stage of the pipeline, in the real compute process, made to raise, hang or lie.

P2: in enforce the message is held or answered 4yz, never delivered unchecked; in observe the original is delivered.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.demo.samples import COLLEAGUE
from tests.support.aftermath import both_listeners, notices, sealed
from tests.support.canaries import judge
from tests.support.installation import Installation, free_port
from tests.support.letters import DOMAIN, canary_photo, letter
from tests.support.mta import Queued, attempt
from tests.support.paths import ROOT
from tests.support.sabotage.stages import NAMES

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

HOWS = ("raise", "hang", "lie")
WATCHED = "watched.example"  # a sender domain of ours whose mail is only observed
SECONDS = 1.5  # the compute limit: a machine under load must still plan an honest message in it


@dataclass(frozen=True)
class Tried:
    """One sabotaged message and what it was answered."""

    message: Queued
    answers: dict[str, int]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(
        tmp_path_factory.mktemp("stages"),
        env={"PYTHONPATH": f"{Path(__file__).parents[1] / 'support' / 'sabotage'}:{ROOT}"},
        limits={"compute_processes": 6, "compute_seconds": SECONDS},
        opening={"recognise": 0},  # each process would start a sandbox within that limit
        log_level="DEBUG",
        quarantine={"merge_window": 0.5, "poll": 0.1},
    )
    both_listeners(made, made.ports.gateway, free_port())
    made.policy(
        settings={"own_domains": [DOMAIN, WATCHED]},
        sender_groups={"watched": {"domains": [WATCHED]}},
        modes={"default": "enforce", "groups": {"watched": "observe"}},
    )
    with made:
        yield made


@pytest.fixture(scope="module")
def tried(site: Installation) -> dict[tuple[str, str, str], Tried]:
    """Every stage x failure x mode at once: what hangs, hangs side by side."""
    cases = [(stage, how, mode) for stage in (*NAMES, "process") for how in HOWS for mode in (DOMAIN, WATCHED)]
    messages = {case: queued(*case) for case in cases}
    with ThreadPoolExecutor(len(cases)) as pool:
        answers = pool.map(lambda one: attempt(site.port, "SMTP", one), messages.values())
        return {case: Tried(sent, got) for (case, sent), got in zip(messages.items(), answers, strict=True)}


def queued(stage: str, how: str, domain: str) -> Queued:
    sender = f"{stage}.{how}@{domain}"
    data = letter(sender, (COLLEAGUE,), pictures=(canary_photo(),), headers={"X-Sabotage": f"{stage} {how}"})
    return Queued(f"Q{stage}{how}{domain[:1]}", sender, (COLLEAGUE,), data)


def arrived(site: Installation, sender: str) -> list[bytes]:
    assert site.mailbox is not None
    mails = [mail.read_bytes() for mail in site.mailbox.mails(COLLEAGUE)]
    return [mail for mail in mails if f"From: <{sender}>".encode() in mail]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("stage", [*NAMES, "process"])
def test_a_failing_stage_holds_in_enforce(
    site: Installation, tried: dict[tuple[str, str, str], Tried], stage: str, how: str
) -> None:
    """P1, P2: one sealed hold, the sender told; nothing of the image at the next hop."""
    one = tried[stage, how, DOMAIN]
    leak = judge()
    got = arrived(site, one.message.sender)
    assert all(leak(mail) is None for mail in got), "delivered unchecked"
    assert got == []
    assert one.answers == {COLLEAGUE: 250}
    holds = [hold for hold in sealed(site) if hold.meta["envelope"]["sender"] == one.message.sender]
    assert [hold.content for hold in holds] == [one.message.data]
    assert holds[0].meta["releases"] == "mail-admin"
    assert len(notices(site, one.message.sender)) == 1


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("stage", [*NAMES, "process"])
def test_a_failing_stage_passes_the_original_in_observe(
    site: Installation, tried: dict[tuple[str, str, str], Tried], stage: str, how: str
) -> None:
    """DESIGN section 2, modes: the original bytes go whatever happens."""
    one = tried[stage, how, WATCHED]
    assert one.answers == {COLLEAGUE: 250}
    (mail,) = arrived(site, one.message.sender)
    assert mail.endswith(one.message.data)
    added = mail.removesuffix(one.message.data).decode()
    assert [line.partition(":")[0] for line in added.splitlines() if line[:1] not in " \t"] in (
        ["Return-Path", "Received"],
        ["Return-Path"],
    )


def test_no_exception_text_is_logged_or_answered(site: Installation, tried: dict[tuple[str, str, str], Tried]) -> None:
    """P5: the text of an exception may quote what it tripped over; log level DEBUG included."""
    assert tried
    for name in ("gateway", "quarantine"):
        assert "CANARY" not in site.log(name)
        assert "Traceback" not in site.log(name), site.log(name)[-3000:]
