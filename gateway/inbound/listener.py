"""Start and stop a listener: a socket, TCP or Unix, own or inherited, and a ``Session`` for each connection."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import stat
from pathlib import Path
from typing import Any

import structlog

from gateway.inbound.intake import Intake, ListenerSettings, Reservation
from gateway.inbound.limits import Roster
from gateway.smtp import Session

__all__ = ["Intake", "Listener", "ListenerSettings", "Reservation", "start"]

log = structlog.get_logger()
SOCKET_MODE = 0o660  # owner and group may connect


class Listener:
    """A running listener; made by ``start``."""

    def __init__(self, settings: ListenerSettings, server: asyncio.Server, roster: Roster, path: Path | None) -> None:
        self.settings = settings
        self._server = server
        self._roster = roster
        self._path = path
        name: Any = server.sockets[0].getsockname()
        self.port: int = name[1] if isinstance(name, tuple) else 0
        self.address: str = name[0] if isinstance(name, tuple) else str(name)

    @property
    def connections(self) -> int:
        return len(self._roster.sessions)

    async def close(self, grace: float = 30.0) -> int:
        """Stop accepting, let transactions under way end for up to ``grace`` seconds, hang up.

        Returns how many messages are still being worked on; they go on while the event loop runs, and nobody has been told 250.
        """
        self._roster.closing = True
        self._server.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        for session in tuple(self._roster.sessions):
            session.dismiss()
        try:
            async with asyncio.timeout(grace):
                await self._roster.empty()
        except TimeoutError:
            log.warning("smtp.closing-late", listener=self.settings.name, messages=len(self._roster.works))
        for session in tuple(self._roster.sessions):
            if session.transport is not None:
                session.transport.abort()
        return len(self._roster.works)


async def start(settings: ListenerSettings, intake: Intake, *, backlog: int = 100, sock: socket.socket | None = None) -> Listener:
    """Listen.  ``sock``: an inherited socket, bound already.

    Raises OSError when it cannot bind, ValueError for an address beyond loopback without TLS.
    """
    roster = Roster(settings.max_connections)
    own = None
    if sock is None and settings.socket is not None:
        own = Path(settings.socket)
        sock = _bind_path(own)
    elif sock is None:
        sock = _bind(settings)
    try:
        _check_private(settings, sock)
        loop = asyncio.get_running_loop()
        make = loop.create_unix_server if sock.family == socket.AF_UNIX else loop.create_server
        server = await make(lambda: Session(settings, intake, roster), sock=sock, backlog=backlog)
    except BaseException:  # not swallowed: only so that a socket which is not served does not stay open
        sock.close()
        raise
    log.info("smtp.listening", listener=settings.name, kind=settings.kind, protocol=settings.protocol)
    return Listener(settings, server, roster, own)


def _bind(settings: ListenerSettings) -> socket.socket:
    found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def _bind_path(path: Path) -> socket.socket:
    """A Unix socket; its mode is set before anybody can connect, because it does not listen yet."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _alive(path):
        path.unlink()  # left behind by a process that was killed
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        path.chmod(SOCKET_MODE)
    except OSError:
        sock.close()
        raise
    return sock


def _alive(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def _check_private(settings: ListenerSettings, sock: socket.socket) -> None:
    """Mail in clear is taken on this machine only."""
    if sock.family == socket.AF_UNIX or settings.tls is not None:
        return
    if not ipaddress.ip_address(sock.getsockname()[0]).is_loopback:
        raise ValueError(f"listener {settings.name}: beyond loopback it needs tls with client certificates")
