"""Neutral, traceable attachment names: no patient, no date, a reference the sending organisation can resolve (S4-10, S4-11)."""

from __future__ import annotations

from gateway.ids import reference

EXTENSIONS = {
    "jpeg": "jpg", "tiff": "tif", "bigtiff": "tif", "dicom": "dcm", "heif": "heic", "gzip": "gz", "bzip2": "bz2",
    "calendar": "ics", "vcard": "vcf", "j2k": "j2c", "tnef": "eml", "office-xml": "xml", "text": "txt",
}  # fmt: skip


def neutral_name(message: str, number: int, count: int, file_format: str, picture: bool = True, member: int = 0) -> str:
    """``img-7QK3-9F2M-1of3.jpg``, ``file-…`` for what holds pictures, ``…-1of3-2.jpg`` for the second in it.

    ``message`` is the keyed hash (hex) of the message.
    """
    place = f"{number}of{count}" + (f"-{member}" if member else "")
    return f"{'img' if picture else 'file'}-{reference(message)}-{place}.{EXTENSIONS.get(file_format, file_format) or 'bin'}"
