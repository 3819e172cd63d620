"""DICOM: what PS3.15 Annex E names goes at every level, the picture stays byte for byte, and the file claims what was done."""

from __future__ import annotations

import io
import struct

import pydicom
import pytest
from PIL import Image

from filters.api import Cleaning, Fate, Malformed, Nature, TooBig, Unsupported
from filters.decorative import decorative
from filters.dicom import facts, file, uids
from filters.dicom.scrubber import DICOM
from filters.sniff import sniff
from tests.support.samples import bmff
from tests.support.samples.dicom import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    JPEG_2000,
    JPEG_LS,
    PICTURES,
    RLE,
    STORAGE,
    base,
    element,
    fragments,
    items,
    part10,
    picture,
    pixels,
)

pytestmark = pytest.mark.unit
_PARA_10 = ("CR", "DX", "CT", "MR", "US", "MG", "XA", "RF", "NM", "PT", "ES", "GM", "SM", "OPT")
KEYED = Cleaning(uid_key=b"secret of this site")


def codes(data: bytes) -> set[str]:
    return {finding.code for finding in DICOM.scrub(data).findings if finding.fate is Fate.REMOVED}


def read(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def inflated(data: bytes) -> bytes:
    """The bytes of a file, its data set as it reads."""
    return data if DEFLATED.encode() not in data[:400] else data[:400] + file.parse(data).body


@pytest.mark.parametrize("name", PICTURES)
def test_no_canary_of_any_text_attribute_survives(name: str) -> None:
    """Every text of the data dictionary, private data, overlays, curves, header, preamble, padding, tail, coded frames."""
    placed: dict[bytes, str] = {}

    def place(what: str) -> str:
        word = f"CANARY{len(placed):05}"
        placed[word.encode()] = what
        return word

    data = PICTURES[name](place)
    result = DICOM.scrub(data)
    before, output = inflated(data), inflated(result.data)
    assert sum(word in before for word in placed) > len(placed) * 0.9
    assert [what for word, what in placed.items() if word in output] == []
    assert DICOM.residue(result.data) == ()
    assert DICOM.scrub(result.data).data is result.data


@pytest.mark.parametrize("transfer", [EXPLICIT, IMPLICIT, BIG, DEFLATED])
def test_pixels_and_transfer_syntax_are_the_inputs(transfer: str) -> None:
    """Native pixel data stay byte for byte in every encoding of the data set."""
    data = picture(transfer, PatientName="Doe^Jane")
    before, after = read(data), read(DICOM.scrub(data).data)
    assert after.PixelData == before.PixelData
    assert (after.pixel_array == before.pixel_array).all()
    assert after.file_meta.TransferSyntaxUID == transfer


@pytest.mark.parametrize("transfer", [JPEG, JPEG_2000])
def test_coded_frames_lose_their_metadata_and_nothing_else(transfer: str) -> None:
    """COM and APPn segments inside encapsulated frames go, which other DICOM tools leave; the decoded picture is the same."""
    data = picture(transfer, lambda what: f"CANARY {what}")
    result = DICOM.scrub(data)
    assert b"CANARY" in data
    assert b"CANARY" not in result.data
    assert "dicom.frame-metadata" in codes(data)
    assert (read(result.data).pixel_array == read(data).pixel_array).all()


def test_offset_tables_follow_frames_that_shrink() -> None:
    """Basic and extended offset tables point at the frames of the output."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((16, 12)).save(out, "JPEG", comment=b"CANARY" * 9)
    rows, _ = pixels(JPEG, str)
    rows |= base(JPEG) | {0x00280008: element(0x00280008, "IS", "3")}
    for table in (True, False):
        body = fragments([out.getvalue()] * 3, table=table)
        data = part10(rows, element(0x7FE00010, "OB", body, undefined=True), JPEG)
        cleaned = read(DICOM.scrub(data).data)
        assert cleaned.pixel_array.shape == (3, 12, 16)
        assert (cleaned.pixel_array == read(data).pixel_array).all()
        assert b"CANARY" not in cleaned.PixelData
    starts = struct.pack("<3Q", *(i * (len(out.getvalue()) + (len(out.getvalue()) & 1) + 8) for i in range(3)))
    rows[0x7FE00001] = element(0x7FE00001, "OV", starts)
    rows[0x7FE00002] = element(0x7FE00002, "OV", struct.pack("<3Q", *[len(out.getvalue())] * 3))
    body = b"".join(rows[tag] for tag in sorted(rows)) + element(
        0x7FE00010, "OB", fragments([out.getvalue()] * 3, table=False), undefined=True
    )
    head = part10({}, b"", JPEG)
    cleaned = read(DICOM.scrub(head + body).data)
    assert len(cleaned.ExtendedOffsetTable) == 24
    assert [pydicom.encaps.get_frame(cleaned.PixelData, i, number_of_frames=3)[:2] for i in range(3)] == [b"\xff\xd8"] * 3
    first = struct.unpack("<3Q", cleaned.ExtendedOffsetTable)
    assert first[1] == struct.unpack("<3Q", cleaned.ExtendedOffsetTableLengths)[0] + 8


def test_a_jpeg_ls_scan_is_not_taken_for_markers() -> None:
    """FF followed by a byte below 80 belongs to a JPEG-LS scan (T.87 C.2.2)."""
    scan = b"\x12\xff\x7f\x33\xff\x31\xe0\x07"
    frame = (
        b"\xff\xd8\xff\xfe\0\x08CANARY\xff\xf7\0\x0b\x08\0\x0c\0\x10\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\0\0"
        + scan
        + b"\xff\xd9"
    )
    rows, _ = pixels(JPEG_LS, str)
    data = part10(rows | base(JPEG_LS), element(0x7FE00010, "OB", fragments([frame]), undefined=True), JPEG_LS)
    cleaned = DICOM.scrub(data).data
    assert b"CANARY" not in cleaned
    assert scan + b"\xff\xd9" in cleaned


@pytest.mark.filterwarnings("ignore:The decoded RLE segment")  # pydicom warns of the input
def test_an_rle_segment_ends_where_the_picture_ends() -> None:
    """Bytes behind the last run that is shown, and in unused fields of the header, are blanked."""
    plane = b"\x81\x07" + b"\xc2\x01" + b"\x00\x05" + b"\x80"  # 128 + 63 + 1 bytes, and a code that means nothing
    header = struct.pack("<16I", 1, 64, *[0] * 14)
    frames = [header + plane[:-1] + b"\0", header[:40] + b"CANARY-2" + header[48:] + plane[:-1] + b"\x05CANARY"]
    rows, _ = pixels(RLE, str)
    rows |= base(RLE) | {0x00280008: element(0x00280008, "IS", "2")}
    data = part10(rows, element(0x7FE00010, "OB", fragments(frames), undefined=True), RLE)
    cleaned = DICOM.scrub(data).data
    assert b"CANARY" not in cleaned
    assert (read(cleaned).pixel_array == read(data).pixel_array).all()


def test_a_tiff_header_in_the_preamble_goes() -> None:
    """A file that is TIFF and DICOM at once is a polyglot; the output is DICOM alone."""
    data = b"II*\0\x08\0\0\0CANARY".ljust(128, b"\0") + picture()[128:]
    assert "sniff.polyglot" in sniff(data).codes
    cleaned = DICOM.scrub(data).data
    assert cleaned[:128] == bytes(128)
    assert sniff(cleaned).codes == frozenset()
    assert "dicom.preamble" in codes(data)


@pytest.mark.parametrize("tail", [b"PK\x03\x04 CANARY", element(0xFFFCFFFC, "OB", b"CANARY"), bytes(512), b"\x01"])
def test_bytes_behind_the_pixels_go(tail: bytes) -> None:
    """Trailing padding, archives, single bytes: nothing stands behind the pixel data."""
    assert DICOM.scrub(picture() + tail, KEYED).data == DICOM.scrub(picture(), KEYED).data


def test_rows_beyond_the_picture_go() -> None:
    """Native pixel data end where the shape says; the even-length pad stays."""
    rows, last = pixels(EXPLICIT, str)
    longer = element(0x7FE00010, "OW", last[12:] + b"CANARY")
    data = part10(rows | base(EXPLICIT), longer, EXPLICIT)
    assert b"CANARY" not in DICOM.scrub(data).data
    assert "dicom.pixel-tail" in codes(data)
    assert len(read(DICOM.scrub(data).data).PixelData) == 16 * 12


def test_a_bare_data_set_becomes_a_file() -> None:
    """Data sets without preamble, as old machines send them, leave as files by PS3.10 that say their encoding."""
    data = picture(IMPLICIT)
    bare = data[data.index(b"\x08\0\x16\0") :]
    cleaned = DICOM.scrub(bare).data
    assert cleaned[128:132] == b"DICM"
    assert (read(cleaned).pixel_array == read(data).pixel_array).all()


def test_implicit_vrs_where_explicit_ones_are_told() -> None:
    """Programs read such files by what stands there; the output tells what stands there."""
    data = picture(IMPLICIT)
    lying = part10({}, b"", EXPLICIT) + data[data.index(b"\x08\0\x16\0") :]
    assert read(DICOM.scrub(lying).data).file_meta.TransferSyntaxUID == IMPLICIT


# ---- what the file says about itself


def test_the_marks_say_what_was_done_and_no_more() -> None:
    """(0012,0062..64) and (0028,0303) after the Basic Profile; burned-in annotation is never claimed to be absent."""
    after = read(DICOM.scrub(picture(PatientName="Doe^Jane")).data)
    assert after.PatientIdentityRemoved == "YES"
    assert [item.CodeValue for item in after.DeidentificationMethodCodeSequence] == ["113100"]
    assert after.LongitudinalTemporalInformationModified == "REMOVED"
    assert "BurnedInAnnotation" not in after
    assert "RecognizableVisualFeatures" not in after


@pytest.mark.parametrize(
    ("told", "modality", "storage", "code"),
    [
        ("YES", "CT", "2", "dicom.burned-in"),
        ("NO", "US", "6.1", None),
        (None, "CT", "2", "dicom.burned-in-unknown"),
        (None, "US", "6.1", "dicom.burned-in"),
        (None, "XA", "12.1", "dicom.burned-in"),
        (None, "OT", "7", "dicom.burned-in"),
    ],
)
def test_burned_in_is_told_as_far_as_it_is_known(told: str | None, modality: str, storage: str, code: str | None) -> None:
    """YES stays YES, NO only where the file said it; kinds that usually carry names in the picture count as if."""
    rows, last = pixels(EXPLICIT, str)
    texts = {"BurnedInAnnotation": told} if told else {}
    data = part10(rows | base(EXPLICIT, modality, STORAGE + storage, **texts), last, EXPLICIT)
    seen = DICOM.inspect(data).codes & {"dicom.burned-in", "dicom.burned-in-unknown"}
    assert seen == ({code} if code else set())
    assert read(DICOM.scrub(data).data).get("BurnedInAnnotation") == told
    kept = {finding.code for finding in DICOM.scrub(data).findings if finding.fate is Fate.KEPT}
    assert kept == seen


def test_an_earlier_claim_does_not_stay() -> None:
    """A file that calls itself de-identified is cleaned like any other and says our method, not the other's."""
    data = picture(PatientIdentityRemoved="YES", DeidentificationMethod="by Jane Doe", PatientName="Doe^Jane")
    after = read(DICOM.scrub(data).data)
    assert "dicom.marks" in codes(data)
    assert after.DeidentificationMethod == "Clinigate PS3.15 E.1"
    assert after.PatientName == ""


# ---- UIDs


def test_uids_are_replaced_alike_everywhere() -> None:
    """One UID has one replacement in all places and files under one key; the standard's own stay."""
    rows, last = pixels(EXPLICIT, str)
    nested = element(0x00081150, "UI", STORAGE + "2") + element(0x00081155, "UI", "1.2.3.4.1")
    rows |= base(EXPLICIT) | {0x00081140: element(0x00081140, "SQ", items([nested]))}
    after = read(DICOM.scrub(part10(rows, last, EXPLICIT), KEYED).data)
    assert after.SOPInstanceUID == after.file_meta.MediaStorageSOPInstanceUID
    assert after.ReferencedImageSequence[0].ReferencedSOPInstanceUID == after.SOPInstanceUID
    assert after.ReferencedImageSequence[0].ReferencedSOPClassUID == STORAGE + "2" == after.SOPClassUID
    other = read(DICOM.scrub(picture(InstanceNumber="8"), KEYED).data)
    assert other.StudyInstanceUID == after.StudyInstanceUID != "1.2.3.4.2"
    assert after.StudyInstanceUID.startswith("2.25.") and len(after.StudyInstanceUID) <= 44


def test_without_a_key_files_cannot_be_linked() -> None:
    """No key: two files of one study get unrelated UIDs, each file always the same ones."""
    one, two = picture(InstanceNumber="7"), picture(InstanceNumber="8")
    assert read(DICOM.scrub(one).data).StudyInstanceUID != read(DICOM.scrub(two).data).StudyInstanceUID
    assert DICOM.scrub(one).data == DICOM.scrub(bytes(bytearray(one))).data


def test_a_uid_we_made_is_known_without_the_key() -> None:
    """The mark in the UID itself: others' 2.25 UIDs are replaced, ours stay."""
    new = uids.renew("1.2.3", b"key")
    assert uids.made(new)
    assert not uids.made("2.25.67158630336384971146087767736798804511")
    assert not uids.made(new[:-1] + str((int(new[-1]) + 1) % 10))
    assert not uids.made("2.25." + "9" * 39) and not uids.made("2.25.") and not uids.made("2.25.²")


# ---- facts


@pytest.mark.parametrize(
    ("modality", "storage", "nature"),
    [
        *((modality, "2", Nature.RADIOLOGY) for modality in _PARA_10),
        ("XC", "77.1.4", Nature.PHOTO),
        ("DMS", "77.1.7.1", Nature.PHOTO),
        ("OP", "77.1.5.1", Nature.PHOTO),
        ("XC", "7", Nature.PHOTO),
        ("OT", "7", Nature.PHOTO),
        ("", "7", Nature.PHOTO),
        ("CT", "77.1.4", Nature.PHOTO),  # a photograph, whatever the modality says
        ("US", "6.1", Nature.RADIOLOGY),
        ("ES", "77.1.1", Nature.RADIOLOGY),
        ("PR", "11.1", Nature.RADIOLOGY),
    ],
)
def test_modality_and_class_tell_the_nature(modality: str, storage: str, nature: Nature) -> None:
    """GMC para 10: inner organs and tissue by modality; photographic classes are photographs that need consent."""
    assert facts.nature(modality, STORAGE + storage) is nature


def test_facts_are_read_and_not_shown() -> None:
    """Shape, modality, side, date and patient numbers; who issued a number is no number."""
    data = picture(PatientID="4857773456", IssuerOfPatientID="RXH", OtherPatientIDs="A1\\B2", AcquisitionDate="20240306",
                   AcquisitionTime="091500.123", ImageLaterality="R", Manufacturer="ACME", DeviceSerialNumber="SN1")  # fmt: skip
    info = DICOM.inspect(data)
    assert (info.width, info.height, info.bits, info.frames) == (16, 12, 8, 1)
    assert (info.modality, info.laterality, info.taken) == ("CT", "R", "2024:03:06 09:15:00")
    assert info.identifiers == ("4857773456", "A1", "B2")
    assert (info.make, info.serial, info.nature) == ("ACME", "SN1", Nature.RADIOLOGY)
    assert {"dicom.patient-id", "dicom.date", "dicom.device", "dicom.patient"} <= info.codes
    assert "4857773456" not in repr(info)


def test_a_film_inside_is_cleaned_as_a_film() -> None:
    """MPEG-4 in DICOM is a whole MP4 file; other streams are held."""
    film = bmff.PICTURES["mp4"](lambda what: f"CANARY {what}")
    transfer = "1.2.840.10008.1.2.4.102"
    rows, _ = pixels(EXPLICIT, str)
    rows |= base(transfer, "ES", STORAGE + "77.1.1.1") | {0x00280008: element(0x00280008, "IS", "25")}
    data = part10(rows, element(0x7FE00010, "OB", fragments([film[:512], film[512:]]), undefined=True), transfer)
    result = DICOM.scrub(data)
    assert b"CANARY" in data
    assert b"CANARY" not in result.data
    assert DICOM.scrub(result.data).data is result.data
    assert DICOM.inspect(data).nature is Nature.RADIOLOGY
    other = part10(rows, element(0x7FE00010, "OB", fragments([b"\0\0\1\xb3 MPEG-2"]), undefined=True), transfer)
    with pytest.raises(Unsupported, match="coded video"):
        DICOM.scrub(other)


def test_an_object_is_never_decoration() -> None:
    """A small or image-free object that carries nothing else is no icon and no tracking pixel."""
    for data in (picture(BurnedInAnnotation="NO"), PICTURES["dicom-report"](str)):
        cleaned = DICOM.scrub(data).data
        info = DICOM.inspect(cleaned)
        assert info.codes == {"dicom.object"}
        assert decorative(info, cleaned, "", inline=True, known_logos=frozenset(), seen_inline_before=True) is None


def test_a_cleaned_file_has_no_date_and_no_number() -> None:
    """Dummies are not read as facts; no two patients get one number."""
    info = DICOM.inspect(DICOM.scrub(picture(PatientID="4857773456", AcquisitionDate="20240306")).data)
    assert (info.taken, info.identifiers, info.serial) == ("", (), "")


# ---- what is refused


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (base(EXPLICIT, "", "1.2.840.10008.1.3.10"), "a directory of other files"),
        (base(EXPLICIT, "SR", STORAGE + "88.11"), "a report in free text"),
        (base(EXPLICIT, "DOC", STORAGE + "104.1"), "a document inside"),
        (base(EXPLICIT) | {0x00420011: element(0x00420011, "OB", b"%PDF-1.4")}, "a document inside"),
        (base(EXPLICIT) | {0x00287FE0: element(0x00287FE0, "UR", "https://x.example/?id=1")}, "pixels that are kept elsewhere"),
        (base(EXPLICIT) | {0x60000102: element(0x60000102, "US", b"\x0c\0")}, "overlay inside the pixels"),
        (
            base(EXPLICIT, "SR", STORAGE + "88.33")
            | {0x0040A730: element(0x0040A730, "SQ", items([element(0x0040A040, "CS", "TEXT")]))},
            "a report of which nothing may stay",
        ),
    ],
)
def test_refused_with_a_reason(rows: dict[int, bytes], reason: str) -> None:
    """Directories, free-text reports, documents, far pixels, overlays in the pixels: held, never half cleaned."""
    with pytest.raises(Unsupported, match=f"^{reason}$"):
        DICOM.scrub(part10(rows, b"", EXPLICIT))
    assert [finding.fate for finding in DICOM.residue(part10(rows, b"", EXPLICIT))] == [Fate.STUCK]


