"""The formats that can be cleaned and the containers that can be opened: one module and one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from filters.api import ImageInfo, Opener, Scrubber
from filters.archives.appledouble import APPLE_DOUBLE
from filters.archives.foreign import AR, CAB, COMPRESS, CPIO, ISO, LHA, LZ4, LZIP, RAR, SEVEN_ZIP, XAR, ZSTD
from filters.archives.gzips import GZIP
from filters.archives.streams import BZIP2, XZ
from filters.archives.tars import TAR
from filters.archives.ziparchive import EPUB, JAR, XPS, ZIP
from filters.bitmaps.bmp import BMP, DIB
from filters.bitmaps.ico import ICO
from filters.bitmaps.pnm import PNM
from filters.bmff.scrubber import AVIF, HEIC, HEIF, M4A, MOV, MP4, THREEGP
from filters.compound.ole import OLE
from filters.compound.tnef import TNEF
from filters.deferred import DeferredOpener, DeferredScrubber
from filters.documents.flat import FLAT
from filters.documents.odf import ODG, ODP, ODS, ODT
from filters.documents.ooxml import DOCX, OOXML, PPTX, VSDX, XLSX
from filters.gif.scrubber import GIF
from filters.jpeg.scrubber import JPEG
from filters.jpeg2000.j2k import J2K
from filters.jpeg2000.jp2 import JP2
from filters.jpegxl.scrubber import JXL
from filters.markup.card import CALENDAR, VCARD
from filters.markup.hl7 import HL7
from filters.markup.html import HTML, XML
from filters.markup.svg import SVG, drawing
from filters.metafiles import emf, wmf
from filters.metafiles.emf import EMF
from filters.metafiles.wmf import WMF
from filters.png.scrubber import PNG
from filters.richtext.opener import RTF
from filters.tiff.scrubber import BIGTIFF, TIFF
from filters.webp.scrubber import WEBP

SCRUBBERS: Mapping[str, Scrubber] = {
    "bigtiff": BIGTIFF,
    "dicom": DeferredScrubber("dicom", "filters.dicom.scrubber", "DICOM"),  # pydicom
    "jpeg": JPEG,
    "png": PNG,
    "webp": WEBP,
    "gif": GIF,
    "bmp": BMP,
    "dib": DIB,
    "ico": ICO,
    "jp2": JP2,
    "j2k": J2K,
    "jxl": JXL,
    "pnm": PNM,
    "tiff": TIFF,
    "heic": HEIC,
    "heif": HEIF,
    "avif": AVIF,
    "mp4": MP4,
    "mov": MOV,
    "3gp": THREEGP,
    "m4a": M4A,
}

OPENERS: Mapping[str, Opener] = {
    "zip": ZIP,
    "jar": JAR,
    "epub": EPUB,
    "xps": XPS,
    "tar": TAR,
    "gzip": GZIP,
    "bzip2": BZIP2,
    "xz": XZ,
    "apple-double": APPLE_DOUBLE,
    "7z": SEVEN_ZIP,
    "rar": RAR,
    "cab": CAB,
    "iso": ISO,
    "cpio": CPIO,
    "ar": AR,
    "lha": LHA,
    "xar": XAR,
    "compress": COMPRESS,
    "lzip": LZIP,
    "lz4": LZ4,
    "zstd": ZSTD,
    "html": HTML,
    "xml": XML,
    "svg": SVG,
    "vcard": VCARD,
    "calendar": CALENDAR,
    "hl7-image": HL7,
    "tnef": TNEF,
    "pdf": DeferredOpener("pdf", "filters.pdf.opener", "PDF", native=True),  # pikepdf
    "docx": DOCX,
    "xlsx": XLSX,
    "pptx": PPTX,
    "vsdx": VSDX,
    "ooxml": OOXML,
    "odt": ODT,
    "ods": ODS,
    "odp": ODP,
    "odg": ODG,
    "office-xml": FLAT,
    **OLE,
    "rtf": RTF,
    "emf": EMF,
    "wmf": WMF,
}

# Containers that are pictures themselves, made of lines and shapes.
DRAWINGS: Mapping[str, Callable[[bytes], ImageInfo]] = {"svg": drawing, "emf": emf.drawing, "wmf": wmf.drawing}
