"""Processes that are killed, hang or stop while messages are on their way (P1): the mail ends well, and nobody else's suffers."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from gateway.demo.samples import COLLEAGUE, STRANGER
from tests.support.aftermath import both_listeners, notices, of_sender, sealed
from tests.support.canaries import judge
from tests.support.installation import Installation, free_port, until
from tests.support.letters import DOMAIN, canary_photo, letter
from tests.support.mta import Queued, attempt, final, persist
from tests.support.paths import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LIMIT = 3.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(
        tmp_path_factory.mktemp("processes"),
        env={"PYTHONPATH": f"{Path(__file__).parents[1] / 'support' / 'sabotage'}:{ROOT}"},
        limits={"compute_processes": 2, "compute_seconds": LIMIT},
        quarantine={"merge_window": 0.5, "poll": 0.1},
    )
    both_listeners(made, made.ports.gateway, free_port())
    with made:
        yield made


def compute(site: Installation) -> list[psutil.Process]:
    """The gateway's compute processes, oldest first."""
    children = psutil.Process(site.programs["gateway"].pid).children()
    return sorted((one for one in children if "gateway.compute.worker" in one.cmdline()), key=lambda one: one.create_time())


def photo(name: str, recipients: tuple[str, ...] = (COLLEAGUE,), sabotage: str = "") -> Queued:
    sender = f"{name}@{DOMAIN}"
    headers = {"X-Sabotage": sabotage} if sabotage else {}
    return Queued(f"Q{name}", sender, recipients, letter(sender, recipients, pictures=(canary_photo(),), headers=headers))


def arrived(site: Installation, message: Queued, recipient: str = COLLEAGUE) -> list[bytes]:
    """Copies of ``message`` in a recipient's mailbox; none of them with a canary."""
    assert site.mailbox is not None
    leak = judge()
    mails = [mail.read_bytes() for mail in site.mailbox.mails(recipient)]
    mine = [mail for mail in mails if f"From: <{message.sender}>".encode() in mail]
    assert all(leak(mail) is None for mail in mine)
    return mine


def tries(site: Installation) -> int:
    """How many tries are begun and not finished."""
    return sum(file.stat().st_size for file in (site.folder / "gateway" / "attempts").iterdir())


def began(site: Installation, pool: ThreadPoolExecutor, message: Queued) -> Future[dict[str, int]]:
    """Send ``message`` in the background; returns when a compute process has it, all of which are stopped and answer nothing."""
    for one in compute(site):
        one.send_signal(signal.SIGSTOP)
    before = tries(site)
    sending = pool.submit(attempt, site.port, "SMTP", message)
    until(lambda: tries(site) > before, "the message is handed to a compute process")
    time.sleep(0.2)
    return sending


def test_a_compute_process_killed_in_the_middle_of_a_message_costs_nothing(site: Installation) -> None:
    """kill -9: the message is tried again in a fresh process and delivered once; the client never notices."""
    message = photo("killed")
    with ThreadPoolExecutor(2) as pool:
        sending = began(site, pool, message)
        gateway, doomed = psutil.Process(site.programs["gateway"].pid), compute(site)
        before = {one.pid for one in doomed}
        gateway.suspend()  # it sees all of them dead at once; one after the other would be as many tries
        for one in doomed:
            one.kill()
        until(lambda: all(one.status() == psutil.STATUS_ZOMBIE for one in doomed), "they are dead")
        gateway.resume()
        assert sending.result(30) == {COLLEAGUE: 250}
    assert len(arrived(site, message)) == 1
    assert before.isdisjoint(one.pid for one in compute(site))


def test_a_stopped_compute_process_is_killed_at_its_limit_and_the_message_lives(site: Installation) -> None:
    """SIGSTOP stands for a hang of C code: the wall clock decides, not the process."""
    message, other = photo("stopped"), photo("other")
    persist(site.port, "SMTP", photo("warm"))
    with ThreadPoolExecutor(2) as pool:
        sending = began(site, pool, message)
        started = time.monotonic()
        assert attempt(site.port, "SMTP", other) == {COLLEAGUE: 250}
        assert sending.result(30) == {COLLEAGUE: 250}
        assert time.monotonic() - started < 4 * LIMIT
    assert len(arrived(site, message)) == len(arrived(site, other)) == 1


@pytest.mark.parametrize("how", ["die", "hang"])
def test_a_message_that_always_ends_its_process_is_held_as_poison_and_others_are_not(site: Installation, how: str) -> None:
    """P1: counted before each try, held at the third, never retried for ever; it disturbs nobody."""
    message = photo(f"poison-{how}", sabotage=f"process {how}")
    others = [photo(f"beside-{how}-{number}") for number in range(4)]
    with ThreadPoolExecutor(5) as pool:
        sending = pool.submit(attempt, site.port, "SMTP", message)
        beside = [pool.submit(attempt, site.port, "SMTP", one) for one in others]
        assert [one.result(60) for one in beside] == [{COLLEAGUE: 250}] * 4
        assert sending.result(60) == {COLLEAGUE: 250}
    assert arrived(site, message) == []
    assert [len(arrived(site, one)) for one in others] == [1] * 4
    (hold,) = of_sender(sealed(site), message.sender)
    assert (hold.meta["rule"], hold.meta["releases"], hold.content) == ("poison", "mail-admin", message.data)
    assert len(notices(site, message.sender)) == 1


