"""Documents written as one XML file: flat OpenDocument, Word and Excel 2003 XML, flat OPC.  Pictures stand in them in base64."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from filters.api import STRICT, Budget, Cleaning, Fate, Finding, Malformed, Member, Seen
from filters.documents import blobs, markup, names, odfrules, ooxmlrules, previews, rules
from filters.documents.markup import Edit, Markup, Spaces
from filters.documents.package import hidden, placed, worth
from filters.documents.rules import Element, On, Rule, constant, gone

_MS: Final = "http://schemas.microsoft.com/"
_OPEN: Final = "http://schemas.openxmlformats.org/"
_CUSTOM: Final = f"{_OPEN}officeDocument/2006/relationships/customXml".encode()
_THUMBNAIL: Final = f"{_OPEN}package/2006/relationships/metadata/thumbnail".encode()
_SPACES: Final[Spaces] = {
    **ooxmlrules.SPACES,
    **odfrules.SPACES,
    "w3": frozenset((f"{_MS}office/word/2003/wordml",)),
    "wsp": frozenset((f"{_MS}office/word/2003/wordml/sp2",)),
    "aml": frozenset((f"{_MS}aml/2001/core",)),
    "ss": frozenset(("urn:schemas-microsoft-com:office:spreadsheet",)),
    "xl": frozenset(("urn:schemas-microsoft-com:office:excel",)),
    "pkg": frozenset((f"{_MS}office/2006/xmlPackage",)),
    "rels": frozenset((f"{_OPEN}package/2006/relationships",)),
    "core": frozenset((f"{_OPEN}package/2006/metadata/core-properties",)),
    "app": frozenset((f"{_OPEN}officeDocument/2006/extended-properties", f"{_OPEN}officeDocument/2006/custom-properties")),
}
_RSIDS: Final = ("rsidR", "rsidRPr", "rsidDel", "rsidP", "rsidRDefault", "rsidSect", "rsidTr")


def _template(old: bytes) -> bytes | None:
    return b"" if names.filed(old) else old


_AUTHORS: Final[tuple[Rule, ...]] = (
    On("ooxml.authors", "aml", ("author",), constant(b"Author")),
    On("ooxml.authors", "aml", ("createdate",), gone),
    On("ooxml.authors", "w3", ("initials",), constant(b"A")),
    On("ooxml.authors", "ss", ("Author",), constant(b"Author")),
    Element("ooxml.authors", "w15", ("people",), b""),
)
_REVISIONS: Final[tuple[Rule, ...]] = (
    On("ooxml.revisions", "wsp", _RSIDS),
    Element("ooxml.revisions", "wsp", ("rsids", "rsid", "rsidRoot")),
    Element("ooxml.revisions", "w3", ("rsids", "rsid", "rsidRoot")),
)
_PROPERTIES: Final[tuple[Rule, ...]] = (
    Element("ooxml.properties", "o", ("DocumentProperties", "CustomDocumentProperties")),
    Element("ooxml.properties", "core", ("coreProperties",), b""),
    Element("ooxml.properties", "app", ("Properties",), b""),
    Element("odf.properties", "office", ("meta",), b""),
    Element("ooxml.properties", "w3", ("docVars",)),
    On("ooxml.local-path", "w3", ("val",), _template, names=("attachedTemplate",), attribute_space="w3"),
    On("ooxml.local-path", "ss", ("HRef",), names.unfiled),
    Element("ooxml.printer", "xl", ("PrinterName", "DeviceName")),
    Element("ooxml.custom-data", "pkg", ("part",), having=(b"name", b"/customXml/")),
    Element("ooxml.custom-data", "rels", ("Relationship",), having=(b"Type", _CUSTOM)),
)
_PREVIEWS: Final[tuple[Rule, ...]] = (
    Element("ooxml.thumbnail", "pkg", ("part",), having=(b"name", b"/docProps/thumbnail")),
    Element("ooxml.thumbnail", "rels", ("Relationship",), having=(b"Type", _THUMBNAIL)),
)


class Flat:
    """The opener for documents in one XML file."""

    name = "office-xml"
    native = False
    rebuilds = True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Pictures, embedded files and what a rebuild removes.  Raises FilterError."""
        text = markup.read(data)
        edits = _edits(text, budget, cleaning)
        for code in dict.fromkeys(code for code, _ in edits):
            yield Finding(code, "document", Fate.REMOVED)
        found = list(blobs.blobs(text, budget))
        thumbnails = [edit for code, edit in edits if code == "ooxml.thumbnail"]
        for number, blob in enumerate(found):
            if worth(blob) and not (_within(blob, thumbnails) and previews.plain(blob.data)):
                budget.member()
                yield Member(f"blob@{number}", blob.data, inline=True)
        yield from hidden(text, found)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The document with these members, cleaned.  Raises FilterError."""
        text = markup.read(data)
        edits = [edit for _, edit in _edits(text, budget, cleaning)]
        if changes:
            edits += placed(text, {_number(key): new for key, new in changes.items()}, budget)
        return text.apply(edits) if edits else data


def _edits(text: Markup, budget: Budget, cleaning: Cleaning) -> list[tuple[str, Edit]]:
    table: tuple[Rule, ...] = (
        *(_AUTHORS if cleaning.authors else ()),
        *(_REVISIONS if cleaning.revisions else ()),
        *(_PROPERTIES if cleaning.properties else ()),
        *(_PREVIEWS if cleaning.previews else ()),
        *ooxmlrules.rules(cleaning),
        *odfrules.rules(cleaning, fields=False),
    )
    found = rules.edits(text, table, _SPACES, budget)
    if any(code == "odf.properties" for code, _ in found):
        found = rules.edits(text, (*table, *odfrules.FIXED), _SPACES, budget)
    return found


def _within(blob: blobs.Blob, edits: list[Edit]) -> bool:
    return any(edit.start <= blob.start and blob.end <= edit.end for edit in edits)


def _number(key: str) -> int:
    number = key.removeprefix("blob@")
    if not number.isdecimal():
        raise Malformed("no such member")
    return int(number)


FLAT = Flat()
