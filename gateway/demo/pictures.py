"""Pictures for the demo, drawn here: no picture of any person, yet with all that a phone hides in a file."""

from __future__ import annotations

import io
import math
from functools import cache

import piexif
from PIL import Image, ImageDraw, ImageFilter

SIZE = (1200, 900)  # of every photo, in pixels


@cache
def photo(seed: int = 1) -> bytes:
    """A JPEG like a phone's: skin-coloured texture with a dark spot, EXIF with GPS position, owner and serial number."""
    noise = Image.effect_noise(SIZE, 26).filter(ImageFilter.GaussianBlur(1))
    base = Image.merge("RGB", [noise.point(lambda v, add=add: min(255, v + add)) for add in (92, 36, 6)])
    draw = ImageDraw.Draw(base)
    x, y = 420 + 37 * (seed % 7), 380 + 23 * (seed % 5)
    for ring in range(60, 9, -3):
        shade = 60 + ring
        wobble = 8 * math.sin(ring + seed)
        draw.ellipse(
            (x - ring * 2 - wobble, y - ring, x + ring * 2, y + ring + wobble), fill=(shade + 30, shade // 2, shade // 3)
        )
    out = io.BytesIO()
    base.save(out, "JPEG", quality=88, exif=_phone_exif(seed))
    return out.getvalue()


def _phone_exif(seed: int) -> bytes:
    zeroth = {
        piexif.ImageIFD.Make: b"Samplephone",
        piexif.ImageIFD.Model: b"S-1000",
        piexif.ImageIFD.Orientation: 6,
        piexif.ImageIFD.Artist: b"Dr Sample Owner",
        piexif.ImageIFD.ImageDescription: b"left forearm",
        piexif.ImageIFD.DateTime: b"2026:03:03 14:02:11",
    }
    exif = {
        piexif.ExifIFD.DateTimeOriginal: b"2026:03:03 14:02:11",
        piexif.ExifIFD.BodySerialNumber: f"SN{seed:06}".encode(),
        piexif.ExifIFD.CameraOwnerName: b"Dr Sample Owner",
    }
    gps = {
        piexif.GPSIFD.GPSLatitudeRef: b"N",
        piexif.GPSIFD.GPSLatitude: ((51, 1), (30, 1), (2646, 100)),
        piexif.GPSIFD.GPSLongitudeRef: b"W",
        piexif.GPSIFD.GPSLongitude: ((0, 1), (7, 1), (3900, 100)),
    }
    return bytes(piexif.dump({"0th": zeroth, "Exif": exif, "GPS": gps, "1st": {}, "thumbnail": None}))


@cache
def logo() -> bytes:
    """A small flat PNG as mail signatures carry it."""
    picture = Image.new("P", (160, 44), 0)
    picture.putpalette([255, 255, 255, 0, 94, 184, 65, 182, 230])
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((2, 2, 42, 42), 8, fill=1)
    draw.rectangle((18, 10, 26, 34), fill=0)
    draw.rectangle((10, 18, 34, 26), fill=0)
    draw.rectangle((52, 16, 150, 28), fill=2)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
