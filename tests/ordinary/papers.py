"""Documents of ordinary mail: PDF letters, scans, Word, PowerPoint, Excel, archives."""

from __future__ import annotations

import io
import zipfile
import zlib
from datetime import datetime
from random import Random

import docx
import docx.shared
import numpy as np
import openpyxl
import openpyxl.chart
import pikepdf
import pptx
import pptx.util
from PIL import Image

from tests.ordinary import artwork
from tests.ordinary.pictures import saved

_DAY = datetime(2026, 11, 16, 9, 0)


def _samples(pdf: pikepdf.Pdf, image: Image.Image) -> pikepdf.Object:
    """Flate samples with a soft mask, as Word and LibreOffice write a PNG."""
    pixels = np.asarray(image.convert("RGBA"))
    common = {"Type": pikepdf.Name.XObject, "Subtype": pikepdf.Name.Image, "Width": image.width, "Height": image.height}
    flate = {"BitsPerComponent": 8, "Filter": pikepdf.Name.FlateDecode}
    stream = pikepdf.Stream(pdf, zlib.compress(pixels[..., :3].tobytes()), **common, **flate, ColorSpace=pikepdf.Name.DeviceRGB)
    if (pixels[..., 3] != 255).any():
        mask = pikepdf.Stream(pdf, zlib.compress(pixels[..., 3].tobytes()), **common, **flate, ColorSpace=pikepdf.Name.DeviceGray)
        stream.SMask = pdf.make_indirect(mask)
    return pdf.make_indirect(stream)


def letter_pdf(rng: Random, signed: bool = False) -> bytes:
    """A typed letter of one to three pages with the letterhead's logo on each."""
    pdf = pikepdf.new()
    mark = _samples(pdf, artwork.logo(rng, clear=rng.random() < 0.5))
    font = pdf.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    )
    for _ in range(rng.randrange(1, 4)):
        lines = " ".join(f"({artwork.words(rng, 8)}) Tj T*" for _ in range(25))
        content = f"q 150 0 0 45 60 770 cm /Im0 Do Q BT /F1 11 Tf 14 TL 60 700 Td {lines} ET"
        resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=mark), Font=pikepdf.Dictionary(F1=font))
        page = pikepdf.Dictionary(
            Type=pikepdf.Name.Page, MediaBox=[0, 0, 595, 842], Resources=resources, Contents=pdf.make_stream(content.encode())
        )
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
    with pdf.open_metadata(set_pikepdf_as_editor=False) as meta:
        meta["dc:title"] = artwork.words(rng, 3)
    if signed:
        _sign(pdf, rng)
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def _sign(pdf: pikepdf.Pdf, rng: Random) -> None:
    """The structure of a signature (ISO 32000-2, 12.8); nobody checks its number."""
    value = pikepdf.Dictionary(
        Type=pikepdf.Name.Sig, Filter=pikepdf.Name("/Adobe.PPKLite"), SubFilter=pikepdf.Name("/adbe.pkcs7.detached"),
        ByteRange=[0, 100, 300, 100], Contents=pikepdf.String(rng.randbytes(128)),
    )  # fmt: skip
    field = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Sig, T="Signature1", Rect=[0, 0, 0, 0],
        F=132, V=pdf.make_indirect(value), P=pdf.pages[0].obj,
    )  # fmt: skip
    held = pdf.make_indirect(field)
    pdf.pages[0].obj.Annots = pikepdf.Array([held])
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[held], SigFlags=3)


def scan_pdf(rng: Random, bilevel: bool) -> bytes:
    """What an office machine sends: one picture a page, CCITT or JPEG."""
    count = rng.randrange(1, 3)
    if bilevel:
        pages = [artwork.letter(rng, 150).point(lambda level: 255 * (level > 140)).convert("1") for _ in range(count)]
    else:
        pages = [artwork.scanned(rng, 100, tint=rng.random() < 0.5) for _ in range(count)]
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=150 if bilevel else 100)
    return out.getvalue()


