"""Next-hop routes: where finished copies may go, how the link is secured, and how long each phase may take."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

_HELO = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Za-z.:]{1,60}\]")

Protocol = Literal["SMTP", "LMTP"]
Tls = Literal["none", "opportunistic", "verified", "mutual"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds a phase may go without progress.

    RFC 5321 4.5.3.2 allows minutes for each; ours are shorter because the upstream client waits for our answer meanwhile and
    the gateway answers within 240 s of the final dot.
    """

    connect: float = 10.0  # TCP and the TLS handshake, each
    greeting: float = 30.0
    command: float = 60.0  # EHLO, MAIL, RCPT, DATA, RSET
    block: float = 60.0  # one block of message data taken by the peer
    final: float = 180.0  # each reply after the final dot


@dataclass(frozen=True, slots=True)
class Route:
    """One named next hop: ``host`` and ``port``, or ``socket`` (a Unix socket's path).

    ``tls``: ``none``; ``opportunistic`` (STARTTLS where offered, certificate not looked at, plain text when the handshake
    fails: RFC 7435); ``verified`` (STARTTLS or nothing, certificate chain and name checked); ``mutual`` (verified, and we show
    ``certificate`` and ``key``).  ``ca`` names a PEM file of trusted authorities (default: the system's); ``server_name`` the
    name to check where it is not ``host``.
    """

    name: str
    host: str = ""
    port: int = 25
    socket: Path | None = None
    protocol: Protocol = "SMTP"
    tls: Tls = "none"
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str | None = None
    helo: str = "localhost"
    timeouts: Timeouts = field(default_factory=Timeouts)
    connections: int = 16  # open at once
    keep: float = 20.0  # seconds an idle connection is kept; Postfix closes idle ones after 300, some servers after 30
    reuse: int = 100  # messages over one connection
    xforward: bool = True  # pass client facts on where the next hop offers XFORWARD

    def __post_init__(self) -> None:
        if bool(self.host) == bool(self.socket):
            raise ValueError(f"route {self.name}: give either host or socket")
        if self.tls in ("verified", "mutual") and not (self.server_name or self.host):
            raise ValueError(f"route {self.name}: tls {self.tls} over a socket needs server_name")
        if self.tls == "mutual" and not self.certificate:
            raise ValueError(f"route {self.name}: tls mutual needs certificate")
        if not _HELO.fullmatch(self.helo):
            raise ValueError(f"route {self.name}: helo must be a host name or an address literal in brackets")
        if self.connections < 1 or self.reuse < 1:
            raise ValueError(f"route {self.name}: connections and reuse must be at least 1")

    @property
    def checked_name(self) -> str:
        """The host name the certificate must bear."""
        return self.server_name or self.host

    def context(self) -> ssl.SSLContext | None:
        """A TLS client context, or None for ``none``.  Raises OSError or ssl.SSLError when a file is missing or wrong."""
        if self.tls == "none":
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.tls == "opportunistic":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca:
            context.load_verify_locations(self.ca)
        else:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        return context


class Routes(Mapping[str, Route]):
    """Routes by name.  An empty set is refused: without a next hop nothing can leave."""

    def __init__(self, routes: tuple[Route, ...] | list[Route]) -> None:
        self._routes = {route.name: route for route in routes}
        if not self._routes:
            raise ValueError("no next-hop route is configured")
        if len(self._routes) != len(routes):
            raise ValueError("two next-hop routes bear the same name")

    def __getitem__(self, name: str) -> Route:
        return self._routes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._routes)

    def __len__(self) -> int:
        return len(self._routes)
