"""BMP, headerless bitmaps, icons and cursors by construction."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from filters.api import Fate, Malformed, Scrubber, Unsupported
from filters.bitmaps.bmp import BMP, DIB
from filters.bitmaps.ico import ICO
from filters.png.scrubber import PNG
from tests.support.canary_images import photo, photo_png
from tests.support.images_judged import decode
from tests.support.samples.raster import SIZE, bmp, ico, icon_bitmap, saved

pytestmark = pytest.mark.unit


def words(what: str) -> str:
    return f"CANARY {what}"


def codes(scrubber: Scrubber, data: bytes) -> set[str]:
    return {finding.code for finding in scrubber.scrub(data).findings if finding.fate is Fate.REMOVED}


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_a_plain_bitmap_is_the_very_same_object(mode: str) -> None:
    """Every depth Pillow writes, padded rows included."""
    image = photo(3, (29, 11)).convert(mode)
    for scrubber, kind in ((BMP, "BMP"), (DIB, "DIB")):
        data = saved(kind, image)
        assert scrubber.scrub(data).data is data
        assert scrubber.inspect(data).width == 29


def test_a_linked_profile_becomes_srgb() -> None:
    """The path goes, the header says sRGB, no offset points anywhere."""
    cleaned = BMP.scrub(bmp(words)).data
    assert cleaned[14 + 56 : 14 + 60] == b"BGRs"
    assert cleaned[14 + 112 : 14 + 124] == bytes(12)
    assert "bmp.linked-profile" in codes(BMP, bmp(words))


def test_an_embedded_profile_stays_behind_the_samples() -> None:
    """Without its words, its offset right."""
    cleaned = BMP.scrub(bmp(words, b"DEBM")).data
    offset, size = struct.unpack_from("<II", cleaned, 14 + 112)
    profile = cleaned[14 + offset : 14 + offset + size]
    assert profile[36:40] == b"acsp" and 14 + offset + size == len(cleaned)
    assert BMP.scrub(cleaned).data is cleaned


def test_run_length_coded_rows_end_at_their_end_code() -> None:
    """Eight-bit RLE: what stands behind the end of the bitmap goes."""
    runs = b"\x04\x01\0\0" + b"\0\x03\x02\x03\x04\0\x01\x05\0\0" + b"\0\x02\x01\x00\x03\x06\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, 4, 3, 1, 8, 1, len(runs), 0, 0, 8, 0) + bytes(32)
    clean = struct.pack("<2sIII", b"BM", 14 + len(head) + len(runs), 0, 14 + len(head)) + head + runs
    assert BMP.scrub(clean).data is clean
    cleaned = BMP.scrub(clean + b"hidden words").data
    assert cleaned == clean
    assert decode(clean) is not None


def test_rows_behind_the_last_one_are_malformed() -> None:
    """Symptom: Pillow lost the end of a picture.  Cause: programs count empty rows differently.  Found by fuzzing."""
    runs = b"\0\0" * 3 + b"\x04\x01\0\0" + b"\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, 4, 3, 1, 8, 1, len(runs), 0, 0, 8, 0) + bytes(32)
    with pytest.raises(Malformed):
        BMP.scrub(struct.pack("<2sIII", b"BM", 14 + len(head) + len(runs), 0, 14 + len(head)) + head + runs)


def test_colours_that_do_not_count_are_gone_at_once() -> None:
    """Symptom: a second scrub changed the header again.  Cause: the number of important colours was compared with a table that
    had just been dropped.  Found by fuzzing."""
    data = bytearray(saved("BMP", photo(3, (28, 11))))
    data[46:54] = struct.pack("<II", 3, 2)
    data[10:14] = (54 + 12).to_bytes(4, "little")
    cleaned = BMP.scrub(bytes(data[:54]) + b"twelve bytes" + bytes(data[54:])).data
    assert cleaned == saved("BMP", photo(3, (28, 11)))
    assert BMP.scrub(cleaned).data is cleaned


def test_a_table_that_no_sample_uses_is_malformed_without_a_file_header() -> None:
    """Some programs look for the samples of a true-colour DIB in place of the table."""
    data = bytearray(saved("DIB", photo(3, (28, 11))))
    data[32:36] = (4).to_bytes(4, "little")
    with pytest.raises(Malformed):
        DIB.scrub(bytes(data))


def test_more_colours_than_samples_can_point_to_are_malformed_in_icons() -> None:
    """Symptom: Pillow showed other samples.  Cause: nothing but the number of colours says where they begin."""
    head = struct.pack("<IiiHHIIiiII", 40, 32, 4, 1, 1, 0, 0, 0, 0, 16, 0)
    bitmap = head + bytes(8) + bytes(8) + bytes(8)
    with pytest.raises(Malformed):
        ICO.scrub(struct.pack("<HHHBBBBHHII", 0, 1, 1, 32, 2, 0, 0, 1, 1, len(bitmap), 22) + bitmap)


def test_icons_whose_mask_is_not_at_the_end_are_malformed() -> None:
    """Symptom: Pillow showed another mask.  Cause: it looks for it from the entry's end, Windows behind the samples."""
    image = photo(5, SIZE).convert("RGB").tobytes()
    head = struct.pack("<IiiHHIIiiII", 40, SIZE[0], 2 * SIZE[1], 1, 24, 0, 0, 0, 0, 0, 0)
    for mask, fits in ((4 * SIZE[1], True), (4 * SIZE[1] + 4, False), (0, False)):
        bitmap = head + image + bytes(mask)
        data = struct.pack("<HHHBBBBHHII", 0, 1, 1, *SIZE, 0, 0, 1, 24, len(bitmap), 22) + bitmap
        if fits:
            assert ICO.scrub(data).data is data
        else:
            with pytest.raises(Malformed):
                ICO.scrub(data)


