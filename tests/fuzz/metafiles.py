"""Windows metafiles."""

from __future__ import annotations

from filters.api import Budget, Fate, FilterError, Finding, Member
from filters.metafiles.emf import EMF, drawing
from filters.metafiles.wmf import WMF
from filters.metafiles.wmf import drawing as wmf_drawing
from tests.support.canary_images import photo_png
from tests.support.samples import metafiles


def seeds() -> list[bytes]:
    """Each kind with a bitmap, and one with files in it."""
    made = [make(lambda what: "c-" + what) for make in metafiles.PICTURES.values()]
    small = photo_png(1, (8, 6))
    return [*made, *(make(small, "png", lambda what: "c-" + what) for make in metafiles.CONTAINERS.values())]


def one(data: bytes) -> None:
    """Only FilterError is raised; a rebuilt drawing has the same members, nothing left to remove, and comes to rest."""
    for opener, told in ((EMF, drawing), (WMF, wmf_drawing)):
        try:
            members = [seen.data for seen in opener.open(data, Budget()) if isinstance(seen, Member)]
            made = opener.rebuild(data, {}, {}, Budget())
            told(data)
        except FilterError:
            continue
        again = list(opener.open(made, Budget()))
        assert [seen.data for seen in again if isinstance(seen, Member)] == members
        assert not [seen for seen in again if isinstance(seen, Finding) and seen.fate is Fate.REMOVED]
        assert opener.rebuild(made, {}, {}, Budget()) == made
