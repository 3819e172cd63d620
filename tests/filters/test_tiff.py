"""TIFF and BigTIFF: pages, tags, strips and what hides between them; the facts that are read before."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image, ImageCms

from filters.api import Malformed, Nature
from filters.page import CODE
from filters.sniff import sniff
from filters.tiff.scrubber import BIGTIFF, TIFF
from tests.support import images_judged as judged
from tests.support.samples import tiff as sample
from tests.support.samples.tiff import ASCII, LONG, RATIONAL, SHORT, UNDEFINED, Builder, Page, fields, photo
from tests.support.tiffs import canary, codes, plain, scrub

pytestmark = pytest.mark.unit


def _tags(data: bytes) -> list[set[int]]:
    """Tags of each page of the chain, by Pillow."""
    with Image.open(io.BytesIO(data)) as image:
        found = []
        for index in range(image.n_frames):
            image.seek(index)
            found.append(set(image.tag_v2))
        return found


# ---- nothing is left


@pytest.mark.parametrize("name", sample.PICTURES)
def test_no_word_of_any_tag_gap_stream_or_thumbnail_survives(name: str) -> None:
    """Every place that can hold words holds a canary; none is in the output, and the same pages are shown."""
    data = sample.PICTURES[name](canary)
    cleaned = scrub(data).data
    assert b"CANARY" not in cleaned
    assert b"7QK3" not in cleaned
    assert sniff(cleaned).format == sniff(data).format
    if name not in ("tiff-thumbnail", "bigtiff-motorola"):  # Pillow reads no big-endian BigTIFF
        assert judged.decode(cleaned) == judged.decode(data)


@pytest.mark.parametrize("name", sample.CLEAN)
def test_a_file_of_samples_alone_comes_back_as_the_same_object(name: str) -> None:
    """What libtiff writes without metadata is not touched."""
    data = sample.CLEAN[name](canary)
    assert TIFF.scrub(data).data is data


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True), (">", True)])
def test_byte_order_and_version_stay_and_samples_are_copied(order: str, big: bool) -> None:
    """The output is of the input's kind and holds the samples byte for byte."""
    data = plain({270: (ASCII, "words that go")}, order, big)
    cleaned = scrub(data).data
    assert cleaned[:4] == data[:4]
    assert photo().tobytes() in cleaned
    assert b"words that go" not in cleaned


def test_both_names_clean_either_version() -> None:
    """The registry's two entries are one scrubber."""
    assert (TIFF.name, BIGTIFF.name) == ("tiff", "bigtiff")
    data = plain({270: (ASCII, "words that go")}, big=True)
    assert BIGTIFF.scrub(data).data == TIFF.scrub(data).data


def test_orientation_and_resolution_stay() -> None:
    """A fax or a turned phone picture is shown as before."""
    with Image.open(io.BytesIO(scrub(plain({271: (ASCII, "Medcam")})).data)) as image:
        assert image.tag_v2[274] == 6
        assert (image.tag_v2[282], image.tag_v2[296]) == (300, 2)


def test_an_orientation_that_only_xmp_tells_is_kept_in_the_tag() -> None:
    """Programs turn the picture by XMP when the tag is missing."""
    told = fields()
    told.pop(274)
    packet = b'<x:xmpmeta><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
    data = Builder().file([Page(told | {700: (UNDEFINED, packet)}, (photo().tobytes(),))])
    assert TIFF.inspect(data).orientation == 8
    with Image.open(io.BytesIO(scrub(data).data)) as image:
        assert image.tag_v2[274] == 8


