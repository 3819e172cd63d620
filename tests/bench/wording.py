"""What looking for links and words costs: ``python -m tests.bench.wording``.  Processor time, best of several rounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from gateway.evidence.wording import wording
from gateway.message import parse
from gateway.opening.leaves import open_leaves
from gateway.pipeline import plan
from tests.ordinary.kinds import html, prose
from tests.support.contexts import context, received

LINK = '<a href="https://n.example/x?y=1&amp;z=2">see</a><p style="font-family:Calibri">'


def mail(kind: str, size: int) -> bytes:
    """One mail whose text has about ``size`` characters."""
    rng, body = Random(1), ""
    while len(body) < size:
        body += html(rng, LINK) if kind == "html" else prose(rng)
    head = "From: dr.adams@clinic.example\nTo: dr.lee@royal-example.example\nSubject: rota\nMIME-Version: 1.0\n"
    return f"{head}Content-Type: text/{kind}; charset=utf-8\n\n{body[:size]}\n".replace("\n", "\r\n").encode()


def best(work: Callable[[], object], number: int, rounds: int = 7) -> float:
    """Microseconds of one call."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(number):
            work()
        found.append((time.process_time() - start) / number)
    return min(found) * 1e6


def main() -> None:
    """Prints one line a kind and size."""
    made = context("enforce")
    for kind in ("html", "plain"):
        for size in (2000, 20_000):
            raw = mail(kind, size)
            message, mail_received = parse(raw), received(raw)
            leaves = open_leaves(message, made.tools, made.budget(), made.decoration("dr.adams@clinic.example"))
            words = best(lambda m=message, seen=leaves: wording(m, seen, made.policy.words, (), "new", False), 100)  # type: ignore[misc]  # bound now
            whole = best(lambda one=mail_received: plan(made, one), 30, 5)  # type: ignore[misc]  # bound now
            print(f"{kind:5} {size:6} characters: {words:5.0f} µs of {whole:6.0f} µs for steps 2 to 10 ({words / whole:.1%})")


if __name__ == "__main__":
    main()
