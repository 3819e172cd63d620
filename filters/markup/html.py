"""Pages: the pictures in data: URIs are members and can be replaced; whatever else hides in the text is blocked.

Nothing but the payload of a URI is ever changed: a mail's own words, comments and generator names are not metadata of a picture.
HTML 13.1, CSS Syntax 4.3.6, RFC 2397.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from filters.api import STRICT, Blocked, Budget, Cleaning, Fate, Finding, Malformed, Member, OpaqueReason, Seen
from filters.markup import datauri
from filters.sniff import sniff
from filters.text import embedded

# A container that Word writes beside its VML drawings: an OPC package in base64 (MS-OI29500 2.1.1699).
_PACKAGE = re.compile(
    rb"(?i)\bgfxdata\s{0,4}=\s{0,4}(?P<quote>[\"'])(?P<payload>(?:[a-z0-9+/=\s]++|&#(?:10|13|xA|xD);)++)(?P=quote)"
)
_AUTHOR = re.compile(
    rb"(?i)<meta\s[^>]{0,200}?name\s{0,4}=\s{0,4}[\"']?(?:author|dc\.|dcterms\.|created|changed|changedby|owner|reply-to|copyright)"
)
_ANCHOR = re.compile(rb"(?i)<(?:a|area|object|embed|iframe|link|form)\s[^<>]*\Z")
_LOOK_BACK: Final = 400  # bytes of a tag in front of a URI
_VISUAL: Final = ("image/", "video/")


@dataclass(frozen=True, slots=True)
class Place:
    """One payload in the text, and the span that need not be looked at again."""

    key: str
    start: int
    end: int
    media_type: str
    inline: bool
    hidden: tuple[int, int]
    uri: datauri.DataUri = field(repr=False)


class Page:
    """The opener for HTML, and for XML that is no drawing."""

    native = False
    rebuilds = True

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Every picture in a URI that can be replaced; what else stands hidden in the text is Blocked."""
        places = _places(data)
        yield from members(places, budget)
        yield from findings(masked(data, [place.hidden for place in places]))
        if _AUTHOR.search(data):
            yield Finding("html.author", "meta", Fate.KEPT)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The same text with other payloads.  Raises Malformed for a key that is not there."""
        return replaced(data, _places(data), changes) if changes else data


def _places(data: bytes) -> list[Place]:
    """Where the payloads stand.  None in a text of two or four bytes a letter: no program reads "data:" there as bytes."""
    if b"\0" in data:
        return []
    return sorted([*uri_places(data), *_packages(data)], key=lambda place: place.start)


def uri_places(data: bytes, *, escaped: bool = False) -> Iterator[Place]:
    """The data: URIs of a text; of those not called a picture only what is recognised by its bytes."""
    for uri in datauri.uris(data, escaped=escaped):
        visual = uri.media_type.startswith(_VISUAL)
        if visual or sniff(uri.data).opaque is not OpaqueReason.UNKNOWN:
            inline = visual and _ANCHOR.search(data[max(uri.start - _LOOK_BACK, 0) : uri.start]) is None
            yield Place(uri.key, uri.start, uri.end, uri.media_type, inline, uri.hidden, uri)


def _packages(data: bytes) -> Iterator[Place]:
    for match in _PACKAGE.finditer(data) if b"gfxdata" in data.lower() else ():
        decoded = datauri.unfolded(match["payload"])
        if decoded:
            span = match.span("payload")
            uri = datauri.DataUri(span[0], span[0], span[1], "application/zip", True, decoded)
            yield Place(f"package@{span[0]}", *span, "", True, span, uri)


def members(places: Iterable[Place], budget: Budget) -> Iterator[Member]:
    for place in places:
        budget.grow(len(place.uri.data), place.end - place.start)
        yield Member(place.key, place.uri.data, media_type=place.media_type, inline=place.inline)


def findings(text: bytes) -> Iterator[Seen]:
    """What hides in a text whose replaceable payloads are masked: Blocked, or only noted."""
    for one in embedded(text, html=True):
        yield Blocked(one.code, OpaqueReason(one.opaque)) if one.opaque else Finding(one.code, "text", Fate.KEPT)


def masked(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """``data`` with each span (in order, none in another) turned into one letter; the same object without spans."""
    parts, at = [], 0
    for start, end in spans:
        parts += [data[at:start], b"x"]
        at = end
    return b"".join((*parts, data[at:])) if at else data


def replaced(data: bytes, places: Iterable[Place], changes: Mapping[str, bytes]) -> bytes:
    """``data`` with the payloads of ``changes``, everything else byte for byte."""
    parts, at, left = [], 0, len(changes)
    for place in places:
        if place.key in changes:
            parts += [data[at : place.uri.payload], datauri.written(place.uri, data, changes[place.key])]
            at, left = place.end, left - 1
    if left:
        raise Malformed("no such member")
    return b"".join((*parts, data[at:])) if at else data


HTML, XML = Page("html"), Page("xml")
