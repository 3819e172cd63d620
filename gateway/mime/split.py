"""Cut a multipart's body at its boundary lines (RFC 2046 5.1.1), with ``bytes.find`` only.

The whole line is compared after trailing blanks; every other line that begins like a boundary line is told by a code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.mime.part import Span

_TAIL: Final = 80  # characters behind the boundary that are looked at
_HYPHENS: Final = 64  # looked at one by one before the whole line is sought
_WORDS: Final = 4096  # bytes of plain words that may stand outside the parts
_SUSPECT = re.compile(
    rb"(?im)^(?:content-[a-z-]{1,40}|mime-version)[ \t]*:|^--\S|^begin(?:-base64)? [0-7]{3,4} |^=ybegin |[a-z0-9+/]{40}"
    rb"|data:|BinHex|=[0-9a-f]{2}=[0-9a-f]{2}=[0-9a-f]{2}|-----BEGIN"
)


@dataclass(frozen=True, slots=True)
class Cut:
    """The spans of the parts, what stands before and after them, and whether the final boundary was there."""

    parts: tuple[Span, ...]
    closed: bool
    codes: frozenset[str]


@dataclass(slots=True)
class _Line:
    """A boundary line: ``before`` is where the preceding content ends, ``after`` where the next content begins."""

    before: int
    after: int
    final: bool


def cut(raw: bytes, body: Span, boundary: bytes, *, parts: int, lines: int, bare_cr: bool, lf_only: bool) -> Cut:
    """Cut ``body``; at most ``parts`` parts and ``lines`` false boundary lines are looked at.  Linear."""
    codes: set[str] = set()
    found: list[_Line] = []
    false = 0
    start, end = body
    delimiter = b"--" + boundary
    if bare_cr and raw.find(b"\r" + delimiter, start, end) >= 0:
        codes.add("mime.boundary-newline")
    at = start if raw.startswith(delimiter, start, end) else _next(raw, delimiter, start, end)
    while at >= 0:
        stop = raw.find(b"\n", at, end)
        tail = raw[at + len(delimiter) : min(stop if stop >= 0 else end, at + len(delimiter) + _TAIL)].rstrip(b"\r")
        rest = tail.rstrip(b" \t")
        if rest in (b"", b"--"):
            if rest != tail:
                codes.add("mime.boundary-padding")
            if at > start + 1 and raw[at - 2] != 0x0D and not lf_only:
                codes.add("mime.boundary-newline")
            found.append(_Line(_before(raw, at, start), stop + 1 if stop >= 0 else end, rest == b"--"))
        else:
            codes.add("mime.boundary-prefix")
            false += 1
        if len(found) > parts or false > lines:
            codes.add("mime.limit-parts" if len(found) > parts else "mime.limit-lines")
            return Cut((), True, frozenset(codes))
        at = _next(raw, delimiter, stop, end) if stop >= 0 else -1
    return _spans(raw, body, found, codes)


def _next(raw: bytes, delimiter: bytes, at: int, end: int) -> int:
    """Start of the next line at or after the line end ``at`` that begins with ``delimiter``.

    Base64 has no hyphen, and one octet is sought ten times as fast as a string; where hyphens abound the string is sought.
    """
    line = b"\n" + delimiter
    for _ in range(_HYPHENS):
        hyphen = raw.find(b"-", at + 1, end)
        if hyphen < 0 or raw.startswith(line, hyphen - 1, end):
            return hyphen
        at = hyphen
    hit = raw.find(line, at, end)
    return hit + 1 if hit >= 0 else -1


def _before(raw: bytes, at: int, start: int) -> int:
    """Where the content before the boundary line ends: its line end belongs to the boundary."""
    if at <= start:
        return start
    return at - 2 if at - 2 >= start and raw[at - 2] == 0x0D else at - 1


def _spans(raw: bytes, body: Span, found: list[_Line], codes: set[str]) -> Cut:
    final = next((index for index, line in enumerate(found) if line.final), None)
    opening = found if final is None else found[:final]
    if not opening:
        return Cut((), final is not None, frozenset(codes | {"mime.boundary-not-found"}))
    if final is not None and final + 1 < len(found):
        codes.add("mime.after-final")
    if not plain(raw, (body[0], found[0].before)):
        codes.add("mime.preamble")
    spans = []
    for index, line in enumerate(opening):
        stop = found[index + 1].before if index + 1 < len(found) else body[1]
        spans.append((line.after, max(stop, line.after)))
    if final is not None and not plain(raw, (found[final].after, body[1])):
        codes.add("mime.epilogue")
    return Cut(tuple(spans), final is not None, frozenset(codes))


def plain(raw: bytes, span: Span) -> bool:
    """True if nothing but a few plain words stands there ("This is a multi-part message in MIME format.")."""
    text = raw[span[0] : min(span[1], span[0] + _WORDS + 1)]
    if len(text) > _WORDS:
        return not raw[span[0] : span[1]].strip()
    return b"\0" not in text and _SUSPECT.search(text) is None
