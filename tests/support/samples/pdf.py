"""PDF files written object by object (ISO 32000-2), with a canary in every place that holds words about the document."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from PIL import Image

from tests.support.canary_images import photo_jpeg

Place = Callable[[str], str]
HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
FIRST, SECOND = "<00112233445566778899aabbccddeeff>", "<ffeeddccbbaa99887766554433221100>"


@dataclass
class Paper:
    """Objects by number; ``bytes`` writes them with a classical table."""

    objects: dict[int, bytes] = field(default_factory=dict)
    trailer: str = ""

    def add(self, value: str | bytes) -> int:
        """A new object; its number."""
        number = max(self.objects, default=0) + 1
        self.objects[number] = value.encode("latin-1") if isinstance(value, str) else value
        return number

    def stream(self, data: bytes, entries: str = "") -> int:
        return self.add(f"<< {entries} /Length {len(data)} >>\nstream\n".encode("latin-1") + data + b"\nendstream")

    def packed(self, data: bytes, entries: str = "") -> int:
        return self.stream(zlib.compress(data), entries + " /Filter /FlateDecode")

    def write(self, before: bytes = HEADER, previous: int | None = None) -> bytes:
        """All objects behind ``before``; an update of it when ``previous`` says where its table is."""
        out = bytearray(before)
        places = {}
        for number, body in self.objects.items():
            places[number] = len(out)
            out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
        table = len(out)
        out += b"xref\n0 1\n0000000000 65535 f \n"
        for number, place in places.items():
            out += b"%d 1\n%010d 00000 n \n" % (number, place)
        link = "" if previous is None else f"/Prev {previous}"
        size = max(self.objects) + 1
        out += f"trailer\n<< /Size {size} {self.trailer} {link} >>\nstartxref\n{table}\n%%EOF\n".encode("latin-1")
        return bytes(out)


def image(paper: Paper, jpeg: bytes, entries: str = "") -> int:
    """A JPEG as an image XObject."""
    with Image.open(io.BytesIO(jpeg)) as shown:
        width, height, mode = *shown.size, shown.mode
    space = {"L": "/DeviceGray", "CMYK": "/DeviceCMYK"}.get(mode, "/DeviceRGB")
    return paper.stream(
        jpeg,
        f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace {space} /BitsPerComponent 8"
        f" /Filter /DCTDecode {entries}",
    )


def samples(paper: Paper, width: int = 40, height: int = 30, entries: str = "", bits: int = 8) -> int:
    """A grey picture without a format of its own."""
    row = (width * bits + 7) // 8
    data = bytes((x * 7 + y * 3) % 256 for y in range(height) for x in range(row))
    return paper.packed(
        data,
        f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray"
        f" /BitsPerComponent {bits} {entries}",
    )


def page(
    paper: Paper, content: bytes, resources: str, page_entries: str = "", catalog: str = "", box: str = "0 0 595 842"
) -> None:
    """One page and the catalogue; sets the trailer's root."""
    contents = paper.packed(content)
    node = paper.add("")
    leaf = paper.add(
        f"<< /Type /Page /Parent {node} 0 R /MediaBox [{box}] /Contents {contents} 0 R"
        f" /Resources << {resources} >> {page_entries} >>"
    )
    paper.objects[node] = f"<< /Type /Pages /Kids [{leaf} 0 R] /Count 1 >>".encode()
    root = paper.add(f"<< /Type /Catalog /Pages {node} 0 R {catalog} >>")
    paper.trailer += f" /Root {root} 0 R"


def drawn(jpeg: bytes, size: str = "400 0 0 300 50 400") -> bytes:
    """A document of one page that shows one JPEG under the matrix ``size``."""
    paper = Paper()
    number = image(paper, jpeg)
    page(paper, f"q {size} cm /Im0 Do Q".encode(), f"/XObject << /Im0 {number} 0 R >>")
    return paper.write()


def attached(paper: Paper, inner: bytes, name: str, words: str = "") -> str:
    """An attached file; what the catalogue says of it."""
    date = "/CreationDate (D:20260304050607Z) /ModDate (D:20260304050607Z)"
    stream = paper.packed(inner, f"/Type /EmbeddedFile /Params << /Size {len(inner)} {date} /CheckSum ({words}) >>")
    spec = paper.add(f"<< /Type /Filespec /F ({name}) /UF ({name}) /Desc ({words}) /EF << /F {stream} 0 R >> >>")
    return f"/Names << /EmbeddedFiles << /Names [({name}) {spec} 0 R] >> >>"


def _xmp(paper: Paper, word: str) -> int:
    packet = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><title>{word}</title></x:xmpmeta>".encode()
    return paper.stream(packet, "/Type /Metadata /Subtype /XML")


