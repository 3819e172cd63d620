"""Contact cards and invitations: pictures in base64, quoted-printable or data: URIs are members and are written back folded.

vCard 2.1, RFC 2426 (3.0), RFC 6350 (4.0); iCalendar RFC 5545, RFC 7986 (IMAGE, CONFERENCE), RFC 9073 (STYLED-DESCRIPTION).
Nothing but the value of such a property is changed: the rest of a card is what its sender wants to say.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from filters.api import STRICT, Budget, Cleaning, Malformed, Member, OpaqueReason, Seen
from filters.markup import datauri
from filters.markup.html import findings, masked, uri_places
from filters.sniff import sniff

_LOGICAL = re.compile(rb"[^\r\n]++(?:(?:\r\n|\n|\r)[ \t][^\r\n]*+)*+")
_HEAD = re.compile(
    rb"(?i)(?:[a-z0-9_-]{1,60}\.)?(?P<name>[a-z0-9_-]{1,60})(?P<params>(?:;(?:[^:;\"\r\n]++|\"[^\"\r\n]*+\")*+)*+):"
)
_MARKS = re.compile(rb"(?i)base64|encoding|binary|data:")
_BASE64 = re.compile(rb"(?i)[;=]\"?(?:b|base64)\"?(?=;|\Z)")
_PRINTABLE = re.compile(rb"(?i)[;=]quoted-printable(?=;|\Z)")
_TYPE = re.compile(rb"(?i);(?:fmttype|mediatype)=\"?(?P<type>[a-z]{1,40}/[a-z0-9.+-]{1,60})")
_BARE = re.compile(
    rb"(?:(?:\r\n|\n|\r)[A-Za-z0-9+/=]++[ \t]*+(?=\r|\n|\Z))*+"
)  # vCard 2.1 as some programs write it: not indented
_SOFT = re.compile(rb"(?:(?<==)(?:\r\n|\n|\r)[^\r\n]*+)*+")
_QUOTED = re.compile(rb"(?:[\t !-<>-~]++|=[0-9A-F]{2}|=(?:\r\n|\n|\r))*+")
_FOLD = re.compile(rb"(?:\r\n|\n|\r)[ \t]")
_ALWAYS: Final = frozenset((b"photo", b"logo", b"sound", b"attach", b"image"))
_WIDTH: Final = 75  # octets of a line (RFC 6350 3.2)
_HEAD_LONGEST: Final = 2000  # octets in which name and parameters stand


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line: ``start``..``end`` in the file, its text unfolded, and the payloads in it (key -> URI)."""

    start: int
    end: int
    text: bytes = field(repr=False)
    newline: bytes  # b"" when it is not folded
    payloads: tuple[tuple[str, datauri.DataUri], ...] = field(repr=False)
    printable: bool = False


class Card:
    """The opener for vCard and iCalendar."""

    native = False
    rebuilds = True

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Every picture and file in a property; what else stands hidden in the text is Blocked."""
        lines = list(_lines(data, budget))
        for line in lines:
            for key, uri in line.payloads:
                budget.grow(len(uri.data), line.end - line.start)
                yield Member(key, uri.data, media_type=uri.media_type)
        rest = masked(data, [(line.start, line.end) for line in lines])
        plain = _FOLD.sub(b"", rest)
        seen = {*findings(rest), *(findings(plain) if len(plain) != len(rest) else ())}
        yield from sorted(seen, key=repr)
        for line in lines:
            yield from findings(_without(line))

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The same card with other pictures, folded as it was.  Raises Malformed for a key that is not there."""
        parts, at, left = [], 0, set(changes)
        for line in _lines(data, budget) if changes else ():
            if any(key in changes for key, _ in line.payloads):
                parts += [data[at : line.start], _written(line, changes)]
                at = line.end
                left.difference_update(key for key, _ in line.payloads)
        if left:
            raise Malformed("no such member")
        return b"".join((*parts, data[at:])) if parts else data


def _lines(data: bytes, budget: Budget) -> Iterator[Line]:
    """The lines with payloads.  None in a text of two or four bytes a letter."""
    at = 0
    while b"\0" not in data and (match := _LOGICAL.search(data, at)):
        at = match.end()
        budget.tick()
        if _MARKS.search(data, match.start(), match.end()) and (line := _line(data, match.start(), match.end())):
            yield line
            at = line.end


