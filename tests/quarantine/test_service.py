"""The service: every concern goes on by itself, nothing stops it but being told to, and no hold stays unnoticed."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from quarantine import ops
from quarantine.keys import KeyFileError
from quarantine.model import ObjectKind, State
from quarantine.notes import note_id
from quarantine.service import Service
from quarantine.stores import Place, StoreError
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, Gate, World, hex_id, hold_object, image, outcome_object

pytestmark = pytest.mark.unit
HOLD = hex_id("hold")
DAY = 86400.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def service(world: World, **options: Any) -> Service:
    return Service(world.settings, clock=world.clock, **options)


def held(world: World, **meta: Any) -> None:
    hold = hold_object(**meta)
    world.put(hold, outcome_object([hold]))


async def test_from_incoming_to_released_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path, options={"poll": 0.01})
    said: list[int] = []
    one = service(world, run_outbox=lambda: said.append(1))
    gate = Gate(world.release_key, world.clock)
    server = await gate.start(world.settings.release_socket)
    running = asyncio.create_task(one.run())
    held(world)
    async with asyncio.timeout(10):
        while not world.records.holds():
            await asyncio.sleep(0.01)
        ops.release(world.desk(), HOLD, "ig1")  # as the command line does, in another process
        while world.records.holds()[0].state is not State.RELEASED or world.records.unnoted():
            await asyncio.sleep(0.01)
        one.stop()
        await running
    server.close()
    assert gate.delivered == [(f"{HOLD}-1", PEER)]
    assert said
    assert world.settings.snapshot.exists()
    assert world.store.sync(note_id(HOLD, 1), ObjectKind.OUTCOME, Place.HELD)
    beat = json.loads(world.settings.heartbeat.read_text())
    assert beat["ok"] is True
    assert SENDER not in world.settings.heartbeat.read_text()


async def test_a_second_service_does_not_start(world: World) -> None:
    first = service(world)
    with pytest.raises(OSError):
        service(world)
    first.close()
    service(world).close()


def test_a_missing_key_is_said_before_work_begins(world: World) -> None:
    (world.settings.keys / "online.key").unlink()
    with pytest.raises(KeyFileError):
        service(world)


@pytest.mark.parametrize("error", [OSError("x"), StoreError("x"), TypeError("CANARY"), RuntimeError("CANARY")])
async def test_a_failing_step_is_named_by_type_only_and_the_next_round_tries_again(
    world: World, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    one = service(world)
    outcomes: list[Exception | None] = [error, None]

    async def work() -> None:
        if (what := outcomes.pop(0)) is not None:
            raise what

    assert await one.step("ingest", work) is False
    assert one.status()["failing"] == {"ingest": type(error).__name__}
    assert await one.step("ingest", work) is True
    assert one.status()["ok"] is True
    assert "CANARY" not in capsys.readouterr().out
    one.close()


async def test_a_step_that_is_cancelled_ends_with_the_service(world: World) -> None:
    one = service(world)
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(one.step("x", work))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == 1
    one.close()


async def test_reminder_escalation_and_expiry_come_once_each(world: World) -> None:
    one = service(world)
    held(world, action="ASK", key="online", releases="sender", reasons=["consent.missing"], urgency="urgent", notice="N-1")
    await one.ingest()
    seen: list[tuple[str, str]] = []
    while world.now < MONDAY + 25 * 3600:
        world.now += 600
        await one.deadlines()
        for row in world.records.outbox_due(world.now):
            seen.append((row.kind, row.role))
            world.records.outbox_done(row.id, world.now)
    assert seen == [("N-1", "sender"), ("N-1r", "sender"), ("alert", "on-call"), ("N-5", "sender")]
    assert world.records.holds()[0].state is State.EXPIRED
    one.close()


async def test_a_deferred_mail_that_ran_out_of_time_is_told_as_not_sent(world: World) -> None:
    one = service(world)
    held(world, action="DEFERRED", key="online", releases="mail-admin", reasons=["next-hop-temporary"], notice=None)
    await one.ingest()
    world.now += 4 * 3600
    await one.deadlines()
    assert world.records.holds()[0].state is State.EXPIRED
    assert [(r.kind, r.detail.get("variant")) for r in world.records.outbox_due(world.now) if r.hold] == [("N-7", "failed")]
    one.close()


async def test_a_hold_nobody_was_told_of_raises_the_alarm_outside(tmp_path: Path) -> None:
    mark = tmp_path / "alarm"
    script = f"import sys; open({str(mark)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))"
    world = World(tmp_path, options={"alarm": {"after": "15m", "command": [sys.executable, "-c", script]}})
    one = service(world)
    held(world)
    await one.ingest()
    await one.alarm()
    assert not mark.exists()
    world.now += 901
    await one.alarm()
    await one.alarm()
    ref = world.records.holds()[0].ref
    assert mark.read_text() == f"hold-unnoticed {ref}\n"
    one.close()


async def test_a_hold_that_was_told_raises_no_alarm(world: World) -> None:
    one = service(world)
    held(world)
    await one.ingest()
    for row in world.records.outbox_due(world.now + 60):
        world.records.outbox_done(row.id, world.now)
    world.now += 3600
    assert await one.alarm() == 0
    one.close()


async def test_an_alarm_command_that_fails_is_tried_again(tmp_path: Path) -> None:
    world = World(tmp_path, options={"alarm": {"after": "15m", "command": [sys.executable, "-c", "raise SystemExit(3)"]}})
    one = service(world)
    held(world)
    await one.ingest()
    world.now += 901
    assert await one.step("alarm", one.alarm) is False
    assert world.records.holds()[0].alarmed is None
    one.close()


async def test_content_goes_first_names_later_codes_stay(world: World) -> None:
    one = service(world)
    held(world)
    await one.ingest()
    ops.delete(world.desk(), HOLD, "ig1")
    await one.notes()
    world.now += 31 * DAY
    await one.retention()
    assert not world.store.sync(HOLD, ObjectKind.HOLD, Place.HELD)
    row = world.records.holds()[0]
    assert (row.purged is not None, row.sender) == (True, SENDER)
    world.now += 2922 * DAY
    for notice in world.records.outbox_due(world.now):
        world.records.outbox_done(notice.id, MONDAY)
    await one.retention()
    row = world.records.holds()[0]
    assert (row.sender, row.recipients, row.rule, row.state) == ("", ("",), "unknown-domain", State.DELETED)
    assert world.places()["held"] == 0
    world.records.close()
    one.close()
    data = b"".join(path.read_bytes() for path in world.settings.state.iterdir() if path.is_file())
    assert SENDER.encode() not in data
    assert PEER.encode() not in data


async def test_what_is_open_is_never_purged(world: World) -> None:
    one = service(world)
    held(world)
    await one.ingest()
    world.now += 10_000 * DAY
    await one.retention()
    assert world.store.sync(HOLD, ObjectKind.HOLD, Place.HELD)
    one.close()


async def test_a_purged_hold_that_the_gateway_writes_again_is_not_taken_in_again(world: World) -> None:
    one = service(world)
    held(world)
    await one.ingest()
    ops.delete(world.desk(), HOLD, "ig1")
    world.now += 31 * DAY
    await one.retention()
    held(world)
    await one.ingest()
    assert not world.store.sync(HOLD, ObjectKind.HOLD, Place.HELD)
    assert world.places()["incoming"] == 0
    assert world.records.holds()[0].state is State.DELETED
    one.close()


async def test_disclosures_reach_the_snapshot(world: World) -> None:
    one = service(world)
    world.put(outcome_object(delivered=[PEER]))
    await one.ingest()
    assert await one.snapshot() is True
    assert await one.snapshot() is False  # nothing new
    world.now += world.settings.snapshot_refresh
    assert await one.snapshot() is True  # so that it does not look stale
    assert image() in {row[0] for row in world.records.disclosed(world.now)}
    one.close()
