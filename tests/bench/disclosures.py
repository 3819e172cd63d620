"""How fast the disclosure ledger is searched, and what noting costs: ``python -m tests.bench.disclosures [LINES] [FOLDER]``.

Makes a ledger of LINES lines (a million) over eight years: 50,000 patients, 4,000 recipients, 1,500 senders, one picture in
three lines.  Prints for each way of searching the median and the slowest of some searches, by a connection opened anew; the
size; and what one outcome costs to take in (seal, read, note, commit), at the end of that ledger.
"""

from __future__ import annotations

import hashlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quarantine.ledger import summary
from quarantine.ledger.query import find
from quarantine.records import Records
from quarantine.records.disclosures import Disclosure
from tests.support.quarantine_kit import MONDAY, World, outcome_object

YEARS = 8 * 365 * 86400
STATEMENT = (
    '{"carrier": "subject", "form": "verbal", "given_by": "patient", "purpose": "COC", "scope": ["record"], "status": "given"}'
)


def person(kind: str, number: int) -> str:
    return hashlib.sha256(f"{kind}{number}".encode()).hexdigest()[:32]


def picture(number: int) -> str:
    return hashlib.sha256(f"picture{number}".encode()).hexdigest()


def lines(count: int, seed: int = 4) -> Iterator[tuple[Disclosure, str]]:
    """(line, patient) of invented mail, oldest first."""
    chance = random.Random(seed)
    for number in range(count):
        image, outcome = number // 3, number // 2
        yield (
            Disclosure(
                outcome=person("outcome", outcome), image=picture(image), scrubbed=picture(-image - 1),
                recipient=person("recipient", min(int(chance.paretovariate(0.7)), 3_999)),
                sender=person("sender", chance.randrange(1_500)), at=MONDAY - YEARS + number * YEARS / count,
                until=MONDAY - YEARS + number * YEARS / count + 365 * 86400, rule="CARE", method="route", consent="given",
                covered=True, line=0, message=f"message-{outcome}", ref=f"R{outcome:08d}", cls="A", mode="enforce",
                domain="royal.example", sender_domain="own.example", sender_group="clinical", kind="K3", format="jpeg",
                codes="exif.datetime exif.gps exif.make exif.model", source="S0-8\nS2-12\nS3-4\nmatrix 4.2 P1",
                policy="9" * 64, protection="route nhsmail", form="verbal", purpose="COC", statement=STATEMENT,
            ),
            person("patient", chance.randrange(50_000)),
        )  # fmt: skip


def fill(records: Records, count: int) -> None:
    records.run("PRAGMA synchronous = OFF")
    batch: list[Disclosure] = []
    patients: dict[str, str] = {}
    for row, patient in lines(count):
        batch.append(row)
        patients.setdefault(row.outcome, patient)
        if len(batch) == 20_000:
            _flush(records, batch, patients)
    _flush(records, batch, patients)


def _flush(records: Records, batch: list[Disclosure], patients: dict[str, str]) -> None:
    with records.transaction():
        records.add_disclosures(batch, ())
        records.many(
            "INSERT INTO disclosure_patients (patient, outcome) VALUES (:p, :o) ON CONFLICT DO NOTHING",
            [{"p": patient, "o": outcome} for outcome, patient in patients.items()],
        )
    batch.clear()
    patients.clear()


def searches(records: Records, count: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(name, searches): people in the middle of their distribution, and the busiest recipient."""
    chance = random.Random(7)
    some = [chance.randrange(count // 3) for _ in range(21)]
    yield "patient", [{"patient": person("patient", one % 50_000)} for one in some]
    yield "picture as received", [{"image": picture(one)} for one in some]
    yield "picture as sent", [{"image": picture(-one - 1)} for one in some]
    yield "recipient", [{"recipient": person("recipient", 20 + one % 400)} for one in some]
    yield "recipient, one week", [{"recipient": person("recipient", 1), "since": MONDAY - 7 * 86400} for _ in some[:5]]
    yield "sender, one month", [{"sender": person("sender", one % 1_500), "since": MONDAY - 30 * 86400} for one in some]
    yield "reference", [{"ref": f"R{one:08d}"} for one in some]
    yield "one day", [{"since": MONDAY - one % 2_000 * 86400.0 - 86400, "until": MONDAY - one % 2_000 * 86400.0} for one in some]


def measured(path: Path, count: int) -> Iterator[tuple[str, float, float, int]]:
    """(name, median ms, slowest ms, median lines found)."""
    probe = Records(path)
    for name, asked in searches(probe, count):
        took, sizes = [], []
        for one in asked:
            start = time.perf_counter()
            sizes.append(len(find(probe, **one)))
            took.append((time.perf_counter() - start) * 1000)
        yield name, statistics.median(took), max(took), int(statistics.median(sizes))
    probe.close()


def intake(world: World, outcomes: int = 200) -> float:
    """Milliseconds to take in one outcome with two pictures and one recipient, the sealed object's reading included."""
    images = [{"sha256": picture(10**9 + n), "scrubbed": picture(-(10**9) - n), "kind": "K3", "codes": ["exif.gps"]}
              for n in range(2)]  # fmt: skip
    for number in range(outcomes):
        told = outcome_object(
            delivered=["dr@royal.example"], name=f"bench{number}", images=images, patients=[person("patient", 1)]
        )
        world.put(told)
    start = time.perf_counter()
    while world.intake.run(world.now):
        pass
    return (time.perf_counter() - start) * 1000 / outcomes


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        world = World(Path(folder))
        print(f"taking in one outcome (two pictures, one recipient), empty ledger: {intake(world):.2f} ms")
        start = time.perf_counter()
        fill(world.records, count)
        size = world.settings.records.stat().st_size / 2**20
        print(f"{count:,} lines made in {time.perf_counter() - start:.0f} s; {size:.0f} MiB")
        for name, median, slowest, found in measured(world.settings.records, count):
            print(f"{name:24} median {median:8.2f} ms   slowest {slowest:8.2f} ms   {found} lines")
        start = time.perf_counter()
        weeks = summary.shares(world.records, 0.0, MONDAY * 2)
        print(f"summary of everything: {time.perf_counter() - start:.1f} s, {len(weeks)} weeks")
        start = time.perf_counter()
        live = len(world.records.disclosed(MONDAY))
        print(f"what the snapshot shows: {time.perf_counter() - start:.1f} s, {live:,} rows")


if __name__ == "__main__":
    main()
