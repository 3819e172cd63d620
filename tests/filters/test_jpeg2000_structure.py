"""JPEG 2000 by construction: boxes, codestreams, and OpenJPEG as the second opinion."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from filters.api import Fate, Malformed, Unsupported
from filters.jpeg2000.j2k import J2K
from filters.jpeg2000.jp2 import JP2
from tests.support.images_judged import decode
from tests.support.needs import needs
from tests.support.samples.raster import box, boxes_of, codestream, comment, jp2, saved


def words(what: str) -> str:
    return f"CANARY {what}"


def codes(data: bytes) -> set[str]:
    return {finding.code for finding in JP2.scrub(data).findings if finding.fate is Fate.REMOVED}


@pytest.mark.unit
@pytest.mark.parametrize("options", [{}, {"tile_size": (10, 10)}, {"irreversible": True}, {"progression": "RPCL", "plt": True}])
def test_only_comments_leave_a_codestream(options: dict[str, object]) -> None:
    """Tile data is copied byte for byte; the lengths of tile-parts count what is left."""
    without = codestream(lambda what: "", **options)
    plain = saved("JPEG2000", no_jp2=True, **options)
    cleaned = J2K.scrub(codestream(words, **options)).data
    assert decode(cleaned) == decode(plain)
    assert b"\xff\x64" not in cleaned[:200]
    assert J2K.scrub(without).data == cleaned


@pytest.mark.unit
def test_orientation_and_resolution_stay_in_a_jp2() -> None:
    """The turn in a block that says nothing else, the resolution box without its stranger."""
    cleaned = JP2.scrub(jp2(words)).data
    names = [name for name, _ in boxes_of(cleaned)]
    assert names == [b"jP  ", b"ftyp", b"jp2h", b"uuid", b"jp2c"]
    assert JP2.inspect(cleaned).orientation == 6
    assert [name for name, _ in boxes_of(dict(boxes_of(cleaned))[b"jp2h"])] == [b"ihdr", b"colr", b"res "]


@pytest.mark.unit
def test_a_last_tile_part_without_length_ends_at_the_end() -> None:
    """Psot 0 says "to the end"; a comment in its header still goes."""
    plain = saved("JPEG2000", no_jp2=True)
    tile = plain.index(b"\xff\x90\x00\x0a")
    endless = plain[: tile + 6] + bytes(4) + plain[tile + 10 :]
    assert decode(J2K.scrub(endless + b"tail").data) == decode(plain)
    told = endless[: tile + 12] + comment("words") + endless[tile + 12 :]
    assert J2K.scrub(told).data == J2K.scrub(endless).data


@pytest.mark.unit
@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-30],
        lambda data: data.replace(b"\xff\x5c", b"\xff\x3c", 1),
        lambda data: data.replace(b"\xff\x52\0", b"\xff\x52\xff", 1),
        lambda data: data[:2] + data[2:].replace(b"\xff\x51", b"\xff\x64", 1),
    ],
    ids=["truncated", "unknown marker", "length lies", "no size"],
)
def test_damaged_codestreams_are_malformed(change: object) -> None:
    """Decoders differ in what they make of them."""
    assert callable(change)
    with pytest.raises(Malformed):
        J2K.scrub(change(saved("JPEG2000", no_jp2=True)))


@pytest.mark.unit
def test_files_that_point_into_themselves_are_refused() -> None:
    """Fragment tables and JPM pages hold offsets that no longer fit when something goes."""
    plain = saved("JPEG2000")
    with pytest.raises(Unsupported):
        JP2.scrub(plain[:32] + box(b"ftbl", bytes(20)) + plain[32:])


@pytest.mark.unit
def test_a_vendors_colours_become_what_viewers_take_them_for() -> None:
    """Methods that no viewer knows are replaced by the plain meaning of the components."""
    parts = boxes_of(saved("JPEG2000"))
    ihdr = dict(boxes_of(dict(parts)[b"jp2h"]))[b"ihdr"]
    header = box(b"ihdr", ihdr) + box(b"colr", b"\4\0\0" + b"vendor's colours of Mary")
    data = b"".join(box(name, header if name == b"jp2h" else body) for name, body in parts)
    cleaned = JP2.scrub(data).data
    assert struct.pack(">BBBI", 1, 0, 0, 16) in cleaned and b"Mary" not in cleaned
    assert decode(cleaned) == decode(data)
    assert "jp2.uuid" in codes(data)


@pytest.mark.unit
def test_an_undefined_colour_method_is_refused() -> None:
    """Symptom: Pillow showed other colours.  Cause: viewers guess what an undefined method means.  Found by fuzzing."""
    data = saved("JPEG2000")
    at = data.index(b"colr") + 4
    with pytest.raises(Unsupported):
        JP2.scrub(data[:at] + b"\5" + data[at + 1 :])


@pytest.mark.e2e
def test_openjpeg_decodes_the_same_samples(tmp_path: Path) -> None:
    """Second opinion: opj_decompress writes the same picture, opj_dump finds no fault."""
    needs("opj_decompress", "opj_dump")
    outputs = []
    for name, data in (("before.j2k", saved("JPEG2000", no_jp2=True)), ("after.jp2", JP2.scrub(jp2(words)).data)):
        source, target = tmp_path / name, tmp_path / f"{name}.ppm"
        source.write_bytes(data)
        subprocess.run(["opj_decompress", "-i", str(source), "-o", str(target)], check=True, capture_output=True)
        dumped = subprocess.run(["opj_dump", "-i", str(source)], capture_output=True, text=True)
        assert dumped.returncode == 0 and "WARNING" not in dumped.stdout + dumped.stderr
        outputs.append(target.read_bytes())
    assert len(outputs[0]) == len(outputs[1])  # the profile of the JP2 changes what is written, not how much
