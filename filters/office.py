"""Which kind of package a ZIP archive is, by the names of its members and a stored ``mimetype`` (ISO 29500-2, ODF 1.3 part 2)."""

from __future__ import annotations

from itertools import islice

from filters import sealed

_FOLDERS = ((b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx"), (b"visio/", "vsdx"))
_NAMES = ((b"FixedDocSeq.fdseq", "xps"), (b"FixedDocumentSequence.fdseq", "xps"), (b"META-INF/MANIFEST.MF", "jar"))
_MIMETYPES = (
    (b"application/vnd.oasis.opendocument.text", "odt"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "ods"),
    (b"application/vnd.oasis.opendocument.presentation", "odp"),
    (b"application/vnd.oasis.opendocument.graphics", "odg"),
    (b"application/epub+zip", "epub"),
)


def zip_kind(data: bytes) -> str:
    """docx, xlsx, pptx, odt, ods, odp, odg, epub, xps, jar, ooxml or plain zip."""
    if data[30:38] == b"mimetype":
        return next((name for word, name in _MIMETYPES if data.startswith(word, 38)), "zip")
    names = [name for name, *_ in islice(sealed.members(data), 500)]
    for prefix, kind in _FOLDERS:
        if any(name.startswith(prefix) for name in names):
            return kind
    for whole, kind in _NAMES:
        if whole in names:
            return kind
    return "ooxml" if b"[Content_Types].xml" in names else "zip"
