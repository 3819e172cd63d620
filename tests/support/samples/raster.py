"""WebP, GIF, BMP, icons, JPEG 2000, JPEG XL, Netpbm: small valid pictures with a canary wherever the picture is not."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

from PIL import Image

from tests.support.canary_images import XMP_PACKET, camera_exif, named_icc, photo, png_with_canaries

Place = Callable[[str], str]
SIZE = (24, 16)


def saved(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    """A picture as Pillow writes it."""
    out = io.BytesIO()
    (image or photo(5, SIZE)).save(out, kind, **options)
    return out.getvalue()


# ------------------------------------------------------------------------ WebP


def riff_chunk(name: bytes, body: bytes) -> bytes:
    """One RIFF chunk with its pad byte."""
    return struct.pack("<4sI", name, len(body)) + body + bytes(len(body) & 1)


def riff_chunks(data: bytes, at: int = 12) -> list[tuple[bytes, bytes]]:
    """(name, body) of the chunks of a well-formed RIFF file or list."""
    found = []
    while at < len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        found.append((name, data[at + 8 : at + 8 + size]))
        at += 8 + size + (size & 1)
    return found


def webp_file(parts: list[tuple[bytes, bytes]]) -> bytes:
    """A WebP of these chunks."""
    body = b"WEBP" + b"".join(riff_chunk(name, part) for name, part in parts)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def vp8x(flags: int, size: tuple[int, int] = SIZE, reserved: bytes = b"\0\0\0") -> bytes:
    """The body of a VP8X chunk."""
    return bytes((flags,)) + reserved + (size[0] - 1).to_bytes(3, "little") + (size[1] - 1).to_bytes(3, "little")


def _webp_metadata(place: Place) -> list[tuple[bytes, bytes]]:
    return [
        (b"EXIF", camera_exif(place("webp exif"))[6:]),
        (b"XMP ", XMP_PACKET.format(place("webp xmp")).encode()),
        (b"EXIF", b"II*\0" + place("second exif").encode()),
        (b"LIST", b"INFOINAM" + struct.pack("<I", 64) + place("riff info").encode().ljust(64, b"\0")),
        (b"C2PA", place("webp c2pa").encode()),
        (b"prVt", place("webp private chunk").encode()),
        (b"XMP\0", place("misspelt xmp").encode()),
    ]


def webp(place: Place) -> bytes:
    """Lossy, with a profile, all metadata chunks and a trailer."""
    ((name, picture),) = riff_chunks(saved("WEBP", quality=60))
    head = [(b"VP8X", vp8x(0x2C, reserved=place("")[:3].encode())), (b"ICCP", named_icc(place("webp icc")))]
    data = webp_file([*head, (name, picture), *_webp_metadata(place)])
    return data + b"behind " + place("webp trailer").encode()


def webp_animated(place: Place) -> bytes:
    """Three frames with alpha; unknown chunks inside the frames too."""
    frames = [photo(seed, SIZE).convert("RGBA") for seed in range(3)]
    for index, frame in enumerate(frames):
        frame.putalpha(Image.linear_gradient("L").resize(SIZE).rotate(90 * index))
    data = saved("WEBP", frames[0], save_all=True, append_images=frames[1:], duration=[40, 70, 90], loop=3)
    parts = []
    for name, body in riff_chunks(data):
        extra = {b"ANMF": riff_chunk(b"unkn", place("inside a frame").encode()), b"ANIM": place("anim tail").encode()}
        parts.append((name, body + extra.get(name, b"")))
    flags = parts[0][1][0] | 0x0C
    return webp_file([(b"VP8X", bytes((flags,)) + parts[0][1][1:]), *parts[1:], *_webp_metadata(place)])


# ------------------------------------------------------------------------- GIF


def gif_chain(content: bytes) -> bytes:
    """Sub-blocks with their terminator."""
    parts = [content[i : i + 255] for i in range(0, len(content), 255)]
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


def gif_extension(label: int, *blocks: bytes) -> bytes:
    """An extension of sub-blocks."""
    return bytes((0x21, label)) + b"".join(bytes((len(block),)) + block for block in blocks) + b"\0"


def _gif_metadata(place: Place) -> bytes:
    packet = XMP_PACKET.format(place("gif xmp")).encode()
    return b"".join(
        (
            gif_extension(0xFE, place("gif comment").encode()),
            b"\x21\xff\x0bXMP DataXMP" + packet + b"\1" + bytes(range(255, -1, -1)) + b"\0",
            b"\x21\xff\x0bICCRGBG1012" + gif_chain(named_icc(place("gif icc"))),
            gif_extension(0xFF, b"PRIVATE 1.0", place("gif application").encode()),
            gif_extension(0x01, bytes(12), place("gif plain text").encode()),
            gif_extension(0x42, place("gif unknown extension").encode()),
            b"\0\0",
        )
    )


def gif(place: Place) -> bytes:
    """A still picture; words behind the end code of its LZW stream."""
    plain = saved("GIF")
    at = 13 + (3 * (2 << (plain[10] & 7)) if plain[10] & 0x80 else 0)  # no extension stands before the frame
    assert plain[at] == 0x2C
    content, start = b"", at + 11
    while plain[start]:
        content += plain[start + 1 : start + 1 + plain[start]]
        start += 1 + plain[start]
    frame = plain[at : at + 11] + gif_chain(content + b"behind the end " + place("gif stream tail").encode())
    tail = b"\x3b" + place("gif trailer").encode()
    return plain[:at] + _gif_metadata(place) + frame + _gif_metadata(place) + tail


def gif_animated(place: Place) -> bytes:
    """Four frames with timing, transparency, disposal and a loop; words in the loop extension."""
    frames = [photo(seed, SIZE).quantize(16) for seed in range(4)]
    data = saved("GIF", frames[0], save_all=True, append_images=frames[1:], duration=[40, 70, 90, 50], loop=2, disposal=2)
    at = data.index(b"NETSCAPE2.0") + 11 + 4
    loop = bytes((len(place("loop")),)) + place("loop").encode()
    return data[:at] + loop + data[at:-1] + gif_extension(0xF9, place("")[:4].encode()) + _gif_metadata(place) + b"\x3b"


# --------------------------------------------------------------- bitmaps, icons


def v5_header(space: bytes, profile: tuple[int, int], reserved: bytes = bytes(4), bits: int = 24) -> bytes:
    """BITMAPV5HEADER of a picture of ``SIZE``."""
    head = struct.pack("<IiiHHIIiiII", 124, *SIZE, 1, bits, 0, 0, 2835, 2835, 0, 0) + bytes(16) + space
    return head + bytes(36 + 12) + struct.pack("<III", 4, *profile) + reserved


def bmp(place: Place, space: bytes = b"KNIL") -> bytes:
    """A V5 bitmap with a linked (or, space DEBM, embedded) profile, a gap, words in every row's padding, a trailer."""
    size = (SIZE[0] - 1, SIZE[1])
    image = photo(5, size)
    word, row = place("bmp row padding").encode(), 3 * size[0]
    rows = b"".join(image.tobytes()[i * row : (i + 1) * row][::-1] + word[3 * i : 3 * i + 3].ljust(3, b" ") for i in range(16))
    gap = place("bmp gap").encode()
    profile = named_icc(place("bmp icc")) if space == b"DEBM" else b"C:\\Users\\" + place("bmp path").encode() + b"\0"
    head = v5_header(space, (124 + len(gap) + len(rows), len(profile)), place("")[:4].encode())
    head = head[:4] + struct.pack("<i", size[0]) + head[8:]
    samples = 14 + len(head) + len(gap)
    tail = place("bmp trailer").encode()
    total = samples + len(rows) + len(profile) + len(tail)
    return struct.pack("<2sI4sI", b"BM", total, place("")[:4].encode(), samples) + head + gap + rows + profile + tail