def _line(data: bytes, start: int, end: int) -> Line | None:
    head = _HEAD.match(_FOLD.sub(b"", data[start : min(end, start + _HEAD_LONGEST)]))
    if head is None:
        return None
    name, params = head["name"].lower(), head["params"]
    if _BASE64.search(params):
        more = _BARE.match(data, end)
        end = more.end() if more else end
        if _FOLD.match(data, end):
            return None  # indented lines behind lines that are not: programs differ in where it ends
        return _encoded(data, (start, end), head, datauri.unfolded(_body(data, start, end, head.end())))
    if _PRINTABLE.search(params) and name in _ALWAYS:
        more = _SOFT.match(data, end)
        end = more.end() if more else end
        if _FOLD.match(data, end):
            return None
        value = data[start + head.end() : end]
        decoded = binascii.a2b_qp(value) if data.startswith(head[0], start) and _QUOTED.fullmatch(value) else None
        return _encoded(data, (start, end), head, decoded, printable=True)
    return _written_out(data, start, end, head)


def _body(data: bytes, start: int, end: int, at: int) -> bytes:
    """The base64 of a property without line ends and blanks."""
    return _FOLD.sub(b"", data[start:end])[at:].translate(None, b" \t\r\n")


def _encoded(
    data: bytes, span: tuple[int, int], head: re.Match[bytes], decoded: bytes | None, *, printable: bool = False
) -> Line | None:
    """A property whose whole value is one encoded file."""
    if not decoded or (head["name"].lower() not in _ALWAYS and sniff(decoded).opaque is OpaqueReason.UNKNOWN):
        return None
    kind = _TYPE.search(head["params"])
    uri = datauri.DataUri(
        head.start("name"), head.end(), head.end(), kind["type"].decode("ascii").lower() if kind else "", True, decoded
    )
    return Line(*span, head[0], _newline(data, *span), ((f"line@{span[0]}", uri),), printable)


def _written_out(data: bytes, start: int, end: int, head: re.Match[bytes]) -> Line | None:
    """A property with data: URIs in its value: one that is the value, or those of a page in it."""
    text = _FOLD.sub(b"", data[start:end])
    uri = datauri.whole(text, head.end())
    found = [uri] if uri and uri.data else [place.uri for place in uri_places(text, escaped=True)]
    payloads = tuple((f"line@{start}.{uri.start}", uri) for uri in found)
    return Line(start, end, text, _newline(data, start, end), payloads) if payloads else None


def _newline(data: bytes, start: int, end: int) -> bytes:
    fold = re.compile(rb"\r\n|\n|\r").search(data, start, end)
    return fold[0] if fold else b""


def _without(line: Line) -> bytes:
    """The text of a line but for its payloads, for a last look."""
    return masked(line.text, [uri.hidden for _, uri in line.payloads if uri.end > uri.payload])


def _written(line: Line, changes: Mapping[str, bytes]) -> bytes:
    if line.printable:
        return _quoted(line, changes[line.payloads[0][0]])
    parts, at = [], 0
    for key, uri in line.payloads:
        new = changes.get(key, uri.data)
        parts += [line.text[at : uri.payload], datauri.written(uri, line.text, new)]
        at = uri.end
    text = b"".join((*parts, line.text[at:]))
    return _folded(text, line.newline + b" ") if line.newline else text


def _folded(text: bytes, newline: bytes) -> bytes:
    """Lines of at most 75 octets; no letter of UTF-8 is cut in two."""
    parts, at, width = [], 0, _WIDTH
    while len(text) - at > width:
        stop = at + width
        while stop > at + 1 and text[stop] & 0xC0 == 0x80:
            stop -= 1
        parts.append(text[at:stop])
        at, width = stop, _WIDTH - 1
    return newline.join((*parts, text[at:]))


def _quoted(line: Line, data: bytes) -> bytes:
    letters = [f"={octet:02X}".encode("ascii") for octet in data]
    soft = b"=" + (line.newline or b"\r\n")
    rows = [b"".join(letters[at : at + 24]) for at in range(0, len(letters), 24)]
    return line.text + soft + soft.join(rows)


VCARD, CALENDAR = Card("vcard"), Card("calendar")
