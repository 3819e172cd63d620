"""What goes from XML, as tables: which element, which attribute, and what stands there afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from filters.api import Budget
from filters.documents.markup import Attribute, Edit, Markup, Spaces, Tag, attributes, element_end, prefixes, tag_at

Value = Callable[[bytes], bytes | None]  # the value as it stands -> as it shall stand; None: the attribute goes


_AUTHORS: Final = 100  # of the notes of one sheet
_REMEMBERED: Final = 10_000  # different tags of one document


def gone(_old: bytes) -> bytes | None:
    """The attribute goes."""
    return None


def constant(value: bytes) -> Value:
    """Whatever stood there, ``value`` stands there afterwards."""
    return lambda _old: value


@dataclass(frozen=True, slots=True)
class Element:
    """Elements that go with all they hold (``text`` None), or hold ``text`` afterwards, or what ``value`` makes of their text.

    ``having``: only with an attribute of this local name whose value begins so.  ``when``: only if it says so of the text.
    """

    code: str
    space: str
    names: tuple[str, ...]
    text: bytes | None = None
    having: tuple[bytes, bytes] | None = None
    when: Callable[[bytes], bool] | None = None
    value: Callable[[bytes], bytes] | None = None


@dataclass(frozen=True, slots=True)
class On:
    """Attributes: of any element when ``names`` is empty (they then have the prefix of ``space``), else of these elements.

    ``attribute_space`` is the vocabulary of an attribute with a prefix on a named element.
    """

    code: str
    space: str
    attributes: tuple[str, ...]
    value: Value = gone
    names: tuple[str, ...] = ()
    attribute_space: str = ""


@dataclass(frozen=True, slots=True)
class Add:
    """Elements that get an attribute of their own vocabulary with this value, whether or not they had it."""

    code: str
    space: str
    names: tuple[str, ...]
    attribute: str
    value: bytes


Rule = Element | On | Add


@dataclass(slots=True)
class _Lookup:
    """The rules under the names that they have in one document."""

    elements: dict[bytes, list[Element | Add]] = field(default_factory=dict)
    anywhere: dict[bytes, On] = field(default_factory=dict)
    on: dict[bytes, dict[bytes, On]] = field(default_factory=dict)

    def pattern(self) -> re.Pattern[bytes] | None:
        names = {*self.elements, *self.on}
        if len(names) == 1 and not self.anywhere:  # found at the speed of memory: cells of a spreadsheet are many
            return re.compile(rb"<" + re.escape(min(names)) + rb"(?=[\s/>])")
        parts = []
        if names:
            parts.append(rb"<(?:" + b"|".join(map(re.escape, sorted(names))) + rb")(?=[\s/>])")
        if self.anywhere:
            parts.append(rb"\s(?:" + b"|".join(map(re.escape, sorted(self.anywhere))) + rb")(?=[\s=])")
        return re.compile(b"|".join(parts)) if parts else None


def edits(markup: Markup, rules: Sequence[Rule], spaces: Spaces, budget: Budget) -> list[tuple[str, Edit]]:
    """(code, edit) for everything the rules change in the document.  Raises Malformed."""
    lookup = _lookup(markup, rules, spaces)
    pattern = lookup.pattern()
    if pattern is None:
        return []
    out: list[tuple[str, Edit]] = []
    known: dict[bytes, list[tuple[str, Edit]]] = {}
    for tag in hits(markup.shadow, pattern, budget):
        for rule in lookup.elements.get(tag.name, ()):
            if isinstance(rule, Add):
                out += _added(markup, tag, rule)
            elif rule.having is None or _has(markup, tag, rule.having):
                out += _element(markup, tag, rule)
                break
        out += _repeated(markup, tag, lookup, known)
    return out


def _repeated(markup: Markup, tag: Tag, lookup: _Lookup, known: dict[bytes, list[tuple[str, Edit]]]) -> list[tuple[str, Edit]]:
    """The edits of a tag's attributes; the same few tags stand in a long document over and over."""
    key = markup.text[tag.start : tag.end]
    found = known.get(key)
    if found is None:
        found = [(code, _moved(edit, -tag.start)) for code, edit in _attributes(markup, tag, lookup)]
        if len(known) < _REMEMBERED:
            known[key] = found
    return [(code, _moved(edit, tag.start)) for code, edit in found]