def test_the_colour_profile_is_kept_without_its_words() -> None:
    """Tag 34675 goes through the profile cleaner; colours stay."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = plain({34675: (UNDEFINED, profile)})
    result = scrub(data)
    assert {"icc.text", "icc.profile"} <= {finding.code for finding in result.findings}
    kept = judged.profile(result.data)
    assert kept is not None
    assert judged.transformed(kept, "RGB") == judged.transformed(profile, "RGB")


def test_a_damaged_profile_goes() -> None:
    """Colour management ignores it, so nothing is lost."""
    data = plain({34675: (UNDEFINED, b"Dr Example's own profile, not one at all")})
    assert "icc.damaged" in codes(data)
    assert 34675 not in _tags(scrub(data).data)[0]


@pytest.mark.parametrize("where", [b"words behind everything", b"\x01"])
def test_bytes_that_no_tag_refers_to_go(where: bytes) -> None:
    """Orphaned bytes do not survive a file that has nothing else to remove: rewrite, do not patch."""
    data = Builder().file([Page(fields(), (photo().tobytes(),))], where)
    result = scrub(data)
    assert "tiff.gap" in codes(data)
    assert not result.data.endswith(where)


def test_unused_bytes_of_an_inline_value_go() -> None:
    """A one-letter value leaves three bytes in its entry."""
    data = bytearray(plain())
    at = data.find(struct.pack("<HHIH", 259, SHORT, 1, 1))
    data[at + 10 : at + 12] = b"Zz"
    assert codes(bytes(data)) == {"tiff.gap"}
    assert b"Zz" not in scrub(bytes(data)).data


def test_a_word_in_a_tag_of_the_allow_list_goes() -> None:
    """A tag is kept for its numbers, in the kinds and counts that the specification gives it."""
    data = plain({296: (ASCII, "Smith, Jane"), 297: (ASCII, "p1"), 318: (UNDEFINED, b"words words words")})
    assert {296, 297, 318}.isdisjoint(_tags(scrub(data).data)[0])
    assert "tiff.damaged-tag" in codes(data)


# ---- pages


def test_every_page_stays() -> None:
    """mat2 cuts multi-page files to one page."""
    data = sample.PICTURES["tiff-pages"](canary)
    with Image.open(io.BytesIO(scrub(data).data)) as image:
        assert image.n_frames == 3
    assert TIFF.inspect(data).frames == 3


def _reduced(size: tuple[int, int]) -> Page:
    return Page(fields(size) | {254: (LONG, (1,))}, (photo(size).tobytes(),))


def test_a_thumbnail_page_goes_and_a_level_of_the_pyramid_stays() -> None:
    """Half the size is a level; another shape is a label, a macro or a thumbnail."""
    data = Builder().file([Page(fields(), (photo().tobytes(),)), _reduced((12, 8)), _reduced((9, 7)), _reduced((6, 4))])
    cleaned = scrub(data).data
    with Image.open(io.BytesIO(cleaned)) as image:
        sizes = []
        for index in range(image.n_frames):
            image.seek(index)
            sizes.append(image.tag_v2[256])
    assert sizes == [24, 12, 6]
    assert "tiff.thumbnail" in codes(data)


def test_the_paper_label_of_a_slide_goes_without_a_flag() -> None:
    """Scanners of slides add a photograph of the label with the patient's name; a page called macro in a letter stays."""
    tiles = fields((16, 16)) | {322: (SHORT, (16,)), 323: (SHORT, (16,))}
    tiles.pop(278)
    slide = Page(tiles, (photo((16, 16)).tobytes(),), tiled=True)
    label = Page(fields((10, 7)) | {270: (ASCII, "Aperio Image Library v11\nlabel 387x463")}, (photo((10, 7)).tobytes(),))
    macro = Page(fields((11, 7)) | {270: (ASCII, "Macro")}, (photo((11, 7)).tobytes(),))
    assert TIFF.inspect(scrub(Builder().file([slide, label, macro])).data).frames == 1
    letter = Page(fields(), (photo().tobytes(),))
    assert TIFF.inspect(scrub(Builder().file([letter, macro])).data).frames == 2


def test_a_thumbnail_alone_stays() -> None:
    """Without a full picture it is the picture."""
    data = Builder().file([_reduced((12, 8))])
    assert TIFF.scrub(data).data is data


