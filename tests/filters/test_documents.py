"""Office documents: every picture comes out, everything else about people and places goes, and the rest keeps its bytes."""

from __future__ import annotations

import base64
import struct
from functools import cache

import pytest

from filters.api import Budget, Cleaning, Fate, Finding
from filters.catalogue import CODES
from filters.registry import OPENERS
from filters.sniff import sniff
from tests.support import documents_kit as kit
from tests.support.canary_images import jpeg_with_canaries, photo_jpeg, photo_png
from tests.support.office_parts import package, relations
from tests.support.samples.documents import CONTAINERS, docx

pytestmark = pytest.mark.unit
PACKAGES = ("docx", "xlsx", "pptx", "odt", "ods", "odp", "odg")
OOXML = ("docx", "xlsx", "pptx")
NOTHING = Cleaning(properties=False, authors=False, revisions=False, previews=False)


def plain(what: str) -> str:
    return what.replace(" ", "-")


@cache
def picture() -> bytes:
    return jpeg_with_canaries("CANARY-picture", size=(40, 24))


@cache
def sample(name: str) -> bytes:
    return CONTAINERS[name](picture(), "jpg", plain)


@cache
def canaried(name: str) -> tuple[bytes, tuple[str, ...]]:
    placed: list[str] = []

    def place(_what: str) -> str:
        placed.append(f"CANARY{len(placed):04}")
        return placed[-1]

    return CONTAINERS[name](jpeg_with_canaries(place("picture"), size=(40, 24)), "jpg", place), tuple(placed)


# ---- promises of every kind


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_picture_comes_out_as_it_stands(name: str) -> None:
    """The member's bytes are the picture's own, shown on the page; nothing else is called a member."""
    (member,) = kit.members(sample(name))
    assert member.data == picture()
    assert member.inline


@pytest.mark.parametrize("name", CONTAINERS)
def test_no_canary_survives(name: str) -> None:
    """Every place that tells of people, places or editing is clean afterwards, in any encoding."""
    data, placed = canaried(name)
    assert len(placed) > 5
    out = kit.everything(kit.cleaned(data))
    assert [word for word in placed if word.encode() in out or word.encode("utf-16-le") in out] == []


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_second_cleaning_finds_nothing(name: str) -> None:
    """After a rebuild there is no REMOVED finding left, and another rebuild returns the very same object."""
    out = kit.cleaned(sample(name))
    assert kit.removed(out) == set()
    assert kit.cleaned(out) is out


@pytest.mark.parametrize("name", CONTAINERS)
def test_only_catalogued_codes_and_structural_places(name: str) -> None:
    """No value of the document stands in a finding."""
    for one in kit.seen(sample(name)):
        if isinstance(one, Finding):
            assert one.code in CODES
            assert one.where.partition("@")[0] in ("part", "member", "package", "document", "end")
        else:
            assert "Seen in clinic" not in repr(one)


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_text_stays(name: str) -> None:
    """What was written, also in comments and tracked changes, is content."""
    words = (b"Seen in clinic", b"what do you think?", b"added", b"check again", b"cell", b"better one?")
    before, after = kit.everything(sample(name)), kit.everything(kit.cleaned(sample(name)))
    assert [word for word in words if (word in before) != (word in after)] == []


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_policy_that_wants_nothing_cleaned_changes_nothing_but_the_zip(name: str) -> None:
    """Each choice of the policy is obeyed."""
    data = sample(name)
    out = OPENERS[sniff(data).format].rebuild(data, {}, {}, Budget(), NOTHING)
    assert {code for code in kit.removed(data, NOTHING) if not code.startswith("zip.")} == set()
    if data.startswith(b"PK"):
        assert kit.parts(out) == kit.parts(data)
    else:
        assert out is data


@pytest.mark.parametrize("name", PACKAGES)
def test_untouched_parts_keep_their_compressed_bytes(name: str) -> None:
    """Nobody recompresses what does not change."""
    data = sample(name)
    (member,) = kit.members(data)
    out = OPENERS[name].rebuild(data, {}, {}, Budget())
    assert out is not data
    assert _stored(out, member.name) == _stored(data, member.name)


def _stored(data: bytes, name: str) -> bytes:
    """The compressed bytes of a member, by its central directory entry."""
    at = data.index(b"PK\x01\x02")
    while True:
        length, extra, comment = struct.unpack_from("<HHH", data, at + 28)
        if data[at + 46 : at + 46 + length].decode() == name:
            (size,), (local,) = struct.unpack_from("<I", data, at + 20), struct.unpack_from("<I", data, at + 42)
            head = local + 30 + sum(struct.unpack_from("<HH", data, local + 26))
            return data[head : head + size]
        at += 46 + length + extra + comment


