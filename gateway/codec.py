"""How messages and plans cross the border between the SMTP process and a compute process: JSON and raw bytes, never pickle."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any

from gateway.exitcheck import adopt
from gateway.model import Copy, Envelope, Hold, Plan, Received, Recipient, Refusal

INLINE_BYTES = 96 * 1024  # below this everything travels in the packet itself


def pack(header: dict[str, Any], blobs: Sequence[bytes]) -> tuple[bytes, int]:
    """(packet, memfd or -1).  The packet is ``JSON NUL blobs`` when small, else ``JSON`` with everything in the memfd."""
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}, separators=(",", ":")).encode()
    if len(text) + sum(map(len, blobs)) <= INLINE_BYTES:
        return b"".join((text, b"\0", *blobs)), -1
    fd = os.memfd_create("clinigate", os.MFD_CLOEXEC)
    for piece in (text, *blobs):
        view = memoryview(piece)
        while view:
            view = view[os.write(fd, view) :]
    return str(len(text)).encode(), fd


def unpack(packet: bytes, fds: Sequence[int]) -> tuple[dict[str, Any], list[bytes]]:
    """The inverse of ``pack``; closes the descriptor.  Raises ValueError on nonsense."""
    if not fds:
        text, _, rest = packet.partition(b"\0")
        header: dict[str, Any] = json.loads(text)
        blobs, at = [], 0
        for size in header["blobs"]:
            blobs.append(rest[at : at + size])
            at += size
        return header, blobs
    try:
        at = int(packet)
        header = json.loads(_read(fds[0], at, 0))
        blobs = []
        for size in header["blobs"]:
            blobs.append(_read(fds[0], size, at))
            at += size
        return header, blobs
    finally:
        for fd in fds:
            os.close(fd)


def _read(fd: int, size: int, at: int) -> bytes:
    data = os.pread(fd, size, at)  # releases the interpreter lock while it copies
    if len(data) != size:
        raise ValueError("short blob")
    return data


def dump_received(received: Received) -> dict[str, Any]:
    """JSON form of everything but the raw bytes."""
    return {"envelope": dataclasses.asdict(received.envelope), "at": received.at, "key": received.key}


def load_received(header: dict[str, Any], raw: bytes) -> Received:
    fields = dict(header["envelope"])
    fields["recipients"] = tuple(Recipient(**one) for one in fields["recipients"])
    return Received(Envelope(**fields), raw, header["at"], header["key"])


def plan_header(plan: Plan) -> tuple[dict[str, Any], list[bytes]]:
    """(JSON header, blobs) of a plan; equal bytes are sent once."""
    blobs: list[bytes] = []
    index: dict[int, int] = {}
    copies = []
    for copy in plan.copies:
        at = index.setdefault(id(copy.data.data), len(blobs))
        if at == len(blobs):
            blobs.append(copy.data.data)
        copies.append(
            {
                "recipients": copy.recipients,
                "data": at,
                "kind": type(copy.data).__name__,
                "route": copy.route,
                "method": copy.method,
                "sender": copy.sender,
            }
        )
    return (
        {
            "copies": copies,
            "holds": [dataclasses.asdict(hold) for hold in plan.holds],
            "refusals": [dataclasses.asdict(refusal) for refusal in plan.refusals],
            "record": dict(plan.record),
            "plain": plan.plain,
            "sender_kind": plan.sender_kind,
            "owner": plan.owner,
        },
        blobs,
    )


def load_plan(header: dict[str, Any], blobs: Sequence[bytes]) -> Plan:
    """Rebuild a plan from a compute process's answer.  Raises ValueError, KeyError or TypeError on nonsense."""
    return Plan(
        copies=tuple(
            Copy(
                tuple(copy["recipients"]),
                adopt(blobs[copy["data"]], copy["kind"]),
                copy["route"],
                copy["method"],
                copy["sender"],
            )
            for copy in header["copies"]
        ),
        holds=tuple(Hold(**_tuples(hold, "recipients", "reasons", "answers")) for hold in header["holds"]),
        refusals=tuple(Refusal(**_tuples(one, "recipients", "reasons")) for one in header["refusals"]),
        record=header["record"],
        plain=header["plain"],
        sender_kind=header["sender_kind"],
        owner=header["owner"],
    )


def _tuples(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**fields, **{name: tuple(fields[name]) for name in names}}
