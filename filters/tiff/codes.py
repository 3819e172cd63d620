"""The finding codes of TIFF, and which code a removed tag gets.  TIFF 6.0, its supplements, and the registered private tags."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "tiff.chain": "A pointer that leads to no further page.",
    "tiff.damaged-tag": "A tag that display does not need and whose value is damaged, repeated or of the wrong kind.",
    "tiff.directory": "A page without a picture.",
    "tiff.gap": "Bytes that no tag refers to.",
    "tiff.geo": "Where on earth the picture lies, or notes of a mapping program.",
    "tiff.iptc": "IPTC captions.",
    "tiff.jpeg-metadata": "Metadata inside the coded JPEG data of the picture.",
    "tiff.photoshop": "Photoshop resources, for example captions, layers and thumbnails.",
    "tiff.preview": "A preview coded as a JPEG file of its own.",
    "tiff.private-tag": "A private tag of a program or device.",
    "tiff.strip-length": "The length of a strip was missing or wrong; it was measured.",
    "tiff.strip-tail": "Bytes behind the coded samples of a strip or tile.",
    "tiff.strips-beyond": "Strips or tiles that no row of the picture needs.",
    "tiff.tag": "A tag that display does not need.",
    "tiff.thumbnail": "A smaller version of the picture, or a label photographed with it.",
    "tiff.unreadable": "The file cannot be read as TIFF.",
    "tiff.xmp": "An XMP packet.",
}

_TAGS: Mapping[int, str] = {
    0x010F: "exif.make", 0x0110: "exif.model", 0x0131: "exif.software", 0x013C: "exif.software", 0x0132: "exif.datetime",
    0x013B: "exif.owner", 0x9C9D: "exif.owner", 0xA430: "exif.owner", 0xA431: "exif.serial", 0xA435: "exif.serial",
    0xA420: "exif.serial", 0xC62F: "exif.serial", 0x9003: "exif.datetime", 0x9004: "exif.datetime", 0x927C: "exif.maker-note",
    0x8769: "exif.block", 0x8825: "exif.gps", 0xA005: "exif.block", 0x02BC: "tiff.xmp", 0x83BB: "tiff.iptc",
    0x8649: "tiff.photoshop", 0x935C: "tiff.photoshop", 0x0201: "tiff.preview", 0x0202: "tiff.preview",
    **dict.fromkeys((0x010D, 0x010E, 0x011D, 0x8298, 0x9286, 0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F, 0x014D, 0x0151), "exif.text"),
    **dict.fromkeys((0x830E, 0x8480, 0x8482, 0x85D8, 0x87AF, 0x87B0, 0x87B1, 0xA480, 0xA481), "tiff.geo"),
}  # fmt: skip
_PRIVATE = 0x8000  # TIFF 6.0 page 8: tags from here on belong to programs


def of_tag(tag: int) -> str:
    """The code of a tag that goes."""
    return _TAGS.get(tag, "tiff.private-tag" if tag >= _PRIVATE else "tiff.tag")
