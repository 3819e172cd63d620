"""Text formats around a picture, and a drawing: a canary in every place that draws nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable

Place = Callable[[str], str]

_NAMESPACES = (
    'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
    'xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
)


def svg(place: Place, image: str = "") -> bytes:
    """A drawing with everything that has to go; ``image`` is the href of a picture in it."""
    picture = f'<image xlink:href="{image}" width="40" height="30"/>' if image else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<?xpacket begin="{place("instruction")}"?>
<!DOCTYPE svg PUBLIC "{place("public")}" "{place("system")}" [
<!ENTITY author "{place("entity")}">
<!ENTITY space "http://www.w3.org/2000/svg">
]>
<!-- {place("comment")} -->
<svg xmlns="&space;" xmlns:xlink="http://www.w3.org/1999/xlink" {_NAMESPACES} id="{place("id")}" class="{place("class")}"
 inkscape:version="{place("inkscape")}" sodipodi:docname="{place("docname")}" data-name="{place("data")}" width="200" height="100"
 aria-label="{place("aria")}" onload="{place("handler")}" xml:base="http://{place("base")}.example/">
<title>{place("title")}</title><desc>{place("desc")}</desc>
<metadata><rdf:RDF><dc:creator>{place("creator")}</dc:creator></rdf:RDF></metadata>
<sodipodi:namedview id="{place("view")}"/>
<script>var a = "{place("script")}";</script>
<style><![CDATA[ /* {place("css comment")} */ @import "http://{place("import")}.example/a.css";
 .shown {{ fill: red; -inkscape-note: "{place("css editor")}"; mask: url(http://{place("mask")}.example/m.svg#x) }} ]]></style>
{place("stray")}
<defs><linearGradient id="fade"><stop offset="0" stop-color="#fff"/><stop offset="1"/></linearGradient></defs>
<g inkscape:label="{place("layer")}"><rect class="shown" width="80" height="40" fill="url(#fade)"/></g>
<a xlink:href="https://{place("link")}.example/" xlink:title="{place("link title")}"><path d="M0 50 L90 90 Z"/></a>
<image href="file:///home/{place("file")}.png" width="3" height="3"/>
<foreignObject width="9" height="9"><p xmlns="http://www.w3.org/1999/xhtml">{place("foreign")}</p></foreignObject>
<set attributeName="href" to="http://{place("animated")}.example/"/>
<text x="100" y="50">Drawn</text>{picture}
</svg>
<!-- {place("behind")} -->
""".encode()


def _uri(inner: bytes, extension: str) -> str:
    kinds = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "svg": "image/svg+xml", "tif": "image/tiff"}
    return f"data:{kinds.get(extension, 'image/' + extension)};base64,{base64.b64encode(inner).decode()}"


def _fold(line: str) -> str:
    return "\r\n ".join(line[at : at + 74] for at in range(0, len(line), 74))


def _page(inner: bytes, extension: str, place: Place) -> bytes:
    uri = _uri(inner, extension)
    return f'<!DOCTYPE html><html><body><p>Dear colleague</p><img src="{uri}" alt="x"></body></html>'.encode()


def _sheet(inner: bytes, extension: str, place: Place) -> bytes:
    uri = _uri(inner, extension)
    return f"<!DOCTYPE html><html><head><style>p{{background:url({uri})}}</style></head><body><p>x</p></body></html>".encode()


def _svg(inner: bytes, extension: str, place: Place) -> bytes:
    return svg(place, _uri(inner, extension))


def _vcard(inner: bytes, extension: str, place: Place) -> bytes:
    photo = _fold(f"PHOTO;ENCODING=b;TYPE={extension.upper()}:{base64.b64encode(inner).decode()}")
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A Colleague\r\n{photo}\r\nEND:VCARD\r\n".encode()


def _calendar(inner: bytes, extension: str, place: Place) -> bytes:
    attach = _fold(f"ATTACH;ENCODING=BASE64;VALUE=BINARY:{base64.b64encode(inner).decode()}")
    return f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Round\r\n{attach}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".encode()


def _hl7(inner: bytes, extension: str, place: Place) -> bytes:
    return b"MSH|^~\\&|A|B\rOBX|1|ED|X||A^IM^%s^Base64^%s|\r" % (extension.encode(), base64.b64encode(inner))


PICTURES: dict[str, Callable[[Place], bytes]] = {"svg": svg}
CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {
    "html": _page,
    "html-style": _sheet,
    "svg-image": _svg,
    "vcard": _vcard,
    "calendar": _calendar,
    "hl7": _hl7,
}
EXTENSIONS: dict[str, str] = {
    "svg": "svg",
    "html": "html",
    "html-style": "html",
    "svg-image": "svg",
    "vcard": "vcf",
    "calendar": "ics",
    "hl7": "hl7",
}
