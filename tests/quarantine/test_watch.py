"""P6, seen from outside: a hold nobody looks after raises an alarm even when the service is dead."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from quarantine.outbox import back_off
from quarantine.records import Records
from quarantine.watch import look
from tests.support.quarantine_kit import MONDAY, World, hold_object, outcome_object

pytestmark = pytest.mark.unit


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    beat(made)
    return made


def beat(world: World, age: float = 0.0) -> None:
    world.settings.heartbeat.parent.mkdir(parents=True, exist_ok=True)
    world.settings.heartbeat.write_text(json.dumps({"at": world.now - age}))


def codes(world: World) -> list[str]:
    return sorted({one.code for one in look(world.settings, world.now)})


def test_nothing_held_and_a_fresh_heartbeat_is_no_reason_for_alarm(world: World) -> None:
    assert codes(world) == []


@pytest.mark.parametrize("state", ["missing", "old", "nonsense"])
def test_a_service_that_is_silent_is_told(world: World, state: str) -> None:
    if state == "missing":
        world.settings.heartbeat.unlink()
    elif state == "old":
        beat(world, world.settings.alarm.after + 60)
    else:
        world.settings.heartbeat.write_text("[]")
    assert codes(world) == ["service-silent"]


def test_objects_nobody_takes_are_told(world: World) -> None:
    world.put(hold_object())
    for file in (world.settings.store / "incoming").iterdir():
        os.utime(file, (world.now, world.now))
    assert codes(world) == []
    world.now += world.settings.alarm.after + 60
    beat(world)
    assert codes(world) == ["incoming-not-taken"]


def test_a_hold_nobody_was_told_of_is_told(world: World) -> None:
    hold = hold_object()
    world.take(hold, outcome_object([hold]))
    world.now += world.settings.alarm.after + 3600
    beat(world)
    found = look(world.settings, world.now)
    assert "hold-unnoticed" in {one.code for one in found}
    assert all("@" not in one.text for one in found), "references and counts only"


def test_notices_that_the_relay_does_not_take_are_told(world: World) -> None:
    """Symptom: no alarm while the relay was dead.  Cause: each failed try made the notice due anew, so it was never late."""
    records = Records(world.settings.records)
    records.outbox_add("N-3", to="dr@own.example", role="sender", due=world.now, message="m")
    for attempt in range(6):
        [row] = records.outbox_due(world.now)
        records.outbox_retry(row.id, world.now + back_off(attempt), "OSError")
        assert codes(world) == (["notice-unsent"] if world.now - MONDAY > world.settings.alarm.after else [])
        world.now += back_off(attempt)
        beat(world)
    assert codes(world) == ["notice-unsent"]


def test_what_cannot_be_read_is_an_alarm_and_no_crash(world: World) -> None:
    (world.settings.store / "incoming").rename(world.settings.store / "elsewhere")
    assert codes(world) == ["unreadable"]
