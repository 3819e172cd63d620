"""Fuzz harness of office documents."""

from __future__ import annotations

from filters.api import Budget, Fate, FilterError, Finding, Member
from filters.budget import Limits
from filters.registry import OPENERS, SCRUBBERS
from filters.sniff import sniff
from tests.support.canary_images import photo_png
from tests.support.samples.documents import CONTAINERS

_KINDS = ("docx", "odt", "office-xml")
_LIMITS = Limits(members=500, total=32 << 20)


def seeds() -> list[bytes]:
    """One small document of each kind."""
    return [make(photo_png(1, (8, 6)), "png", lambda what: what.replace(" ", "-")) for make in CONTAINERS.values()]


def one(data: bytes) -> None:
    """Opening and rebuilding raise only FilterError; what was rebuilt opens, and holds nothing that a rebuild would remove."""
    name = sniff(data).format
    for kind in (name,) if name in OPENERS else _KINDS:
        if kind in _KINDS or kind in CONTAINERS or kind in ("vsdx", "ooxml"):
            _cleaned(kind, data)


def _cleaned(kind: str, data: bytes) -> None:
    opener = OPENERS[kind]
    try:
        changes = {}
        for seen in opener.open(data, Budget(_LIMITS)):
            if isinstance(seen, Member) and sniff(seen.data).format in SCRUBBERS:
                changes[seen.key] = seen.data + b"\0"
        out = opener.rebuild(data, changes, {}, Budget(_LIMITS))
    except FilterError:
        return
    for again in opener.open(out, Budget()):
        assert not (isinstance(again, Finding) and again.fate is Fate.REMOVED), again.code
