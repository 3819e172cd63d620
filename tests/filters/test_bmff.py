"""HEIC, AVIF, MP4, QuickTime: only what is needed to show and play a file stays, and that byte for byte."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from filters.api import Encrypted, Fate, FilterError, Malformed, Nature, Unsupported
from filters.bmff import codes, stills
from filters.bmff.scrubber import HEIC, M4A, MP4
from filters.bmff.silence import silent
from filters.bmff.userdata import avc_unit, hevc_unit, obus, sample
from filters.catalogue import CODES
from filters.sniff import sniff
from tests.support.canary_images import camera_exif, jpeg_with_canaries
from tests.support.samples import bmff
from tests.support.samples.bmff import AVC_SAMPLES, Stills, aux, av1, box, full, ispe

pytestmark = pytest.mark.unit


def _place(what: str) -> str:
    return "CANARY-" + what.replace(" ", "-")


def _boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of the body, end): a walk of its own, not that of the filter."""
    end = len(data) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at + 8, at + size
        at += size


def _find(data: bytes, *path: bytes) -> bytes:
    """The body of the first box along a path."""
    at, end = 0, len(data)
    for kind in path:
        at, end = next((start, stop) for name, start, stop in _boxes(data, at, end) if name == kind)
        at += 4 if kind == b"meta" else 0
    return data[at:end]


def _still(*more: tuple[bytes, ...], **options: bytes) -> bytes:
    """An AVIF of one picture; ``more`` properties of it."""
    stills = Stills(b"avif")
    config, coded = av1()
    stills.item(b"av01", coded, box(b"av1C", config), ispe(64, 64), *more)  # type: ignore[arg-type]  # a tuple of properties
    return stills.file(**options)


def _pixels(data: bytes) -> tuple[str, bytes]:
    with Image.open(io.BytesIO(data)) as image:
        return image.mode, image.tobytes()


# ------------------------------------------------------------------------ nothing is left


@pytest.mark.parametrize("name", bmff.PICTURES)
def test_no_canary_survives_in_any_place(name: str) -> None:
    """Every metadata place of the format held a unique word; none of them, in no encoding, is left."""
    words: list[str] = []

    def place(what: str) -> str:
        words.append(f"CANARY{len(words)}-{what.replace(' ', '-')}")
        return words[-1]

    data = bmff.PICTURES[name](place)
    cleaned = MP4.scrub(data)
    assert words
    assert b"CANARY" in data
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert "CANARY".encode(encoding) not in cleaned.data
    assert MP4.residue(cleaned.data) == ()
    assert MP4.scrub(cleaned.data).data is cleaned.data
    assert {finding.code for finding in cleaned.findings} <= CODES.keys()


def test_a_clean_file_stays_the_very_same_object() -> None:
    """Nothing to remove: nothing is rewritten."""
    for data in (bmff.plain_heic(_place), _still()):
        assert HEIC.scrub(data).data is data
        assert HEIC.residue(data) == ()


def test_every_code_has_its_sentence() -> None:
    """The table is merged into the catalogue and speaks in sentences."""
    assert codes.CODES.keys() <= CODES.keys()
    assert all(sentence.endswith(".") for sentence in codes.CODES.values())


# ------------------------------------------------------------------------ still pictures


def test_pixels_and_transparency_are_those_of_the_input() -> None:
    """AVIF as Pillow shows it."""
    data = bmff.avif(_place)
    before, after = _pixels(data), _pixels(HEIC.scrub(data).data)
    assert before == after
    assert after[0] == "RGBA"


def test_the_coded_picture_is_copied_byte_for_byte() -> None:
    """Also when everything in front of it has gone."""
    _, coded = av1()
    assert coded in HEIC.scrub(_still(tail=b"trailer")).data


def test_irot_stays_and_beats_the_exif_orientation() -> None:
    """23008-12 6.5.10: EXIF orientation is informative only; a turned iPhone picture stays turned."""
    data = bmff.heic(_place)
    assert box(b"irot", b"\3") in HEIC.scrub(data).data
    assert HEIC.inspect(data).orientation == 6  # 270 degrees anticlockwise
    assert HEIC.inspect(_still(box(b"irot", b"\1"), box(b"imir", b"\1"))).orientation == 7


def test_facts_are_read_before_they_go() -> None:
    """Maker, model, date and position for the policy; none in repr."""
    info = HEIC.inspect(bmff.heic(_place))
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
    assert _pixels(data) == _pixels(cleaned.data)


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
            assert _find(HEIC.scrub(stills.file()).data, b"meta", b"pitm")[-2:] == b"\0\2"
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
    offset, length = struct.unpack(">II", _find(cleaned, b"meta", b"iloc")[-8:])
    assert offset == start
    assert _pixels(cleaned[offset : offset + length]) == _pixels(picture)
    assert HEIC.scrub(cleaned).data is cleaned


