"""XML cut into tokens by offset, strictly: what a browser's XML parser would refuse is ``Malformed`` (XML 1.0, fifth edition).

Works on bytes in any encoding in which ASCII stands for itself; nothing is copied, nothing is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from filters.api import Budget, Malformed

_NAME: Final = rb"[^\s<>/\"'=!?&;\x00-\x20]++"
_ATTRIBUTE: Final = rb"\s++%s\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+')" % _NAME
_TAG = re.compile(rb"<(?P<name>%s)(?P<attributes>(?:%s)*+)\s*+(?P<empty>/?+)>" % (_NAME, _ATTRIBUTE))
_END = re.compile(rb"</(?P<name>%s)\s*+>" % _NAME)
_ONE = re.compile(rb"\s++(?P<name>%s)\s*+=\s*+[\"'](?P<value>(?<=\")[^\"]*+|(?<=')[^']*+)[\"']" % _NAME)
_EVERY: Final = 256  # tokens between two looks at the clock
DEEPEST: Final = 512


class Kind(Enum):
    START = "start"
    END = "end"
    TEXT = "text"
    CDATA = "cdata"
    COMMENT = "comment"
    INSTRUCTION = "instruction"
    DOCTYPE = "doctype"


class Token(NamedTuple):
    """``start``..``end`` in the file.  ``name`` of a tag as written; ``inner`` the span of attributes or of the content."""

    kind: Kind
    start: int
    end: int
    name: bytes = b""
    inner: tuple[int, int] = (0, 0)
    empty: bool = False


class Attribute(NamedTuple):
    """``start`` is that of the blanks before it, ``end`` behind the closing quote; ``value`` is the span between the quotes."""

    name: bytes
    start: int
    end: int
    value: tuple[int, int]


_FIXED: Final = (
    (Kind.COMMENT, b"<!--", b"-->"),
    (Kind.CDATA, b"<![CDATA[", b"]]>"),
    (Kind.INSTRUCTION, b"<?", b"?>"),
)


def tokens(data: bytes, at: int, budget: Budget) -> Iterator[Token]:
    """All tokens from ``at`` on.  Raises Malformed, and TooBig when the time is over."""
    count = 0
    while at < len(data):
        count += 1
        if count % _EVERY == 0:
            budget.tick()
        if data[at] != 0x3C:
            stop = data.find(b"<", at)
            token = Token(Kind.TEXT, at, stop if stop >= 0 else len(data), inner=(at, stop if stop >= 0 else len(data)))
        else:
            token = _markup(data, at)
        yield token
        at = token.end


def _markup(data: bytes, at: int) -> Token:
    if tag := _TAG.match(data, at):
        return Token(Kind.START, at, tag.end(), tag["name"], tag.span("attributes"), bool(tag["empty"]))
    if tag := _END.match(data, at):
        return Token(Kind.END, at, tag.end(), tag["name"])
    for kind, opening, closing in _FIXED:
        if data.startswith(opening, at):
            stop = data.find(closing, at + len(opening))
            if stop < 0:
                raise Malformed("markup without end")
            return Token(kind, at, stop + len(closing), inner=(at + len(opening), stop))
    if data.startswith(b"<!DOCTYPE", at):
        return _doctype(data, at)
    raise Malformed("no well-formed markup")


_DOCTYPE = re.compile(rb"(?:[^\"'<>\[\]]++|\"[^\"]*+\"|'[^']*+')*+")
_SUBSET = re.compile(rb"(?:[^\"'<>\]]++|<!--(?s:.)*?-->|<\?(?s:.)*?\?>|<![A-Z](?:[^\"'<>]++|\"[^\"]*+\"|'[^']*+')*+>)*+\]\s*+>")


def _doctype(data: bytes, at: int) -> Token:
    """The declaration; ``inner`` spans its internal subset, empty when there is none."""
    head = _DOCTYPE.match(data, at + 2)
    stop = head.end() if head else at
    if data[stop : stop + 1] == b">":
        return Token(Kind.DOCTYPE, at, stop + 1, inner=(stop, stop))
    subset = _SUBSET.match(data, stop + 1) if data[stop : stop + 1] == b"[" else None
    if subset is None:
        raise Malformed("no well-formed document type")
    return Token(Kind.DOCTYPE, at, subset.end(), inner=(stop + 1, subset.end() - 1))


def attributes(data: bytes, token: Token) -> list[Attribute]:
    """Those of a start tag.  Raises Malformed when one stands there twice."""
    found = [
        Attribute(match["name"], match.start(), match.end(), match.span("value")) for match in _ONE.finditer(data, *token.inner)
    ]
    if len({one.name for one in found}) != len(found):
        raise Malformed("attribute stands twice")
    return found
