"""TIFF and BigTIFF: pages, tags, strips and what hides between them."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from filters.api import Fate, FilterError, Malformed, Nature, Scrubbed, TooBig, Unsupported
from filters.page import CODE
from filters.sniff import sniff
from filters.tiff import coded, tails
from filters.tiff.scrubber import BIGTIFF, TIFF
from tests.fuzz import tiff as fuzz
from tests.support import images_judged as judged
from tests.support.samples import tiff as sample
from tests.support.samples.tiff import ASCII, LONG, RATIONAL, SHORT, UNDEFINED, Builder, Page, fields, photo

pytestmark = pytest.mark.unit

Place = Callable[[str], str]


def _canary(what: str) -> str:
    return f"CANARY-{what}-7QK3"


def _scrub(data: bytes) -> Scrubbed:
    """Scrubbed, with what every result promises checked."""
    result = TIFF.scrub(data)
    assert TIFF.residue(result.data) == ()
    assert TIFF.scrub(result.data).data is result.data
    return result


def _codes(data: bytes) -> set[str]:
    return {finding.code for finding in TIFF.scrub(data).findings if finding.fate is Fate.REMOVED}


def _plain(extra: dict[int, tuple[int, sample.Value]] | None = None, order: str = "<", big: bool = False) -> bytes:
    return Builder(order, big).file([Page(fields() | (extra or {}), (photo().tobytes(),))])


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
    data = sample.PICTURES[name](_canary)
    cleaned = _scrub(data).data
    assert b"CANARY" not in cleaned
    assert b"7QK3" not in cleaned
    assert sniff(cleaned).format == sniff(data).format
    if name not in ("tiff-thumbnail", "bigtiff-motorola"):  # Pillow reads no big-endian BigTIFF
        assert judged.decode(cleaned) == judged.decode(data)


@pytest.mark.parametrize("name", sample.CLEAN)
def test_a_file_of_samples_alone_comes_back_as_the_same_object(name: str) -> None:
    """What libtiff writes without metadata is not touched."""
    data = sample.CLEAN[name](_canary)
    assert TIFF.scrub(data).data is data


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True), (">", True)])
def test_byte_order_and_version_stay_and_samples_are_copied(order: str, big: bool) -> None:
    """The output is of the input's kind and holds the samples byte for byte."""
    data = _plain({270: (ASCII, "words that go")}, order, big)
    cleaned = _scrub(data).data
    assert cleaned[:4] == data[:4]
    assert photo().tobytes() in cleaned
    assert b"words that go" not in cleaned


def test_both_names_clean_either_version() -> None:
    """The registry's two entries are one scrubber."""
    assert (TIFF.name, BIGTIFF.name) == ("tiff", "bigtiff")
    data = _plain({270: (ASCII, "words that go")}, big=True)
    assert BIGTIFF.scrub(data).data == TIFF.scrub(data).data


def test_orientation_and_resolution_stay() -> None:
    """A fax or a turned phone picture is shown as before."""
    with Image.open(io.BytesIO(_scrub(_plain({271: (ASCII, "Medcam")})).data)) as image:
        assert image.tag_v2[274] == 6
        assert (image.tag_v2[282], image.tag_v2[296]) == (300, 2)


def test_an_orientation_that_only_xmp_tells_is_kept_in_the_tag() -> None:
    """Programs turn the picture by XMP when the tag is missing."""
    told = fields()
    told.pop(274)
    packet = b'<x:xmpmeta><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
    data = Builder().file([Page(told | {700: (UNDEFINED, packet)}, (photo().tobytes(),))])
    assert TIFF.inspect(data).orientation == 8
    with Image.open(io.BytesIO(_scrub(data).data)) as image:
        assert image.tag_v2[274] == 8