def test_a_damaged_profile_goes_and_a_good_one_stays() -> None:
    """colr prof is judged by filters.metadata.icc; nclx stays as it is."""
    nclx = box(b"colr", b"nclx" + struct.pack(">HHHB", 1, 13, 6, 128))
    cleaned = HEIC.scrub(_still(nclx, box(b"colr", b"prof" + b"CANARY" * 40)))
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
        HEIC.scrub(change(_still()))


def test_an_unknown_property_goes_unless_it_is_essential() -> None:
    """23008-12: a reader must not show a picture with an essential property it does not know."""
    data = _still(box(b"zzzz", b"CANARY"))
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


# ------------------------------------------------------------------------ films


@pytest.mark.parametrize("name", ["mp4", "mov", "mov-old", "3gp"])
def test_samples_stand_where_the_tables_say(name: str) -> None:
    """Chunk offsets follow what moved; pictures and sound are those of the input."""
    cleaned = MP4.scrub(bmff.PICTURES[name](_place)).data
    moov = next((start, end) for kind, start, end in _boxes(cleaned) if kind == b"moov")
    tracks = [cleaned[start:end] for kind, start, end in _boxes(cleaned, *moov) if kind == b"trak"]
    assert len(tracks) == 2
    for track, last in zip(tracks, (AVC_SAMPLES[2], struct.pack("<h", 39)), strict=True):
        table = _find(track, b"mdia", b"minf", b"stbl", b"stsz")
        sizes = struct.unpack(f">{(len(table) - 12) // 4}I", table[12:])
        (offset,) = struct.unpack(">I", _find(track, b"mdia", b"minf", b"stbl", b"stco")[8:12])
        assert cleaned[offset + sum(sizes[:-1]) : offset + sum(sizes)] == last
    assert cleaned.endswith(struct.pack("<h", 39))  # nothing behind the sound


def test_dates_names_and_other_tracks_are_gone() -> None:
    """Header times are zero; subtitles and positions have no track any more; the film says who it is for the policy."""
    data = bmff.film(_place)
    cleaned = MP4.scrub(data)
    assert {"bmff.dates", "bmff.subtitles", "bmff.timed-metadata", "bmff.compressor", "bmff.gap", "bmff.trailer"} <= {
        finding.code for finding in cleaned.findings
    }
    assert b"\xe0\0\0\0" not in cleaned.data
    info = MP4.inspect(data)
    assert (info.width, info.height, info.frames, info.nature) == (32, 32, 3, Nature.VIDEO)
    assert {"exif.gps", "exif.make"} <= info.codes
    assert info.taken.startswith("2023:")
    assert info.make == "CANARY-make"


def test_fragments_keep_their_runs() -> None:
    """moof boxes shrink; each run still begins where its samples stand."""
    cleaned = MP4.scrub(bmff.fragmented(_place)).data
    seen = []
    for kind, start, end in _boxes(cleaned):
        if kind == b"moof":
            run = _find(cleaned[start:end], b"traf", b"trun")
            offset = struct.unpack(">i", run[8:12])[0]
            seen.append(cleaned[start - 8 + offset :][:8])
    assert seen == [AVC_SAMPLES[0][:8], AVC_SAMPLES[1][:8]]
    assert MP4.inspect(cleaned).frames == 3


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: data.replace(b"avc1\0\0\0\0\0\0\0\1", b"encv\0\0\0\0\0\0\0\1"), Encrypted),
        (lambda data: data.replace(b"avc1\0\0\0\0\0\0\0\1", b"abcd\0\0\0\0\0\0\0\1"), Unsupported),
        (lambda data: data[: data.index(b"mdat") + 100], Malformed),
        (lambda data: data.replace(b"vide", b"priv").replace(b"soun", b"priv"), Unsupported),
        (lambda data: data.replace(b"\0\0\0\x0curl \0\0\0\1", b"\0\0\0\x12url \0\0\0\0http:\0"), FilterError),
        (lambda data: data.replace(b"mvhd", b"mvhx"), None),
    ],
)
def test_films_that_cannot_be_cleaned_are_refused(change: Callable[[bytes], bytes], error: type[FilterError] | None) -> None:
    """Protected, of an unknown codec, cut off, without picture and sound, with media elsewhere; a missing header is no reason."""
    data = change(bmff.film(_place))
    if error is None:
        assert MP4.scrub(data)
        return
    with pytest.raises(error):
        MP4.scrub(data)


def test_a_cover_goes_and_the_sound_stays() -> None:
    """An M4A with a cover is a picture file; without it, it is sound."""
    data = bmff.song(_place)
    assert M4A.inspect(data).codes >= {"bmff.cover"}
    cleaned = M4A.scrub(data).data
    assert b"covr" not in cleaned
    assert silent(cleaned)