def _full(inner: bytes, extension: str, place: Place) -> bytes:
    """Canaries in properties, packets, private data, thumbnails, comments, dropped objects, in front, between and behind."""
    paper = Paper()
    info = paper.add(f"<< /Title ({place('title')}) /Author ({place('author')}) /Custom ({place('custom')}) >>")
    metadata = f"/Metadata {_xmp(paper, place('xmp of a picture'))} 0 R"
    private = f"/PieceInfo << /Tool << /LastModified (D:20260101) /Private << /Note ({place('piece info')}) >> >> >>"
    source = f"/PTEX.FileName ({place('source file')})"
    jpeg = extension in ("jpg", "jpeg")
    number = image(paper, inner if jpeg else photo_jpeg(1, (32, 24), gps=False), f"{metadata} {private}")
    merged = paper.add(f"<< /Producer ({place('merged document')}) >>")
    thumb = samples(paper, 8, 8)
    form = paper.packed(
        b"q 100 0 0 80 0 0 cm /Im0 Do Q",
        f"/Type /XObject /Subtype /Form /BBox [0 0 200 200] {source} /Resources << /XObject << /Im0 {number} 0 R >> >>",
    )
    note = paper.add(
        f"<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (see picture) /T ({place('annotation author')})"
        f" /M (D:20260304) /NM ({place('annotation name')}) >>"
    )
    catalog = f"/Metadata {_xmp(paper, place('xmp'))} 0 R " + (
        "" if jpeg else attached(paper, inner, f"file.{extension}", place("file"))
    )
    catalog += f" /StructTreeRoot << /Type /StructTreeRoot /K << /S /Part /Info {merged} 0 R >> >>"
    script = f"/OpenAction << /S /JavaScript /JS ({place('script')}) >>"
    entries = f"/LastModified (D:20260304) /Thumb {thumb} 0 R /Annots [{note} 0 R] {private}"
    page(paper, b"q 1 0 0 1 50 500 cm /Fm0 Do Q", f"/XObject << /Fm0 {form} 0 R >>", entries, f"{catalog} {script}")
    paper.add(f"<< /Lost ({place('unreferenced')}) >>")
    paper.trailer += f" /Info {info} 0 R /ID [{FIRST} {SECOND}]"
    whole = paper.write(HEADER + f"% {place('comment')}\n".encode())
    return f"{place('in front')}\n".encode() + whole + f"{place('behind')}\n".encode()


def _revised(inner: bytes, extension: str, place: Place) -> bytes:
    """The first state shows or holds ``inner``; the second does not."""
    first = Paper()
    if extension in ("jpg", "jpeg"):
        number = image(first, inner)
        catalog = ""
    else:
        number, catalog = samples(first), attached(first, inner, f"file.{extension}", place("old file"))
    page(first, b"q 300 0 0 200 50 500 cm /Im0 Do Q", f"/XObject << /Im0 {number} 0 R >>", catalog=catalog)
    info = first.add(f"<< /Title ({place('old title')}) >>")
    first.trailer += f" /Info {info} 0 R"
    old = first.write()
    second = Paper()
    for key, body in first.objects.items():
        if b"/Type /Page " in body or b"/Type /Catalog" in body:
            text = body.decode("latin-1")
            second.objects[key] = text.replace("/XObject <<", "/Old <<").replace(catalog or "\0", "").encode("latin-1")
    second.objects[number] = b"null"
    second.objects[info] = b"<< >>"
    second.trailer = first.trailer
    return second.write(old, old.rindex(b"xref\n0 1"))


def _inline(inner: bytes, extension: str, place: Place) -> bytes:
    """The JPEG stands in the page's own text."""
    if extension not in ("jpg", "jpeg"):
        return _full(inner, extension, place)
    with Image.open(io.BytesIO(inner)) as shown:
        width, height = shown.size
    paper = Paper()
    content = f"q 200 0 0 150 50 500 cm BI /W {width} /H {height} /CS /RGB /BPC 8 /F /DCT ID ".encode() + inner + b"\nEI Q"
    page(paper, content, "")
    info = paper.add(f"<< /Title ({place('title')}) >>")
    paper.trailer += f" /Info {info} 0 R"
    return paper.write()


def _attachment(inner: bytes, extension: str, place: Place) -> bytes:
    paper = Paper()
    page(paper, b"q Q", "", catalog=attached(paper, inner, f"file.{extension}", place("file")))
    return paper.write()


PICTURES: Mapping[str, Callable[[Place], bytes]] = {}
CONTAINERS: Mapping[str, Callable[[bytes, str, Place], bytes]] = {
    "pdf": _full,
    "pdf-attachment": _attachment,
    "pdf-inline": _inline,
    "pdf-revised": _revised,
}
EXTENSIONS: Mapping[str, str] = dict.fromkeys(CONTAINERS, "pdf")
