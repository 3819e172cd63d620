"""Pictures for the demo, drawn here: no picture of any person, yet with all that a phone hides in a file."""

from __future__ import annotations

import io
import math
import struct
import zlib
from functools import cache

import piexif
from PIL import Image, ImageDraw, ImageFilter


@cache
def photo(seed: int = 1) -> bytes:
    """A JPEG like a phone's: skin-coloured texture with a dark spot, EXIF with GPS position, owner and serial number."""
    width, height = 1200, 900
    noise = Image.effect_noise((width, height), 26).filter(ImageFilter.GaussianBlur(1))
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


@cache
def pdf_letter() -> bytes:
    """A one-page PDF letter, text only."""
    text = b"BT /F1 12 Tf 72 760 Td (Dear colleague, thank you for your referral.) Tj ET"
    stream = zlib.compress(text)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, one in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % at for at in offsets)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


@cache
def encrypted_zip() -> bytes:
    """A ZIP whose one member carries the encryption flag (APPNOTE 4.4.4, bit 0): nobody can look inside without its password."""
    name, body = b"pictures.jpg", bytes(range(1, 200))
    crc = zlib.crc32(body)
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 1, 0, 0, 0x5C63, crc, len(body), len(body), len(name), 0) + name + body
    central = (
        struct.pack(
            "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 1, 0, 0, 0x5C63, crc, len(body), len(body), len(name), 0, 0, 0, 0, 0, 0
        )
        + name
    )
    return local + central + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(central), len(local), 0)
