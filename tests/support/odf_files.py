"""OpenDocument files written part by part, with a canary in every place that tells of people, places or editing."""

from __future__ import annotations

import base64
from collections.abc import Callable

from tests.support.canary_images import preview_jpeg
from tests.support.office_parts import XML, Place, package

_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_ODF_NAMES = " ".join(
    f'xmlns:{short}="{_ODF}{name}:1.0"'
    for short, name in (
        ("office", "office"), ("meta", "meta"), ("text", "text"), ("draw", "drawing"), ("style", "style"), ("config", "config"),
        ("svg", "svg-compatible"), ("fo", "xsl-fo-compatible"), ("table", "table"),
    )
) + (
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:officeooo="http://openoffice.org/2009/office" office:version="1.3"'
)  # fmt: skip


def _odf_meta(place: Place) -> str:
    words = "".join(
        f"<{word}>{place('meta ' + word)}</{word}>"
        for word in (
            "meta:generator",
            "meta:initial-creator",
            "dc:creator",
            "dc:title",
            "dc:date",
            "meta:creation-date",
            "meta:printed-by",
        )
    )
    return (
        f'<office:meta>{words}<meta:user-defined meta:name="{place("user name")}">{place("user value")}'
        "</meta:user-defined></office:meta>"
    )


def _odf_settings(place: Place) -> str:
    return (
        '<office:settings><config:config-item-set config:name="ooo:configuration-settings">'
        f'<config:config-item config:name="PrinterName" config:type="string">{place("printer")}</config:config-item>'
        f'<config:config-item config:name="PrinterSetup" config:type="base64Binary">{place("printer setup")}</config:config-item>'
        f'<config:config-item config:name="RsidRoot" config:type="int">{place("rsid root")}</config:config-item>'
        "</config:config-item-set></office:settings>"
    )


def _odf_styles(place: Place) -> str:
    return (
        '<office:automatic-styles><style:style style:name="fr1" style:family="graphic">'
        '<style:graphic-properties fo:clip="rect(0in, 0.5in, 0in, 0in)"/></style:style><style:style style:name="P1" '
        f'style:family="paragraph"><style:text-properties officeooo:rsid="{place("rsid")}" officeooo:paragraph-rsid="001a2b3c"/>'
        "</style:style></office:automatic-styles>"
    )


KINDS = {
    "odt": ("text", "text:p", ""),
    "ods": ("spreadsheet", 'table:table table:name="S"', "table:table"),
    "odp": ("presentation", 'draw:page draw:name="p1" draw:master-page-name="m"', "draw:page"),
    "odg": ("drawing", 'draw:page draw:name="p1" draw:master-page-name="m"', "draw:page"),
}
_ODF_TYPES = {"odt": "text", "ods": "spreadsheet", "odp": "presentation", "odg": "graphics"}


def _odf_body(kind: str, picture: str, place: Place) -> str:
    body, start, end = KINDS[kind]
    frame = (
        f'<draw:frame draw:style-name="fr1" draw:name="{place("frame")}.jpg" svg:width="2in" svg:height="2in">{picture}'
        f"<svg:desc>C:\\Users\\{place('description')}\\photo.jpg</svg:desc></draw:frame>"
    )
    note = (
        f"<office:annotation><dc:creator>{place('note author')}</dc:creator><dc:date>2026-01-02T03:04:05</dc:date>"
        f"<meta:creator-initials>{place('initials')}</meta:creator-initials><text:p>check again</text:p></office:annotation>"
    )
    if kind == "ods":
        frame = f"<table:table-row><table:table-cell>{note}{frame}</table:table-cell></table:table-row>"
    elif kind == "odt":
        frame = f"{note}<text:title>Shown title</text:title>{frame}"
    return f"<office:body><office:{body}><{start}>{frame}</{end or start}></office:{body}></office:body>"


def odf(kind: str) -> Callable[[bytes, str, Place], bytes]:
    """An OpenDocument package of this kind around one inner file."""

    def make(inner: bytes, ext: str, place: Place) -> bytes:
        mimetype = f"application/vnd.oasis.opendocument.{_ODF_TYPES[kind]}"
        names = (f"Pictures/inner1.{ext}", "content.xml", "styles.xml", "meta.xml", "settings.xml", "Thumbnails/thumbnail.png")
        manifest = "".join(f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type=""/>' for name in names)
        picture = f'<draw:image xlink:href="Pictures/inner1.{ext}" xlink:type="simple"/>'
        return package(
            {
                "mimetype": mimetype,
                "content.xml": f"{XML}"
                f"<office:document-content {_ODF_NAMES}>{_odf_styles(place)}{_odf_body(kind, picture, place)}"
                "</office:document-content>",
                "styles.xml": f"{XML}<office:document-styles {_ODF_NAMES}><office:master-styles/></office:document-styles>",
                "meta.xml": f"{XML}<office:document-meta {_ODF_NAMES}>{_odf_meta(place)}</office:document-meta>",
                "settings.xml": f"{XML}<office:document-settings {_ODF_NAMES}>{_odf_settings(place)}</office:document-settings>",
                "Thumbnails/thumbnail.png": preview_jpeg(place("thumbnail")),
                f"Pictures/inner1.{ext}": inner,
                "META-INF/manifest.xml": f'{XML}<manifest:manifest xmlns:manifest="{_ODF}manifest:1.0" manifest:version="1.3">'
                f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{mimetype}"/>{manifest}</manifest:manifest>',
            },
            place("zip comment"),
            stored=frozenset(("mimetype",)),
            old=True,
        )

    return make


def lines(data: bytes) -> str:
    return base64.encodebytes(data).decode()


def fodt(inner: bytes, ext: str, place: Place) -> bytes:
    """A flat OpenDocument text: the inner file in base64."""
    picture = f'<draw:image draw:mime-type="image/{ext}"><office:binary-data>\n{lines(inner)}</office:binary-data></draw:image>'
    kind = f'office:mimetype="application/vnd.oasis.opendocument.{_ODF_TYPES["odt"]}"'
    return (
        f"{XML}<office:document {_ODF_NAMES} {kind}>{_odf_meta(place)}{_odf_settings(place)}{_odf_styles(place)}"
        f"{_odf_body('odt', picture, place)}</office:document>"
    ).encode()
