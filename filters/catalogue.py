"""Every code the filters can emit, one sentence each.  A policy may name no other."""

from __future__ import annotations

from collections.abc import Mapping

from filters import text
from filters.archives import codes as archives
from filters.bitmaps import bmp, ico, pnm
from filters.bmff import codes as bmff
from filters.compound import codes as compound
from filters.dicom import codes as dicom
from filters.documents import codes as documents
from filters.gif import scrubber as gif
from filters.jpeg2000 import jp2
from filters.jpegxl import scrubber as jxl
from filters.markup import codes as markup
from filters.metafiles import codes as metafiles
from filters.pdf import codes as pdf
from filters.richtext import codes as richtext
from filters.tiff import codes as tiff
from filters.webp import scrubber as webp

_EXIF: Mapping[str, str] = {
    "exif.block": "An EXIF block was removed.",
    "exif.orientation": "The orientation was kept in an EXIF block that says nothing else.",
    "exif.gps": "The position where the picture was taken stands in the file.",
    "exif.make": "The maker of the camera or lens stands in the file.",
    "exif.model": "The model of the camera or lens stands in the file.",
    "exif.serial": "A serial number or unique identifier stands in the file.",
    "exif.owner": "The name of the camera's owner or of the author stands in the file.",
    "exif.datetime": "The date and time of the picture stand in the file.",
    "exif.thumbnail": "A second, smaller picture or its description stands in the EXIF block.",
    "exif.maker-note": "A maker note stands in the file; it can hold names, faces and previews.",
    "exif.text": "A description, comment or copyright notice stands in the file.",
    "exif.software": "The name of a program or computer stands in the file.",
}
_ICC: Mapping[str, str] = {
    "icc.profile": "The colour profile was kept.",
    "icc.text": "Words, dates or private data were taken out of the colour profile.",
    "icc.damaged": "A damaged colour profile was removed.",
}
_JPEG: Mapping[str, str] = {
    "jpeg.adobe-tail": "Bytes behind the defined part of an Adobe segment, or a second such segment.",
    "jpeg.comment": "A comment segment.",
    "jpeg.flashpix": "FlashPix data.",
    "jpeg.flir": "FLIR thermal data.",
    "jpeg.gain-map": "A gain map for brighter screens, or its metadata; the picture itself is unchanged.",
    "jpeg.gap": "Bytes between segments that no marker announces.",
    "jpeg.jfif-thumbnail": "A thumbnail or other bytes behind the JFIF header.",
    "jpeg.jfxx": "A JFIF extension with a thumbnail.",
    "jpeg.jumbf": "JUMBF data, for example a C2PA manifest.",
    "jpeg.mpf": "A directory of further pictures (MPF); these pictures were dropped.",
    "jpeg.photoshop": "Photoshop resources, for example IPTC captions, paths and thumbnails.",
    "jpeg.reserved-marker": "A segment with a reserved marker.",
    "jpeg.scan-tail": "Data behind the last restart interval that any decoder shows.",
    "jpeg.second-picture": "A further picture of a multi-picture file, for example the other eye's view or a preview.",
    "jpeg.trailer": "Bytes behind the end of the picture.",
    "jpeg.trailer-archive": "An archive or document behind the end of the picture.",
    "jpeg.trailer-image": "A second picture behind the end of the picture.",
    "jpeg.trailer-samsung": "Data that Samsung phones append, for example a motion photo or sound.",
    "jpeg.trailer-video": "A film behind the end of the picture.",
    "jpeg.unreadable": "The file cannot be read as JPEG.",
    "jpeg.vendor": "An application segment of a vendor.",
    "jpeg.xmp": "An XMP packet.",
    "jpeg.xmp-extended": "An extended XMP packet.",
}
_PNG: Mapping[str, str] = {
    "png.calibration": "A calibration chunk with text (pCAL, sCAL).",
    "png.damaged-chunk": "A known chunk that is damaged, repeated, misplaced or of the wrong length.",
    "png.hidden-frame": "Animation chunks that no viewer shows.",
    "png.jumbf": "JUMBF data, for example a C2PA manifest.",
    "png.palette-tail": "Palette entries that no pixel can point to.",
    "png.private-chunk": "A private or unknown chunk.",
    "png.profile-name": "The name of the colour profile.",
    "png.raw-profile": "A raw profile in a text chunk (EXIF, IPTC, XMP).",
    "png.rows-beyond": "Rows beyond the height of the picture.",
    "png.stream-tail": "Bytes behind the compressed stream.",
    "png.suggested-palette": "A suggested palette with a name.",
    "png.text": "A text chunk.",
    "png.time": "The time of the last change.",
    "png.trailer": "Bytes behind the end of the picture.",
    "png.unreadable": "The file cannot be read as PNG.",
    "png.xmp": "An XMP packet.",
}
_IMAGE: Mapping[str, str] = {
    "image.bilevel-page": "A black-and-white picture in the shape and resolution of a sheet of paper.",
    "image.flat": "A drawing made of areas of few colours.",
    "image.page": "A sheet of white paper with writing on it and nothing that could be a photograph.",
}
_SNIFF: Mapping[str, str] = {
    "sniff.polyglot": "Two programs would take the file for two different formats.",
    "sniff.embedded-image": "The signature of a picture or document stands inside a file of unknown type.",
}
_DECORATIVE: Mapping[str, str] = {
    "decorative.tracking-pixel": "A picture of a few pixels, as newsletters use to see that they were read.",
    "decorative.drawing": "A drawing of lines and shapes.",
    "decorative.sound": "Sound without any picture.",
    "decorative.icon": "A small icon.",
    "decorative.known-logo": "A logo of the organisation's list.",
    "decorative.recurring-inline": "A small picture in the text that this sender sent before.",
    "decorative.flat-graphic": "A flat drawing with few colours: a logo, a chart, a screenshot of text.",
}
# Codes of other modules: each keeps its own table beside the code that emits it.
_TEXT: Mapping[str, str] = text.CODES

_CONTAINER: Mapping[str, str] = {
    "container.read-only": "A picture stands in a container that cannot be written anew, so nothing can be removed from it.",
    "container.signed": "A picture stands in a digitally signed document: any change would break the signature.",
}

_TABLES: tuple[Mapping[str, str], ...] = (
    _EXIF,
    _ICC,
    _JPEG,
    _PNG,
    _IMAGE,
    _SNIFF,
    _DECORATIVE,
    _CONTAINER,
    _TEXT,
    archives.CODES,
    bmff.CODES,
    bmp.CODES,
    dicom.CODES,
    gif.CODES,
    ico.CODES,
    jp2.CODES,
    jxl.CODES,
    documents.CODES,
    markup.CODES,
    metafiles.CODES,
    richtext.CODES,
    compound.CODES,
    pdf.CODES,
    pnm.CODES,
    webp.CODES,
    tiff.CODES,
)

CODES: Mapping[str, str] = {code: sentence for table in _TABLES for code, sentence in table.items()}
