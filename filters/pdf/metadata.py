"""What a document says about itself and its making, wherever it stands: the rows say which entries go, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pikepdf

from filters.api import Cleaning, Fate, Finding
from filters.pdf import reader
from filters.pdf.reader import Document, Id, Object

_DEPTH: Final = 12  # direct values inside one object

_MARKUP: Final = frozenset(
    (
        "Text", "FreeText", "Line", "Square", "Circle", "Polygon", "PolyLine", "Highlight", "Underline", "Squiggly", "StrikeOut",
        "Caret", "Stamp", "Ink", "Popup", "FileAttachment", "Sound", "Redact", "Projection",
    )
)  # fmt: skip


_INFO: Final = ("/Author", "/Creator", "/Producer", "/CreationDate", "/ModDate")


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of a dictionary that may have to go."""

    holder: Object
    key: str
    value: Object
    name: str  # of the holder's /Type
    subtype: str


def _any(place: Place) -> bool:
    return True


def _packet(place: Place) -> bool:
    """An XMP stream: by its own type, or under a holder that is no table of resources."""
    if not isinstance(place.value, pikepdf.Stream):
        return False
    named = reader.name(reader.entry(place.value, "/Type")) == "Metadata"
    return named or bool(place.name) or isinstance(place.holder, pikepdf.Stream)


def _preview(place: Place) -> bool:
    """An XMP packet with small views of the pages."""
    return _packet(place) and b"xmpGImg" in bytes(place.value.read_bytes())


def _private(place: Place) -> bool:
    return isinstance(place.value, pikepdf.Dictionary) and not isinstance(place.value, pikepdf.Stream)


def _page(place: Place) -> bool:
    """A page, a file of a collection or a folder of one: elsewhere the key may be the name of a picture."""
    return place.name in ("Page", "Folder") or any(reader.entry(place.holder, key) is not None for key in ("/MediaBox", "/EF"))


def _text(place: Place) -> bool:
    return isinstance(place.value, pikepdf.String) and len(bytes(place.value)) > 0


def _script(place: Place) -> bool:
    if isinstance(place.value, pikepdf.Stream):
        return True
    return _text(place)


def _markup(place: Place) -> bool:
    return place.subtype in _MARKUP and reader.entry(place.holder, "/Rect") is not None and _text(place)


def _filespec(place: Place) -> bool:
    return reader.entry(place.holder, "/EF") is not None and _text(place)


def _described(place: Place) -> bool:
    """Properties of a document that was merged in, or of an article: the words that /Info of a trailer has."""
    return _private(place) and any(reader.entry(place.value, key) is not None for key in _INFO)


def _catalog(place: Place) -> bool:
    return place.name == "Catalog"


@dataclass(frozen=True, slots=True)
class Row:
    """An entry that goes: when ``wanted`` and ``test`` say so.  ``put``: what stands in its place."""

    key: str
    code: str
    wanted: Callable[[Cleaning], bool]
    test: Callable[[Place], bool] = _any
    put: bytes | None = None


def _properties(cleaning: Cleaning) -> bool:
    return cleaning.properties


def _authors(cleaning: Cleaning) -> bool:
    return cleaning.authors


def _previews(cleaning: Cleaning) -> bool:
    return cleaning.previews


