"""The options of PS3.15 Annex E that a policy may choose: each does what it says, says what it did, and is stable."""

from __future__ import annotations

import io

import pydicom
import pytest

from filters.api import Cleaning
from filters.dicom import dates, profile, table, words
from filters.dicom.profile import Act
from filters.dicom.scrubber import DICOM
from tests.support.samples.dicom import EXPLICIT, base, element, items, part10, picture, pixels

pytestmark = pytest.mark.unit
DAY = "20240101"
TOLD = {
    "PatientName": "Doe^Jane", "PatientID": "4857773456", "PatientAge": "072Y", "PatientWeight": "61", "StationName": "CT-EAST-2",
    "Manufacturer": "ACME", "DeviceSerialNumber": "SN77", "InstitutionName": "St Elsewhere", "StudyDescription": "CHEST Doe PA",
    "SeriesDescription": "Mrs Doe", "StudyDate": "20240305", "AcquisitionDateTime": "20240306101500.5", "Allergies": "latex",
    "DateOfLastCalibration": "20240101", "SOPInstanceUID": "1.2.3.4.1",
}  # fmt: skip


def cleaned(*options: int, key: bytes = b"key", **more: str) -> pydicom.Dataset:
    cleaning = Cleaning(dicom=frozenset(options), uid_key=key)
    data = DICOM.scrub(picture(**(TOLD | more)), cleaning).data
    assert DICOM.scrub(data, cleaning).data is data
    assert DICOM.residue(data, cleaning) == ()
    return pydicom.dcmread(io.BytesIO(data))


def claimed(data_set: pydicom.Dataset) -> list[str]:
    return [item.CodeValue for item in data_set.DeidentificationMethodCodeSequence]


def test_by_default_nothing_of_it_stays() -> None:
    """The Basic Profile alone: names, numbers, dates, machines, places and words are gone or dummies."""
    data_set = cleaned()
    assert claimed(data_set) == ["113100"]
    text = str(data_set)
    for value in ("Doe", "4857", "072Y", "EAST", "ACME", "SN77", "Elsewhere", "CHEST", "2024", "latex", "1.2.3.4"):
        assert value not in text.replace(str(data_set.file_meta), "")


@pytest.mark.parametrize(
    ("option", "stays"),
    [
        (113106, {"StudyDate": "20240305", "AcquisitionDateTime": "20240306101500.5", "DateOfLastCalibration": "20240101"}),
        (113108, {"PatientAge": "072Y", "PatientWeight": 61, "PatientSex": "F"}),
        (
            113109,
            {"StationName": "CT-EAST-2", "DeviceSerialNumber": "SN77", "Manufacturer": "ACME", "DateOfLastCalibration": DAY},
        ),
        (113110, {"SOPInstanceUID": "1.2.3.4.1", "StudyInstanceUID": "1.2.3.4.2"}),
        (113112, {"InstitutionName": "St Elsewhere"}),
        (113105, {"StudyDescription": "CHEST PA"}),
    ],
)  # fmt: skip
def test_an_option_retains_what_it_names_and_nothing_else(option: int, stays: dict[str, object]) -> None:
    """Each option alone; the code sequence names it."""
    plain, data_set = cleaned(), cleaned(option)
    assert claimed(data_set) == ["113100", str(option)]
    assert {word: data_set.get(word) for word in stays} == stays
    assert data_set.PatientName == data_set.PatientID == ""
    changed = {one.keyword for one in data_set if one != plain.get(one.tag)} - {"DeidentificationMethodCodeSequence"}
    uids = {"SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"}
    times = {"StudyTime", "LongitudinalTemporalInformationModified"}
    assert changed - (uids if option == 113110 else set()) - (times if option == 113106 else set()) <= stays.keys()


def test_dates_move_together_and_only_once() -> None:
    """113107: all dates of a patient by the same secret number of days; a second cleaning knows by the seal."""
    first, second = cleaned(113107), cleaned(113107, StudyDate="20240312")
    assert first.LongitudinalTemporalInformationModified == "MODIFIED"
    assert claimed(first) == ["113100", "113107"]
    assert first.StudyDate != "20240305"
    assert first.StudyTime == "101530"
    assert first.AcquisitionDateTime.endswith("101500.5")
    day = pydicom.valuerep.DA
    assert (day(second.StudyDate) - day(first.StudyDate)).days == 7
    assert cleaned(113107, PatientID="9").StudyDate != first.StudyDate
    assert cleaned(113107, key=b"other").StudyDate != first.StudyDate
    assert cleaned(113107, key=b"").StudyDate != "20240305"


