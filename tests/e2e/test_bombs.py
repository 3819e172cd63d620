"""Bombs through the whole gateway: each ends in a hold for a reason, in time, in memory, and nobody else's mail waits for it."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path

import psutil
import pytest

from gateway.demo.samples import COLLEAGUE
from tests.support.aftermath import of_sender, sealed
from tests.support.bombs import BOMBS, MIB
from tests.support.installation import Installation, until
from tests.support.letters import DOMAIN, letter
from tests.support.needs import needs

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SECONDS = 60.0  # of one bomb on a busy machine; the gateway's own limit for one message is 20
PROMPT = 15.0  # of a plain text meanwhile, on the same machine
MEMORY = 1_000 * MIB  # resident, of any one process: below the address space that it may have
REASONS = {"opaque.limit", "opaque.corrupt"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(
        tmp_path_factory.mktemp("bombs"), limits={"compute_processes": 2}, quarantine={"merge_window": 0.5, "poll": 0.1}
    ) as made:
        yield made


class Watch(threading.Thread):
    """The most that any one process of the gateway kept in memory."""

    def __init__(self, site: Installation) -> None:
        super().__init__(daemon=True)
        self.top, self.most, self.ended = psutil.Process(site.programs["gateway"].pid), 0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.05):
            for one in (self.top, *self.top.children(recursive=True)):
                try:
                    self.most = max(self.most, one.memory_info().rss)
                except psutil.Error:
                    continue  # it ended this very moment

    def stop(self) -> int:
        self.ended.set()
        self.join()
        return self.most


def mail(sender: str, name: str, data: bytes) -> bytes:
    """One message with one file, and every permission a sender can give."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = f"<{sender}>", COLLEAGUE, "Second opinion [consent verbal]"
    made["Message-ID"] = f"<{sender}>"
    made.set_content("Dear colleague\n")
    made.add_attachment(data, "application", "octet-stream", filename=name)
    return made.as_bytes()


@cache
def seven_zip() -> bytes:
    """Half a gigabyte of zeros in a 7z file, made by 7z itself."""
    needs("7z")
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "zeros").write_bytes(bytes(600 * MIB))
        subprocess.run([shutil.which("7z") or "7z", "a", "-mx=1", "a.7z", "zeros"], cwd=folder, capture_output=True, check=True)
        return (Path(folder) / "a.7z").read_bytes()


def quadratic(count: int = 20_000) -> bytes:
    """Multiparts in multiparts whose boundaries begin alike, and as many lines that are nearly one."""
    name = "b" * 60
    head = f"From: <quadratic@{DOMAIN}>\r\nTo: {COLLEAGUE}\r\nSubject: [consent verbal]\r\nMessage-ID: <quadratic@{DOMAIN}>\r\n"
    parts = "".join(
        f'--{name}{level}\r\nContent-Type: multipart/mixed; boundary="{name}{level + 1}"\r\n\r\n' for level in range(200)
    )
    return (
        f'{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{name}0"\r\n\r\n'
        + parts
        + f"--{name}\r\n" * count
        + f"--{name}0--\r\n"
    ).encode()


def sent(site: Installation, sender: str, message: bytes) -> tuple[set[str], float, int]:
    """(reasons of the hold, seconds, most memory), while plain mails go through beside it."""
    watch = Watch(site)
    watch.start()
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        bomb = pool.submit(site.send, message, (COLLEAGUE,), sender)
        number = 0
        while not bomb.done() or not number:
            number += 1
            plain = f"plain-{number}-{sender}"
            at = time.monotonic()
            assert site.send(letter(plain, (COLLEAGUE,), "Minutes"), (COLLEAGUE,), plain)[0] == 250
            assert time.monotonic() - at < PROMPT, "a plain text is answered promptly"
            time.sleep(0.2)
        assert bomb.result()[0] == 250
    taken = time.monotonic() - began
    held = until(lambda: of_sender(sealed(site), sender), "a hold")
    return set(held[0].meta["reasons"]), taken, watch.stop()


def check(site: Installation, sender: str, message: bytes) -> None:
    reasons, taken, memory = sent(site, sender, message)

    assert reasons & REASONS, reasons
    assert taken < SECONDS
    assert memory < MEMORY
    assert site.mailbox is not None
    assert not any(f"From: <{sender}>".encode() in one.read_bytes() for one in site.mailbox.mails(COLLEAGUE)), "nothing left"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_held(site: Installation, name: str) -> None:
    """Within the limits of time and memory, with a reason that says limit or damage; mail beside it is answered at once."""
    extension, make = BOMBS[name]
    sender = f"{name.lower().replace(' ', '-').replace(',', '')}@{DOMAIN}"
    check(site, sender, mail(sender, f"case.{extension}", make()))


@pytest.mark.timeout(180)
def test_half_a_gigabyte_in_a_7z_is_held(site: Installation) -> None:
    sender = f"seven@{DOMAIN}"
    check(site, sender, mail(sender, "case.7z", seven_zip()))


@pytest.mark.timeout(180)
def test_quadratic_mime_is_held(site: Installation) -> None:
    """Or refused at once: no reader agrees with another about it."""
    reasons, taken, memory = sent(site, f"quadratic@{DOMAIN}", quadratic())
    assert reasons
    assert taken < SECONDS
    assert memory < MEMORY
