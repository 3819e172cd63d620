"""Facts of a DICOM object, read before anything is stripped: shape, modality, side, date, patient numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from filters.api import ImageInfo, Nature
from filters.dicom import dates, frames
from filters.dicom.element import Element, find, text
from filters.dicom.file import File

_STORAGE = "1.2.840.10008.5.1.4.1.1."
# Pictures that need consent like any photograph, whatever modality the file names (GMC recordings 13): photographic, video
# photographic, dermoscopic, ophthalmic.
_PHOTOGRAPHIC = tuple(_STORAGE + tail for tail in ("77.1.4", "77.1.7", "77.1.5.1", "77.1.5.2"))
# GMC recordings 10: X-rays, ultrasound, endoscopy, microscopy, pathology, internal organs; and what is derived from these.
_RADIOLOGY = frozenset(
    """CR DX CT MR US MG XA RF NM PT ES GM SM IO PX BI BMD OCT OPT OPTBSV OPTENF IVOCT IVUS EPS HD ECG LP LS RG TG DF DS CF
    MA MS CD DD DR ST VF OAM OPM SEG REG RTIMAGE RTDOSE RTSTRUCT RTPLAN RTRECORD RTSEGANN SR PR KO RWV FID SRF LEN KER IOL AR PLAN
    """.split()  # noqa: SIM905 - a table of words
)
# Screens and printouts on which names are usually written into the picture itself.
_BURNED_CLASSES = (_STORAGE + "7", _STORAGE + "6.1", _STORAGE + "3.1", _STORAGE + "77.1.1")
_BURNED_MODALITIES = frozenset(("US", "XA", "RF", "ES", "OT", "SC", "DF", "IVUS", "BMD", "GM"))
_SIDES = {"L": "L", "R": "R", "B": "B", "U": ""}


def image(seen: File, codes: frozenset[str]) -> ImageInfo:
    """The facts; ``codes`` are those of the findings.  Raises FilterError."""
    elements = seen.elements
    shape = frames.shape(elements, seen.transfer.syntax.big)
    modality = text(elements, 0x00080060)[:16]
    return ImageInfo(
        width=shape.columns if shape else 0, height=shape.rows if shape else 0, bits=shape.stored if shape else 0,
        frames=shape.frames if shape else 1, codes=codes | unclean_pixels(elements) | {"dicom.object"},
        make=_told(elements, 0x00080070),
        model=_told(elements, 0x00081090), serial=_told(elements, 0x00181000), taken=_taken(elements),
        nature=nature(modality, text(elements, 0x00080016), video=seen.transfer.video), modality=modality,
        laterality=_side(elements), identifiers=tuple(dict.fromkeys(_numbers(elements))),
    )  # fmt: skip


def nature(modality: str, storage_class: str, *, video: bool = False) -> Nature:
    """What sort of picture: photographs by class, radiology by modality; a photograph when nothing says otherwise."""
    if any(storage_class == one or storage_class.startswith(one + ".") for one in _PHOTOGRAPHIC):
        return Nature.VIDEO if video else Nature.PHOTO
    if modality in _RADIOLOGY:
        return Nature.RADIOLOGY
    return Nature.VIDEO if video else Nature.PHOTO


def unclean_pixels(elements: Sequence[Element]) -> frozenset[str]:
    """What is known about names in the pixels and about faces.  "NO" is believed only where the file itself says it."""
    if not any(element.tag >> 16 == 0x7FE0 for element in elements):
        return frozenset()
    told = text(elements, 0x00280301).upper()
    codes = {"dicom.recognisable"} if text(elements, 0x00280302).upper() == "YES" else set()
    if told == "YES" or (told != "NO" and _usually_burned(elements)):
        codes.add("dicom.burned-in")
    elif told != "NO":
        codes.add("dicom.burned-in-unknown")
    return frozenset(codes)


def _usually_burned(elements: Sequence[Element]) -> bool:
    storage_class = text(elements, 0x00080016)
    if any(storage_class == one or storage_class.startswith(one + ".") for one in _BURNED_CLASSES):
        return True
    return text(elements, 0x00080060) in _BURNED_MODALITIES or find(elements, 0x00080064) is not None


def _told(elements: Sequence[Element], tag: int) -> str:
    """A text that is not our dummy."""
    return told if (told := text(elements, tag)) != "REMOVED" else ""


def _side(elements: Sequence[Element]) -> str:
    for tag in (0x00200062, 0x00200060):
        told = text(elements, tag)
        if told in _SIDES:
            return _SIDES[told]
    return ""


def _taken(elements: Sequence[Element]) -> str:
    """Date and time of acquisition, else of content, series or study, as EXIF writes it."""
    both = text(elements, 0x0008002A)
    pairs = [(both[:8], both[8:])] + [(text(elements, 0x00080022 + i), text(elements, 0x00080032 + i)) for i in (0, 1, -1, -2)]
    for day, time in pairs:
        digits = day.replace(".", "")
        if len(digits) == 8 and digits.isascii() and digits.isdecimal() and digits != dates.DUMMIES["DA"]:
            clock = time.replace(":", "")[:6].ljust(6, "0")
            return f"{digits[:4]}:{digits[4:6]}:{digits[6:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}" if clock.isdecimal() else ""
    return ""


def _numbers(elements: Sequence[Element]) -> Iterator[str]:
    """Patient ID, other patient IDs, and those in the sequence of others; never who issued them, which many patients share."""
    for tag in (0x00100020, 0x00101000):
        yield from (one.strip() for one in text(elements, tag).split("\\") if one.strip())
    others = find(elements, 0x00101002)
    for item in others.items or [] if others is not None else []:
        if told := text(item.elements, 0x00100020):
            yield told
