"""PDF: every file in it is seen, what is hidden goes, what the policy keeps stays, and a signed one is left alone."""

from __future__ import annotations

import base64
import io

import pikepdf
import pytest

from filters import tree
from filters.api import Blocked, Budget, Cleaning, Encrypted, Fate, Finding, Malformed, Member, OpaqueReason, Unsupported
from filters.catalogue import CODES
from filters.jpeg.scrubber import JPEG
from filters.pdf.opener import PDF
from tests.support.canaries import METADATA, judge
from tests.support.canary_images import jpeg_with_canaries, photo_jpeg, photo_png
from tests.support.pdf_kit import cleaned, codes, members, placer, rebuilt, removed, seen
from tests.support.samples.pdf import CONTAINERS, HEADER, Paper, attached, drawn, image, page, samples

pytestmark = pytest.mark.unit

PLAIN = Cleaning(properties=False, authors=False, revisions=False, previews=False)


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
