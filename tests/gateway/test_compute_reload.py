"""A new policy reaches the compute processes while they work: no place is lost, and a policy that cannot load disturbs nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.compute.pool import NoWorker, Pool
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


async def test_a_new_context_takes_over(fake: Callable[..., Pool]) -> None:
    pool = fake(2)
    await pool.start()
    assert await pool.reload({"name": "two"}) == "two"
    made = [await pool.plan(message("a")) for _ in range(4)]
    assert {rule(one) for one in made} == {"two:a"}


async def test_a_reload_after_a_loss_keeps_every_place(fake: Callable[..., Pool]) -> None:
    """Symptom: every message waits for ever.  Cause: a process had been lost, its place was to be filled by the next message;
    the reload took that place for its own process, killed it again and did not put the place back."""
    pool = fake()
    await pool.start()
    assert await lost(pool, "die") == "died"
    await pool.reload({"name": "two"})
    assert rule(await asyncio.wait_for(pool.plan(message("a")), 5)) == "two:a"


async def test_a_reload_while_all_are_busy_keeps_every_place(fake: Callable[..., Pool]) -> None:
    pool = fake(2)
    await pool.start()
    busy = [asyncio.ensure_future(pool.plan(message("wait0.4"))) for _ in range(2)]
    await asyncio.sleep(0.1)
    await pool.reload({"name": "two"})
    assert [rule(one) for one in await asyncio.gather(*busy)] == ["one:wait0.4"] * 2
    assert {rule(one) for one in await asyncio.gather(*(pool.plan(message("wait0.1")) for _ in range(4)))} == {"two:wait0.1"}


async def test_processes_go_over_in_place(fake: Callable[..., Pool]) -> None:
    """What a process knows of a large register spares it reading that again; nobody waits for a new process."""
    pool = fake(3)
    await pool.start()
    before = {one.record["pid"] for one in await asyncio.gather(*(pool.plan(message("wait0.1")) for _ in range(3)))}
    await pool.reload({"name": "two"})
    await pool.follow()
    assert {worker.policy for worker in pool._idle._queue} == {"two"}  # type: ignore[attr-defined]  # the queue's own deque
    after = await asyncio.gather(*(pool.plan(message("wait0.1")) for _ in range(3)))
    assert {one.record["pid"] for one in after} == before
    assert {rule(one) for one in after} == {"two:wait0.1"}


async def test_no_message_waits_for_a_process_to_go_over_while_another_is_there(fake: Callable[..., Pool]) -> None:
    """Symptom: after a reload of a hundred thousand domains a message took two seconds.  Cause: it got the process that had
    waited longest, which first read the register, beside one that had read it already."""
    pool = fake(2)
    await pool.start()
    old = [worker.process.pid for worker in pool._idle._queue]  # type: ignore[attr-defined]  # the queue's own deque
    await pool.reload({"name": "two"})
    made = [await pool.plan(message("a")) for _ in range(3)]
    assert {one.record["pid"] for one in made} == {old[0]}
    await pool.follow()
    assert {worker.policy for worker in pool._idle._queue} == {"two"}  # type: ignore[attr-defined]  # the queue's own deque


async def test_a_second_reload_goes_to_the_process_that_missed_the_first(fake: Callable[..., Pool]) -> None:
    """Symptom: a message took a second and a half.  Cause: one process was busy when the others followed; the next reload took
    the one that had followed, and left the messages to the other, which read the register first."""
    pool = fake(2)
    await pool.start()
    old = [worker.process.pid for worker in pool._idle._queue]  # type: ignore[attr-defined]  # the queue's own deque
    assert await pool.reload({"name": "two"}) == "two"
    assert await pool.reload({"name": "three"}) == "three"
    made = await pool.plan(message("a"))
    assert (made.record["pid"], rule(made)) == (old[1], "three:a")


async def test_a_process_that_answers_a_reload_with_nonsense_is_replaced_alone(fake: Callable[..., Pool]) -> None:
    pool = fake(2)
    await pool.start()
    before = {one.record["pid"] for one in await asyncio.gather(*(pool.plan(message("wait0.1")) for _ in range(2)))}
    with pytest.raises(NoWorker):
        await pool.reload({"name": "odd"})
    after = await asyncio.gather(*(pool.plan(message("wait0.1")) for _ in range(2)))
    assert len(before & {one.record["pid"] for one in after}) == 1
    assert {rule(one) for one in after} == {"one:wait0.1"}


async def test_a_context_that_cannot_load_disturbs_nobody(fake: Callable[..., Pool]) -> None:
    """Symptom: mail answered 451 while a broken policy was tried, and every process started anew after it.  Cause: the new
    context was put in force before any process had loaded it, and the generation stayed raised when none could."""
    broken = "broken"
    pool = fake(2)
    await pool.start()
    pids = {one.record["pid"] for one in await asyncio.gather(*(pool.plan(message("wait0.1")) for _ in range(2)))}
    reload = asyncio.ensure_future(pool.reload({"name": broken}))
    during = await asyncio.gather(*(pool.plan(message("wait0.01")) for _ in range(10)))
    with pytest.raises(NoWorker):
        await reload
    after = await asyncio.gather(*(pool.plan(message("wait0.1")) for _ in range(2)))
    assert {one.record["pid"] for one in (*during, *after)} == pids
