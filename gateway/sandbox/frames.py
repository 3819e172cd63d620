"""What goes over the pipe between sandbox and parent: a JSON header and raw bytes.  Never pickle.

A frame is the header's length (4 octets, big-endian), the header, and the blobs whose lengths it lists under ``blobs``.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from typing import Any, Final

HEADER_MOST: Final = 1 << 20


class Nonsense(Exception):
    """The other side ended, or does not speak in frames."""


class Flood(Nonsense):
    """More bytes than were left to be decoded."""


def send(channel: socket.socket, header: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """Raises OSError."""
    text = json.dumps(header | {"blobs": [len(blob) for blob in blobs]}).encode()
    channel.sendall(struct.pack(">I", len(text)) + text)
    for blob in blobs:
        channel.sendall(blob)


def receive(channel: socket.socket, most: int) -> tuple[dict[str, Any], list[bytes]]:
    """One frame with at most ``most`` octets of blobs.  Raises Nonsense, Flood, OSError (TimeoutError)."""
    (length,) = struct.unpack(">I", _exactly(channel, 4))
    if length > HEADER_MOST:
        raise Nonsense("header too long")
    try:
        header = json.loads(_exactly(channel, length))
        sizes = header["blobs"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Nonsense("no frame") from None
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        raise Nonsense("no sizes")
    if sum(sizes) > most:
        raise Flood("too many bytes")
    return header, [_exactly(channel, size) for size in sizes]


def _exactly(channel: socket.socket, count: int) -> bytes:
    data = bytearray(count)
    view = memoryview(data)
    got = 0
    while got < count:
        read = channel.recv_into(view[got:])
        if not read:
            raise Nonsense("ended")
        got += read
    return bytes(data)
