"""HEIC, AVIF, MP4 and QuickTime files built box by box, with a canary in every place that is neither picture nor sound.

The coded pictures are test patterns made by x265, x264 and Pillow's AV1 encoder.
"""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Callable
from functools import cache

from tests.support.canary_images import XMP_PACKET, camera_exif, named_icc, photo

Place = Callable[[str], str]

HVCC = base64.b64decode(
    "AQFgAAAAkAAAAAAAHvAA/P34+AAADwOgAAEAGEABDAH//wFgAAADAJAAAAMAAAMAHpWYCaEAAQAoQgEBAWAAAAMAkAAAAwAAAwAeoCCBBZZWaSTC8BaAgAAA"
    "AwCAAAAFBKIAAQAGRAHBcaES"
)
HEVC = base64.b64decode(
    "AAABwCgBrD2A+IaNeo/H1rhulBzm/LjF4ctnglh5Jc8uMgiqE2HvjVqs5ql0yesdcDugImW4C1VlzLYjyc+nqDbmIe9Ov7PcEPfGoiOAr2t+v7gpWpWgE8Xd"
    "Ig4g+z9WHZwWd36YlA0LtcvOT9IHp7oBg92xOQasI+fbA+e5eHHcvMvqw51bvbSsl7SGYpkLIayfxnLSSEiTw+WR3wbSzy+06jQcaiGMnWvsUDoqKBKiZCcI"
    "+vZ3lPSzWMb5MC4C0pMEdi7eulSFkCsbj6Tyf42tA6gGHML9ki59yS3IVPTEikb5HdG0n/WE1U6E0JW6LBGi7oqeXy4dEKhH4EkmuwyefYPiqcv8w5lh2P53"
    "BD3YRjfCNO8bbrkAifh7wwZ/lPxCEx3Hr8sfzESw+qFC4w8wfK2qypTc3tGMFzwqRNEBFXzQWUQoeZFHxEzuDWA5KIaFo5yKhbk7OTqtwAWSpxCOpxMPCU5t"
    "VnNhY2+SMlJjGEn73wV+a9tdPcEvQDuEHjQvHIMRMW9qCNqA5WuT/c5zkgUKWlNhkFrf+xPhGgFoX1WkffWi/PZ7EiO6xuOM/L81U69ckwGLAd9QOFyUhtUQ"
    "/4A="
)
_AVCC = base64.b64decode("AULACv/hABZnQsAK2iWwEQAAAwABAAADABQPEiagAQAFaM4BJyA=")
_AVC = base64.b64decode(
    "AAAAFmdCwAraJbARAAADAAEAAAMAFA8SJqAAAAAFaM4BJyAAAADAZYiEOgxgBh6exhT+qagTf33AmZPCZqPMzldK3CuKbKDuuyK5ksVFh3W/CBCCxHAwoIAm"
    "3JDht6gRmFAJiSE/bnyC2IMeXRFZBfAM68V/4cccJkcfhK3z/46EWtthB5mDUWfDE5sZNtZu2idbtGBjbJYi9TtLqE0hgGAkdNKWPWa4aGln7ziOzjfOKTzU"
    "iJZI0n0Sat2fvPhhwPwDouv61+OGIQ4f9yEH/chP4Pgfg+AvZQaAFABgof/tg/YbA+xAAAAABEGaIosAAAAXQZpCvPDfSDROXkDQufADLnapW+DG0kk="
)
AVC_SAMPLES = (_AVC[:231], _AVC[231:239], _AVC[239:])
MATRIX = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


def once(place: Place) -> Place:
    """The same word for the same place: a file is laid out twice, and lengths must not change in between."""
    words: dict[str, str] = {}

    def remembered(what: str) -> str:
        if what not in words:
            words[what] = place(what)
        return words[what]

    return remembered


