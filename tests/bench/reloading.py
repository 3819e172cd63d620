"""From a changed file to the policy in force, with mail going through: ``python -m tests.bench.reloading [DOMAINS]``.

A whole gateway with two compute processes and a register of a hundred thousand domains; one organisation gets another name, five
times.  Prints the seconds from the new file to the digest that ``/healthz`` tells, and how long small mails took meanwhile.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import textwrap
import threading
import time
import urllib.request
from pathlib import Path

from gateway.demo.samples import COLLEAGUE, SENDER
from policies.domains.blocks import cut
from tests.bench.test_register_bench import entry
from tests.support import installation
from tests.support.installation import Installation

ROUNDS = 5
LETTER = f"From: {SENDER}\r\nTo: {COLLEAGUE}\r\nSubject: hello\r\n\r\nhello\r\n".encode()


def filled(register: Path, count: int) -> None:
    """Put so many domains behind those of the demo."""
    pieces = cut(register.read_text("utf-8"), "domains")
    assert pieces is not None
    indent = pieces.blocks[0][: pieces.blocks[0].index("-")]
    more = "".join(textwrap.indent(textwrap.dedent(entry(number)), indent) for number in range(count))
    register.write_text(pieces.before + "".join(pieces.blocks).rstrip("\n") + "\n" + more + pieces.after, "utf-8")


class Mails:
    """Small mails, one after the other, until told to stop."""

    def __init__(self, site: Installation) -> None:
        self._site, self._over = site, threading.Event()
        self.took: list[tuple[float, float]] = []  # when one began, and how long it took
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def between(self, start: float, end: float) -> list[float]:
        return [seconds for at, seconds in self.took if start <= at <= end]

    def _send(self) -> None:
        while not self._over.is_set():
            start = time.monotonic()
            self._site.send(LETTER, (COLLEAGUE,))
            self.took.append((start, time.monotonic() - start))
            time.sleep(0.02)


def digest(site: Installation) -> str:
    """Of the policy in force."""
    with urllib.request.urlopen(f"http://127.0.0.1:{site.ports.metrics}/healthz", timeout=30) as answer:
        return str(json.loads(answer.read())["policy"])


def changed(site: Installation, number: int) -> tuple[float, float]:
    """Give one organisation another name; when that was written, and when it was in force."""
    register, before = site.folder / "policies" / "domains.yaml", digest(site)
    text = register.read_text("utf-8").replace(f"name: Clinic {number},", f"name: Clinic {number} again,", 1)
    new = register.with_name(".new")
    new.write_text(text, "utf-8")
    start = time.monotonic()
    new.replace(register)
    while digest(site) == before:
        time.sleep(0.02)
    return start, time.monotonic()


def main(count: int) -> None:
    installation.START_SECONDS = 180.0
    with tempfile.TemporaryDirectory() as name:
        site = Installation(Path(name), limits={"compute_processes": 2})
        filled(site.folder / "policies" / "domains.yaml", count)
        with site:
            mails = Mails(site)
            for number in range(ROUNDS):
                time.sleep(5)
                start, end = changed(site, 500 + number)
                time.sleep(3)
                took = mails.between(start, end + 3)
                print(
                    f"{count} domains: in force after {end - start:.2f} s; {len(took)} mails meanwhile, "
                    f"half in {statistics.median(took) * 1e3:.0f} ms, the longest {max(took) * 1e3:.0f} ms"
                )
            mails.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
