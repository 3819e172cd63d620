"""Earlier states of an encrypted document: each is read again as the file that it was, because only its own table decrypts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from filters.api import Blocked, Budget, FilterError, Member, Seen, TooBig
from filters.errors import OpaqueReason
from filters.pdf import leftovers, pictures, reader
from filters.pdf.rawscan import RawObject
from filters.pdf.reader import Document

_MOST: Final = 8
_UNREADABLE: Final = "pdf.earlier-unreadable"


def seen(document: Document, hidden: Sequence[RawObject], known: set[bytes], budget: Budget) -> Iterator[Seen]:
    """Members of all earlier states, then whether all of ``hidden`` stood in one of them.  Raises TooBig."""
    ends = leftovers.ends(document)[:-1]
    if len(ends) > _MOST:
        yield Blocked(_UNREADABLE, OpaqueReason.LIMIT)
        return
    covered: set[int] = set()
    for number, end in enumerate(ends):
        try:
            with reader.guarded():
                old = reader.load(document.data[:end], budget)
                covered |= old.offsets()
                yield from _members(old, f"revision {number}", known, budget)
        except TooBig:
            raise
        except FilterError:
            continue  # what stood in it is not covered
    if any(one.start not in covered for one in hidden):
        yield Blocked(_UNREADABLE, OpaqueReason.ENCRYPTED)


def _members(old: Document, key: str, known: set[bytes], budget: Budget) -> Iterator[Seen]:
    drawn = set(pictures.masks(old))
    for picture in pictures.collect(old, budget):
        drawn.update(picture.owners)
        if _new(picture.raw, known):
            budget.member()
            yield pictures.member(replace(picture, key=f"{key} {picture.key}"), frozenset(), budget)
    for ident in old.streams:
        stream = old.objects[ident]
        if ident in drawn or not _new(bytes(stream.read_raw_bytes()), known):
            continue
        content = reader.content(stream, budget)
        place = f"{key} obj {ident[0]} {ident[1]}"
        if reader.name(reader.entry(stream, "/Type")) == "EmbeddedFile":
            budget.member()
            yield Member(place, content)
        else:
            yield from leftovers.inside(content, place, budget)


def _new(raw: bytes, known: set[bytes]) -> bool:
    digest = sha256(raw).digest()
    if digest in known:
        return False
    known.add(digest)
    return True
