"""Fields of Word documents that show a property (ISO 29500-1 17.16): locked, so that they go on showing what they show.

Word and LibreOffice bring fields of headers up to date when they open a document, and would show the emptied property.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from filters.api import Budget
from filters.documents.markup import Edit, Markup, Spaces, Tag, attributes, prefixes
from filters.documents.rules import hits

_SHOWS: Final = re.compile(
    rb"(?i)\s*(?:TITLE|SUBJECT|AUTHOR|KEYWORDS|COMMENTS|LASTSAVEDBY|CREATEDATE|SAVEDATE|PRINTDATE|REVNUM|EDITTIME|TEMPLATE|INFO"
    rb"|DOCPROPERTY|DOCVARIABLE)\b"
)
_INSTRUCTION: Final = 400  # characters of an instruction that are read
_DEEPEST: Final = 20  # fields inside fields


def locks(markup: Markup, spaces: Spaces, budget: Budget) -> Iterator[Edit]:
    """The edits that lock every field showing a property and not locked yet."""
    for prefix in prefixes(markup, {"w": spaces["w"]}).get("w", ()):
        names = rb"(?:fldSimple|fldChar|instrText)"
        pattern = re.compile(rb"<" + re.escape(prefix) + names + rb"(?=[\s/>])")
        yield from _locks(markup, prefix, pattern, budget)


def _locks(markup: Markup, prefix: bytes, pattern: re.Pattern[bytes], budget: Budget) -> Iterator[Edit]:
    open_fields: list[tuple[Tag, bytes]] = []  # the tags where fields begin, and their instructions so far
    for tag in hits(markup.shadow, pattern, budget):
        local = tag.name[len(prefix) :]
        values = {one.name[len(prefix) :]: markup.text[one.value : one.close] for one in attributes(markup.shadow, tag)}
        kind = values.get(b"fldCharType")
        if local == b"fldSimple":
            if _SHOWS.match(values.get(b"instr", b"")):
                yield from _lock(tag, prefix, values)
        elif local == b"instrText" and open_fields:
            start, text = open_fields[-1]
            words = markup.text[tag.end : max(tag.end, markup.shadow.find(b"<", tag.end))]
            open_fields[-1] = (start, (text + words)[:_INSTRUCTION])
        elif kind == b"begin" and len(open_fields) < _DEEPEST:
            open_fields.append((tag, b""))
        elif kind in (b"separate", b"end") and open_fields:
            start, text = open_fields[-1]
            if _SHOWS.match(text):
                known = {one.name[len(prefix) :]: markup.text[one.value : one.close] for one in attributes(markup.shadow, start)}
                yield from _lock(start, prefix, known)
            open_fields[-1] = (start, b"")
            if kind == b"end":
                open_fields.pop()


def _lock(tag: Tag, prefix: bytes, values: dict[bytes, bytes]) -> Iterator[Edit]:
    if b"fldLock" not in values:
        at = tag.start + 1 + len(tag.name)
        yield Edit(at, at, b" " + prefix + b'fldLock="true"')