def bmp_palette(place: Place) -> bytes:
    """Eight bits, more colours told than samples can point to, words there."""
    plain = saved("BMP", photo(5, SIZE).quantize(256))
    extra = place("bmp palette tail").encode().ljust(64, b" ")
    at = int.from_bytes(plain[10:14], "little")
    head = plain[:10] + (at + len(extra)).to_bytes(4, "little") + plain[14:46] + (272).to_bytes(4, "little") + plain[50:at]
    return head + extra + plain[at:]


def icon_bitmap(place: Place) -> bytes:
    """An entry of an icon: 32 bits, mask, words behind it."""
    samples = photo(5, SIZE).convert("RGBA").tobytes()
    head = struct.pack("<IiiHHIIiiII", 40, SIZE[0], 2 * SIZE[1], 1, 32, 0, 0, 0, 0, 0, 0)
    return head + samples + b"\0\0\0\0" * SIZE[1] + place("icon entry tail").encode()


def ico(place: Place, kind: int = 1) -> bytes:
    """A bitmap and a PNG, a gap between them, a trailer behind."""
    pictures = [icon_bitmap(place), png_with_canaries(place("icon png"), size=(48, 32))]
    gap, tail = b"gap " + place("icon gap").encode(), place("icon trailer").encode()
    at, entries, bodies = 6 + 32, b"", b""
    hot = (3, 5) if kind == 2 else (1, 32)
    for size, picture in zip((SIZE, (48, 32)), pictures, strict=True):
        entries += struct.pack("<BBBBHHII", *size, 0, 65, *hot, len(picture), at + len(bodies))
        bodies += picture + gap
    return struct.pack("<HHH", 0, kind, 2) + entries + bodies + tail


