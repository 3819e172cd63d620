"""Value representations (PS3.5 6.2): which exist, how long they may be, what their values look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from pydicom._dicom_dict import DicomDictionary  # every row, without the repeating groups; pydicom is pinned

LONG = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))  # 32-bit length in explicit VR
SHORT = frozenset(
    ("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US")
)
TEXT = frozenset(("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))  # what people may write into
SPACED = TEXT | {"AS", "CS", "DA", "DS", "DT", "IS", "TM"}  # padded by a blank, the others by NUL
DATES = frozenset(("DA", "DT", "TM"))
OPAQUE = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
_SIZES: Mapping[str, int] = {"AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}
_NUMBER = re.compile(rb" *([-+]?(\d{1,20}\.?\d{0,20}|\.\d{1,20})([eE][-+]?\d{1,3})?)? *")
_GRAMMAR: Mapping[str, re.Pattern[bytes]] = {
    "AS": re.compile(rb"(\d{3}[DWMY])?"),
    "CS": re.compile(rb"[A-Z0-9_ ]{0,16}"),
    "DS": _NUMBER,
    "IS": _NUMBER,  # machines write "4.000000"
    "UI": re.compile(rb"([0-9.]{1,64})?"),
    "DA": re.compile(rb"(\d{8}|\d{4}\.\d\d\.\d\d)?"),
    "TM": re.compile(rb"(\d\d(:?\d\d(:?\d\d(\.\d{1,6})?)?)?)? *"),
    "DT": re.compile(rb"(\d{4,14}(\.\d{1,6})?([-+]\d{4})?)? *"),
}
_MOST_VALUES = 4 << 20  # bytes of one numeric text value; contours have some hundred thousand

# tag -> (VR, VM, name, retired, keyword)
_DICTIONARY = cast("Mapping[int, tuple[str, str, str, str, str]]", DicomDictionary)


def of(tag: int) -> str:
    """The VR that the data dictionary (PS3.6) gives an attribute, "" when it does not know it; "US or SS" stays as it is."""
    row = _DICTIONARY.get(tag)
    return row[0] if row else ""


def guess(tag: int) -> str:
    """The VR to read an attribute by when the file does not say it (PS3.5 7.1.3, A.1)."""
    told = of(tag)
    if told == "OB or OW":
        return "OW"
    if " or " in told:
        return "US"
    return told or "UN"


def fits(tag: int, vr: str) -> bool:
    """Whether a file may write the attribute with this VR: that of the dictionary, or one of the same kind."""
    told = of(tag).split(" or ")
    return vr in told or any({vr, one} <= kin for one in told for kin in _KIN)


_KIN = (
    frozenset(("DS", "IS")), frozenset(("US", "SS", "UL", "SL", "OW")), frozenset(("OB", "OW", "UN", "OF", "OD", "OL", "OV")),
    frozenset(("FL", "FD")), TEXT | {"CS"}, frozenset(("DA", "DT")),
)  # fmt: skip


def sound(vr: str, value: bytes | memoryview) -> bool:
    """The value is one that this VR may have; texts and opaque bytes always are."""
    if vr in _SIZES:
        return len(value) % _SIZES[vr] == 0
    pattern = _GRAMMAR.get(vr)
    if pattern is None:
        return True
    if len(value) > _MOST_VALUES:
        return False
    return all(pattern.fullmatch(part.rstrip(b" \0")) or pattern.fullmatch(part) for part in bytes(value).split(b"\\"))
