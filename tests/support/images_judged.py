"""What independent programs say of a picture: the metadata judge, Pillow, libjpeg's and libpng's own tools."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import struct
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageCms

from tests.support.needs import needs, needs_path
from tests.support.paths import CORPUS, JUDGE

MOST_PIXELS = 100_000_000  # of all frames together; a damaged header can claim pictures that take Pillow an hour
JPEG_MAGIC, PNG_MAGIC = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Decoded:
    """Everything Pillow shows of a file: each frame's mode, size and samples, and its transparency."""

    frames: tuple[tuple[str, tuple[int, int], bytes], ...]
    transparency: object
    turn: int


def corpus(magic: bytes) -> list[Path]:
    """The open corpus files that begin with ``magic``, whatever they are called."""
    folder = CORPUS / "images"
    if not folder.exists():
        return []
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.read_bytes().startswith(magic))


def controls() -> list[Path]:
    """Corpus files that are clean already, by the manifest."""
    manifest = CORPUS / "images" / "manifest.tsv"
    if not manifest.exists():
        return []
    rows = [line.split("\t") for line in manifest.read_text().splitlines()[1:]]
    return [CORPUS / "images" / row[0] for row in rows if row[2] == "control"]


def decode(data: bytes) -> Decoded | None:
    """Pillow's view, None when Pillow cannot decode the file or it is too large.  Only the first picture of an MPO counts."""
    return _apart(data) if data[4:8] == b"ftyp" else _decoded(data)


class _Child:
    """libheif dies of some damaged files; it does so in a process of its own, which is replaced."""

    pool: ProcessPoolExecutor | None = None


def _apart(data: bytes) -> Decoded | None:
    if _Child.pool is None:
        _Child.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _with_heif)
    try:
        return _Child.pool.submit(_decoded, data).result(timeout=60)
    except BrokenProcessPool:
        _Child.pool = None
        return None


def _with_heif() -> None:
    with contextlib.suppress(ImportError):  # the test extra brings it; without it HEIC cannot be decoded, which is None
        import pi_heif

        pi_heif.register_heif_opener()


def _decoded(data: bytes) -> Decoded | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data)) as image:
                if image.format == "MPO":
                    frames: Iterator[int] = iter((0,))
                else:
                    frames = iter(range(getattr(image, "n_frames", 1)))
                shown = []
                pixels = 0
                for index in frames:
                    image.seek(index)
                    pixels += image.width * image.height
                    if pixels > MOST_PIXELS:
                        return None
                    image.load()
                    shown.append((image.mode, image.size, image.tobytes()))
                turn = int(image.getexif().get(274) or 1)
                return Decoded(tuple(shown), image.info.get("transparency"), turn if 1 <= turn <= 8 else 1)
        except (
            OSError,
            SyntaxError,
            ValueError,
            EOFError,
            TypeError,
            LookupError,
            struct.error,
            OverflowError,
        ):  # all of Pillow's
            return None


def profile(data: bytes) -> bytes | None:
    """The ICC profile as Pillow reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data)) as image:
            return image.info.get("icc_profile")


def transformed(icc: bytes, mode: str) -> bytes:
    """A ramp of colours taken through the profile to Lab: what colour management would show."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    ramp = Image.linear_gradient("L").resize((64, 64)).convert(mode)
    if mode == "RGB":
        ramp = Image.merge("RGB", [ramp.getchannel(0), ramp.getchannel(1).rotate(90), ramp.getchannel(2).rotate(180)])
    result = ImageCms.applyTransform(ramp, ImageCms.buildTransform(source, ImageCms.createProfile("LAB"), mode, "LAB"))
    assert result is not None
    return result.tobytes()


def leaks(files: Mapping[Path, Path | None]) -> list[str]:
    """What the metadata judge finds in these files (cleaned -> original or None), as its output lines."""
    needs("exiftool")
    judge = needs_path(JUDGE)
    lines: list[str] = []
    plain: Sequence[Path] = [path for path, original in files.items() if original is None]
    calls = [[str(path) for path in plain]] if plain else []
    calls += [["--original", str(original), str(path)] for path, original in files.items() if original is not None]
    for call in calls:
        done = subprocess.run([sys.executable, str(judge), *call], capture_output=True, text=True, timeout=300)
        assert done.returncode in (0, 1), done.stderr[-2000:]
        lines += [line for line in done.stdout.splitlines() if line]
    return lines