def test_a_child_in_strips_is_a_preview_and_goes_but_tiles_stay() -> None:
    """SubIFDs: pyramids are cut into tiles, previews are not."""
    tile = photo((16, 16)).tobytes()
    tiles = fields((12, 8)) | {254: (LONG, (1,)), 322: (SHORT, (16,)), 323: (SHORT, (16,))}
    tiles.pop(278)
    page = Page(fields(), (photo().tobytes(),), {330: [_reduced((12, 8)), Page(tiles, (tile,), tiled=True)]})
    result = scrub(Builder().file([page]))
    assert [finding.where for finding in result.findings if finding.code == "tiff.thumbnail"] == ["Sub1"]
    assert tile in result.data


def test_a_preview_of_its_own_jpeg_goes() -> None:
    """IFD1 as cameras write it: no strips, a JPEG file that tag 513 points to."""
    stream = sample.jpeg((8, 8), "preview of somebody")
    preview = Page({259: (SHORT, (6,)), 514: (LONG, (len(stream),))}, more={513: stream})
    data = Builder().file([Page(fields(), (photo().tobytes(),)), preview])
    assert "tiff.preview" in codes(data)
    assert b"\xff\xd8" not in scrub(data).data


def test_a_chain_in_a_loop_ends_where_it_began() -> None:
    """The page is shown once; nothing turns for ever."""
    builder = Builder()
    builder.file([Page(fields(), (photo().tobytes(),))])
    at = struct.unpack_from("<I", builder.out, 4)[0]
    count = struct.unpack_from("<H", builder.out, at)[0]
    struct.pack_into("<I", builder.out, at + 2 + 12 * count, at)
    assert codes(bytes(builder.out)) == {"tiff.chain"}
    assert TIFF.inspect(scrub(bytes(builder.out)).data).frames == 1


# ---- strips


def test_bytes_behind_the_rows_of_an_uncoded_strip_go() -> None:
    """StripByteCounts may tell more than the rows need."""
    data = Builder().file([Page(fields(), (photo().tobytes() + b"behind the rows",))])
    assert codes(data) == {"tiff.strip-tail"}
    assert b"behind the rows" not in scrub(data).data


def test_strips_that_no_row_needs_go() -> None:
    """A second strip of a one-strip picture is never shown."""
    data = Builder().file([Page(fields(), (photo().tobytes(), b"hidden strip of words"))])
    assert "tiff.strips-beyond" in codes(data)
    assert b"hidden strip" not in scrub(data).data


@pytest.mark.parametrize("counts", [(SHORT, (0,)), None])
def test_strips_without_a_length_are_measured(counts: tuple[int, tuple[int, ...]] | None) -> None:
    """StripByteCounts 0 or missing, as some scanners write it: cleaned, not refused, and what lies behind goes."""
    codings: list[tuple[int, bytes, Image.Image]] = []
    for name, number in (("group4", 4), ("tiff_lzw", 5), ("tiff_adobe_deflate", 8), ("raw", 1)):
        image = photo((70, 40)).convert("1") if number == 4 else photo()
        with Image.open(io.BytesIO(sample.saved(image, compression=name, strip_size=1 << 20))) as whole:
            at, size = whole.tag_v2[273][0], whole.tag_v2[279][0]
        codings.append((number, sample.saved(image, compression=name, strip_size=1 << 20)[at : at + size], image))
    for number, strip, image in codings:
        told = fields(image.size, number, 1 if image.mode == "1" else 2)
        told |= {274: (SHORT, (1,))} | ({258: (SHORT, (1,))} if image.mode == "1" else {})
        if counts:
            told[279] = counts
        page = Page(told, (strip,), behind=b"words behind the strip")
        builder = Builder()
        if counts is None:
            page.fields[273] = (LONG, (builder._add(strip + b"words behind the strip"),))
            page.strips = ()
        cleaned = scrub(builder.file([page])).data
        assert b"words behind" not in cleaned
        with Image.open(io.BytesIO(cleaned)) as shown:
            assert shown.convert(image.mode).tobytes() == image.tobytes()


