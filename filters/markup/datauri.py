"""data: URIs that can be taken out of a text and put back: found, decoded and written (RFC 2397, Fetch standard 6).

Only URIs that every program delimits and decodes alike are taken; the rest stays in the text for ``filters.text`` to find.
"""

from __future__ import annotations

import binascii
import html as markup
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

_SCHEME: Final = b"data:"
_HEAD = re.compile(
    rb"(?i)data:(?P<type>[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60})?(?P<params>(?:;[a-z0-9_.+=-]{0,80}){0,6}?)(?P<base64>;base64)?,"
)
# As values of cards and invitations are written, where ";" and "," carry a backslash (RFC 5545 3.3.11).
_ESCAPED_HEAD = re.compile(_HEAD.pattern.replace(b";", rb"\\?;").removesuffix(b",") + rb"\\?,")
_BEFORE: Final = 24  # bytes in which the opening delimiter is looked for
_OPENING = re.compile(
    rb"(?i)(?:(?P<quote>[\"']|&quot;|&apos;|&#34;|&#39;|&#x22;|&#x27;)|(?P<url>\burl\()|(?P<unquoted>=)|(?P<text>>)|(?P<comma>,))"
    rb"\s{0,8}\Z"
)
_SPACE: Final = rb"\s|&\#(?:9|10|13|32|[xX](?:9|[aA]|[dD]|20));"
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/=%%]++|%s)*+" % _SPACE)
_TOKEN = re.compile(rb"[A-Za-z0-9+/=%]++")
_DESCRIPTOR = re.compile(rb"\s+[0-9.]{1,8}[wxh]\s*(?=[,\"'])|,\s|\s*(?=[\"'])")  # of a srcset, or its end
_LAST_WORD = re.compile(rb"\s[0-9.]{1,8}[wxh]\s*\Z")
_PLAIN_URL = re.compile(rb"[^()\s\"'<>\\]++(?=\))")
_PLAIN_WORD = re.compile(rb"[^\s>\"'=<`]++(?=[\s>])")
_BLANK = re.compile(_SPACE)
_STRICT = re.compile(rb"[A-Za-z0-9+/]*+={0,2}")
_FLAT = re.compile(rb"[!#-;=?-~]*")
_CUT = re.compile(rb"(?P<first>[^\s&]++)(?P<space>(?:%s)+)" % _SPACE)
_AFTER_WORD: Final = frozenset((b" ", b"\t", b"\r", b"\n", b"\f", b">"))


@dataclass(frozen=True, slots=True)
class DataUri:
    """One URI: ``start``..``end`` in the text, its payload from ``payload`` on, and the decoded bytes."""

    start: int
    payload: int
    end: int
    media_type: str
    base64: bool
    data: bytes = field(repr=False)
    flat: bool = True  # nothing in the payload that a text reader could take for markup

    @property
    def key(self) -> str:
        return f"uri@{self.start}"

    @property
    def hidden(self) -> tuple[int, int]:
        """What of the text need not be looked at again: all of it, or only the head of a URI written in plain letters."""
        return (self.start, self.end if self.flat else self.payload)


def uris(text: bytes, *, escaped: bool = False) -> Iterator[DataUri]:
    """The URIs that can be replaced, in order, none inside another.  Never raises; linear: opening marks end what is before."""
    low = text.lower()
    at = low.find(_SCHEME)
    while at >= 0:
        found = _locate(text, at, _ESCAPED_HEAD if escaped else _HEAD)
        if found:
            yield found
        at = low.find(_SCHEME, found.end if found else at + len(_SCHEME))


