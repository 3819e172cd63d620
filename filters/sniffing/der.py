"""DER and BER as far as sniffing needs it (X.690; RFC 5652, 5280, 3161): what kind of object is this?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_PREFIX = bytes.fromhex("2a864886f70d0107")  # 1.2.840.113549.1.7, PKCS #7
_SMIME = bytes.fromhex("2a864886f70d01091001")  # 1.2.840.113549.1.9.16.1, S/MIME content types
_SEALED = (_PREFIX + b"\x03", _PREFIX + b"\x06", _SMIME + b"\x17")  # enveloped, encrypted, authEnveloped
_SIGNED, _COMPRESSED, _TIMESTAMP = _PREFIX + b"\x02", _SMIME + b"\x09", _SMIME + b"\x04"
_SEQUENCE, _SET, _INTEGER, _OID, _CONTEXT0 = 0x30, 0x31, 0x02, 0x06, 0xA0

ENVELOPED, ENCLOSING, DETACHED, CERTIFICATE, KEYS = "cms-enveloped", "cms-signed", "cms-signature", "certificate", "pkcs12"


@dataclass(frozen=True, slots=True)
class _Item:
    """Tag, content range, and the offset after it (None for an indefinite length)."""

    tag: int
    start: int
    end: int | None


def kind(data: bytes) -> str | None:
    """One of the words above; None when this is none of them."""
    outer = _item(data, 0)
    if outer is None or outer.tag != _SEQUENCE or (outer.end is not None and outer.end > len(data)):
        return None
    first = _item(data, outer.start)
    if first is None:
        return None
    if first.tag == _OID and first.end is not None:
        return _content(data, data[first.start : first.end], first.end)
    if first.tag == _INTEGER and first.end is not None:
        return _pfx(data, first.end) if data[first.start : first.end] == b"\x03" else None
    return _tbs(data, first) if first.tag == _SEQUENCE else None


def _content(data: bytes, oid: bytes, at: int) -> str | None:
    if oid in _SEALED:
        return ENVELOPED
    if oid == _COMPRESSED:
        return ENCLOSING
    if oid != _SIGNED:
        return ENCLOSING if oid.startswith((_PREFIX, _SMIME)) else None
    body = _item(data, at)
    signed = _item(data, body.start) if body is not None and body.tag == _CONTEXT0 else None
    if signed is None:
        return ENCLOSING
    inner = _after(data, signed.start, (_INTEGER, _SET))
    wrapped = _item(data, inner) if inner is not None else None
    oid_item = _item(data, wrapped.start) if wrapped is not None and wrapped.tag == _SEQUENCE else None
    if wrapped is None or oid_item is None or oid_item.tag != _OID or oid_item.end is None:
        return ENCLOSING
    if data[oid_item.start : oid_item.end] == _TIMESTAMP:
        return DETACHED  # a time stamp token: its content is a digest and a time
    empty = wrapped.end == oid_item.end or (wrapped.end is None and data[oid_item.end : oid_item.end + 2] == b"\0\0")
    return DETACHED if empty else ENCLOSING


def _pfx(data: bytes, at: int) -> str | None:
    inner = _item(data, at)
    oid = _item(data, inner.start) if inner is not None and inner.tag == _SEQUENCE else None
    return KEYS if oid is not None and oid.tag == _OID else None


def _tbs(data: bytes, first: _Item) -> str | None:
    """Certificates, requests and revocation lists by how they begin; a time stamp reply by the token in it."""
    inner = _item(data, first.start)
    if inner is None or inner.end is None:
        return None
    if inner.tag == _CONTEXT0 and data[inner.start : inner.end] in (b"\x02\x01\x01", b"\x02\x01\x02"):
        return CERTIFICATE
    if inner.tag != _INTEGER:
        return None
    if inner.end == first.end:  # TimeStampResp: PKIStatusInfo, then the token
        token = _item(data, inner.end)
        oid = _item(data, token.start) if token is not None and token.tag == _SEQUENCE else None
        return _content(data, data[oid.start : oid.end], oid.end) if oid is not None and oid.tag == _OID and oid.end else None
    following = _item(data, inner.end)
    return CERTIFICATE if following is not None and following.tag == _SEQUENCE else None


def _item(data: bytes, at: int) -> _Item | None:
    if at + 2 > len(data):
        return None
    tag, length, start = data[at], data[at + 1], at + 2
    if length == 0x80:
        return _Item(tag, start, None)
    if length > 0x80:
        more = length & 0x7F
        if more > 8 or start + more > len(data):
            return None
        length, start = int.from_bytes(data[start : start + more], "big"), start + more
    return _Item(tag, start, start + length)


def _after(data: bytes, at: int, tags: tuple[int, ...]) -> int | None:
    """The offset after items of exactly these tags; None when they do not stand there."""
    for tag in tags:
        item = _item(data, at)
        if item is None or item.tag != tag:
            return None
        end = item.end if item.end is not None else _end_of(data, item.start, 8)
        if end is None:
            return None
        at = end
    return at


def _end_of(data: bytes, at: int, depth: int) -> int | None:
    """The offset after the content of an item of indefinite length."""
    for _ in range(64 if depth else 0):
        if data[at : at + 2] == b"\0\0":
            return at + 2
        item = _item(data, at)
        if item is None:
            return None
        end = item.end if item.end is not None else _end_of(data, item.start, depth - 1)
        if end is None:
            return None
        at = end
    return None


PEM: Mapping[bytes, str] = {
    b"CERTIFICATE": CERTIFICATE, b"X509 CRL": CERTIFICATE, b"CERTIFICATE REQUEST": CERTIFICATE, b"PUBLIC KEY": CERTIFICATE,
    b"PKCS7": ENCLOSING, b"CMS": ENCLOSING,
}  # fmt: skip
