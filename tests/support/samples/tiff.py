"""TIFF and BigTIFF built tag by tag, so that a canary can stand in every place where the format has room for words."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from PIL import Image

Place = Callable[[str], str]
Value = bytes | str | tuple[int, ...]

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16
_WIDTHS = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, UNDEFINED: 1, LONG8: 8}
SIZE = (24, 16)


@dataclass
class Page:
    """One directory: tag -> (kind, value), its strips, and directories that hang on it (tag -> pages)."""

    fields: dict[int, tuple[int, Value]]
    strips: tuple[bytes, ...] = ()
    below: dict[int, list[Page]] = field(default_factory=dict)
    tiled: bool = False
    behind: bytes = b""  # stands behind the samples without being referred to
    more: Mapping[int, bytes] = field(default_factory=dict)  # offset tag -> the bytes it points to (JPEG in the old way)


class Builder:
    """Lays pages out one after the other: samples, values, directory."""

    def __init__(self, order: str = "<", big: bool = False) -> None:
        self.order, self.big = order, big
        self.out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42))
        self.out += struct.pack(order + "HHQ", 8, 0, 0) if big else bytes(4)

    def file(self, pages: list[Page], tail: bytes = b"") -> bytes:
        """The whole file with ``tail`` behind it."""
        link = 8 if self.big else 4
        for page in pages:
            at, after = self._directory(page)
            self._pointer(link, at)
            link = after
        return bytes(self.out) + tail

    def _pointer(self, at: int, value: int) -> None:
        struct.pack_into(self.order + ("Q" if self.big else "I"), self.out, at, value)

    def _add(self, body: bytes) -> int:
        self.out += bytes(len(self.out) & 1)
        at = len(self.out)
        self.out += body
        return at

    def _directory(self, page: Page) -> tuple[int, int]:
        """(offset of the directory, offset of its pointer to the next one)."""
        fields = dict(page.fields)
        if page.strips:
            places = tuple(self._add(strip) for strip in page.strips)
            kind = LONG8 if self.big else LONG
            fields[324 if page.tiled else 273] = (kind, places)
            fields.setdefault(325 if page.tiled else 279, (LONG, tuple(len(strip) for strip in page.strips)))
        for tag, body in page.more.items():
            fields[tag] = (LONG, (self._add(body),))
        self._add(page.behind)
        for tag, children in page.below.items():
            fields[tag] = (LONG, tuple(self._directory(child)[0] for child in children))
        entries = b"".join(self._entry(tag, *fields[tag]) for tag in sorted(fields))
        head = struct.pack(self.order + ("Q" if self.big else "H"), len(fields))
        at = self._add(head + entries + bytes(8 if self.big else 4))
        return at, len(self.out) - (8 if self.big else 4)

    def _entry(self, tag: int, kind: int, value: Value) -> bytes:
        body = self._value(kind, value)
        room = 8 if self.big else 4
        count = len(body) // _WIDTHS[kind]
        if len(body) > room:
            body = struct.pack(self.order + ("Q" if self.big else "I"), self._add(body))
        return struct.pack(self.order + ("HHQ" if self.big else "HHI"), tag, kind, count) + body.ljust(room, b"\0")

    def _value(self, kind: int, value: Value) -> bytes:
        if isinstance(value, str):
            return value.encode() + b"\0"
        if isinstance(value, bytes):
            return value
        letter = {BYTE: "B", SHORT: "H", LONG: "I", RATIONAL: "I", LONG8: "Q"}[kind]
        return struct.pack(f"{self.order}{len(value)}{letter}", *value)


def fields(size: tuple[int, int] = SIZE, compression: int = 1, photometric: int = 2) -> dict[int, tuple[int, Value]]:
    """The tags that display needs, and resolution and orientation."""
    samples = 3 if photometric in (2, 6) else 1
    return {
        256: (SHORT, (size[0],)), 257: (SHORT, (size[1],)), 258: (SHORT, (8,) * samples), 259: (SHORT, (compression,)),
        262: (SHORT, (photometric,)), 274: (SHORT, (6,)), 277: (SHORT, (samples,)), 278: (SHORT, (size[1],)),
        282: (RATIONAL, (300, 1)), 283: (RATIONAL, (300, 1)), 296: (SHORT, (2,)),
    }  # fmt: skip


def photo(size: tuple[int, int] = SIZE, shade: int = 0) -> Image.Image:
    """A picture whose every row and column differs."""
    image = Image.new("RGB", size)
    image.putdata([((5 * x + shade) % 256, (9 * y) % 256, (3 * x + 7 * y) % 256) for y in range(size[1]) for x in range(size[0])])
    return image


def jpeg(size: tuple[int, int] = SIZE, comment: str = "", **options: object) -> bytes:
    """A JPEG stream, with words in it when asked."""
    out = io.BytesIO()
    photo(size).save(out, "JPEG", quality=90, **options)
    data = out.getvalue()
    if not comment:
        return data
    extra = comment.encode()
    segments = b"".join(
        b"\xff" + bytes((marker,)) + struct.pack(">H", len(body) + 2) + body
        for marker, body in ((0xE1, b"Exif\0\0" + extra), (0xED, b"Photoshop 3.0\0" + extra), (0xFE, extra))
    )
    return data[:2] + segments + data[2:] + extra


def words(place: Place) -> dict[int, tuple[int, Value]]:
    """Every tag that holds words, and private ones."""
    texts = {
        269: "DocumentName", 270: "ImageDescription", 271: "Make", 272: "Model", 285: "PageName", 305: "Software",
        315: "Artist", 316: "HostComputer", 337: "TargetPrinter", 33432: "Copyright", 34737: "GeoText",
        42112: "GDALMetadata", 42113: "GDALNoData", 65000: "Private", 51023: "Other",
    }  # fmt: skip
    blobs = {
        700: "XMP", 33723: "IPTC", 34377: "Photoshop", 37724: "ImageSourceData", 50838: "ImageJCounts", 50839: "ImageJ",
        40091: "XPTitle", 40092: "XPComment", 40093: "XPAuthor", 33628: "UIC", 34118: "SEM",
    }  # fmt: skip
    found: dict[int, tuple[int, Value]] = {tag: (ASCII, place(name)) for tag, name in texts.items()}
    found |= {tag: (UNDEFINED, place(name).encode()) for tag, name in blobs.items()}
    found[306] = (ASCII, "2026:01:02 03:04:05")
    found[34016] = (BYTE, tuple(place("Site").encode()))
    return found


def below(place: Place) -> dict[int, list[Page]]:
    """EXIF, GPS and a preview."""
    exif: dict[int, tuple[int, Value]] = {
        0x9003: (ASCII, "2026:01:02 03:04:05"), 0x927C: (UNDEFINED, place("MakerNote").encode()),
        0x9286: (UNDEFINED, b"ASCII\0\0\0" + place("UserComment").encode()), 0xA430: (ASCII, place("OwnerName")),
        0xA431: (ASCII, place("SerialNumber")), 0xA433: (ASCII, place("LensMake")),
    }  # fmt: skip
    gps: dict[int, tuple[int, Value]] = {
        1: (ASCII, "N"), 2: (RATIONAL, (51, 1, 30, 1, 0, 1)), 27: (UNDEFINED, place("GPSMethod").encode()),
        29: (ASCII, place("GPSDate")),
    }  # fmt: skip
    preview = Page(fields((12, 9)) | {254: (LONG, (1,)), 270: (ASCII, place("PreviewText"))}, (photo((12, 9)).tobytes(),))
    return {0x8769: [Page(exif)], 0x8825: [Page(gps)], 330: [preview]}


def _plain(place: Place, order: str = "<", big: bool = False) -> bytes:
    page = Page(fields() | words(place), (photo().tobytes(),), below(place), behind=place("Gap").encode())
    return Builder(order, big).file([page], place("Trailer").encode())


def _thumbnail(place: Place) -> bytes:
    """A second page that is a small version of the first: it goes, so programs see one page less."""
    page = Page(fields() | words(place), (photo().tobytes(),))
    thumb = Page(fields((9, 7)) | {254: (LONG, (1,)), 270: (ASCII, place("ThumbText"))}, (photo((9, 7), 9).tobytes(),))
    return Builder().file([page, thumb])


def _pages(place: Place) -> bytes:
    pages = [Page(fields() | words(lambda what, n=n: place(f"{what}{n}")), (photo(shade=n).tobytes(),)) for n in range(3)]
    return Builder().file(pages)


def _jpeg(place: Place) -> bytes:
    told = fields(compression=7, photometric=6) | words(place) | {530: (SHORT, (2, 2))}
    return Builder().file([Page(told, (jpeg(comment=place("JpegComment"), subsampling=2),))])


def _old_jpeg(place: Place) -> bytes:
    stream = jpeg(comment=place("OldJpegComment"), subsampling=0)
    told = (
        fields(compression=6, photometric=6)
        | words(place)
        | {512: (SHORT, (1,)), 514: (LONG, (len(stream),)), 530: (SHORT, (1, 1))}
    )
    builder = Builder(">")
    page = Page(told, more={513: stream})
    start = len(builder.out) + stream.find(b"\xff\xda")
    page.fields[273] = (LONG, (start + 14,))
    page.fields[279] = (LONG, (stream.find(b"\xff\xd9") - stream.find(b"\xff\xda") - 14,))
    return builder.file([page])


def _deflate(place: Place) -> bytes:
    stream = zlib.compress(photo().tobytes()) + place("BehindStream").encode()
    return Builder(">").file([Page(fields(compression=8) | words(place), (stream,))])


def _tiles(place: Place) -> bytes:
    told = fields() | words(place) | {322: (SHORT, (16,)), 323: (SHORT, (16,))}
    told.pop(278)
    tile = photo((16, 16)).tobytes()
    return Builder("<", True).file([Page(told, (tile, tile + place("BehindTile").encode()), tiled=True)])


def saved(image: Image.Image, **options: object) -> bytes:
    """A TIFF as Pillow's libtiff writes it, without the words it adds."""
    out = io.BytesIO()
    image.save(out, "TIFF", **options)
    return out.getvalue()


