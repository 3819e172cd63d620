"""Identical messages that bear no queue id: which one is a repeat, and which is another message?

A repeat comes from a client that did not get our answer, or was told to try later; it must meet what its first try left in
the ledger.  The same bytes from a client whose twin is still being served, or waits for its next command, are another
message and get a key of their own.  With an MTA in front none of this matters: it names its messages.
"""

from __future__ import annotations

from enum import Enum, auto

MOST_WAITING = 10_000  # messages that may come again, remembered at most; the oldest are forgotten first


class _Place(Enum):
    TAKEN = auto()  # a client is being served, or has its answer and has not gone on yet
    AGAIN = auto()  # the same, and it was told to try later
    WAITING = auto()  # nobody is there: the next one with these bytes is the repeat


class Twins:
    """Hands out keys: the digest itself, and ``digest~1``, ``digest~2`` ... while that one is taken."""

    def __init__(self) -> None:
        self._places: dict[str, dict[str, _Place]] = {}
        self._waiting: dict[str, None] = {}  # keys, oldest first

    def enter(self, digest: str) -> str:
        """The key of a message with these bytes."""
        places = self._places.setdefault(digest, {})
        key = next((one for one, place in places.items() if place is _Place.WAITING), None) or _free(digest, places)
        places[key] = _Place.TAKEN
        self._waiting.pop(key, None)
        return key

    def comes_again(self, key: str) -> None:
        """The answer to ``key`` is 4yz."""
        self._move(key, _Place.AGAIN)

    def went_on(self, key: str) -> None:
        """The client has read its answer: it comes again only when that was 4yz."""
        if self._places.get(_digest(key), {}).get(key) is _Place.AGAIN:
            self.left(key)
        else:
            self._forget(key)

    def left(self, key: str) -> None:
        """The client may not have read its answer and may come again."""
        if self._move(key, _Place.WAITING):
            self._waiting[key] = None
            if len(self._waiting) > MOST_WAITING:
                self._forget(next(iter(self._waiting)))

    def _move(self, key: str, place: _Place) -> bool:
        places = self._places.get(_digest(key), {})
        if key in places:
            places[key] = place
        return key in places

    def _forget(self, key: str) -> None:
        self._waiting.pop(key, None)
        places = self._places.get(_digest(key), {})
        places.pop(key, None)
        if not places:
            self._places.pop(_digest(key), None)


def _digest(key: str) -> str:
    return key.partition("~")[0]


def _free(digest: str, places: dict[str, _Place]) -> str:
    number = 0
    while (key := f"{digest}~{number}" if number else digest) in places:
        number += 1
    return key
