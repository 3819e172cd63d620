"""Compute processes: whatever one does, its message alone is touched and its place is filled again."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from gateway.compute import pool as compute
from gateway.compute.codec import plan_header
from gateway.compute.pool import NoWorker, Pool, WorkerLost
from gateway.config import load
from gateway.model import Hold, Plan, Received
from gateway.pipeline import plan
from gateway.plans import sound
from tests.support.contexts import AT, COLLEAGUE, HOSPICE, STRANGER, context, folder, policy, received
from tests.support.letters import canary_photo, letter
from tests.support.paths import ROOT
from tests.support.workers import workers

pytestmark = pytest.mark.e2e

PLAN = json.dumps(plan_header(Plan(holds=(Hold((0,), "ASK", "", (), "online", "ig"),)))[0])

# A compute process in 30 lines: it does what the words of the message say, and loads any context but "broken".
FAKE = f"PLAN = {PLAN!r}" + textwrap.dedent("""
    import json, os, socket, sys, time
    channel = socket.socket(fileno=int(sys.argv[1]))
    def say(header, tail=b""):
        channel.send(json.dumps(header).encode() + b"\\0" + tail)
    def plan(rule):
        made = json.loads(PLAN)
        made["holds"][0]["rule"] = rule
        return {**made, "record": {"pid": os.getpid()}, "blobs": []}
    told = json.loads(channel.recv(1 << 18).partition(b"\\0")[0])
    if told["context"]["name"] == "broken":
        sys.exit(1)
    if told["context"]["name"] == "mute":
        time.sleep(60)
    if told["context"]["name"] == "odd":
        say({"hello": 1})
    say({"ready": True, "policy": told["context"]["name"], "blobs": []})
    while True:
        packet, fds, _, _ = socket.recv_fds(channel, 1 << 18, 1)
        if not packet:
            break
        words = (os.pread(fds[0], 1 << 20, int(packet)) if fds else packet.partition(b"\\0")[2])[:20].split(b";")[0].decode()
        changed = json.loads(packet.partition(b"\\0")[0]) if b"\\0" in packet else {}
        for fd in fds:
            os.close(fd)
        if "context" in changed:
            name = changed["context"]["name"]
            if name == "odd":
                say({"hello": 1})
            elif name == "broken":
                say({"ready": False, "blobs": []})
            else:
                told = changed
                say({"ready": True, "policy": name, "blobs": []})
            continue
        if words == "die":
            os._exit(9)
        if words == "hang":
            time.sleep(60)
        if words == "garbage":
            channel.send(b"\\xff\\xfe not json")
        elif words == "half":
            say({**plan("half"), "blobs": [100]}, b"too short")
        elif words == "twice":
            say(plan("first")), say(plan("stale"))
        elif words == "empty":
            fd = os.memfd_create("x")
            socket.send_fds(channel, [b"2"], [fd])
        else:
            if words.startswith("wait"):
                time.sleep(float(words[4:]))
            say(plan(told["context"]["name"] + ":" + words))
