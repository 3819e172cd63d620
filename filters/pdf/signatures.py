"""Digital signatures, certification and usage rights (ISO 32000-2, 12.8): any change of the bytes breaks them."""

from __future__ import annotations

import pikepdf

from filters.pdf import reader
from filters.pdf.reader import Document, Object


def signed(document: Document) -> bool:
    """Whether the document, as it stands, refers to a signature that is filled in."""
    candidates = document.mentioning(b"/ByteRange ")
    return bool(candidates) and any(ident in document.reachable() and _filled(document.objects[ident]) for ident in candidates)


def _filled(one: Object) -> bool:
    """A signature dictionary, also where it stands directly in a field or in /Perms."""
    waiting = [(one, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, pikepdf.Stream) or not isinstance(value, pikepdf.Dictionary):
            continue
        if isinstance(reader.entry(value, "/ByteRange"), pikepdf.Array):
            return True
        if depth < 4:
            waiting += [(each, depth + 1) for each in value.values() if not getattr(each, "is_indirect", True)]
    return False
