"""OpenPGP packets as far as sniffing needs it (RFC 9580 section 4): is this a message, a key or a signature?"""

from __future__ import annotations

_SESSION_KEY, _SIGNATURE, _SYMMETRIC_KEY = 1, 2, 3
_PUBLIC_KEYS = (6, 14)
_SEALED = (9, 18, 20)
_USER_ATTRIBUTE = 17  # may hold a photograph of the owner
MESSAGE, KEY, SIGNATURE, PHOTO_KEY = "pgp-message", "pgp-key", "pgp-signature", "pgp-key-with-photo"
_ARMOUR = (
    (b"-----BEGIN PGP MESSAGE-----", MESSAGE),
    (b"-----BEGIN PGP SIGNATURE-----", SIGNATURE),
    (b"-----BEGIN PGP PUBLIC KEY BLOCK-----", KEY),
)


def kind(data: bytes) -> str | None:
    """One of the words above for binary packets, None when the bytes are no chain of packets."""
    tags = _tags(data)
    if not tags:
        return None
    if tags[0] in (_SESSION_KEY, _SYMMETRIC_KEY) and any(tag in _SEALED for tag in tags):
        return MESSAGE
    if tags[0] in _PUBLIC_KEYS:
        return PHOTO_KEY if _USER_ATTRIBUTE in tags else KEY
    return SIGNATURE if set(tags) == {_SIGNATURE} else None


def armour(data: bytes) -> str | None:
    """The same for ASCII armour at the beginning of a line; a message counts wherever it stands in a text."""
    for line, word in _ARMOUR:
        at = data.find(line)
        if at == 0 or (at > 0 and data[at - 1 : at] == b"\n" and (word == MESSAGE or not data[:at].strip())):
            return word
    return None


def _tags(data: bytes) -> list[int]:
    """Tags of the packets; [] as soon as something does not fit."""
    tags: list[int] = []
    at = 0
    while at < len(data):
        head = data[at]
        if not head & 0x80 or len(tags) > 500:
            return []
        found = _new(data, at) if head & 0x40 else _old(data, at)
        if found is None:
            return []
        tag, body, end = found
        if not _plausible(tag, data[body : body + 1]):
            return []
        tags.append(tag)
        if end is None or tag in _SEALED:  # a partial or open length reaches to the end of the data
            return tags
        if end > len(data):
            return []
        at = end
    return tags


def _plausible(tag: int, version: bytes) -> bool:
    fits = {_SESSION_KEY: (3, 6), _SIGNATURE: (3, 4, 5, 6), _SYMMETRIC_KEY: (4, 5, 6), 6: (2, 3, 4, 5, 6), 14: (2, 3, 4, 5, 6)}
    return tag not in fits or (bool(version) and version[0] in fits[tag])


def _old(data: bytes, at: int) -> tuple[int, int, int | None] | None:
    tag, size = data[at] >> 2 & 15, data[at] & 3
    if size == 3:
        return tag, at + 1, None
    start = at + 1 + (1 << size)
    return (tag, start, start + int.from_bytes(data[at + 1 : start], "big")) if start <= len(data) else None


def _new(data: bytes, at: int) -> tuple[int, int, int | None] | None:
    if at + 2 > len(data):
        return None
    tag, first = data[at] & 63, data[at + 1]
    if first < 192:
        return tag, at + 2, at + 2 + first
    if first < 224:
        return tag, at + 3, at + 3 + ((first - 192) << 8) + 192 + int.from_bytes(data[at + 2 : at + 3], "big")
    if first < 255:
        return tag, at + 2, None
    return tag, at + 6, at + 6 + int.from_bytes(data[at + 2 : at + 6], "big")