def test_a_report_keeps_measurements_and_loses_words() -> None:
    """Structured reports keep codes, numbers and references, in the wording of public lists, and say so (113104)."""
    after = read(DICOM.scrub(PICTURES["dicom-report"](lambda what: f"CANARY {what}")).data)
    assert [item.ValueType for item in after.ContentSequence] == ["NUM"]
    measured = after.ContentSequence[0].MeasuredValueSequence[0]
    assert (measured.NumericValue, measured.MeasurementUnitsCodeSequence[0].CodeMeaning) == (12.5, "mm")
    assert [item.CodeValue for item in after.DeidentificationMethodCodeSequence] == ["113100", "113104"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (picture()[:-20], Malformed),  # truncated
        (picture().replace(b"\x28\0\x10\0US", b"\x28\0\x10\0LO"), Malformed),  # a lying VR
        (picture().replace(b"\x28\0\x10\0US", b"\x28\0\x10\0??"), Malformed),
        (picture().replace(EXPLICIT.encode() + b"\0", b"1.2.840.113619.5.2\0\0"[:20]), Unsupported),
        (part10({}, b"", EXPLICIT), Malformed),
        (bytes(4000), Malformed),
        (b"", Malformed),
    ],
)
def test_what_programs_would_read_differently_is_refused(data: bytes, error: type[Exception]) -> None:
    """Damage never becomes a guess."""
    with pytest.raises(error):
        DICOM.scrub(data)