def _locate(text: bytes, start: int, pattern: re.Pattern[bytes]) -> DataUri | None:
    """The URI that begins at ``start``, None unless its end and its bytes are beyond doubt."""
    head = pattern.match(text, start)
    opening = _OPENING.search(text[max(start - _BEFORE, 0) : start])
    if head is None or opening is None or b"base64" in head["params"].lower():
        return None
    end = _base64_end(text, head.end(), opening) if head["base64"] else _plain_end(text, head.end(), opening)
    if end is None or end <= head.end():
        return None
    payload = text[head.end() : end]
    data = unfolded(payload) if head["base64"] else _unescaped(payload)
    if data is None:
        return None
    kind = (head["type"] or b"text/plain").decode("ascii").lower()
    flat = head["base64"] is not None or _FLAT.fullmatch(payload) is not None
    return DataUri(start, head.end(), end, kind, head["base64"] is not None, data, flat)


def _base64_end(text: bytes, at: int, opening: re.Match[bytes]) -> int | None:
    token = _TOKEN.match(text, at)
    if token is None or opening["unquoted"]:
        return token.end() if token and text[token.end() : token.end() + 1] in _AFTER_WORD else None
    run = _BASE64.match(text, at)
    if (
        run
        and _closed(text, run.end(), opening)
        and not (opening["quote"] and _LAST_WORD.search(text, run.end() - 12, run.end()))
    ):
        return run.end()
    return token.end() if (opening["quote"] or opening["comma"]) and _DESCRIPTOR.match(text, token.end()) else None


def _closed(text: bytes, end: int, opening: re.Match[bytes]) -> bool:
    if opening["quote"]:
        return text[end : end + len(opening["quote"])].lower() == opening["quote"].lower()
    return text[end : end + 1] == (b")" if opening["url"] else b"<" if opening["text"] else b"none")


def _plain_end(text: bytes, at: int, opening: re.Match[bytes]) -> int | None:
    if opening["quote"]:
        end = text.find(opening["quote"], at)
        return end if end >= 0 else None
    if opening["url"] or opening["unquoted"]:
        word = (_PLAIN_URL if opening["url"] else _PLAIN_WORD).match(text, at)
        return word.end() if word else None
    return None


def whole(value: bytes, start: int) -> DataUri | None:
    """The URI that is all of ``value`` from ``start`` on, as a card's property has it."""
    head = _ESCAPED_HEAD.match(value, start)
    if head is None or not head["base64"]:
        return None
    data = unfolded(value[head.end() :])
    kind = (head["type"] or b"text/plain").decode("ascii").lower()
    return None if data is None else DataUri(start, head.end(), len(value), kind, True, data)


def unfolded(payload: bytes) -> bytes | None:
    """Base64 decoded; None unless every decoder gives the same bytes."""
    letters = payload.translate(None, b" \t\r\n\f\v")
    if b"&" in letters:
        letters = _BLANK.sub(b"", letters)
    if b"%" in letters:
        letters = unquote_to_bytes(letters)
    if not _STRICT.fullmatch(letters) or len(letters.rstrip(b"=")) % 4 == 1:
        return None
    bare = letters.rstrip(b"=")
    if len(letters) != len(bare) and len(letters) % 4:
        return None
    return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4))


def _unescaped(payload: bytes) -> bytes | None:
    """The payload of a URI without base64; None where programs differ: escapes of style sheets, a bare "#"."""
    if b"\\" in payload:
        return None
    if b"&" in payload:
        payload = markup.unescape(payload.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogatepass")
    if b"#" in payload and not payload.lstrip().startswith((b"<", b"%3C", b"%3c")):
        return None  # one takes it for the end
    return unquote_to_bytes(payload.translate(None, b"\t\r\n"))


def written(uri: DataUri, text: bytes, data: bytes) -> bytes:
    """``data`` as the payload of this URI, in its own encoding and line length."""
    if not uri.base64:
        return quote_from_bytes(data, safe="").encode("ascii")
    letters = binascii.b2a_base64(data, newline=False)
    if b"%2" in text[uri.payload : uri.end] or b"%3" in text[uri.payload : uri.end]:
        letters = letters.replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D")
    cut = _CUT.match(text, uri.payload, uri.end)
    if cut is None:
        return letters
    width = max(len(cut["first"]), 16)
    return cut["space"].join(letters[at : at + width] for at in range(0, len(letters), width))
