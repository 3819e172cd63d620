"""Who sent this, and does the listener vouch for it?  A consent statement counts only from a vouched person."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from gateway.carriers import Carried, from_addresses, sender_addresses
from gateway.message import Message
from gateway.model import Envelope

_AUTHENTICATED = re.compile(r"\(Authenticated sender:\s*([^()\s]+)\)\s+by\s+([A-Za-z0-9._-]+)", re.I)
_CLAIM = re.compile(r"authenticated\s+sender", re.I)


class Vouches(StrEnum):
    """What a listener vouches for."""

    ENVELOPE_SENDER = "envelope-sender"  # the MTA in front binds MAIL FROM to its login (Postfix: reject_sender_login_mismatch)
    AUTHENTICATED_RECEIVED = (
        "authenticated-received"  # the trusted top Received names the login (smtpd_sasl_authenticated_header)
    )
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Identity:
    """``codes`` say why the sender is not vouched for; empty when ``vouched``."""

    vouched: bool
    codes: frozenset[str]

    @property
    def certain(self) -> bool:
        """True if the listener answers for the envelope sender, whatever the message says of its author."""
        return self.codes.isdisjoint(_FORGEABLE)


_FORGEABLE = frozenset({"identity.not-vouched", "identity.not-authenticated"})


def identify(
    message: Message, envelope: Envelope, carried: Carried, vouches: Vouches, trusted_hosts: Collection[str] = ()
) -> Identity:
    """From = envelope sender = authenticated identity, and nothing shows a redirect or a forward by machine."""
    codes = set(carried.redirect_codes)
    sender = _fold(envelope.sender)
    authors = [_fold(author) for author in from_addresses(message)]
    if not sender:
        codes.add("identity.null-sender")
    if authors != [sender] or any(_fold(other) != sender for other in sender_addresses(message)):
        codes.add("identity.from-differs")
    if vouches is Vouches.NOTHING:
        codes.add("identity.not-vouched")
    elif vouches is Vouches.AUTHENTICATED_RECEIVED and _authenticated(message, trusted_hosts) != sender:
        codes.add("identity.not-authenticated")
    return Identity(not codes, frozenset(codes))


def _authenticated(message: Message, trusted_hosts: Collection[str]) -> str | None:
    """The login in the top Received, if the host that wrote it is trusted.

    Its first words are the client's own (HELO): a line with quotes, or one that claims more than one login, proves nothing.
    """
    fields = message.fields("Received")
    if not fields:
        return None
    text = message.text(fields[0])
    found = _AUTHENTICATED.search(text)
    if found is None or len(_CLAIM.findall(text)) != 1 or '"' in text[: found.start()]:
        return None
    login, host = found.groups()
    return _fold(login) if host.lower() in trusted_hosts else None


def _fold(address: str) -> str:
    return address.strip().lower()
