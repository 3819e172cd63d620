"""Pools of compute processes for tests: fake processes that fail as told, and a count of what a test leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.compute import pool as compute
from gateway.compute.codec import plan_header
from gateway.compute.pool import Pool, WorkerLost
from gateway.model import Hold, Plan, Received
from tests.support.contexts import received
from tests.support.workers import workers

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


def fakes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pool]:
    """Makes pools of fake processes."""
    real = subprocess.Popen

    def popen(command: list[str], **options: Any) -> Any:
        return real([sys.executable, "-S", "-E", "-c", FAKE, command[-1]], **options)

    monkeypatch.setattr(compute.subprocess, "Popen", popen)

    def make(size: int = 1, seconds: float = 5.0, name: str = "one") -> Pool:
        return kept(Pool({"name": name}, size=size, memory=10**9, seconds=seconds))

    return make


@asynccontextmanager
async def tidied() -> AsyncIterator[None]:
    """Afterwards: no process and no descriptor more than before."""
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
