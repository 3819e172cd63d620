"""How fingerprints of pictures are kept: encrypted with a key made from the shared hash key (AES-SIV, RFC 5297).

Whoever has the records, the snapshot or a backup of them without that key learns nothing from a fingerprint, not even whether
two of different files are alike.  The same fingerprint of the same file gives the same bytes, so that a mail decided twice leaves
the same record.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from quarantine.keyedhash import KeyedHash


class OtherKey(Exception):
    """Kept under another key, or changed since."""


class FingerprintKey:
    """Encrypts and decrypts what belongs to one file, named by its SHA-256 (hex)."""

    __slots__ = ("_cipher", "id")

    def __init__(self, hashes: KeyedHash) -> None:
        self._cipher = AESSIV(bytes.fromhex("".join(hashes.of(f"fingerprint-key:{number}") for number in range(4))))
        self.id = hashes.of("fingerprint-key-id")[:8]

    def close(self, sha256: str, fingerprint: bytes) -> bytes:
        """The form in which ``fingerprint`` may be kept."""
        return self._cipher.encrypt(fingerprint, [sha256.encode()])

    def open(self, sha256: str, kept: bytes) -> bytes:
        """Raises OtherKey."""
        try:
            return self._cipher.decrypt(kept, [sha256.encode()])
        except (InvalidTag, ValueError):
            raise OtherKey from None

    def to_text(self, sha256: str, fingerprint: bytes) -> str:
        """``close`` as text for JSON, with the key's id before it."""
        return f"{self.id}:{base64.b85encode(self.close(sha256, fingerprint)).decode()}"

    def from_text(self, sha256: str, text: str) -> bytes:
        """The inverse.  Raises OtherKey."""
        key, _, kept = text.partition(":")
        if key != self.id:
            raise OtherKey
        try:
            return self.open(sha256, base64.b85decode(kept))
        except (ValueError, binascii.Error):
            raise OtherKey from None