def test_both_options_for_dates_mean_the_stricter() -> None:
    """Full and modified dates at once: modified, and only that is claimed."""
    assert claimed(cleaned(113106, 113107)) == ["113100", "113107"]


@pytest.mark.parametrize("option", [113101, 113102, 113103, 113111, 99])
def test_what_cannot_be_done_is_not_claimed(option: int) -> None:
    """Pixels, faces, graphics and safe private attributes: chosen or not, nothing changes and nothing is claimed."""
    assert cleaned(option) == cleaned()


def test_dates_that_nobody_can_read_become_dummies() -> None:
    """Shifting: other forms, impossible days, the first year."""
    assert dates.shift("DA", "2024.03.05", 5) == "20240229"
    assert dates.shift("DT", "20240305101500+0100", 5) == "20240229101500+0100"
    assert dates.shift("DA", "20241399", 5) == dates.shift("DA", "Jane", 5) == dates.shift("DA", "00010101", 400) == "19000101"
    assert dates.shift("DT", "2024", 5) == "19000101"
    assert dates.shift("TM", "101500", 5) == "101500"


def test_only_words_of_the_trade_stay() -> None:
    """Clean descriptors: names and long numbers go, whatever stands between the words."""
    assert words.clean("CHEST PA/LAT") == "CHEST PA/LAT"
    assert words.clean("Chest, Mrs Smith 4857773456 T2 axial") == "Chest T2 axial"
    assert words.clean("Smith") == words.clean("") == words.clean("/") == words.clean("a" * 1000) == ""


def test_facts_about_the_patient_that_the_table_passes_over() -> None:
    """Body mass, numbers of reports and other studies: gone by default; body mass stays with the option."""
    more = {"PatientBodyMassIndex": "23.5", "OtherStudyNumbers": "12345", "TypeOfPatientID": "RFID"}
    assert not {*more} & {one.keyword for one in cleaned(**more)}
    assert {*more} & {one.keyword for one in cleaned(113108, **more)} == {"PatientBodyMassIndex"}


def test_the_table_is_that_of_the_standard() -> None:
    """Some rows of E.1-1, and that every row has an action and letters that are known."""
    assert len(profile.TABLE) > 640
    assert (profile.TABLE[0x00080080].action, profile.TABLE[0x00080080].letters) == ("X/Z/D", "i")
    assert {row.action for row in profile.TABLE.values()} == {"X", "Z", "D", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"}
    assert set("".join(row.letters for row in profile.TABLE.values())) <= set("dfmpPvVui")
    assert table.ROWS.split() == sorted(table.ROWS.split())


def test_a_dummy_never_makes_a_wrong_uptake() -> None:
    """Start of a radiopharmaceutical goes instead of becoming midnight: viewers would compute a wrong uptake from it."""
    for tag in (0x00181072, 0x00181073, 0x00181078, 0x00181079, 0x00189701):
        assert profile.act(tag, "DT", frozenset()) is Act.REMOVE


def test_coded_terms_speak_the_wording_of_their_list() -> None:
    """Wording is free text: that of a known code is put right, private codes go, a code nobody here knows speaks for itself."""

    def code(value: str, scheme: str, meaning: str) -> bytes:
        return element(0x00080100, "SH", value) + element(0x00080102, "SH", scheme) + element(0x00080104, "LO", meaning)

    rows, last = pixels(EXPLICIT, str)
    terms = [code("T-D3000", "SRT", "Chest of Jane"), code("1", "99DOE", "Jane"), code("9999999", "SCT", "of Jane"),
             code("9999998", "SCT", "Left knee")]  # fmt: skip
    rows |= base(EXPLICIT) | {0x00082218: element(0x00082218, "SQ", items(terms))}
    after = pydicom.dcmread(io.BytesIO(DICOM.scrub(part10(rows, last, EXPLICIT)).data))
    told = [(item.CodeValue, item.CodeMeaning) for item in after.AnatomicRegionSequence]
    assert [value for value, _ in told] == ["T-D3000", "9999999", "9999998"]
    assert "Jane" not in str(told)
    assert told[1:] == [("9999999", "9999999"), ("9999998", "Left knee")]