def test_a_compressed_movie_box_is_looked_into() -> None:
    """Old QuickTime deflates moov: it is written plain when anything in it goes, and never lost."""
    data = bmff.quicktime(_place)
    start, end = next((start - 8, stop) for kind, start, stop in _boxes(data) if kind == b"moov")
    moov = data[start:end]
    packed = box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", len(moov)), zlib.compress(moov))))
    same = packed + box(b"free", bytes(len(moov) - len(packed) - 8))  # nothing else moves
    cleaned = MP4.scrub(data[:start] + same + data[end:]).data
    assert b"cmov" not in cleaned
    assert cleaned == MP4.scrub(data).data
    with pytest.raises(Malformed):
        MP4.scrub(data[:start] + same.replace(b"x\x9c", b"x\x9d") + data[end:])


def test_a_film_without_tracks_is_refused() -> None:
    """Reference movies and boxes that we do not know may hold the film: it is not thrown away in silence."""
    with pytest.raises(Unsupported):
        MP4.scrub(box(b"ftyp", b"qt  " + bytes(4)) + box(b"moov", bmff.movie_header(0, 1), box(b"rmra", bytes(20))))


def test_motion_jpeg_loses_its_segments_in_place() -> None:
    """Each sample is a JPEG of its own: comments and application segments become zeros, nothing moves."""
    picture = jpeg_with_canaries("CANARY-frame", size=(24, 16), progressive=False)
    patched = bytearray(picture)
    for at, words in stills.jpeg(picture, 0, len(picture)):
        patched[at : at + len(words)] = words
    before_end = patched[: patched.rindex(b"\xff\xd9")]
    assert len(patched) == len(picture)
    assert b"CANARY" not in before_end[: before_end.index(b"\xff\xda")]
    assert _pixels(bytes(patched)) == _pixels(picture)


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


# ------------------------------------------------------------------------ what stands inside coded pictures


def _sei(kind: int, payload: bytes) -> bytes:
    return b"\x06" + bytes((kind, len(payload))) + payload + b"\x80"


def test_settings_of_known_coders_stay_as_they_are() -> None:
    """x264 writes its version and options into every film; decoders work around old versions."""
    head = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")
    text = b"x264 - core 164 - H.264/MPEG-4 AVC codec - Copyleft 2003-2023 - http://www.videolan.org/x264.html"
    usual = text + b" - options: cabac=1 ref=3 deblock=1:0:0 analyse=0x3:0x113 me=hex crf=23.0\0"
    assert avc_unit(_sei(5, head + usual)) == []
    odd = _sei(5, head + b"x264 - core 164 - for Mr Smith")
    (patch,) = avc_unit(odd)
    assert odd[: patch[0]].endswith(b"x264 - core 164")
    assert set(patch[1]) == {0x20}


@pytest.mark.parametrize("escape", [b"", b"\0\0\3\1", b"\0\0\3\0\0\3\2", b"\0\0\3"])
def test_messages_keep_their_length_whatever_is_escaped(escape: bytes) -> None:
    """Emulation prevention (H.265 7.4.2): the escapes stay, or the next message would be read from the wrong place."""
    plain = (b"SECRETSECRETSECR" + escape + b"SECRET").replace(b"\0\0\3", b"\0\0")
    payload = b"SECRETSECRETSECR" + escape + b"SECRET"
    unit = b"\x4e\x01" + bytes((5, len(plain))) + payload + b"\x01\x03ABC\x80"
    out = bytearray(unit)
    for at, words in hevc_unit(unit):
        out[at : at + len(words)] = words
    assert len(out) == len(unit)
    assert b"SECRET" not in out
    assert bytes(out).endswith(b"\x01\x03ABC\x80")
    assert hevc_unit(bytes(out)) == []


def test_hdr_messages_stay() -> None:
    """HDR10+ changes how a picture is shown; closed captions and the rest of T.35 do not stay."""
    assert avc_unit(_sei(4, b"\xb5\0\x3c\0\1\4data")) == []
    assert avc_unit(_sei(4, b"\xb5\0\x31GA94words")) != []


def test_av1_metadata_of_nobody_is_zeroed() -> None:
    """AV1 6.7: light levels stay, unregistered metadata does not."""
    assert obus(b"\x2a\x05\x01\0\1\0\1") == []
    ((at, words),) = obus(b"\x2a\x05\x06ABCD")
    assert (at, words) == (3, b"\0\0\0\x80")


def test_damaged_units_end_the_search() -> None:
    """A length beyond the sample is for the decoder to judge."""
    data = b"\0\0\0\x05\x06\x05\x01A\x80" + b"\xff\xff\xff\xff"
    assert len(sample(b"avc1", 4, data, 0, len(data))) == 1


