"""What a cleaned file says about itself: only what was done (PS3.15 E.1.1, PS3.3 C.7.1.1, C.12.1); its header (PS3.10 7.1)."""

from __future__ import annotations

from collections.abc import Sequence

from filters.dicom import uids, writer
from filters.dicom.element import EXPLICIT, Element, Item, Syntax, text
from filters.dicom.profile import FULL_DATES, MODIFIED_DATES, OPTIONS

METHOD = "Clinigate PS3.15 E.1"
_REMOVED, _METHOD, _CODES, _TIME = 0x00120062, 0x00120063, 0x00120064, 0x00280303
TAGS = frozenset((_REMOVED, _METHOD, _CODES, _TIME))
_BASIC, _STRUCTURED = 113100, 113104
_MEANINGS = {
    _BASIC: "Basic Application Confidentiality Profile", _STRUCTURED: "Clean Structured Content Option", **OPTIONS,
}  # fmt: skip
_CLASS_UID = "2.25.67158630336384971146087767736798804511"  # ImplementationClassUID of Clinigate
_VERSION_NAME = "CLINIGATE"


def seal(elements: Sequence[Element]) -> str:
    """The seal over moved dates that the file has, "" when it has none."""
    method, _, told = text(elements, _METHOD).partition("\\")
    return told if method == METHOD else ""


def elements(options: frozenset[int], sealed: str, syntax: Syntax, *, structured: bool) -> list[Element]:
    """The four elements that say what was done."""
    codes = [_BASIC, *([_STRUCTURED] if structured else []), *sorted(options)]
    time = "UNMODIFIED" if FULL_DATES in options else "MODIFIED" if MODIFIED_DATES in options else "REMOVED"
    return [
        _text(_REMOVED, "CS", "YES", syntax),
        _text(_METHOD, "LO", METHOD + ("\\" + sealed if sealed else ""), syntax),
        Element(_CODES, "SQ", 0, items=[_code(code, syntax) for code in codes], syntax=syntax),
        _text(_TIME, "CS", time, syntax),
    ]


def header(meta: Sequence[Element], data_set: Sequence[Element], transfer: str) -> bytes:
    """Preamble, magic and the file meta information with nothing but what must be there."""
    group = [
        Element(0x00020001, "OB", 0, b"\0\1"),
        *_told(0x00020002, text(data_set, 0x00080016) or _standard(text(meta, 0x00020002))),
        *_told(0x00020003, text(data_set, 0x00080018)),
        *_told(0x00020010, transfer),
        *_told(0x00020012, _CLASS_UID),
        _text(0x00020013, "SH", _VERSION_NAME, EXPLICIT),
    ]
    body = b"".join(writer.write(group, EXPLICIT))
    length = Element(0x00020000, "UL", 0, len(body).to_bytes(4, "little"))
    return bytes(128) + b"DICM" + b"".join(writer.write([length], EXPLICIT)) + body


def _standard(uid: str) -> str:
    return uid if uids.standard(uid) or uids.makers(uid) else ""


def _told(tag: int, uid: str) -> list[Element]:
    return [Element(tag, "UI", 0, uid.encode("ascii", "replace"))] if uid else []


def _text(tag: int, vr: str, value: str, syntax: Syntax) -> Element:
    return Element(tag, vr, 0, value.encode("ascii"), syntax=syntax)


def _code(code: int, syntax: Syntax) -> Item:
    texts = ((0x00080100, "SH", str(code)), (0x00080102, "SH", "DCM"), (0x00080104, "LO", _MEANINGS[code]))
    return Item([_text(tag, vr, value, syntax) for tag, vr, value in texts], undefined=False)


def standing(before: Sequence[Element], after: Sequence[Element]) -> bool:
    """The file said before what it says now."""
    old, new = ([element for element in each if element.tag in TAGS] for each in (before, after))
    return b"".join(writer.write(old, EXPLICIT)) == b"".join(writer.write(new, EXPLICIT))
