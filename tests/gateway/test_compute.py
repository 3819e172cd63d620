"""Compute processes: whatever one does, its message alone is touched and its place is filled again."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import psutil
import pytest

from gateway.compute import pool as compute
from gateway.compute.pool import NoWorker, Pool, WorkerLost
from gateway.model import Plan
from tests.support.computes import fakes, lost, message, rule, tidied

pytestmark = pytest.mark.e2e


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pool]:
    return fakes(monkeypatch)


@pytest.fixture(autouse=True)
async def tidy() -> AsyncIterator[None]:
    """After every test: no process and no descriptor more than before."""
    async with tidied():
        yield


# -- one process goes wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "why"), [("die", "died"), ("garbage", "nonsense"), ("half", "nonsense"), ("empty", "nonsense"), ("hang", "timeout")]
)
async def test_a_process_that_fails_is_replaced_and_its_message_told(fake: Callable[..., Pool], words: str, why: str) -> None:
    pool = fake(seconds=0.4)
    assert await pool.start() == "one"
    first = (await pool.plan(message("a"))).record["pid"]
    for _ in range(2):
        start = time.monotonic()
        assert await lost(pool, words) == why
        assert time.monotonic() - start < 3
    again = await pool.plan(message("b"))
    assert rule(again) == "one:b"
    assert again.record["pid"] != first
    assert not psutil.pid_exists(first)


async def test_a_plan_the_judge_rejects_is_nonsense(fake: Callable[..., Pool]) -> None:
    pool = fake()
    await pool.start()
    with pytest.raises(WorkerLost, match="nonsense"):
        await pool.plan(message("a"), lambda made: False)
    assert rule(await pool.plan(message("b"))) == "one:b"


async def test_an_unasked_answer_is_never_taken_for_the_next_message(fake: Callable[..., Pool]) -> None:
    """P2: a process that says too much would have answered every later message with the plan of the one before."""
    pool = fake()
    await pool.start()
    assert rule(await pool.plan(message("twice"))) == "first"
    await asyncio.sleep(0.1)
    assert rule(await pool.plan(message("b"))) == "one:b"


async def test_a_process_killed_while_idle_costs_no_message_a_try(fake: Callable[..., Pool]) -> None:
    """The system kills the largest process, not the one at fault; the next message is no poison."""
    pool = fake()
    await pool.start()
    pid = (await pool.plan(message("a"))).record["pid"]
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.1)
    assert rule(await pool.plan(message("b"))) == "one:b"


async def test_a_large_message_goes_the_other_way_and_arrives(fake: Callable[..., Pool]) -> None:
    pool = fake()
    await pool.start()
    assert rule(await pool.plan(message("large", 5_000_000))) == "one:large"


# -- places --------------------------------------------------------------------------------------------------------------


async def test_more_messages_than_processes_wait_their_turn(fake: Callable[..., Pool]) -> None:
    pool = fake(2)
    await pool.start()
    made = await asyncio.gather(*(pool.plan(message(f"wait0.0{n % 9}")) for n in range(20)))
    assert len({one.record["pid"] for one in made}) == 2


async def test_who_is_cancelled_while_waiting_takes_no_place_with_it(fake: Callable[..., Pool]) -> None:
    pool = fake()
    await pool.start()
    busy = asyncio.ensure_future(pool.plan(message("wait0.3")))
    await asyncio.sleep(0.05)
    waiting = [asyncio.ensure_future(pool.plan(message("never"))) for _ in range(3)]
    await asyncio.sleep(0.05)
    for one in waiting:
        one.cancel()
    assert rule(await busy) == "one:wait0.3"
    assert rule(await asyncio.wait_for(pool.plan(message("b")), 5)) == "one:b"


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.1])
async def test_who_is_cancelled_at_work_frees_the_place(fake: Callable[..., Pool], delay: float) -> None:
    """Also while a large message is being copied; nothing of it stays open (the fixture counts)."""
    pool = fake()
    await pool.start()
    working = asyncio.ensure_future(pool.plan(message("wait5", 30_000_000)))
    await asyncio.sleep(delay)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert rule(await asyncio.wait_for(pool.plan(message("b")), 5)) == "one:b"
    await asyncio.sleep(0.1)  # the thread that copied has closed what nobody took


async def test_who_is_cancelled_while_a_process_starts_leaves_none_behind(fake: Callable[..., Pool]) -> None:
    """Symptom: processes pile up.  Cause: a start that was cancelled neither killed its process nor closed its channel."""
    pool = fake(name="mute")
    starting = asyncio.ensure_future(pool.start())
    await asyncio.sleep(0.1)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_no_new_process_for_a_while_loses_no_place(fake: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch) -> None:
    """fork fails (EAGAIN): the messages meanwhile were not tried; afterwards all is as before."""
    pool = fake()
    await pool.start()
    assert await lost(pool, "die") == "died"

    def full(*_: object, **__: object) -> Any:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(compute.subprocess, "Popen", full)
        for _ in range(3):
            with pytest.raises(NoWorker, match="temporarily unavailable"):
                await pool.plan(message("a"))
    assert rule(await asyncio.wait_for(pool.plan(message("b")), 5)) == "one:b"


async def test_no_memory_to_pass_a_message_on_is_no_fault_of_the_process(
    fake: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = fake()
    await pool.start()
    pid = (await pool.plan(message("a"))).record["pid"]

    def full(*_: object) -> Any:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(os, "memfd_create", full)
        with pytest.raises(OSError, match="Too many"):
            await pool.plan(message("large", 1_000_000))
    assert (await pool.plan(message("b"))).record["pid"] == pid


async def test_a_start_that_fails_leaves_no_process(fake: Callable[..., Pool]) -> None:
    for name in ("broken", "odd"):
        with pytest.raises(NoWorker):
            await fake(3, name=name).start()


async def test_stopping_ends_those_at_work_at_once(fake: Callable[..., Pool]) -> None:
    pool = fake(2, seconds=60)
    await pool.start()
    working = [asyncio.ensure_future(pool.plan(message("hang"))) for _ in range(2)]
    waiting = asyncio.ensure_future(pool.plan(message("a")))
    await asyncio.sleep(0.1)
    start = time.monotonic()
    await pool.stop()
    done = await asyncio.wait_for(asyncio.gather(*working, waiting, return_exceptions=True), 5)
    assert [type(one) for one in done] == [WorkerLost, WorkerLost, NoWorker]
    assert time.monotonic() - start < 3


async def test_a_storm_loses_no_place_and_no_descriptor(fake: Callable[..., Pool]) -> None:
    """Deaths, hangs, cancellations and reloads, broken ones too, mixed at random: afterwards every place works."""
    rolled = random.Random(13)
    pool = fake(2, seconds=0.2)
    await pool.start()
    for turn in range(12):
        words = rolled.choices(["a", "wait0.01", "die", "hang", "garbage", "twice"], [6, 6, 2, 1, 1, 1], k=5)
        tasks = [asyncio.ensure_future(pool.plan(message(word, rolled.choice([0, 200_000])))) for word in words]
        if turn % 3 == 0:
            await asyncio.gather(pool.reload({"name": rolled.choice(["two", "broken"])}), return_exceptions=True)
        if turn % 4 == 0:
            tasks[-1].cancel()
        for one in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(one, Plan | WorkerLost | asyncio.CancelledError)
    good = await asyncio.wait_for(asyncio.gather(*(pool.plan(message("wait0.1")) for _ in range(4))), 10)
    assert len({one.record["pid"] for one in good}) == 2
    await asyncio.sleep(0.05)