# ------------------------------------------------------------------------ sound


def test_dictations_are_harmless() -> None:
    """Only sound and no cover: passes; with a cover, a film, a trailer or a vendor's box: it does not."""
    plain = bmff.song(lambda what: "", cover=False).replace(b"uuid", b"free")
    assert silent(plain)
    found = sniff(plain)
    assert (found.format, found.harmless) == ("m4a", True)
    for other in (
        bmff.song(_place), bmff.film(_place), plain + b"x", plain + box(b"uuid", bytes(20)), plain.replace(b"soun", b"vide"),
        plain.replace(b"moov", b"moox"), b"", b"\0" * 40, plain[:60],
    ):  # fmt: skip
        assert not silent(other)


def test_a_picture_behind_quiet_sound_is_seen() -> None:
    """Bytes that no track refers to may be a picture: then the file is none of the harmless ones."""
    plain = bmff.song(lambda what: "", cover=False).replace(b"uuid", b"free")
    hidden = plain + box(b"free", jpeg_with_canaries("CANARY", size=(24, 16)))
    assert not sniff(hidden).harmless


# ------------------------------------------------------------------------ damage and bombs


@pytest.mark.parametrize("name", bmff.PICTURES)
@pytest.mark.slow
def test_cut_and_flipped_files_raise_only_filter_errors(name: str) -> None:
    """Truncated at every few bytes, and with single bytes changed: refused, or clean and stable."""
    data = bmff.PICTURES[name](_place)
    chance = random.Random(name)
    step = max(1, len(data) // 50)
    damaged = [data[:at] for at in range(0, len(data), step)]
    for _ in range(50):
        at = chance.randrange(len(data))
        damaged.append(data[:at] + bytes((chance.randrange(256),)) + data[at + 1 :])
    for one in damaged:
        try:
            cleaned = MP4.scrub(one).data
        except FilterError:
            assert [finding.fate for finding in MP4.residue(one)] == [Fate.STUCK]
            continue
        assert MP4.residue(cleaned) == ()
        assert MP4.scrub(cleaned).data is cleaned


@given(st.binary(max_size=200), st.sampled_from((b"meta", b"moov", b"moof", b"ftyp", b"mdat", b"idat")))
@settings(max_examples=60)
def test_noise_in_a_box(noise: bytes, kind: bytes) -> None:
    """Arbitrary bytes in any box of the file."""
    for data in (box(kind, noise), _still() + box(kind, noise), bmff.film(_place) + box(kind, noise)):
        try:
            MP4.scrub(data)
        except FilterError:
            continue


def _many_items() -> bytes:
    infos = full(b"infe", 2, 0, b"\0\1\0\0av01\0") * 20_000
    return box(b"ftyp", b"avif" + bytes(4)) + full(
        b"meta", 0, 0, full(b"hdlr", 0, 0, bytes(4) + b"pict" + bytes(13)), full(b"pitm", 0, 0, b"\0\1"),
        full(b"iinf", 0, 0, struct.pack(">H", 20_000), infos),
    )  # fmt: skip


def _deep() -> bytes:
    data = b""
    for _ in range(20_000):
        data = struct.pack(">I4s", len(data) + 8, b"trak") + data
        if len(data) > 100_000:
            break
    return box(b"ftyp", b"isom" + bytes(4)) + box(b"moov", data)


def _lying_table(kind: bytes, row: bytes) -> bytes:
    """A film whose table claims far more than there is."""
    data = bmff.film(_place)
    at = data.index(kind)
    return data[: at + 8] + row + data[at + 8 + len(row) :]


@pytest.mark.parametrize(
    "make",
    [
        _many_items,
        _deep,
        lambda: _lying_table(b"stsz", struct.pack(">II", 1, 0xFFFFFFFF)),
        lambda: _lying_table(b"stts", b"\xff\xff\xff\xff"),
        lambda: _lying_table(b"stsc", struct.pack(">IIII", 1, 1, 0xFFFFFFFF, 1)),
        lambda: _lying_table(b"dref", b"\xff\xff\xff\xff"),
        lambda: box(b"ftyp", b"isom" + bytes(4)) + box(b"free", b"") * 200_000,
        lambda: bmff.fragmented(_place).replace(b"trun\0\0\2\1\0\0\0\1", b"trun\0\0\0\1\xff\xff\xff\xff"),
    ],
)
@pytest.mark.slow
def test_bombs_end_quickly(make: Callable[[], bytes]) -> None:
    """What a table claims is checked before anything is made of it."""
    data = make()
    start = time.perf_counter()
    try:
        MP4.scrub(data)
    except FilterError:
        pass
    assert time.perf_counter() - start < 5
