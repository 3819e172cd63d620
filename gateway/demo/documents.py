"""Documents and archives for the demo, built by hand: what a photograph is often wrapped in."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache
from typing import Final

_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_OPEN: Final = "http://schemas.openxmlformats.org"
_OFFICE: Final = f"{_OPEN}/officeDocument/2006/relationships"


# ---- PDF (ISO 32000-1)


@cache
def pdf_letter() -> bytes:
    """A one-page PDF letter, text only."""
    text = zlib.compress(b"BT /F1 12 Tf 72 760 Td (Dear colleague, thank you for your referral.) Tj ET")
    return _pdf(
        b"<</Font<</F1 5 0 R>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )


def pdf_photo(jpeg: bytes, width: int, height: int) -> bytes:
    """A one-page PDF that shows a photo."""
    shown = b"q 400 0 0 300 72 400 cm /Im0 Do Q"
    head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8" % (width, height)
    return _pdf(
        b"<</XObject<</Im0 5 0 R>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(shown), shown),
        head + b"/Filter/DCTDecode/Length %d>>stream\n%s\nendstream" % (len(jpeg), jpeg),
    )


def _pdf(resources: bytes, content: bytes, used: bytes) -> bytes:
    """A document of one page: object 4 is its content, object 5 what that uses."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources%s>>" % resources,
        content,
        used,
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, one in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % at for at in offsets)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


# ---- Word, new and old


def word(jpeg: bytes) -> bytes:
    """A Word file (ECMA-376) with a photo in it, and its author's name in its properties."""
    picture = (
        '<w:r><w:drawing><wp:inline><wp:extent cx="3810000" cy="2857500"/><wp:docPr id="1" name="Picture 1"/><a:graphic>'
        f'<a:graphicData uri="{_OPEN}/drawingml/2006/picture"><pic:pic><pic:nvPicPr><pic:cNvPr id="0" name="Picture 1"/>'
        '<pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="rId1"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        '<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="3810000" cy="2857500"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/>'
        "</a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )
    spaces = (
        f'xmlns:w="{_OPEN}/wordprocessingml/2006/main" xmlns:r="{_OFFICE}" xmlns:a="{_OPEN}/drawingml/2006/main" '
        f'xmlns:wp="{_OPEN}/drawingml/2006/wordprocessingDrawing" xmlns:pic="{_OPEN}/drawingml/2006/picture"'
    )
    core = f"{_OPEN}/package/2006/metadata/core-properties"
    types = f"{_OPEN}/package/2006/content-types"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return archive(
        {
            "[Content_Types].xml": f'{_XML}<Types xmlns="{types}"><Default Extension="jpeg" ContentType="image/jpeg"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{main}"/><Override PartName="/docProps/core.xml" '
            'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>',
            "_rels/.rels": _relations(
                ("officeDocument", "word/document.xml"),
                (f"{_OPEN}/package/2006/relationships/metadata/core-properties", "docProps/core.xml"),
            ),
            "docProps/core.xml": f'{_XML}<cp:coreProperties xmlns:cp="{core}" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            "<dc:creator>Dr Sample Owner</dc:creator></cp:coreProperties>",
            "word/document.xml": f"{_XML}<w:document {spaces}><w:body><w:p><w:r><w:t>Seen in clinic today.</w:t></w:r>"
            f"{picture}</w:p></w:body></w:document>",
            "word/_rels/document.xml.rels": _relations(("image", "media/image1.jpeg")),
            "word/media/image1.jpeg": jpeg,
        }
    )


def _relations(*targets: tuple[str, str]) -> str:
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="{kind if ":" in kind else f"{_OFFICE}/{kind}"}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_OPEN}/package/2006/relationships">{rows}</Relationships>'


_SECTOR: Final = 512
_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def old_word(jpeg: bytes) -> bytes:
    """An old Word file ([MS-CFB], version 3) with a photo among its pictures ([MS-ODRAW] 2.2.27)."""
    drawing = struct.pack("<HHI", 0x46A0, 0xF01D, 17 + len(jpeg)) + bytes(range(16)) + b"\xff" + jpeg
    streams = [_padded(b"\xec\xa5".ljust(4096, b"\0")), _padded(drawing)]
    sectors = [len(one) // _SECTOR for one in streams]
    used = sum(sectors) + 1  # and the directory
    tables = -(-(used + used // 128 + 2) // 128)
    chain: list[int] = [_TABLE] * tables
    starts = []
    for count in [*sectors, 1]:
        starts.append(len(chain))
        chain += [*range(len(chain) + 1, len(chain) + count), _END]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(tables * _SECTOR, b"\xff")
    directory = (
        _entry("Root Entry", 5, _FREE, 1, _END, 0)
        + _entry("WordDocument", 2, 2, _FREE, starts[0], len(streams[0]))
        + _entry("Data", 2, _FREE, _FREE, starts[1], len(streams[1]))
        + bytes(128)
    )
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, tables, starts[2], 0, 4096, _END, 0, _END, 0)
    head += struct.pack("<109I", *range(tables), *[_FREE] * (109 - tables))
    return head + table + b"".join(streams) + directory


def _padded(stream: bytes) -> bytes:
    return stream.ljust(-(-len(stream) // _SECTOR) * _SECTOR, b"\0")


def _entry(name: str, kind: int, sibling: int, child: int, start: int, size: int) -> bytes:
    words = name.encode("utf-16-le")
    head = words.ljust(64, b"\0") + struct.pack("<HBB", len(words) + 2, kind, 1)
    return head + struct.pack("<III", _FREE, sibling, child) + bytes(36) + struct.pack("<IQ", start, size)


# ---- ZIP


def archive(files: dict[str, str | bytes]) -> bytes:
    """A ZIP with these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in files.items():
            packed.writestr(name, body)
    return out.getvalue()


@cache
def encrypted_zip() -> bytes:
    """A ZIP whose one member carries the encryption flag (APPNOTE 4.4.4, bit 0): nobody can look inside without its password."""
    name, body = b"pictures.jpg", bytes(range(1, 200))
    crc = zlib.crc32(body)
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 1, 0, 0, 0x5C63, crc, len(body), len(body), len(name), 0) + name + body
    central = (
        struct.pack(
            "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 1, 0, 0, 0x5C63, crc, len(body), len(body), len(name), 0, 0, 0, 0, 0, 0
        )
        + name
    )
    return local + central + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(central), len(local), 0)
