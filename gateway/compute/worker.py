"""One compute process: takes a message, runs steps 2-10, answers with a plan.  Started by ``gateway.compute.pool``.

Protocol on one SOCK_SEQPACKET descriptor: a packet is a JSON header, or a header and a memfd that holds the header's
``blobs`` one after the other.  Never pickle.  The process holds no network connection and can be killed at any time.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from types import TracebackType
from typing import Any

import structlog

from gateway import logs
from gateway.compute.codec import load_received, pack, plan_header, unpack
from gateway.context import Context, build, renewed
from gateway.heap import reuse_large_blocks
from gateway.lifeline import die_with
from gateway.pipeline import plan
from quarantine.keys import KeyFileError

log = structlog.get_logger()
KEEP_BYTES = 96 * 1024 * 1024


def main() -> None:
    """Entry point: ``python -m gateway.compute.worker FD``."""
    parent = os.getppid()
    reuse_large_blocks(KEEP_BYTES)
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent decides when we end: systemd's SIGTERM goes to all of its group
        signal.signal(number, signal.SIG_IGN)
    die_with(parent)
    channel = socket.socket(fileno=int(sys.argv[1]))
    header, _ = _receive(channel)
    logs.setup(header["log_level"])
    limit = int(header["memory"])
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        context = build(header["context"])
    except (OSError, ValueError, KeyFileError) as error:
        sys.exit(f"compute process: {error}")  # of the configuration: no message has come yet
    _send(channel, {"ready": True, "policy": context.policy.digest}, [])
    sys.excepthook = _died
    while True:
        header, blobs = _receive(channel)
        if "context" in header:
            context = _changed(context, channel, header["context"])
        else:
            _send(channel, *_answer(context, header, blobs))


def _changed(context: Context, channel: socket.socket, spec: dict[str, Any]) -> Context:
    """Go over to another policy, or say that it cannot be used and keep the old one."""
    try:
        changed = renewed(context, spec["policy"])
    except ValueError as error:
        log.error("compute.policy-refused", error=type(error).__name__)
        _send(channel, {"ready": False}, [])
        return context
    _send(channel, {"ready": True, "policy": changed.policy.digest}, [])
    return changed


def _died(kind: type[BaseException], _error: BaseException, _trace: TracebackType | None) -> None:
    """What ends this process in the middle of a message is told by its type: a text or a traceback could quote content (P5)."""
    log.error("compute.died", error=kind.__name__)


def _answer(context: Context, header: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    received = load_received(header, blobs.pop())  # so that the message is gone when its plan is packed
    return plan_header(plan(context, received))


def _receive(channel: socket.socket) -> tuple[dict[str, Any], list[bytes]]:
    packet, fds, _, _ = socket.recv_fds(channel, 1 << 18, 1)
    if not packet:
        os._exit(0)  # the parent is gone or wants us gone
    return unpack(packet, fds)


def _send(channel: socket.socket, header: dict[str, Any], blobs: list[bytes]) -> None:
    packet, fd = pack(header, blobs)
    try:
        socket.send_fds(channel, [packet], [fd] if fd >= 0 else [])
    finally:
        if fd >= 0:
            os.close(fd)


if __name__ == "__main__":
    main()
