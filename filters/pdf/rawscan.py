"""Every object that stands in the bytes, whether or not a cross-reference table knows it.

Earlier revisions, objects that were dropped and objects that no table ever named are all found here, as a reader that repairs
a damaged file, or a curious person, would find them.  Linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from filters.budget import Budget
from filters.errors import FilterError, Malformed, TooBig
from filters.pdf import lexer, streams

MAX_OBJECTS: Final = 400_000

_HEADER = re.compile(rb"(?<![0-9])([0-9]{1,10})[\0\t\n\f\r ]+([0-9]{1,5})[\0\t\n\f\r ]+$")
_HEADER_ROOM: Final = 40
_STREAM = re.compile(rb">>[\0\t\n\f\r ]*stream(?:[ \t]*+(?:\r\n|\n|\r))?+")  # readers forgive a missing line end
_LENGTH = re.compile(rb"/Length[\0\t\n\f\r ]+([0-9]{1,10})(?![\0\t\n\f\r ]*[0-9]+[\0\t\n\f\r ]+R|[0-9])")
_END = re.compile(rb"[\0\t\n\f\r ]*endstream")
_PACKED = re.compile(rb"/(?:ObjStm|XRef)\b")
_HEAD: Final = 4096  # bytes of a dictionary in which the kind of a stream is looked for


@dataclass(frozen=True, slots=True)
class RawObject:
    """``12 0 obj``: where it begins, where its value begins, its stream's bytes if it has any, where it ends."""

    number: int
    generation: int
    start: int
    body: int
    stream: tuple[int, int] | None
    end: int


@dataclass(frozen=True, slots=True)
class Scan:
    """All objects in the order of the file, and the stretches between them."""

    objects: tuple[RawObject, ...]
    gaps: tuple[tuple[int, int], ...]


class _Finder:
    """``bytes.find`` for one word from ever later places: no stretch is searched twice."""

    def __init__(self, data: bytes, word: bytes) -> None:
        self.data, self.word, self.found = data, word, -2

    def after(self, at: int) -> int:
        """Where the next one begins, the end of the data when there is none."""
        if self.found < at:
            place = self.data.find(self.word, at)
            self.found = place if place >= 0 else len(self.data)
        return self.found


class _Scanner:
    def __init__(self, data: bytes, budget: Budget) -> None:
        self.data, self.budget = data, budget
        self.starts, self.ends = _Finder(data, b"obj"), _Finder(data, b"endobj")
        self.stream_ends = _Finder(data, b"endstream")

    def scan(self) -> Scan:
        objects: list[RawObject] = []
        gaps: list[tuple[int, int]] = []
        at, end = 0, len(self.data)
        behind = 0  # where the object before ended
        while (at := self.starts.after(at)) < end:
            room = max(behind, at - _HEADER_ROOM)
            header = _HEADER.search(self.data[room:at])
            if header is None:
                at += 3
                continue
            one = self._object(room + header.start(), header, at + 3)
            if len(objects) >= MAX_OBJECTS:
                raise TooBig("limit of objects")
            if len(objects) % 256 == 0:
                self.budget.tick()
            objects.append(one)
            gaps.append((behind, one.start))
            at = behind = one.end
        gaps.append((behind, end))
        return Scan(tuple(objects), tuple((a, b) for a, b in gaps if b > a))

    def _object(self, start: int, header: re.Match[bytes], body: int) -> RawObject:
        number, generation = int(header[1]), int(header[2])
        stop = self.ends.after(body)
        opened = _STREAM.search(self.data, body, stop)
        if opened is None:
            return RawObject(number, generation, start, body, None, min(stop + 6, len(self.data)))
        first = opened.end()
        last = self._stream_end(self.data[body : opened.start()][:_HEAD], first)
        close = _END.match(self.data, last)
        behind = close.end() if close else last
        after = self.ends.after(behind)
        ended = after + 6 if not self.data[behind:after].strip() else behind
        return RawObject(number, generation, start, body, (first, last), min(ended, len(self.data)))

    def _stream_end(self, head: bytes, first: int) -> int:
        stated = _LENGTH.search(head)
        if stated is not None:
            last = first + int(stated[1])
            if last <= len(self.data) and _END.match(self.data, last):
                return last
        last = self.stream_ends.after(first)
        for tail in (b"\r\n", b"\n", b"\r"):
            if self.data.endswith(tail, first, last):
                return last - len(tail)
        return last


def scan(data: bytes, budget: Budget) -> Scan:
    """All objects of the file.  Raises TooBig."""
    return _Scanner(data, budget).scan()


def weigh(data: bytes, found: Scan, budget: Budget) -> None:
    """Pays for the streams that hold objects and tables: the library unpacks them whole.  Raises TooBig."""
    for one in found.objects:
        if one.stream is None or not _PACKED.search(data, one.body, min(one.stream[0], one.body + _HEAD)):
            continue
        names = filters_of(data, one)
        if names[:1] == ("FlateDecode",):
            streams.flate_size(data[one.stream[0] : one.stream[1]], budget)


def filters_of(data: bytes, one: RawObject) -> tuple[str, ...]:
    """The filters of its stream; () when its dictionary cannot be read."""
    try:
        entries = lexer.dictionary(data, one.body)
    except (Malformed, FilterError):
        return ()
    return streams.full(lexer.names(entries.get("Filter", entries.get("F"))))
