"""PDF: every picture and file in it is seen, what is hidden goes, and pages stay as they were."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Callable

import pikepdf
import pytest

from filters import tree
from filters.api import (
    STRICT,
    Blocked,
    Budget,
    Cleaning,
    Encrypted,
    Fate,
    Finding,
    Malformed,
    Member,
    Nature,
    OpaqueReason,
    Seen,
    Unsupported,
)
from filters.catalogue import CODES
from filters.jpeg.scrubber import JPEG
from filters.pdf.opener import PDF
from tests.support.canaries import METADATA, judge
from tests.support.canary_images import jpeg_with_canaries, photo_jpeg, photo_png
from tests.support.samples.pdf import CONTAINERS, HEADER, Paper, attached, drawn, image, page, samples

pytestmark = pytest.mark.unit

PLAIN = Cleaning(properties=False, authors=False, revisions=False, previews=False)


def seen(data: bytes, cleaning: Cleaning = STRICT) -> list[Seen]:
    return list(PDF.open(data, Budget(), cleaning))


def members(data: bytes) -> dict[str, Member]:
    return {one.key: one for one in seen(data) if isinstance(one, Member)}


def removed(data: bytes, cleaning: Cleaning = STRICT) -> set[str]:
    return {one.code for one in seen(data, cleaning) if isinstance(one, Finding) and one.fate is Fate.REMOVED}


def codes(data: bytes) -> set[str]:
    return {one.code for one in seen(data) if not isinstance(one, Member)}


def rebuilt(data: bytes, changes: dict[str, bytes] | None = None, names: dict[str, str] | None = None) -> bytes:
    return PDF.rebuild(data, changes or {}, names or {}, Budget())


def cleaned(data: bytes) -> bytes:
    tools = tree.Tools()
    return tree.clean(data, tree.examine(data, tools, Budget()), tools, Budget()).data


def placer() -> Callable[[str], str]:
    return lambda what: f"{METADATA}{what.replace(' ', '-')}"


# ---- the contract


@pytest.mark.parametrize("variant", CONTAINERS)
@pytest.mark.parametrize("extension", ["jpg", "eml"])
def test_nothing_that_the_document_says_of_itself_survives(variant: str, extension: str) -> None:
    """No canary of any place is left after a rebuild, no REMOVED finding either, and a second rebuild changes nothing."""
    inner = jpeg_with_canaries("CANARY-J", size=(40, 24)) if extension == "jpg" else b"Subject: x\n\nhello\n"
    data = CONTAINERS[variant](inner, extension, placer())
    assert judge()(data) is not None
    done = cleaned(data) if extension == "jpg" else rebuilt(data)
    assert judge()(done) is None
    assert removed(done) == set()
    assert rebuilt(done) == done
    assert rebuilt(data) == rebuilt(data)


@pytest.mark.parametrize("variant", CONTAINERS)
def test_what_stands_inside_is_found_byte_for_byte(variant: str) -> None:
    for extension, inner in (("jpg", photo_jpeg(3, (40, 24))), ("zip", b"PK\x05\x06" + bytes(18))):
        data = CONTAINERS[variant](inner, extension, placer())
        assert inner in [one.data for one in members(data).values()]


@pytest.mark.parametrize("variant", CONTAINERS)
def test_findings_are_codes_and_structural_places(variant: str) -> None:
    data = CONTAINERS[variant](photo_jpeg(3, (40, 24)), "jpg", placer())
    for one in seen(data):
        if isinstance(one, Finding):
            assert one.code in CODES
            assert METADATA not in one.where
        assert METADATA not in repr(one)


def test_a_member_nobody_knows_is_an_error() -> None:
    with pytest.raises(Malformed):
        rebuilt(drawn(photo_jpeg(1, (40, 24))), {"obj 99 0": b"\xff\xd8\xff"})


# ---- pictures


def test_a_jpeg_is_replaced_under_the_same_dictionary() -> None:
    """Width, height, colour space, decode array and parameters stay; only the stream is new."""
    jpeg = jpeg_with_canaries("CANARY-J", size=(40, 24))
    paper = Paper()
    entries = "/Decode [1 0 1 0 1 0] /DecodeParms << /ColorTransform 1 >> /Interpolate true"
    number = image(paper, jpeg, entries)
    page(paper, b"q 400 0 0 300 50 400 cm /Im0 Do Q", f"/XObject << /Im0 {number} 0 R >>")
    clean = JPEG.scrub(jpeg).data
    done = rebuilt(paper.write(), {"obj 1 0": clean})
    with pikepdf.open(io.BytesIO(done)) as pdf:
        stream = pdf.pages[0].Resources.XObject.Im0
        assert stream.read_raw_bytes() == clean
        assert [int(value) for value in stream.Decode] == [1, 0, 1, 0, 1, 0]
        assert stream.DecodeParms.ColorTransform == 1
        assert stream.Filter == pikepdf.Name.DCTDecode


@pytest.mark.parametrize("coding", ["ASCII85Decode", "ASCIIHexDecode", "FlateDecode"])
def test_a_jpeg_behind_another_filter_is_got_out(coding: str) -> None:
    jpeg = jpeg_with_canaries("CANARY-J", size=(40, 24))
    wrapped = {
        "ASCII85Decode": base64.a85encode(jpeg) + b"~>",
        "ASCIIHexDecode": jpeg.hex().encode() + b">",
        "FlateDecode": zlib.compress(jpeg),
    }[coding]
    paper = Paper()
    number = paper.stream(
        wrapped,
        f"/Subtype /Image /Width 40 /Height 24 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter [/{coding} /DCTDecode]",
    )
    page(paper, b"q 400 0 0 300 50 400 cm /Im0 Do Q", f"/XObject << /Im0 {number} 0 R >>")
    data = paper.write()
    assert members(data)["obj 1 0"].data == jpeg
    assert judge()(cleaned(data)) is None


def test_space_around_a_jpeg_is_not_part_of_it() -> None:
    """Writers leave a line end behind EOI; that is no hidden data."""
    jpeg = photo_jpeg(1, (40, 24))
    paper = Paper()
    paper.stream(b"\r\n" + jpeg + b"\n", "/Subtype /Image /Width 40 /Height 24 /Filter /DCTDecode")
    page(paper, b"", "/XObject << /Im0 1 0 R >>")
    assert members(paper.write())["obj 1 0"].data == jpeg


def test_samples_are_described_and_not_decoded() -> None:
    paper = Paper()
    samples(paper, 300, 200)
    page(paper, b"", "/XObject << /Im0 1 0 R >>")
    one = members(paper.write())["obj 1 0"]
    assert one.info is not None
    assert (one.info.width, one.info.height, one.info.bits, one.info.nature) == (300, 200, 8, Nature.PHOTO)
    assert one.inline


def test_a_bilevel_sheet_is_a_page_and_a_palette_has_its_colours() -> None:
    paper = Paper()
    samples(paper, 1240, 1754, bits=1)
    paper.packed(
        bytes(100), "/Subtype /Image /Width 10 /Height 10 /BitsPerComponent 8 /ColorSpace [/Indexed /DeviceRGB 3 (abcdefghijkl)]"
    )
    page(paper, b"q 595 0 0 842 0 0 cm /Im0 Do Q", "/XObject << /Im0 1 0 R /Im1 2 0 R >>")
    found = members(paper.write())
    sheet, drawing = found["obj 1 0"].info, found["obj 2 0"].info
    assert sheet is not None
    assert sheet.nature is Nature.PAGE
    assert "pdf.full-page" in found["obj 1 0"].codes
    assert drawing is not None
    assert drawing.colours == 4


def test_equal_pictures_are_one_member_and_all_are_replaced() -> None:
    jpeg = jpeg_with_canaries("CANARY-J", size=(40, 24))
    paper = Paper()
    for _ in range(3):
        image(paper, jpeg)
    page(paper, b"", "/XObject << /A 1 0 R /B 2 0 R /C 3 0 R >>")
    data = paper.write()
    assert [one.data for one in members(data).values()] == [jpeg]
    assert judge()(cleaned(data)) is None


def test_a_jpeg_mask_is_seen_and_bare_masks_belong_to_their_picture() -> None:
    jpeg = photo_jpeg(1, (40, 24))
    paper = Paper()
    mask = image(paper, jpeg)
    bare = samples(paper, 40, 24)
    paper.packed(
        bytes(2880), f"/Subtype /Image /Width 40 /Height 24 /ColorSpace /DeviceRGB /BitsPerComponent 8 /SMask {mask} 0 R"
    )
    paper.packed(
        bytes(960), f"/Subtype /Image /Width 40 /Height 24 /ColorSpace /DeviceGray /BitsPerComponent 8 /SMask {bare} 0 R"
    )
    page(paper, b"", "/XObject << /A 3 0 R /B 4 0 R >>")
    assert set(members(paper.write())) == {"obj 1 0", "obj 3 0", "obj 4 0"}


def test_a_mask_that_a_page_also_draws_is_a_picture() -> None:
    paper = Paper()
    drawn_too = samples(paper, 400, 300)
    paper.packed(
        bytes(3), f"/Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceRGB /BitsPerComponent 8 /SMask {drawn_too} 0 R"
    )
    page(paper, b"/B Do", f"/XObject << /A 2 0 R /B {drawn_too} 0 R >>")
    assert "obj 1 0" in members(paper.write())


@pytest.mark.parametrize("where", ["pattern", "glyph", "annotation", "soft mask", "nowhere", "alternate", "thumbnail"])
def test_a_picture_is_seen_wherever_it_hangs(where: str) -> None:
    jpeg = photo_jpeg(1, (40, 24))
    paper = Paper()
    number = image(paper, jpeg)
    use = f"/Resources << /XObject << /Im0 {number} 0 R >> >>"
    form = paper.packed(b"/Im0 Do", f"/Type /XObject /Subtype /Form /BBox [0 0 1 1] {use}")
    resources, entries = "", ""
    if where == "pattern":
        pattern = paper.packed(b"/Im0 Do", f"/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 1 /YStep 1 {use}")
        resources = f"/Pattern << /P0 {pattern} 0 R >>"
    elif where == "glyph":
        resources = f"/Font << /F0 << /Type /Font /Subtype /Type3 /CharProcs << /a {form} 0 R >> {use} >> >>"
    elif where == "annotation":
        entries = f"/Annots [<< /Type /Annot /Subtype /Stamp /Rect [0 0 9 9] /AP << /N {form} 0 R >> >>]"
    elif where == "soft mask":
        resources = f"/ExtGState << /G0 << /SMask << /S /Luminosity /G {form} 0 R >> >> >>"
    elif where == "alternate":
        other = paper.packed(
            bytes(12), f"/Subtype /Image /Width 2 /Height 2 /BitsPerComponent 8 /Alternates [<< /Image {number} 0 R >>]"
        )
        resources = f"/XObject << /Im1 {other} 0 R >>"
    elif where == "thumbnail":
        entries = f"/Thumb {number} 0 R"
    page(paper, b"q Q", resources, entries)
    assert jpeg in [one.data for one in members(paper.write()).values()]


def test_small_and_full_page_pictures_are_told_apart() -> None:
    """Small only when every page shows it small and nothing else uses it."""
    paper = Paper()
    logo, scan, both, hidden = (samples(paper, 60 + i, 60) for i in range(4))
    content = (
        b"q 60 0 0 60 20 700 cm /L Do Q q 595 0 0 842 0 0 cm /S Do Q q 50 0 0 50 0 0 cm /B Do Q"
        b" q .5 0 0 .5 0 0 cm 900 0 0 800 0 0 cm /B Do Q (a /S Do) Tj q 30 0 0 30 0 0 cm /H Do Q"
    )
    names = f"/L {logo} 0 R /S {scan} 0 R /B {both} 0 R /H {hidden} 0 R"
    pattern = paper.packed(b"/H Do", f"/PatternType 1 /Resources << /XObject << /H {hidden} 0 R >> >>")
    page(paper, content, f"/XObject << {names} >> /Pattern << /P {pattern} 0 R >>")
    found = members(paper.write())
    assert [sorted(found[f"obj {n} 0"].codes) for n in (logo, scan, both, hidden)] == [[], ["pdf.full-page"], [], []]
    alone = Paper()
    number = samples(alone, 60, 60)
    page(alone, b"q 60 0 0 60 20 700 cm /L Do Q", f"/XObject << /L {number} 0 R >>")
    assert members(alone.write())["obj 1 0"].codes == {"pdf.small-on-page"}


def test_a_photograph_cut_into_strips_is_not_small() -> None:
    """Every strip is under 25 square centimetres, all together are not."""
    paper = Paper()
    strips = [samples(paper, 300 + i, 8) for i in range(20)]
    content = b"".join(b"q 400 0 0 15 50 %d cm /S%d Do Q " % (100 + 15 * i, i) for i in range(20))
    page(paper, content, "/XObject << " + " ".join(f"/S{i} {number} 0 R" for i, number in enumerate(strips)) + " >>")
    assert not any("pdf.small-on-page" in one.codes for one in members(paper.write()).values())


# ---- inline pictures


def inline_document(*pictures: bytes) -> bytes:
    paper = Paper()
    page(paper, b" ".join([b"BT (BI not here) Tj ET q", *pictures, b"Q"]), "")
    return paper.write()


def test_inline_pictures_are_seen_and_jpegs_replaced() -> None:
    jpeg = jpeg_with_canaries("CANARY-J", size=(40, 24))
    grey = b"BI /W 300 /H 2 /CS /G /BPC 8 ID " + bytes(range(200)) * 3 + b"\nEI"
    coded = b"BI /W 40 /H 24 /CS /RGB /BPC 8 /F /DCT ID " + jpeg + b"\nEI"
    packed = b"BI /W 40 /H 24 /F [/A85 /DCT] /CS /RGB ID " + base64.a85encode(jpeg) + b"~>\nEI"
    data = inline_document(grey, coded, packed)
    found = members(data)
    assert list(found) == [f"obj 1 0 inline {n}" for n in range(3)]
    assert found["obj 1 0 inline 1"].data == found["obj 1 0 inline 2"].data == jpeg
    done = cleaned(data)
    assert judge()(done) is None
    clean = JPEG.scrub(jpeg).data
    assert [one.data for one in members(done).values()] == [found["obj 1 0 inline 0"].data, clean, clean]


def test_letters_made_of_pictures_are_only_noted_but_a_page_of_them_is_a_picture() -> None:
    """Fonts of pictures (TeX, old scanners) have thousands of small masks."""
    glyph = b"BI /W 24 /H 30 /IM true /BPC 1 ID " + bytes(90) + b"\nEI"
    data = inline_document(*[glyph] * 50)
    assert members(data) == {}
    assert "pdf.stencil" in codes(data)
    (one,) = members(inline_document(*[glyph] * 900)).values()
    assert one.info is not None
    assert one.info.nature is Nature.PAGE


@pytest.mark.parametrize("first_part", [b"q BI", b"q BI\n"])
def test_a_picture_torn_between_two_streams_of_a_page_is_not_overlooked(first_part: bytes) -> None:
    paper = Paper()
    first = paper.packed(first_part)
    second = paper.packed(b"/W 30 /H 30 /CS /RGB /BPC 8 ID " + b"def" * 900 + b"\nEI Q")
    page(paper, b"", "")
    paper.objects[5] = paper.objects[5].replace(b"/Contents 3 0 R", b"/Contents [%d 0 R %d 0 R]" % (first, second))
    assert "pdf.inline-unreadable" in codes(paper.write())


# ---- files


def test_attachments_are_members_with_their_names_and_can_be_replaced_and_renamed() -> None:
    paper = Paper()
    catalog = attached(paper, photo_jpeg(1, (40, 24)), "Erika Mustermann.jpg", "CANARY-D")
    page(paper, b"q Q", "", catalog=catalog)
    data = paper.write()
    (one,) = members(data).values()
    assert (one.name, one.data) == ("Erika Mustermann.jpg", photo_jpeg(1, (40, 24)))
    done = rebuilt(data, {one.key: b"\xff\xd8new"}, {one.key: "img-1of1.jpg"})
    assert b"Mustermann" not in done
    (other,) = members(done).values()
    assert (other.name, other.data) == ("img-1of1.jpg", b"\xff\xd8new")
    with pikepdf.open(io.BytesIO(done)) as pdf:
        assert pdf.attachments["img-1of1.jpg"].get_file().read_bytes() == b"\xff\xd8new"


def test_a_file_in_a_stream_of_no_known_kind_is_a_member() -> None:
    """An office program leaves the document there from which it made this one (hybrid PDF)."""
    inner = b"PK\x05\x06" + bytes(18)
    inner_zip = b"PK\x03\x04" + inner
    paper = Paper()
    number = paper.stream(inner_zip)
    page(paper, b"q Q", "")
    paper.trailer += f" /AdditionalStreams [/odt {number} 0 R]"
    data = paper.write()
    assert members(data)["obj 1 0 file"].data == inner_zip
    assert members(rebuilt(data, {"obj 1 0 file": inner_zip + b"x"})).popitem()[1].data == inner_zip + b"x"


def test_form_data_and_scripts_are_members_of_text() -> None:
    paper = Paper()
    packet = paper.packed(b"<xdp:xdp><image>" + base64.b64encode(photo_jpeg(1, (60, 40))) + b"</image></xdp:xdp>")
    page(
        paper,
        b"q Q",
        "",
        catalog=f"/AcroForm << /Fields [] /XFA [(datasets) {packet} 0 R] >> /OpenAction << /S /JavaScript /JS (x=1) >>",
    )
    found = members(paper.write())
    assert found["scripts"].data == b"x=1"
    assert found["form data"].data.startswith(b"<xdp:xdp>")
    node = tree.examine(paper.write(), tree.Tools(), Budget())
    assert any(child.opaque is not None for child in node.children)


def test_previews_in_packets_are_members_and_go() -> None:
    small = photo_jpeg(1, (60, 40))
    text = base64.b64encode(small).replace(b"A", b"A&#xA;", 3)
    paper = Paper()
    packet = paper.stream(b"<rdf><xmpGImg:image>" + text + b"</xmpGImg:image></rdf>", "/Type /Metadata /Subtype /XML")
    page(paper, b"q Q", "", catalog=f"/Metadata {packet} 0 R")
    data = paper.write()
    assert members(data)["packet 1 0 0"].data == small
    assert members(rebuilt(data, {"packet 1 0 0": b"\xff\xd8"})) == {}
    assert members(PDF.rebuild(data, {}, {}, Budget(), Cleaning(properties=False))) == {}


# ---- what is hidden


def test_a_picture_of_an_earlier_revision_is_seen_and_goes() -> None:
    """A mistake of other tools: earlier revisions survive."""
    jpeg = photo_jpeg(4, (60, 40))
    data = CONTAINERS["pdf-revised"](jpeg, "jpg", placer())
    assert jpeg in [one.data for one in members(data).values()]
    assert removed(data) >= {"pdf.earlier-revision", "pdf.hidden-stream"}
    done = rebuilt(data)
    assert jpeg not in done
    assert done.count(b"startxref") == 1


def test_an_object_of_no_table_is_seen() -> None:
    jpeg = photo_jpeg(4, (60, 40))
    hidden = Paper()
    image(hidden, jpeg)
    body = b"77 0 obj\n" + hidden.objects[1] + b"\nendobj\n"
    data = drawn(photo_jpeg(1, (40, 24)))
    before, _, after = data.rpartition(b"xref\n0 1")
    moved = before + body + b"xref\n0 1" + after
    place = before.__len__() + len(body)
    moved = moved.replace(b"startxref\n%d" % len(before), b"startxref\n%d" % place)
    assert jpeg in [one.data for one in members(moved).values()]
    assert jpeg not in rebuilt(moved)


@pytest.mark.parametrize("place", ["front", "between", "behind"])
def test_a_picture_between_the_objects_is_seen(place: str) -> None:
    jpeg = photo_jpeg(4, (60, 40))
    data = drawn(photo_jpeg(1, (40, 24)))
    hidden = {"front": jpeg[:900] + data, "between": data.replace(HEADER, HEADER + jpeg, 1), "behind": data + jpeg}[place]
    found = [one for one in seen(hidden) if isinstance(one, Member) and one.key.startswith("gap@")]
    assert found
    assert found[0].data.startswith(jpeg[:900])


def test_a_picture_inside_a_stream_that_is_none_is_blocked() -> None:
    paper = Paper()
    paper.packed(b"some font data " + photo_png(1, (30, 20)), "/Length1 15")
    page(paper, b"q Q", "/Font << /F0 << /FontDescriptor << /FontFile2 1 0 R >> >> >>")
    assert Blocked("pdf.hidden-image") in seen(paper.write())


def test_a_picture_that_only_an_encrypted_earlier_state_shows_is_seen() -> None:
    jpeg = photo_jpeg(4, (60, 40))
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(drawn(jpeg))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="", R=4, aes=True), static_id=True)
    old = out.getvalue()
    with pikepdf.open(io.BytesIO(old)) as pdf:
        number = pdf.pages[0].Resources.XObject.Im0.objgen[0]
        root, sealing = pdf.trailer.Root.objgen[0], pdf.trailer.get("/Encrypt").objgen[0]
        identity = bytes(pdf.trailer.ID[0]).hex()
    update = Paper(trailer=f"/Root {root} 0 R /Encrypt {sealing} 0 R /ID [<{identity}> <{identity}>]")
    update.objects[number] = b"null"
    place = int(old.rpartition(b"startxref")[2].split()[0])
    data = update.write(old, place)
    assert jpeg in [one.data for one in members(data).values()]


# ---- metadata by choice


def test_the_policy_chooses_what_goes() -> None:
    data = CONTAINERS["pdf"](photo_jpeg(1, (40, 24)), "jpg", placer())
    assert removed(data, PLAIN) & {"pdf.info", "pdf.xmp", "pdf.thumbnail", "pdf.annotation-author", "pdf.javascript"} == set()
    kept = PDF.rebuild(data, {}, {}, Budget(), PLAIN)
    assert b"CANARY-author" in kept
    assert b"CANARY-annotation-author" in kept
    assert removed(kept, PLAIN) == set()


def test_names_of_fields_and_values_of_forms_stay() -> None:
    paper = Paper()
    field = paper.add("<< /Type /Annot /Subtype /Widget /FT /Tx /T (ward) /V (seven) /M (D:2026) /Rect [0 0 9 9] >>")
    page(paper, b"q Q", "", f"/Annots [{field} 0 R]", f"/AcroForm << /Fields [{field} 0 R] >>")
    with pikepdf.open(io.BytesIO(rebuilt(paper.write()))) as pdf:
        kept = pdf.Root.AcroForm.Fields[0]
        assert (str(kept.T), str(kept.V)) == ("ward", "seven")


def test_a_resource_called_like_metadata_stays() -> None:
    """/XObject << /Thumb … /PieceInfo … >> are names of pictures, not metadata."""
    paper = Paper()
    number = samples(paper)
    page(
        paper,
        b"/Thumb Do /PieceInfo Do",
        f"/XObject << /Thumb {number} 0 R /PieceInfo {number} 0 R /LastModified {number} 0 R >>",
    )
    with pikepdf.open(io.BytesIO(rebuilt(paper.write()))) as pdf:
        assert set(pdf.pages[0].Resources.XObject.keys()) == {"/Thumb", "/PieceInfo", "/LastModified"}


# ---- signed, encrypted, damaged


def test_a_signed_document_is_never_rebuilt() -> None:
    paper = Paper()
    signature = paper.add("<< /Type /Sig /Filter /Adobe.PPKLite /ByteRange [0 1 2 3] /Contents <00> >>")
    field = paper.add(f"<< /FT /Sig /T (s) /V {signature} 0 R >>")
    page(paper, b"q Q", "", catalog=f"/AcroForm << /Fields [{field} 0 R] /SigFlags 3 >>")
    data = paper.write()
    assert Finding("pdf.signed", "file", Fate.KEPT) in seen(data)
    with pytest.raises(Unsupported, match="signed"):
        rebuilt(data)


def test_an_empty_signature_field_is_no_signature() -> None:
    paper = Paper()
    field = paper.add("<< /FT /Sig /T (s) >>")
    page(paper, b"q Q", "", catalog=f"/AcroForm << /Fields [{field} 0 R] >>")
    assert "pdf.signed" not in codes(paper.write())


def encrypted(user: str, revision: int) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(drawn(jpeg_with_canaries("CANARY-J", size=(40, 24))))) as pdf:
        pdf.save(
            out, encryption=pikepdf.Encryption(owner="owner", user=user, R=revision, aes=revision > 3, metadata=revision > 3)
        )  # type: ignore[arg-type]  # R is a Literal
    return out.getvalue()


def test_a_password_means_encrypted() -> None:
    with pytest.raises(Encrypted):
        seen(encrypted("secret", 6))


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_a_document_that_opens_without_a_password_is_cleaned_and_keeps_its_permissions(revision: int) -> None:
    data = encrypted("", revision)
    found = members(data)
    clean = {key: JPEG.scrub(one.data).data for key, one in found.items()}
    done = rebuilt(data, clean)
    with pikepdf.open(io.BytesIO(done)) as pdf, pikepdf.open(io.BytesIO(data)) as before:
        assert pdf.is_encrypted
        assert pdf.encryption.P == before.encryption.P
    assert [one.data for one in members(done).values()] == list(clean.values())
    assert removed(done) == set()


def test_a_repaired_file_says_so() -> None:
    data = drawn(photo_jpeg(1, (40, 24)))
    broken = data.replace(b"startxref\n", b"startxref\n9")
    assert "pdf.repaired" in codes(broken)
    assert len(members(broken)) == 1


@pytest.mark.parametrize("data", [b"", b"BM picture", b"\x89PNG\r\n\x1a\n"])
def test_a_stream_that_is_not_what_its_filter_names_is_opaque(data: bytes) -> None:
    paper = Paper()
    for coding in ("DCTDecode", "JPXDecode"):
        paper.stream(data, f"/Subtype /Image /Width 40 /Height 24 /Filter /{coding}")
    page(paper, b"BI /W 40 /H 24 /F /DCT ID abc\nEI", "/XObject << /Im0 1 0 R /Im1 2 0 R >>")
    assert [one.opaque for one in members(paper.write()).values()] == [OpaqueReason.CORRUPT] * 3


def test_a_damaged_jpeg_is_opaque_where_it_stands() -> None:
    paper = Paper()
    paper.stream(b"\xff", "/Subtype /Image /Width 40 /Height 24 /Filter [/JBIG2Decode /DCTDecode]")
    page(paper, b"", "/XObject << /Im0 1 0 R >>")
    assert members(paper.write())["obj 1 0"].opaque is OpaqueReason.NOT_SUPPORTED


def test_colour_profiles_lose_their_words_and_keep_their_colours() -> None:
    profile = _profile(b"CANARY-ICC of ward seven")
    paper = Paper()
    number = paper.packed(profile, "/N 3")
    paper.packed(bytes(2880), f"/Subtype /Image /Width 40 /Height 24 /BitsPerComponent 8 /ColorSpace [/ICCBased {number} 0 R]")
    page(paper, b"", "/XObject << /Im0 2 0 R >>")
    data = paper.write()
    assert "icc.text" in removed(data)
    done = rebuilt(data)
    assert judge()(done) is None
    assert removed(done) == set()
    with pikepdf.open(io.BytesIO(done)) as pdf:
        new = pdf.pages[0].Resources.XObject.Im0.ColorSpace[1].read_bytes()
    assert _tag(new, b"rTRC") == _tag(profile, b"rTRC")


def _profile(words: bytes) -> bytes:
    from PIL import ImageCms

    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    place = made.index("sRGB".encode("utf-16-be"))
    wide = words[: len("sRGB built-in")].decode().encode("utf-16-be")
    return made[:place] + wide + made[place + len(wide) :]


def _tag(profile: bytes, name: bytes) -> bytes:
    at = profile.index(name, 128)
    offset, length = (int.from_bytes(profile[at + 4 + 4 * i : at + 8 + 4 * i], "big") for i in (0, 1))
    return profile[offset : offset + length]
