"""MP4, QuickTime, M4A: films play and sound is heard as before, without names, dates and messages in the coded pictures."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest

from filters.api import Encrypted, FilterError, Malformed, Nature, Unsupported
from filters.bmff import stills
from filters.bmff.scrubber import M4A, MP4
from filters.bmff.silence import silent
from filters.bmff.userdata import avc_unit, hevc_unit, obus, sample
from filters.sniff import sniff
from tests.support.bmff_kit import body_of, boxes, pixels, place
from tests.support.canary_images import jpeg_with_canaries
from tests.support.samples import bmff
from tests.support.samples.bmff import AVC_SAMPLES, box

pytestmark = pytest.mark.unit


# ------------------------------------------------------------------------ films


@pytest.mark.parametrize("name", ["mp4", "mov", "mov-old", "3gp"])
def test_samples_stand_where_the_tables_say(name: str) -> None:
    """Chunk offsets follow what moved; pictures and sound are those of the input."""
    cleaned = MP4.scrub(bmff.PICTURES[name](place)).data
    moov = next((start, end) for kind, start, end in boxes(cleaned) if kind == b"moov")
    tracks = [cleaned[start:end] for kind, start, end in boxes(cleaned, *moov) if kind == b"trak"]
    assert len(tracks) == 2
    for track, last in zip(tracks, (AVC_SAMPLES[2], struct.pack("<h", 39)), strict=True):
        table = body_of(track, b"mdia", b"minf", b"stbl", b"stsz")
        sizes = struct.unpack(f">{(len(table) - 12) // 4}I", table[12:])
        (offset,) = struct.unpack(">I", body_of(track, b"mdia", b"minf", b"stbl", b"stco")[8:12])
        assert cleaned[offset + sum(sizes[:-1]) : offset + sum(sizes)] == last
    assert cleaned.endswith(struct.pack("<h", 39))  # nothing behind the sound


def test_dates_names_and_other_tracks_are_gone() -> None:
    """Header times are zero; subtitles and positions have no track any more; the film says who it is for the policy."""
    data = bmff.film(place)
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
    cleaned = MP4.scrub(bmff.fragmented(place)).data
    seen = []
    for kind, start, end in boxes(cleaned):
        if kind == b"moof":
            run = body_of(cleaned[start:end], b"traf", b"trun")
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
    data = change(bmff.film(place))
    if error is None:
        assert MP4.scrub(data)
        return
    with pytest.raises(error):
        MP4.scrub(data)


def test_a_cover_goes_and_the_sound_stays() -> None:
    """An M4A with a cover is a picture file; without it, it is sound."""
    data = bmff.song(place)
    assert M4A.inspect(data).codes >= {"bmff.cover"}
    cleaned = M4A.scrub(data).data
    assert b"covr" not in cleaned
    assert silent(cleaned)


def test_a_compressed_movie_box_is_looked_into() -> None:
    """Old QuickTime deflates moov: it is written plain when anything in it goes, and never lost."""
    data = bmff.quicktime(place)
    start, end = next((start - 8, stop) for kind, start, stop in boxes(data) if kind == b"moov")
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
    assert pixels(bytes(patched)) == pixels(picture)


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
        bmff.song(place), bmff.film(place), plain + b"x", plain + box(b"uuid", bytes(20)), plain.replace(b"soun", b"vide"),
        plain.replace(b"moov", b"moox"), b"", b"\0" * 40, plain[:60],
    ):  # fmt: skip
        assert not silent(other)


def test_a_picture_behind_quiet_sound_is_seen() -> None:
    """Bytes that no track refers to may be a picture: then the file is none of the harmless ones."""
    plain = bmff.song(lambda what: "", cover=False).replace(b"uuid", b"free")
    hidden = plain + box(b"free", jpeg_with_canaries("CANARY", size=(24, 16)))
    assert not sniff(hidden).harmless
