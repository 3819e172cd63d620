"""How fast a library call cleans one file, on one core, beside a memcpy and beside exiftool kept open.

    python -m tests.bench.scrub_speed [--write docs/scrubbing.md] [--rounds 7]

Everything is measured in the same rounds, one after the other, in time of the processor: what else the machine does adds nothing.
exiftool is the fair opponent: ``-stay_open`` spares it the start of Perl, and it writes to a memory disk where there is one.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import docx
import numpy as np
import psutil
from PIL import Image

from filters.api import Budget
from filters.budget import Limits
from filters.registry import SCRUBBERS
from filters.tree import Tools, clean, examine
from tests.bench.scrubbers import written
from tests.support.canary_images import camera_exif, photo, png_chunks, png_file
from tests.support.paths import CORPUS

BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"
AIMS: Mapping[str, float] = {"JPEG": 0.6, "WebP": 0.1, "HEIC": 0.1, "PNG": 0.05}  # ms a MB
WORD_PICTURES, WORD_SECONDS = 20, 1.0
_LIMITS = Limits(total=2 << 30)


@dataclass(frozen=True)
class Sample:
    """One file to clean, as big as such files are."""

    name: str
    extension: str
    data: bytes = field(repr=False)

    @property
    def megabytes(self) -> float:
        return len(self.data) / 1e6


# ---- samples


def _photo(seed: int, size: tuple[int, int]) -> Image.Image:
    """A big photograph with a sensor's noise, made quickly."""
    small = photo(seed, (size[0] // 8, size[1] // 8)).resize(size, Image.Resampling.BILINEAR)
    noise = np.random.default_rng(seed).integers(-6, 7, (size[1], size[0], 3), dtype=np.int16)
    return Image.fromarray(np.clip(np.asarray(small, np.int16) + noise, 0, 255).astype(np.uint8))


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, exif=camera_exif(), **options)
    return out.getvalue()


def _heic() -> bytes:
    """The largest of the corpus: no encoder stands here.  Its picture data grow to a phone's size; nobody decodes them."""
    folder = CORPUS / "images"
    files = sorted(folder.rglob("*.heic"), key=lambda path: path.stat().st_size)
    return files[-1].read_bytes() if files else b""


def samples() -> list[Sample]:
    """A photograph of 12 megapixels in each format that phones and desktops write."""
    image = _photo(1, (4000, 3000))
    found = [
        Sample("JPEG", "jpg", _saved(image, "JPEG", quality=95)),
        Sample("JPEG, progressive", "jpg", _saved(image, "JPEG", quality=95, progressive=True)),
        Sample("PNG", "png", _saved(_photo(2, (1600, 1200)), "PNG")),
        Sample("WebP", "webp", _saved(_photo(3, (4000, 3000)), "WEBP", quality=98, method=0)),
        Sample("TIFF", "tif", _saved(_photo(4, (1600, 1200)), "TIFF")),
        Sample("HEIC", "heic", _heic()),
    ]
    return [one for one in found if one.data]


def word_file(count: int = WORD_PICTURES) -> bytes:
    """A Word document with big photographs, all different."""
    document, out = docx.Document(), io.BytesIO()
    first = _saved(_photo(5, (4000, 3000)), "JPEG", quality=95)
    for number in range(count):
        document.add_picture(io.BytesIO(first[:-2] + b"\xff\xfe\0\x06%04d\xff\xd9" % number), width=docx.shared.Cm(10))
    document.save(out)
    return out.getvalue()


# ---- what is measured


def _memcpy(data: bytes, into: bytearray) -> None:
    memoryview(into)[:] = data


def _ours(data: bytes, extension: str) -> None:
    node = _NAMES[extension]
    SCRUBBERS[node].scrub(data)


_NAMES = {"jpg": "jpeg", "png": "png", "webp": "webp", "tif": "tiff", "heic": "heic"}


class OpenExiftool:
    """exiftool, started once; cleans files on a memory disk."""

    def __init__(self) -> None:
        where = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
        self.folder = Path(tempfile.mkdtemp(dir=where))
        self.process = subprocess.Popen(
            ["exiftool", "-stay_open", "True", "-@", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def clean(self, data: bytes, extension: str) -> float:
        """Seconds of the processor, in steps of 0.01; nan where it wrote nothing."""
        source, target = self.folder / f"a.{extension}", self.folder / f"b.{extension}"
        source.write_bytes(data)
        target.unlink(missing_ok=True)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        words = ["-all=", "--icc_profile:all", "-tagsfromfile", "@", "-orientation", "-o", str(target), str(source), "-execute"]
        began = self._spent()
        self.process.stdin.write("\n".join([*words, ""]).encode())
        self.process.stdin.flush()
        while self.process.stdout.readline().strip() != b"{ready}":
            pass
        taken = self._spent() - began
        return taken if target.exists() else float("nan")

    def _spent(self) -> float:
        told = psutil.Process(self.process.pid).cpu_times()
        return float(told.user + told.system)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"-stay_open\nFalse\n")
        self.process.stdin.flush()
        self.process.wait(10)
        shutil.rmtree(self.folder)


def _timed(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def measured(found: list[Sample], rounds: int) -> dict[str, tuple[float, float, float]]:
    """name -> (memcpy, ours, exiftool) in milliseconds a megabyte: the best of the rounds, of exiftool the mean."""
    other = OpenExiftool() if shutil.which("exiftool") else None
    room = {one.name: bytearray(one.data) for one in found}
    times: dict[str, list[tuple[float, float, float]]] = {one.name: [] for one in found}
    try:
        for _ in range(rounds):
            for one in found:
                copy = _timed(lambda one=one: _memcpy(one.data, room[one.name]))  # type: ignore[misc]  # bound now
                ours = _timed(lambda one=one: _ours(one.data, one.extension))  # type: ignore[misc]
                theirs = other.clean(one.data, one.extension) if other else float("nan")
                times[one.name].append((copy, ours, theirs))
    finally:
        if other:
            other.close()
    return {
        one.name: (*(min(column) * 1000 / one.megabytes for column in columns[:2]), _mean(columns[2]) * 1000 / one.megabytes)
        for one in found
        for columns in [tuple(zip(*times[one.name], strict=True))]
    }


def _mean(column: Sequence[float]) -> float:
    return statistics.fmean(column)


def png_walk(data: bytes, rounds: int) -> tuple[float, float, float]:
    """ms a MB of: the chunk walk, its checksums, all with the look behind the zlib stream.

    For the walk alone the same bytes stand in chunks that go, beside a picture of one pixel.
    """
    tiny = next(body for name, body in png_chunks(_saved(Image.new("RGB", (1, 1)), "PNG")) if name == b"IDAT")
    chunks = [(b"IHDR", b"\0\0\0\1\0\0\0\1\x08\2\0\0\0"), (b"IDAT", tiny)]
    chunks += [(b"prVt", body) for name, body in png_chunks(data) if name == b"IDAT"]
    walked = png_file([*chunks, (b"IEND", b"")])
    walk, sums, whole = (
        min(_timed(call) for _ in range(rounds)) * 1e9 / len(data)
        for call in (
            lambda: SCRUBBERS["png"].scrub(walked),
            lambda: zlib.crc32(walked),
            lambda: SCRUBBERS["png"].scrub(data),
        )
    )
    return max(0.0, walk - sums), sums, whole


def word(data: bytes) -> float:
    """Seconds to look through and clean the document."""
    tools = Tools()
    began = time.process_time()
    node = examine(data, tools, Budget(_LIMITS))
    made = clean(data, node, tools, Budget(_LIMITS))
    taken = time.process_time() - began
    assert made.data is not data
    return taken


# ---- the page


def lines(rounds: int) -> list[str]:
    """The tables."""
    found = samples()
    rows = ["| file | MB | memcpy ms/MB | Clinigate ms/MB | exiftool kept open ms/MB | × memcpy | exiftool ÷ Clinigate | aim |"]
    rows.append("|---|---|---|---|---|---|---|---|")
    by_name = {one.name: one for one in found}
    for name, (copy, ours, theirs) in measured(found, rounds).items():
        aim = next((f"≤ {value:g}" for key, value in AIMS.items() if name.startswith(key) and key != "PNG"), "")
        against = f"{theirs / ours:.1f}" if theirs == theirs else "–"
        other = f"{theirs:.2f}" if theirs == theirs else "–"
        figures = f"{by_name[name].megabytes:.1f} | {copy:.3f} | {ours:.3f} | {other} | {ours / copy:.0f} | {against}"
        rows.append(f"| {name} | {figures} | {aim} |")
    walk, sums, whole = png_walk(by_name["PNG"].data, rounds)
    document = word_file()
    seconds = min(word(document) for _ in range(max(1, rounds // 2)))
    rows += [
        "",
        f"PNG: {walk:.3f} ms/MB for the chunk walk (aim ≤ {AIMS['PNG']:g}), {sums:.2f} for its checksums, {whole:.2f} with the "
        "look behind the zlib stream.",
        "",
        f"A Word document of {len(document) / 1e6:.0f} MB with {WORD_PICTURES} photographs: {seconds:.2f} s "
        f"(aim < {WORD_SECONDS:g}).",
    ]
    return rows


def main() -> None:
    """Print the tables, or write them into a page."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--write", type=Path, help="page with the marks")
    asked.add_argument("--rounds", type=int, default=7)
    told = asked.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core
    rows = lines(told.rounds)
    if told.write:
        written(told.write, BEGIN, END, rows)
    print("\n".join(rows))


if __name__ == "__main__":
    main()
