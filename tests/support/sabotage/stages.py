"""Stages of the pipeline that raise, hang, lie or kill, as one header line of the message asks: ``X-Sabotage: <stage> <how>``.

Runs inside a real compute process.  The product knows nothing of it.
"""

from __future__ import annotations

import dataclasses
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from filters.api import Scrubbed
from filters.registry import SCRUBBERS
from gateway import message, pipeline
from gateway.encryption import METHODS
from gateway.exitcheck import original
from gateway.finishing import finish
from gateway.finishing.finish import Finished, Finisher
from gateway.model import Plan, Received
from policies.model import Mode

HEADER = re.compile(rb"(?m)^X-Sabotage: (\w+) (\w+)\r$")
NOTHING_SEEN = b"Subject: nothing\r\n\r\nnothing\r\n"
SECRET = "CANARY-exception-text of Mrs Jones"
SECONDS = 3600.0


def wrapped(name: str, honest: Callable[..., Any], how: str, lie: Callable[..., Any]) -> Callable[..., Any]:
    """``honest`` made to fail; ``lie`` is what it answers instead."""

    def failing(*args: Any, **kwargs: Any) -> Any:
        if how == "raise":
            raise RuntimeError(SECRET)
        if how == "hang":
            time.sleep(SECONDS)
        if how == "die":
            os._exit(9)
        return lie(honest, *args, **kwargs)

    return failing


def unchecked(data: bytes) -> Finished:
    """What no honest stage makes in enforce: bytes that no exit check has seen, in the clothes of finished ones."""
    return Finished(original(data, Mode.OBSERVE))  # type: ignore[arg-type]  # the lie


def protect(honest: Callable[..., Any], context: Any, finisher: Finisher, *rest: Any) -> Any:
    return dataclasses.replace(honest(context, finisher, *rest), finished=unchecked(finisher._received.raw))


# stage -> (where, attribute, what it answers when it lies)
STAGES: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "parse": (pipeline, "parse", lambda honest, raw: message.parse(NOTHING_SEEN)),
    "open": (pipeline, "open_leaves", lambda honest, *args: []),
    "statements": (pipeline, "statements", lambda honest, *args: None),
    "identify": (pipeline, "identify", lambda honest, *args: "vouched"),
    "gather": (pipeline, "gather", lambda honest, *args: ()),
    "decide": (pipeline, "decide", lambda honest, *args: "DELIVER"),
    "splice": (finish, "splice", lambda honest, raw, edits: raw),
    "check": (finish, "check", lambda honest, data, *args: original(data, Mode.OBSERVE)),
    "sign": (Finisher, "sign", lambda honest, self, data: self._received.raw),
    "record": (pipeline, "record", lambda honest, *args: {"not": object()}),
    "protect": (METHODS["route"], "protect", protect),
    "plan": (pipeline, "carry_out", lambda honest, *args: Plan(plain=True)),
}


class Scrubber:
    """The JPEG scrubber, failing as told."""

    def __init__(self, how: str) -> None:
        honest = SCRUBBERS["jpeg"]
        self.name, self.native, self.inspect, self.residue = honest.name, honest.native, honest.inspect, honest.residue
        self.scrub = wrapped("scrub", honest.scrub, how, lambda honest, data, cleaning: Scrubbed(data))


NAMES = ("scrub", *STAGES)


@contextmanager
def sabotaged(stage: str, how: str) -> Iterator[None]:
    """``stage`` fails as ``how`` says until the block ends."""
    if stage == "scrub":
        jpeg = SCRUBBERS["jpeg"]
        SCRUBBERS["jpeg"] = Scrubber(how)  # type: ignore[index]  # a dict behind its read-only type
        try:
            yield
        finally:
            SCRUBBERS["jpeg"] = jpeg  # type: ignore[index]
        return
    owner, name, lie = STAGES[stage]
    honest = getattr(owner, name)
    setattr(owner, name, wrapped(stage, honest, how, lie))
    try:
        yield
    finally:
        setattr(owner, name, honest)


def arm() -> None:
    """Make this process's pipeline look for the header.  Before ``gateway.compute.worker`` is imported."""
    honest = pipeline.plan

    def plan(context: Any, received: Received) -> Any:
        asked = HEADER.search(received.raw[:4096])
        if asked is None:
            return honest(context, received)
        stage, how = asked[1].decode(), asked[2].decode()
        if stage == "process":
            return whole(how)
        with sabotaged(stage, how):
            return honest(context, received)

    pipeline.plan = plan


def whole(how: str) -> Any:
    """The process itself goes wrong."""
    if how == "die":
        os._exit(9)
    if how == "hang":
        time.sleep(SECONDS)
    return Plan(holds=("nonsense",))  # type: ignore[arg-type]  # cannot even be packed
