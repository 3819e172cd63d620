"""GIF by construction: LZW streams end where decoders end; loops, controls and extensions."""

from __future__ import annotations

import io
import random
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image

from filters.api import Fate, Malformed, TooBig
from filters.gif import blocks as gifblocks
from filters.gif import lzw
from filters.gif.scrubber import GIF
from tests.support.images_judged import decode
from tests.support.needs import needs
from tests.support.samples.raster import gif, gif_animated, gif_chain, gif_extension, saved

HEAD = b"GIF89a\x04\x00\x03\x00\xf0\x00\x00\0\0\0\xff\xff\xff"
FRAME = b"\x2c\0\0\0\0\x04\0\x03\0\0\x02"


def pack(codes: list[tuple[int, int]]) -> bytes:
    """(code, width) as the least significant bits first."""
    word = shift = 0
    for code, width in codes:
        word |= code << shift
        shift += width
    return word.to_bytes(-(-shift // 8), "little")


# Twelve pixels: clear, 0, then the strings of two, three, four zeros, and two literals; end.
PIXELS = [(4, 3), (0, 3), (6, 3), (7, 3), (8, 4), (1, 4), (1, 4)]
END = [(5, 4)]


def one_frame(stream: bytes, tail: bytes = b";") -> bytes:
    return HEAD + FRAME + gif_chain(stream) + tail


def codes(data: bytes) -> set[str]:
    return {finding.code for finding in GIF.scrub(data).findings if finding.fate is Fate.REMOVED}


@pytest.mark.unit
def test_the_stream_of_a_frame_is_copied_byte_for_byte() -> None:
    """A frame that ends as it should is not touched, however its sub-blocks are cut."""
    data = one_frame(pack(PIXELS + END))
    assert GIF.scrub(data).data is data
    cut = HEAD + FRAME + b"".join(bytes((1, byte)) for byte in pack(PIXELS + END)) + b"\0;"
    assert GIF.scrub(cut).data is cut
    assert decode(cut) == decode(data)


@pytest.mark.unit
@pytest.mark.parametrize(
    "stream",
    [
        pack(PIXELS + END) + b"Mary Example",
        pack(PIXELS) + b"Mary Example, without an end code",
        pack([*PIXELS, (1, 4), (0, 4), (1, 4), (5, 4)]),
        pack([*PIXELS, (4, 4), (1, 3), (0, 3), (5, 3)]),
    ],
    ids=["behind the end code", "no end code", "further pixels", "further pixels behind a clear code"],
)
def test_what_no_decoder_reads_goes(stream: bytes) -> None:
    """Bytes behind the end code, and codes behind the last pixel: gone and told, the pixels untouched."""
    data = one_frame(stream)
    cleaned = GIF.scrub(data).data
    assert codes(data) == {"gif.stream-tail"}
    assert cleaned == one_frame(pack(PIXELS + END))
    assert decode(cleaned) == decode(data)


@pytest.mark.unit
def test_too_few_pixels_are_left_as_they_are() -> None:
    """An early end code hides nothing; every decoder goes on treating it as before."""
    data = one_frame(pack([(4, 3), (0, 3), (6, 3), (5, 3)]))
    assert GIF.scrub(data).data is data


@pytest.mark.unit
@pytest.mark.parametrize("stream", [pack([(4, 3), (7, 3)]), pack([(4, 3), (0, 3), (7, 3)])], ids=["first", "not yet defined"])
def test_impossible_codes_are_malformed(stream: bytes) -> None:
    """Decoders give up there, each in its own way."""
    with pytest.raises(Malformed):
        GIF.scrub(one_frame(stream))


def _slowly(payload: bytes, literal_bits: int, pixels: int) -> int:
    """Bits read by a decoder written straight from appendix F, code by code."""
    clear, word, at = 1 << literal_bits, int.from_bytes(payload, "little"), 0
    width, following, before, lengths = literal_bits + 1, clear + 2, 0, dict[int, int]()
    while pixels > 0 and at + width <= 8 * len(payload):
        code = word >> at & (1 << width) - 1
        at += width
        if code == clear + 1:
            break
        if code == clear:
            width, following, before, lengths = literal_bits + 1, clear + 2, 0, {}
            continue
        if before and following < 4096:
            lengths[following] = before + 1
            following += 1
            width += following == 1 << width and width < 12
        before = 1 if code < clear else lengths[code]
        pixels -= before
    return at


@pytest.mark.unit
@pytest.mark.parametrize("seed", range(6))
def test_long_streams_end_where_a_plain_decoder_ends(seed: int) -> None:
    """Runs that fill the table, tables kept full, early clears: the fast reader agrees with the slow one."""
    rng = random.Random(seed)
    side, colours = rng.choice((90, 150, 200)), rng.choice((2, 4, 16, 256))
    noise = bytes(min(rng.randrange(colours), rng.randrange(colours)) for _ in range(side * side))
    image = Image.frombytes("P", (side, side), noise)
    image.putpalette([value for value in range(colours) for _ in "rgb"])
    data = saved("GIF", image, optimize=False)
    frame = next(block for block in gifblocks.walk(data) if block.kind is gifblocks.Kind.FRAME)
    payload, bits = gifblocks.payload(data, frame), data[frame.data - 1]
    for pixels in (side * side, side * side - 7, side * side // 3, 5):
        stop = lzw.stop(payload, bits, pixels)
        assert stop.filled
        plain = _slowly(payload, bits, pixels)
        assert stop.bits == plain or stop.closed
        again = lzw.stop(lzw.close(payload, bits, stop), bits, pixels)
        assert again.filled and again.closed


@pytest.mark.unit
def test_streams_of_clear_codes_are_refused_at_once() -> None:
    """Runs that tell no pixel are never honest, and would cost more than all others."""
    frame = b"\x2c\0\0\0\0\x32\x00\x32\x00\0\x02"
    start = time.perf_counter()
    with pytest.raises(TooBig):
        GIF.scrub(HEAD + frame + gif_chain(b"\x24\x49\x92" * 300_000) + b";")
    assert time.perf_counter() - start < 2


@pytest.mark.unit
def test_loop_counts_stay_and_nothing_beside_them() -> None:
    """NETSCAPE2.0 and ANIMEXTS1.0: three bytes each, a second one only if it says something else."""
    frame = FRAME + gif_chain(pack(PIXELS + END))
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x05\x00"
    clean = HEAD + loop + b"\0" + frame + b";"
    assert GIF.scrub(clean).data is clean
    assert GIF.scrub(HEAD + loop + b"\x05words\0" + frame + b";").data == clean
    again = loop.replace(b"NETSCAPE2.0", b"ANIMEXTS1.0") + b"\0"
    assert GIF.scrub(HEAD + loop + b"\0" + again + frame + b";").data == clean
    assert GIF.scrub(HEAD + b"\x21\xff\x0bNETSCAPE2.0\x02\x01\x05\0" + frame + b";").data == HEAD + frame + b";"


@pytest.mark.unit
def test_controls_stay_in_front_of_their_frames_only() -> None:
    """Timing and transparency of a frame: four bytes; those behind the last frame go."""
    control = gif_extension(0xF9, b"\x05\x0a\0\x01")
    frame = FRAME + gif_chain(pack(PIXELS + END))
    clean = HEAD + control + frame + b";"
    assert GIF.scrub(clean).data is clean
    assert GIF.scrub(HEAD + control[:-1] + b"\x03abc\0" + frame + control + b";").data == clean


@pytest.mark.unit
def test_stray_zeros_go_and_other_strays_are_malformed() -> None:
    """Browsers end at bytes that begin no block, other programs look for the next frame."""
    frame = FRAME + gif_chain(pack(PIXELS + END))
    clean = HEAD + frame + frame + b";"
    assert GIF.scrub(HEAD + frame + b"\0\0" + frame + b"\0;").data == clean
    with pytest.raises(Malformed):
        GIF.scrub(HEAD + frame + b"stray" + frame + b";")
    assert GIF.scrub(HEAD + frame + b"no frame behind").data == HEAD + frame + b";"


@pytest.mark.unit
def test_empty_extensions_are_malformed_but_for_comments() -> None:
    """Symptom: Pillow showed more frames than before.  Cause: it skips what follows an empty extension.  Found by fuzzing."""
    frame = FRAME + gif_chain(pack(PIXELS + END))
    assert GIF.scrub(HEAD + b"\x21\xfe\0" + frame + b";").data == HEAD + frame + b";"
    for label in (b"\xf9", b"\xff", b"\0"):
        with pytest.raises(Malformed):
            GIF.scrub(HEAD + frame + b"\x21" + label + b"\0" + frame + b";")


@pytest.mark.unit
def test_a_missing_trailer_is_no_fault() -> None:
    """Many encoders forget it, every decoder shows the picture."""
    data = one_frame(pack(PIXELS + END), tail=b"")
    assert GIF.scrub(data).data is data
    with pytest.raises(Malformed):
        GIF.scrub(one_frame(pack(PIXELS[:3]), tail=b"")[:-1])


@pytest.mark.unit
def test_facts_are_told() -> None:
    """Size, frames, colours of all tables."""
    out = io.BytesIO()
    Image.new("P", (30, 20)).save(out, "GIF")
    assert GIF.inspect(out.getvalue()).width == 30
    assert GIF.inspect(one_frame(pack(PIXELS + END))).colours == 2
    assert GIF.inspect(gif_animated(lambda what: "x" * 8)).frames == 4


@pytest.mark.e2e
def test_gifsicle_finds_no_fault(tmp_path: Path) -> None:
    """A strict reader warns of nothing, and sees the same frames, delays and loop."""
    needs("gifsicle")
    for index, build in enumerate((gif, gif_animated)):
        target = tmp_path / f"{index}.gif"
        target.write_bytes(GIF.scrub(build(lambda what: f"CANARY {what}")).data)
        done = subprocess.run(["gifsicle", "--info", "--extension-info", str(target)], capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert "comment" not in done.stdout
        if index:
            assert "4 images" in done.stdout and "loop count 2" in done.stdout and "delay 0.09s" in done.stdout
