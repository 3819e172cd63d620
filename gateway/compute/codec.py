"""How messages and plans cross the border between the SMTP process and a compute process: JSON and raw bytes, never pickle."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from gateway.exitcheck import adopt
from gateway.model import Copy, Envelope, Hold, Plan, Received, Recipient, Refusal

INLINE_BYTES = 96 * 1024  # below this everything travels in the packet itself
HEADER_BYTES = 256 * 1024 * 1024  # no plan says more


def pack(header: dict[str, Any], blobs: Sequence[bytes]) -> tuple[bytes, int]:
    """(packet, memfd or -1).  The packet is ``JSON NUL blobs`` when small, else the length of the JSON, which stands in the memfd
    before the blobs.  The caller closes the memfd.  Raises OSError when there is no room for one."""
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}, separators=(",", ":")).encode()
    if len(text) + sum(map(len, blobs)) <= INLINE_BYTES:
        return b"".join((text, b"\0", *blobs)), -1
    fd = os.memfd_create("clinigate", os.MFD_CLOEXEC)
    try:
        for piece in (text, *blobs):
            view = memoryview(piece)
            while view:
                view = view[os.write(fd, view) :]
    except OSError:
        os.close(fd)
        raise
    return str(len(text)).encode(), fd


def unpack(packet: bytes, fds: Sequence[int]) -> tuple[dict[str, Any], list[bytes]]:
    """The inverse of ``pack``; closes the descriptors.  Raises ValueError on nonsense."""
    try:
        if fds:
            return _from_file(packet, fds[0])
        text, _, rest = packet.partition(b"\0")
        header = _header(text)
        return header, list(_pieces(header, len(rest), 0, lambda size, at: rest[at : at + size]))
    finally:
        close(fds)


def close(fds: Iterable[int]) -> None:
    """Close descriptors that came with a packet."""
    for fd in fds:
        os.close(fd)


def _from_file(packet: bytes, fd: int) -> tuple[dict[str, Any], list[bytes]]:
    size = int(packet)
    if not 0 < size <= HEADER_BYTES:
        raise ValueError("no header")
    header = _header(_read(fd, size, 0))
    return header, list(_pieces(header, _size(fd), size, lambda length, at: _read(fd, length, at)))


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except RecursionError:
        raise ValueError("nested beyond reason") from None
    if not isinstance(header, dict):
        raise ValueError("not a header")
    return header


def _pieces(header: dict[str, Any], end: int, at: int, take: Callable[[int, int], bytes]) -> Iterator[bytes]:
    """The blobs one after the other; they fill what there is to the last byte, or it is nonsense: half a mail is never a mail."""
    sizes = header.get("blobs")
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes) or at + sum(sizes) != end:
        raise ValueError("blobs do not fit")
    for size in sizes:
        yield take(size, at)
        at += size


def _size(fd: int) -> int:
    try:
        return os.fstat(fd).st_size
    except OSError:
        raise ValueError("not a file") from None


def _read(fd: int, size: int, at: int) -> bytes:
    if at + size > _size(fd):
        raise ValueError("short blob")
    try:
        data = os.pread(fd, size, at)  # releases the interpreter lock while it copies
    except (OSError, MemoryError):
        raise ValueError("not to be read") from None
    if len(data) != size:
        raise ValueError("short blob")
    return data


def dump_received(received: Received) -> dict[str, Any]:
    """JSON form of everything but the raw bytes."""
    fields = {field.name: getattr(received, field.name) for field in dataclasses.fields(received) if field.name != "raw"}
    return fields | {"envelope": dataclasses.asdict(received.envelope)}


def load_received(header: dict[str, Any], raw: bytes) -> Received:
    """The inverse of ``dump_received``.  Raises ValueError, KeyError or TypeError on nonsense."""
    told = {name: value for name, value in header.items() if name not in ("blobs", "envelope")}
    envelope = dict(header["envelope"])
    envelope["recipients"] = tuple(Recipient(**one) for one in envelope["recipients"])
    return Received(envelope=Envelope(**envelope), raw=raw, **told)


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
            "meant": plan.meant,
            "emergency": dict(plan.emergency),
        },
        blobs,
    )


def load_plan(header: dict[str, Any], blobs: Sequence[bytes]) -> Plan:
    """Rebuild a plan from a compute process's answer.  Raises ValueError, KeyError or TypeError on nonsense."""
    return Plan(
        copies=tuple(_copy(copy, blobs) for copy in header["copies"]),
        holds=tuple(Hold(**_checked(hold, Hold)) for hold in header["holds"]),
        refusals=tuple(Refusal(**_checked(refusal, Refusal)) for refusal in header["refusals"]),
        record=_typed(header["record"], dict),
        plain=_typed(header["plain"], bool),
        sender_kind=_typed(header["sender_kind"], str),
        owner=_typed(header["owner"], str),
        meant=tuple(_typed(one, str) for one in _typed(header["meant"], list)),
        emergency={name: _typed(text, str) for name, text in _typed(header["emergency"], dict).items()},
    )


def _copy(told: dict[str, Any], blobs: Sequence[bytes]) -> Copy:
    at = _typed(told["data"], int)
    if not 0 <= at < len(blobs):
        raise ValueError("no such blob")
    fields = {**told, "data": adopt(blobs[at], told["kind"])}
    del fields["kind"]
    return Copy(**_checked(fields, Copy))


def _checked(fields: dict[str, Any], of: type[Copy | Hold | Refusal]) -> dict[str, Any]:
    """``fields`` with every value of the type that the dataclass ``of`` declares, lists as tuples.  Raises TypeError."""
    checked = dict(fields)
    for field in dataclasses.fields(of):
        if field.name in checked and (item := _ITEMS.get(field.type)) is not None:
            checked[field.name] = tuple(_typed(one, item) for one in _typed(checked[field.name], list))
        elif field.name in checked and (kinds := _KINDS.get(field.type)) is not None:
            _typed(checked[field.name], *kinds)
    return checked


def _typed(value: Any, *kinds: type) -> Any:
    if type(value) not in kinds:  # exactly: True is no index
        raise TypeError("a plan's field is of another type")
    return value


# Declared type, as written in gateway.model -> what JSON gives for it.
_ITEMS: Final[Mapping[Any, type]] = {"tuple[int, ...]": int, "tuple[str, ...]": str}
_KINDS: Final[Mapping[Any, tuple[type, ...]]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "bool": (bool,),
    "Mapping[str, Any]": (dict,),
}
