"""Key files: X25519 pairs that seal objects, and symmetric keys for hashes and release tokens.

Public keys are PEM SubjectPublicKeyInfo (``online.pub``, ``review.pub``), private ones PKCS#8 PEM (``online.key``,
``review.key``, mode 0600).  The gateway gets the public files only.  A key's id is the first 16 hex digits of the SHA-256 of
the raw public key.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

NAMES = ("online", "review")  # online: answered or re-sent automatically; review: a person decides
SECRET_BYTES = 32

PublicKey = X25519PublicKey
PrivateKey = X25519PrivateKey


class KeyFileError(Exception):
    """A key file is missing, readable by others, or not what it should be.  The text names the file and what to do."""


def key_id(key: PublicKey) -> str:
    """First 16 hex digits of the SHA-256 of the 32 raw bytes of the public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def generate(folder: Path, names: Iterable[str] = NAMES) -> dict[str, str]:
    """Make a new pair for each name; returns name -> key id.  Never overwrites: raises ``KeyFileError`` if a file exists."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, str] = {}
    for name in names:
        private = PrivateKey.generate()
        public = private.public_key()
        _create(folder / f"{name}.key", private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
        _create(folder / f"{name}.pub", public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
        made[name] = key_id(public)
    return made


def generate_secret(path: Path) -> None:
    """Make a file with 32 random bytes (hex) for keyed hashes or release tokens.  Never overwrites."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _create(path, os.urandom(SECRET_BYTES).hex().encode() + b"\n", 0o600)


def load_secret(path: Path) -> bytes:
    """The 32 bytes of a secret file."""
    text = _read_private(path)
    try:
        secret = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) < SECRET_BYTES:
        raise KeyFileError(f"{path.name}: expected {SECRET_BYTES} bytes in hexadecimal; make one with `clinigate keygen`")
    return secret


def load_public(folder: Path, names: Iterable[str] = NAMES) -> dict[str, PublicKey]:
    """Every named public key.  All must be there: nothing may be held that nobody can open."""
    found: dict[str, PublicKey] = {}
    for name in names:
        path = folder / f"{name}.pub"
        key = _parse_public(path, _read(path))
        found[name] = key
    if not found:
        raise KeyFileError("no public key named: nothing could be held")
    return found


def load_private(folder: Path, required: Iterable[str] = ("online",)) -> dict[str, PrivateKey]:
    """Every private key of the folder by file name; ``online.old.key`` serves what an earlier key sealed.

    ``review.key`` may be kept elsewhere; those in ``required`` must be here.
    """
    found = {path.name.removesuffix(".key"): _parse_private(path) for path in sorted(folder.glob("*.key")) if _is_pair(path)}
    for name in required:
        if name not in found:
            raise KeyFileError(f"{name}.key is missing; make one with `clinigate keygen`")
    return found


def load_private_file(path: Path) -> PrivateKey:
    """One private key from any place (an offline review key on a stick)."""
    return _parse_private(path)


def _is_pair(path: Path) -> bool:
    return path.read_bytes().lstrip().startswith(b"-----BEGIN")


def _parse_public(path: Path, pem: bytes) -> PublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path.name}: not a PEM public key") from None
    if not isinstance(key, X25519PublicKey):
        raise KeyFileError(f"{path.name}: not an X25519 key")
    return key


def _parse_private(path: Path) -> PrivateKey:
    try:
        key = load_pem_private_key(_read_private(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path.name}: not an unencrypted PEM private key") from None
    if not isinstance(key, X25519PrivateKey):
        raise KeyFileError(f"{path.name}: not an X25519 key")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise KeyFileError(f"{path.name} is missing; make one with `clinigate keygen`") from None


def _read_private(path: Path) -> bytes:
    data = _read(path)
    if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        raise KeyFileError(f"{path.name} is open to everybody: chmod 0600 (or 0640 for a shared group) and make a new one")
    return data


def _create(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise KeyFileError(f"{path.name} exists already; a key in use is never overwritten") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