@pytest.mark.parametrize("name", PACKAGES)
def test_clean_packages_are_returned_as_they_are(name: str) -> None:
    """A document without traces and with unchanged members is never rebuilt."""
    out = kit.cleaned(sample(name))
    assert OPENERS[name].rebuild(out, {}, {}, Budget()) is out


# ---- what they are


@pytest.mark.parametrize(
    ("names", "kind"),
    (
        (("[Content_Types].xml", "word/document.xml"), "docx"),
        (("[content_types].xml", "xl\\workbook.xml"), "xlsx"),
        (("word/holiday.jpg",), "zip"),
        (("[Content_Types].xml", "theme/theme/theme1.xml"), "ooxml"),
        (("[Content_Types].xml", "visio/document.xml"), "vsdx"),
        (("content.xml", "META-INF/manifest.xml"), "odt"),
        (("META-INF/MANIFEST.MF", "a.class"), "jar"),
    ),
)
def test_the_kind_of_a_package_by_its_names(names: tuple[str, ...], kind: str) -> None:
    """Types and folders decide, in any case and with any slash; a folder called word makes no Word file."""
    assert sniff(package(dict.fromkeys(names, b"<x/>"))).format == kind


@pytest.mark.parametrize("place", (0, 2))
@pytest.mark.parametrize("stored", (True, False))
def test_the_mimetype_of_opendocument_wherever_it_stands(place: int, stored: bool) -> None:
    """Some programs write it last, or compress it."""
    for mimetype, kind in (
        ("application/vnd.oasis.opendocument.presentation-template", "odp"),
        ("application/vnd.sun.xml.calc", "ods"),
        ("application/vnd.oasis.opendocument.graphics", "odg"),
    ):
        parts = [("content.xml", b"<x/>"), ("META-INF/manifest.xml", b"<x/>")]
        parts.insert(place, ("mimetype", mimetype.encode()))
        assert sniff(package(dict(parts), stored=frozenset(("mimetype",)) if stored else frozenset())).format == kind


# ---- what goes and what is told


def test_relationships_and_types_stay_consistent() -> None:
    """No relationship leads to a part that is gone, no type speaks of it: Word would offer a repair."""
    for name in OOXML:
        content = kit.parts(kit.cleaned(sample(name)))
        assert not any(part.startswith(("customXml/", "docProps/thumb", "docProps/custom", "word/people")) for part in content)
        for part, text in content.items():
            if part.endswith(".rels"):
                assert b"thumbnail" not in text
                assert b"people" not in text
                assert b"printerSettings" not in text
        assert not any(
            word in content["[Content_Types].xml"] for word in (b"custom-properties", b"people", b"printerSettings1.bin")
        )


def test_a_part_that_is_still_spoken_of_stays() -> None:
    """Custom data whose id stands where no rule reaches cannot go; the finding says that it is stuck."""
    data = kit.altered(sample("docx"), {"word/document.xml": kit.parts(sample("docx"))["word/document.xml"].replace(
        b"<w:t>Seen", b'<w:unknown r:id="rId5"/><w:t>Seen')})  # fmt: skip
    fates = {one.code: one.fate for one in kit.seen(data) if isinstance(one, Finding)}
    assert fates["ooxml.custom-data"] is Fate.STUCK
    assert "customXml/item1.xml" in kit.parts(kit.cleaned(data))


def test_evidence_of_the_layout() -> None:
    """A picture only in a header is furniture of the page; a cropped one still holds what was cut off."""
    (cropped,) = kit.members(sample("docx"))
    assert cropped.codes == {"document.cropped"}
    assert any(isinstance(one, Finding) and one.code == "ooxml.cropped-picture" for one in kit.seen(sample("docx")))
    content = kit.parts(sample("docx"))
    header = {
        "word/_rels/header1.xml.rels": relations(("image", "media/inner1.jpg", "")).encode(),
        "word/header1.xml": content["word/comments.xml"],
        "word/_rels/document.xml.rels": content["word/_rels/document.xml.rels"].replace(b"media/inner1.jpg", b"settings.xml"),
    }
    (logo,) = kit.members(kit.altered(sample("docx"), header))
    assert "document.header-footer" in logo.codes


@pytest.mark.parametrize("name", ("odt", "odp"))
def test_clipped_pictures_of_opendocument(name: str) -> None:
    """fo:clip is a crop."""
    (member,) = kit.members(sample(name))
    assert member.codes == {"document.cropped"}


