"""What the SMTP side is told (``ListenerSettings``) and whom it hands its messages to (``Intake``)."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.model import Envelope, Received, Reply

MOST_RECIPIENTS = 1000  # hard ceiling whatever the settings say; RFC 5321 4.5.3.1.8 asks for at least 100
KINDS = ("relay", "submission", "release")
PROTOCOLS = ("SMTP", "LMTP")
BARE_NEWLINES = ("refuse", "normalise")


class Reservation(Protocol):
    """Memory set aside for one message."""

    def grow(self, size: int) -> bool:
        """Make room for a message of ``size`` bytes in all; False when there is none (nothing changes then)."""
        ...

    def release(self) -> None:
        """Give everything back.  May be called more than once."""
        ...


class Intake(Protocol):
    """The rest of the gateway as a listener sees it.  Whatever raises here is answered 451, never with its text."""

    def admit(self, envelope_size: int | None) -> Reply | None:
        """Asked at MAIL with the declared SIZE: None to go on, or the refusal (451 circuit open, 452 no memory)."""
        ...

    def reserve(self, size: int) -> Reservation | None:
        """Set memory aside for a message of ``size`` bytes; None = none left, answered 452."""
        ...

    def extensions(self) -> frozenset[str]:
        """What the next hop offers now, of 8BITMIME, SMTPUTF8 and DSN.  Asked at each EHLO or LHLO."""
        ...

    def known_as(self, digest: str) -> str:
        """The key of a message that bears no queue id, from the SHA-256 of its bytes.  Ends with ``went_on`` or ``left``."""
        ...

    async def message(self, received: Received) -> list[Reply]:
        """Take the message.  SMTP: exactly one reply; LMTP: one per accepted recipient, in order.

        Never cancelled when the client goes away: the work ends, only the reply is dropped.
        """
        ...

    def went_on(self, key: str) -> None:
        """The client sent something after our final reply to ``key`` had gone out: it has read the reply."""
        ...

    def left(self, key: str) -> None:
        """The client left without a word after our final reply to ``key``, or before it: it may come again."""
        ...

    def verify_release(self, token: str, envelope: Envelope) -> Mapping[str, Any] | None:
        """Judge MAIL's CLINIGATE-RELEASE on a release listener, at DATA, when all recipients are known; None = 550."""
        ...


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """One listener.  Raises ValueError for what could never be safe; times in seconds, sizes in bytes."""

    name: str
    kind: str = "relay"  # relay | submission | release
    protocol: str = "SMTP"  # SMTP | LMTP
    host: str | None = "127.0.0.1"
    port: int = 0
    socket: str | None = None  # path of a Unix socket, instead of host and port
    tls: ssl.SSLContext | None = None  # STARTTLS with a required client certificate; obligatory beyond loopback
    hostname: str = "clinigate.localdomain"
    max_size: int = 50_000_000
    max_recipients: int = 100
    max_connections: int = 100
    command_timeout: float = 300  # for the next whole command (RFC 5321 4.5.3.2.7 asks for 5 minutes)
    data_timeout: float = 180  # without a single byte of the message (RFC 5321 4.5.3.2.5)
    data_total: float = 1800  # for the whole message, however steadily it trickles in
    xforward: bool = True  # take XFORWARD from the peers of ``trusted``
    bare_newlines: str = "refuse"  # refuse | normalise: what a CR or LF alone in a message means
    trusted: tuple[str, ...] = ("127.0.0.0/8", "::1")  # peers that may connect at all; Unix sockets: file permissions
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for value, allowed in ((self.kind, KINDS), (self.protocol, PROTOCOLS), (self.bare_newlines, BARE_NEWLINES)):
            if value not in allowed:
                raise ValueError(f"listener {self.name}: {value!r} is none of {', '.join(allowed)}")
        if not 1 <= self.max_recipients <= MOST_RECIPIENTS:
            raise ValueError(f"listener {self.name}: max_recipients must be 1 to {MOST_RECIPIENTS}")
        if min(self.max_size, self.max_connections, self.command_timeout, self.data_timeout, self.data_total) <= 0:
            raise ValueError(f"listener {self.name}: sizes, numbers and times must be above 0")
        if self.tls is not None and self.tls.verify_mode != ssl.CERT_REQUIRED:
            raise ValueError(f"listener {self.name}: tls must require a client certificate")
        if not self.trusted and self.socket is None:
            raise ValueError(f"listener {self.name}: trusted is empty, so nobody could connect")
        object.__setattr__(self, "networks", tuple(ipaddress.ip_network(peer) for peer in self.trusted))

    def trusts(self, peer: str) -> bool:
        """True for a peer of ``trusted``; "" is the other end of a Unix socket."""
        if not peer:
            return True
        address = ipaddress.ip_address(peer.partition("%")[0])  # a scope id is no part of the address
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)

    @property
    def lmtp(self) -> bool:
        return self.protocol == "LMTP"