""")


POOLS: list[Pool] = []  # made by the running test


def kept(pool: Pool) -> Pool:
    POOLS.append(pool)
    return pool


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def children() -> set[int]:
    return {one.pid for one in workers()}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pool]:
    """Makes pools of fake processes."""
    real = subprocess.Popen

    def popen(command: list[str], **options: Any) -> Any:
        return real([sys.executable, "-S", "-E", "-c", FAKE, command[-1]], **options)

    monkeypatch.setattr(compute.subprocess, "Popen", popen)

    def make(size: int = 1, seconds: float = 5.0, name: str = "one") -> Pool:
        return kept(Pool({"name": name}, size=size, memory=10**9, seconds=seconds))

    return make


@pytest.fixture(autouse=True)
async def tidy() -> AsyncIterator[None]:
    """After every test: no process and no descriptor more than before."""
    files, processes = descriptors(), children()
    yield
    while POOLS:
        await POOLS.pop().stop()
    await asyncio.sleep(0)
    assert children() == processes
    assert descriptors() <= files


def message(words: str, size: int = 0) -> Received:
    return received(f"{words};".encode() + b"x" * size)


def rule(made: Plan) -> str:
    return made.holds[0].rule


async def lost(pool: Pool, words: str) -> str:
    with pytest.raises(WorkerLost) as caught:
        await pool.plan(message(words))
    return caught.value.why


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


# -- reload --------------------------------------------------------------------------------------------------------------


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


# -- real processes ------------------------------------------------------------------------------------------------------


def spec(mode: str = "enforce") -> dict[str, Any]:
    told = load(folder() / "clinigate.yaml").context_spec()
    opening = told["opening"] | {"recognise": 0}  # whether a fingerprint is made in time hangs on the machine's load
    return told | {"snapshot": None, "policy": policy(mode), "opening": opening}


def real(mode: str = "enforce", **options: Any) -> Pool:
    return kept(Pool(spec(mode), **{"size": 1, "memory": 2 * 10**9, "seconds": 20.0, **options}))


@pytest.fixture
def saboteur(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes started now do what a header line of the message asks."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests' / 'support' / 'sabotage'}:{ROOT}")


def mail(*recipients: str, pictures: int = 1, **headers: str) -> Received:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = letter("dr.adams@clinic.example", recipients, pictures=(canary_photo(),) * pictures, headers=named)
    return received(raw, *recipients)


def seen(made: Plan) -> Any:
    """A plan, but for what differs from try to try: S/MIME's session keys and boundaries."""
    copies = [
        (type(one.data), None if one.method == "smime" else one.data.data, one.recipients, one.route, one.method, one.sender)
        for one in made.copies
    ]
    record = json.loads(json.dumps(dict(made.record)))
    return copies, made.holds, made.refusals, record, made.plain, made.sender_kind, made.owner


RELEASE = {"accepted": ["domain.unknown", "protect.no-method"], "hold": "h", "release": "r"}


async def test_a_process_plans_what_the_pipeline_plans_here() -> None:
    """Every way out: route, S/MIME, hold, refusal, plain text, a picture without consent, a release."""
    pool = real()
    await pool.start()
    for one in (
        mail(COLLEAGUE, STRANGER, "upload@fileshare.example"),
        mail(HOSPICE),
        mail(COLLEAGUE, pictures=0),
        received(letter("dr.adams@clinic.example", (COLLEAGUE,), "no words", pictures=(canary_photo(),))),
        received(b"not even a mail", "a@b.example"),
        received(mail(STRANGER).raw, STRANGER, release=RELEASE),
    ):
        assert one.at == AT
        made = await pool.plan(one, lambda made, one=one: sound(context().policy, one, made))
        assert seen(made) == seen(plan(context(), one))


async def test_200_messages_leave_no_descriptor_here_or_there() -> None:
    pool = real()
    await pool.start()
    sizes = [pictures for pictures in (0, 1, 0, 3) for _ in range(50)]
    letters = {pictures: mail(COLLEAGUE, pictures=pictures) for pictures in set(sizes)}
    await pool.plan(letters[3])
    await asyncio.sleep(0.2)  # it closes what it sent
    (child,) = workers()
    before, there = descriptors(), child.num_fds()
    for pictures in sizes:
        await pool.plan(letters[pictures])
    await asyncio.sleep(0.2)
    assert (descriptors(), child.num_fds()) == (before, there)


async def test_a_message_that_hangs_is_killed_at_its_time(saboteur: None) -> None:
    pool = real(seconds=1.0)
    await pool.start()
    start = time.monotonic()
    with pytest.raises(WorkerLost, match="timeout"):
        await pool.plan(mail(COLLEAGUE, X_Sabotage="parse hang"))
    assert time.monotonic() - start < 4
    pool.seconds = 20.0
    assert (await pool.plan(mail(COLLEAGUE))).copies


