"""XML by its bytes: tags, attributes and namespaces found where they stand, so that what does not change stays as it is.

Not a parser: whoever looks for a few elements needs no tree, and whoever changes two attributes must not write the rest anew.
Declarations of entities have no place in an office document (ISO 29500-2 8.2.5): they are Malformed, and with them all bombs
made of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from filters.api import Malformed

Spaces = Mapping[str, frozenset[str]]  # short name of a vocabulary -> its namespaces


class Edit(NamedTuple):
    """``text[start:end]`` becomes ``new``."""

    start: int
    end: int
    new: bytes


class Attribute(NamedTuple):
    """``start``..``end`` with the white space before it; ``value``..``close`` without the quotes."""

    name: bytes
    start: int
    end: int
    value: int
    close: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag, an empty element, or an end tag."""

    name: bytes
    start: int
    end: int
    closing: bool
    empty: bool


@dataclass(frozen=True, slots=True)
class Markup:
    """``text`` in an encoding that has ASCII at its base; ``shadow`` is the same without comments, CDATA and instructions."""

    text: bytes = field(repr=False)
    shadow: bytes = field(repr=False)
    codec: str = ""  # of the file, when it was converted for reading
    mark: bytes = b""

    def apply(self, edits: Sequence[Edit]) -> bytes:
        """The file with the edits made, in its own encoding.  Edits inside a wider edit are left out; insertions come first."""
        parts, at = [], 0
        for edit in sorted(edits, key=lambda one: (one.start, one.end > one.start, -one.end)):
            if edit.start < at:
                continue
            parts += [self.text[at : edit.start], edit.new]
            at = edit.end
        out = b"".join((*parts, self.text[at:]))
        return out if not self.codec else self.mark + out.decode().encode(self.codec)


_MARKS: Final = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_DECLARED: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_ASCII_BASED: Final = ("utf-8", "utf8", "us-ascii", "ascii", "iso-8859", "windows-125", "gb", "big5", "shift_jis", "euc-", "koi8")
_START: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<[?!A-Za-z_]")
_ROOT: Final = re.compile(rb"<(?:[^\s/>=\"'<:!?]+:)?([^\s/>=\"'<:!?]+)")


def looks(data: bytes) -> bool:
    """Whether this begins like XML, in any encoding that is read here."""
    if data.startswith((b"\xff\xfe<\0", b"\xfe\xff\0<", b"<\0?\0", b"\0<\0?")):
        return True
    return _START.match(data[:1024]) is not None


