"""Camera RAW built on TIFF: recognised by the tags no ordinary TIFF has, named by its maker.  It stays as it is: opaque."""

from __future__ import annotations

from filters.api import FilterError
from filters.tiff import directory, tags
from filters.tiff.directory import Directory, Layout, Purse
from filters.tiff.picture import Reader

_DNG_VERSION = 50706
_MAKE, _CANON, _PHASE_ONE = 271, b"CR", (b"IIII", b"MMMM")
_RAW_PHOTOMETRIC = frozenset((32803, 34892))  # colour filter array, linear raw
_RAW_COMPRESSION = frozenset((32767, 34713, 65000, 65535))  # Sony, Nikon, Kodak, Pentax
_MAX_LOOKED = 64  # directories

# beginning of Make in upper case -> name of the format
_MAKERS: tuple[tuple[str, str], ...] = (
    ("NIKON", "nef"), ("SONY", "arw"), ("PENTAX", "pef"), ("RICOH", "pef"), ("SAMSUNG", "srw"), ("CANON", "cr2"),
    ("EPSON", "erf"), ("SEIKO EPSON", "erf"), ("KODAK", "kdc"), ("EASTMAN KODAK", "dcr"), ("MAMIYA", "mef"), ("LEAF", "mos"),
    ("PHASE ONE", "iiq"), ("HASSELBLAD", "3fr"), ("LEICA", "rwl"), ("OLYMPUS", "orf"), ("PANASONIC", "rw2"),
    ("FUJIFILM", "raf"), ("MINOLTA", "mrw"),
)  # fmt: skip
_OTHER = "tiff-raw"


def raw_kind(data: bytes) -> str | None:
    """The name of the RAW format of a file with a TIFF header ("dng", "nef", "arw" ...), None for an ordinary TIFF.  Total."""
    try:
        form = directory.layout(data)
        purse = Purse(directories=2 * _MAX_LOOKED)
        one = directory.read(data, directory.first(data, form), form, purse)
        if one is None:
            return None
        if data[8:12] in _PHASE_ONE:
            return "iiq"
        if data[8:10] == _CANON:
            return "cr2"
        value = Reader(data, form, one)
        if value.has(_DNG_VERSION):
            return "dng"
        return _maker(data, one) if _undeveloped(data, form, one, purse) else None
    except FilterError:
        return None


def _undeveloped(data: bytes, form: Layout, one: Directory, purse: Purse) -> bool:
    """A directory of the first ones, or of their children, holds what the sensor saw, or is a camera's preview of it."""
    todo, seen = [one.start], set[int]()
    while todo and len(seen) < _MAX_LOOKED:
        at = todo.pop(0)
        found = directory.read(data, at, form, purse) if at not in seen else None
        seen.add(at)
        if found is None:
            continue
        value = Reader(data, form, found)
        if value.one(tags.PHOTOMETRIC, 0) in _RAW_PHOTOMETRIC or value.one(tags.COMPRESSION, 0) in _RAW_COMPRESSION:
            return True
        todo += [found.next, *value.all(tags.SUB_IFDS)]
    return False


def _maker(data: bytes, one: Directory) -> str:
    make = one.fields.get(_MAKE)
    text = data[make.start : make.end][:40].decode("latin-1").upper() if make is not None and make.sound else ""
    return next((name for start, name in _MAKERS if text.startswith(start)), _OTHER)
