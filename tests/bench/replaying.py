"""How fast past mail runs through a new policy: ``python -m tests.bench.replaying [MESSAGES]``.

Writes a journal like the gateway's own, of mail of many kinds to many domains over thirty days, and replays it as
`clinigate policy replay` does, reading the files included.  Prints messages a second by the clock and by the processor's time:
the machine may have other work.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway.commands.policy.replay import Tally, run
from policies.load import Policy, load_policy
from policies.model import Facts
from policies.record import to_record
from policies.replay import Replay
from tests.support.policyfacts import NOW, facts, files, image, recipient, shipped, statement

SEGMENT = 10_000  # messages


def stricter() -> Policy:
    """The shipped policy with agreement in words no longer enough for care."""
    text = files()["policy.yaml"].replace(b"consent: [written, verbal]", b"consent: [written]")
    return load_policy({**files(), "policy.yaml": text})


def mails(seed: int) -> Iterator[Facts]:
    """Facts of mail without end: 400 domains, 30 days, most of it of a few kinds."""
    chance = random.Random(seed)
    domains = [f"d{number}.example" for number in range(400)]
    while True:
        cls = chance.choices("OABCDE", (30, 40, 8, 4, 12, 6))[0]
        kind = chance.choices(("K3", "K1", "K9", "K8", "K5", "K4"), (60, 15, 15, 6, 2, 2))[0]
        said = chance.choices(("none", "v", "w", "i", "refused"), (30, 40, 20, 8, 2))[0]
        domain = domains[min(int(chance.paretovariate(0.8)), 399)]
        yield facts(
            cls,
            kind,
            statement(said, chance.choices(("P0", "P1", "P4", "P5"), (40, 50, 7, 3))[0]),
            at=NOW - timedelta(seconds=chance.randrange(30 * 86400)),
            recipient=recipient(cls, domain=domain),
            images=tuple(_picture(chance, kind, at) for at in range(chance.choices((1, 2, 4), (70, 20, 10))[0])),
            sender_group=chance.choice(("clinical", "clinical", "non-clinical", "ungrouped")),
            first_time=chance.random() < 0.2,
        )


def _picture(chance: random.Random, kind: str, at: int) -> Any:
    codes = frozenset(chance.sample(("exif.gps", "exif.device", "exif.thumbnail", "exif.date"), 2))
    digest = sha256(chance.randbytes(8)).hexdigest()
    return image(kind, part=f"1.{at + 2}", sha256=digest, codes=codes, pixels=chance.randrange(10_000_000))


def journal(folder: Path, count: int, seed: int = 4) -> None:
    """``count`` message events in segments; each as the gateway writes it."""
    source = mails(seed)
    for start in range(0, count, SEGMENT):
        with (folder / f"gateway-{start // SEGMENT:08d}.jsonl").open("wb") as segment:
            for _ in range(min(SEGMENT, count - start)):
                segment.write(json.dumps(_event(next(source)), separators=(",", ":")).encode() + b"\n")


def _event(told: Facts) -> dict[str, Any]:
    record = to_record(told)
    line = {
        "address": "0" * 32, "class": told.recipient.cls.value, "mode": "enforce", "kind": "K3", "action": "PROTECT",
        "decided": "PROTECT", "rule": "CARE", "reasons": ["consent.stated"], "words": "The patient's agreement is stated.",
        "help": "", "method": "smime", "notice": "N-3", "urgency": "routine", "alert": False, "consent": "given",
        "form": "verbal", "purpose": "COC", "expires": None, "facts": record,
    }  # fmt: skip
    words = ("part", "sha256", "format", "kind", "codes")
    images = [{key: one[key] for key in words} | {"scrubbed": one["sha256"]} for one in record["images"]]
    fate = {"domain": told.recipient.domain, "outcome": "sent", "state": "delivered", "rule": "CARE", "method": "smime"}
    whole = {
        "policy": "2" * 64, "sender": "3" * 32, "sender_domain": "example.org", "identity": {"vouched": True, "codes": []},
        "images": images, "inline": [], "patients": [], "contacts": {}, "recipients": [line],
    }  # fmt: skip
    return {
        "event": "message", "at": told.at.timestamp(), "message": "1" * 32, "listener": "in", "outcomes": "message",
        "seconds": 0.2, "recipients": [fate | {"hold": None, "code": None}], "record": whole,
    }  # fmt: skip


def measure(count: int) -> tuple[float, float, Tally]:
    """(messages a second by the clock, by the processor's time, what was found) of a cold replay of ``count`` messages."""
    before, after = shipped(), stricter()
    with tempfile.TemporaryDirectory() as name:
        journal(Path(name), count)
        start, busy = time.perf_counter(), time.process_time()
        tally = run(Path(name), 0.0, Replay(before, after), 20)
        return count / (time.perf_counter() - start), count / (time.process_time() - busy), tally


if __name__ == "__main__":
    rate, alone, found = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    changed = f"{sum(found.rows.values())} of {found.messages} end otherwise"
    print(f"{rate:,.0f} messages a second, {alone:,.0f} by the processor's time; {changed}")
