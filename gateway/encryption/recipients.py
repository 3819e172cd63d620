"""For whom a ciphertext is: the recipients named in a CMS EnvelopedData (RFC 5652 section 6), read without any key.

A walk over DER headers; the ciphertext itself is not touched.  The exit check depends on this and on nothing of the code
that encrypts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_INTEGER: Final = 0x02
_OID: Final = 0x06
_CONTEXT_0: Final = 0xA0
_ENVELOPED: Final = bytes.fromhex("2a864886f70d010703")  # 1.2.840.113549.1.7.3
OTHER: Final = "other"  # a recipient who is not named by issuer and serial number: key agreement, password, key id


class _NotDer(Exception):
    """Not the structure looked for."""


@dataclass(frozen=True, slots=True)
class _Node:
    """One DER element: ``start`` of its header, ``body`` to ``end`` its contents."""

    tag: int
    start: int
    body: int
    end: int


def recipients_of(ciphertext: bytes) -> tuple[str, ...]:
    """One id (as ``recipient_id`` gives it) for each RecipientInfo, OTHER for one that is named otherwise.

    Empty when this is not exactly one DER EnvelopedData: no readable list is nobody's permission.
    """
    try:
        return tuple(_recipients(ciphertext))
    except _NotDer:
        return ()


def recipient_id(certificate: x509.Certificate) -> str:
    """The id of the recipient with this certificate: first 16 octets of the issuer name's SHA-256, and the serial number."""
    der = certificate.public_bytes(Encoding.DER)
    tbs = _children(der, _children(der, _whole(der))[0])
    issuer = tbs[3] if tbs[0].tag == _CONTEXT_0 else tbs[2]  # [0] version is absent in version 1
    return _id(der[issuer.start : issuer.end], certificate.serial_number)


def _recipients(data: bytes) -> Iterator[str]:
    content_type, explicit = _expect(data, _whole(data), _OID, _CONTEXT_0)
    if data[content_type.body : content_type.end] != _ENVELOPED:
        raise _NotDer
    (enveloped,) = _expect(data, explicit, _SEQUENCE)
    fields = _children(data, enveloped)
    infos = next((one for one in fields[1:3] if one.tag == _SET), None)  # version, [0] originator if any, recipients
    if infos is None:
        raise _NotDer
    for info in _children(data, infos):
        yield _recipient(data, info)


def _recipient(data: bytes, info: _Node) -> str:
    if info.tag != _SEQUENCE:
        return OTHER
    name = _children(data, info)[1]
    if name.tag != _SEQUENCE:
        return OTHER  # [0] subjectKeyIdentifier
    issuer, serial = _expect(data, name, _SEQUENCE, _INTEGER)
    number = int.from_bytes(data[serial.body : serial.end], "big", signed=True)
    return _id(data[issuer.start : issuer.end], number)


def _id(issuer: bytes, serial: int) -> str:
    return f"{sha256(issuer).hexdigest()[:32]}:{serial:x}"


def _whole(data: bytes) -> _Node:
    node = _node(data, 0, len(data))
    if node.tag != _SEQUENCE or node.end != len(data):
        raise _NotDer
    return node


def _expect(data: bytes, parent: _Node, *tags: int) -> list[_Node]:
    nodes = _children(data, parent)
    if tuple(node.tag for node in nodes) != tags:
        raise _NotDer
    return nodes


def _children(data: bytes, parent: _Node) -> list[_Node]:
    nodes, at = [], parent.body
    while at < parent.end:
        nodes.append(_node(data, at, parent.end))
        at = nodes[-1].end
    if len(nodes) < 2 and parent.tag == _SEQUENCE:
        raise _NotDer  # no sequence we read has fewer, so callers may index
    return nodes


def _node(data: bytes, at: int, limit: int) -> _Node:
    """The element at ``at``: low tag numbers, definite lengths (X.690 section 10.1), inside ``limit``."""
    if at + 2 > limit or data[at] & 0x1F == 0x1F:
        raise _NotDer
    length, body = data[at + 1], at + 2
    if length >= 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 8 or body + octets > limit:
            raise _NotDer
        length, body = int.from_bytes(data[body : body + octets], "big"), body + octets
    if body + length > limit:
        raise _NotDer
    return _Node(data[at], at, body, body + length)