def test_the_colour_profile_is_kept_without_its_words() -> None:
    """Tag 34675 goes through the profile cleaner; colours stay."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = _plain({34675: (UNDEFINED, profile)})
    result = _scrub(data)
    assert {"icc.text", "icc.profile"} <= {finding.code for finding in result.findings}
    kept = judged.profile(result.data)
    assert kept is not None
    assert judged.transformed(kept, "RGB") == judged.transformed(profile, "RGB")


def test_a_damaged_profile_goes() -> None:
    """Colour management ignores it, so nothing is lost."""
    data = _plain({34675: (UNDEFINED, b"Dr Example's own profile, not one at all")})
    assert "icc.damaged" in _codes(data)
    assert 34675 not in _tags(_scrub(data).data)[0]


@pytest.mark.parametrize("where", [b"words behind everything", b"\x01"])
def test_bytes_that_no_tag_refers_to_go(where: bytes) -> None:
    """Orphaned bytes do not survive a file that has nothing else to remove: rewrite, do not patch."""
    data = Builder().file([Page(fields(), (photo().tobytes(),))], where)
    result = _scrub(data)
    assert "tiff.gap" in _codes(data)
    assert not result.data.endswith(where)


def test_unused_bytes_of_an_inline_value_go() -> None:
    """A one-letter value leaves three bytes in its entry."""
    data = bytearray(_plain())
    at = data.find(struct.pack("<HHIH", 259, SHORT, 1, 1))
    data[at + 10 : at + 12] = b"Zz"
    assert _codes(bytes(data)) == {"tiff.gap"}
    assert b"Zz" not in _scrub(bytes(data)).data


def test_a_word_in_a_tag_of_the_allow_list_goes() -> None:
    """A tag is kept for its numbers, in the kinds and counts that the specification gives it."""
    data = _plain({296: (ASCII, "Smith, Jane"), 297: (ASCII, "p1"), 318: (UNDEFINED, b"words words words")})
    assert {296, 297, 318}.isdisjoint(_tags(_scrub(data).data)[0])
    assert "tiff.damaged-tag" in _codes(data)


# ---- pages


def test_every_page_stays() -> None:
    """mat2 cuts multi-page files to one page."""
    data = sample.PICTURES["tiff-pages"](_canary)
    with Image.open(io.BytesIO(_scrub(data).data)) as image:
        assert image.n_frames == 3
    assert TIFF.inspect(data).frames == 3


def _reduced(size: tuple[int, int]) -> Page:
    return Page(fields(size) | {254: (LONG, (1,))}, (photo(size).tobytes(),))


def test_a_thumbnail_page_goes_and_a_level_of_the_pyramid_stays() -> None:
    """Half the size is a level; another shape is a label, a macro or a thumbnail."""
    data = Builder().file([Page(fields(), (photo().tobytes(),)), _reduced((12, 8)), _reduced((9, 7)), _reduced((6, 4))])
    cleaned = _scrub(data).data
    with Image.open(io.BytesIO(cleaned)) as image:
        sizes = []
        for index in range(image.n_frames):
            image.seek(index)
            sizes.append(image.tag_v2[256])
    assert sizes == [24, 12, 6]
    assert "tiff.thumbnail" in _codes(data)


def test_the_paper_label_of_a_slide_goes_without_a_flag() -> None:
    """Scanners of slides add a photograph of the label with the patient's name; a page called macro in a letter stays."""
    tiles = fields((16, 16)) | {322: (SHORT, (16,)), 323: (SHORT, (16,))}
    tiles.pop(278)
    slide = Page(tiles, (photo((16, 16)).tobytes(),), tiled=True)
    label = Page(fields((10, 7)) | {270: (ASCII, "Aperio Image Library v11\nlabel 387x463")}, (photo((10, 7)).tobytes(),))
    macro = Page(fields((11, 7)) | {270: (ASCII, "Macro")}, (photo((11, 7)).tobytes(),))
    assert TIFF.inspect(_scrub(Builder().file([slide, label, macro])).data).frames == 1
    letter = Page(fields(), (photo().tobytes(),))
    assert TIFF.inspect(_scrub(Builder().file([letter, macro])).data).frames == 2


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
    result = _scrub(Builder().file([page]))
    assert [finding.where for finding in result.findings if finding.code == "tiff.thumbnail"] == ["Sub1"]
    assert tile in result.data


