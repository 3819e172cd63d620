"""Relationships and content types of OPC packages (ISO 29500-2 clauses 7 and 9): what belongs to what, and what it is."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from filters.api import Malformed
from filters.documents.markup import Edit, Markup, Tag, attributes, element_end, tags

MAX_RELATIONS: Final = 200_000  # of one package
TYPES_PART: Final = "[content_types].xml"


@dataclass(frozen=True, slots=True)
class Relation:
    """One relationship.  ``target`` is a part's name in lower case, or a URI as it stands when ``external``."""

    source: str = field(repr=False)  # part in lower case, "" for the package
    id: str = field(repr=False)
    kind: str  # last word of the type
    target: str = field(repr=False)
    external: bool
    rels: str = field(repr=False)  # the part in which it stands
    start: int
    end: int
    value: int = 0  # where the target stands
    close: int = 0


def source_of(rels: str) -> str | None:
    """The part whose relationships stand in the part ``rels``; None when it is no relationship part."""
    folder, _, name = rels.rpartition("/")
    if not name.endswith(".rels") or not (folder == "_rels" or folder.endswith("/_rels")):
        return None
    base = folder[:-5]
    return base + name[:-5]


def rels_of(part: str) -> str:
    """The part in which the relationships of ``part`` stand."""
    folder, slash, name = part.rpartition("/")
    return f"{folder}{slash}_rels/{name}.rels"


def resolve(source: str, target: str) -> str:
    """A target as a part's name, in lower case (ISO 29500-2 6.2.2.3, 6.4)."""
    path = unquote(target.partition("#")[0]).replace("\\", "/").lower()
    steps = [] if path.startswith("/") else source.split("/")[:-1]
    for step in path.split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps)


def relations(name: str, markup: Markup) -> Iterator[Relation]:
    """The relationships of the part ``name`` (lower case)."""
    source = source_of(name)
    if source is None:
        return
    for tag in tags(markup.shadow):
        if tag.closing or tag.name.rpartition(b":")[2] != b"Relationship":
            continue
        found = {one.name: one for one in attributes(markup.shadow, tag)}
        values = {key: _text(markup, one.value, one.close) for key, one in found.items()}
        target = values.get(b"Target", "")
        external = values.get(b"TargetMode", "").lower() == "external"
        place = found.get(b"Target")
        yield Relation(
            source=source, id=values.get(b"Id", ""), kind=values.get(b"Type", "").rpartition("/")[2].lower(),
            target=target if external else resolve(source, target), external=external, rels=name, start=tag.start,
            end=element_end(markup.shadow, tag)[1], value=place.value if place else 0, close=place.close if place else 0,
        )  # fmt: skip


def _text(markup: Markup, start: int, end: int) -> str:
    return html.unescape(markup.text[start:end].decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Types:
    """[Content_Types].xml.  Names and extensions are in lower case, types too."""

    defaults: Mapping[str, str]
    overrides: Mapping[str, str]
    places: Mapping[str, tuple[int, int]]  # of the overrides

    def of(self, name: str) -> str:
        """Content type of a part, "" when none is told."""
        return self.overrides.get(name) or self.defaults.get(name.rpartition(".")[2], "")

    def without(self, names: set[str]) -> list[Edit]:
        """The edits after which ``names`` are not spoken of."""
        return [Edit(*place, b"") for name, place in self.places.items() if name in names]


def types(markup: Markup) -> Types:
    """Raises Malformed when a part has two types."""
    defaults: dict[str, str] = {}
    overrides: dict[str, str] = {}
    places: dict[str, tuple[int, int]] = {}
    for tag in tags(markup.shadow):
        name = tag.name.rpartition(b":")[2]
        if tag.closing or name not in (b"Default", b"Override"):
            continue
        key, kind, place = _type(markup, tag)
        if name == b"Default":
            defaults.setdefault(key.lstrip("."), kind)
        else:
            part = resolve("", key)
            if overrides.setdefault(part, kind) != kind:
                raise Malformed("two types of one part")
            places[part] = place
    return Types(defaults, overrides, places)


def _type(markup: Markup, tag: Tag) -> tuple[str, str, tuple[int, int]]:
    values = {one.name: _text(markup, one.value, one.close) for one in attributes(markup.shadow, tag)}
    key = values.get(b"Extension", "") or values.get(b"PartName", "")
    return key.lower(), values.get(b"ContentType", "").lower(), (tag.start, element_end(markup.shadow, tag)[1])