def word(rng: Random) -> bytes:
    """A letter with the logo in the header and a chart in the text."""
    made = docx.Document()
    head = made.sections[0].header.paragraphs[0].add_run()
    head.add_picture(io.BytesIO(saved(artwork.logo(rng, rng.random() < 0.5), "PNG")), width=docx.shared.Cm(5))
    for _ in range(6):
        made.add_paragraph(artwork.words(rng, 30))
    if rng.random() < 0.5:
        made.add_picture(io.BytesIO(saved(artwork.chart(rng), "PNG")), width=docx.shared.Cm(12))
    made.core_properties.created = made.core_properties.modified = _DAY
    for key in [key for key, one in made.part.package.rels.items() if one.reltype.endswith("/thumbnail")]:
        del made.part.package.rels[key]  # of the library's template, not of this letter
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def slides(rng: Random, *pictures: bytes) -> bytes:
    """A talk: a logo and some text on each slide, and one of ``pictures``."""
    made = pptx.Presentation()
    mark = saved(artwork.logo(rng), "PNG")
    for data in pictures or (b"",):
        slide = made.slides.add_slide(made.slide_layouts[5])
        slide.shapes.title.text = artwork.words(rng, 4)
        slide.shapes.add_picture(io.BytesIO(mark), 0, 0, width=pptx.util.Cm(4))
        if data:
            slide.shapes.add_picture(io.BytesIO(data), pptx.util.Cm(3), pptx.util.Cm(5), width=pptx.util.Cm(14))
    made.core_properties.created = made.core_properties.modified = _DAY
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def sheet(rng: Random) -> bytes:
    """Figures and a chart of Excel's own."""
    made = openpyxl.Workbook()
    table = made.active
    for _ in range(rng.randrange(8, 40)):
        table.append([artwork.words(rng, 1), rng.randrange(100), rng.randrange(100)])
    bars = openpyxl.chart.BarChart()
    bars.add_data(openpyxl.chart.Reference(table, min_col=2, min_row=1, max_row=8))
    table.add_chart(bars, "E4")
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def archive(files: dict[str, bytes], password: bytes = b"") -> bytes:
    """A ZIP; with ``password`` in PKWARE's old encryption (APPNOTE 6.1), as Explorer's users know it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in files.items():
            made.writestr(zipfile.ZipInfo(name, (2026, 11, 16, 9, 0, 0)), data, zipfile.ZIP_STORED if password else 8)
    return _locked(out.getvalue(), files, password) if password else out.getvalue()


def _locked(raw: bytes, files: dict[str, bytes], password: bytes) -> bytes:
    """Stored members with their content ciphered; sizes and offsets grow by the twelve bytes of each member's head."""
    body, directory = bytearray(), bytearray()
    for name, data in files.items():
        label, crc = name.encode(), zlib.crc32(data)
        secret = _cipher(bytes(11) + bytes((crc >> 24,)) + data, password)
        common = b"\x01\0\0\0\0\x48\x70\x5b" + b"".join(n.to_bytes(4, "little") for n in (crc, len(secret), len(data)))
        lengths = len(label).to_bytes(2, "little") + bytes(2)
        at = len(body).to_bytes(4, "little")
        body += b"PK\x03\x04\x14\0" + common + lengths + label + secret
        directory += b"PK\x01\x02\x14\0\x14\0" + common + lengths + bytes(10) + at + label
    count = len(files).to_bytes(2, "little")
    end = b"PK\x05\x06" + bytes(4) + count * 2 + len(directory).to_bytes(4, "little") + len(body).to_bytes(4, "little") + bytes(2)
    return bytes(body + directory) + end


def _crc(value: int, byte: int) -> int:
    return zlib.crc32(bytes((byte,)), value ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def _cipher(data: bytes, password: bytes) -> bytes:
    keys = [0x12345678, 0x23456789, 0x34567890]

    def turn(byte: int) -> None:
        keys[0] = _crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = _crc(keys[2], keys[1] >> 24)

    for byte in password:
        turn(byte)
    out = bytearray()
    for byte in data:
        mixed = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ (mixed * (mixed ^ 1) >> 8 & 255))
        turn(byte)
    return bytes(out)
