"""Pages, drawings, cards, invitations, HL7 messages."""

from __future__ import annotations

from filters.api import Budget, Fate, FilterError, Finding, Member
from filters.registry import OPENERS
from tests.support.samples import markup

NAMES = ("html", "xml", "svg", "vcard", "calendar", "hl7-image")
_TINY = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(64))


def seeds() -> list[bytes]:
    """One small sample of each variant."""

    def place(what: str) -> str:
        return "c-" + what.replace(" ", "-")

    return [make(_TINY, "jpg", place) for make in markup.CONTAINERS.values()] + [markup.svg(place)]


def one(data: bytes) -> None:
    """Openers raise only FilterError; a rebuild gives back its members, has nothing left to remove, and is stable.

    Every reader gets every input, whatever it looks like.
    """
    for name in NAMES:
        opener = OPENERS[name]
        try:
            members = [seen for seen in opener.open(data, Budget()) if isinstance(seen, Member)]
        except FilterError:
            continue
        out = opener.rebuild(data, {member.key: member.data for member in members}, {}, Budget())
        again = list(opener.open(out, Budget()))
        assert [seen.data for seen in again if isinstance(seen, Member)] == [member.data for member in members]
        assert not [seen for seen in again if isinstance(seen, Finding) and seen.fate is Fate.REMOVED]
        assert opener.rebuild(out, {}, {}, Budget()) is out
