"""Secrets of questions: who holds one may answer for one message, once.

52 characters of base32 (RFC 4648 6): the hold's id, and an HMAC-SHA256 (130 bits kept) over way, hold and sender.  Nothing is
stored: they are derived again from the objects, and a question is over when its holds no longer wait.  Mail programs fold case,
so case does not matter.  The secret of a reply address stands in the logs of mail servers, that of a link in browsers: one does
not serve the other way.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from quarantine.answers.model import FORM, REPLY, BadSecret

LENGTH: Final = 52
_ID, _HALF = 16, 26  # octets of a hold's id; characters that 128 (130) bits take
_LABELS: Final = {REPLY: b"clinigate-reply-v1\x00", FORM: b"clinigate-form-v1\x00"}
LOCAL: Final = "hold+"  # of a reply address; with the secret 57 octets of the 64 that RFC 5321 4.5.3.1.1 allows


@dataclass(frozen=True, slots=True)
class Named:
    """What a secret says before it is believed: the hold.  ``Secrets.verify`` believes."""

    hold: str
    mac: str


class Secrets:
    """Makes and checks secrets with one key (the one that signs releases, under labels of its own)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("a key of at least 32 bytes")
        self._key = key

    def make(self, hold: str, sender: str, way: str) -> str:
        """The secret by which ``sender`` may answer for ``hold`` (32 hex digits) by this way."""
        return _encode(bytes.fromhex(hold)) + self._mac(hold, sender, way)

    def verify(self, secret: str, sender: str, way: str) -> str:
        """The hold's id.  ``sender``: of the hold that ``named`` names.  Raises ``BadSecret``."""
        said = named(secret)
        if not hmac.compare_digest(said.mac, self._mac(said.hold, sender, way)):
            raise BadSecret("not a secret of ours")
        return said.hold

    def _mac(self, hold: str, sender: str, way: str) -> str:
        text = f"{hold}\x00{sender.strip().casefold()}"
        return _encode(hmac.new(self._key, _LABELS[way] + text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest())[:_HALF]


def named(secret: str) -> Named:
    """The two halves of what is shaped like a secret.  Raises ``BadSecret`` for what is not."""
    text = secret.strip().lower()
    if len(text) != LENGTH or not text.isascii():
        raise BadSecret("not a secret of ours")
    try:
        data = base64.b32decode(text[:_HALF].upper() + "======")
    except ValueError:
        raise BadSecret("not a secret of ours") from None
    if len(data) != _ID or _encode(data) != text[:_HALF]:
        raise BadSecret("not a secret of ours")
    return Named(data.hex(), text[_HALF:])


def reply_address(secret: str, domain: str) -> str:
    """The address a notice is answered to."""
    return f"{LOCAL}{secret}@{domain}"


def _encode(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()
