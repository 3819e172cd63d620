"""Photographs that left in PDFs and drawings, in parts that no viewer shows but anybody can take out."""

from __future__ import annotations

import base64

import pytest

from filters.api import Budget, OpaqueReason
from filters.tree import Tools, examine
from tests.support.canary_images import photo_jpeg
from tests.support.samples.pdf import Paper, drawn, page

pytestmark = pytest.mark.unit

JPEG = photo_jpeg(1, (240, 180))
LETTERS = base64.b64encode(JPEG)
URI = b"data:image/jpeg;base64," + LETTERS
SHEET = base64.b64encode(b"svg{background:url(" + URI + b")}")


def held(data: bytes) -> bool:
    return any(node.opaque is OpaqueReason.NOT_SUPPORTED for node in examine(data, Tools(), Budget()).walk())


def paper(catalog: str = "", more: str = "", data: bytes = b"", entries: str = "") -> bytes:
    """One empty page; ``@`` in ``catalog`` or ``more`` stands for a stream of ``data``."""
    made = Paper()
    number = f"{made.stream(data, entries)} 0 R"
    page(made, b"BT ET", "", catalog=catalog.replace("@", number), page_entries=more.replace("@", number))
    return made.write()


@pytest.mark.parametrize("filters", ["/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/CCITTFaxDecode", "/ASCII85Decode"])
@pytest.mark.parametrize(
    ("catalog", "entries"),
    [
        ("/X @", ""),
        ("/Metadata @", "/Type /Metadata /Subtype /XML"),
        ("/AF [<< /Type /Filespec /F (a.txt) /EF << /F @ >> >>]", "/Type /EmbeddedFile"),
        ("/X @", "/Type /XObject /Subtype /Image /Width 240 /Height 180 /BitsPerComponent 1 /ColorSpace /DeviceGray"),
    ],
    ids=["anything", "metadata", "attachment", "picture"],
)
def test_a_stream_whose_filter_lies_is_searched_as_it_is_stored(filters: str, catalog: str, entries: str) -> None:
    """Symptom: a JPEG in a stream called ``/FlateDecode``, ``/LZWDecode`` or a small ``/CCITTFaxDecode`` picture went to a
    stranger.

    Cause: streams were searched decoded; lenient decoding of what is not coded so gives rubbish, and a small bilevel picture is
    a letter.  Analysis: whoever carves files out of the PDF has the photograph, so streams are searched as they are stored too.
    """
    data = paper(catalog, data=JPEG, entries=f"{entries} /Filter {filters}")
    nodes = list(examine(data, Tools(), Budget()).walk())
    assert any(node.clinical or node.opaque not in (None, OpaqueReason.UNKNOWN) for node in nodes)


@pytest.mark.parametrize(
    "data",
    [
        paper(f"/X ({LETTERS.decode()})"),
        paper(f"/URI << /Base ({URI.decode()}) >>"),
        paper("", f"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI ({URI.decode()}) >> >>]"),
        paper(f"/X << /Y <{JPEG.hex()}> >>"),
        paper() + LETTERS,
        paper() + b"<html><img src='" + URI + b"'>",
        paper().replace(b"endobj\n", b"endobj\n%" + LETTERS + b"\n", 1),
    ],
    ids=["string", "address", "link", "hexadecimal", "behind", "page behind", "comment"],
)
def test_letters_beside_the_streams_are_read(data: bytes) -> None:
    """Symptom: a photograph in base64 left in a string, link, comment or behind the end of a PDF.

    Cause: between the objects only signatures in plain bytes were looked for, in strings nothing.  Analysis: what a document
    says outside of streams is a text and is read as texts are.
    """
    assert held(data)


def test_an_ordinary_document_is_not_held_for_it() -> None:
    """The other side: a letter with a photograph is cleaned as before."""
    assert not held(drawn(JPEG))
    assert not held(paper("/URI << /Base (https://clinic.example/) >>", data=b"BT ET"))


@pytest.mark.parametrize(
    "inner",
    [
        b'<foreignObject><img xmlns="http://www.w3.org/1999/xhtml" src="' + URI + b'"/></foreignObject>',
        b'<image><set attributeName="href" to="' + URI + b'"/></image>',
        b"<!--" + URI + b"-->",
        b"<desc>" + LETTERS + b"</desc>",
        b"<metadata>" + LETTERS + b"</metadata>",
        b"<script>x='" + LETTERS + b"'</script>",
        b'<rect data-x="' + LETTERS + b'"/>',
        b'<?xml-stylesheet href="data:text/css;base64,' + SHEET + b'"?>',
    ],
    ids=["foreign", "set", "comment", "description", "metadata", "script", "attribute", "sheet"],
)
def test_what_would_go_from_a_drawing_must_not_be_a_photograph(inner: bytes) -> None:
    """Symptom: a drawing showed a photograph by ``foreignObject`` or ``set``, or held one in a comment, and went to a stranger.

    Cause: such parts are cut out when a drawing is cleaned; but a drawing is decoration, and decoration is sent as it is.
    Analysis: what would be cut out is searched, and blocks the drawing when a photograph is in it.
    """
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><path d="M0 0L9 9"/>%b</svg>'
    assert held(svg % inner)
    assert not held(svg % b"<desc>A line</desc><!-- drawn by hand --><metadata><x>words</x></metadata>")
