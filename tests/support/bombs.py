"""Files that are small and unpack, decode or nest without end; every one is made by code."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from functools import cache

from tests.support.canary_images import chunk
from tests.support.samples.documents import CONTAINERS as DOCUMENTS
from tests.support.zipforge import Piece, forge

MIB = 1 << 20


@cache
def zeros(size: int) -> bytes:
    """So many zeros, deflated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])


def nested_zip(depth: int = 6, width: int = 16) -> bytes:
    """Sixteen times the same file in each layer; 64 MiB of zeros in the innermost: as 42.zip, 16^6 files of them."""
    inner = forge([Piece(b"0.dll", bytes(0), body=zeros(64 * MIB), size=64 * MIB, local_size=64 * MIB)])
    for layer in range(depth):
        inner = forge([Piece(b"lib %x-%x.zip" % (layer, number), inner) for number in range(width)])
    return inner


def deep_zip(depth: int = 40) -> bytes:
    """One in another, deeper than anything honest."""
    inner = b"the end"
    for _ in range(depth):
        inner = forge([Piece(b"a.zip", inner)])
    return inner


def overlapping_zip(count: int = 1000) -> bytes:
    """Fifield's: many names for one kernel of compressed bytes."""
    kernel = zeros(8 * MIB)
    first = Piece(b"0", bytes(0), body=kernel, size=8 * MIB, local_size=8 * MIB)
    more = [Piece(b"%d" % n, body=b"", stored=len(kernel), size=8 * MIB, offset=0, local_name=b"0") for n in range(1, count)]
    return forge([first, *more])


def many_members(count: int = 10_000) -> bytes:
    """A ZIP of so many files of one byte."""
    return forge([Piece(b"%d.jpg" % number, b"x") for number in range(count)])


def png(side: int = 40_000) -> bytes:
    """A picture of more than 10^9 pixels, all black."""
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compressobj(9)
    body = b"".join([*(rows.compress(bytes(MIB)) for _ in range(side * (side + 1) // MIB + 1)), rows.flush()])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def tiff(side: int = 40_000) -> bytes:
    """The same claim in one strip of a few bytes, packed by LZW."""
    rows = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 5), (262, 3, 1), (273, 4, 8), (278, 4, side), (279, 4, 8)]
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in rows)
    return b"II*\0" + struct.pack("<I", 16) + b"\x80\x00\x20\x10\x08\x04\x02\x01" + struct.pack("<H", len(rows)) + body + bytes(4)


def gif(side: int = 40_000) -> bytes:
    """A screen and a frame of 1.6 x 10^9 pixels, and a few bytes of them."""
    size = struct.pack("<HH", side, side)
    return b"GIF89a" + size + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + b"," + bytes(4) + size + b"\0" + b"\2\2\x4c\1\0;"


def pdf_loop() -> bytes:
    """Pages whose child is their parent, a length that is itself, and an object stream that stands in itself."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2/Parent 2 0 R>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</A 5 0 R>>>>>>",
        b"<</Length 4 0 R>>stream\n/A Do\nendstream",
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 5 0 R/Resources<</XObject<</A 5 0 R>>>>>>stream\n/A Do\nendstream",
    ]
    out, places = b"%PDF-1.5\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    return out + head + table + b"trailer\n<</Size 6/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (len(out), len(out))


def _laughs() -> bytes:
    rows = [b'<!ENTITY a0 "ha">']
    rows += [b'<!ENTITY a%d "%s">' % (number, b"&a%d;" % (number - 1) * 10) for number in range(1, 12)]
    return b"<!DOCTYPE x [\n" + b"\n".join(rows) + b"\n]>\n"


def svg() -> bytes:
    """A drawing whose text is 10^11 laughs."""
    return (
        b'<?xml version="1.0"?>\n'
        + _laughs().replace(b"x [", b"svg [")
        + b'<svg xmlns="http://www.w3.org/2000/svg"><text>&a11;</text></svg>'
    )


def docx() -> bytes:
    """The same in a Word document."""
    import io
    import zipfile

    plain = DOCUMENTS["docx"](png_small(), "png", lambda what: "x")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            body = old.read(name)
            if name == "word/document.xml":
                head, _, rest = body.partition(b"?>")
                body = head + b"?>" + _laughs() + rest.replace(b"</w:body>", b"<w:p><w:r><w:t>&a11;</w:t></w:r></w:p></w:body>")
            new.writestr(name, body)
    return out.getvalue()


def png_small() -> bytes:
    """One black pixel."""
    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def gz(size: int = 2048 * MIB) -> bytes:
    """Two gigabytes of zeros in two megabytes."""
    return b"\x1f\x8b\x08" + bytes(7) + zeros(size) + bytes(8)


def gz_in_gz() -> bytes:
    """The same packed again: some kilobytes."""
    return gzip.compress(gz())


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nested ZIP": ("zip", nested_zip),
    "deep ZIP": ("zip", deep_zip),
    "overlapping ZIP": ("zip", overlapping_zip),
    "10,000 members": ("zip", many_members),
    "PNG": ("png", png),
    "TIFF": ("tif", tiff),
    "GIF": ("gif", gif),
    "PDF loop": ("pdf", pdf_loop),
    "entities in SVG": ("svg", svg),
    "entities in Word": ("docx", docx),
    "gzip": ("gz", gz),
    "gzip in gzip": ("gz", gz_in_gz),
}
