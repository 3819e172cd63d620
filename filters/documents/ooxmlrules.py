"""What goes from the XML of OOXML packages (ISO 29500, MS-DOCX, MS-XLSX, MS-PPTX), by what a policy may choose."""

from __future__ import annotations

from typing import Final

from filters.api import Cleaning
from filters.documents.markup import Spaces
from filters.documents.names import unfiled, unnamed, unpathed
from filters.documents.rules import Element, On, Rule, constant

_STRICT: Final = "http://purl.oclc.org/ooxml/"
_OPEN: Final = "http://schemas.openxmlformats.org/"
_MS: Final = "http://schemas.microsoft.com/office/"


def _both(name: str) -> frozenset[str]:
    return frozenset((f"{_OPEN}{name}/2006/main", f"{_STRICT}{name}/main"))


SPACES: Final[Spaces] = {
    "w": _both("wordprocessingml"),
    "x": _both("spreadsheetml"),
    "p": _both("presentationml"),
    "r": frozenset((f"{_OPEN}officeDocument/2006/relationships", f"{_STRICT}officeDocument/relationships")),
    "wp": frozenset((f"{_OPEN}drawingml/2006/wordprocessingDrawing", f"{_STRICT}drawingml/wordprocessingDrawing")),
    "xdr": frozenset((f"{_OPEN}drawingml/2006/spreadsheetDrawing", f"{_STRICT}drawingml/spreadsheetDrawing")),
    "pic": frozenset((f"{_OPEN}drawingml/2006/picture", f"{_STRICT}drawingml/picture")),
    "a": _both("drawingml"),
    "drawing": frozenset(
        (
            f"{_MS}word/2010/wordprocessingShape",
            f"{_MS}word/2010/wordprocessingGroup",
            f"{_MS}word/2010/wordprocessingCanvas",
            f"{_MS}drawing/2008/diagram",
            f"{_OPEN}drawingml/2006/chartDrawing",
            f"{_OPEN}drawingml/2006/lockedCanvas",
            f"{_OPEN}drawingml/2006/diagram",
        )
    ),
    "w14": frozenset((f"{_MS}word/2010/wordml",)),
    "w15": frozenset((f"{_MS}word/2012/wordml",)),
    "w16": frozenset((f"{_MS}word/2018/wordml/cex", f"{_MS}word/2023/wordml/word16du")),
    "x15ac": frozenset((f"{_MS}spreadsheetml/2010/11/ac", f"{_MS}spreadsheet/2010/11/ac")),
    "xr": frozenset((f"{_MS}spreadsheetml/2014/revision", f"{_MS}spreadsheet/2014/revision")),
    "threads": frozenset((f"{_MS}spreadsheetml/2018/threadedcomments",)),
    "p15": frozenset((f"{_MS}powerpoint/2012/main",)),
    "p188": frozenset((f"{_MS}powerpoint/2018/8/main",)),
    "v": frozenset(("urn:schemas-microsoft-com:vml",)),
    "o": frozenset(("urn:schemas-microsoft-com:office:office",)),
}

_AUTHOR, _INITIAL, _LONG_AGO = constant(b"Author"), constant(b"A"), constant(b"1980-01-01T00:00:00Z")

