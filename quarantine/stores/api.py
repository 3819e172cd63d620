"""What a store of sealed objects promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from quarantine.model import ObjectKind

Data = bytes | bytearray | memoryview


class Place(StrEnum):
    """Where an object stands.  Only the gateway writes ``incoming``; only the quarantine service the others."""

    INCOMING = "incoming"
    HELD = "held"
    DAMAGED = "damaged"  # what could not be read: kept for a person, never deleted by us


class StoreError(Exception):
    """The store did not do what it was asked; nothing was promised.  Never holds content."""


class Missing(StoreError):
    """No such object at that place."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored object."""

    id: str
    kind: ObjectKind | None  # None: the name is not one of ours
    size: int
    at: float  # when it was written, POSIX time
    name: str  # as stored, for what is set aside


class Store(Protocol):
    """Objects by id, in places.  Every change is durable when the call returns; every write is whole or not there."""

    def put(self, object_id: str, kind: ObjectKind, data: Data, place: Place = Place.INCOMING, *, replace: bool = False) -> None:
        """Write an object.  One that is there already is only made durable, unless it is to be replaced."""

    def sync(self, object_id: str, kind: ObjectKind, place: Place = Place.INCOMING) -> bool:
        """True if the object is there and, now, surely durable; False if it is not there."""

    def open(self, object_id: str, kind: ObjectKind, place: Place = Place.HELD) -> bytes:
        """Its bytes.  Raises ``Missing``."""

    def head(self, object_id: str, kind: ObjectKind, size: int, place: Place = Place.HELD) -> bytes:
        """Its first ``size`` bytes.  Raises ``Missing``."""

    def list(self, place: Place) -> Iterator[Entry]:
        """Everything at a place, oldest first; unfinished writes are not there."""

    def move(self, object_id: str, kind: ObjectKind, source: Place, target: Place) -> None:
        """Compare-and-set of the place: raises ``Missing`` if it is not at ``source`` any more."""

    def set_aside(self, entry: Entry, source: Place) -> None:
        """Move something unreadable to ``damaged``, under whatever name it has."""

    def delete(self, object_id: str, kind: ObjectKind, place: Place = Place.HELD, erase: int = 0) -> None:
        """Remove an object after overwriting its first ``erase`` bytes (its wrapped key).  Not there: nothing to do."""
