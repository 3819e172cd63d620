"""Open archives by themselves and build tars, for the tests of archives."""

from __future__ import annotations

import io
import tarfile

from filters.api import Budget, Fate, Finding, Member, Opener
from filters.archives.gzips import GZIP
from filters.archives.streams import BZIP2, XZ
from filters.archives.tars import TAR
from filters.archives.ziparchive import ZIP
from tests.support.canary_images import photo_jpeg

PHOTO = photo_jpeg(1, (48, 32))
TEXT = b"Dear colleague, " * 40
OPENERS: dict[str, Opener] = {"zip": ZIP, "tar": TAR, "gzip": GZIP, "bzip2": BZIP2, "xz": XZ}


def members(opener: Opener, data: bytes) -> dict[str, Member]:
    """Key -> file in an archive."""
    return {one.key: one for one in opener.open(data, Budget()) if isinstance(one, Member)}


def codes(opener: Opener, data: bytes) -> set[str]:
    """Codes of what a rebuild would remove."""
    return {one.code for one in opener.open(data, Budget()) if isinstance(one, Finding) and one.fate is Fate.REMOVED}


def tarred(*infos: tarfile.TarInfo, format: int = tarfile.USTAR_FORMAT, content: bytes = b"") -> bytes:
    """Files of ``content`` with these headers."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for info in infos:
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def info(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    """The header of one file in a tar."""
    made = tarfile.TarInfo(name)
    made.type = kind
    for key, value in more.items():
        setattr(made, key, value)
    return made
