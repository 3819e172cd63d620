"""AppleDouble files (RFC 1740): what macOS writes beside a file as ``._name``.

Finder flags, extended attributes and a resource fork; nothing of it is needed to show the file.  Old resource forks hold
previews and icons, so that only one without pictures is called harmless.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from filters.api import STRICT, Blocked, Budget, Cleaning, Malformed, Seen
from filters.sniffing.inside import carries

MAGICS = (b"\0\5\x16\7\0\2\0\0", b"\0\5\x16\7\0\1\0\0")
_MAX_ENTRIES, _MAX_TYPES = 64, 1000
_RESOURCES = 2
_PLAIN = frozenset((3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15))  # names, comments, times, flags, attributes (RFC 1740 A.1)
_HARMLESS_TYPES = frozenset((b"styl", b"usro", b"vers", b"alis", b"url ", b"TEXT", b"drag", b"STR ", b"STR#", b"cfrg", b"carb"))


def harmless(data: bytes) -> bool:
    """It can be read to its end and holds no picture."""
    if not data.startswith(MAGICS) or len(data) < 26 or carries(data):
        return False
    (count,) = struct.unpack_from(">H", data, 24)
    if count > _MAX_ENTRIES or len(data) < 26 + 12 * count:
        return False
    for kind, start, size in struct.iter_unpack(">III", data[26 : 26 + 12 * count]):
        if start + size > len(data):
            return False
        if kind == _RESOURCES and not _bare(data[start : start + size]):
            return False
        if kind != _RESOURCES and kind not in _PLAIN:
            return False
    return True


def _bare(fork: bytes) -> bool:
    """A resource fork without a resource that could be a picture (Inside Macintosh: More Macintosh Toolbox, 1-121)."""
    if not fork:
        return True
    if len(fork) < 16:
        return False
    at = int.from_bytes(fork[4:8], "big")  # of the resource map
    if at + 30 > len(fork):
        return False
    types = at + int.from_bytes(fork[at + 24 : at + 26], "big")
    count = (int.from_bytes(fork[types : types + 2], "big") + 1) & 0xFFFF
    if count > _MAX_TYPES or types + 2 + 8 * count > len(fork):
        return False
    return all(fork[place : place + 4] in _HARMLESS_TYPES for place in range(types + 2, types + 2 + 8 * count, 8))


class AppleDouble:
    """The opener: nothing inside, or something that cannot be looked into."""

    name = "apple-double"
    native = False
    rebuilds = False

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """One Blocked unless the file is harmless."""
        if not harmless(data):
            yield Blocked("apple-double.resources")

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """Nothing in it can change.  Raises Malformed when something should."""
        if changes or names:
            raise Malformed("no such member")
        return data


APPLE_DOUBLE = AppleDouble()
