"""Style sheets inside drawings: comments, editors' properties and references to other files go; the rest keeps its bytes.

CSS Syntax level 3.  A sheet in which references are spelt with escapes is ``Unsupported``.
"""

from __future__ import annotations

import html as markup
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from filters.api import Unsupported


class Cut(NamedTuple):
    """A span that goes, what stands there instead, and the code of the finding."""

    start: int
    end: int
    instead: bytes
    code: str


_STRING: Final = rb"\"[^\"]*+\"|'[^']*+'|&quot;[^&]*+(?:&(?!quot;)[^&]*+)*+&quot;|&apos;[^&]*+(?:&(?!apos;)[^&]*+)*+&apos;"
_TOKEN = re.compile(
    rb"(?i)(?P<comment>/\*(?s:.)*?(?:\*/|\Z))"
    rb"|(?P<import>@import\b(?:%(string)s|[^;{}])*+;?)"
    rb"|(?P<namespace>@namespace\b(?:%(string)s|[^;{}])*+;?)"
    rb"|\b(?:url|src)\(\s*+(?P<target>%(string)s|[^()\"']*+)\s*+\)"
    rb"|(?P<string>%(string)s)"
    rb"|(?P<editor>(?<![\w-])-?inkscape-[\w-]++\s*+:(?:%(string)s|&(?!quot|apos)[^;]{0,10};|[^;{}&])*+;?)" % {b"string": _STRING}
)
_SUSPECT = re.compile(rb"(?i)url\(|src\(|@import|://|data:|expression|javascript|image\(|image-set\(|inkscape-|//[a-z0-9]")
_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{1,6})[ \t\r\n\f]?|(.))", re.S)
_COMMENT = re.compile(rb"/\*(?s:.)*?(?:\*/|\Z)")
_EMPTY: Final = b"/**/"  # two tokens with a comment between them stay two tokens
_QUOTES = re.compile(rb"\A(?:[\"']|&(?:quot|apos);)|(?:[\"']|&(?:quot|apos);)\Z")
_NAMESPACES: Final = (b"http://www.w3.org/",)


def cuts(sheet: bytes) -> Iterator[Cut]:
    """What goes from a style sheet or a list of declarations, in order.  Raises Unsupported."""
    _check(sheet)
    for token in _TOKEN.finditer(sheet):
        if token["comment"] is not None:
            if token["comment"] != _EMPTY:
                yield Cut(*token.span(), _EMPTY, "svg.comment")
        elif token["import"] is not None:
            if b"data:" not in token["import"].lower():
                yield Cut(*token.span(), b"", "svg.external-reference")
        elif token["namespace"] is not None:
            if not any(prefix in token["namespace"] for prefix in _NAMESPACES):
                yield Cut(*token.span(), b"", "svg.editor-data")
        elif token["editor"] is not None:
            yield Cut(*token.span(), b"", "svg.editor-data")
        elif token["target"] is not None:
            if not internal(_QUOTES.sub(b"", token["target"].strip())):
                yield Cut(*token.span(), b"none", "svg.external-reference")
        elif b"//" in token["string"] and not internal(_QUOTES.sub(b"", token["string"])):
            yield Cut(*token.span(), b"''" if token["string"][:1] == b"'" else b'""', "svg.external-reference")


def internal(target: bytes) -> bool:
    """A reference into the drawing itself, or to what it brings with it."""
    return target[:1] == b"#" or target[:5].lower() == b"data:" or not target


def _check(sheet: bytes) -> None:
    """What is found in the sheet as written must be all that a program finds in it."""
    if b"\\" not in sheet and b"&" not in sheet:
        return
    bare = _COMMENT.sub(b" ", sheet)
    plain = markup.unescape(bare.decode("latin-1"))
    plain = _ESCAPE.sub(_letter, plain)
    if len(_SUSPECT.findall(bare)) != len(_SUSPECT.findall(plain.encode("utf-8", "replace"))):
        raise Unsupported("style sheet with escapes")


def _letter(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return "" if escape[2] == "\n" else escape[2]
    code = int(escape[1], 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
