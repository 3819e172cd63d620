"""What systemd hands a service: listening sockets (sd_listen_fds(3)) and a way to say that it is ready (sd_notify(3)).

With socket units a restart refuses nobody: connections wait in the kernel until the new process accepts them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

FIRST_FD = 3  # SD_LISTEN_FDS_START


def inherited(environ: MutableMapping[str, str], pid: int | None = None) -> dict[str, socket.socket]:
    """FileDescriptorName -> socket, for what was passed to this very process; ``environ`` loses the variables that say so.

    Raises ValueError when two descriptors bear one name or the variables contradict each other, OSError when a descriptor is
    no socket.
    """
    told = {name: environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")}
    if told["LISTEN_PID"] != str(os.getpid() if pid is None else pid):
        return {}  # nothing, or meant for a parent of ours
    count = int(told["LISTEN_FDS"])
    names = told["LISTEN_FDNAMES"].split(":")
    if len(names) != count or len(set(names)) != count:
        raise ValueError("socket units: give each a FileDescriptorName= of its own, the name of a listener")
    found = {name: socket.socket(fileno=FIRST_FD + index) for index, name in enumerate(names)}
    for one in found.values():
        one.set_inheritable(False)
    return found


def claim(sockets: MutableMapping[str, socket.socket], name: str, port: int = 0) -> socket.socket | None:
    """The inherited socket for one listener, or None: it binds its own.  Raises ValueError when ``port`` (0: any) is another."""
    sock = sockets.pop(name, None)
    if sock is not None and sock.family != socket.AF_UNIX and port not in (0, bound := sock.getsockname()[1]):
        raise ValueError(f"listener {name}: the configuration says port {port}, its socket unit listens on {bound}")
    return sock


def none_left(sockets: MutableMapping[str, socket.socket]) -> None:
    """Every inherited socket has found its listener.  Raises ValueError: mail would wait for ever on one that nobody serves."""
    if sockets:
        raise ValueError(f"socket units: no listener is named {', '.join(sorted(sockets))}")


def notify(state: str, environ: MutableMapping[str, str]) -> None:
    """Tell the service manager, if there is one: ``READY=1``, ``STOPPING=1``.  Raises OSError when its socket is gone."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.connect("\0" + address[1:] if address.startswith("@") else address)
        out.sendall(state.encode())