ROWS: Final = (
    Row("/Metadata", "pdf.xmp", _properties, _packet),
    Row("/Metadata", "pdf.thumbnail", lambda cleaning: cleaning.previews and not cleaning.properties, _preview),
    Row("/PieceInfo", "pdf.piece-info", _properties, _private),
    Row("/LastModified", "pdf.date", _properties, _text),
    Row("/Thumb", "pdf.thumbnail", _previews, _page),
    Row("/PTEX.FileName", "pdf.source-file", _properties),
    Row("/PTEX.InfoDict", "pdf.source-file", _properties),
    Row("/PTEX.PageNumber", "pdf.source-file", _properties),
    Row("/Info", "pdf.info", _properties, _described),
    Row("/I", "pdf.info", _properties, _described),
    Row("/CreatorInfo", "pdf.creator", _properties, _private),
    Row("/SpiderInfo", "pdf.web-capture", _properties, _catalog),
    Row("/JS", "pdf.javascript", _properties, _script, put=b""),
    Row("/T", "pdf.annotation-author", _authors, _markup),
    Row("/M", "pdf.annotation-author", _authors, _markup),
    Row("/CreationDate", "pdf.annotation-author", _authors, _markup),
    Row("/NM", "pdf.annotation-author", _authors, _markup),
    Row("/Desc", "pdf.attachment-properties", _properties, _filespec),
)
# Entries of the /Params of an embedded file (ISO 32000-2 table 45).
_PARAMS: Final = ("/CreationDate", "/ModDate", "/CheckSum", "/Mac")
_BY_KEY: Final[Mapping[str, tuple[Row, ...]]] = {row.key: tuple(one for one in ROWS if one.key == row.key) for row in ROWS}
_HINTS: Final = tuple(key.encode() + b" " for key in (*_BY_KEY, "/Params"))  # as qpdf writes an object's text


@dataclass(frozen=True, slots=True)
class Removal:
    """One entry to be removed from one object."""

    code: str
    ident: Id
    holder: Any
    key: str
    put: bytes | None

    @property
    def finding(self) -> Finding:
        return Finding(self.code, f"obj@{self.ident[0]}", Fate.REMOVED)

    def apply(self) -> None:
        if self.put is None:
            del self.holder[self.key]
        else:
            self.holder[self.key] = pikepdf.String(self.put.decode("ascii"))


def removals(document: Document, cleaning: Cleaning) -> Iterator[Removal]:
    """Every entry of every object that goes."""
    for ident in document.mentioning(*_HINTS):
        for holder in _holders(document.objects[ident]):
            yield from _entries(ident, holder, cleaning)


def _holders(one: Object) -> list[Object]:
    """The dictionary itself and those that stand directly inside it."""
    found: list[Object] = []
    waiting = [(one, 0)]
    while waiting:
        value, depth = waiting.pop()
        keyed = isinstance(value, pikepdf.Dictionary | pikepdf.Stream)
        if keyed:
            found.append(value)
        if depth >= _DEPTH:
            continue
        inner = list(value.values()) if keyed else list(value)
        for each in inner:
            nested = isinstance(each, pikepdf.Dictionary | pikepdf.Array) and not isinstance(each, pikepdf.Stream)
            if nested and not each.is_indirect:
                waiting.append((each, depth + 1))
    return found


def _entries(ident: Id, holder: Object, cleaning: Cleaning) -> Iterator[Removal]:
    kind, subtype = (reader.name(reader.entry(holder, key)) for key in ("/Type", "/Subtype"))
    for key in list(holder.keys()):
        for row in _BY_KEY.get(key, ()):
            place = Place(holder, key, holder[key], kind, subtype)
            if row.wanted(cleaning) and row.test(place) and not _same(place.value, row.put):
                yield Removal(row.code, ident, holder, key, row.put)
        if key == "/Params" and cleaning.properties and _file(holder, kind):
            parameters = holder[key]
            for name in _PARAMS:
                if reader.entry(parameters, name) is not None:
                    yield Removal("pdf.attachment-properties", ident, parameters, name, None)


def _file(holder: Object, kind: str) -> bool:
    """A stream of an embedded file; others have no /Params."""
    return isinstance(holder, pikepdf.Stream) and kind in ("", "EmbeddedFile")


def _same(value: Object, put: bytes | None) -> bool:
    return put is not None and isinstance(value, pikepdf.String) and bytes(value) == put


def info(document: Document) -> bool:
    """Whether the trailer has document properties."""
    properties = reader.entry(document.pdf.trailer, "/Info")
    if properties is None:
        return False
    return not isinstance(properties, pikepdf.Dictionary) or len(properties) > 0


def joined(document: Document) -> bool | None:
    """Whether the file identifier has two different halves: the first stays through all edits.  None when there is none."""
    halves = reader.entry(document.pdf.trailer, "/ID")
    if not isinstance(halves, pikepdf.Array) or len(halves) < 2:
        return None
    first, second = (bytes(one) if isinstance(one, pikepdf.String) else b"" for one in list(halves)[:2])
    return first != second
