"""Any picture as a small grey one, upright: what ``filters.likeness`` looks at."""

from __future__ import annotations

import io
import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from filters.api import Malformed, TooBig, Unsupported

MOST_PIXELS: Final = 120_000_000
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000")
LEAST_SIDE: Final = 32  # below it there is no photograph to recognise
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # EXIF 2.3, 4.6.4: what has to be done to see it upright
_BROKEN: Final = (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError, OverflowError, AttributeError)


def small(data: bytes, side: int) -> NDArray[np.uint8]:
    """The first frame, upright, its longest side ``side`` pixels.  Raises Unsupported, Malformed, TooBig."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _shrunk(_opened(data, side), side)
    except UnidentifiedImageError:
        raise Unsupported("not decodable here") from None
    except (*_BROKEN, Image.DecompressionBombError):
        raise Malformed("picture does not decode") from None


def _shrunk(image: Image.Image, side: int) -> NDArray[np.uint8]:
    turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    grey = _grey(image)
    scale = side / max(grey.size)
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    grey = grey.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(grey if turn is None else grey.transpose(turn), np.uint8)


def _opened(data: bytes, side: int) -> Image.Image:
    if data[128:132] == b"DICM":
        return _dicom(data)
    if data[4:8] == b"ftyp" and b"avif" not in data[8:40]:
        return _heic(data)
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    _fits(*image.size)
    shrunk = side / max(image.size)
    wanted = (int(image.width * shrunk), int(image.height * shrunk))
    image.draft("L", wanted)  # a JPEG is decoded at the smallest of its own scales that is large enough
    image.load()
    return image


def _fits(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise TooBig("pixels to compare")
    if min(width, height) < LEAST_SIDE:
        raise Unsupported("too small to be recognised")


def _grey(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        shown = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown)
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_stretched(np.asarray(image, np.float64)))
    return image.convert("L")


def _stretched(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """More than 8 bits: what is neither very dark nor very bright fills the 256 levels."""
    low, high = np.percentile(samples, (1, 99))
    return np.asarray(np.clip((samples - low) * 255 / max(high - low, 1e-6), 0, 255), np.uint8)


def _dicom(data: bytes) -> Image.Image:
    """A single frame (PS3.3 C.7.6.3)."""
    from pydicom import dcmread  # wanted only where there is one
    from pydicom.errors import InvalidDicomError

    try:
        dataset = dcmread(io.BytesIO(data))
        if int(dataset.get("NumberOfFrames") or 1) != 1 or "Columns" not in dataset:
            raise Unsupported("no single frame")
        _fits(int(dataset.Columns), int(dataset.Rows))
        samples = np.asarray(dataset.pixel_array, np.float64)
    except (InvalidDicomError, NotImplementedError, RuntimeError):
        raise Unsupported("a DICOM object whose samples are not decodable here") from None
    grey = _stretched(samples.mean(axis=2) if samples.ndim == 3 else samples)
    return Image.fromarray(255 - grey if dataset.get("PhotometricInterpretation") == "MONOCHROME1" else grey)


def _heic(data: bytes) -> Image.Image:
    """With ``pi-heif``, which an organisation may add (``pip install clinigate[heic]``)."""
    try:
        import pi_heif
    except ImportError:
        raise Unsupported("no decoder for HEIC") from None
    found = pi_heif.open_heif(data, convert_hdr_to_8bit=True)
    _fits(*found.size)
    image: Image.Image = found.to_pillow()
    image.getexif().pop(_ORIENTATION, None)  # it was turned while it was decoded
    return image
