"""Transfer syntaxes (PS3.5 section 10, PS3.6 A.4): how the data set is encoded and what its pixel data are coded with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from filters.dicom.element import BIG, EXPLICIT, IMPLICIT, Syntax

_ROOT = "1.2.840.10008.1.2"
DEFLATED = _ROOT + ".1.99"


class Coding(Enum):
    """What stands in the fragments."""

    NATIVE = "native"
    JPEG = "jpeg"
    JPEG_LS = "jpeg-ls"
    JPEG_2000 = "jpeg-2000"
    RLE = "rle"
    JPEG_XL = "jpeg-xl"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer syntax."""

    uid: str
    syntax: Syntax
    coding: Coding
    deflated: bool = False

    @property
    def video(self) -> bool:
        """All fragments are one film."""
        return self.coding is Coding.VIDEO


_JPEG = (50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 70)
_VIDEO = tuple(f"{_ROOT}.4.{number}{tail}" for number in range(100, 109) for tail in ("", ".1"))

TRANSFERS: Mapping[str, Transfer] = {
    transfer.uid: transfer
    for transfer in (
        Transfer(_ROOT, IMPLICIT, Coding.NATIVE),
        Transfer(_ROOT + ".1", EXPLICIT, Coding.NATIVE),
        Transfer(_ROOT + ".1.98", EXPLICIT, Coding.NATIVE),  # encapsulated uncompressed
        Transfer(DEFLATED, EXPLICIT, Coding.NATIVE, deflated=True),
        Transfer(_ROOT + ".2", BIG, Coding.NATIVE),
        *(Transfer(f"{_ROOT}.4.{number}", EXPLICIT, Coding.JPEG) for number in _JPEG),
        *(Transfer(f"{_ROOT}.4.{number}", EXPLICIT, Coding.JPEG_LS) for number in (80, 81)),
        *(Transfer(f"{_ROOT}.4.{number}", EXPLICIT, Coding.JPEG_2000) for number in (90, 91, 92, 93, 201, 202, 203)),
        Transfer(_ROOT + ".5", EXPLICIT, Coding.RLE),
        *(Transfer(f"{_ROOT}.4.{number}", EXPLICIT, Coding.JPEG_XL) for number in (110, 111, 112)),
        *(Transfer(uid, EXPLICIT, Coding.VIDEO) for uid in _VIDEO),
    )
}
