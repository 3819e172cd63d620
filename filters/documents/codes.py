"""What the readers of office documents report, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

HEADER_FOOTER: Final = "document.header-footer"
CROPPED: Final = "document.cropped"

CODES: Final[Mapping[str, str]] = {
    HEADER_FOOTER: "The picture stands only in headers, footers, slide masters or layouts.",
    CROPPED: "A part of the picture is cut off on the page and still stands in the file.",
    "ooxml.authors": "Names, initials or times of people who commented on or changed the document.",
    "ooxml.binary-part": "A binary part that can hold names and cannot be cleaned.",
    "ooxml.cropped-picture": "A picture whose cut-off parts still stand in the file.",
    "ooxml.custom-data": "Data of other programs beside the document (custom XML).",
    "ooxml.data-connection": "The document names a source of data outside it.",
    "ooxml.hidden-picture": "The bytes of a picture or document stand where no program shows them.",
    "ooxml.local-path": "A link or template names a folder of somebody's computer.",
    "ooxml.original": "The original of a picture that is shown with an artistic effect.",
    "ooxml.picture-name": "The name under which a picture was filed before it came into the document.",
    "ooxml.printer": "Settings of a printer, with its name.",
    "ooxml.properties": "Title, author, company, dates and other properties of the document.",
    "ooxml.revisions": "Marks of editing sessions.",
    "ooxml.signed": "The document is digitally signed; any change breaks the signature.",
    "ooxml.thumbnail": "A small picture of the whole document.",
    "odf.authors": "Names, initials or times of people who commented on or changed the document.",
    "odf.cropped-picture": "A picture whose cut-off parts still stand in the file.",
    "odf.local-path": "A link names a folder of somebody's computer.",
    "odf.picture-name": "The name under which a picture was filed before it came into the document.",
    "odf.printer": "The name or the settings of a printer.",
    "odf.properties": "Title, author, dates, statistics and other properties of the document.",
    "odf.revisions": "Marks of editing sessions.",
    "odf.signed": "The document is digitally signed; any change breaks the signature.",
    "odf.thumbnail": "A small picture of the whole document.",
    "odf.versions": "Earlier versions of the document.",
}
