"""The opener for rich text: pictures are members and are written back in place; properties, names and revision ids go."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from filters.api import STRICT, Blocked, Budget, Cleaning, Fate, Finding, Malformed, Member, OpaqueReason, Seen, Unsupported
from filters.metafiles import bitmaps
from filters.richtext.codes import AUTHORS, DATA, PROPERTIES, REVISIONS, TRAILER, UNKNOWN
from filters.richtext.groups import Group, Word, walk
from filters.text import embedded

_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]+")
_RSID = re.compile(rb"(?:ins|char|sect|par|tbl|del|style)?rsid\Z")
_NOTHING: Final = b"\0\t\r\n \x1a"  # what programs append without meaning anything
_WIDTH: Final = 128  # hex digits of a line, as programs write it
# Destination -> (code, what chooses it in ``Cleaning``, what stands in its place).
_GOING: Final[Mapping[bytes, tuple[str, str, bytes]]] = {
    b"info": (PROPERTIES, "properties", b""),
    b"userprops": (PROPERTIES, "properties", b""),
    b"generator": (PROPERTIES, "properties", b""),
    b"template": (PROPERTIES, "properties", b""),
    b"operator": (PROPERTIES, "properties", b""),
    b"passwordhash": (PROPERTIES, "properties", b""),
    b"atnauthor": (AUTHORS, "authors", b""),
    b"atnid": (AUTHORS, "authors", b""),
    b"atndate": (AUTHORS, "authors", b""),
    b"rsidtbl": (REVISIONS, "revisions", b""),
    b"datastore": (DATA, "properties", b""),
}


@dataclass(slots=True)
class _Found:
    """What one walk found.  ``cuts``: (start, end, replacement, code)."""

    pictures: list[Group] = field(default_factory=list)
    objects: list[Group] = field(default_factory=list)
    cuts: list[tuple[int, int, bytes, str]] = field(default_factory=list)
    end: int = 0


class Rtf:
    """The opener for RTF."""

    name, native, rebuilds = "rtf", False, True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Pictures, objects, and what would be removed.  Raises FilterError."""
        found = _look(data, budget, cleaning)
        for code in sorted({cut[3] for cut in found.cuts}):
            yield Finding(code, "document", Fate.REMOVED)
        if data[found.end :].strip(_NOTHING):
            yield Blocked(TRAILER, OpaqueReason.CORRUPT)  # an archive, for programs that look for one from the end
        rest = bytearray(data)
        for group in (*found.pictures, *found.objects):
            for start, end in (*group.texts, *(span[1:] for span in group.binaries)):
                rest[start:end] = b" " * (end - start)
        for group in found.pictures:
            yield _picture(data, group, budget)
        for group in found.objects:
            yield from _object(data, group, budget)
        for one in embedded(bytes(rest), html=False):
            if one.opaque and one.code != "text.rtf-picture":
                yield Blocked(one.code, OpaqueReason(one.opaque))

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The same text; pictures replaced in hexadecimal, what ``cleaning`` names cut out.  Raises FilterError."""
        found = _look(data, budget, cleaning)
        edits = [(start, end, new) for start, end, new, _ in found.cuts]
        keys = {f"pict@{group.start}": group for group in found.pictures}
        for key, body in changes.items():
            if key not in keys:
                raise Unsupported("an object in rich text is not written anew")
            edits += _replaced(keys[key], body)
        return _spliced(data, edits)


def _look(data: bytes, budget: Budget, cleaning: Cleaning) -> _Found:
    found = _Found()
    if not data.startswith(b"{\\rt"):
        raise Malformed("no rich text")
    for one in walk(data, budget):
        if isinstance(one, Word):
            if cleaning.revisions and _RSID.match(one.word):
                delimiter = b" " if data[one.start - 1 : one.start].isalnum() else b""  # ends the control word in front
                found.cuts.append((one.start, one.end, delimiter, REVISIONS))
            continue
        found.end = one.end
        if one.destination in (b"pict", b"objdata"):
            budget.member()
            (found.pictures if one.destination == b"pict" else found.objects).append(one)
        elif one.destination in _GOING and getattr(cleaning, _GOING[one.destination][1]):
            code, _, new = _GOING[one.destination]
            found.cuts.append((one.start, one.end, new, code))
        elif one.destination == b"revtbl" and cleaning.authors:
            found.cuts += _authors(data, one)
    found.cuts = _outermost(found.cuts)
    return found


def _authors(data: bytes, group: Group) -> list[tuple[int, int, bytes, str]]:
    """Every name of the table of reviewers; the changes refer to them by number."""
    inner = data[group.start : group.end]
    return [
        (group.start + match.start(1), group.start + match.end(1), b"Author", AUTHORS)
        for match in re.finditer(rb"\{([^{};]+);\}", inner)
        if match[1] not in (b"Unknown", b"Author")
    ]


def _outermost(cuts: list[tuple[int, int, bytes, str]]) -> list[tuple[int, int, bytes, str]]:
    """Without those that stand inside another."""
    kept: list[tuple[int, int, bytes, str]] = []
    for cut in sorted(cuts, key=lambda one: (one[0], -one[1])):
        if not kept or cut[0] >= kept[-1][1]:
            kept.append(cut)
    return kept


def _bytes(data: bytes, group: Group, budget: Budget) -> bytes:
    """What a group's hexadecimal text or binary data mean.  Raises Malformed."""
    if group.binaries:
        body = b"".join(data[start:end] for _, start, end in group.binaries)
    else:
        digits = _NOT_HEX.sub(b"", b"".join(data[start:end] for start, end in group.texts))
        if len(digits) % 2:
            raise Malformed("half a byte in a picture")
        body = bytes.fromhex(digits.decode("ascii"))
    budget.grow(len(body))
    return body