def test_sparse_tiles_stay_sparse() -> None:
    """GDAL writes offset and length 0 for a tile of nothing."""
    told = fields((32, 16)) | {322: (SHORT, (16,)), 323: (SHORT, (16,)), 270: (ASCII, "words")}
    told.pop(278)
    builder = Builder()
    tile = photo((16, 16)).tobytes()
    told[324], told[325] = (LONG, (builder._add(tile), 0)), (LONG, (len(tile), 0))
    cleaned = scrub(builder.file([Page(told)])).data
    with Image.open(io.BytesIO(cleaned)) as image:
        assert image.tag_v2[324][1] == image.tag_v2[325][1] == 0
        assert image.tag_v2[325][0] == len(tile)


def test_tiles_that_share_their_bytes_are_written_once() -> None:
    """A blank background costs one tile, before and after."""
    told = fields((64, 64)) | {322: (SHORT, (16,)), 323: (SHORT, (16,)), 270: (ASCII, "words")}
    told.pop(278)
    builder = Builder()
    tile = photo((16, 16)).tobytes()
    at = builder._add(tile)
    told[324], told[325] = (LONG, (at,) * 16), (LONG, (len(tile),) * 16)
    data = builder.file([Page(told)])
    cleaned = scrub(data).data
    assert len(cleaned) <= len(data)
    assert cleaned.count(tile) == 1


def test_samples_that_are_also_a_tag_are_refused() -> None:
    """A strip that points at the description would show it, and keep it."""
    builder = Builder()
    text = b"a description of a patient " * 50
    at = builder._add(text)
    told = fields() | {273: (LONG, (at,)), 279: (LONG, (len(photo().tobytes()),))}
    data = bytearray(builder.file([Page(told | {270: (ASCII, text.decode())})]))
    entry = data.find(struct.pack("<HHI", 270, ASCII, len(text) + 1))
    struct.pack_into("<I", data, entry + 8, at)
    with pytest.raises(Malformed, match="share bytes"):
        TIFF.scrub(bytes(data))


# ---- facts


@pytest.mark.parametrize("name", ["tiff", "tiff-motorola", "bigtiff", "bigtiff-motorola"])
def test_facts_are_read_from_the_first_directory(name: str) -> None:
    """Camera, serial, time, place and owner, whatever the version."""
    info = TIFF.inspect(sample.PICTURES[name](canary))
    assert (info.make, info.model, info.serial) == (canary("Make"), canary("Model"), canary("SerialNumber"))
    assert info.taken == "2026:01:02 03:04:05"
    assert {"exif.gps", "exif.make", "exif.serial", "exif.owner", "exif.maker-note"} <= info.codes
    assert (info.width, info.height, info.bits, info.orientation) == (24, 16, 8, 6)


def test_a_patient_number_in_the_description_is_a_fact() -> None:
    """NHS numbers are told to the policy, never to a log."""
    info = TIFF.inspect(plain({270: (ASCII, "NHS 943 476 5919 left forearm")}))
    assert info.identifiers == ("9434765919",)
    assert "9434765919" not in repr(info)


def test_a_fax_of_several_pages_is_paper() -> None:
    """Group 4, two pages; 204 by 98 dots to the inch counts in inches, not in dots."""

    def page(size: tuple[int, int], dpi: tuple[int, int]) -> Page:
        told = fields(size, 1, 0) | {258: (SHORT, (1,)), 282: (RATIONAL, (dpi[0], 1)), 283: (RATIONAL, (dpi[1], 1))}
        return Page(told, (bytes(-(-size[0] // 8) * size[1]),))

    info = TIFF.inspect(Builder().file([page((1728, 1145), (204, 98)), page((1654, 2339), (200, 200))]))
    assert info.nature is Nature.PAGE
    assert CODE in info.codes
    assert info.frames == 2
    photo_too = Builder().file([page((1654, 2339), (200, 200)), Page(fields(), (photo().tobytes(),))])
    assert TIFF.inspect(photo_too).nature is Nature.PHOTO