def test_a_preview_of_its_own_jpeg_goes() -> None:
    """IFD1 as cameras write it: no strips, a JPEG file that tag 513 points to."""
    stream = sample.jpeg((8, 8), "preview of somebody")
    preview = Page({259: (SHORT, (6,)), 514: (LONG, (len(stream),))}, more={513: stream})
    data = Builder().file([Page(fields(), (photo().tobytes(),)), preview])
    assert "tiff.preview" in _codes(data)
    assert b"\xff\xd8" not in _scrub(data).data


def test_a_chain_in_a_loop_ends_where_it_began() -> None:
    """The page is shown once; nothing turns for ever."""
    builder = Builder()
    builder.file([Page(fields(), (photo().tobytes(),))])
    at = struct.unpack_from("<I", builder.out, 4)[0]
    count = struct.unpack_from("<H", builder.out, at)[0]
    struct.pack_into("<I", builder.out, at + 2 + 12 * count, at)
    assert _codes(bytes(builder.out)) == {"tiff.chain"}
    assert TIFF.inspect(_scrub(bytes(builder.out)).data).frames == 1


# ---- strips


def test_bytes_behind_the_rows_of_an_uncoded_strip_go() -> None:
    """StripByteCounts may tell more than the rows need."""
    data = Builder().file([Page(fields(), (photo().tobytes() + b"behind the rows",))])
    assert _codes(data) == {"tiff.strip-tail"}
    assert b"behind the rows" not in _scrub(data).data


def test_strips_that_no_row_needs_go() -> None:
    """A second strip of a one-strip picture is never shown."""
    data = Builder().file([Page(fields(), (photo().tobytes(), b"hidden strip of words"))])
    assert "tiff.strips-beyond" in _codes(data)
    assert b"hidden strip" not in _scrub(data).data


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
        cleaned = _scrub(builder.file([page])).data
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
    cleaned = _scrub(builder.file([Page(told)])).data
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
    cleaned = _scrub(data).data
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


# ---- codings


def test_the_end_of_each_coding_is_found() -> None:
    """Nothing behind the end mark of LZW, Deflate, PackBits, Group 3 or Group 4 survives."""
    for name in ("lzw", "deflate", "packbits", "group4", "group3"):
        data = sample.CLEAN[name](_canary)
        with Image.open(io.BytesIO(data)) as image:
            at, size = image.tag_v2[273][-1], image.tag_v2[279][-1]
            raw = 1 << 20
            if name == "packbits":
                raw = image.width * 3 * (image.height - image.tag_v2[278] * (len(image.tag_v2[273]) - 1))
            number = image.tag_v2[259]
        strip = data[at : at + size]
        found = tails.end(number, tails.Strip(strip + b"words", 0, size + 5, raw))
        if name == "group3":
            assert found in (None, size)  # libtiff writes no end of block there
        else:
            assert found is not None and size - 1 <= found <= size, name


def test_end_of_block_is_found_at_every_bit_and_in_either_fill_order() -> None:
    """T.6: two end-of-line codes end the page wherever in a byte they begin."""
    for shift in range(8):
        bits = "1" * (16 + shift) + "000000000001" * 2
        body = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
        mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in body)
        assert tails.end(4, tails.Strip(body + b"tail", 0, len(body) + 4, 1)) == len(body)
        assert tails.end(4, tails.Strip(mirrored + b"tail", 0, len(body) + 4, 1, mirrored=True)) == len(body)