def _moved(edit: Edit, by: int) -> Edit:
    return Edit(edit.start + by, edit.end + by, edit.new)


def hits(shadow: bytes, pattern: re.Pattern[bytes], budget: Budget) -> Iterator[Tag]:
    """Every tag in which ``pattern`` fits, once.  Linear: no byte is gone back over twice."""
    floor = 0
    for found in pattern.finditer(shadow):
        if found.start() < floor:
            continue
        start = shadow.rfind(b"<", floor, found.start() + 1)
        floor = found.start() + 1
        if start >= 0 and not shadow.startswith(b"</", start):
            tag = tag_at(shadow, start)
            if tag.end > found.start():
                floor = tag.end
                budget.tick()
                yield tag


def _lookup(markup: Markup, rules: Iterable[Rule], spaces: Spaces) -> _Lookup:
    bound = prefixes(markup, spaces)
    out = _Lookup()
    for rule in rules:
        for prefix in bound.get(rule.space, ()):
            if isinstance(rule, Element | Add):
                for name in rule.names:
                    out.elements.setdefault(prefix + name.encode(), []).append(rule)
            elif rule.names:
                others = bound.get(rule.attribute_space, frozenset()) if rule.attribute_space else (b"",)
                for name in rule.names:
                    row = out.on.setdefault(prefix + name.encode(), {})
                    row.update({other + one.encode(): rule for other in others for one in rule.attributes})
            elif prefix:
                out.anywhere.update({prefix + one.encode(): rule for one in rule.attributes})
    return out


def _has(markup: Markup, tag: Tag, wanted: tuple[bytes, bytes]) -> bool:
    name, value = wanted
    found = (one for one in attributes(markup.shadow, tag) if one.name.rpartition(b":")[2] == name)
    return any(markup.text.startswith(value, one.value, one.close) for one in found)


def _element(markup: Markup, tag: Tag, rule: Element) -> Iterator[tuple[str, Edit]]:
    close, end = element_end(markup.shadow, tag)
    if rule.when is not None and not rule.when(markup.text[tag.end : close]):
        return
    if rule.value is not None:
        old = markup.text[tag.end : close]
        if (new := rule.value(old)) != old:
            yield rule.code, Edit(tag.end, close, new)
    elif rule.text is None:
        yield rule.code, Edit(tag.start, end, b"")
    elif not tag.empty and markup.text[tag.end : close] not in (rule.text, b""):
        yield rule.code, Edit(tag.end, close, rule.text)


def _added(markup: Markup, tag: Tag, rule: Add) -> Iterator[tuple[str, Edit]]:
    prefix, colon, _ = tag.name.rpartition(b":")
    name = prefix + colon + rule.attribute.encode()
    for one in attributes(markup.shadow, tag):
        if one.name == name:
            if markup.text[one.value : one.close] != rule.value:
                yield rule.code, Edit(one.value, one.close, rule.value)
            return
    at = tag.start + 1 + len(tag.name)
    yield rule.code, Edit(at, at, b" " + name + b'="' + rule.value + b'"')


def _attributes(markup: Markup, tag: Tag, lookup: _Lookup) -> Iterator[tuple[str, Edit]]:
    own = lookup.on.get(tag.name, {})
    for one in attributes(markup.shadow, tag):
        rule = own.get(one.name) or lookup.anywhere.get(one.name)
        if rule is not None and (edit := _edit(markup.text, one, rule)) is not None:
            yield rule.code, edit


def _edit(text: bytes, one: Attribute, rule: On) -> Edit | None:
    old = text[one.value : one.close]
    new = rule.value(old)
    if new is None:
        return Edit(one.start, one.end, b"")
    return None if new == old else Edit(one.value, one.close, new)


def spoken(markup: Markup, made: Sequence[Edit], budget: Budget) -> Iterator[Edit]:
    """Excel begins every note with the name of its author: where ``made`` replaces a name, it is replaced there too."""
    for one in islice(made, _AUTHORS):
        name = markup.text[one.start : one.end]
        at = markup.text.find(b">" + name + b":", one.end) if name.strip() and one.new else -1
        while at >= 0:
            budget.tick()
            yield Edit(at + 1, at + 1 + len(name), one.new)
            at = markup.text.find(b">" + name + b":", at + 1)
