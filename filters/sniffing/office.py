"""Which kind of package a ZIP archive is, by the names of its members and its ``mimetype`` (ISO 29500-2, ODF 1.3 part 2)."""

from __future__ import annotations

import struct
import zlib
from itertools import islice

from filters.sniffing import sealed

_FOLDERS = (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx"), ("visio/", "vsdx"))
_NAMES = (("fixeddocseq.fdseq", "xps"), ("fixeddocumentsequence.fdseq", "xps"), ("meta-inf/manifest.mf", "jar"))
_MIMETYPES = (
    (b"application/vnd.oasis.opendocument.text", "odt"),
    (b"application/vnd.oasis.opendocument.formula", "odt"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "ods"),
    (b"application/vnd.oasis.opendocument.chart", "ods"),
    (b"application/vnd.oasis.opendocument.presentation", "odp"),
    (b"application/vnd.oasis.opendocument.graphics", "odg"),
    (b"application/vnd.oasis.opendocument.image", "odg"),
    (b"application/vnd.sun.xml.writer", "odt"),  # OpenOffice 1: the same packages under older names
    (b"application/vnd.sun.xml.calc", "ods"),
    (b"application/vnd.sun.xml.impress", "odp"),
    (b"application/vnd.sun.xml.draw", "odg"),
    (b"application/epub+zip", "epub"),
)
_TYPES_PART, _MANIFEST = "[content_types].xml", "meta-inf/manifest.xml"
_MOST = 2000  # members looked at


def zip_kind(data: bytes) -> str:
    """docx, xlsx, pptx, vsdx, odt, ods, odp, odg, epub, xps, jar, ooxml or plain zip.

    Macro-enabled files, templates and binary workbooks are of the kind they extend.
    """
    if data[30:38] == b"mimetype":
        return _by_mimetype(_beginning(data, 0))
    places = {_name(raw): at for raw, _flags, _method, at in islice(sealed.members(data), _MOST)}
    if _TYPES_PART in places:
        kind = next((kind for folder, kind in _FOLDERS if any(name.startswith(folder) for name in places)), None)
        return kind or next((kind for name, kind in _NAMES if name in places), "ooxml")
    if "mimetype" in places and (_MANIFEST in places or "meta-inf/container.xml" in places):
        return _by_mimetype(_beginning(data, places["mimetype"]))
    if _MANIFEST in places and "content.xml" in places:
        return "odt"
    return next((kind for name, kind in _NAMES if name in places), "zip")


def _by_mimetype(content: bytes) -> str:
    return next((name for word, name in _MIMETYPES if content.startswith(word)), "zip")


def _name(raw: bytes) -> str:
    return raw.decode("latin-1").replace("\\", "/").lstrip("/").lower()


def _beginning(data: bytes, at: int) -> bytes:
    """The first bytes of the member whose local header stands at ``at``."""
    if at + 30 > len(data):
        return b""
    method, name, extra = struct.unpack_from("<8xH16xHH", data, at)
    start = at + 30 + name + extra
    if method == 0:
        return data[start : start + 100]
    try:
        return zlib.decompressobj(-15).decompress(data[start : start + 200], 100) if method == 8 else b""
    except zlib.error:
        return b""
