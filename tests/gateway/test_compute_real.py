"""Real compute processes: they plan what the pipeline plans, keep to their time and memory, and end with their parent."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from gateway.compute.pool import NoWorker, Pool, WorkerLost
from gateway.config import load
from gateway.model import Plan, Received
from gateway.pipeline import plan
from gateway.plans import sound
from tests.support.computes import descriptors, kept, tidied
from tests.support.contexts import AT, COLLEAGUE, HOSPICE, STRANGER, context, folder, policy, received
from tests.support.letters import canary_photo, letter
from tests.support.paths import ROOT
from tests.support.workers import workers

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
async def tidy() -> AsyncIterator[None]:
    """After every test: no process and no descriptor more than before."""
    async with tidied():
        yield


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
from tests.gateway.test_compute_real import mail, real
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
    script.write_text(PARENT.replace("tests.gateway.test_compute_real", "test_compute_real"))
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