# ------------------------------------------------------- JPEG 2000, JPEG XL


def box(name: bytes, body: bytes) -> bytes:
    """One box (ISO 15444-1 I.4)."""
    return struct.pack(">I4s", 8 + len(body), name) + body


def boxes_of(data: bytes) -> list[tuple[bytes, bytes]]:
    """(name, content) of the boxes of a well-formed file."""
    found, at = [], 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        end = at + size if size else len(data)
        found.append((name, data[at + 8 : end]))
        at = end
    return found


def comment(text: str) -> bytes:
    """A COM segment of a codestream."""
    return b"\xff\x64" + struct.pack(">HH", 4 + len(text), 1) + text.encode()


def codestream(place: Place, **options: object) -> bytes:
    """Comments in the main header and in the header of the first tile-part, words behind the end."""
    plain = saved("JPEG2000", no_jp2=True, **options)
    main = 4 + int.from_bytes(plain[4:6], "big")
    tile = plain.index(b"\xff\x90\x00\x0a")
    words = comment(place("tile comment"))
    length = int.from_bytes(plain[tile + 6 : tile + 10], "big") + len(words)
    sot = plain[tile : tile + 6] + struct.pack(">I", length) + plain[tile + 10 : tile + 12]
    head = plain[:main] + comment(place("main comment")) + plain[main:tile]
    return head + sot + words + plain[tile + 12 :] + place("behind the codestream").encode()


