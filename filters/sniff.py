"""What a leaf is, by its bytes and never by its label.

Order: signatures (``filters.sniffing.signatures``), formats without a plain signature (``_PROBES``), text.  A refinement may
look deeper (``_REFINE``).  Nothing recognised is ``unknown-type``, unless a picture's own signature stands somewhere inside.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

from filters.api import OpaqueReason, Sniffed
from filters.bmff import silence
from filters.sniffing import der, media, openpgp, raster, sealed, wording
from filters.sniffing.inside import carries
from filters.sniffing.office import zip_kind
from filters.sniffing.signatures import BRANDS, SIGNATURES, Role
from filters.tiff.raw import raw_kind

_POLYGLOT, _EMBEDDED = "sniff.polyglot", "sniff.embedded-image"
_HEAD = 1024  # bytes in which PDF readers look for the header


_SURE = frozenset(("jpeg", "png"))  # whatever follows: no text begins so


def sniff(data: bytes) -> Sniffed:
    """What the bytes are.  Total: never raises."""
    if not data:
        return Sniffed("empty", harmless=True)
    found = _by_signature(data) or _by_probe(data) or _by_text(data) or _unknown(data)
    codes = set(found.codes)
    if _polyglot(found.format, data):
        codes.add(_POLYGLOT)
    if found.harmless and found.format not in wording.PLAIN and carries(data):
        codes.add(_EMBEDDED)  # begins like something harmless and goes on as a picture
    if codes == found.codes:
        return found
    return _opaque(found.format, codes=frozenset(codes))  # harmless or sealed for one program, open for another


def _opaque(name: str, reason: OpaqueReason = OpaqueReason.NOT_SUPPORTED, codes: frozenset[str] = frozenset()) -> Sniffed:
    return Sniffed(name, opaque=reason, codes=codes)


def _harmless(name: str) -> Sniffed:
    return Sniffed(name, harmless=True)


def _container(name: str, data: bytes, kind: str) -> Sniffed:
    return _opaque(name, OpaqueReason.ENCRYPTED if sealed.encrypted(kind, data) else OpaqueReason.NOT_SUPPORTED)


# ---- signatures and what looks deeper


def _by_signature(data: bytes) -> Sniffed | None:
    if data.startswith(b"ftyp", 4) and data[0] < 1:
        return _film(_brand(data), data)
    if data.startswith(b"DICM", 128) and not data.startswith(b"\xff\xd8\xff"):
        return _opaque("dicom")
    for row in SIGNATURES:
        if not row.fits(data):
            continue
        if row.format in _REFINE:
            refined = _REFINE[row.format](data)
            if refined is None:
                continue
            return refined
        if row.format not in _SURE and row.format not in wording.TEXTUAL and wording.is_text(data):
            continue  # a text that happens to begin with these letters
        return _harmless(row.format) if row.role is Role.HARMLESS else _opaque(row.format)
    return None


def _brand(data: bytes) -> str:
    brand = data[8:12]
    return next((name for brands, name in BRANDS if brand.startswith(brands)), "mp4")


def _ole(data: bytes) -> Sniffed:
    streams = (("__substg1.0_", "msg"), ("EncryptedPackage", "ooxml"), ("WordDocument", "doc"), ("Workbook", "xls"),
               ("PowerPoint Document", "ppt"), ("Book", "xls"), ("VisioDocument", "vsd"))  # fmt: skip
    name = next((name for stream, name in streams if sealed.has_ole_stream(data, stream)), "ole")
    return _container(name, data, "ole")


def _movie(data: bytes) -> Sniffed | None:
    """An old QuickTime file: an atom of sensible size, not a text with the word "free" in it."""
    return _film("mov", data) if data[0] == 0 and not wording.is_text(data) else None


def _film(name: str, data: bytes) -> Sniffed:
    """A film or picture, or nothing but sound in the same sort of box."""
    return _harmless(name) if silence.silent(data) else _opaque(name)


def _zipped(data: bytes) -> Sniffed:
    return _container(zip_kind(data), data, "zip")


def _sound_file(name: str) -> Callable[[bytes], Sniffed]:
    return lambda data: _harmless(name) if media.silent(name, data) else _opaque(name)


_REFINE: Mapping[str, Callable[[bytes], Sniffed | None]] = {
    "7z": lambda data: _container("7z", data, "7z"),
    "rar": lambda data: _container("rar", data, "rar"),
    "ole": _ole,
    "mov": _movie,
    "tiff": lambda data: _opaque(raw_kind(data) or "tiff"),
    "bigtiff": lambda data: _opaque(raw_kind(data) or "bigtiff"),
    "matroska": lambda data: _opaque("webm" if b"webm" in data[:64] else "matroska"),
    **{name: _sound_file(name) for name in media.FORMATS},
}


# ---- formats without a plain signature


def _pdf(data: bytes) -> Sniffed | None:
    at = data.find(b"%PDF-", 0, _HEAD)
    if at < 0 or (at > 0 and b" obj" not in data):  # a text that speaks of PDF
        return None
    return _container("pdf", data, "pdf")


def _zip(data: bytes) -> Sniffed | None:
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08") or data[:8] == b"PK00PK\x03\x04":
        return _zipped(data)
    return None


def _font(data: bytes) -> Sniffed | None:
    return _harmless("ttf") if raster.truetype(data) else None


def _dicom(data: bytes) -> Sniffed | None:
    return _opaque("dicom") if raster.headerless_dicom(data) else None


def _raster(data: bytes) -> Sniffed | None:
    name = raster.kind(data)
    return _opaque(name) if name else None


def _sound(data: bytes) -> Sniffed | None:
    name = media.framed(data)
    return None if name is None else _harmless(name)


def _pgp(data: bytes) -> Sniffed | None:
    word = openpgp.armour(data) or openpgp.kind(data)
    if word is None:
        return None
    if word == openpgp.MESSAGE:
        return _opaque(word, OpaqueReason.ENCRYPTED)
    return _opaque(word) if word == openpgp.PHOTO_KEY else _harmless(word)


def _cms(data: bytes) -> Sniffed | None:
    word = der.kind(data) or wording.pem_kind(data)
    if word in (der.ENVELOPED, der.KEYS):
        return _opaque(word, OpaqueReason.ENCRYPTED)
    if word == der.ENCLOSING:
        return _opaque(word)
    return _harmless(word) if word else None


def _deflated(data: bytes) -> Sniffed | None:
    """A bare zlib stream (RFC 1950): its check bits fit and it inflates."""
    if len(data) < 16 or data[0] & 0x8F != 8 or int.from_bytes(data[:2], "big") % 31 or data[1] & 0x20:
        return None
    try:
        made = zlib.decompressobj().decompress(data[: 1 << 16], 1 << 12)
    except zlib.error:
        return None
    return _opaque("zlib") if len(made) >= 16 else None


def _trailing_archive(data: bytes) -> Sniffed | None:
    """Something unknown in front of an archive: programs open it all the same."""
    return (
        _container("zip", data, "zip")
        if sealed.end_of_zip(data) is not None and any(True for _ in sealed.members(data))
        else None
    )


_PROBES: tuple[Callable[[bytes], Sniffed | None], ...] = (
    _zip,
    _pdf,
    _cms,
    _pgp,
    _font,
    _dicom,
    _raster,
    _sound,
    _deflated,
    _trailing_archive,
)


def _by_probe(data: bytes) -> Sniffed | None:
    return next((found for probe in _PROBES if (found := probe(data)) is not None), None)


def _by_text(data: bytes) -> Sniffed | None:
    name = wording.kind(data)
    if name is None:
        return None
    return _opaque(name) if name in wording.CARRIERS else _harmless(name)


def _unknown(data: bytes) -> Sniffed:
    if carries(data):
        return _opaque("", codes=frozenset((_EMBEDDED,)))
    return _opaque("", OpaqueReason.UNKNOWN)


# ---- a second nature

# What is a ZIP archive by itself, or has been looked at as one.
_ZIPS = frozenset(("zip", "docx", "xlsx", "pptx", "vsdx", "odt", "ods", "odp", "odg", "epub", "xps", "jar", "ooxml"))


# Their members are looked at one by one, and so is what stands between and behind them.
_ACCOUNTED = frozenset((
    "tnef", "emf", "rtf", "ole", "doc", "xls", "ppt", "msg", "vsd", "tar", "gzip", "bzip2", "xz", "7z", "rar", "cab", "iso",
    "cpio", "ar", "lha", "xar",
))  # fmt: skip


def _polyglot(name: str, data: bytes) -> bool:
    """Another program would find another format where it looks: ZIP from the end, PDF near the front, DICOM at 128."""
    if name in _ACCOUNTED:
        return False
    if name not in _ZIPS:
        end = sealed.end_of_zip(data)
        if end is not None and end + 22 + int.from_bytes(data[end + 20 : end + 22], "little") <= len(data):
            return True
    if name not in ("pdf", "text", "postscript", "zip", "emf") and b"%PDF-" in data[:_HEAD]:
        return not (name in ("html", "xml", "json", "csv") and not data.startswith(b"%PDF-"))
    if data.startswith(b"DICM", 128):
        return name != "dicom" or data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\xff\xd8\xff", b"\x89PNG", b"MZ"))
    return False
