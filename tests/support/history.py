"""Weeks of invented past: a journal as the gateway writes it, holds with their ends, emergencies, notices.  The same every time.

``python -m tests.support.history FOLDER`` makes twelve weeks and the report about the last one, to be looked at.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from quarantine.deadlines import OfficeHours
from quarantine.emergencies.cases import Cases, case_id
from quarantine.emergencies.model import Case, Party
from quarantine.emergencies.opening import due
from quarantine.journal import read_journal
from quarantine.model import HeldRecipient, HoldRow, State
from quarantine.reading import reference
from quarantine.records import Change, Records
from quarantine.records.disclosures import Disclosure
from quarantine.reports import csvfiles, gather, page
from quarantine.reports.figures import DomainLine, Register, Report
from quarantine.reports.tables import tables
from quarantine.reports.week import Week
from quarantine.roles import IG, SENDER
from quarantine.schema import outbox as outbox_sql
from quarantine.state import Event, move
from tests.support.quarantine_kit import World

FIRST = date(2026, 8, 31)  # Monday; the twelfth week is 2026-W47, with the change of the clocks on 25 October
WEEKS = 12
ZONE = "Europe/London"
SENDERS = tuple(f"dr.{name}@own.example" for name in ("ash", "birch", "cedar", "elm", "fir", "hazel", "oak", "pine"))
GROUPS = {"dr.ash@own.example": "dermatology", "dr.birch@own.example": "dermatology", "dr.cedar@own.example": "burns"}
DOMAINS = ("royal.example", "hospice.example", "newclinic.example")
W47 = Week(date(2026, 11, 16), ZONE)
NOW = W47.end + 7 * 3600  # the Monday after, at 07:00


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def event(at: float, sender: str, *, images: int = 1, located: int = 0, **more: Any) -> dict[str, Any]:
    """One line of the journal.  ``more``: state, reasons, domain, first_time, basis, mode, listener, failure, patients."""
    picture = {"sha256": hashed(f"{at} {sender}"), "scrubbed": None, "format": "jpeg", "kind": "K3"}
    codes = [["exif.gps"] if number < located else [] for number in range(images)]
    record: dict[str, Any] = {
        "policy": "d", "sender": hashed(sender), "sender_domain": "own.example", "inline": [],
        "images": [{**picture, "part": str(number), "codes": found} for number, found in enumerate(codes)],
        "patients": more.get("patients", []),
        "recipients": [{
            "address": hashed(f"someone at {more.get('domain', DOMAINS[0])}"), "mode": more.get("mode", "enforce"),
            "reasons": more.get("reasons", ["consent.stated"]), "action": "PROTECT",
            "facts": {
                "sender_group": GROUPS.get(sender, "clinical"), "first_time": more.get("first_time", False), "codes": [],
                "consent": {"statement": {"basis": more.get("basis")}},
            },
        }],
    }  # fmt: skip
    if more.get("failure"):
        record["failure"] = more["failure"]
    domain, state = more.get("domain", DOMAINS[0]), more.get("state", "delivered")
    fate = {"domain": domain, "outcome": "", "state": state, "method": "smime"}
    return {
        "event": "message", "at": at, "message": f"m{at}", "listener": more.get("listener", "relay"), "outcomes": "",
        "seconds": 0.1, "recipients": [fate], "record": record,
    }  # fmt: skip


def journal(folder: Path, events: list[Mapping[str, Any]], segment: int = 1) -> None:
    """Write a segment."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in events)
    (folder / f"gate-{segment:08d}.jsonl").write_text(text)


def week_of(events: random.Random, monday: date, busy: int) -> Iterator[dict[str, Any]]:
    """The mail of one week: mostly plain, some with pictures, on working days."""
    for number in range(busy * 10):
        day = datetime(monday.year, monday.month, monday.day, 9, tzinfo=UTC) + timedelta(days=number % 5, minutes=number % 400)
        sender, at = events.choice(SENDERS), day.timestamp()
        if number % 10 >= 3:
            yield event(at, sender, images=0, reasons=["image.none"], state="passed")
            continue
        first = events.random() < 0.1
        reasons = ["consent.stated"] + (["recipient.first-time"] if first else [])
        yield event(
            at, sender, images=events.choice((1, 1, 2, 4)), located=events.choice((0, 0, 0, 1)), first_time=first,
            reasons=reasons, domain=events.choice(DOMAINS[:2]), basis=events.choice((None, None, None, None, "not-patient")),
        )  # fmt: skip


def hold(records: Records, name: str, at: float, *, end: str = "", after: float = 0.0, **more: Any) -> HoldRow:
    """A hold that came ``at`` and ended ``after`` seconds: ``end`` is released | expired | refused | ""."""
    identity = hashed(f"hold {name}")
    row = HoldRow(
        id=identity, ref=reference(identity), state=State.QUARANTINED, version=0, created=at, deadline=at + 72 * 3600,
        action="QUARANTINE", rule="UNKNOWN", reasons=("domain.unknown",), releases="ig", key="review", sender=SENDERS[0],
        recipients=(), complete=2,
    )  # fmt: skip
    row = replace(row, **more)
    records.add_hold(row, [HeldRecipient("jane@newclinic.example")])
    if end == "released":
        role = SENDER if row.releases == "sender" else IG
        row = move(records, row, Event.RELEASE, "ig1", role, at + after - 1, change=Change(round=1))
        move(records, row, Event.SENT, "service", "system", at + after)
    elif end == "expired":
        move(records, row, Event.EXPIRE, "service", "system", at + after)
    elif end == "refused":
        move(records, row, Event.REFUSE, "ig1", IG, at + after)
    return row


