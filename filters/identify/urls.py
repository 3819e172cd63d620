"""Where the links of a text lead: hosts and paths, also of links that a mail filter or a forwarder has wrapped in its own.

Bytes in, places out; one pass for each way of writing a link, linear.  Nothing is looked up: what a shortening service stands
for is not known here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

_HOST: Final = rb"((?:[a-z0-9_-]{1,63}\.){1,8}[a-z0-9-]{2,24})"
_PLAIN: Final = re.compile(rb"//" + _HOST, re.I)
# "https%3A%2F%2Fhost%2Fpath", once or several times over: Safe Links, Barracuda, Cisco, Trend Micro, Google's redirect.
_ESCAPED: Final = re.compile(rb"%(?:25){0,3}3a(?:%(?:25){0,3}2f){2}" + _HOST, re.I)
_DASHED: Final = re.compile(rb"-3a__" + _HOST, re.I)  # Proofpoint v2: "https-3A__host_path"
_NAMED: Final = re.compile(rb"[?&;]domain=" + _HOST, re.I)  # Mimecast tells no more than the domain
_PATH: Final = re.compile(rb"(?::[0-9]{1,5})?([/?%_][^\s\"'<>]{0,120})?")
_HIDDEN: Final = re.compile(rb"&#(?:x0*(?:2[ef]|3a)|0*(?:4[67]|58));?", re.I)  # a dot, a slash, a colon by its number
_BACKWARDS: Final = re.compile(rb"[a-z0-9._-]{1,200}", re.I)
_BARE: Final = re.compile(_HOST + rb"\Z", re.I)
_LONGEST: Final = 200  # letters of a host
_ENDING: Final = 24  # letters of a top-level domain that are matched at most


@dataclass(frozen=True, slots=True)
class Place:
    """Where one link leads: host in lower case, path as written (decoded), "" for none.  Never recorded as it is."""

    host: str
    path: str = ""


def places(data: bytes, wanted: Callable[[str], bool], endings: Collection[str] = ()) -> Iterator[Place]:
    """Every place a link of ``data`` leads to whose host is ``wanted``; the same may come several times.

    A link without "//" ("dropbox.com/s/…") is seen where its top-level domain is one of ``endings``.  Addresses of mail and
    inline parts (``mailto:``, ``cid:``) are none.
    """
    if b"&#" in data and _HIDDEN.search(data) is not None:
        data = html.unescape(data.decode("latin-1")).encode("latin-1", "replace")
    hosts = _Hosts(wanted)
    for match in _PLAIN.finditer(data):
        if hosts.asked(match[1]):
            yield _place(match[1], _path(data, match.end()))
    if b"%" in data:
        for match in _ESCAPED.finditer(data):
            if hosts.asked(match[1]):
                yield _place(match[1], _path(data, match.end()).partition(b"&")[0])
    if b"__" in data:
        for match in _DASHED.finditer(data):
            host = match[1].replace(b"-2D", b"-").replace(b"-2d", b"-")
            if hosts.asked(host):
                path = _path(data, match.end()).partition(b"&")[0]
                yield _place(host, path.replace(b"_", b"/").replace(b"-", b"%"))
    if b"domain=" in data:
        for match in _NAMED.finditer(data):
            if hosts.asked(match[1]):
                yield _place(match[1], b"")
    if endings:
        for match in _pattern(frozenset(endings)).finditer(data):
            yield from _bare(data, match, hosts)


class _Hosts:
    """Each host is asked about once; mail repeats few of them many times."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self._wanted, self._known = wanted, dict[bytes, bool]()

    def asked(self, host: bytes) -> bool:
        known = self._known.get(host)
        if known is None:
            known = self._known[host] = self._wanted(host.decode("ascii").lower())
        return known


def _bare(data: bytes, match: re.Match[bytes], hosts: _Hosts) -> Iterator[Place]:
    """The link around the end of a host, ".com/"."""
    end = match.end() - 2
    back = _BACKWARDS.match(data[max(0, end - _LONGEST) : end][::-1])
    start = end - back.end() if back is not None else end
    if data[max(0, start - 1) : start] in (b"/", b"@") or data[max(0, start - 4) : start].lower() == b"cid:":
        return  # with "//" it was seen; with "@" it is an address; "cid:" is a part of this mail
    host = _BARE.match(data[start:end])
    if host is not None and hosts.asked(host[1]):
        yield _place(host[1], _path(data, end))


@lru_cache(maxsize=8)
def _pattern(endings: frozenset[str]) -> re.Pattern[bytes]:
    words = sorted(one for one in endings if one.isascii() and 1 < len(one) <= _ENDING)
    return re.compile(rb"\.(?:" + b"|".join(re.escape(one.encode()) for one in words) + rb")/[^\s\"'<>]", re.I)


def _path(data: bytes, at: int) -> bytes:
    match = _PATH.match(data, at)
    return (match[1] or b"") if match is not None else b""


def _place(host: bytes, path: bytes) -> Place:
    text = path.decode("utf-8", "replace")
    for _ in range(3):  # wrapped once, twice, three times
        plain = unquote(text)
        if plain == text:
            break
        text = plain
    return Place(host.decode("ascii").lower(), text)
