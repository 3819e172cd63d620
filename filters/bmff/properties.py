"""Item properties (23008-12 6.5): what is needed to decode and show a picture, without words."""

from __future__ import annotations

from collections.abc import Mapping

from filters.api import Malformed
from filters.bmff import config
from filters.bmff.boxes import Reader
from filters.bmff.leaves import Cleaner, exactly
from filters.metadata import icc

_LONGEST = 1 << 16


def _pixi(body: bytes) -> bytes:
    """Bits of each channel; version 0 ends there, what later versions add stays when it is short."""
    end = 5 + (body[4] if len(body) > 4 else 0)
    return body if body[3:4] != b"\0" and len(body) <= end + 60 else exactly(end)(body)


def _short(most: int) -> Cleaner:
    def clean(body: bytes) -> bytes:
        if len(body) > most:
            raise Malformed("item property too long")
        return body

    return clean


def _auxiliary(body: bytes) -> bytes:
    return config.alpha(body)


KEPT: Mapping[bytes, Cleaner] = {
    b"ispe": exactly(12), b"pixi": _pixi, b"pasp": exactly(8), b"clap": exactly(32), b"irot": exactly(1), b"imir": exactly(1),
    b"rloc": exactly(12), b"hvcC": config.hevc, b"lhvC": config.layered, b"avcC": config.avc, b"av1C": config.av1,
    b"vvcC": _short(_LONGEST), b"evcC": _short(_LONGEST), b"auxC": _auxiliary, b"clli": exactly(4), b"mdcv": exactly(24),
    b"cclv": _short(60), b"amve": exactly(8), b"a1op": exactly(1), b"a1lx": _short(25), b"lsel": exactly(2), b"tols": exactly(6),
    b"oinf": _short(400), b"uncC": _short(2000), b"cmpd": _short(2000), b"cmpC": _short(60), b"icef": _short(1 << 20),
    b"cpat": _short(4000), b"snuc": _short(1 << 24), b"splz": _short(4000), b"sbpm": _short(4000), b"cloc": exactly(5),
    b"disi": exactly(8), b"j2kH": _short(400), b"jpgC": _short(_LONGEST), b"tilC": _short(200), b"iscl": exactly(12),
    b"ndwt": exactly(8), b"reve": exactly(16), b"vexu": _short(200), b"crtt": exactly(16),
}  # fmt: skip
# Dropped without breaking a reader that obeys "essential": they say something about the picture, not how to decode it.
WORDS = frozenset(
    (b"udes", b"uuid", b"altt", b"aebr", b"wbbr", b"fobr", b"afbr", b"dobr", b"pano", b"subs", b"rref", b"crtt", b"mdft", b"tsyn",
     b"elng", b"free", b"skip", b"cmin", b"cmex", b"pymd", b"itai", b"taic", b"gimi", b"colr")
)  # fmt: skip
KEPT = {kind: cleaner for kind, cleaner in KEPT.items() if kind not in WORDS}


def colours(body: bytes) -> tuple[bytes | None, str | None]:
    """(a colr body or None, code): colour numbers as they are, a profile without its words (14496-12 12.1.5)."""
    if body[:4] in (b"prof", b"rICC"):
        cleaned = icc.clean(body[4:])
        return (None if cleaned.data is None else body[:4] + cleaned.data), cleaned.code
    if body[:4] == b"nclx" and len(body) >= 11:
        return body[:11], None if len(body) == 11 else "bmff.reserved"
    return None, "bmff.property"


def size(body: bytes) -> tuple[int, int]:
    """Width and height of ispe."""
    reader = Reader(body)
    reader.full()
    return reader.number(4), reader.number(4)


def bits(kind: bytes, body: bytes) -> int:
    """Bits per sample that a property tells, 0 when it does not."""
    if kind == b"pixi" and len(body) > 5:
        return max(body[5 : 5 + body[4]] or b"\0")
    if kind == b"hvcC" and len(body) > 17:
        return 8 + (body[17] & 7)
    if kind == b"av1C" and len(body) > 2:
        return 8 if not body[2] & 0x40 else 12 if body[2] & 0x20 else 10
    return 0


# irot: quarter turns anticlockwise; imir: 0 swaps top and bottom, 1 left and right (23008-12 6.5.10, 6.5.12) -> EXIF orientation
_TURNS = {0: 1, 1: 8, 2: 3, 3: 6}
_MIRRORS = ({1: 4, 8: 5, 3: 2, 6: 7}, {1: 2, 8: 7, 3: 4, 6: 5})


def orientation(turn: int, mirror: int | None) -> int:
    """The EXIF orientation that means the same as a turn and then a mirroring."""
    found = _TURNS[turn & 3]
    return found if mirror is None else _MIRRORS[mirror & 1][found]
