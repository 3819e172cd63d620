"""JPEG and PNG by construction, judged by programs that are not ours."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from filters.jpeg.scrubber import JPEG
from filters.png.scrubber import PNG
from tests.support.canary_images import camera_exif, jpeg_with_canaries, photo, png_with_canaries, segment
from tests.support.images_judged import leaks
from tests.support.needs import needs

pytestmark = pytest.mark.e2e
CANARY = "CANARY-7f3a9c"


def encoded() -> bytes:
    out = io.BytesIO()
    photo(3, (96, 64)).save(out, "JPEG", quality=85)
    return out.getvalue()


def noted(data: bytes) -> bytes:
    """The file with camera metadata behind SOI and a comment before EOI."""
    return data[:2] + segment(0xE1, camera_exif("x")) + data[2:-2] + segment(0xFE, b"a note") + data[-2:]


@pytest.mark.parametrize(
    "options", [["-arithmetic"], ["-arithmetic", "-progressive"], ["-restart", "1"], ["-progressive", "-restart", "3B"]]
)
def test_arithmetic_and_restart_files_of_jpegtran_stay_byte_identical(options: list[str], tmp_path: Path) -> None:
    """Arithmetic coding (SOF9, SOF10, DAC) and restart markers pass through."""
    needs("jpegtran", "djpeg")
    made = subprocess.run(["jpegtran", *options], input=encoded(), capture_output=True, check=True).stdout
    assert JPEG.scrub(made).data is made
    noisy = noted(made)
    assert JPEG.scrub(noisy).data == made
    assert (
        len(subprocess.run(["djpeg", "-pnm"], input=JPEG.scrub(noisy).data, capture_output=True, check=True).stdout) > 96 * 64 * 3
    )


def test_the_judge_agrees_about_the_canary(tmp_path: Path) -> None:
    """exiftool and the judge find nothing in the scrubbed canary files, and much in the originals."""
    (tmp_path / "a.jpg").write_bytes(jpeg_with_canaries(CANARY))
    (tmp_path / "b.jpg").write_bytes(JPEG.scrub(jpeg_with_canaries(CANARY)).data)
    (tmp_path / "a.png").write_bytes(png_with_canaries(CANARY))
    (tmp_path / "b.png").write_bytes(PNG.scrub(png_with_canaries(CANARY)).data)
    assert len(leaks({tmp_path / "a.jpg": None, tmp_path / "a.png": None})) > 50
    assert leaks({tmp_path / "b.jpg": tmp_path / "a.jpg", tmp_path / "b.png": tmp_path / "a.png"}) == []
