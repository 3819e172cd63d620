"""Archives that are only read, through libarchive (by libarchive-c): 7z, RAR, CAB, ISO 9660, cpio, ar, LHA, and some streams.

Nothing is written to disk, and no other format is tried than the one the file was recognised as.  C code decodes here: the
gateway runs it in its sandbox.  Without the shared library everything is Unsupported.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from filters.api import (
    STRICT,
    Blocked,
    Budget,
    Cleaning,
    Encrypted,
    FilterError,
    Malformed,
    Member,
    OpaqueReason,
    Seen,
    Unsupported,
)
from filters.archives import rarblocks
from filters.archives.streams import Meter
from filters.sniffing.signatures import EMBEDDED

_PIECE = 1 << 16
_NOTHING = 64  # bytes of an archive that may well hold no file
_UNABLE = ("support", "navailable", "codec", "Unsupported filter")  # of messages that say: not this kind
_SEALED = ("ncrypt", "assphrase", "assword")


@contextmanager
def _errors() -> Iterator[None]:
    """What libarchive raises, in our words.  Its texts can hold file names and go no further."""
    error: FilterError | None = None
    try:
        yield
    except FilterError:
        raise
    except load().ArchiveError as problem:
        error = _reason(str(problem.msg))
    except (ValueError, OSError, AttributeError):
        error = Unsupported("libarchive without this format")
    if error is not None:
        raise error


def _reason(message: str) -> FilterError:
    if any(word in message for word in _SEALED):
        return Encrypted("archive")
    if any(word in message for word in _UNABLE):
        return Unsupported("kind of archive")
    return Malformed("archive")


def load() -> Any:  # libarchive-c has no types
    """The library.  Raises Unsupported when it is not there.

    Once before a process gives up its rights: to find the shared library the first time, ``ldconfig`` is started.
    """
    try:
        library = importlib.import_module("libarchive")
    except (ImportError, OSError, AttributeError, TypeError):
        raise Unsupported("libarchive is not installed") from None
    library.ffi.logger.disabled = True  # its warnings tell file names
    return library


@dataclass(frozen=True, slots=True)
class Foreign:
    """The opener for one format.  ``format`` and ``filter`` are libarchive's words; a filter alone has one member."""

    name: str
    format: str = "raw"
    filter: str = "none"
    check: Callable[[bytes], None] = field(default=lambda data: None, repr=False)
    views: tuple[bytes, ...] = (b"",)  # options: the same archive as different programs see it
    native: bool = True
    rebuilds: bool = False

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Every file.  Raises FilterError."""
        self.check(data)
        shown: set[bytes] = set()
        count = 0
        words = {word: data.count(word, 1) for word in EMBEDDED}  # an archive's own signature stands at 0
        for view in self.views:
            first = view == self.views[0]
            for member in self._members(data, view, budget, count):
                count += 1
                digest = sha256(member.data).digest()
                if not first and digest in shown:
                    continue  # the same file seen another way
                shown.add(digest)
                for word in words:
                    words[word] -= member.data.count(word)
                yield member
        if (not count and len(data) > _NOTHING) or max(words.values()) > 0:
            yield Blocked("archive.hidden")  # deleted files, other sessions, whatever follows the end

    def _members(self, data: bytes, view: bytes, budget: Budget, count: int) -> Iterator[Member]:
        meter, start = Meter(budget, len(data)), count
        try:
            with _errors(), self._reader(data, view) as archive:
                for entry in archive:
                    budget.tick()
                    if not entry.isfile and self.format != "raw":
                        continue
                    budget.member()
                    yield _member(entry, f"member@{count}", meter)
                    count += 1
        except Encrypted:
            if count > start:  # open files may stand behind the sealed ones
                raise Unsupported("archive with sealed and open files") from None
            raise

    @contextmanager
    def _reader(self, data: bytes, view: bytes) -> Iterator[Any]:
        library = load()
        ffi = library.ffi
        name = "rar5" if self.format == "rar" and data.startswith(b"Rar!\x1a\x07\x01") else self.format
        with library.read.new_archive_read(name, self.filter) as pointer:
            if view:
                ffi.ffi("read_set_options", [ffi.c_archive_p, ffi.c_char_p], ffi.c_int, ffi.check_int)(pointer, view)
            ffi.read_open_memory(pointer, library.read.cast(data, ffi.c_void_p), len(data))
            if self.filter != "none" and ffi.filter_count(pointer) < 2:
                raise Malformed("compressed stream")  # not taken for one: it would be shown as it is
            yield library.read.ArchiveRead(pointer)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """Nothing in it can change.  Raises Unsupported when something should."""
        if changes or names:
            raise Unsupported("archive that is only read")
        return data


def _member(entry: Any, key: str, meter: Meter) -> Member:
    name = entry.pathname or ""
    shown = name if isinstance(name, str) else name.decode("latin-1")
    if _is_sealed(entry):
        return Member(key, b"", shown, opaque=OpaqueReason.ENCRYPTED)
    pieces: list[bytes] = []
    for piece in entry.get_blocks(_PIECE):
        meter.pay(len(piece))
        pieces.append(piece)
    return Member(key, b"".join(pieces), shown)


def _is_sealed(entry: Any) -> bool:
    ffi = load().ffi
    return bool(ffi.ffi("entry_is_encrypted", [ffi.c_archive_entry_p], ffi.c_int)(entry._entry_p))


def _cabinet(data: bytes) -> None:
    """One cabinet alone ([MS-CAB] 2.1: flags of the header)."""
    if data[:4] != b"MSCF":
        raise Unsupported("InstallShield cabinet")
    if len(data) < 36 or data[30] & 3:
        raise Unsupported("cabinet of several")


def _disc(data: bytes) -> None:
    """No second file system on the disc that other programs would show: UDF (ECMA-167 3/9.1), Apple's HFS."""
    if any(data[sector * 2048 + 1 : sector * 2048 + 6] in (b"NSR02", b"NSR03") for sector in range(16, 64)):
        raise Unsupported("disc with UDF")
    if data[:2] == b"ER" or data[512:514] == b"PM" or data[1024:1026] in (b"BD", b"H+", b"HX"):
        raise Unsupported("disc with HFS")


SEVEN_ZIP = Foreign("7z", "7zip")
RAR = Foreign("rar", "rar", check=rarblocks.check)
CAB = Foreign("cab", "cab", check=_cabinet)
ISO = Foreign("iso", "iso9660", check=_disc, views=(b"", b"!joliet", b"!joliet,!rockridge"))
CPIO = Foreign("cpio", "cpio")
AR = Foreign("ar", "ar")
LHA = Foreign("lha", "lha")
XAR = Foreign("xar", "xar")
COMPRESS = Foreign("compress", filter="compress")
LZIP = Foreign("lzip", filter="lzip")
LZ4 = Foreign("lz4", filter="lz4")
ZSTD = Foreign("zstd", filter="zstd")
