"""Sealing: one object to bytes that only a private key opens.  The format is specified in docs/sealed-objects.md.

A fresh 256-bit key encrypts meta and content with AES-256-GCM in chunks (STREAM: nonce = prefix | counter | last flag, so that
nothing can be cut off, reordered or swapped); HPKE (RFC 9180, base mode, X25519 / HKDF-SHA256 / AES-256-GCM) wraps that key to
one public key.  The header is readable and authenticated: id, kind, key name, key id, version; nothing else is.
"""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from quarantine.keys import PrivateKey, PublicKey, key_id
from quarantine.model import ObjectKind, SealedObject

VERSION = 1
MAGIC = b"CLINIGATE-SEALED"
CHUNK = 1 << 20
MAX_HEADER = 4096
MAX_META = 64 << 20  # facts of a message with very many parts; a lying header must not make us reserve memory
_TAG = 16
_WRAPPED = 32 + 32 + _TAG  # encapsulated X25519 key, data key, tag
_PREFIX = 7  # random nonce prefix; 4 bytes of counter and 1 of flag make 12
_FIXED = struct.Struct(">16sBH")  # magic, version, length of the header
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[a-z][a-z0-9.-]{0,31}")
_HEX16 = re.compile(r"[0-9a-f]{16}")


class SealError(Exception):
    """An object cannot be sealed or opened.  The text never holds content."""


class Damaged(SealError):
    """Not a sealed object, of an unknown version, or changed since it was sealed."""


class NoKey(SealError):
    """The private key that opens this object is not here."""


@dataclass(frozen=True, slots=True)
class Header:
    """What anybody can read of a sealed object."""

    id: str
    kind: ObjectKind
    key: str  # name of the key: online | review
    key_id: str
    version: int


@dataclass(frozen=True, slots=True)
class _Layout:
    header: Header
    meta: int  # length of the meta JSON in bytes
    size: int  # length of the content in bytes
    prefix: bytes
    binding: bytes  # associated data of the wrapped key: the whole header
    identity: bytes  # associated data of every chunk: the header without its key, so that the key can be rewrapped
    wrapped: int  # offset of the wrapped key
    body: int  # offset of the first chunk


def seal(obj: SealedObject, public_keys: Mapping[str, PublicKey]) -> bytes:
    """The sealed form of ``obj``, to the key it names.  Raises ``NoKey`` for an unknown key, ``SealError`` for a bad id."""
    return bytes(seal_buffer(obj, public_keys))


