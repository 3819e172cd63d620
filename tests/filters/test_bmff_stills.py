"""HEIC, AVIF: every shown picture stays as it was, and what no program needs to show it goes."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from filters.api import Encrypted, FilterError, Malformed, Nature, Unsupported
from filters.bmff.scrubber import HEIC
from tests.support.bmff_kit import body_of, pixels, place, still
from tests.support.canary_images import camera_exif, jpeg_with_canaries
from tests.support.samples import bmff
from tests.support.samples.bmff import Stills, aux, av1, box, full, ispe

pytestmark = pytest.mark.unit


# ------------------------------------------------------------------------ still pictures


def test_pixels_and_transparency_are_those_of_the_input() -> None:
    """AVIF as Pillow shows it."""
    data = bmff.avif(place)
    before, after = pixels(data), pixels(HEIC.scrub(data).data)
    assert before == after
    assert after[0] == "RGBA"


def test_the_coded_picture_is_copied_byte_for_byte() -> None:
    """Also when everything in front of it has gone."""
    _, coded = av1()
    assert coded in HEIC.scrub(still(tail=b"trailer")).data


def test_irot_stays_and_beats_the_exif_orientation() -> None:
    """23008-12 6.5.10: EXIF orientation is informative only; a turned iPhone picture stays turned."""
    data = bmff.heic(place)
    assert box(b"irot", b"\3") in HEIC.scrub(data).data
    assert HEIC.inspect(data).orientation == 6  # 270 degrees anticlockwise
    assert HEIC.inspect(still(box(b"irot", b"\1"), box(b"imir", b"\1"))).orientation == 7


def test_facts_are_read_before_they_go() -> None:
    """Maker, model, date and position for the policy; none in repr."""
    info = HEIC.inspect(bmff.heic(place))
    assert (info.width, info.height, info.frames, info.nature) == (64, 64, 1, Nature.PHOTO)
    assert {"exif.gps", "exif.make", "bmff.depth-map", "bmff.gain-map", "bmff.thumbnail", "bmff.motion-photo"} <= info.codes
    assert info.make
    assert info.taken
    assert info.make not in repr(info)


def test_every_shown_picture_of_a_burst_stays() -> None:
    """Pictures that are neither hidden nor parts of another are all kept, each without its metadata."""
    config, coded = av1()
    stills = Stills(b"avif")
    for index in range(3):
        stills.item(b"av01", coded, box(b"av1C", config), ispe(64, 64), name=b"shot %d" % index)
    block = stills.item(b"Exif", bytes(4) + camera_exif("CANARY"))
    stills.refer(b"cdsc", block, 1, 2, 3)
    data = stills.file()
    cleaned = HEIC.scrub(data).data
    assert HEIC.inspect(cleaned).frames == 3
    assert cleaned.count(coded) == 3
    assert b"CANARY" not in cleaned
    assert b"shot" not in cleaned


def test_a_grid_keeps_its_tiles() -> None:
    """Hidden items that a shown picture is made of stay, those that none is made of go."""
    config, coded = av1()
    stills = Stills(b"avif")
    grid = stills.item(b"grid", bytes((0, 0, 0, 1)) + struct.pack(">HH", 128, 64), ispe(128, 64))
    tiles = [stills.item(b"av01", coded, box(b"av1C", config), ispe(64, 64), hidden=True) for _ in range(2)]
    stills.refer(b"dimg", grid, *tiles)
    stills.item(b"av01", coded, box(b"av1C", config), ispe(64, 64), hidden=True)
    data = stills.file()
    cleaned = HEIC.scrub(data)
    assert [finding.code for finding in cleaned.findings if finding.code != "bmff.property"] == ["bmff.hidden-item", "bmff.gap"]
    assert cleaned.data.count(coded) == 2
    assert pixels(data) == pixels(cleaned.data)


def test_a_picture_made_from_thumbnails_does_not_keep_them() -> None:
    """A "base" reference (23008-12 6.4.7) names what a picture was made from: no program needs it to show the picture."""
    config, coded = av1()
    stills = Stills(b"avif")
    for _ in range(3):
        stills.item(b"av01", coded, box(b"av1C", config), ispe(64, 64))
    stills.refer(b"thmb", 2, 1)
    stills.refer(b"base", 3, 2)
    cleaned = HEIC.scrub(stills.file())
    assert {"bmff.thumbnail", "bmff.reference"} <= {finding.code for finding in cleaned.findings}
    assert HEIC.inspect(cleaned.data).frames == 2


def test_a_tone_mapped_picture_goes_with_its_gain_map() -> None:
    """tmap (ISO 21496-1): the base picture is primary and stays, its group is not left dangling."""
    config, coded = av1()
    stills = Stills(b"avif")
    base = stills.item(b"av01", coded, box(b"av1C", config), ispe(64, 64))
    gain = stills.item(b"av01", coded, box(b"av1C", config), ispe(64, 64), name=b"gain map", hidden=True)
    tone = stills.item(b"tmap", b"\0" * 40, ispe(64, 64))
    stills.refer(b"dimg", tone, base, gain)
    group = box(b"grpl", full(b"altr", 0, 0, struct.pack(">4I", 9, 2, tone, base)))
    cleaned = HEIC.scrub(stills.file(in_meta=group))
    assert {"bmff.gain-map", "bmff.group"} <= {finding.code for finding in cleaned.findings}
    assert cleaned.data.count(coded) == 1
    assert b"tmap" not in cleaned.data
    assert b"altr" not in cleaned.data


def test_a_thumbnail_that_claims_to_be_primary() -> None:
    """The picture it is the thumbnail of becomes primary; when it is the larger one, programs differ: Malformed."""
    config, coded = av1()
    for width, fine in ((32, True), (128, False)):
        stills = Stills(b"avif")
        stills.item(b"av01", coded, box(b"av1C", config), ispe(width, width))
        stills.item(b"av01", coded + b"\x12\0", box(b"av1C", config), ispe(64, 64))
        stills.refer(b"thmb", 1, 2)
        if fine:
            assert body_of(HEIC.scrub(stills.file()).data, b"meta", b"pitm")[-2:] == b"\0\2"
            continue
        with pytest.raises(Malformed):
            HEIC.scrub(stills.file())


def test_a_jpeg_inside_is_cleaned_as_a_jpeg() -> None:
    """Items of type jpeg are whole files with metadata of their own."""
    stills = Stills(b"mif1")
    picture = jpeg_with_canaries("CANARY-inside", size=(40, 24))
    stills.item(b"jpeg", picture, ispe(40, 24))
    cleaned = HEIC.scrub(stills.file()).data
    assert b"CANARY" not in cleaned
    start = cleaned.index(b"\xff\xd8\xff")
    offset, length = struct.unpack(">II", body_of(cleaned, b"meta", b"iloc")[-8:])
    assert offset == start
    assert pixels(cleaned[offset : offset + length]) == pixels(picture)
    assert HEIC.scrub(cleaned).data is cleaned


def test_a_damaged_profile_goes_and_a_good_one_stays() -> None:
    """colr prof is judged by filters.metadata.icc; nclx stays as it is."""
    nclx = box(b"colr", b"nclx" + struct.pack(">HHHB", 1, 13, 6, 128))
    cleaned = HEIC.scrub(still(nclx, box(b"colr", b"prof" + b"CANARY" * 40)))
    assert [finding.code for finding in cleaned.findings] == ["icc.damaged"]
    assert nclx in cleaned.data


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: data.replace(b"pitm\0\0\0\0\0\1", b"pitm\0\0\0\0\0\7"), Malformed),
        (lambda data: data + full(b"meta", 0, 0), Malformed),
        (lambda data: data.replace(b"infe\2\0\0\0\0\1\0\0", b"infe\2\0\0\0\0\1\0\1"), Encrypted),
        (lambda data: data.replace(b"infe\2", b"infe\1"), Unsupported),
        (lambda data: data.replace(b"av01", b"xyz1"), Unsupported),
        (lambda data: data[:-40], Malformed),
        (lambda data: data.replace(b"pict", b"mp7t"), Unsupported),
    ],
)
def test_what_cannot_be_shown_for_sure_is_refused(change: Callable[[bytes], bytes], error: type[FilterError]) -> None:
    """No primary picture, two meta boxes, protection, old items, unknown codec, cut data, no pictures at all."""
    with pytest.raises(error):
        HEIC.scrub(change(still()))


def test_an_unknown_property_goes_unless_it_is_essential() -> None:
    """23008-12: a reader must not show a picture with an essential property it does not know."""
    data = still(box(b"zzzz", b"CANARY"))
    assert b"CANARY" not in HEIC.scrub(data).data
    at = data.index(b"ipma") + 4 + 4 + 4 + 2 + 1 + 2
    with pytest.raises(Unsupported):
        HEIC.scrub(data[:at] + b"\x83" + data[at + 1 :])


def test_an_auxiliary_type_in_words_of_its_own_is_no_transparency() -> None:
    """Only the registered names of an alpha plane keep a second picture."""
    config, coded = av1()
    stills = Stills(b"avif")
    stills.item(b"av01", coded, box(b"av1C", config), ispe(64, 64))
    other = stills.item(b"av01", coded, box(b"av1C", config), ispe(64, 64), aux("urn:example:alpha-of-CANARY"))
    stills.refer(b"auxl", other, 1)
    cleaned = HEIC.scrub(stills.file())
    assert "bmff.auxiliary" in {finding.code for finding in cleaned.findings}
    assert cleaned.data.count(coded) == 1


def test_overlapping_coded_pictures_are_refused_when_they_change() -> None:
    """Found by mutation: a message overwritten in one sample was a length in the next, so a second scrub found more."""
    stills_file = Stills(b"heic")
    for _ in range(2):
        stills_file.item(b"hvc1", bmff.user_data("CANARY-SEI", avc=False) + bmff.HEVC, box(b"hvcC", bmff.HVCC), ispe(64, 64))
    data = stills_file.file()
    assert HEIC.scrub(data).data.count(bmff.HEVC) == 2
    second = data.index(b"iloc") + 4 + 4 + 2 + 2 + 14 + 6
    (first,) = struct.unpack(">I", data[second - 14 : second - 10])
    for shift, fine in ((0, True), (6, False)):
        moved = data[:second] + struct.pack(">I", first + shift) + data[second + 4 :]
        if fine:
            assert b"CANARY" not in HEIC.scrub(moved).data
            continue
        with pytest.raises(Malformed):
            HEIC.scrub(moved)