async def test_a_message_for_which_memory_does_not_suffice_is_held_and_the_process_lives() -> None:
    """MemoryError is one more failure of steps 2-10: the message is held, nobody else notices."""
    pool = real(memory=900_000_000)
    await pool.start()
    huge = received(mail(COLLEAGUE).raw + b"x" * 450_000_000)
    (child,) = workers()
    try:
        made = await pool.plan(huge)
        assert [hold.rule for hold in made.holds] == ["internal-error"]
    except WorkerLost as error:
        assert error.why == "died"  # there was not even room to take it
    assert (await pool.plan(mail(COLLEAGUE))).copies
    assert child.rlimit(psutil.RLIMIT_AS) == (900_000_000,) * 2 if child.is_running() else True


async def test_a_policy_that_cannot_load_is_told_and_nothing_starts(capfd: pytest.CaptureFixture[str]) -> None:
    told = spec()
    told["policy"] = {**told["policy"], "policy.yaml": "modes: {default: everything}\n"}
    with pytest.raises(NoWorker):
        await Pool(told, size=1, memory=10**9 * 2, seconds=5).start()
    said = capfd.readouterr().err
    assert "policy.yaml:1: modes.default" in said
    assert "Traceback" not in said


async def test_a_reload_under_load_drops_nothing() -> None:
    """Four messages at a time the whole while; the policy changes twice; every message gets its plan."""
    pool = real(size=2)
    await pool.start()
    modes: list[str] = []
    stop = asyncio.Event()

    async def client() -> None:
        while not stop.is_set():
            modes.append((await pool.plan(mail(STRANGER))).record["recipients"][0]["mode"])

    clients = [asyncio.ensure_future(client()) for _ in range(4)]
    for mode in ("observe", "advise"):
        await asyncio.sleep(0.3)
        await pool.reload(spec(mode))
    await asyncio.sleep(2.0)
    stop.set()
    await asyncio.gather(*clients)
    assert modes[0] == "enforce"
    assert modes[-1] == "advise"
    assert len(modes) > 20


async def test_a_process_speaks_json_on_standard_error_and_nothing_of_the_message(
    saboteur: None, capfd: pytest.CaptureFixture[str]
) -> None:
    """P5: what fails inside is told by its type; the text of the exception quotes a name."""
    pool = real(log_level="DEBUG")
    await pool.start()
    made = await pool.plan(mail(COLLEAGUE, X_Sabotage="decide raise"))
    assert made.holds[0].rule == "internal-error"
    out, err = capfd.readouterr()
    assert out == ""
    events = [json.loads(line) for line in err.splitlines()]
    assert [event["event"] for event in events] == ["pipeline.failed"]
    assert events[0]["error"] == "RuntimeError"
    assert "CANARY" not in err


PARENT = """
import asyncio, json, sys
from gateway.compute.pool import Pool
from tests.gateway.test_compute import mail, real
from tests.support.workers import workers
from tests.support.contexts import COLLEAGUE
async def main():
    pool = real(seconds=600)
    await pool.start()
    asyncio.ensure_future(pool.plan(mail(COLLEAGUE, X_Sabotage="parse hang")))
    await asyncio.sleep(0.5)
    print(pool._busy.pop().process.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_a_process_in_an_endless_loop_ends_with_its_parent(tmp_path: Path, saboteur: None) -> None:
    """Symptom: after the gateway was killed, a process that hung stayed for ever.  Cause: it looked whether its parent lives only
    when it waited for the next message."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT.replace("tests.gateway.test_compute", "test_compute"))
    environment = {**os.environ, "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{ROOT / 'tests' / 'gateway'}"}
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment, cwd=ROOT)
    assert parent.stdout is not None
    pid = int(await asyncio.to_thread(parent.stdout.readline))
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
