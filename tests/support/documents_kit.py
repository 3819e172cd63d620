"""Open, clean and put together an office document as the tree of files would, for the tests of documents."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from filters.api import STRICT, Blocked, Budget, Cleaning, Fate, Finding, Member, Opener, Seen
from filters.registry import OPENERS, SCRUBBERS
from filters.sniff import sniff


def opener(data: bytes) -> Opener:
    """The opener for what the bytes are."""
    return OPENERS[sniff(data).format]


def seen(data: bytes, cleaning: Cleaning = STRICT) -> list[Seen]:
    """Everything that stands in a document."""
    return list(opener(data).open(data, Budget(), cleaning))


def members(data: bytes, cleaning: Cleaning = STRICT) -> list[Member]:
    """The files in a document."""
    return [one for one in seen(data, cleaning) if isinstance(one, Member)]


def removed(data: bytes, cleaning: Cleaning = STRICT) -> set[str]:
    """Codes of what a rebuild would remove."""
    return {one.code for one in seen(data, cleaning) if isinstance(one, Finding) and one.fate is Fate.REMOVED}


def blocked(data: bytes) -> set[str]:
    """Codes of what could not be looked into."""
    return {one.code for one in seen(data) if isinstance(one, Blocked)}


def cleaned(data: bytes, cleaning: Cleaning = STRICT) -> bytes:
    """The document with its pictures scrubbed and itself cleaned."""
    changes: dict[str, bytes] = {}
    for member in members(data, cleaning):
        scrubber = SCRUBBERS.get(sniff(member.data).format)
        if scrubber is not None and (new := scrubber.scrub(member.data).data) is not member.data:
            changes[member.key] = new
    return opener(data).rebuild(data, changes, {}, Budget(), cleaning)


def parts(data: bytes) -> dict[str, bytes]:
    """Name -> content of the parts of a package."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def everything(data: bytes) -> bytes:
    """The bytes of a document and of all its parts."""
    return data + (b"".join(parts(data).values()) if data.startswith(b"PK") else b"")


def altered(data: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """A package with parts replaced or added; None takes one out."""
    content: dict[str, bytes | None] = {**parts(data), **changes}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, new in content.items():
            if new is not None:
                made.writestr(zipfile.ZipInfo(name), new, zipfile.ZIP_DEFLATED)
    return out.getvalue()