def jp2(place: Place) -> bytes:
    """Every kind of box with a canary; the profile too."""
    parts = dict(boxes_of(saved("JPEG2000")))
    tiff = camera_exif(place("jp2 exif"), orientation=6)[6:]
    uuids = (
        (b"JpgTiffExif->JP2", tiff),
        (bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), XMP_PACKET.format(place("jp2 xmp")).encode()),
        (bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03"), place("geojp2").encode()),
        (bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"), place("jp2 iptc").encode()),
        (place("uuid")[:16].encode().ljust(16), place("vendor's uuid").encode()),
    )
    ihdr = dict(boxes_of(parts[b"jp2h"]))[b"ihdr"]
    colr = box(b"colr", b"\2\0\0" + named_icc(place("jp2 icc")))
    res = box(b"res ", box(b"resc", struct.pack(">HHHHBB", 300, 1, 300, 1, 0, 0)) + box(b"text", place("res").encode()))
    header = box(b"ihdr", ihdr) + colr + res + box(b"xml ", place("xml in the header").encode())
    others = (
        (b"xml ", "xml"),
        (b"jumb", "jumb"),
        (b"jp2i", "rights"),
        (b"free", "free"),
        (b"prvt", "private"),
        (b"lbl ", "label"),
    )
    out = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", header)
    out += b"".join(box(b"uuid", name + body) for name, body in uuids)
    out += b"".join(box(name, place(f"jp2 {word}").encode()) for name, word in others)
    out += box(b"asoc", box(b"nlst", bytes(4)) + box(b"lbl ", place("jp2 association").encode()))
    out += box(b"uinf", box(b"ulst", b"\0\0") + box(b"url ", bytes(4) + place("jp2 url").encode()))
    return out + box(b"jp2c", codestream(place)) + box(b"jp2c", codestream(place)) + b"\0behind " + place("jp2 trailer").encode()


# 24 by 16 pixels, lossy, made by cjxl 0.7.
_JXL = bytes.fromhex(
    "ff0a03414271210012880200b803cdcf140000152aa38c1bbc9cebf9f24387c5b48deb0c6db56d6149a2c8383649277048126b4079bb3512607d2d8d80"
    "986f3ea0f683eaf31239d1d7f34bf79ed258f5086900001552201940455162322f5279ca98f162bc982263820337386e3a1c7e7affef2a934f45425e34"
    "0064d0686098f841615f168146e415f9ab7c850f0184c3e001fb09f169e403f6c26574b4973f5bffe56a5c536bd62869ac7980c1a3364c29363fbce00c"
    "c590ff6761eefa124687e07f8817365b47b224bf3f4aefc526029b6adb3b0e8fd2d921eaae5f8e18302a1800d8b474b3fe9774a13ec8f13d21807f7c39"
    "852403828402e705"
)


def jxl(place: Place, partial: bool = False) -> bytes:
    """A codestream in boxes, every other kind of box around it."""
    out = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ") + box(b"jxll", b"\5")
    out += box(b"Exif", bytes(4) + camera_exif(place("jxl exif"))[6:])
    if partial:
        out += box(b"jxlp", bytes(4) + _JXL[:40]) + box(b"jbrd", place("jbrd").encode()) + box(b"jxlp", b"\x80\0\0\1" + _JXL[40:])
    else:
        out += box(b"jxlc", _JXL)
    for name in (b"xml ", b"jumb", b"brob", b"jhgm", b"jbrd", b"jxli", b"prvt", b"uuid"):
        out += box(name, place(f"jxl {name.decode()}").encode())
    return out + b"\0behind " + place("jxl trailer").encode()


def pnm(place: Place, kind: str = "RGB") -> bytes:
    """Comments in the header, a tail behind the samples; "P7": PAM."""
    plain = saved("PPM", photo(5, SIZE).convert("RGB" if kind == "P7" else kind))
    magic, *header, samples = plain.split(b"\n", 2 if kind == "1" else 3)
    if kind == "P7":
        fields = b"WIDTH 24\nHEIGHT 16\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\n# " + place("pam comment").encode()
        head = b"P7\n" + fields + b"\nENDHDR"
    else:
        words = b"\n# " + place("pnm comment").encode() + b"\n"
        head = words.join((magic, *header))
    return head + b"\n" + samples + place("pnm trailer").encode()


PICTURES: dict[str, Callable[[Place], bytes]] = {
    "webp": webp,
    "webp-animated": webp_animated,
    "gif": gif,
    "gif-animated": gif_animated,
    "bmp": bmp,
    "bmp-embedded": lambda place: bmp(place, b"DEBM"),
    "bmp-palette": bmp_palette,
    "dib": lambda place: saved("DIB") + place("dib trailer").encode(),
    "ico": ico,
    "cur": lambda place: ico(place, 2),
    "jp2": jp2,
    "j2k": codestream,
    "jxl": jxl,
    "jxl-partial": lambda place: jxl(place, partial=True),
    "jxl-naked": lambda place: _JXL,
    "ppm": pnm,
    "pbm": lambda place: pnm(place, "1"),
    "pam": lambda place: pnm(place, "P7"),
}
CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {}
EXTENSIONS: dict[str, str] = {
    "webp": "webp", "webp-animated": "webp", "gif": "gif", "gif-animated": "gif", "bmp": "bmp", "bmp-embedded": "bmp",
    "bmp-palette": "bmp", "dib": "dib", "ico": "ico", "cur": "cur", "jp2": "jp2", "j2k": "j2k", "jxl": "jxl",
    "jxl-partial": "jxl", "jxl-naked": "jxl", "ppm": "ppm", "pbm": "pbm", "pam": "pam",
}  # fmt: skip