_AUTHORS: Final[tuple[Rule, ...]] = (
    On("ooxml.authors", "w", ("author", "ed"), _AUTHOR),
    On("ooxml.authors", "w", ("initials",), _INITIAL),
    On("ooxml.authors", "w", ("date",)),
    On("ooxml.authors", "w16", ("dateUtc",)),
    Element("ooxml.authors", "x", ("author",), b"Author"),
    On("ooxml.authors", "x", ("userName",), names=("fileSharing",)),
    On("ooxml.authors", "x", ("refreshedBy", "refreshedDate", "refreshedDateIso"), names=("pivotCacheDefinition",)),
    On("ooxml.authors", "x", ("userName",), _AUTHOR, names=("header",)),
    On("ooxml.authors", "x", ("dateTime",), _LONG_AGO, names=("header", "userInfo")),
    On("ooxml.authors", "x", ("name",), _AUTHOR, names=("userInfo",)),
    On("ooxml.authors", "x", ("author",), _AUTHOR, names=("rcmt",)),
    On("ooxml.authors", "x", ("user",), _AUTHOR, names=("scenario",)),
    On("ooxml.authors", "threads", ("displayName",), _AUTHOR, names=("person",)),
    On("ooxml.authors", "threads", ("userId",), constant(b""), names=("person",)),
    On("ooxml.authors", "threads", ("providerId",), constant(b"None"), names=("person",)),
    On("ooxml.authors", "threads", ("dT",), names=("threadedComment",)),
    On("ooxml.authors", "p", ("name",), _AUTHOR, names=("cmAuthor",)),
    On("ooxml.authors", "p", ("initials",), _INITIAL, names=("cmAuthor",)),
    On("ooxml.authors", "p", ("dt",), names=("cm",)),
    On("ooxml.authors", "p15", ("userId",), _AUTHOR, names=("presenceInfo",)),
    On("ooxml.authors", "p15", ("providerId",), constant(b"None"), names=("presenceInfo",)),
    On("ooxml.authors", "p188", ("name", "userId"), _AUTHOR, names=("author",)),
    On("ooxml.authors", "p188", ("initials",), _INITIAL, names=("author",)),
    On("ooxml.authors", "p188", ("providerId",), constant(b"None"), names=("author",)),
    On("ooxml.authors", "p188", ("created",), _LONG_AGO, names=("cm", "reply")),
)
_REVISIONS: Final[tuple[Rule, ...]] = (
    On("ooxml.revisions", "w", ("rsidR", "rsidRPr", "rsidDel", "rsidP", "rsidRDefault", "rsidSect", "rsidTr")),
    Element("ooxml.revisions", "w", ("rsids", "rsid", "rsidRoot")),
    Element("ooxml.revisions", "w14", ("docId",)),
    Element("ooxml.revisions", "w15", ("docId",)),
    Element("ooxml.revisions", "xr", ("revisionPtr",)),
)
_PROPERTIES: Final[tuple[Rule, ...]] = (
    Element("ooxml.properties", "w", ("docVars",)),
    Element("ooxml.custom-data", "w", ("dataBinding",)),
    Element("ooxml.custom-data", "w15", ("dataBinding",)),
    Element("ooxml.custom-data", "p", ("custData",)),
    Element("ooxml.local-path", "x15ac", ("absPath",)),
    Element("ooxml.local-path", "w", ("instrText", "delInstrText"), value=unpathed),
    On("ooxml.local-path", "w", ("instr",), unpathed, names=("fldSimple",), attribute_space="w"),
    Element("ooxml.printer", "w", ("printerSettings",)),
    On("ooxml.printer", "x", ("id",), names=("pageSetup",), attribute_space="r"),
    On("ooxml.picture-name", "wp", ("name",), unnamed, names=("docPr",)),
    On("ooxml.picture-name", "wp", ("descr", "title"), unfiled, names=("docPr",)),
    *[
        rule
        for space in ("wp", "pic", "a", "xdr", "p", "drawing")
        for rule in (
            On("ooxml.picture-name", space, ("name",), unnamed, names=("cNvPr",)),
            On("ooxml.picture-name", space, ("descr", "title"), unfiled, names=("cNvPr",)),
        )
    ],
    On("ooxml.picture-name", "v", ("title",), constant(b""), names=("imagedata", "fill", "stroke"), attribute_space="o"),
    On("ooxml.picture-name", "v", ("alt", "title"), unfiled, names=("shape", "rect", "roundrect", "oval", "image", "group")),
    On("ooxml.local-path", "v", ("href", "althref"), unfiled, names=("imagedata", "fill"), attribute_space="o"),
    On("ooxml.local-path", "v", ("src",), unfiled, names=("imagedata", "fill", "image")),
)
# A picture with an artistic effect keeps its original beside it (MS-ODRAWXML 2.2.2): no program shows that one.
_ORIGINAL: Final = (b"uri", b"{BEBA8EAE-BF5A-486C-A8C5-ECC9F3942E4B}")
_PREVIEWS: Final[tuple[Rule, ...]] = (Element("ooxml.original", "a", ("ext",), having=_ORIGINAL),)
_SHEET: Final[tuple[Rule, ...]] = (On("ooxml.printer", "x", ("id",), names=("pageSetup",), attribute_space="r"),)


def rules(cleaning: Cleaning) -> tuple[Rule, ...]:
    """The rules for every part but the cells of spreadsheets."""
    return (
        *(_AUTHORS if cleaning.authors else ()),
        *(_REVISIONS if cleaning.revisions else ()),
        *(_PROPERTIES if cleaning.properties else ()),
        *(_PREVIEWS if cleaning.previews else ()),
    )


def sheet_rules(cleaning: Cleaning) -> tuple[Rule, ...]:
    """The rules for the cells of spreadsheets, which are long."""
    return _SHEET if cleaning.properties else ()