def test_a_long_lzw_strip_is_followed_through_every_code_width() -> None:
    """Noise fills the table again and again: 9 to 12 bits, Clear, 9 bits."""
    noise = bytes((i * i * 31 + i // 7) % 251 for i in range(60_000))
    image = Image.frombytes("L", (300, 200), noise)
    data = sample.saved(image, compression="tiff_lzw", strip_size=1 << 20)
    with Image.open(io.BytesIO(data)) as whole:
        at, size = whole.tag_v2[273][0], whole.tag_v2[279][0]
    assert tails.end(5, tails.Strip(data[at : at + size] + b"tail", 0, size + 4, 1)) == size


def test_more_rows_than_the_picture_has_are_refused_in_deflate() -> None:
    """The stream itself holds hidden rows; it would have to be coded anew."""
    stream = zlib.compress(photo().tobytes() + b"hidden rows")
    with pytest.raises(Malformed, match="more samples"):
        TIFF.scrub(Builder().file([Page(fields(compression=8), (stream,))]))


@pytest.mark.parametrize("compression", [34933, 34934, 22610, 50002, 60000])
def test_codings_that_are_files_of_their_own_are_not_supported(compression: int) -> None:
    """PNG, JPEG XR or JPEG XL in each tile can hold metadata; so can what nobody knows."""
    with pytest.raises(Unsupported):
        TIFF.scrub(_plain({259: (SHORT, (compression,))}))


def test_comments_of_jpeg_2000_and_chunks_of_webp_are_not_passed_on() -> None:
    """Tiles of other codecs are looked into as far as their words may stand."""
    codestream = b"\xff\x4f\xff\x51\x00\x04ab%s\xff\x90\x00\x0ccoded data\xff\xd9"
    comment = b"\xff\x64\x00\x09\x00\x01words"
    fine = Builder().file([Page(fields(compression=33005), (codestream % b"",))])
    assert TIFF.scrub(fine).data is fine
    riff = b"VP8L\x04\0\0\0abcd%s"
    riffs = [b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body for body in (riff % b"", riff % b"EXIF\x02\0\0\0II")]
    fine = Builder().file([Page(fields(compression=50001), (riffs[0],))])
    assert TIFF.scrub(fine).data is fine
    for compression, strip in ((33005, codestream % comment), (50001, riffs[1])):
        with pytest.raises(Unsupported):
            TIFF.scrub(Builder().file([Page(fields(compression=compression), (strip,))]))


def test_metadata_inside_the_coded_jpeg_goes_and_the_coded_data_stays() -> None:
    """Compression 7: application segments, comments and bytes behind the end, in every strip."""
    stream = sample.jpeg(comment="somebody's name", subsampling=2)
    found = coded.stream(b"x" * 7 + stream + b"tail", 7, 7 + len(stream) + 4)
    assert len(found.cuts) == 3
    data = sample.PICTURES["tiff-jpeg"](_canary)
    assert "tiff.jpeg-metadata" in _codes(data)
    scan = stream[stream.find(b"\xff\xda") : stream.find(b"\xff\xd9")]
    assert scan in _scrub(data).data


def test_bytes_between_the_segments_of_coded_jpeg_go() -> None:
    """Decoders skip what stands before a marker."""
    stream = sample.jpeg(subsampling=2)
    told = fields(compression=7, photometric=6) | {530: (SHORT, (2, 2))}
    data = Builder().file([Page(told, (stream[:2] + b"hidden words" + stream[2:],))])
    assert "tiff.jpeg-metadata" in _codes(data)
    assert b"hidden words" not in _scrub(data).data


def test_tables_apart_are_cleaned() -> None:
    """JPEGTables is a JPEG stream of its own and can hold a comment."""
    data = sample.CLEAN["jpeg"](_canary)
    with Image.open(io.BytesIO(data)) as image:
        tables = image.tag_v2[347]
    words = tables[:2] + b"\xff\xfe\x00\x07words" + tables[2:]
    assert coded.tables(words) == tables
    assert coded.tables(tables) is tables
    with pytest.raises(Malformed):
        coded.tables(b"\xff\xd8\xff\xc0\x00\x04ab\xff\xd9")


def test_a_damaged_old_jpeg_is_refused() -> None:
    """Symptom: the strip of a JPEG file with a damaged table was cut to three bytes, and the next scrub measured it anew.

    Cause: a file that could not be walked was taken for headers whose scans stand elsewhere.
    """
    data = sample.PICTURES["tiff-old-jpeg"](_canary)
    at = data.find(b"\xff\xc4") + 5
    with pytest.raises(Malformed):
        TIFF.scrub(data[:at] + b"\xff" * 8 + data[at + 8 :])


def test_old_jpeg_shows_the_same_picture() -> None:
    """Compression 6 with the scan inside the JPEG file: offsets move with what is cut out."""
    data = sample.PICTURES["tiff-old-jpeg"](_canary)
    assert judged.decode(_scrub(data).data) == judged.decode(data)
    assert judged.decode(data) is not None


# ---- facts


@pytest.mark.parametrize("name", ["tiff", "tiff-motorola", "bigtiff", "bigtiff-motorola"])
def test_facts_are_read_from_the_first_directory(name: str) -> None:
    """Camera, serial, time, place and owner, whatever the version."""
    info = TIFF.inspect(sample.PICTURES[name](_canary))
    assert (info.make, info.model, info.serial) == (_canary("Make"), _canary("Model"), _canary("SerialNumber"))
    assert info.taken == "2026:01:02 03:04:05"
    assert {"exif.gps", "exif.make", "exif.serial", "exif.owner", "exif.maker-note"} <= info.codes
    assert (info.width, info.height, info.bits, info.orientation) == (24, 16, 8, 6)


def test_a_patient_number_in_the_description_is_a_fact() -> None:
    """NHS numbers are told to the policy, never to a log."""
    info = TIFF.inspect(_plain({270: (ASCII, "NHS 943 476 5919 left forearm")}))
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


# ---- camera RAW


@pytest.mark.parametrize(
    ("make", "extra", "name"),
    [
        ("Any", {50706: (1, (1, 4, 0, 0))}, "dng"),
        ("NIKON CORPORATION", {262: (SHORT, (32803,)), 277: (SHORT, (1,)), 258: (SHORT, (12,))}, "nef"),
        ("SONY", {259: (SHORT, (32767,))}, "arw"),
        ("PENTAX Corporation", {259: (SHORT, (65535,))}, "pef"),
        ("Hasselblad", {262: (SHORT, (32803,))}, "3fr"),
        ("Unheard Of", {262: (SHORT, (34892,))}, "tiff-raw"),
    ],
)
def test_camera_raw_is_opaque_under_its_own_name(make: str, extra: dict[int, tuple[int, sample.Value]], name: str) -> None:
    """What the sensor saw is no displayable picture: recognised, never cleaned."""
    for big in (False, True):
        data = _plain({271: (ASCII, make)} | extra, big=big)
        assert sniff(data).format == name
        with pytest.raises(Unsupported, match=name):
            TIFF.scrub(data)


def test_raw_below_its_preview_is_found() -> None:
    """NEF and ARW: the first directory is a thumbnail, the sensor data a child."""
    child = Page(fields() | {262: (SHORT, (32803,))}, (photo().tobytes(),))
    page = Page(fields((12, 8)) | {254: (LONG, (1,)), 271: (ASCII, "NIKON")}, (photo((12, 8)).tobytes(),), {330: [child]})
    assert sniff(Builder().file([page])).format == "nef"


# ---- hostile files


def _refused(data: bytes, kind: type[FilterError] = FilterError) -> None:
    started = time.perf_counter()
    with pytest.raises(kind):
        TIFF.scrub(data)
    assert [finding.fate for finding in TIFF.residue(data)] == [Fate.STUCK]
    assert time.perf_counter() - started < 3


def test_ten_to_the_nine_pixels_are_too_many() -> None:
    """The size is checked before anything else is read."""
    _refused(_plain({256: (LONG, (40_000,)), 257: (LONG, (40_000,))}), TooBig)


def test_pages_that_are_too_large_together_are_too_many() -> None:
    """Ten pages of 180 megapixels share one strip."""
    builder = Builder()
    at = builder._add(bytes(64))
    told = fields() | {256: (LONG, (18_000,)), 257: (LONG, (10_000,)), 273: (LONG, (at,)), 279: (LONG, (64,))}
    _refused(builder.file([Page(dict(told)) for _ in range(10)]), TooBig)


@pytest.mark.parametrize("tag", [273, 279, 258, 320])
def test_counts_of_two_to_the_32_end_at_once(tag: int) -> None:
    """No value is longer than the file."""
    data = bytearray(_plain({320: (SHORT, (1, 2, 3)), 330: (LONG, (0,))}))
    at = struct.unpack_from("<I", data, 4)[0]
    for entry in range(at + 2, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], 12):
        if struct.unpack_from("<H", data, entry)[0] == tag:
            struct.pack_into("<I", data, entry + 4, 0xFFFFFFFF)
    _refused(bytes(data))


def test_overlapping_directories_are_too_many() -> None:
    """A chain of directories, each one byte further and as long as can be."""
    body = bytearray(b"II*\0\x08\0\0\0") + bytes(1 << 20)
    body[8:] = (b"\x60\xea" + b"\0" * 12) * ((len(body) - 8) // 14) + bytes((len(body) - 8) % 14)
    _refused(bytes(body))


@pytest.mark.parametrize("spread", [0, 1])
def test_one_strip_told_many_times_is_measured_once(spread: int) -> None:
    """Twenty thousand tiles on the same stream cost one; on its every byte, they are refused before they are read."""
    stream = zlib.compress(bytes(768))
    told = fields((16 * 142, 16 * 142), 8) | {322: (SHORT, (16,)), 323: (SHORT, (16,)), 270: (ASCII, "words")}
    told.pop(278)
    builder = Builder()
    at = builder._add(stream + bytes(30_000))
    told[324] = (LONG, tuple(at + spread * i for i in range(20_164)))
    told[325] = (LONG, (9_000 if spread else len(stream),) * 20_164)
    data = builder.file([Page(told)])
    started = time.perf_counter()
    if spread:
        with pytest.raises(Malformed, match="overlap"):
            TIFF.scrub(data)
    else:
        _scrub(data)
    assert time.perf_counter() - started < 3


def test_memory_stays_near_the_file() -> None:
    """Cleaning needs the output and little else."""
    data = Builder().file([Page(fields((2000, 1000)) | {270: (ASCII, "words")}, (bytes(6_000_000),))])
    tracemalloc.start()
    TIFF.scrub(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(data)


@pytest.mark.parametrize("name", sample.PICTURES)
def test_a_cut_file_is_refused_or_clean(name: str) -> None:
    """Truncation at every few bytes: FilterError, or a result that keeps every promise."""
    data = sample.PICTURES[name](_canary)
    for length in range(0, len(data), 1 + len(data) // 20):
        fuzz.one(data[:length])


@pytest.mark.parametrize("name", [*sample.PICTURES, *sample.CLEAN])
def test_a_flipped_bit_is_refused_or_clean(name: str) -> None:
    """One bit of every few bytes: FilterError, or a result that keeps every promise."""
    data = {**sample.PICTURES, **sample.CLEAN}[name](_canary)
    for at in range(0, len(data), 1 + len(data) // 20):
        fuzz.one(data[:at] + bytes((data[at] ^ (1 << at % 8),)) + data[at + 1 :])


@given(st.sampled_from((b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")), st.binary(max_size=200))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_noise_behind_the_header_is_refused_or_clean(magic: bytes, noise: bytes) -> None:
    """Arbitrary bytes behind the header."""
    fuzz.one(magic + (b"\x08\0\0\0" if magic[2:3] in b"*\0" and len(magic) == 4 else b"") + noise)
