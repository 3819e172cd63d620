"""A fingerprint of what a picture shows, for a certificate that cleaning changed nothing of it.

Pixels are decoded by Pillow, so the gateway runs this in its sandbox.
"""

from __future__ import annotations

import io
import struct
import warnings
from hashlib import sha256
from typing import Final

from PIL import Image, ImageSequence, UnidentifiedImageError

from filters.api import Malformed, TooBig, Unsupported

MOST_PIXELS: Final = 200_000_000  # of all frames together


def fingerprint(data: bytes) -> str:
    """SHA-256 (hex) over size, mode, duration and samples of every frame.  Raises Unsupported, Malformed, TooBig."""
    digest = sha256()
    left = MOST_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data))
            for frame in (image,) if image.format == "MPO" else ImageSequence.Iterator(image):  # a JPEG with more behind it
                left -= frame.width * frame.height
                if left < 0:
                    raise TooBig("pixels to compare")
                shown = frame.convert("RGBA") if "transparency" in frame.info else frame
                duration = int(frame.info.get("duration") or 0)
                digest.update(struct.pack(">III", *frame.size, duration) + shown.mode.encode() + shown.tobytes())
    except UnidentifiedImageError:
        raise Unsupported("not decodable here") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError, Image.DecompressionBombError):
        raise Malformed("picture does not decode") from None
    return digest.hexdigest()
