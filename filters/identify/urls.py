"""Where the links of a text lead: hosts and paths, also of links that a mail filter or a forwarder has wrapped in its own.

Bytes in, places out; one pass for each way of writing a link, linear.  Nothing is looked up: what a shortening service stands
for is not known here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

_HOST: Final = rb"((?:[a-z0-9_-]{1,63}\.){1,8}[a-z0-9-]{2,24})"
_PATH: Final = rb"(?=((?:[/?][^\s\"'<>]{0,120})?))"  # looked at, not taken: a wrapped link stands in the path of another
_PLAIN: Final = re.compile(rb"//" + _HOST + rb"(?::[0-9]{1,5})?" + _PATH, re.I)
# "https%3A%2F%2Fhost%2Fpath", once or several times over: Safe Links, Barracuda, Cisco, Trend Micro, Google's redirect.
_ESCAPED: Final = re.compile(rb"%(?:25){0,3}3a(?:%(?:25){0,3}2f){2}" + _HOST + rb"(?=((?:[%/?][^\s\"'<>&]{0,120})?))", re.I)
_DASHED: Final = re.compile(rb"-3a__" + _HOST + rb"((?:_[^\s\"'<>&]{0,120})?)", re.I)  # Proofpoint v2: "https-3A__host_path"
_NAMED: Final = re.compile(rb"[?&;]domain=" + _HOST, re.I)  # Mimecast tells no more than the domain
_TOKEN: Final = re.compile(rb"[^\s\"'<>()\[\]{},;|]{1,200}\Z")
_BARE: Final = re.compile(_HOST + rb"([/?].*)\Z", re.I | re.S)
_ENDING: Final = 24  # characters of a top-level domain that are matched at most


@dataclass(frozen=True, slots=True)
class Place:
    """Where one link leads: host in lower case, path as written (decoded), "" for none.  Never recorded as it is."""

    host: str
    path: str = ""


def places(data: bytes, endings: Collection[str]) -> Iterator[Place]:
    """Every place a link of ``data`` leads to; the same may come several times.

    A link without "//" ("dropbox.com/s/…") is seen where its top-level domain is one of ``endings``.  Addresses of mail and
    inline parts (``mailto:``, ``cid:``) are none.
    """
    if b"&#" in data:
        data = _unescaped(data)
    for match in _PLAIN.finditer(data):
        yield _place(match[1], match[2])
    if b"%" in data:
        for match in _ESCAPED.finditer(data):
            yield _place(match[1], match[2])
    if b"__" in data:
        for match in _DASHED.finditer(data):
            yield _place(match[1].replace(b"-2D", b"-"), match[2].replace(b"_", b"/").replace(b"-", b"%"))
    if b"domain=" in data:
        for match in _NAMED.finditer(data):
            yield _place(match[1], b"")
    if endings:
        yield from _bare(data, _pattern(frozenset(endings)))


def _bare(data: bytes, pattern: re.Pattern[bytes]) -> Iterator[Place]:
    for match in pattern.finditer(data):
        start = _TOKEN.search(data[max(0, match.start() - 200) : match.start()])
        if start is None or b"//" in start[0] or b"@" in start[0]:
            continue  # with "//" it was seen; with "@" it is an address
        found = _BARE.match(start[0].rpartition(b":")[2] + data[match.start() : match.end() + 40].split(None, 1)[0])
        if found is not None:
            yield _place(found[1], found[2])


@lru_cache(maxsize=8)
def _pattern(endings: frozenset[str]) -> re.Pattern[bytes]:
    words = sorted(one for one in endings if one.isascii() and 1 < len(one) <= _ENDING)
    return re.compile(rb"\.(?:" + b"|".join(re.escape(one.encode()) for one in words) + rb")/[^\s\"'<>]", re.I)


def _unescaped(data: bytes) -> bytes:
    """Numbers of characters as the characters: "&#x2F;" hides no slash."""
    return html.unescape(data.decode("latin-1")).encode("utf-8", "replace")


def _place(host: bytes, path: bytes) -> Place:
    text = path.decode("utf-8", "replace")
    for _ in range(3):  # wrapped once, twice, three times
        plain = unquote(text)
        if plain == text:
            break
        text = plain
    return Place(host.decode("ascii").lower().rstrip("."), text)