def test_a_forgotten_colour_table_is_found() -> None:
    """Some writers let the samples begin at the colour table; Pillow and others skip it, and the file now says so."""
    data = saved("BMP", photo(3, (28, 11)).convert("P"))
    wrong = data[:10] + (54).to_bytes(4, "little") + data[14:]
    cleaned = BMP.scrub(wrong).data
    assert cleaned == data
    assert decode(cleaned) == decode(wrong)


@pytest.mark.parametrize("compression", [4, 5])
def test_other_formats_inside_are_refused(compression: int) -> None:
    """A JPEG or PNG inside a bitmap is shown by printers only."""
    data = bytearray(saved("BMP"))
    data[30] = compression
    with pytest.raises(Unsupported):
        BMP.scrub(bytes(data))


def test_truncated_samples_are_refused() -> None:
    """But for the padding of the last row, which changes nothing."""
    data = saved("BMP", photo(3, (29, 11)))
    with pytest.raises(Malformed):
        BMP.scrub(data[:-40])
    assert BMP.scrub(data[:-1]).data == data[:-1]


def test_an_icon_keeps_its_pictures_and_its_hotspot() -> None:
    """PNG entries are cleaned as PNGs; sizes and places are put right; a cursor still points where it pointed."""
    data = ico(words, 2)
    cleaned = ICO.scrub(data).data
    assert cleaned[2] == 2
    assert [struct.unpack_from("<HH", cleaned, 6 + 16 * i + 4) for i in range(2)] == [(3, 5), (3, 5)]
    size, place = struct.unpack_from("<II", cleaned, 6 + 16 + 8)
    inner = cleaned[place : place + size]
    assert inner.startswith(b"\x89PNG") and PNG.scrub(inner).data is inner
    assert len(cleaned) == place + size


def test_entries_may_share_a_picture() -> None:
    """Two entries of one picture stay two entries of one picture."""
    png = saved("PNG", photo(4, (32, 32)))
    entry = struct.pack("<BBBBHHII", 32, 32, 0, 0, 1, 24, len(png), 6 + 32)
    data = struct.pack("<HHH", 0, 1, 2) + entry + entry + png
    assert ICO.scrub(data).data is data


def test_overlapping_pictures_are_refused() -> None:
    """One picture inside another would be cleaned twice or not at all."""
    bitmap = icon_bitmap(lambda what: "")
    entries = [struct.pack("<BBBBHHII", *SIZE, 0, 0, 1, 24, len(bitmap) - cut, 38 + cut) for cut in (0, 4)]
    with pytest.raises(Malformed):
        ICO.scrub(struct.pack("<HHH", 0, 1, 2) + b"".join(entries) + bitmap)


def test_an_icon_pillow_wrote_is_the_very_same_object() -> None:
    """Ordinary icons are clean."""
    out = io.BytesIO()
    Image.open(io.BytesIO(photo_png(1, (64, 64)))).save(out, "ICO", sizes=[(16, 16), (32, 32)])
    assert ICO.scrub(out.getvalue()).data is out.getvalue() or codes(ICO, out.getvalue()) == set()
    assert (ICO.inspect(out.getvalue()).width, ICO.inspect(out.getvalue()).height) == (32, 32)
