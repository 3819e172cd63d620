"""Pictures made by code: photographs with camera metadata, a logo, and files whose every metadata container holds a canary.

Everything is deterministic in its arguments.  All identities are invented.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable

import numpy as np
import piexif
from PIL import Image, ImageCms, ImageDraw, ImageFilter

MAKE, MODEL, SERIAL, OWNER = "Medcam", "MC-200", "SN-4711-0815", "Dr Alix Example"
XMP_PACKET = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:title>{}</dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
)


# -------------------------------------------------------------------- pictures


def photo(seed: int = 0, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A picture with the statistics of a photograph: soft shapes, shading, sensor noise; the same for the same arguments."""
    rng = np.random.default_rng(seed)
    width, height = size
    coarse = rng.integers(30, 225, (max(2, height // 48), max(2, width // 48), 3), dtype=np.uint8)
    base = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(base)
    for _ in range(12):
        x, y, r = (int(rng.integers(0, width)), int(rng.integers(0, height)), int(rng.integers(4, max(5, width // 8))))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(int(v) for v in rng.integers(40, 220, 3)))
    soft = np.asarray(base.filter(ImageFilter.GaussianBlur(max(1.0, width / 160))), dtype=np.int16)
    noisy = soft + rng.normal(0, 4, soft.shape).astype(np.int16)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def camera_exif(note: str = "", *, gps: bool = True, orientation: int = 1, thumbnail: bool = True) -> bytes:
    """An EXIF block ("Exif\\0\\0" + TIFF) as a camera writes it; ``note`` goes into every text field."""
    word = note.encode()
    small = io.BytesIO()
    photo(99, (160, 120)).save(small, "JPEG", quality=70, comment=word or b"thumb")
    gps_ifd = {
        piexif.GPSIFD.GPSLatitudeRef: b"N",
        piexif.GPSIFD.GPSLatitude: ((51, 1), (30, 1), (12, 1)),
        piexif.GPSIFD.GPSLongitudeRef: b"W",
        piexif.GPSIFD.GPSLongitude: ((0, 1), (7, 1), (39, 1)),
        piexif.GPSIFD.GPSProcessingMethod: b"ASCII\0\0\0" + word,
        piexif.GPSIFD.GPSDateStamp: b"2026:03:04",
    }
    fields = {
        "0th": {
            piexif.ImageIFD.Make: MAKE.encode(),
            piexif.ImageIFD.Model: MODEL.encode(),
            piexif.ImageIFD.Orientation: orientation,
            piexif.ImageIFD.ImageDescription: word,
            piexif.ImageIFD.Artist: word or OWNER.encode(),
            piexif.ImageIFD.Copyright: word,
            piexif.ImageIFD.Software: b"MC firmware " + word,
            piexif.ImageIFD.DateTime: b"2026:03:04 05:06:07",
            piexif.ImageIFD.XPComment: note.encode("utf-16-le") + b"\0\0",
            piexif.ImageIFD.HostComputer: word,
        },
        "Exif": {
            piexif.ExifIFD.DateTimeOriginal: b"2026:03:04 05:06:07",
            piexif.ExifIFD.BodySerialNumber: SERIAL.encode() + word,
            piexif.ExifIFD.CameraOwnerName: OWNER.encode() + word,
            piexif.ExifIFD.LensModel: b"50mm " + word,
            piexif.ExifIFD.UserComment: b"ASCII\0\0\0" + word,
            piexif.ExifIFD.MakerNote: b"MEDCAM\0\1" + word * 3,
            piexif.ExifIFD.ImageUniqueID: b"0123456789abcdef0123456789abcdef" + word,
        },
        "Interop": {piexif.InteropIFD.InteroperabilityIndex: b"R98"},
        "GPS": gps_ifd if gps else {},
    }
    if thumbnail:
        fields["1st"] = {piexif.ImageIFD.Make: MAKE.encode(), piexif.ImageIFD.ImageDescription: word}
        fields["thumbnail"] = small.getvalue()
    return bytes(piexif.dump(fields))


def photo_jpeg(
    seed: int = 0, size: tuple[int, int] = (640, 480), gps: bool = True, orientation: int = 1, quality: int = 88, **save: object
) -> bytes:
    """A photograph as a camera writes it: JPEG with make, model, serial, dates, thumbnail and, by default, GPS."""
    out = io.BytesIO()
    photo(seed, size).save(out, "JPEG", quality=quality, exif=camera_exif(gps=gps, orientation=orientation), **save)
    return out.getvalue()


def preview_jpeg(word: str) -> bytes:
    """A small picture of a document as office programs make it, with ``word`` as the program's name."""
    out = io.BytesIO()
    exif = piexif.dump({"0th": {piexif.ImageIFD.Software: word.encode()}})
    photo(98, (24, 16)).save(out, "JPEG", quality=70, exif=exif)
    return out.getvalue()


def photo_png(seed: int = 0, size: tuple[int, int] = (320, 240), gps: bool = True) -> bytes:
    """A photograph saved as PNG, its camera EXIF in an eXIf chunk."""
    out = io.BytesIO()
    photo(seed, size).save(out, "PNG", exif=camera_exif(gps=gps))
    return out.getvalue()


def logo_png(seed: int = 0, size: tuple[int, int] = (160, 48)) -> bytes:
    """A flat signature logo: a few colours, a shape and lines, no metadata at all."""
    rng = np.random.default_rng(1000 + seed)
    width, height = size
    image = Image.new("P", size, 0)
    image.putpalette([255, 255, 255, *(int(v) for v in rng.integers(0, 200, 9))])
    draw = ImageDraw.Draw(image)
    draw.ellipse((2, 2, height - 3, height - 3), fill=1)
    for row in range(3):
        draw.rectangle((height + 6, 6 + row * height // 3, height + 6 + int(rng.integers(30, max(31, width - height - 8))),
                        9 + row * height // 3), fill=2 + row % 2)  # fmt: skip
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


# ------------------------------------------------------------------------ JPEG


def segment(marker: int, body: bytes) -> bytes:
    """One JPEG marker segment (ITU T.81 B.1.1.4)."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def named_icc(text: str) -> bytes:
    """An sRGB profile whose description, copyright and a private tag hold ``text``."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    count = struct.unpack_from(">I", profile, 128)[0]
    tags = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(count)]
    body = {name: profile[offset : offset + size] for name, offset, size in tags}
    word = text.encode("utf-16-be")
    body[b"desc"] = b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"GB", len(word), 28) + word
    body[b"cprt"] = b"text" + bytes(4) + text.encode() + b"\0"
    body[b"XYZz"] = b"text" + bytes(4) + b"private " + text.encode() + b"\0"
    table, data, at = b"", b"", 132 + 12 * len(body)
    for name, value in body.items():
        padded = value + bytes(-len(value) % 4)
        table += struct.pack(">4sII", name, at + len(data), len(value))
        data += padded
    header = struct.pack(">I", at + len(data)) + profile[4:128]
    return header + struct.pack(">I", len(body)) + table + data


def _photoshop(text: bytes) -> bytes:
    iptc = b"".join(b"\x1c\x02" + bytes([n]) + struct.pack(">H", len(text)) + text for n in (5, 80, 120))
    blocks = b""
    for code, value in ((0x0404, iptc), (0x07D0, b"path " + text), (0x0424, text)):
        blocks += b"8BIM" + struct.pack(">H", code) + b"\0\0" + struct.pack(">I", len(value)) + value + bytes(len(value) % 2)
    return b"Photoshop 3.0\0" + blocks


def _jumbf(text: bytes) -> bytes:
    label = b"c2pa\0"
    description = struct.pack(">I4s", 8 + 17 + len(label), b"jumd") + bytes(16) + b"\x03" + label
    content = struct.pack(">I4s", 8 + len(text), b"json") + text
    return struct.pack(">I4s", 8 + len(description) + len(content), b"jumb") + description + content


def jpeg_segments(canary: str, icc: bytes | None = None) -> tuple[bytes, ...]:
    """Every kind of metadata segment, each holding ``canary``, in an order a real file could have."""
    word = canary.encode()
    xmp = XMP_PACKET.format(canary).encode()
    exif = camera_exif(canary)
    vendor = {3: b"Meta\0\0", 4: b"Qualcomm\0", 5: b"RMETA\0", 6: b"GoPro\0", 7: b"HUAWEI\0", 8: b"SPIFF\0", 9: b"", 10: b"",
              12: b"Ducky\0", 15: b""}  # fmt: skip
    profile = named_icc(canary) if icc is None else icc
    return (
        segment(0xE0, b"JFIF\0\x01\x02\x01\x00\x48\x00\x48\x02\x01" + (word * 6)[:6]),  # 2x1 RGB thumbnail = 6 bytes
        segment(0xE0, b"JFXX\0\x10" + word),
        segment(0xE1, exif),
        segment(0xE1, b"Exif\0\0" + b"II*\0" + word),  # second EXIF block
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp),
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">II", len(xmp), 0) + xmp),
        segment(0xE1, b"FLIR\0\x01\x00\x00" + word),
        segment(0xE2, b"ICC_PROFILE\0\x01\x01" + profile),
        segment(0xE2, b"FPXR\0\x01" + word),
        segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + word),
        *(segment(0xE0 + n, prefix + word) for n, prefix in vendor.items()),
        segment(0xEB, b"JP\0\x01\0\0\0\x01" + _jumbf(word)),
        segment(0xED, _photoshop(word)),
        segment(0xFE, word),
    )


def jpeg_with_canaries(canary: str, seed: int = 7, size: tuple[int, int] = (128, 96), progressive: bool = True) -> bytes:
    """A JPEG with ``canary`` in every metadata container the format has, between scans and after EOI included."""
    plain = io.BytesIO()
    photo(seed, size).save(plain, "JPEG", quality=80, progressive=progressive)
    word = canary.encode()
    body = plain.getvalue()[2:-2]
    body = body[2 + struct.unpack_from(">H", body, 2)[0] :]  # Pillow's own JFIF header goes
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01" + word)  # 12 bytes + tail
    first_scan = body.index(b"\xff\xda")
    later = body.find(b"\xff\xc4", first_scan) if progressive else -1  # a table between scans
    if later > 0:
        body = body[:later] + segment(0xFE, b"between scans " + word) + segment(0xE1, b"late " + word) + body[later:]
    head = b"".join(jpeg_segments(canary)) + b"\0gap " + word + b"\0"
    second = io.BytesIO()
    photo(seed + 1, (32, 32)).save(second, "JPEG", comment=word)
    tail = b"trailer " + word + second.getvalue() + struct.pack(">I", 24) + b"ftypmp42" + word + b"PK\x03\x04" + word
    return b"\xff\xd8" + head + adobe + body + segment(0xFE, b"before EOI " + word) + b"\xff\xd9" + tail


# ------------------------------------------------------------------------- PNG


def chunk(name: bytes, body: bytes) -> bytes:
    """One PNG chunk (PNG 3rd edition 5.3)."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """(type, body) of every chunk of a well-formed PNG."""
    out, at = [], 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        out.append((name, data[at + 8 : at + 8 + length]))
        at += 12 + length
        if name == b"IEND":
            break
    return out


def png_file(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, body) for name, body in chunks)


def png_with_canaries(canary: str, seed: int = 7, size: tuple[int, int] = (96, 64)) -> bytes:
    """A PNG with ``canary`` in every metadata container the format has, rows beyond the image and tails included."""
    out = io.BytesIO()
    photo(seed, size).save(out, "PNG")
    parts = png_chunks(out.getvalue())
    word, xmp = canary.encode(), XMP_PACKET.format(canary).encode()
    raw = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    stream = zlib.compress(raw + b"\0rows beyond " + word) + b"after the stream " + word
    hexed = b"\nexif\n%8d\n" % len(camera_exif(canary)) + camera_exif(canary).hex().encode()
    before = [
        (b"iCCP", word[:70] + b"\0\0" + zlib.compress(named_icc(canary))),
        (b"sBIT", b"\x08\x08\x08"),
        (b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
        (b"eXIf", camera_exif(canary)[6:]),
        (b"tEXt", b"Comment\0" + word),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(hexed)),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
        (b"iTXt", b"Description\0\x01\0en\0\0" + zlib.compress(word)),
        (b"sPLT", word[:70] + b"\0\x08" + bytes(6)),
        (b"pCAL", word[:70] + b"\0" + struct.pack(">iiBB", 0, 255, 0, 2) + word + b"\x000\x001"),
        (b"sCAL", b"\x011.5\x002.5" + word),
        (b"caBX", _jumbf(word)),
        (b"caNv", bytes(16)),
        (b"oFFs", bytes(9)),
        (b"iDOT", word),
        (b"prVt", word),
        (b"gIFx", word),
        (b"tIME", b"\x07\xea\x03\x04\x05\x06\x07"),
    ]
    after = [(b"tEXt", b"Author\0" + word), (b"zxIf", word), (b"npTc", word)]
    body = png_file([parts[0], *before, (b"IDAT", stream[:1000]), (b"IDAT", stream[1000:]), *after, (b"IEND", b"")])
    return body + b"after the end " + word + b"PK\x03\x04" + word