def _picture(data: bytes, group: Group, budget: Budget) -> Member:
    body, key = _bytes(data, group, budget), f"pict@{group.start}"
    if group.words.keys() & {b"dibitmap"}:
        return bitmaps.packed(key, body)
    if group.words.keys() & {b"wbitmap", b"macpict", b"pmmetafile"}:
        return Member(key, body, opaque=OpaqueReason.NOT_SUPPORTED, inline=True)
    return Member(key, body, inline=True)


def _object(data: bytes, group: Group, budget: Budget) -> Iterator[Seen]:
    """An embedded object ([MS-OLEDS] 2.2.5): version, kind, three names, size, data."""
    body = _bytes(data, group, budget)
    at = 8
    for _ in range(3):
        if at + 4 > len(body):
            yield Blocked(UNKNOWN)
            return
        at += 4 + struct.unpack_from("<I", body, at)[0]
    if at + 4 > len(body):
        yield Blocked(UNKNOWN)
        return
    yield Member(f"objdata@{group.start}", body[at + 4 : at + 4 + struct.unpack_from("<I", body, at)[0]])


def _replaced(group: Group, body: bytes) -> list[tuple[int, int, bytes]]:
    """Edits that put ``body`` where the group's data stood."""
    if group.binaries:  # their length stands in the control word in front
        (start, _, end), *more = group.binaries
        return [(start, end, b"\\bin%d " % len(body) + body), *((start, end, b"") for start, _, end in more)]
    digits = body.hex().encode()
    lines = b"".join(b"\r\n" + digits[at : at + _WIDTH] for at in range(0, len(digits), _WIDTH))
    first, *others = [span for span in group.texts if span[1] > span[0]]
    return [(first[0], first[1], lines), *((start, end, b"") for start, end in others)]


def _spliced(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    pieces: list[bytes] = []
    at = 0
    for start, end, new in sorted(edits):
        if start < at:
            raise Malformed("overlapping groups")
        pieces += (data[at:start], new)
        at = end
    return b"".join([*pieces, data[at:]])


RTF = Rtf()
