"""Which tags display needs, and what they may hold: the allow-list.  TIFF 6.0, Technical Notes 1 and 2, LERC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from filters.tiff.directory import BYTE, LONG, LONG8, RATIONAL, SHORT, UNDEFINED

WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
FILL_ORDER, ORIENTATION, SAMPLES, ROWS, PLANAR = 266, 274, 277, 278, 284
STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS = 273, 279, 324, 325
TILE_WIDTH, TILE_LENGTH = 322, 323
X_RESOLUTION, Y_RESOLUTION = 282, 283
NEW_SUBFILE, OLD_SUBFILE, SUB_IFDS = 254, 255, 330
T4_OPTIONS, SUBSAMPLING, DEPTH, TILE_DEPTH = 292, 530, 32997, 32998
JPEG_TABLES, ICC, XMP, DESCRIPTION = 347, 34675, 700, 270
JPEG_FILE, JPEG_FILE_LENGTH, JPEG_Q, JPEG_DC, JPEG_AC = 513, 514, 519, 520, 521
EXIF_POINTER, GPS_POINTER, INTEROP_POINTER = 0x8769, 0x8825, 0xA005

INTEGER = frozenset((BYTE, SHORT, LONG, LONG8))
_REAL = frozenset((SHORT, LONG, RATIONAL, 10, 11, 12))
_NUMERIC = INTEGER | _REAL | {6, 8, 9}
_BYTES = frozenset((BYTE, UNDEFINED))


class Most(Enum):
    """Greatest number of values, where it depends on the picture."""

    SAMPLES = "one for each sample of a pixel"
    PAIRS = "two for each sample of a pixel"
    CURVE = "one for each value of a sample"
    CURVES = "three for each value of a sample"
    ANY = "judged elsewhere"


@dataclass(frozen=True, slots=True)
class Rule:
    """Kinds and number of values.  ``vital``: a value of another form makes the file ``Malformed``, else the tag goes."""

    kinds: frozenset[int]
    most: int | Most = 1
    vital: bool = False
    only: frozenset[int] = frozenset()  # compressions for which the tag has a meaning; empty = all
    top: int = 0  # greatest sensible number; 0 = any


_OLD_JPEG = frozenset((6,))
_FAX = frozenset((2, 3, 4, 32771))
_ONE = Rule(INTEGER)
_VITAL = Rule(INTEGER, vital=True)
_POSITIONS = Rule(INTEGER, Most.ANY, vital=True)

RULES: Mapping[int, Rule] = {
    **dict.fromkeys((WIDTH, LENGTH, COMPRESSION, PHOTOMETRIC, FILL_ORDER, SAMPLES, ROWS, PLANAR, 317), _VITAL),
    **dict.fromkeys((TILE_WIDTH, TILE_LENGTH, DEPTH, TILE_DEPTH, 32995), _VITAL),
    **dict.fromkeys((STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS), _POSITIONS),
    BITS: Rule(INTEGER, Most.SAMPLES, vital=True, top=128),
    **dict.fromkeys((339, 32996), Rule(INTEGER, Most.SAMPLES, vital=True, top=6)),
    ORIENTATION: Rule(INTEGER, vital=True, top=8),
    NEW_SUBFILE: Rule(INTEGER, top=0xFFFF),
    OLD_SUBFILE: Rule(INTEGER, top=3),
    SUB_IFDS: Rule(frozenset((LONG, 13, LONG8, 18, SHORT)), Most.ANY, vital=True),
    **{tag: Rule(INTEGER, top=top) for tag, top in ((263, 3), (264, 0xFFFF), (265, 0xFFFF), (290, 5), (296, 3), (332, 2))},
    334: Rule(INTEGER, top=64),
    346: Rule(INTEGER, top=1),
    **dict.fromkeys((280, 281), Rule(INTEGER, Most.SAMPLES)),
    **dict.fromkeys((340, 341), Rule(_NUMERIC, Most.SAMPLES)),
    **dict.fromkeys((X_RESOLUTION, Y_RESOLUTION, 286, 287), Rule(_REAL)),
    291: Rule(INTEGER, Most.CURVE),
    301: Rule(INTEGER, Most.CURVES),
    320: Rule(INTEGER, Most.CURVES, vital=True),
    **dict.fromkeys((T4_OPTIONS, 293), Rule(INTEGER, vital=True, only=_FAX)),
    **dict.fromkeys((326, 327, 328), Rule(INTEGER, only=_FAX)),
    297: Rule(INTEGER, 2),
    318: Rule(_REAL, 2),
    319: Rule(_REAL, 6),
    321: Rule(INTEGER, 2),
    336: Rule(INTEGER, Most.PAIRS),
    338: Rule(INTEGER, Most.SAMPLES, vital=True),
    342: Rule(INTEGER, 6),
    JPEG_TABLES: Rule(_BYTES, Most.ANY, vital=True, only=frozenset((7, 34892))),
    512: Rule(INTEGER, only=_OLD_JPEG),
    JPEG_FILE: Rule(INTEGER, vital=True, only=_OLD_JPEG),
    JPEG_FILE_LENGTH: Rule(INTEGER, vital=True, only=_OLD_JPEG),
    515: Rule(INTEGER, only=_OLD_JPEG),
    **dict.fromkeys((517, 518), Rule(INTEGER, Most.SAMPLES, only=_OLD_JPEG)),
    **dict.fromkeys((JPEG_Q, JPEG_DC, JPEG_AC), Rule(INTEGER, Most.SAMPLES, only=_OLD_JPEG)),
    529: Rule(_REAL, 3),
    SUBSAMPLING: Rule(INTEGER, 2, vital=True),
    531: Rule(INTEGER, top=2),
    532: Rule(_REAL, Most.PAIRS),
    ICC: Rule(_BYTES, Most.ANY),
    50674: Rule(INTEGER, 3, only=frozenset((34887,))),
}
