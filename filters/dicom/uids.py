"""Unique identifiers: the standard's own stay, all others become new ones made from a secret (PS3.15 E.3.9, PS3.5 B.2).

A new one is ``2.25.<integer>`` of a version 8 UUID (RFC 9562 5.8): 90 bits of HMAC-SHA-256 and 32 bits that tell, without the
secret, that we made it, so that a second cleaning lets it be.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from pydicom._uid_dict import UID_dictionary

_STORAGE = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1(\.\d{1,4}){1,5}")  # storage classes, also those of later editions
# Storage classes of their own: GE, Siemens, Philips, Toshiba, Acuson, OFFIS, and owners of arcs of Medical Connections.
_MAKERS = re.compile(
    r"1\.(2\.840\.113619|3\.12\.2\.1107|3\.46\.670589|2\.392\.200036|2\.840\.113680|2\.276\.0\.7230010|2\.826\.0\.1\.3680043)"
    r"(\.\d{1,4}){1,7}"
)
_ROOT = "2.25."
_VERSION, _VARIANT = 8 << 76, 2 << 62
_OURS = b"clinigate dicom uid"


def standard(uid: str) -> bool:
    """A UID that the standard itself assigns: it tells of no patient and no place."""
    return uid in UID_dictionary or _STORAGE.fullmatch(uid) is not None


def makers(uid: str) -> bool:
    """A storage class of a maker of scanners: no standard one, but it tells no more than the maker."""
    return len(uid) <= 48 and _MAKERS.fullmatch(uid) is not None


def made(uid: str) -> bool:
    """A UID that ``renew`` made."""
    digits = uid.removeprefix(_ROOT)
    if digits == uid or not digits.isascii() or not digits.isdecimal() or len(digits) > 39:
        return False
    bits = _unfold(int(digits))
    return bits is not None and bits & 0xFFFFFFFF == _mark(bits >> 32)


def renew(uid: str, key: bytes) -> str:
    """The new UID for ``uid``: the same under the same key, not to be followed without it."""
    told = int.from_bytes(hmac.new(key, _OURS + uid.encode("latin-1", "replace"), hashlib.sha256).digest()[:12], "big") >> 6
    return _ROOT + str(_fold(told << 32 | _mark(told)))


def _mark(told: int) -> int:
    return int.from_bytes(hashlib.sha256(_OURS + told.to_bytes(12, "big")).digest()[:4], "big")


def _fold(bits: int) -> int:
    """122 bits in the free places of a UUID: 48, version, 12, variant, 62."""
    return (bits >> 74) << 80 | _VERSION | ((bits >> 62) & 0xFFF) << 64 | _VARIANT | bits & ((1 << 62) - 1)


def _unfold(number: int) -> int | None:
    bits = (number >> 80) << 74 | ((number >> 64) & 0xFFF) << 62 | number & ((1 << 62) - 1)
    return bits if number < 1 << 128 and _fold(bits) == number else None
