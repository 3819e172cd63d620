"""Cleaned DICOM files before independent judges: the metadata judge, pydicom's decoders, dcmtk."""

from __future__ import annotations

import importlib.util
import subprocess
import warnings
from pathlib import Path

import pydicom
import pytest

from filters.api import FilterError, OpaqueReason
from filters.dicom.scrubber import DICOM
from tests.support.needs import needs, needs_path
from tests.support.paths import CORPUS, JUDGE
from tests.support.samples.dicom import PICTURES

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
# what the judge takes for metadata: it reads JPEG-LS scans as JPEG ones
_MISREAD = ("FFF7", "FFF8", "marker FF")


def _files() -> list[Path]:
    shipped = (Path(pydicom.__file__).parent / "data" / "test_files").glob("*.dcm")
    return sorted({path for path in [*shipped, *(CORPUS / "images").rglob("*.dcm")] if path.stat().st_size < 1 << 20})


def _cleaned(path: Path) -> bytes | None:
    try:
        return DICOM.scrub(path.read_bytes()).data
    except FilterError as error:
        assert error.reason in (OpaqueReason.CORRUPT, OpaqueReason.NOT_SUPPORTED)
        return None


def test_most_real_files_are_cleaned_not_refused() -> None:
    """Refused: free-text reports, directories, damage."""
    files = _files()
    held = [path.name for path in files if _cleaned(path) is None]
    assert len(held) <= len(files) * 0.12, held


def test_pixels_of_real_files_are_the_same() -> None:
    """pydicom decodes the same array from input and output, of every file that it decodes."""
    compared = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what is odd in its own test files
        for path in _files():
            cleaned = _cleaned(path)
            if cleaned is None:
                continue
            before, after = pydicom.dcmread(path, force=True), pydicom.dcmread(pydicom.filebase.DicomBytesIO(cleaned))
            try:
                wanted = before.pixel_array
            except Exception:  # no pixels, or a decoder that is not installed
                continue
            assert (after.pixel_array == wanted).all(), path.name
            compared += 1
    assert compared > 30


def test_the_judge_finds_nothing(tmp_path: Path) -> None:
    """No leak in any cleaned file, with the original at hand."""
    needs("exiftool")
    spec = importlib.util.spec_from_file_location("metadata_judge", needs_path(JUDGE))
    assert spec is not None and spec.loader is not None
    judge = importlib.util.module_from_spec(spec)
    outputs: dict[str, Path] = {}
    for number, path in enumerate(_files()):
        cleaned = _cleaned(path)
        if cleaned is not None:
            outputs[str(tmp_path / f"{number}.dcm")] = path
            (tmp_path / f"{number}.dcm").write_bytes(cleaned)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the judge reads with pydicom, which warns of odd originals
        spec.loader.exec_module(judge)
        seen = judge.exiftool_json(list(outputs))
        for output, path in outputs.items():
            kind, findings = judge.judge(output, seen[output], str(path))
            leaks = [row for row in findings if row[0] == "LEAK" and not any(word in row[2] for word in _MISREAD)]
            assert (kind, leaks) == ("dicom", []), path.name


@pytest.mark.parametrize("name", PICTURES)
def test_dcmtk_reads_what_we_write(name: str, tmp_path: Path) -> None:
    """dcmftest and dcmdump accept the output of every encoding."""
    needs("dcmftest", "dcmdump")
    output = tmp_path / "out.dcm"
    output.write_bytes(DICOM.scrub(PICTURES[name](lambda what: what[:16])).data)
    assert subprocess.run(["dcmftest", output], capture_output=True, timeout=60).returncode == 0
    run = subprocess.run(["dcmdump", "+fo", output], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0
    assert "W:" not in run.stderr and "E:" not in run.stderr, run.stderr
    assert "PatientIdentityRemoved" in run.stdout