def test_a_picture_in_the_master_of_opendocument_is_furniture() -> None:
    """Letterheads stand in styles.xml."""
    content = kit.parts(sample("odt"))
    swapped = {"content.xml": content["styles.xml"], "styles.xml": content["content.xml"]}
    (member,) = kit.members(kit.altered(sample("odt"), swapped))
    assert "document.header-footer" in member.codes


def test_fields_that_show_a_property_keep_what_they_show() -> None:
    """The title on the page does not vanish with the title in the properties."""
    assert b'<text:title text:fixed="true">Shown title</text:title>' in kit.parts(kit.cleaned(sample("odt")))["content.xml"]
    assert b'<text:title text:fixed="true">Shown title</text:title>' in kit.cleaned(sample("fodt"))


def _field(instruction: str, result: str) -> str:
    marks = [f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")]
    return f"{marks[0]}{instruction}{marks[1]}<w:r><w:t>{result}</w:t></w:r>{marks[2]}"


def _instruction(*pieces: str) -> str:
    return "".join(f"<w:r><w:instrText>{piece}</w:instrText></w:r>" for piece in pieces)


@pytest.mark.parametrize(
    ("field", "gone"),
    (
        ('<w:fldSimple w:instr=" TITLE \\* MERGEFORMAT "><w:r><w:t>shown</w:t></w:r></w:fldSimple>', True),
        ('<w:fldSimple w:instr=" PAGE "><w:r><w:t>shown</w:t></w:r></w:fldSimple>', False),
        (_field(_instruction(" DOC", "PROPERTY Number"), "shown"), True),
        (_field(_instruction("PAGE"), "shown"), False),
        (_field(_instruction("IF ") + _field(_instruction("TITLE"), "x") + _instruction(" = 1"), "shown"), False),
    ),
)
def test_fields_of_word_that_show_a_property_become_text(field: str, gone: bool) -> None:
    """The number of a controlled document in its header does not become an error message, nor the title nothing."""
    document = kit.parts(kit.cleaned(docx(photo_jpeg(1, (48, 32)), "jpg", plain, field)))["word/document.xml"]
    assert b"<w:t>shown</w:t>" in document
    assert (b"fldChar" in document or b"fldSimple" in document) is not gone
    assert document.count(b'w:fldLock="true"') == field.count("TITLE</w:instr")
    assert document.count(b"<w:r>") == document.count(b"</w:r>")


def test_paths_in_the_instructions_of_fields_go() -> None:
    """A linked picture tells no folder; links to the web stay as they are."""
    local = _field(_instruction(' INCLUDEPICTURE "C:\\\\Users\\\\jo\\\\x.jpg" \\* MERGEFORMAT'), "shown")
    web = '<w:fldSimple w:instr="HYPERLINK &quot;https://example.org/&quot;"><w:r><w:t>shown</w:t></w:r></w:fldSimple>'
    document = kit.parts(kit.cleaned(docx(photo_jpeg(1, (48, 32)), "jpg", plain, local + web)))["word/document.xml"]
    assert b'INCLUDEPICTURE "removed" \\* MERGEFORMAT' in document
    assert web.encode() in document


def test_content_bound_to_removed_data_stays() -> None:
    """Word would show the empty property in place of the words on the page: the binding goes with the data."""
    bound = (
        b'<w:sdt><w:sdtPr><w:dataBinding w:xpath="/a" w:storeItemID="{6C3C8BC8}"/></w:sdtPr>'
        b"<w:sdtContent><w:r><w:t>Title</w:t></w:r></w:sdtContent></w:sdt>"
    )
    out = kit.cleaned(docx(photo_jpeg(1, (48, 32)), "jpg", plain, bound.decode()))
    document = kit.parts(out)["word/document.xml"]
    assert b"dataBinding" not in document
    assert b"<w:t>Title</w:t>" in document


def test_the_program_that_lays_out_the_rows_stays() -> None:
    """LibreOffice believes heights of rows only from programs it knows; nothing else of the properties stays."""
    app = b"".join(
        (
            b'<Properties xmlns="x"><Application>Microsoft Excel</Application><Company>Ward 7</Company>',
            b"<AppVersion>16.0300</AppVersion></Properties>",
        )
    )
    out = kit.cleaned(kit.altered(sample("xlsx"), {"docProps/app.xml": app}))
    kept = kit.parts(out)["docProps/app.xml"]
    assert b"<Application>Microsoft Excel</Application><AppVersion>16.0300</AppVersion></Properties>" in kept
    assert b"Ward" not in kept


def test_links_to_file_servers_stay() -> None:
    """Colleagues may follow them; links into somebody's computer go."""
    links = relations(("hyperlink", "file:///C:/Users/jo/x.docx", "External"),
                      ("hyperlink", "file://server/share/guide.pdf", "External"),
                      ("hyperlink", "https://example.org/", "External"), ("image", "media/inner1.jpg", ""))  # fmt: skip
    out = kit.parts(kit.cleaned(kit.altered(sample("docx"), {"word/_rels/comments.xml.rels": links.encode()})))
    kept = out["word/_rels/comments.xml.rels"]
    assert b"Users" not in kept
    assert b"file://server/share/guide.pdf" in kept
    assert b"https://example.org/" in kept


# ---- where pictures hide


def test_pictures_are_found_by_their_bytes_wherever_they_stand() -> None:
    """A printer's settings, a font, XML or a part without a type: the name does not matter."""
    picture = photo_png(1, (20, 16))
    text = base64.b64encode(picture)
    assert text in [one.data for one in kit.members(kit.altered(sample("docx"), {"word/printerSettings1.bin": text}))]
    for name in (
        "word/printerSettings1.bin",
        "word/fonts/font1.odttf",
        "word/theme/theme1.xml",
        "customXml/item9.xml",
        "word/any.dat",
    ):
        assert picture in [one.data for one in kit.members(kit.altered(sample("docx"), {name: picture}))], name


def test_embedded_documents_are_members() -> None:
    """A workbook in a letter is opened by whoever walks the tree."""
    inner = sample("xlsx")
    assert inner in [one.data for one in kit.members(CONTAINERS["docx"](inner, "xlsx", plain))]


@pytest.mark.parametrize("name", ("wordml", "fodt", "docx"))
def test_documents_in_one_file_are_members_too(name: str) -> None:
    """They are XML in a package of XML, and documents all the same."""
    inner = sample(name)
    ext = "docx" if name == "docx" else "xml"
    assert [one.data for one in kit.members(CONTAINERS["docx"](inner, ext, plain))] == [inner]


def test_a_large_thumbnail_is_a_picture() -> None:
    """What is called a thumbnail and is none is looked at."""
    large = photo_jpeg(3, (640, 480)) + bytes(70_000)
    assert large in [one.data for one in kit.members(kit.altered(sample("docx"), {"docProps/thumbnail.jpeg": large}))]


def test_pictures_written_into_xml() -> None:
    """binData and data: URIs in parts of a package are members and are written back in lines as they were."""
    lines = base64.encodebytes(jpeg_with_canaries("CANARY-inline", size=(40, 24))).decode()
    body = f'<w:pict><w:binData w:name="x">{lines}</w:binData></w:pict>'
    data = docx(photo_jpeg(1, (48, 32)), "jpg", plain, body)
    keys = {one.key for one in kit.members(data)}
    assert any("/blob@" in key for key in keys)
    out = kit.cleaned(data)
    assert all(b"CANARY-inline" not in one.data for one in kit.members(out))
    written = kit.parts(out)["word/document.xml"].partition(b"<w:binData")[2].partition(b"</w:binData>")[0]
    assert {len(line) for line in written.split(b"\n")[1:-2]} == {76}


def test_base64_in_the_text_is_held() -> None:
    """A picture pasted as base64 is found, and cannot be written back."""
    text = base64.b64encode(photo_jpeg(1, (64, 48))).decode()
    assert kit.blocked(docx(photo_jpeg(1, (48, 32)), "jpg", plain, f"<w:r><w:t>{text}</w:t></w:r>")) == {"text.base64-image"}


def test_shapes_without_pictures_are_no_members() -> None:
    """Word keeps copies of its shapes as packages in an attribute; only those with a picture are worth a look."""
    lean = kit.altered(sample("docx"), {name: None for name in kit.parts(sample("docx")) if not name.endswith((".xml", ".rels"))})
    for copy, found in ((lean, 0), (sample("docx"), 1)):
        shape = f'<v:shape xmlns:v="urn:schemas-microsoft-com:vml" o:gfxdata="{base64.b64encode(copy).decode()}"/>'
        data = docx(photo_jpeg(1, (48, 32)), "jpg", plain, shape)
        assert len(kit.members(data)) == 1 + found


def test_charts_of_opendocument_have_harmless_previews() -> None:
    """A StarView metafile of lines is no picture; one with a bitmap in it is a member."""
    head = b"VCLMTF" + struct.pack("<HI", 1, 4) + bytes(4)
    line, bitmap = struct.pack("<HHI", 102, 1, 2) + bytes(2), struct.pack("<HHI", 116, 1, 2) + bytes(2)
    for body, found in ((line, 1), (line + bitmap, 2), (line[:-1], 2)):
        assert len(kit.members(kit.altered(sample("odt"), {"ObjectReplacements/Object 1": head + body}))) == found
