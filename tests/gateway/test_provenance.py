"""Where a picture comes from: camera and messenger, read before anything is taken out, and never kept in clear."""

from __future__ import annotations

import io
import json
import subprocess
from functools import cache

import piexif
import pytest
from PIL import Image

from filters.metadata import exif
from filters.registry import SCRUBBERS
from gateway.demo.pictures import photo
from gateway.pipeline import plan
from tests.support.contexts import COLLEAGUE, context, received
from tests.support.letters import letter
from tests.support.needs import needs
from tests.support.paths import CORPUS

pytestmark = pytest.mark.unit

SERIAL = "SERIAL-CANARY-77"


@cache
def taken_with(make: str, model: str, serial: str = "") -> bytes:
    zeroth = {piexif.ImageIFD.Make: make.encode(), piexif.ImageIFD.Model: model.encode()} if make else {}
    inner = {piexif.ExifIFD.BodySerialNumber: serial.encode()} if serial else {}
    block = piexif.dump({"0th": zeroth, "Exif": inner, "GPS": {}, "1st": {}, "thumbnail": None})
    out = io.BytesIO()
    with Image.open(io.BytesIO(photo(1))) as picture:
        picture.save(out, "JPEG", quality=88, exif=block)
    return out.getvalue()


def record(picture: bytes, name: str = "a.jpg") -> dict[str, object]:
    raw = letter("dr.adams@clinic.example", (COLLEAGUE,), pictures=(picture,)).replace(
        b'filename="photo-0.jpg"', f'filename="{name}"'.encode()
    )
    return dict(plan(context(), received(raw, COLLEAGUE)).record)


def test_a_phone_is_known_and_its_serial_number_is_only_a_keyed_hash() -> None:
    told = record(taken_with("Apple", "iPhone 15", SERIAL))
    image = told["images"][0]  # type: ignore[index]  # JSON
    assert "device.personal" in image["codes"]
    assert image["device"] == record(taken_with("Apple", "iPhone 15", SERIAL))["images"][0]["device"]  # type: ignore[index]
    assert image["device"] != record(taken_with("Apple", "iPhone 15", "1"))["images"][0]["device"]  # type: ignore[index]
    text = json.dumps(told).casefold()
    assert not any(word.casefold() in text for word in (SERIAL, "iPhone", "Apple"))


def test_without_hidden_data_nothing_is_known_and_no_hash_is_made() -> None:
    image = record(taken_with("", ""))["images"][0]  # type: ignore[index]  # JSON
    assert "device.unknown" in image["codes"] and image["device"] is None


def test_serial_numbers_in_maker_notes_are_those_that_exiftool_reads() -> None:
    """An independent peer: Nikon's own tag, in a real file."""
    needs("exiftool")
    path = CORPUS / "images" / "exiftool__NikonD2Hs.jpg"
    if not path.exists():
        pytest.skip("needs the shared corpus")
    done = subprocess.run(["exiftool", "-s3", "-SerialNumber", str(path)], capture_output=True, text=True, check=True)
    assert SCRUBBERS["jpeg"].inspect(path.read_bytes()).serial == done.stdout.strip() != ""


def canon(serial: int, make: bytes = b"Canon") -> bytes:
    """An EXIF block whose maker note holds a Canon serial number alone."""
    note = b"\x01\x00" + b"\x0c\x00\x04\x00\x01\x00\x00\x00" + serial.to_bytes(4, "little") + bytes(4)
    head = b"II*\x00\x08\x00\x00\x00"
    make = make + b"\0"
    # IFD0: Make (inline when short, else behind), ExifIFD; Exif IFD: MakerNote.
    ifd0, second, data = 8, 8 + 2 + 24 + 4, 8 + 2 + 24 + 4 + 2 + 12 + 4
    place = data.to_bytes(4, "little")
    entries = b"\x02\x00" + b"\x0f\x01\x02\x00" + len(make).to_bytes(4, "little") + place
    entries += b"\x69\x87\x04\x00\x01\x00\x00\x00" + second.to_bytes(4, "little") + bytes(4)
    start = data + len(make)
    inner = b"\x01\x00" + b"\x7c\x92\x07\x00" + len(note).to_bytes(4, "little") + start.to_bytes(4, "little") + bytes(4)
    assert ifd0 == len(head)
    return head + entries + inner + make + note


def test_canons_number_is_read_from_its_note_and_from_nobody_elses() -> None:
    assert exif.facts(canon(330217701)).serial == "0330217701"
    assert exif.facts(canon(0)).serial == ""
    assert exif.facts(canon(330217701, b"Nikon")).serial == ""


@pytest.mark.parametrize("cut", range(0, 120, 7))
def test_a_damaged_note_is_no_number_and_no_error(cut: int) -> None:
    exif.facts(canon(330217701)[:cut])
