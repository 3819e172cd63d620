"""The alarm outside the service: looks from without whether held mail is being looked after (P6).

Run every few minutes by something else than the service (a systemd timer runs ``clinigate alarm``): a service that is dead or
stuck cannot say so itself.  Reads only; says ids, references and counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from quarantine import daily
from quarantine.model import State
from quarantine.outbox import unsent
from quarantine.records import Records
from quarantine.settings import QuarantineSettings
from quarantine.state import TERMINAL
from quarantine.stores import STORES, Place, StoreError

DAILY_AFTER = 2 * 86400.0 + 3600.0  # two runs missed, and an hour in which clocks may change or a timer be late


@dataclass(frozen=True, slots=True)
class Trouble:
    """``code`` for programs, ``ref`` of the hold or "", ``text`` for people: what is wrong and what to do."""

    code: str
    ref: str
    text: str


def look(settings: QuarantineSettings, now: float) -> list[Trouble]:
    """Everything that is wrong; [] when held mail is looked after.  Never raises for what it looks at."""
    found = [*_service(settings, now)]
    for part in (_incoming, _records):
        try:
            found += part(settings, now)
        except (OSError, sqlite3.Error, StoreError) as error:
            found.append(
                Trouble(
                    "unreadable", "", f"what is held cannot be looked at ({type(error).__name__}): check disk and permissions"
                )
            )
    return found


def _service(settings: QuarantineSettings, now: float) -> Iterator[Trouble]:
    """A heartbeat older than the alarm's span means that nobody sends notices or watches deadlines."""
    try:
        told = json.loads(settings.heartbeat.read_text())
        beat = float(told["at"])
        failing = dict(told.get("failing", {}))
    except (OSError, ValueError, KeyError, TypeError):
        yield Trouble("service-silent", "", "the quarantine service has left no heartbeat: start it")
        return
    if now - beat > settings.alarm.after:
        yield Trouble("service-silent", "", f"the quarantine service has been silent for {_minutes(now - beat)}: restart it")
    elif "form" in failing:
        yield Trouble("form-silent", "", "the web form does not answer: links in notices lead nowhere; look at the service's log")


def _incoming(settings: QuarantineSettings, now: float) -> Iterator[Trouble]:
    """Objects that the gateway wrote and nobody took."""
    store = STORES[settings.store_kind](settings.store)
    waiting = [entry for entry in store.list(Place.INCOMING) if now - entry.at > settings.alarm.after]
    if waiting:
        oldest = _minutes(now - min(entry.at for entry in waiting))
        yield Trouble(
            "incoming-not-taken", "", f"{len(waiting)} objects have not been taken from incoming, the oldest for {oldest}"
        )
    damaged = sum(1 for _ in store.list(Place.DAMAGED))
    if damaged:
        yield Trouble("object-damaged", "", f"{damaged} objects could not be read and were set aside: see the audit")


def _records(settings: QuarantineSettings, now: float) -> Iterator[Trouble]:
    """Holds nobody was told of, holds past their end, notices that could not be sent."""
    if not settings.records.exists():
        return
    records = Records(settings.records)
    late = now - settings.alarm.after
    for row in records.unnoticed(late):
        yield Trouble("hold-unnoticed", row.ref, f"hold {row.ref}: nobody has been told of it for {_minutes(now - row.created)}")
    for row in records.open_holds():
        if row.deadline < late and State(row.state) not in TERMINAL:
            yield Trouble("hold-overdue", row.ref, f"hold {row.ref} should have ended {_minutes(now - row.deadline)} ago")
    silent = daily.silent_for(records, now)
    if silent is not None and silent > DAILY_AFTER:
        days = f"{silent / 86400:.0f} days"
        yield Trouble("daily-not-run", "", f"the daily job has not run for {days}: is the timer clinigate-daily enabled?")
    count, oldest = unsent(records)
    if count and oldest is not None and oldest < late:
        yield Trouble("notice-unsent", "", f"{count} notices wait, the oldest for {_minutes(now - oldest)}: is the relay there?")


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)} minutes"
