"""Keyed hashes: how logs, journal, audit and snapshot name people without naming them (HMAC-SHA256, one local key).

Gateway and quarantine service share the key file, so that both name the same person alike; nobody without it can test guesses.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import unicodedata
from pathlib import Path

from quarantine.keys import load_secret


class KeyedHash:
    """Hashes text with one key; 32 hex digits (128 bits)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("a key of at least 32 bytes")
        self._key = key

    @classmethod
    def load(cls, path: Path) -> KeyedHash:
        """With the key in ``path`` (hexadecimal).  Raises ``quarantine.keys.KeyFileError``."""
        return cls(load_secret(path))

    def of(self, text: str) -> str:
        """The hash of a plain text."""
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]

    def address(self, address: str) -> str:
        """The hash of a mail address; spellings of one mailbox have one hash (nobody has two people differing by case)."""
        return self.of("address:" + _plain(address))

    def patient(self, number: str) -> str:
        """The hash of a patient's identifier; spaces and hyphens do not matter."""
        return self.of("patient:" + "".join(c for c in number if c.isalnum()).casefold())


def _plain(address: str) -> str:
    """Lower case, without needless quotes (RFC 5321 4.1.2), letters composed (RFC 6532 3.1), domains in A-labels (RFC 5890)."""
    whole = address.strip().casefold()
    if whole.isascii() and not whole.startswith('"'):
        return whole
    local, at, domain = whole.rpartition("@")
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    with contextlib.suppress(UnicodeError):  # no domain name: it stays as it was written
        domain = domain.encode("idna").decode("ascii")
    return unicodedata.normalize("NFC", f"{local}{at}{domain}")
