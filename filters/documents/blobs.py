"""Files in base64 inside XML: pictures of flat documents, copies of shapes, data: URIs.

Each is found by the element or attribute that holds it, decoded strictly, and written back in lines as long as they were.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from filters.api import Budget, Malformed
from filters.documents.markup import Edit, Markup, tag_at

# local names of elements whose text is a file: ODF 1.3 part 3 10.4.5 and 19, WordprocessingML 2003, Flat OPC
_ELEMENTS: Final = (b"binary-data", b"binData", b"binaryData", b"docOleData", b"docSuppData")
_WORDS: Final = (*_ELEMENTS, b"gfxdata", b";base64,")
_OPEN: Final = re.compile(rb"<(?:[^\s/>=\"'<:]++:)?(?:binary-data|binData|binaryData|docOleData)(?=[\s/>])")
_GFX: Final = re.compile(rb"\s(?:[^\s/>=\"'<:]++:)?gfxdata\s*+=\s*+[\"']")
_URI: Final = re.compile(rb"[\"'(]\s{0,9}data:[A-Za-z0-9.+/_-]{0,100}(?:;[A-Za-z0-9=._-]{1,60}){0,4};base64,")
_BREAK: Final = re.compile(rb"&#(?:x0*(?:[aA]|[dD])|0*1[03]);|&#x?0*(?:9|20|32);")
_NEWLINE: Final = re.compile(rb"(?:\r\n|\n|\r|&#x0*[aAdD];(?:&#x0*[aA];)?|&#0*1[03];)[ \t]*")


@dataclass(frozen=True, slots=True)
class Blob:
    """A file inside the markup: ``start``..``end`` its base64.  ``shape``: a copy of a drawing that only Word's shapes have."""

    start: int
    end: int
    data: bytes = field(repr=False)
    shape: bool = False


def blobs(markup: Markup, budget: Budget) -> Iterator[Blob]:
    """Every file written in base64, in order of kinds.  Raises Malformed when one is damaged, TooBig."""
    text = markup.shadow
    if not any(word in text for word in _WORDS):
        return
    for found in _OPEN.finditer(text):
        tag = tag_at(text, found.start())
        end = text.find(b"<", tag.end)
        if not tag.empty and end > tag.end and not markup.text[tag.end : end].isspace():
            yield _blob(markup, tag.end, end, budget)
    for pattern, shape in ((_GFX, True), (_URI, False)):
        for found in pattern.finditer(text):
            end = _value_end(text, found)
            if end > found.end():
                yield _blob(markup, found.end(), end, budget, shape)


def _value_end(text: bytes, found: re.Match[bytes]) -> int:
    quote = found[0][-1:] if found[0][-1:] in (b'"', b"'") else found[0][:1]
    end = text.find(b")" if quote == b"(" else quote, found.end())
    if end < 0:
        raise Malformed("a value that does not end")
    return end


def _blob(markup: Markup, start: int, end: int, budget: Budget, shape: bool = False) -> Blob:
    text = markup.text[start:end]
    if text.startswith(b"<![CDATA[") or b"]]>" in text:
        text = text.replace(b"<![CDATA[", b"").replace(b"]]>", b"")
    if b"&" in text:
        text = _BREAK.sub(b"", text)
    dense = text.translate(None, b" \t\r\n")
    budget.grow(len(dense) // 4 * 3)
    try:
        data = binascii.a2b_base64(dense, strict_mode=True)
    except binascii.Error as error:
        raise Malformed("base64 in a document") from error
    return Blob(start, end, data, shape)


def edit(markup: Markup, blob: Blob, data: bytes) -> Edit:
    """``data`` in the place of the blob, in lines as before."""
    old = markup.text[blob.start : blob.end]
    plain = binascii.b2a_base64(data, newline=False)
    first = _NEWLINE.search(old.lstrip())
    if first is None:
        return Edit(blob.start, blob.end, plain)
    width = first.start() or 76
    lines = [plain[at : at + width] for at in range(0, len(plain), width)]
    return Edit(blob.start, blob.end, first[0].join([b"", *lines, b""]))