def test_more_frames_than_told_are_refused() -> None:
    """A second picture in the fragments is shown by some programs and by others not."""
    rows, last = pixels(JPEG, str)
    frame = last[32:-8]
    data = part10(rows | base(JPEG), element(0x7FE00010, "OB", fragments([frame, frame]), undefined=True), JPEG)
    with pytest.raises(Malformed, match="number of coded frames"):
        DICOM.scrub(data)


# ---- bombs


def test_deep_nesting_ends_at_a_limit() -> None:
    """10,000 sequences one in the other, of undefined and of known length."""
    head, rows = part10({}, b"", EXPLICIT), base(EXPLICIT)
    one = struct.pack("<HH", 8, 0x1140) + b"SQ\0\0" + b"\xff" * 4 + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    with pytest.raises(TooBig):
        DICOM.scrub(head + rows[0x00080016] + one * 10_000)
    body = b""
    for _ in range(200):
        body = element(0x00081140, "SQ", items([body]))
    with pytest.raises(TooBig):
        DICOM.scrub(head + rows[0x00080016] + body)


def test_a_deflate_bomb_ends_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deflated data set is inflated within a limit."""
    monkeypatch.setattr(file, "_MAX_INFLATED", 1 << 20)
    rows, last = pixels(DEFLATED, str)
    data = part10(rows | base(DEFLATED) | {0x00091001: element(0x00091001, "UN", bytes(8 << 20))}, last, DEFLATED)
    with pytest.raises(TooBig):
        DICOM.scrub(data)


def test_many_elements_end_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Items of no content are counted too."""
    from filters.dicom import reader

    monkeypatch.setattr(reader, "MAX_ELEMENTS", 1000)
    with pytest.raises(TooBig):
        DICOM.scrub(part10(base(EXPLICIT) | {0x00081140: element(0x00081140, "SQ", items([b""] * 2000))}, b"", EXPLICIT))