def box(kind: bytes, *parts: bytes) -> bytes:
    """One box."""
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """One full box."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def user_data(text: str, avc: bool) -> bytes:
    """A NAL unit with one message "user data unregistered", its length in front."""
    payload = b"\x11" * 16 + text.encode()
    unit = (b"\x06" if avc else b"\x4e\x01") + bytes((5, len(payload))) + payload + b"\x80"
    return struct.pack(">I", len(unit)) + unit


@cache
def av1() -> tuple[bytes, bytes]:
    """(av1C body, coded picture) of a picture of 64 by 64."""
    out = io.BytesIO()
    photo(3, (64, 64)).save(out, "AVIF", quality=30, speed=10)
    data = out.getvalue()
    config, media = data.index(b"av1C"), data.index(b"mdat")
    return data[config + 4 : config + 8], data[media + 4 :]


# ------------------------------------------------------------------------ still pictures


class Stills:
    """A file of items; ``item`` adds one, ``file`` lays everything out."""

    def __init__(self, brand: bytes, name: str = "") -> None:
        self.brand, self.name = brand, name
        self.items: list[tuple[int, bytes, bytes, bytes, bytes, bool]] = []
        self.properties: list[bytes] = []
        self.owners: dict[int, list[int]] = {}
        self.references: list[bytes] = []

    def property(self, body: bytes) -> int:
        """Add a property box; its index."""
        if body not in self.properties:
            self.properties.append(body)
        return self.properties.index(body) + 1

    def item(
        self, kind: bytes, data: bytes, *properties: bytes, name: bytes = b"", extra: bytes = b"", hidden: bool = False
    ) -> int:
        """Add an item; its number."""
        number = len(self.items) + 1
        self.items.append((number, kind, data, name, extra, hidden))
        self.owners[number] = [self.property(body) for body in properties]
        return number

    def refer(self, kind: bytes, source: int, *targets: int) -> None:
        """Add a reference between items."""
        self.references.append(box(kind, struct.pack(f">HH{len(targets)}H", source, len(targets), *targets)))

    def file(self, *, in_meta: bytes = b"", gap: bytes = b"", between: bytes = b"", tail: bytes = b"") -> bytes:
        """ftyp, meta, ``between``, mdat with ``gap`` before each item, ``tail``."""
        head = box(b"ftyp", self.brand + bytes(4) + b"mif1miaf" + self.brand)
        size = len(self._meta(0, gap, in_meta))
        start = len(head) + size + len(between) + 8
        media = b"".join(gap + data for _, _, data, *_ in self.items) + gap
        return head + self._meta(start, gap, in_meta) + between + box(b"mdat", media) + tail

    def _meta(self, start: int, gap: bytes, more: bytes) -> bytes:
        infos, places = b"", b""
        for number, kind, data, name, extra, hidden in self.items:
            infos += full(b"infe", 2, int(hidden), struct.pack(">HH4s", number, 0, kind), name + b"\0", extra)
            places += struct.pack(">HHHII", number, 0, 1, start + len(gap), len(data))
            start += len(gap) + len(data)
        rows = b"".join(struct.pack(">HB", number, len(own)) + bytes(own) for number, own in self.owners.items() if own)
        count = sum(1 for own in self.owners.values() if own)
        return full(
            b"meta", 0, 0,
            full(b"hdlr", 0, 0, bytes(4) + b"pict" + bytes(12) + self.name.encode() + b"\0"),
            full(b"pitm", 0, 0, b"\0\1"),
            full(b"iinf", 0, 0, struct.pack(">H", len(self.items)), infos),
            full(b"iref", 0, 0, *self.references),
            box(b"iprp", box(b"ipco", *self.properties), full(b"ipma", 0, 0, struct.pack(">I", count), rows)),
            full(b"iloc", 0, 0, b"\x44\0", struct.pack(">H", len(self.items)), places),
            more,
        )  # fmt: skip


def ispe(width: int, height: int) -> bytes:
    """The size of an item."""
    return full(b"ispe", 0, 0, struct.pack(">II", width, height))


def aux(word: str) -> bytes:
    """The sort of an auxiliary picture."""
    return full(b"auxC", 0, 0, word.encode() + b"\0")


def _canaries(stills: Stills, coded: bytes, config: bytes, place: Place) -> bytes:
    """Everything that must go, around the picture that is item 1 of ``stills``."""
    kind = stills.items[0][1]
    size = ispe(64, 64)
    thumb = stills.item(kind, coded, config, size, name=place("thumb name").encode())
    stills.refer(b"thmb", thumb, 1)
    depth = stills.item(kind, coded, config, size, aux("urn:mpeg:hevc:2015:auxid:2"), name=place("depth").encode())
    stills.refer(b"auxl", depth, 1)
    gain = stills.item(kind, coded, config, size, aux("urn:com:apple:photo:2020:aux:" + place("gainmap aux")))
    stills.refer(b"auxl", gain, 1)
    stills.item(kind, coded, config, size, name=place("hidden").encode(), hidden=True)
    block = stills.item(b"Exif", struct.pack(">I", 6) + camera_exif(place("Exif"), orientation=6))
    stills.refer(b"cdsc", block, 1)
    packet = stills.item(b"mime", XMP_PACKET.format(place("XMP")).encode(), extra=b"application/rdf+xml\0")
    stills.refer(b"cdsc", packet, 1)
    stills.item(b"uri ", place("uri").encode(), extra=place("uri type").encode() + b"\0")
    stills.property(full(b"udes", 0, 0, b"en\0" + place("udes").encode() + b"\0\0"))
    stills.owners[1].append(stills.property(box(b"uuid", b"\x22" * 16 + place("property").encode())))
    more = (
        full(b"xml ", 0, 0, place("xml").encode()) + box(b"idat", place("idat").encode()) + box(b"free", place("free").encode())
    )
    between = box(b"uuid", b"\x33" * 16 + place("uuid").encode()) + box(b"skip", place("skip").encode())
    between += box(b"jumb", place("jumb").encode()) + box(b"mpvd", film(place)) + box(b"udta", place("udta").encode())
    return stills.file(in_meta=more, gap=place("gap").encode(), between=between, tail=place("tail").encode())


def heic(place: Place) -> bytes:
    """An iPhone-like HEIC: one HEVC picture, turned by irot, and everything that hangs on such a picture."""
    place = once(place)
    stills = Stills(b"heic", place("handler"))
    config, profile = box(b"hvcC", HVCC), box(b"colr", b"prof" + named_icc(place("icc")))
    stills.item(b"hvc1", user_data(place("SEI"), avc=False) + HEVC, config, ispe(64, 64), profile, box(b"irot", b"\3"),
                full(b"pixi", 0, 0, b"\3\x08\x08\x08"), name=place("item").encode())  # fmt: skip
    return _canaries(stills, HEVC, config, place)


def avif(place: Place) -> bytes:
    """An AVIF with transparency."""
    place = once(place)
    stills = Stills(b"avif", place("handler"))
    settings, coded = av1()
    config = box(b"av1C", settings)
    obu = b"\x2a" + bytes((len(place("OBU")) + 1,)) + b"\x06" + place("OBU").encode()
    stills.item(b"av01", coded[:2] + obu + coded[2:], config, ispe(64, 64), full(b"pixi", 0, 0, b"\3\x08\x08\x08"),
                box(b"colr", b"nclx" + struct.pack(">HHHB", 1, 13, 6, 128)), name=b"Color")  # fmt: skip
    alpha = stills.item(b"av01", coded, config, ispe(64, 64), full(b"pixi", 0, 0, b"\1\x08"),
                        aux("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"), name=b"Alpha")  # fmt: skip
    stills.refer(b"auxl", alpha, 1)
    return _canaries(stills, coded, config, place)


def plain_heic(place: Place) -> bytes:
    """Nothing to remove."""
    del place
    stills = Stills(b"heic")
    stills.item(b"hvc1", HEVC, box(b"hvcC", HVCC), ispe(64, 64))
    return stills.file()


# ------------------------------------------------------------------------ films


def movie_header(made: int, following: int) -> bytes:
    """mvhd; ``made`` is the time of creation, ``following`` the number of the next track."""
    fields = struct.pack(">5IH10x", made, made, 1000, 300, 1 << 16, 256)
    return full(b"mvhd", 0, 0, fields, MATRIX, bytes(24), struct.pack(">I", following))


def _handler(kind: bytes, name: str) -> bytes:
    return full(b"hdlr", 0, 0, bytes(4) + kind + b"appl" + bytes(8) + name.encode() + b"\0")


def _entry(kind: bytes, name: str, *extensions: bytes, width: int = 32, height: int = 32) -> bytes:
    fields = struct.pack(">6xHHH4sIIHHIIIH", 1, 0, 0, b"maks", 0, 0, width, height, 72 << 16, 72 << 16, 0, 1)
    return box(kind, fields + bytes((len(name),)) + name.encode().ljust(31, b"\0") + struct.pack(">Hh", 24, -1), *extensions)


def _sound_entry() -> bytes:
    return box(b"sowt", struct.pack(">6xHHH4sHHHHI", 1, 0, 0, b"maks", 1, 16, 0, 0, 8000 << 16))


def track(
    number: int, handler: bytes, entry: bytes, sizes: tuple[int, ...], offset: int, place: Place, *more: bytes, chap: int = 0
) -> bytes:
    """One trak whose samples stand in one chunk at ``offset``; ``more`` boxes at its end."""
    head = {b"vide": full(b"vmhd", 0, 1, bytes(8)), b"soun": full(b"smhd", 0, 0, bytes(4))}.get(handler, full(b"nmhd", 0, 0))
    stbl = box(
        b"stbl",
        full(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full(b"stts", 0, 0, struct.pack(">III", 1, len(sizes), 100) if sizes else bytes(4)),
        full(b"stsc", 0, 0, struct.pack(">IIII", 1, 1, len(sizes), 1) if sizes else bytes(4)),
        full(b"stsz", 0, 0, struct.pack(f">II{len(sizes)}I", 0, len(sizes), *sizes)),
        full(b"stco", 0, 0, struct.pack(">II", 1, offset) if sizes else bytes(4)),
        box(b"uuid", b"\x44" * 16 + place("stbl uuid").encode()),
    )
    dinf = box(b"dinf", full(b"dref", 0, 0, struct.pack(">I", 1), full(b"url ", 0, 1)))
    size = struct.pack(">II", 32 << 16, 32 << 16) if handler == b"vide" else bytes(8)
    return box(
        b"trak",
        full(b"tkhd", 0, 7, struct.pack(">5I8xHHHxx", 0xE0000000, 0xE0000001, number, 0, 300, 0, 0, 0), MATRIX, size),
        box(b"tref", box(b"chap", struct.pack(">I", chap))) if chap else b"",
        box(b"edts", full(b"elst", 0, 0, struct.pack(">IIII", 1, 300, 0, 1 << 16))),
        box(
            b"mdia",
            full(b"mdhd", 0, 0, struct.pack(">4IHH", 0xE0000000, 0xE0000001, 1000, 300, 0x55C4, 0)),
            _handler(handler, place(f"handler {number}")),
            box(b"minf", head, dinf, stbl),
        ),
        *more,
    )


def _boxes_of_words(place: Place) -> bytes:
    """udta, and a meta box with keys, as phones write them."""
    key = b"com.apple.quicktime.make"
    value = place("make").encode()
    keys = full(b"keys", 0, 0, struct.pack(">I", 1), box(b"mdta", key))
    ilst = box(b"ilst", box(b"\0\0\0\1", box(b"data", struct.pack(">II", 1, 0), value)))
    covr = box(b"covr", box(b"data", struct.pack(">II", 13, 0), place("cover").encode()))
    tags = box(b"ilst", box(b"\xa9nam", box(b"data", struct.pack(">II", 1, 0), place("title").encode())), covr)
    itunes = full(b"meta", 0, 0, _handler(b"mdir", place("mdir")), tags)
    where = b"+51.5034-000.1276/" + place("xyz").encode()
    xyz = box(b"\xa9xyz", struct.pack(">HH", len(where), 0x15C7) + where)
    return box(b"udta", xyz, itunes) + box(b"meta", _handler(b"mdta", place("mdta")), keys, ilst)


def film(place: Place, brand: bytes = b"isom") -> bytes:
    """A film with sound, a subtitle track, a track of positions, and words in every box that has room for them."""
    place = once(place)
    gap, subtitle = place("gap").encode(), struct.pack(">H", len(place("subtitle"))) + place("subtitle").encode()
    position = place("position").encode()
    pictures = (user_data(place("SEI"), avc=True) + AVC_SAMPLES[0], *AVC_SAMPLES[1:])
    sound = tuple(struct.pack("<h", value) for value in range(40))
    parts = (b"".join(pictures), b"".join(sound), subtitle, position)
    head = box(b"ftyp", brand + bytes(4) + brand + b"mp42")
    pasp, odd = box(b"pasp", struct.pack(">II", 1, 1)), box(b"name", place("stsd box").encode())

    def moov(start: int) -> bytes:
        places = []
        for part in parts:
            start += len(gap)
            places.append(start)
            start += len(part)
        entry = _entry(b"avc1", place("coder")[:31], box(b"avcC", _AVCC), pasp, odd)
        sizes = tuple(map(len, pictures))
        return box(
            b"moov",
            movie_header(0xE0000000, 5),
            track(1, b"vide", entry, sizes, places[0], place, box(b"udta", place("trak udta").encode()), chap=3),
            track(2, b"soun", _sound_entry(), tuple(map(len, sound)), places[1], place),
            track(3, b"text", box(b"tx3g", bytes(6) + b"\0\1" + place("tx3g").encode()), (len(subtitle),), places[2], place),
            track(4, b"meta", box(b"mebx", bytes(6) + b"\0\1" + place("mebx").encode()), (len(position),), places[3], place),
            _boxes_of_words(place),
            box(b"uuid", b"\x55" * 16 + place("moov uuid").encode()),
            box(b"free", place("moov free").encode()),
        )  # fmt: skip

    between = box(b"free", place("free").encode()) + box(b"uuid", b"\x66" * 16 + place("uuid").encode())
    body = b"".join(gap + part for part in parts) + gap
    start = len(head) + len(moov(0)) + len(between) + 8
    return head + moov(start) + between + box(b"mdat", body) + box(b"skip", place("skip").encode()) + place("tail").encode()


def fragmented(place: Place) -> bytes:
    """A film in two fragments."""
    place = once(place)
    entry = _entry(b"avc1", place("coder")[:31], box(b"avcC", _AVCC))
    trex = box(b"mvex", full(b"trex", 0, 0, struct.pack(">5I", 1, 1, 100, 0, 0)))
    whole = track(1, b"vide", entry, (), 0, place)
    head = box(b"ftyp", b"iso5" + bytes(4) + b"iso5mp42")
    head += box(
        b"moov",
        movie_header(0xE0000000, 2),
        whole,
        trex,
        box(b"udta", place("udta").encode()),
    )
    out = head
    for index, samples in enumerate((AVC_SAMPLES[:1], AVC_SAMPLES[1:]), 1):
        gap = place("gap").encode()
        sizes = struct.pack(f">{len(samples)}I", *map(len, samples))

        def moof(offset: int, index: int = index, sizes: bytes = sizes, count: int = len(samples)) -> bytes:
            run = full(b"trun", 0, 0x201, struct.pack(">Ii", count, offset), sizes)
            tfdt = full(b"tfdt", 0, 0, struct.pack(">I", 100 * (index - 1)))
            words = box(b"uuid", b"\x77" * 16 + place("traf uuid").encode())
            return box(
                b"moof",
                full(b"mfhd", 0, 0, struct.pack(">I", index)),
                box(b"traf", full(b"tfhd", 0, 0x20000, struct.pack(">I", 1)), tfdt, run, words),
            )

        size = len(moof(0))
        out += full(b"emsg", 0, 0, place("emsg").encode())
        out += moof(size + 8 + len(gap)) + box(b"mdat", gap, *samples)
    return out + box(b"free", place("free").encode())


def quicktime(place: Place) -> bytes:
    """The same film as QuickTime."""
    return film(place, b"qt  ")


def old_quicktime(place: Place) -> bytes:
    """Without ftyp, beginning with wide."""
    data = film(place)
    size = struct.unpack(">I", data[:4])[0]
    return box(b"wide", bytes(size - 8)) + data[size:]


def three_gp(place: Place) -> bytes:
    """The same film from an old phone."""
    return film(place, b"3gp5")


def song(place: Place, cover: bool = True) -> bytes:
    """Sound only, with a cover picture in its list if asked for."""
    place = once(place)
    sound = tuple(struct.pack("<h", value) for value in range(40))
    head = box(b"ftyp", b"M4A " + bytes(4) + b"M4A mp42")
    art = box(b"covr", box(b"data", struct.pack(">II", 13, 0), place("cover").encode())) if cover else b""
    tags = box(b"ilst", box(b"\xa9nam", box(b"data", struct.pack(">II", 1, 0), place("title").encode())), art)
    words = box(b"udta", full(b"meta", 0, 0, _handler(b"mdir", ""), tags))

    def moov(start: int) -> bytes:
        return box(
            b"moov",
            movie_header(0, 2),
            track(1, b"soun", _sound_entry(), tuple(map(len, sound)), start, place),
            words,
        )

    return head + moov(len(head) + len(moov(0)) + 8) + box(b"mdat", *sound)


PICTURES: dict[str, Callable[[Place], bytes]] = {
    "heic": heic,
    "heif": lambda place: heic(place).replace(b"heic", b"mif1"),
    "avif": avif,
    "mp4": film,
    "mp4-fragments": fragmented,
    "mov": quicktime,
    "mov-old": old_quicktime,
    "3gp": three_gp,
    "m4a": song,
}
CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {}
EXTENSIONS: dict[str, str] = {
    "heic": "heic", "heif": "heif", "avif": "avif", "mp4": "mp4", "mp4-fragments": "mp4", "mov": "mov", "mov-old": "mov",
    "3gp": "3gp", "m4a": "m4a",
}  # fmt: skip
