"""ZIP, tar, gzip, bzip2 and xz files, and what macOS puts into them."""

from __future__ import annotations

from filters.api import Budget, Fate, FilterError, Finding, Member, Opener
from filters.archives.appledouble import APPLE_DOUBLE
from filters.archives.gzips import GZIP
from filters.archives.streams import BZIP2, XZ
from filters.archives.tars import TAR
from filters.archives.ziparchive import ZIP
from tests.support.samples import archives
from tests.support.zipforge import Piece, deflate, field, forge

_OPENERS: tuple[tuple[bytes, int, Opener], ...] = (
    (b"\x1f\x8b", 0, GZIP), (b"BZh", 0, BZIP2), (b"\xfd7zXZ\0", 0, XZ), (b"ustar", 257, TAR), (b"\0\5\x16\7", 0, APPLE_DOUBLE),
    (b"", 0, ZIP),
)  # fmt: skip
_TINY = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(64))


def seeds() -> list[bytes]:
    """One small sample of each variant, and a few with the rarer fields."""
    made = [build(_TINY, "jpg", lambda what: "c" * 9) for build in archives.CONTAINERS.values()]
    wide = Piece(b"w", _TINY, 0, size=0xFFFFFFFF, stored=0xFFFFFFFF, extra=field(1, b"\x4b" + bytes(7) + b"\x4b" + bytes(7)))
    later = Piece(b"d", _TINY, flags=8, local_crc=0, local_size=0, local_stored=0, descriptor=b"PK\7\x08" + deflate(_TINY)[:12])
    return [*made, forge([wide]), forge([later, Piece(flags=1)], prefix=b"MZ", shift=2), archives.apple_double(b"c", (b"STR ",))]


def one(data: bytes) -> None:
    """Openers raise only FilterError; a rebuild gives back the same files, has nothing left to remove, and is stable."""
    opener = next(opener for magic, at, opener in _OPENERS if data.startswith(magic, at))
    try:
        seen = list(opener.open(data, Budget()))
        again = opener.rebuild(data, {}, {}, Budget())
    except FilterError:
        return
    told = list(opener.open(again, Budget()))
    assert not [one for one in told if isinstance(one, Finding) and one.fate is Fate.REMOVED]
    assert _files(told) == _files(seen)
    assert opener.rebuild(again, {}, {}, Budget()) == again


def _files(seen: list[object]) -> list[tuple[bytes, object]]:
    """What the files hold; bytes beside them are not there any more."""
    return [(one.data, one.opaque) for one in seen if isinstance(one, Member) and not one.key.startswith("bytes@")]
