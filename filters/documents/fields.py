"""Fields of Word documents that show a property (ISO 29500-1 17.16): what they show becomes ordinary text.

Word and LibreOffice bring such fields up to date when they open a document, and would show the emptied property.  A field inside
another field's instruction is only locked: its result is no text of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from filters.api import Budget
from filters.documents.markup import Edit, Markup, Spaces, Tag, attributes, element_end, prefixes, tag_at
from filters.documents.rules import hits

_SHOWS: Final = re.compile(
    rb"(?i)\s*(?:TITLE|SUBJECT|AUTHOR|KEYWORDS|COMMENTS|LASTSAVEDBY|CREATEDATE|SAVEDATE|PRINTDATE|REVNUM|EDITTIME|TEMPLATE|INFO"
    rb"|DOCPROPERTY|DOCVARIABLE)\b"
)
_INSTRUCTION: Final = 400  # characters of an instruction that are read
_DEEPEST: Final = 20  # fields inside fields


@dataclass(slots=True)
class _Field:
    """A field that began: its first tag, its instruction so far, and the elements that make it a field."""

    start: Tag
    instruction: bytes = field(default=b"", repr=False)
    pieces: list[Edit] = field(default_factory=list, repr=False)


def freed(markup: Markup, spaces: Spaces, budget: Budget) -> Iterator[Edit]:
    """The edits after which no field shows a property.  Raises Malformed."""
    for prefix in prefixes(markup, {"w": spaces["w"]}).get("w", ()):
        pattern = re.compile(rb"<" + re.escape(prefix) + rb"(?:fldSimple|fldChar|instrText)(?=[\s/>])")
        yield from _freed(markup, prefix, pattern, budget)


def _freed(markup: Markup, prefix: bytes, pattern: re.Pattern[bytes], budget: Budget) -> Iterator[Edit]:
    running: list[_Field] = []
    for tag in hits(markup.shadow, pattern, budget):
        values = _values(markup, tag, prefix)
        kind = values.get(b"fldCharType")
        if tag.name == prefix + b"fldSimple":
            if _SHOWS.match(values.get(b"instr", b"")):
                yield from _simple(markup, prefix, tag, values)
            continue
        if kind == b"begin" and len(running) < _DEEPEST:
            running.append(_Field(tag))
        if not running:
            continue
        close, end = element_end(markup.shadow, tag)
        running[-1].pieces.append(Edit(tag.start, end, b""))
        if kind is None:
            running[-1].instruction = (running[-1].instruction + markup.text[tag.end : close])[:_INSTRUCTION]
        elif kind == b"end":
            yield from _complex(markup, prefix, running.pop(), inner=bool(running))


def _values(markup: Markup, tag: Tag, prefix: bytes) -> dict[bytes, bytes]:
    return {one.name.removeprefix(prefix): markup.text[one.value : one.close] for one in attributes(markup.shadow, tag)}


def _simple(markup: Markup, prefix: bytes, tag: Tag, values: dict[bytes, bytes]) -> Iterator[Edit]:
    """The element goes, its runs stay; one that holds another of its kind is only locked."""
    found = re.compile(rb"<(/?)" + re.escape(tag.name) + rb"(?=[\s/>])").search(markup.shadow, tag.end)
    if tag.empty or found is None or not found[1]:
        yield from _lock(tag, prefix, values)
    else:
        yield Edit(tag.start, tag.end, b"")
        yield Edit(found.start(), tag_at(markup.shadow, found.start()).end, b"")


def _complex(markup: Markup, prefix: bytes, one: _Field, inner: bool) -> Iterator[Edit]:
    if not _SHOWS.match(one.instruction):
        return
    if inner:
        yield from _lock(one.start, prefix, _values(markup, one.start, prefix))
    else:
        yield from one.pieces


def _lock(tag: Tag, prefix: bytes, values: dict[bytes, bytes]) -> Iterator[Edit]:
    if b"fldLock" not in values:
        at = tag.start + 1 + len(tag.name)
        yield Edit(at, at, b" " + prefix + b'fldLock="true"')
