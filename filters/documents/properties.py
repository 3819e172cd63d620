"""The properties of OOXML documents (ISO 29500-2 clause 8, ISO 29500-1 22.2): emptied, but for what decides the layout.

Which program wrote a file stays, when it is one of a few: LibreOffice believes the heights of rows only of programs it knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from filters.documents.markup import Markup, element_end, tags

_CORE: Final = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)
_APP: Final = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
    b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">%b</Properties>'
)
_PROGRAMS: Final = {
    b"Application": re.compile(
        rb"Microsoft (?:Office |Macintosh )?(?:Word|Excel|PowerPoint|Visio)(?: Online)?|LibreOffice/[0-9.]{1,9}"
    ),
    b"AppVersion": re.compile(rb"[0-9]{1,2}\.[0-9]{1,5}"),
}
_MOST: Final = 8  # children; with more of them a part is surely not clean


def _children(text: Markup) -> list[tuple[bytes, bytes]] | None:
    """(local name, text) of the children of the root; None when the part holds anything else."""
    stream = (tag for tag in tags(text.shadow) if not tag.name.startswith(b"?"))
    found: list[tuple[bytes, bytes]] = []
    root = next(stream, None)
    if root is None or root.empty:
        return None if root is None or text.text[root.end :].strip() else found
    at = root.end
    while (tag := next(stream, None)) is not None and not text.text[at : tag.start].strip() and len(found) < _MOST:
        if tag.closing:
            return None if text.text[tag.end :].strip() else found
        close, at = element_end(text.shadow, tag)
        if b"<" in text.text[tag.end : close]:
            return None
        found.append((tag.name.rpartition(b":")[2], text.text[tag.end : close]))
        if not tag.empty:
            next(stream, None)  # its end tag
    return None


def core(text: Markup) -> bytes | None:
    """The part with nothing in it; None when it is so already."""
    return None if _children(text) == [] else _CORE


def extended(text: Markup) -> bytes | None:
    """The part with nothing but the program in it; None when it is so already."""
    children = _children(text)
    if children is not None and all(_allowed(*child) for child in children):
        return None
    return _APP % b"".join(b"<%b>%b</%b>" % (name, value, name) for name, value in _programs(text))


def _allowed(name: bytes, value: bytes) -> bool:
    return name in _PROGRAMS and _PROGRAMS[name].fullmatch(value) is not None


def _programs(text: Markup) -> list[tuple[bytes, bytes]]:
    found: dict[bytes, bytes] = {}
    for tag in tags(text.shadow):
        name = tag.name.rpartition(b":")[2]
        if name in _PROGRAMS and not tag.closing and (match := _PROGRAMS[name].match(text.text, tag.end)):
            found.setdefault(name, match[0])
    return list(found.items())


# how the part's name begins, kind of relationship, its root element, what becomes of it; the first that fits
PARTS: Final[tuple[tuple[str, str, str, Callable[[Markup], bytes | None]], ...]] = (
    ("docprops/core", "core-properties", "coreproperties", core),
    ("docprops/app", "extended-properties", "properties", extended),
)
