"""Rich text files."""

from __future__ import annotations

from filters.api import Budget, Fate, FilterError, Finding, Member
from filters.richtext.opener import RTF
from tests.support.samples import richtext

_TINY = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(64))


def seeds() -> list[bytes]:
    """One small sample of each variant, and one with an embedded object."""
    made = [make(_TINY, "jpg", lambda what: "c-" + what) for make in richtext.CONTAINERS.values()]
    return [*made, richtext.document(richtext.object_(_TINY), richtext.picture(_TINY, b"wmetafile8"))]


def one(data: bytes) -> None:
    """Only FilterError is raised; a rebuild has no other members than before, nothing left to remove, and comes to rest."""
    try:
        members = [seen.data for seen in RTF.open(data, Budget()) if isinstance(seen, Member)]
        made = RTF.rebuild(data, {}, {}, Budget())
    except FilterError:
        return
    again = list(RTF.open(made, Budget()))
    assert all(seen.data in members for seen in again if isinstance(seen, Member))  # one in a group that goes, goes with it
    assert not [seen for seen in again if isinstance(seen, Finding) and seen.fate is Fate.REMOVED]
    assert RTF.rebuild(made, {}, {}, Budget()) == made
