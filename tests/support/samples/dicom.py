"""DICOM files with a canary in every place that can hold text, written element by element (PS3.5 section 7)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence

from PIL import Image
from pydicom.datadict import DicomDictionary, dictionary_keyword

Place = Callable[[str], str]
Rows = dict[int, bytes]
LONG = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
TEXTS = ("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
IMPLICIT, EXPLICIT, DEFLATED, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
JPEG, JPEG_LS, JPEG_2000 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
RLE = "1.2.840.10008.1.2.5"
STORAGE = "1.2.840.10008.5.1.4.1.1."
_SKIPPED = frozenset((0x00041220, 0x00420011, 0x00287FE0, 0x00020010))  # directories and documents are refused as a whole


def element(tag: int, vr: str, value: bytes | str, syntax: str = EXPLICIT, *, undefined: bool = False) -> bytes:
    """One encoded element; texts are padded to even length."""
    body = value.encode("latin-1") if isinstance(value, str) else value
    body += (b"\0" if vr in ("UI", "OB", "UN") else b" ") * (len(body) & 1)
    order = ">" if syntax == BIG else "<"
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    size = 0xFFFFFFFF if undefined else len(body)
    if syntax == IMPLICIT:
        return head + struct.pack("<I", size) + body
    if vr in LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(order + "I", size) + body
    return head + vr.encode() + struct.pack(order + "H", size) + body


def items(bodies: Iterable[bytes], syntax: str = EXPLICIT) -> bytes:
    """The value of a sequence."""
    order = ">" if syntax == BIG else "<"
    return b"".join(struct.pack(order + "HHI", 0xFFFE, 0xE000, len(body)) + body for body in bodies)


def fragments(frames: Sequence[bytes], *, table: bool = True) -> bytes:
    """Encapsulated pixel data: offset table, one fragment a frame, delimiter (PS3.5 A.4)."""
    padded = [frame + b"\0" * (len(frame) & 1) for frame in frames]
    starts = [sum(len(frame) + 8 for frame in padded[:i]) for i in range(len(padded))]
    offsets = struct.pack(f"<{len(starts)}I", *starts) if table else b""
    return items([offsets, *padded]) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def pixels(transfer: str, place: Place) -> tuple[Rows, bytes]:
    """(elements of a 16 by 12 grey picture, its pixel element)."""
    grey = Image.linear_gradient("L").resize((16, 12))
    order = ">" if transfer == BIG else "<"
    shape = {0x00280002: 1, 0x00280010: 12, 0x00280011: 16, 0x00280100: 8, 0x00280101: 8, 0x00280102: 7, 0x00280103: 0}
    rows = {tag: element(tag, "US", struct.pack(order + "H", value), transfer) for tag, value in shape.items()}
    rows[0x00280004] = element(0x00280004, "CS", "MONOCHROME2", transfer)
    if transfer not in (JPEG, JPEG_2000):
        return rows, element(0x7FE00010, "OW", grey.tobytes(), transfer)
    out = io.BytesIO()
    if transfer == JPEG:
        grey.save(out, "JPEG", comment=place("jpeg comment").encode(), quality=90)
        frame = out.getvalue()
        frame = frame[:2] + b"\xff\xec" + struct.pack(">H", 2 + 64) + place("jpeg APP12").encode().ljust(64) + frame[2:]
    else:
        grey.save(out, "JPEG2000", no_jp2=True)
        frame = out.getvalue()
        at = frame.index(b"\xff\x52")  # COD: a comment may stand before it
        note = place("jpeg 2000 comment").encode()
        frame = frame[:at] + b"\xff\x64" + struct.pack(">HH", len(note) + 4, 1) + note + frame[at:]
    return rows, element(0x7FE00010, "OB", fragments([frame]), undefined=True)


def base(transfer: str, modality: str = "CT", storage: str = STORAGE + "2", **texts: str) -> Rows:
    """The elements of an ordinary object, without pixels; ``texts`` by keyword of the data dictionary."""
    told = {
        "SOPClassUID": storage, "SOPInstanceUID": "1.2.3.4.1", "StudyInstanceUID": "1.2.3.4.2", "SeriesInstanceUID": "1.2.3.4.3",
        "FrameOfReferenceUID": "1.2.3.4.4", "Modality": modality, "StudyDate": "20240305", "StudyTime": "101530",
        "PatientName": "", "PatientID": "", "PatientBirthDate": "19520601", "PatientSex": "F", "InstanceNumber": "7", **texts,
    }  # fmt: skip
    words = {row[4]: tag for tag, row in DicomDictionary.items()}
    return {words[word]: element(words[word], DicomDictionary[words[word]][0], value, transfer) for word, value in told.items()}


def canaries(transfer: str, place: Place) -> Rows:
    """Every text attribute of the data dictionary, and what has no place in it: private data, overlays, curves, signatures."""
    rows: Rows = {}
    for tag, (vr, *_) in DicomDictionary.items():
        if vr in TEXTS and tag >> 16 not in (0x0000, 0x0002) and tag not in _SKIPPED:
            rows[tag] = element(tag, vr, place(f"{dictionary_keyword(tag)} {tag:08X}"), transfer)
    nested = element(0x00100010, "PN", place("nested name"), transfer) + element(
        0x00110010, "LO", place("nested private"), transfer
    )
    deeper = element(0x00081140, "SQ", items([nested], transfer), transfer)
    code = element(0x00080100, "SH", place("code"), transfer) + element(0x00080102, "SH", "99LOCAL", transfer)
    code += element(0x00080104, "LO", place("code meaning"), transfer)
    known = element(0x00080100, "SH", "T-D3000", transfer) + element(0x00080102, "SH", "SRT", transfer)
    known += element(0x00080104, "LO", place("meaning of a known code"), transfer)
    for tag, body in (
        (0x00081140, [nested + deeper]),
        (0x00082218, [known, code]),
        (0x00880200, [nested]),
        (0xFFFAFFFA, [nested]),
    ):
        rows[tag] = element(tag, "SQ", items(body, transfer), transfer)
    rows[0x00090010] = element(0x00090010, "LO", place("private creator"), transfer)
    rows[0x00091001] = element(0x00091001, "UN", place("private value"), transfer)
    rows[0x50003000] = element(0x50003000, "OB", place("curve"), transfer)
    rows[0x60003000] = element(0x60003000, "OB", place("overlay"), transfer)
    rows[0x60004000] = element(0x60004000, "LT", place("overlay comment"), transfer)
    return rows


def part10(rows: Rows, last: bytes, transfer: str, place: Place | None = None, *, trailer: bytes = b"") -> bytes:
    """A whole file; with ``place`` its header holds canaries too."""
    meta = element(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", STORAGE + "2") + element(0x00020003, "UI", "1.2.3.4.1")
    meta += element(0x00020010, "UI", transfer) + element(0x00020012, "UI", "1.2.3.9")
    preamble = bytes(128)
    if place:
        meta += element(0x00020013, "SH", place("implementation")) + element(0x00020016, "AE", place("source AE"))
        meta += element(0x00020100, "UI", "1.2.3.8") + element(0x00020102, "OB", place("private information"))
        preamble = place("preamble").encode().ljust(128, b"\0")
        trailer = trailer or element(0xFFFCFFFC, "OB", place("trailing padding"), transfer) + place("tail").encode()
    body = b"".join(rows[tag] for tag in sorted(rows) if tag < 0x7FE00000) + last
    body += b"".join(rows[tag] for tag in sorted(rows) if tag > 0x7FE00000) + trailer
    if transfer == DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = packer.compress(body) + packer.flush()
    return preamble + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + body


def picture(transfer: str = EXPLICIT, place: Place = lambda _: "", **texts: str) -> bytes:
    """An ordinary CT picture without anything odd but what ``texts`` says."""
    rows, last = pixels(transfer, place)
    return part10(base(transfer, **texts) | rows, last, transfer)


def _full(transfer: str) -> Callable[[Place], bytes]:
    def build(place: Place) -> bytes:
        rows, last = pixels(transfer, place)
        return part10(canaries(transfer, place) | base(transfer, PatientName=place("name")) | rows, last, transfer, place)

    return build


def _bare(place: Place) -> bytes:
    """A data set without preamble and header."""
    rows, last = pixels(IMPLICIT, place)
    rows = canaries(IMPLICIT, place) | base(IMPLICIT) | rows
    return b"".join(rows[tag] for tag in sorted(rows) if tag < 0x7FE00000) + last


def _report(place: Place) -> bytes:
    """A structured report: a measurement in a container, and texts, names and dates that may not stay."""

    def code(tag: int, value: str, scheme: str) -> bytes:
        return element(
            tag,
            "SQ",
            items(
                [
                    element(0x00080100, "SH", value)
                    + element(0x00080102, "SH", scheme)
                    + element(0x00080104, "LO", place("wording"))
                ]
            ),
        )

    def content(kind: str, *parts: bytes) -> bytes:
        return element(0x0040A040, "CS", kind) + code(0x0040A043, "121206", "DCM") + b"".join(parts)

    length = element(0x0040A300, "SQ", items([code(0x004008EA, "mm", "UCUM") + element(0x0040A30A, "DS", "12.5")]))
    inner = [
        content("TEXT", element(0x0040A160, "UT", place("finding"))),
        content("PNAME", element(0x0040A123, "PN", place("observer"))),
        content("NUM", length),
    ]
    rows = base(EXPLICIT, "SR", STORAGE + "88.33") | {0x0040A730: element(0x0040A730, "SQ", items(inner))}
    return part10(rows, b"", EXPLICIT)


PICTURES: dict[str, Callable[[Place], bytes]] = {
    "dicom": _full(EXPLICIT),
    "dicom-implicit": _full(IMPLICIT),
    "dicom-big-endian": _full(BIG),
    "dicom-deflated": _full(DEFLATED),
    "dicom-jpeg": _full(JPEG),
    "dicom-jpeg-2000": _full(JPEG_2000),
    "dicom-bare": _bare,
    "dicom-report": _report,
}
CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {}
EXTENSIONS: dict[str, str] = dict.fromkeys(PICTURES, "dcm")
