"""Office documents written part by part, with a canary in every place that tells of people, places or editing."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.canary_images import preview_jpeg
from tests.support.odf_files import KINDS, fodt, lines, odf
from tests.support.office_parts import MS, OPEN, REL, XML, Place, package, printer, relations, types

W = f'xmlns:w="{OPEN}/wordprocessingml/2006/main" xmlns:r="{REL}"'
_DRAWING = (
    f'xmlns:a="{OPEN}/drawingml/2006/main" xmlns:pic="{OPEN}/drawingml/2006/picture" '
    f'xmlns:wp="{OPEN}/drawingml/2006/wordprocessingDrawing"'
)
_PICTURES = frozenset(
    ("jpg", "jpeg", "png", "gif", "webp", "tif", "tiff", "bmp", "heic", "heif", "avif", "jp2", "jxl", "svg", "ico", "wmf", "emf")
)
MAIN = "application/vnd.openxmlformats-officedocument"


def _properties(place: Place) -> dict[str, str | bytes]:
    core = "".join(
        f"<dc:{word}>{place('core ' + word)}</dc:{word}>" for word in ("title", "subject", "creator", "description", "language")
    )
    core += "".join(
        f"<cp:{word}>{place('core ' + word)}</cp:{word}>" for word in ("keywords", "lastModifiedBy", "category", "contentStatus")
    )
    app = "".join(f"<{word}>{place('app ' + word)}</{word}>" for word in ("Template", "Manager", "Company", "HyperlinkBase"))
    title = (
        f'<TitlesOfParts><vt:vector size="1" baseType="lpstr"><vt:lpstr>{place("app part")}</vt:lpstr></vt:vector>'
        "</TitlesOfParts>"
    )
    vt = f'xmlns:vt="{OPEN}/officeDocument/2006/docPropsVTypes"'
    return {
        "_rels/.rels": "",
        "docProps/core.xml": f'{XML}<cp:coreProperties xmlns:cp="{OPEN}/package/2006/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{core}</cp:coreProperties>',
        "docProps/app.xml": f"{XML}<Properties "
        f'xmlns="{OPEN}/officeDocument/2006/extended-properties" {vt}>{app}{title}</Properties>',
        "docProps/custom.xml": f'{XML}<Properties xmlns="{OPEN}/officeDocument/2006/custom-properties" {vt}>'
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="2" name="{place("custom name")}">'
        f"<vt:lpwstr>{place('custom value')}</vt:lpwstr></property></Properties>",
        "docProps/thumbnail.jpeg": preview_jpeg(place("document thumbnail")),
    }


_PROPERTY_TYPES = {
    "docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    "docProps/app.xml": f"{MAIN}.extended-properties+xml",
    "docProps/custom.xml": f"{MAIN}.custom-properties+xml",
}


def _package_relations(main: str) -> str:
    return relations(
        ("officeDocument", main, ""),
        (f"{OPEN}/package/2006/relationships/metadata/core-properties", "docProps/core.xml", ""),
        ("extended-properties", "docProps/app.xml", ""),
        ("custom-properties", "docProps/custom.xml", ""),
        (f"{OPEN}/package/2006/relationships/metadata/thumbnail", "docProps/thumbnail.jpeg", ""),
    )


def _kind(ext: str) -> tuple[str, str]:
    """(folder, kind of relationship) of an inner file."""
    return ("media", "image") if ext in _PICTURES else ("embeddings", "package")


def docx(inner: bytes, ext: str, place: Place, body: str = "") -> bytes:
    """A Word file with one inner file, a comment and a tracked change."""
    folder, kind = _kind(ext)
    picture = (
        f'<w:r><w:drawing><wp:inline {_DRAWING}><wp:extent cx="914400" cy="914400"/>'
        f'<wp:docPr id="1" name="Picture 1" descr="C:\\Users\\{place("picture path")}\\photo.jpg"/><a:graphic>'
        f'<a:graphicData uri="{OPEN}/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
        f'<pic:cNvPr id="0" name="{place("picture name")}.jpg"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill>'
        '<a:blip r:embed="rId1"/><a:srcRect l="10000"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        '<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="914400" cy="914400"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline>'
        "</w:drawing></w:r>"
    )
    document = (
        f'{XML}<w:document {W}><w:body><w:p w:rsidR="{place("rsid")}" w:rsidRDefault="00A1B2C3"><w:r w:rsidRPr="00A1B2C3">'
        f"<w:t>Seen in clinic</w:t></w:r>{picture if kind == 'image' else ''}{body}"
        f'<w:ins w:id="1" w:author="{place("insertion")}" w:date="2026-01-02T03:04:05Z"><w:r><w:t>added</w:t></w:r></w:ins>'
        '<w:commentRangeStart w:id="0"/><w:r><w:t>x</w:t></w:r><w:commentRangeEnd w:id="0"/><w:r><w:commentReference '
        'w:id="0"/></w:r>'
        '</w:p><w:sectPr><w:printerSettings r:id="rId6"/></w:sectPr></w:body></w:document>'
    )
    comments = (
        f'{XML}<w:comments {W}><w:comment w:id="0" w:author="{place("comment author")}" w:initials="{place("initials")}" '
        'w:date="2026-01-02T03:04:05Z"><w:p><w:r><w:t>what do you think?</w:t></w:r></w:p></w:comment></w:comments>'
    )
    settings = (
        f'{XML}<w:settings {W}><w:attachedTemplate r:id="rId1"/><w:rsids><w:rsidRoot w:val="00A1B2C3"/>'
        f'<w:rsid w:val="{place("rsids")}"/></w:rsids><w:docVars><w:docVar w:name="v" w:val="{place("variable")}"/></w:docVars>'
        f'<w15:docId xmlns:w15="{MS}/word/2012/wordml" w15:val="{{{place("document id")}}}"/></w:settings>'
    )
    people = (
        f'{XML}<w15:people xmlns:w15="{MS}/word/2012/wordml"><w15:person w15:author="{place("person")}">'
        f'<w15:presenceInfo w15:providerId="AD" w15:userId="{place("user")}"/></w15:person></w15:people>'
    )
    return package(
        {
            "[Content_Types].xml": types(
                {"jpeg": "image/jpeg", ext: f"image/{ext}" if kind == "image" else "application/octet-stream"},
                {
                    **_PROPERTY_TYPES,
                    "word/document.xml": f"{MAIN}.wordprocessingml.document.main+xml",
                    "word/comments.xml": f"{MAIN}.wordprocessingml.comments+xml",
                    "word/settings.xml": f"{MAIN}.wordprocessingml.settings+xml",
                    "word/people.xml": f"{MAIN}.wordprocessingml.people+xml",
                    "word/printerSettings1.bin": f"{MAIN}.wordprocessingml.printerSettings",
                },
            ),
            **_properties(place),
            "_rels/.rels": _package_relations("word/document.xml"),
            "word/document.xml": document,
            "word/_rels/document.xml.rels": relations(
                (kind, f"{folder}/inner1.{ext}", ""),
                ("comments", "comments.xml", ""),
                ("settings", "settings.xml", ""),
                (f"{MS}/2011/relationships/people", "people.xml", ""),
                ("customXml", "../customXml/item1.xml", ""),
                ("printerSettings", "printerSettings1.bin", ""),
                ("hyperlink", f"file:///C:/Users/{place('link')}/notes.docx", "External"),
            ),
            "word/comments.xml": comments,
            "word/settings.xml": settings,
            "word/_rels/settings.xml.rels": relations(
                ("attachedTemplate", f"file:///C:\\Users\\{place('template')}\\my.dotm", "External")
            ),
            "word/people.xml": people,
            "word/printerSettings1.bin": printer(place("printer")),
            "customXml/item1.xml": f"<root><v>{place('custom xml')}</v></root>",
            f"word/{folder}/inner1.{ext}": inner,
        },
        place("zip comment"),
        old=True,
    )


def xlsx(inner: bytes, ext: str, place: Place) -> bytes:
    """A workbook with one inner file, a note, and the folder in which it was saved."""
    folder, kind = _kind(ext)
    x = f'xmlns="{OPEN}/spreadsheetml/2006/main" xmlns:r="{REL}"'
    workbook = (
        f'{XML}<workbook {x}><fileSharing userName="{place("sharing")}"/><mc:AlternateContent '
        f'xmlns:mc="{OPEN}/markup-compatibility/2006"><mc:Choice Requires="x15"><x15ac:absPath url="C:\\{place("folder")}\\" '
        f'xmlns:x15ac="{MS}/spreadsheetml/2010/11/ac"/></mc:Choice></mc:AlternateContent>'
        f'<xr:revisionPtr xmlns:xr="{MS}/spreadsheetml/2014/revision" documentId="{place("revision")}"/>'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    sheet = (
        f'{XML}<worksheet {x}><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>cell</t></is></c></row></sheetData>'
        '<pageSetup paperSize="9" orientation="portrait" r:id="rId3"/><drawing r:id="rId1"/></worksheet>'
    )
    drawing = (
        f'{XML}<xdr:wsDr xmlns:xdr="{OPEN}/drawingml/2006/spreadsheetDrawing" xmlns:a="{OPEN}/drawingml/2006/main" '
        f'xmlns:r="{REL}"><xdr:oneCellAnchor><xdr:from><xdr:col>1</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>1</xdr:row>'
        '<xdr:rowOff>0</xdr:rowOff></xdr:from><xdr:ext cx="914400" cy="914400"/><xdr:pic><xdr:nvPicPr>'
        f'<xdr:cNvPr id="1" name="Picture 1" descr="{place("description")}.JPG"/><xdr:cNvPicPr/></xdr:nvPicPr><xdr:blipFill>'
        '<a:blip r:embed="rId1"/><a:stretch/></xdr:blipFill><xdr:spPr/></xdr:pic><xdr:clientData/></xdr:oneCellAnchor></xdr:wsDr>'
    )
    author = place("note author")
    comments = (
        f'{XML}<comments {x}><authors><author>{author}</author></authors><commentList><comment ref="A1" '
        f'authorId="0">'
        f"<text><r><t>{author}:</t></r><r><t>check again</t></r></text></comment></commentList></comments>"
    )
    return package(
        {
            "[Content_Types].xml": types(
                {"jpeg": "image/jpeg", ext: f"image/{ext}", "bin": f"{MAIN}.spreadsheetml.printerSettings"},
                {
                    **_PROPERTY_TYPES,
                    "xl/workbook.xml": f"{MAIN}.spreadsheetml.sheet.main+xml",
                    "xl/worksheets/sheet1.xml": f"{MAIN}.spreadsheetml.worksheet+xml",
                    "xl/comments1.xml": f"{MAIN}.spreadsheetml.comments+xml",
                    "xl/drawings/drawing1.xml": f"{MAIN}.drawing+xml",
                },
            ),
            **_properties(place),
            "_rels/.rels": _package_relations("xl/workbook.xml"),
            "xl/workbook.xml": workbook,
            "xl/_rels/workbook.xml.rels": relations(("worksheet", "worksheets/sheet1.xml", "")),
            "xl/worksheets/sheet1.xml": sheet,
            "xl/worksheets/_rels/sheet1.xml.rels": relations(
                ("drawing", "../drawings/drawing1.xml", ""),
                ("comments", "../comments1.xml", ""),
                ("printerSettings", "../printerSettings/printerSettings1.bin", ""),
            ),
            "xl/drawings/drawing1.xml": drawing if kind == "image" else drawing.replace('r:embed="rId1"', ""),
            "xl/drawings/_rels/drawing1.xml.rels": relations((kind, f"../{folder}/inner1.{ext}", "")),
            "xl/comments1.xml": comments,
            "xl/printerSettings/printerSettings1.bin": printer(place("printer")),
            f"xl/{folder}/inner1.{ext}": inner,
        },
        place("zip comment"),
        old=True,
    )


def pptx(inner: bytes, ext: str, place: Place) -> bytes:
    """Slides with one inner file, a comment and its author."""
    folder, kind = _kind(ext)
    p = f'xmlns:p="{OPEN}/presentationml/2006/main" xmlns:a="{OPEN}/drawingml/2006/main" xmlns:r="{REL}"'
    slide = (
        f'{XML}<p:sld {p}><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/>'
        f"</p:nvGrpSpPr><p:grpSpPr/>"
        f'<p:pic><p:nvPicPr><p:cNvPr id="4" name="Picture 3" descr="{place("description")}.png"/><p:cNvPicPr/><p:nvPr/>'
        f"</p:nvPicPr>"
        '<p:blipFill><a:blip r:embed="rId1"/><a:srcRect t="25000" b="25000"/><a:stretch><a:fillRect/></a:stretch></p:blipFill>'
        '<p:spPr><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr></p:pic></p:spTree></p:cSld></p:sld>'
    )
    return package(
        {
            "[Content_Types].xml": types(
                {"jpeg": "image/jpeg", ext: f"image/{ext}"},
                {
                    **_PROPERTY_TYPES,
                    "ppt/presentation.xml": f"{MAIN}.presentationml.presentation.main+xml",
                    "ppt/slides/slide1.xml": f"{MAIN}.presentationml.slide+xml",
                    "ppt/commentAuthors.xml": f"{MAIN}.presentationml.commentAuthors+xml",
                    "ppt/comments/comment1.xml": f"{MAIN}.presentationml.comments+xml",
                },
            ),
            **_properties(place),
            "_rels/.rels": _package_relations("ppt/presentation.xml"),
            "ppt/presentation.xml": f'{XML}<p:presentation {p}><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst>'
            '<p:sldSz cx="9144000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>',
            "ppt/_rels/presentation.xml.rels": relations(
                ("slide", "slides/slide1.xml", ""),
                ("commentAuthors", "commentAuthors.xml", ""),
                (f"{MS}/2016/11/relationships/changesInfo", "changesInfos/changesInfo1.xml", ""),
            ),
            "ppt/slides/slide1.xml": slide if kind == "image" else slide.replace('r:embed="rId1"', ""),
            "ppt/slides/_rels/slide1.xml.rels": relations(
                (kind, f"../{folder}/inner1.{ext}", ""), ("comments", "../comments/comment1.xml", "")
            ),
            "ppt/commentAuthors.xml": f'{XML}<p:cmAuthorLst {p}><p:cmAuthor id="0" name="{place("author")}" '
            f'initials="{place("initials")}" lastIdx="1" clrIdx="0"/></p:cmAuthorLst>',
            "ppt/comments/comment1.xml": f'{XML}<p:cmLst {p}><p:cm authorId="0" dt="{place("time")}" idx="1"><p:pos '
            f'x="0" y="0"/>'
            "<p:text>better one?</p:text></p:cm></p:cmLst>",
            "ppt/changesInfos/changesInfo1.xml": f"{XML}<changes>{place('changes')}</changes>",
            f"ppt/{folder}/inner1.{ext}": inner,
        },
        place("zip comment"),
        old=True,
    )


def wordml(inner: bytes, ext: str, place: Place) -> bytes:
    """A Word 2003 document in one XML file."""
    return (
        f'{XML}<?mso-application progid="Word.Document"?><w:wordDocument '
        f'xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml" '
        'xmlns:wsp="http://schemas.microsoft.com/office/word/2003/wordml/sp2" '
        'xmlns:aml="http://schemas.microsoft.com/aml/2001/core" '
        'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">'
        f"<o:DocumentProperties><o:Author>{place('author')}</o:Author><o:Company>{place('company')}</o:Company>"
        f"</o:DocumentProperties>"
        f'<w:docPr><w:attachedTemplate w:val="C:\\{place("template")}\\my.dot"/><wsp:rsids><wsp:rsid '
        f'wsp:val="{place("rsid")}"/></wsp:rsids>'
        f'</w:docPr><w:body><w:p wsp:rsidR="00A1B2C3"><w:r><w:pict><w:binData w:name="wordml://01.{ext}" xml:space="preserve">'
        f'{lines(inner)}</w:binData><v:shape alt="C:\\{place("alt")}\\x.jpg"><v:imagedata src="wordml://01.{ext}" '
        f'o:title="{place("picture title")}"/></v:shape></w:pict></w:r><aml:annotation aml:id="0" w:type="Word.Insertion" '
        f'aml:author="{place("insertion")}" aml:createdate="2026-01-02T03:04:05Z"><aml:content><w:r><w:t>added</w:t>'
        f"</w:r></aml:content>"
        "</aml:annotation></w:p></w:body></w:wordDocument>"
    ).encode()


PICTURES: dict[str, Callable[[Place], bytes]] = {}
CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {
    "docx": docx,
    "xlsx": xlsx,
    "pptx": pptx,
    **{kind: odf(kind) for kind in KINDS},
    "fodt": fodt,
    "wordml": wordml,
}
EXTENSIONS: dict[str, str] = {**{name: name for name in CONTAINERS}, "wordml": "xml"}
