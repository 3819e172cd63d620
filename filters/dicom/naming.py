"""Which finding code an attribute that goes has."""

from __future__ import annotations

from filters.dicom.profile import TABLE

_SPECIAL = {
    0x00100010: "dicom.patient-name", 0x00100020: "dicom.patient-id", 0x00101000: "dicom.patient-id",
    0x00101002: "dicom.patient-id", 0x00101001: "dicom.patient-name", 0x00880200: "dicom.icon", 0x0040A730: "dicom.content",
    0x00080100: "dicom.code", 0x00080102: "dicom.code", 0x00080103: "dicom.code", 0x00080104: "dicom.code",
    0x00282000: "icc.damaged", 0x002000AA: "dicom.identifier", 0x00201070: "dicom.identifier", 0x00203402: "dicom.identifier",
}  # fmt: skip
_GROUPS = {0x0400: "dicom.signature", 0x4FFE: "dicom.signature", 0xFFFA: "dicom.signature", 0x0010: "dicom.patient"}
_LETTERS = (("v", "dicom.device"), ("V", "dicom.device"), ("i", "dicom.institution"), ("f", "dicom.date"), ("u", "dicom.uid"),
            ("d", "dicom.text"))  # fmt: skip
_KINDS = {
    "PN": "dicom.person", "DA": "dicom.date", "TM": "dicom.date", "DT": "dicom.date", "UI": "dicom.uid", "AE": "dicom.device",
}  # fmt: skip


def code(tag: int, vr: str) -> str:
    """The code for an attribute that is taken out or made empty."""
    group = tag >> 16
    if tag in _SPECIAL:
        return _SPECIAL[tag]
    if group & 1:
        return "dicom.private"
    if group & 0xFF00 in (0x5000, 0x6000):
        return "dicom.curve" if group < 0x6000 else "dicom.overlay"
    if group in _GROUPS:
        return _GROUPS[group]
    row = TABLE.get(tag)
    if vr in _KINDS:
        return _KINDS[vr]
    if row is None:
        return "dicom.text" if vr in ("LO", "SH", "ST", "LT", "UT", "UC", "UR") else "dicom.unknown-element"
    return next((name for letter, name in _LETTERS if letter in row.letters), "dicom.identifier")
