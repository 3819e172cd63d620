"""What every entry of the registry promises, whatever is thrown at it.  A new format is tested by its one line there."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import filters
from filters.api import Fate, FilterError, OpaqueReason
from filters.catalogue import CODES
from filters.registry import SCRUBBERS
from filters.sniff import sniff
from tests.support.canary_images import (
    jpeg_with_canaries,
    logo_png,
    photo,
    photo_jpeg,
    photo_png,
    png_with_canaries,
)
from tests.support.images_judged import decode
from tests.support.samples import bmff, dicom, raster, tiff

pytestmark = pytest.mark.unit


def _animated() -> bytes:
    out = io.BytesIO()
    photo(0, (20, 16)).save(out, "PNG", save_all=True, append_images=[photo(1, (20, 16))], duration=50)
    return out.getvalue()


@cache
def samples() -> dict[str, tuple[bytes, ...]]:
    """Registry name -> files of that format, small."""
    return {
        "jpeg": (
            jpeg_with_canaries("CANARY-1", size=(40, 24)),
            jpeg_with_canaries("CANARY-1", size=(24, 16), progressive=False),
            photo_jpeg(1, (48, 32)),
            photo_jpeg(2, (40, 40), gps=False, restart_marker_blocks=3),
        ),
        "dicom": tuple(build(lambda what: f"CANARY {what}"[:16]) for build in dicom.PICTURES.values()),
        "png": (png_with_canaries("CANARY-1", size=(24, 16)), photo_png(1, (20, 16)), logo_png(), _animated()),
        **_sniffed(raster.PICTURES),
        **_sniffed({name: build for name, build in tiff.PICTURES.items() if name != "tiff-thumbnail"}),  # loses a page
        **_sniffed(bmff.PICTURES),
    }


def _sniffed(pictures: Mapping[str, Callable[[Callable[[str], str]], bytes]]) -> dict[str, tuple[bytes, ...]]:
    """The canary pictures of one area by the format they are."""
    built = [build(lambda what: f"CANARY {what}") for build in pictures.values()]
    return {name: tuple(data for data in built if sniff(data).format == name) for name in {sniff(data).format for data in built}}


def test_every_format_of_the_registry_has_samples_here() -> None:
    """A new line in the registry without samples would be a format without tests."""
    assert samples().keys() >= SCRUBBERS.keys()
    assert all(SCRUBBERS[name].name == name for name in SCRUBBERS)


@pytest.mark.parametrize("name", SCRUBBERS)
def test_sniffing_and_registry_agree(name: str) -> None:
    """What ``sniff`` names so is what the scrubber of that name cleans."""
    for data in samples()[name]:
        assert sniff(data).format == name


@pytest.mark.parametrize("name", SCRUBBERS)
def test_findings_name_structure_only(name: str) -> None:
    """Codes are the catalogue's, places are structural: no value of the file stands in a finding."""
    for data in samples()[name]:
        for finding in SCRUBBERS[name].scrub(data).findings:
            assert finding.code in CODES
            assert re.fullmatch(r"[A-Za-z0-9]{2,8}(@\d+)?", finding.where)
        assert SCRUBBERS[name].inspect(data).codes <= CODES.keys()


@pytest.mark.parametrize("name", SCRUBBERS)
def test_nothing_readable_in_repr(name: str) -> None:
    """P5: neither the bytes nor the facts of a patient's picture show in a log line."""
    for data in samples()[name]:
        text = repr(SCRUBBERS[name].scrub(data)) + repr(SCRUBBERS[name].inspect(data))
        assert "CANARY" not in text
        assert "Medcam" not in text


def test_every_code_that_stands_in_the_source_is_in_the_catalogue() -> None:
    """Nobody can add a finding without its sentence."""
    pattern = re.compile(
        r'"((?:exif|icc|jpeg|png|webp|gif|bmp|ico|jp2|jxl|pnm|image|sniff|decorative|text|html)\.[a-z][a-z0-9-]+)"'
    )
    folder = Path(str(filters.__file__)).parent
    written = {code for path in folder.rglob("*.py") for code in pattern.findall(path.read_text("utf-8"))}
    assert written <= CODES.keys(), written - CODES.keys()
    assert all(sentence.endswith(".") for sentence in CODES.values())


def _holds(data: bytes) -> None:
    """The contract, on one input: a FilterError, or a stable result with the same picture and no residue."""
    for scrubber in SCRUBBERS.values():
        try:
            result = scrubber.scrub(data)
        except FilterError as error:
            assert isinstance(error.reason, OpaqueReason)
            assert "CANARY" not in str(error)
            assert [finding.fate for finding in scrubber.residue(data)] == [Fate.STUCK]
            continue
        info = scrubber.inspect(data)
        assert 1 <= info.orientation <= 8
        assert scrubber.residue(result.data) == ()
        assert scrubber.scrub(result.data).data is result.data
        before, after = decode(data), decode(result.data)
        if before is not None and after is not None:
            assert after.frames == before.frames
            assert after.turn in (before.turn, info.orientation)  # a damaged EXIF block: programs differ in what they salvage


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@pytest.mark.slow
def test_damage_never_raises_anything_else_and_never_changes_the_picture(data: st.DataObject) -> None:
    """Random byte flips, cuts, insertions: FilterError, or an output whose decoded pixels are the input's."""
    base = bytearray(data.draw(st.sampled_from([one for files in samples().values() for one in files])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(base) - 1))
        kind = data.draw(st.sampled_from(("flip", "cut", "insert", "drop", "marker")))
        if kind == "flip":
            base[at] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "cut":
            del base[max(1, at) :]
        elif kind == "insert":
            base[at:at] = data.draw(st.binary(min_size=1, max_size=12))
        elif kind == "drop":
            del base[at : at + data.draw(st.integers(1, 40))]
        else:
            base[at : at + 2] = b"\xff" + bytes((data.draw(st.integers(0, 255)),))
        if len(base) < 2:
            break
    _holds(bytes(base))


@given(st.sampled_from((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"")), st.binary(max_size=300))
def test_noise_behind_a_signature_is_refused_or_clean(magic: bytes, noise: bytes) -> None:
    """Arbitrary bytes behind a signature."""
    _holds(magic + noise)