def disclosed(name: str, at: float) -> Disclosure:
    """One picture that went to somebody."""
    return Disclosure(
        outcome=hashed(f"outcome {name}"), image=hashed(name) * 2, scrubbed="", recipient=hashed("r"), sender=hashed("s"), at=at,
        until=at + 1, rule="R", method="smime", consent="given", covered=True, message=name,
    )  # fmt: skip


def emergency(
    records: Records, name: str, at: float, office: OfficeHours, *, reviewed: float | None = None, informed: str = ""
) -> None:
    """An emergency, reviewed ``reviewed`` seconds after it was used."""
    case = Case(
        id=case_id(name), ref=reference(case_id(name)), hold="", merge=name, sender=SENDERS[2], at=at,
        due=due(at, office), way="subject", reason="", version=1,
    )  # fmt: skip
    cases = Cases(records)
    cases.open(case, [Party("burns@royal.example", "A", "EMERGENCY-CLINICAL", "smime", at)])
    if reviewed is not None:
        cases.review(case, verdict="justified", reviewer="ig1", at=at + reviewed, informed=informed, code="")


def notice(records: Records, name: str, kind: str, at: float) -> None:
    """A notice that was sent."""
    records.outbox_add(kind, to="x@own.example", role="sender", due=at, dedup=name, now=at)
    number = records.one("SELECT id FROM outbox WHERE dedup = :dedup", {"dedup": name})
    assert number is not None
    records.run(outbox_sql.OUTBOX_DONE, {"id": number["id"], "state": "done", "code": "sent", "now": at})


def make(world: World, weeks: int = WEEKS) -> float:
    """Fill a world with ``weeks`` of past; the moment after, a Monday at 07:00."""
    chance = random.Random(20261123)
    for number in range(weeks):
        monday = FIRST + timedelta(weeks=number)
        week = Week(monday, ZONE)
        journal(world.settings.journal, list(week_of(chance, monday, 20 + number)), number + 1)
        for count in range(3 + number % 4):
            at = week.start + (count * 19 + 10) * 3600.0
            kind, name = count % 4, f"{number}/{count}"
            if kind == 0:
                hold(world.records, name, at, end="released", after=chance.choice((900.0, 4000.0, 20_000.0)))
            elif kind == 1:
                asked = {"releases": "sender", "action": "ASK", "state": State.ASKED, "reasons": ("consent.missing",)}
                hold(world.records, name, at, end="released", after=chance.choice((60.0, 300.0, 1500.0)), **asked)
            elif kind == 2:
                hold(world.records, name, at, end="expired", after=72 * 3600.0, reasons=("domain.unknown", "consent.missing"))
            else:
                hold(world.records, name, at, end="refused", after=5000.0, reasons=("domain.lookalike",))
            notice(world.records, f"n{name}", "N-2", at)
        world.records.add_disclosures([disclosed(f"{number}/{one}", week.start + one * 3600) for one in range(20)], [])
        world.records.add_disclosures([disclosed(f"{number}/named", week.start + 3600)], [hashed("patient")])
        if number % 3 == 0:
            late = (20 + number * 10) * 3600.0
            emergency(world.records, f"e{number}", week.start + 40 * 3600, world.settings.office, reviewed=late)
    hold(world.records, "still", Week(FIRST + timedelta(weeks=weeks - 1), ZONE).end - 9 * 3600, reasons=("opaque.corrupt",))
    read_journal(world.settings.journal, world.records, world.settings.office)
    return Week(FIRST + timedelta(weeks=weeks), ZONE).start + 7 * 3600


REGISTER = Register(
    known=True, unused_days=180,
    unused=(DomainLine("oldclinic.example", date(2026, 2, 3), "Old Clinic"), DomainLine("never.example", None, "Never Trust")),
    due=(DomainLine("hospice.example", date(2026, 12, 1), "The approval of hospice.example ends, in 8 days."),),
)  # fmt: skip


def words(code: str) -> str:
    """Stands for the policy's sentences, which people reword."""
    return f"the sentence of {code}, in words"


def report(world: World, week: Week = W47, now: float = NOW, register: Register = REGISTER, **names: str) -> Report:
    return gather.report(world.records, week, now, world.settings.office, "Example Clinic", register, names)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    root.mkdir(parents=True)
    past = World(root)
    now = make(past)
    last = Week(FIRST + timedelta(weeks=WEEKS - 1), ZONE)
    made = gather.report(past.records, last, now, past.settings.office, "Example Clinic", REGISTER)
    found = tables(made, words)
    (root / "report.html").write_text(page.html(made, found), "utf-8")
    csvfiles.write(found, root / "csv", made.now.week.name)
