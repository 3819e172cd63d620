"""Objects that are refused, and why (PS3.4 B.5, PS3.6 A.1)."""

from __future__ import annotations

from collections.abc import Mapping

from filters.api import Unsupported
from filters.dicom.element import find, text
from filters.dicom.file import File

_STORAGE = "1.2.840.10008.5.1.4.1.1"
_REFUSED: Mapping[str, str] = {
    "1.2.840.10008.1.3.10": "a directory of other files",
    _STORAGE + ".88.11": "a report in free text",
    _STORAGE + ".9.4.1": "a voice recording",
    _STORAGE + ".9.4.2": "a voice recording",
}
_DOCUMENT = _STORAGE + ".104."
_DIRECTORY, _ENCAPSULATED, _PROVIDER = 0x00041220, 0x00420011, 0x00287FE0
_OVERLAY_DATA, _OVERLAY_BIT = 0x3000, 0x0102


def check(seen: File) -> None:
    """Raises Unsupported for what cannot be cleaned and mean anything afterwards."""
    told = text(seen.elements, 0x00080016) or text(seen.meta, 0x00020002)
    if told in _REFUSED or find(seen.elements, _DIRECTORY) is not None:
        raise Unsupported(_REFUSED.get(told, "a directory of other files"))
    if told.startswith(_DOCUMENT) or find(seen.elements, _ENCAPSULATED) is not None:
        raise Unsupported("a document inside")
    if find(seen.elements, _PROVIDER) is not None:
        raise Unsupported("pixels that are kept elsewhere")
    _overlays(seen)


def _overlays(seen: File) -> None:
    """Overlays in unused bits of the pixels (retired, PS3.3 C.9.2) cannot go without touching the pixels."""
    for element in seen.elements:
        group = element.tag & 0xFFFF0000
        if group & 0xFF010000 != 0x60000000 or element.tag & 0xFFFF != _OVERLAY_BIT or element.items is not None:
            continue
        if element.number(seen.transfer.syntax.big) and find(seen.elements, group | _OVERLAY_DATA) is None:
            raise Unsupported("overlay inside the pixels")
