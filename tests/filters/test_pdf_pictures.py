"""PDF: every picture is seen wherever it hangs, and is replaced while the page keeps its looks."""

from __future__ import annotations

import base64
import io
import zlib

import pikepdf
import pytest

from filters.api import Nature
from filters.jpeg.scrubber import JPEG
from tests.support.canaries import judge
from tests.support.canary_images import jpeg_with_canaries, photo_jpeg
from tests.support.pdf_kit import cleaned, codes, members, rebuilt, removed
from tests.support.samples.pdf import Paper, image, page, samples

pytestmark = pytest.mark.unit


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


# ---- colour profiles


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
