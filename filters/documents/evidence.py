"""What the layout says of a picture: cut off on the page, or only in letterheads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from filters.api import Budget
from filters.documents.markup import Markup, Tag, attributes, tags
from filters.documents.rules import hits

FURNITURE: Final = re.compile(
    r"(?:^|/)(?:header|footer|slidemaster|slidelayout|notesmaster|handoutmaster|theme|vmldrawinghf|background|styles|glossary)[^/]*$"
    r"|/(?:slidemasters|slidelayouts|notesmasters|handoutmasters|theme|glossary|masters)/"
)  # parts that dress pages up
_CROP: Final = re.compile(rb"<(?:[^\s/>=\"'<:]++:)?(?:blip|srcRect|blipFill|imagedata)(?=[\s/>])")
_SIDES: Final = frozenset((b"l", b"t", b"r", b"b"))
_VML_SIDES: Final = frozenset((b"cropleft", b"croptop", b"cropright", b"cropbottom"))
_NONE: Final = re.compile(rb"-?0*(?:\.0*)?[a-z%]*|")


def cropped_ids(markup: Markup, budget: Budget) -> Iterator[str]:
    """Ids of the relationships to pictures of which this part shows only a piece (a:srcRect, 20.1.8.55; VML's crop)."""
    if b"srcRect" not in markup.shadow and b"crop" not in markup.shadow:
        return
    last = ""
    for tag in hits(markup.shadow, _CROP, budget):
        values = {one.name: markup.text[one.value : one.close] for one in attributes(markup.shadow, tag)}
        local = tag.name.rpartition(b":")[2]
        if local in (b"blip", b"imagedata"):
            last = next((value.decode("latin-1") for key, value in values.items() if key.endswith((b":embed", b":id"))), "")
        sides = _VML_SIDES if local == b"imagedata" else _SIDES
        if local in (b"srcRect", b"imagedata") and last and any(_cuts(values[key]) for key in sides & values.keys()):
            yield last


def _cuts(value: bytes) -> bool:
    return not value.startswith(b"-") and _NONE.fullmatch(value) is None


_CLIP: Final = re.compile(rb"rect\(([^)]*)\)")


def clipped_hrefs(markup: Markup, inherited: frozenset[str]) -> tuple[frozenset[str], set[str]]:
    """(names of styles that clip, hrefs of the pictures in frames of such a style) of one ODF part (fo:clip, 20.180)."""
    if b"clip" not in markup.shadow and not inherited:
        return inherited, set()
    clipping, found = set(inherited), set[str]()
    style, frame = "", False
    for tag in tags(markup.shadow):
        if tag.closing:
            continue
        local = tag.name.rpartition(b":")[2]
        if local == b"style":
            style = _value(markup, tag, b"name")
        elif local == b"graphic-properties":
            clip = _CLIP.search(_value(markup, tag, b"clip").encode("latin-1", "replace"))
            if clip and any(_cuts(side.strip()) for side in re.split(rb"[,\s]+", clip[1]) if side != b"auto"):
                clipping.add(style)
        elif local == b"frame":
            frame = not clipping.isdisjoint(_values(markup, tag, b"style-name"))
        elif local == b"image" and frame:
            found.add(_value(markup, tag, b"href"))
    return frozenset(clipping), found


def _values(markup: Markup, tag: Tag, local: bytes) -> list[str]:
    """Of the attributes of this local name."""
    return [
        markup.text[one.value : one.close].decode("utf-8", "replace")
        for one in attributes(markup.shadow, tag)
        if one.name.rpartition(b":")[2] == local
    ]


def _value(markup: Markup, tag: Tag, local: bytes) -> str:
    return next(iter(_values(markup, tag, local)), "")
