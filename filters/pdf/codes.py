"""What is found in a PDF beside its pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, str]] = {
    "pdf.annotation-author": "Names and dates of those who wrote comments.",
    "pdf.attachment-properties": "Dates, checksums or descriptions of attached files.",
    "pdf.comment": "Comments or other bytes between the objects, which no reader shows.",
    "pdf.creator": "The name of the program that made a layer.",
    "pdf.date": "The date of the last change of a page or object.",
    "pdf.earlier-revision": "An earlier state of the document stands in the file.",
    "pdf.earlier-unreadable": "An earlier state of the document could not be looked into.",
    "pdf.encrypted": "The file is encrypted but opens without a password; the permissions set by its author stay.",
    "pdf.full-page": "The picture covers a whole page, as a scan does.",
    "pdf.hidden-image": "A picture stands where no reader of PDF looks for one.",
    "pdf.hidden-stream": "Data stand in the file that the document does not refer to.",
    "pdf.id": "An identifier that joins the document to its earlier states.",
    "pdf.info": "Document properties: title, author, programs, dates.",
    "pdf.inline-unreadable": "A picture inside a page's text could not be read.",
    "pdf.javascript": "A script.",
    "pdf.leader": "Bytes in front of the document.",
    "pdf.page-thumbnail": "The picture is a small view of a page.",
    "pdf.piece-info": "Private data of the program that made the document.",
    "pdf.repaired": "The file is damaged; what stands in it was found by searching.",
    "pdf.signed": "The document is signed; any change would break the signature.",
    "pdf.small-on-page": "Every page shows the picture smaller than 25 square centimetres.",
    "pdf.source-file": "The file name and properties of a document that was included.",
    "pdf.stencil": "Small black-and-white pictures stand in the file, as letters and hatchings do.",
    "pdf.thumbnail": "A small view of a page.",
    "pdf.trailer": "Bytes behind the end of the document.",
    "pdf.unreferenced": "Objects that the document no longer refers to.",
    "pdf.web-capture": "Addresses and dates of web pages from which the document was made.",
    "pdf.xmp": "An XMP packet.",
}