def test_a_message_that_ends_the_whole_gateway_is_poison_too(site: Installation) -> None:
    """The counter outlives the process: a message that takes the gateway down with it is held at the third try."""
    message = photo("deadly", sabotage="process hang")
    for _ in range(2):
        with ThreadPoolExecutor(1) as pool:
            before = tries(site)
            sending = pool.submit(attempt, site.port, "SMTP", message)
            until(lambda before=before: tries(site) > before, "the try is counted")
            site.kill("gateway")
            assert sending.result(30) == {COLLEAGUE: 0}
        site.start("gateway")
    started = time.monotonic()
    assert persist(site.port, "SMTP", message) == {COLLEAGUE: 250}
    assert time.monotonic() - started < LIMIT, "it was tried once more"
    (hold,) = of_sender(sealed(site), message.sender)
    assert hold.meta["rule"] == "poison"


def test_a_gateway_killed_with_twenty_messages_in_flight_loses_none(site: Installation) -> None:
    """P1, P2, P8: after SIGKILL in the middle of everything each message ends once for each recipient."""
    recipients = (COLLEAGUE, STRANGER)
    messages = [photo(f"flight-{number}", recipients) for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        sending = [pool.submit(attempt, site.port, "SMTP", one) for one in messages]
        until(lambda: any(one.done() for one in sending), "the first answer")
        site.kill("gateway")
        first = [one.result(30) for one in sending]
        assert not all(final(code) for one in first for code in one.values()), "killed too late to prove anything"
        site.start("gateway")
        for answers in pool.map(lambda pair: persist(site.port, "SMTP", *pair), zip(messages, first, strict=True)):
            assert set(answers.values()) == {250}
    holds = sealed(site)
    for message in messages:
        assert len(arrived(site, message)) in (1, 2), "lost, or sent more than twice"
        assert arrived(site, message, STRANGER) == []
        (hold,) = of_sender(holds, message.sender)
        assert [one["address"] for one in hold.meta["envelope"]["recipients"]] == [STRANGER]
    assert len(notices(site, messages[-1].sender)) == 1


def test_no_compute_process_outlives_its_gateway(site: Installation) -> None:
    """They end by themselves when the other end of their socket is gone."""
    orphans = compute(site)
    site.kill("gateway")
    until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in orphans), "end of the orphans", 10)
    site.start("gateway")


def test_a_quarantine_service_killed_at_any_moment_tells_and_takes_in_once(site: Installation) -> None:
    """Ingest and notices are idempotent: killed again and again while it works, every sender has exactly one notice."""
    messages = [photo(f"told-{number}", (STRANGER,)) for number in range(10)]
    site.stop("quarantine")
    with ThreadPoolExecutor(4) as pool:
        assert all(set(got.values()) == {250} for got in pool.map(lambda one: attempt(site.port, "SMTP", one), messages))
    for pause in (0.1, 0.3, 0.6):
        site.start("quarantine")
        time.sleep(pause)
        site.kill("quarantine")
    site.start("quarantine")
    for message in messages:
        said = notices(site, message.sender)
        ids = {line for mail in said for line in mail.read_text().splitlines() if line.startswith("Message-ID:")}
        assert len(ids) == 1, "two different notices for one message"
        assert len(said) <= 2, "a notice is repeated only where the relay's answer was lost"
    assert sum(len(notices(site, message.sender)) for message in messages) <= len(messages) + 3
    references = [hold["recipients"] for hold in site.holds(10) if hold["sender"].startswith("told-")]
    assert references == [[STRANGER]] * 10


def test_a_release_is_carried_out_once_however_often_the_service_is_killed(site: Installation) -> None:
    """The release id is the same at each try, and the gateway's ledger knows what it delivered under it."""
    message = photo("released", (STRANGER,))
    assert persist(site.port, "SMTP", message) == {STRANGER: 250}
    (hold,) = until(lambda: [one for one in site.holds() if one["sender"] == message.sender], "the hold")
    accepted = [word for reason in (*hold["reasons"], "protect.no-method") for word in ("--accept", reason)]
    site.stop("quarantine")
    with ThreadPoolExecutor(1) as pool:
        deciding = pool.submit(site.cli, "hold", "release", hold["ref"], *accepted)
        for pause in (0.1, 0.3, 0.5):
            site.start("quarantine")
            time.sleep(pause)
            site.kill("quarantine")
        site.start("quarantine")
        deciding.result(60)
    until(lambda: [one["state"] for one in site.holds() if one["ref"] == hold["ref"]] == ["RELEASED"], "the release")
    assert len(arrived(site, message, STRANGER)) == 1
