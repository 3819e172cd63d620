"""The words of MIME: message, part, field, edit.  Everything is an offset into the bytes as received (RFC 2045, RFC 5322)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.mime.codes import CODES
from gateway.mime.words import decode_words, unfold

Span = tuple[int, int]
IDENTITY: Final = frozenset({"7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class MimeLimits:
    """What is read before the message is held as ``mime.limit-*``."""

    depth: int = 20
    parts: int = 1000
    header: int = 65_536  # bytes of one header block
    fields: int = 20_000  # in the whole message
    lines: int = 10_000  # boundary-like lines that are none


@dataclass(frozen=True, slots=True)
class Field:
    """One header field.  ``span`` holds its continuation lines and last line end; ``value_span`` neither name nor line end."""

    name: bytes  # as written
    span: Span
    value_span: Span

    @property
    def key(self) -> bytes:
        """The name as it is compared."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Part:
    """One node of the MIME tree.

    ``header`` ends after the empty line; ``body`` excludes the line end that belongs to the next boundary (RFC 2046 5.1.1).
    ``content_type`` and ``encoding`` are the effective ones, with the defaults of RFC 2045 5.2 and 6.1.
    """

    path: str  # "1", "1.2"; the message attached as 1.2 has its own top part as "1.2.1"
    header: Span
    body: Span
    headers: tuple[Field, ...] = field(repr=False)
    content_type: str
    params: Mapping[str, str] = field(repr=False)
    encoding: str
    name: str | None = field(repr=False)  # for display: decoded, no path, no control or direction characters
    disposition: str | None
    content_id: str | None = field(repr=False)
    is_leaf: bool
    parent: str | None
    in_signed: bool
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Message:
    """The bytes as received and their parts, depth first, containers included; ``parts[0]`` is the message itself."""

    raw: bytes = field(repr=False)
    parts: tuple[Part, ...]
    codes: frozenset[str]  # of all parts, and of the message as a whole
    newline: bytes = b"\r\n"

    @property
    def headers(self) -> tuple[Field, ...]:
        return self.parts[0].headers

    def fields(self, name: str, part: Part | None = None) -> list[Field]:
        """The fields called ``name`` (any case) of ``part``, or of the message itself, top first."""
        key = name.lower().encode("ascii")
        return [one for one in (part or self.parts[0]).headers if one.key == key]

    def value(self, one: Field) -> bytes:
        """The value as written: folded, undecoded."""
        return self.raw[one.value_span[0] : one.value_span[1]]

    def text(self, one: Field) -> str:
        """The value unfolded and decoded (RFC 2047), for reading; never for writing back."""
        return decode_words(unfold(self.value(one)))

    def leaves(self) -> Iterator[Part]:
        """Every part that has a body of its own."""
        return (part for part in self.parts if part.is_leaf)

    def part(self, path: str) -> Part:
        """The part at ``path``.  Raises KeyError."""
        for one in self.parts:
            if one.path == path:
                return one
        raise KeyError("no such part")


class Undecodable(Exception):
    """A body cannot be decoded under exactly one reading.  ``code`` is one of ``codes.CODES``; the text holds no content."""

    def __init__(self, code: str) -> None:
        super().__init__(CODES[code])
        self.code = code


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``raw[start:end]`` by ``data``; ``start == end`` inserts."""

    start: int
    end: int
    data: bytes = field(repr=False)