CLEAN: dict[str, Callable[[Place], bytes]] = {  # codings that hold nothing but samples
    "packbits": lambda place: saved(photo(), compression="packbits"),
    "lzw": lambda place: saved(photo((90, 60)), compression="tiff_lzw"),
    "deflate": lambda place: saved(photo(), compression="tiff_adobe_deflate"),
    "group3": lambda place: saved(photo((70, 40)).convert("1"), compression="group3"),
    "group4": lambda place: saved(photo((70, 40)).convert("1"), compression="group4"),
    "jpeg": lambda place: saved(photo((40, 40)), compression="jpeg"),
    "palette": lambda place: saved(photo().quantize(16)),
}
PICTURES: dict[str, Callable[[Place], bytes]] = {
    "tiff": _plain,
    "tiff-motorola": lambda place: _plain(place, ">"),
    "bigtiff": lambda place: _plain(place, "<", True),
    "bigtiff-motorola": lambda place: _plain(place, ">", True),
    "bigtiff-tiles": _tiles,
    "tiff-pages": _pages,
    "tiff-thumbnail": _thumbnail,
    "tiff-jpeg": _jpeg,
    "tiff-old-jpeg": _old_jpeg,
    "tiff-deflate": _deflate,
}
CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {}
EXTENSIONS: dict[str, str] = dict.fromkeys(PICTURES, "tif")