def read(data: bytes) -> Markup:
    """Raises Malformed: another encoding, a declaration, something that does not end."""
    codec, mark, text = "", b"", data
    for start, name in (*_MARKS, (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if data.startswith(start):
            codec, mark = name, start if start in (b"\xff\xfe", b"\xfe\xff") else b""
            text = _narrow(data[len(mark) :], name)
            break
    else:
        declared = _DECLARED.match(data)
        if declared and not declared[1].lower().decode().startswith(_ASCII_BASED):
            raise Malformed("encoding of a part")
    if b"\0" in text:
        raise Malformed("NUL in XML")
    return Markup(text, _shadow(text), codec, mark)


def _narrow(data: bytes, codec: str) -> bytes:
    try:
        return data.decode(codec).encode()
    except UnicodeError as error:
        raise Malformed("encoding of a part") from error


# The fourth is what Office writes into VML for programs that read it as HTML: <![if gte mso 9]> ... <![endif]>
_BLANK: Final = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"), (b"<![if ", b"]>"), (b"<![endif", b"]>"))


def _shadow(text: bytes) -> bytes:
    """``text`` with comments, CDATA sections and processing instructions blanked."""
    parts: list[bytes] = []
    done, at = 0, _declaration_end(text)
    marks = {b"<!": -2, b"<?": -2}  # next place of each, looked for only when the last one is passed
    while True:
        for word, place in marks.items():
            if place != -1 and place < at:
                marks[word] = text.find(word, at)
        places = [place for place in marks.values() if place >= 0]
        if not places:
            break
        start = min(places)
        end = _blank_end(text, start)
        parts += [text[done:start], b" " * (end - start)]
        done = at = end
    return b"".join((*parts, text[done:])) if parts else text


def _declaration_end(text: bytes) -> int:
    """The XML declaration looks like a tag without meaning: it need not be blanked, and large parts need not be copied."""
    start = 3 if text.startswith(b"\xef\xbb\xbf") else 0
    return max(text.find(b"?>", start), 0) if text.startswith(b"<?xml ", start) else 0


# A document type without declarations of its own, as LibreOffice writes it into lists of macros: nobody fetches it.
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE(?:[^\[\]<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+>")


def _blank_end(text: bytes, start: int) -> int:
    for opening, closing in _BLANK:
        if text.startswith(opening, start):
            end = text.find(closing, start + len(opening))
            if end < 0:
                raise Malformed("XML that does not end")
            return end + len(closing)
    plain = _DOCTYPE.match(text, start)
    if plain is None:
        raise Malformed("declaration in a document")
    return plain.end()


_TAG: Final = re.compile(rb"<(/?)([^\s/>=\"'<]++)[^>\"'<]*+(?:\"[^\"<]*+\"[^>\"'<]*+|'[^'<]*+'[^>\"'<]*+)*+>")
_ATTRIBUTE: Final = re.compile(rb"\s++([^\s=/>\"'<]++)\s*+=\s*+(?:\"([^\"<]*+)\"|'([^'<]*+)')")
_XMLNS: Final = re.compile(rb"xmlns(?::([^\s=/>\"'<]++))?+\s*+=\s*+(?:\"([^\"<]*+)\"|'([^'<]*+)')")


def root(data: bytes) -> str:
    """Local name of the root element in lower case, as far as the beginning of the data tells; else ""."""
    head = data[:8192]
    if b"\0" in head[:4]:
        head = head.replace(b"\0", b"")
    found = _ROOT.search(head)
    return found[1].decode("latin-1").lower() if found else ""


def tag_at(shadow: bytes, start: int) -> Tag:
    """The tag that begins at ``start``.  Raises Malformed."""
    found = _TAG.match(shadow, start)
    if found is None:
        raise Malformed("a tag that does not end")
    return Tag(found[2], start, found.end(), bool(found[1]), shadow[found.end() - 2 : found.end() - 1] == b"/")


def tags(shadow: bytes) -> Iterator[Tag]:
    """Every tag, in order.  What no tag can be is passed over."""
    for found in _TAG.finditer(shadow):
        yield Tag(found[2], found.start(), found.end(), bool(found[1]), shadow[found.end() - 2 : found.end() - 1] == b"/")


def attributes(shadow: bytes, tag: Tag) -> Iterator[Attribute]:
    """The attributes of a start tag."""
    for found in _ATTRIBUTE.finditer(shadow, tag.start + 1 + len(tag.name), tag.end):
        group = 2 if found[2] is not None else 3
        yield Attribute(found[1], found.start(), found.end(), *found.span(group))


def element_end(shadow: bytes, tag: Tag) -> tuple[int, int]:
    """(start, end) of the end tag of an element that holds no other of its name.  Raises Malformed."""
    if tag.empty:
        return tag.end, tag.end
    found = re.compile(rb"<(/?)" + re.escape(tag.name) + rb"(?=[\s/>])").search(shadow, tag.end)
    if found is None or not found[1]:
        raise Malformed("an element that does not end")
    return found.start(), tag_at(shadow, found.start()).end


def prefixes(markup: Markup, spaces: Spaces) -> dict[str, frozenset[bytes]]:
    """Short name of a vocabulary -> the prefixes bound to it anywhere in the document, with their colon; b"" by default.

    A prefix that stands for two vocabularies is read as both.
    """
    bound: dict[bytes, set[bytes]] = {}
    for found in _XMLNS.finditer(markup.shadow):
        uri = found[2] if found[2] is not None else found[3]
        bound.setdefault(uri, set()).add(found[1] + b":" if found[1] else b"")
    return {
        name: frozenset(prefix for uri in uris for prefix in bound.get(uri.encode(), ()))
        for name, uris in spaces.items()
        if any(uri.encode() in bound for uri in uris)
    }
