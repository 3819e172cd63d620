"""Whole files as the gateway meets them: sniffed, opened however deep, cleaned, looked at again."""

from __future__ import annotations

from functools import cache

from filters.api import Budget, FilterError
from filters.budget import Limits
from filters.registry import OPENERS
from filters.tree import Node, Tools, changes, clean, examine
from gateway.opening import attached
from tests.support.canary_images import photo_jpeg
from tests.support.samples_all import CONTAINERS, EXTENSIONS, PICTURES

_LIMITS = Limits(members=200, total=32 << 20, pixels=20_000_000)
_TOOLS = Tools(openers={**OPENERS, **attached.OPENERS}, thorough=True)


def _word(what: str) -> str:
    return "c-" + what.replace(" ", "-")


@cache
def seeds() -> tuple[bytes, ...]:
    """Every small picture, a photograph in every container, and some of these in others."""
    jpeg = photo_jpeg(1, (16, 12), gps=False)
    wrapped = {name: make(jpeg, "jpg", _word) for name, make in CONTAINERS.items()}
    deeper = [
        CONTAINERS[outer](wrapped[inner], EXTENSIONS[inner], _word)
        for outer, inner in (("zip-stored", "docx"), ("eml", "tnef"), ("tar-pax", "svg-image"), ("docx", "pdf"), ("html", "html"))
    ]
    return (*(make(_word) for make in PICTURES.values()), *wrapped.values(), *deeper)


def one(data: bytes) -> None:
    """examine raises nothing and clean only FilterError; what was cleaned has nothing left to clean and stays the same."""
    node = examine(data, _TOOLS, Budget(_LIMITS))
    if any(part.opaque is not None or part.fixed for part in node.walk()):
        return
    try:
        made = clean(data, node, _TOOLS, Budget(_LIMITS)).data
    except FilterError:
        return
    again = examine(made, _TOOLS, Budget(_LIMITS))
    assert _left(again) == []
    assert clean(made, again, _TOOLS, Budget(_LIMITS)).data is made


def _left(node: Node) -> list[str]:
    """Where a second cleaning would find work; a picture by itself is not asked."""
    if not node.children:
        return []
    return [one.where for one in node.walk() if changes(one, thorough=True)]