def seal_buffer(obj: SealedObject, public_keys: Mapping[str, PublicKey]) -> bytearray:
    """As ``seal``, without the last copy: for a caller that only writes it to a file."""
    public = public_keys.get(obj.key)
    if public is None:
        raise NoKey(f"no public key named {obj.key}")
    if not _ID.fullmatch(obj.id) or not _NAME.fullmatch(obj.key):
        raise SealError("an object id is 32 hex digits and a key name a short word")
    meta = json.dumps(obj.meta, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8", "surrogatepass")
    if len(meta) > MAX_META:
        raise SealError("meta is too big to be sealed")
    prefix = os.urandom(_PREFIX)
    header = Header(obj.id, obj.kind, obj.key, key_id(public), VERSION)
    layout = _layout(header, len(meta), len(obj.content), prefix)
    secret = os.urandom(32)
    head = layout.binding + _SUITE.encrypt(secret, public, info=layout.binding)
    return _seal_chunks(head, layout, AESGCM(secret), meta, obj.content)


def unseal(data: bytes, private_keys: Mapping[str, PrivateKey]) -> SealedObject:
    """The object inside.  Raises ``Damaged`` or ``NoKey``; returns nothing that was not authenticated to its last byte."""
    layout = _parse(data)
    if len(data) != _total(layout):
        raise Damaged("the object is cut short or has something behind its end")
    cipher = AESGCM(_unwrap(data, layout, private_keys))
    meta, content = _open_chunks(memoryview(data)[layout.body :], layout, cipher)
    try:
        parsed: Any = json.loads(meta.decode("utf-8", "surrogatepass"))
    except ValueError:
        raise Damaged("meta is not JSON") from None
    if not isinstance(parsed, dict):
        raise Damaged("meta is not a JSON object")
    return SealedObject(layout.header.id, layout.header.kind, layout.header.key, parsed, content)


def rewrap(data: bytes, private_keys: Mapping[str, PrivateKey], key: str, public: PublicKey) -> bytes:
    """The same object sealed to another key (rotation, or a reviewer handing it over); the content is not decrypted."""
    layout = _parse(data)
    secret = _unwrap(data, layout, private_keys)
    old = layout.header
    new = _layout(Header(old.id, old.kind, key, key_id(public), old.version), layout.meta, layout.size, layout.prefix)
    return b"".join((new.binding, _SUITE.encrypt(secret, public, info=new.binding), memoryview(data)[layout.body :]))


def peek(data: bytes) -> Header:
    """The readable header, without any key (so not yet authenticated).  Raises ``Damaged``.  4 kB of the data are enough."""
    return _parse(data).header


def _layout(header: Header, meta: int, size: int, prefix: bytes) -> _Layout:
    """Lay out an object; the header is canonical JSON, so that there is one way to write it."""
    fields: dict[str, Any] = {
        "content": size, "id": header.id, "key": header.key, "key_id": header.key_id, "kind": header.kind.value, "meta": meta,
        "nonce": prefix.hex(),
    }  # fmt: skip
    binding = _frame(header.version, fields)
    identity = _frame(header.version, {k: v for k, v in fields.items() if k not in ("key", "key_id")})
    wrapped = len(binding)
    return _Layout(header, meta, size, prefix, binding, identity, wrapped, wrapped + _WRAPPED)


def _frame(version: int, fields: Mapping[str, Any]) -> bytes:
    text = json.dumps(fields, separators=(",", ":"), sort_keys=True).encode("ascii")
    return _FIXED.pack(MAGIC, version, len(text)) + text


def _parse(data: bytes) -> _Layout:
    """Read the header strictly: what is not exactly what we would have written is damaged."""
    if len(data) < _FIXED.size:
        raise Damaged("too short for a sealed object")
    magic, version, length = _FIXED.unpack_from(data)
    if magic != MAGIC:
        raise Damaged("not a sealed object")
    if version != VERSION:
        raise Damaged(f"sealed in format {version}; this program knows {VERSION}")
    if length > MAX_HEADER or len(data) < _FIXED.size + length:
        raise Damaged("the header is cut short")
    raw = data[_FIXED.size : _FIXED.size + length]
    try:
        fields = json.loads(raw)
        header = Header(fields["id"], ObjectKind(fields["kind"]), fields["key"], fields["key_id"], version)
        layout = _layout(header, fields["meta"], fields["content"], bytes.fromhex(fields["nonce"]))
        plain = _well_formed(layout)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Damaged("the header cannot be read") from None
    if not plain or layout.binding != bytes(data[: len(layout.binding)]):
        raise Damaged("the header is not in its canonical form")
    return layout


def _well_formed(layout: _Layout) -> bool:
    header = layout.header
    sizes = all(type(n) is int and n >= 0 for n in (layout.meta, layout.size)) and layout.meta <= MAX_META
    names = _ID.fullmatch(header.id) and _NAME.fullmatch(header.key) and _HEX16.fullmatch(header.key_id)
    return sizes and bool(names) and len(layout.prefix) == _PREFIX


def _chunks(layout: _Layout) -> int:
    """Chunk 0 is the meta, whatever its length; then the content by the mebibyte."""
    return 1 + -(-layout.size // CHUNK)


def _total(layout: _Layout) -> int:
    return layout.body + layout.meta + layout.size + _TAG * _chunks(layout)


def _nonce(layout: _Layout, index: int) -> bytes:
    return layout.prefix + index.to_bytes(4, "big") + (b"\x01" if index == _chunks(layout) - 1 else b"\x00")


def _seal_chunks(head: bytes, layout: _Layout, cipher: AESGCM, meta: bytes, content: bytes) -> bytearray:
    """Encrypt straight into the buffer that is returned: one pass, no copy."""
    out = bytearray(_total(layout))
    out[: len(head)] = head
    view, source = memoryview(out), memoryview(content)
    at = layout.body
    for index in range(_chunks(layout)):
        piece = memoryview(meta) if index == 0 else source[(index - 1) * CHUNK : index * CHUNK]
        end = at + len(piece) + _TAG
        cipher.encrypt_into(_nonce(layout, index), piece, layout.identity, view[at:end])
        at = end
    return out


def _open_chunks(sealed: memoryview, layout: _Layout, cipher: AESGCM) -> tuple[bytes, bytes]:
    """Decrypt and authenticate every chunk; meta and content."""
    content = bytearray(layout.size)
    view = memoryview(content)
    try:
        at = layout.meta + _TAG
        meta = cipher.decrypt(_nonce(layout, 0), sealed[:at], layout.identity)
        for index in range(1, _chunks(layout)):
            start, stop = (index - 1) * CHUNK, min(index * CHUNK, layout.size)
            end = at + stop - start + _TAG
            cipher.decrypt_into(_nonce(layout, index), sealed[at:end], layout.identity, view[start:stop])
            at = end
    except InvalidTag:
        raise Damaged("the object was changed since it was sealed") from None
    return meta, bytes(content)


def _unwrap(data: bytes, layout: _Layout, private_keys: Mapping[str, PrivateKey]) -> bytes:
    """The data key, by whichever private key has the id of the header."""
    wrapped = bytes(data[layout.wrapped : layout.body])
    if len(wrapped) != _WRAPPED:
        raise Damaged("the wrapped key is cut short")
    for private in private_keys.values():
        if key_id(private.public_key()) == layout.header.key_id:
            try:
                secret = _SUITE.decrypt(wrapped, private, info=layout.binding)
            except (InvalidTag, ValueError):
                raise Damaged("the wrapped key was changed since it was sealed") from None
            if len(secret) != 32:
                raise Damaged("the wrapped key has a wrong length")
            return secret
    raise NoKey(f"no private key with id {layout.header.key_id} ({layout.header.key})")
