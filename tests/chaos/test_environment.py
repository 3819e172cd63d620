"""The ground gives way: disk full, read-only, database gone or spoilt.  Image-free mail flows on; a photo waits upstream (451).

P1 and P2: what cannot be held is never lost and never let through; when the ground is back, everything ends as it should.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from gateway.demo.samples import COLLEAGUE, STRANGER
from tests.support import mounts
from tests.support.aftermath import both_listeners, notices, of_sender, sealed
from tests.support.canaries import judge
from tests.support.installation import Installation, free_port
from tests.support.letters import DOMAIN, canary_photo, letter
from tests.support.mta import Queued, attempt, persist

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

Fault = Callable[[Installation], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Store and state each on a small file system of their own."""
    folder = tmp_path_factory.mktemp("ground")
    with ExitStack() as stack:
        for name in ("store", "gateway"):
            stack.enter_context(mounts.small(folder / name))
        made = Installation(folder, quarantine={"merge_window": 0.5, "poll": 0.1})
        both_listeners(made, made.ports.gateway, free_port())
        stack.enter_context(made)
        persist(made.port, "SMTP", queued("warm"))
        yield made


def queued(name: str, recipient: str = COLLEAGUE, pictures: int = 1) -> Queued:
    sender = f"{name}@{DOMAIN}"
    return Queued(f"Q{name}", sender, (recipient,), letter(sender, (recipient,), pictures=(canary_photo(),) * pictures))


def copies(site: Installation, message: Queued) -> int:
    assert site.mailbox is not None
    leak = judge()
    mails = [mail.read_bytes() for mail in site.mailbox.mails(message.recipients[0])]
    mine = [mail for mail in mails if f"From: <{message.sender}>".encode() in mail]
    assert message.sender.startswith("text") or all(leak(mail) is None for mail in mine)
    return len(mine)


def store_full(site: Installation) -> AbstractContextManager[None]:
    return mounts.full(site.folder / "store")


@contextlib.contextmanager
def store_read_only(site: Installation) -> Iterator[None]:
    """The quarantine service lets go first: a file system with files open for writing cannot be made read-only."""
    site.stop("quarantine")
    with mounts.read_only(site.folder / "store"):
        yield
    site.start("quarantine")


def state_full(site: Installation) -> AbstractContextManager[None]:
    return mounts.full(site.folder / "gateway")


@contextlib.contextmanager
def state_read_only(site: Installation) -> Iterator[None]:
    """Found read-only at start, as after a disk error."""
    site.stop("gateway")
    with mounts.read_only(site.folder / "gateway"):
        site.start("gateway")
        yield


@contextlib.contextmanager
def ledger_spoilt(site: Installation) -> Iterator[None]:
    """Somebody wrote over the database."""
    ledger = site.folder / "gateway" / "ledger.sqlite"
    for suffix in ("-wal", "-shm"):
        Path(f"{ledger}{suffix}").unlink(missing_ok=True)
    ledger.rename(ledger.with_suffix(".was"))
    ledger.write_bytes(os.urandom(40_960))
    try:
        yield
    finally:  # as the howto says: move the spoilt file away
        ledger.unlink()


@contextlib.contextmanager
def ledger_is_a_folder(site: Installation) -> Iterator[None]:
    """There can be no database at all."""
    ledger = site.folder / "gateway" / "ledger.sqlite"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{ledger}{suffix}").unlink(missing_ok=True)
    ledger.mkdir()
    try:
        yield
    finally:
        ledger.rmdir()


@contextlib.contextmanager
def nothing_can_be_written(site: Installation) -> Iterator[None]:
    with store_full(site), state_full(site):
        yield


FAULTS: tuple[Fault, ...] = (
    store_full,
    store_read_only,
    state_full,
    state_read_only,
    ledger_spoilt,
    ledger_is_a_folder,
    nothing_can_be_written,
)


@pytest.mark.parametrize("protocol", ["SMTP", "LMTP"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_text_flows_photos_wait_upstream_and_all_is_well_afterwards(site: Installation, fault: Fault, protocol: str) -> None:
    """DESIGN section 2: the outage of what holds stops neither image-free mail nor, for ever, anything else."""
    name = f"{fault.__name__.replace('_', '.')}.{protocol.lower()}"
    port = next(int(one["port"]) for one in site.settings()["listeners"] if one["protocol"] == protocol)
    texts = [queued(f"text{number}.{name}", STRANGER, 0) for number in range(3)]
    held, sent = queued(f"held.{name}", STRANGER), queued(f"sent.{name}")
    with fault(site):
        for text in texts:
            assert attempt(port, protocol, text) == {STRANGER: 250}
        assert attempt(port, protocol, held) == {STRANGER: 451}
        assert attempt(port, protocol, sent)[COLLEAGUE] in (250, 451)
        assert copies(site, held) == 0
        assert of_sender(sealed(site), held.sender) == []
        tries = copies(site, sent)
    assert [copies(site, text) for text in texts] == [1, 1, 1]
    assert persist(port, protocol, held) == {STRANGER: 250}
    assert persist(port, protocol, sent) == {COLLEAGUE: 250}
    assert copies(site, held) == 0
    assert copies(site, sent) == 1, f"{tries} during the fault"
    (hold,) = of_sender(sealed(site), held.sender)
    assert hold.content == held.data
    assert len(notices(site, held.sender)) == 1


def test_a_ledger_that_vanished_is_made_anew(site: Installation) -> None:
    """Writing on to a file that nobody can find again would be writing to nowhere."""
    first, second = queued("vanished.1", STRANGER), queued("vanished.2", STRANGER)
    assert attempt(site.port, "SMTP", first) == {STRANGER: 250}
    for suffix in ("", "-wal", "-shm"):
        Path(f"{site.folder / 'gateway' / 'ledger.sqlite'}{suffix}").unlink(missing_ok=True)
    assert attempt(site.port, "SMTP", second) == {STRANGER: 250}
    assert (site.folder / "gateway" / "ledger.sqlite").exists()
    assert len(of_sender(sealed(site), second.sender)) == 1


def test_without_the_quarantine_service_mail_is_held_and_delivered_all_the_same(site: Installation) -> None:
    """Its database is an index: its outage stops neither holding nor delivering (DESIGN section 2)."""
    site.stop("quarantine")
    held, sent = queued("alone.held", STRANGER), queued("alone.sent")
    assert attempt(site.port, "SMTP", held) == {STRANGER: 250}
    assert attempt(site.port, "SMTP", sent) == {COLLEAGUE: 250}
    assert len(of_sender(sealed(site), held.sender)) == 1
    assert copies(site, sent) == 1
    records = site.folder / "quarantine" / "records.sqlite"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{records}{suffix}").unlink(missing_ok=True)
    site.start("quarantine")
    assert len(notices(site, held.sender)) == 1
    assert [one["state"] for one in site.holds(1) if one["sender"] == held.sender] == ["QUARANTINED"]


def test_faults_are_told_by_type_and_nothing_of_the_mail_is_logged(site: Installation) -> None:
    """P5, and somebody must be able to find out: the log names what could not be made durable."""
    log = site.log("gateway")
    for event in ("commit.not-durable", "journal.failed", "attempts.uncounted"):
        assert event in log
    assert "Traceback" not in log, log[log.index("Traceback") : log.index("Traceback") + 2000]
    assert "CANARY" not in log
    assert DOMAIN not in log.replace(f"gateway.{DOMAIN}", "")
