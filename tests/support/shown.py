"""What a file shows, by programs that are not ours: pictures as they stand on the screen, frames, pages, sound."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps

Shown = tuple[object, ...]
_PILLOW_FAULTS = (OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, RuntimeError, struct.error, OverflowError)
_PLAIN = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX")
_SECONDS = 120


@cache
def _with_heif() -> None:
    import pi_heif

    pi_heif.register_heif_opener()


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _frame(image: Image.Image) -> tuple[str, tuple[int, int], str]:
    turned = ImageOps.exif_transpose(image) or image
    if turned.mode in _PLAIN:
        turned = turned.convert("RGBA")
    return turned.mode, turned.size, _digest(turned.tobytes())


def _raster(data: bytes) -> Shown | None:
    """Every frame the right way up, how long it stands, how often all is shown.  Of an MPO, the first picture."""
    _with_heif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data)) as image:
                count = 1 if image.format in ("MPO", "HEIF") else getattr(image, "n_frames", 1)
                found: list[object] = [image.info.get("loop")]
                for index in range(count):
                    image.seek(index)
                    image.load()
                    found += [_frame(image), image.info.get("duration")]
                return tuple(found)
        except _PILLOW_FAULTS:
            return None


def _ran(*command: str | Path) -> bytes | None:
    done = subprocess.run(command, capture_output=True, timeout=_SECONDS)
    return done.stdout if done.returncode == 0 else None


def _by_program(command: Callable[[Path], tuple[str | Path, ...]], suffix: str) -> Callable[[bytes], Shown | None]:
    """The digest of what a program writes to its standard output, without lines that begin with ``#``."""

    def shown(data: bytes) -> Shown | None:
        with tempfile.NamedTemporaryFile(suffix=suffix) as file:
            file.write(data)
            file.flush()
            out = _ran(*command(Path(file.name)))
        return (_digest(re.sub(rb"(?m)^#.*\n", b"", out)),) if out else None

    return shown


_film = _by_program(
    lambda path: (
        "ffmpeg",
        "-v",
        "quiet",
        "-i",
        path,
        "-map",
        "0:v?",
        "-map",
        "0:a?",
        "-fps_mode",
        "passthrough",
        "-f",
        "framemd5",
        "-",
    ),
    ".mp4",
)
_page = _by_program(lambda path: ("pdftoppm", "-r", "60", path), ".pdf")


def _drawing(data: bytes) -> Shown | None:
    """The samples only: the renderer writes its own words into the file."""
    with tempfile.NamedTemporaryFile(suffix=".svg") as file:
        file.write(data)
        file.flush()
        out = _ran("rsvg-convert", "-f", "png", file.name)
    return _raster(out) if out else None


def _medical(data: bytes) -> Shown | None:
    """Samples by pydicom; where it has no decoder, the coded data as they stand."""
    import pydicom
    from pydicom.encaps import generate_frames

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = pydicom.dcmread(io.BytesIO(data), force=True)
            try:
                return (_digest(found.pixel_array.tobytes()), found.pixel_array.shape)
            except (RuntimeError, ImportError, NotImplementedError, *_PILLOW_FAULTS):
                coded: Any = found.PixelData
                return tuple(_digest(frame) for frame in generate_frames(coded))
        except (AttributeError, *_PILLOW_FAULTS):
            return None


def _document(data: bytes) -> Shown | None:
    """Every picture in the package, by its name."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = sorted(name for name in package.namelist() if re.search(r"(?i)(^|/)(media|pictures)/", name))
            return tuple((name, _raster(package.read(name))) for name in names)
    except (zipfile.BadZipFile, KeyError, NotImplementedError):
        return None


_HOW: Mapping[str, Callable[[bytes], Shown | None]] = {
    "Video": _film,
    "PDF": _page,
    "SVG": _drawing,
    "DICOM": _medical,
    "Office": _document,
}


def shown(kind: str, data: bytes) -> Shown | None:
    """What ``data`` of this kind shows; None when no program here can say."""
    return _HOW.get(kind, _raster)(data)


def profile(data: bytes) -> tuple[bytes, str] | None:
    """(ICC profile, "L", "RGB" or "CMYK") as Pillow reads them."""
    _with_heif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data)) as image:
                found = image.info.get("icc_profile")
                mode = "L" if image.mode in ("1", "L", "LA", "I;16") else "CMYK" if image.mode == "CMYK" else "RGB"
                return (found, mode) if found else None
        except _PILLOW_FAULTS:
            return None


def same_colours(before: tuple[bytes, str] | None, after: tuple[bytes, str] | None) -> bool:
    """Whether a ramp looks the same through both profiles.  One that colour management cannot read need not be kept."""
    if before is None or (after is not None and after[0] == before[0]):
        return True
    try:
        told = _ramp(*before)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return True
    try:
        return after is not None and _ramp(*after) == told
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False


def _ramp(icc: bytes, mode: str) -> bytes:
    grey = Image.linear_gradient("L").resize((64, 64))
    bands = [grey, grey.rotate(90), grey.rotate(180), grey.rotate(270)]
    ramp = grey if mode == "L" else Image.merge(mode, bands[: len(mode)])
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    made = ImageCms.applyTransform(ramp, ImageCms.buildTransform(source, ImageCms.createProfile("LAB"), mode, "LAB"))
    assert made is not None
    return made.tobytes()
