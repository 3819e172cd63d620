"""What goes from a drawing: everything that draws nothing, reaches outside or runs.  What stays keeps its bytes.

An allow-list: elements, attributes and namespaces that ``filters.markup.svgnames`` does not know as drawing are cut out.
SVG 1.1 and 2, XML 1.0, Namespaces in XML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from filters.api import Budget, Malformed, TooBig
from filters.markup import css, svgnames, svgtext, xmltokens
from filters.markup.css import Cut
from filters.markup.svgentities import declared, expanded, resolved
from filters.markup.svgrefs import References
from filters.markup.xmltokens import Attribute, Kind, Token

_BLANK: Final = b" \t\r\n"
_PREFIXES: Final = 200  # namespaces declared in one file
_CSS_MARKS: Final = (b"url(", b"src(", b"\\", b"//", b"/*", b"inkscape-")
_KEPT_NAMESPACES: Final = frozenset((svgnames.SVG, svgnames.XLINK, b""))


@dataclass(slots=True)
class _Element:
    name: bytes  # as written
    local: bytes
    scope: Mapping[bytes, bytes]  # prefix -> namespace
    textual: bool  # letters in it are drawn


@dataclass(slots=True)
class Clean:
    """A drawing in which only drawing stands.  ``data`` is in an encoding in which ASCII stands for itself."""

    source: svgtext.Source = field(repr=False)
    data: bytes = field(repr=False)
    removed: Mapping[str, int]  # code -> where the first such thing stood
    gone: bytes = field(default=b"", repr=False)  # all that was cut out


def clean(data: bytes, budget: Budget) -> Clean:
    """The cleaned drawing; its ``data`` is the source's, the very same object, when nothing had to go.  Raises FilterError."""
    origin = svgtext.source(data)
    text, removed, gone = origin.data, dict[str, int](), list[bytes]()
    head = _doctype(text, origin.body, budget)
    if head is not None and head.inner[0] != head.inner[1]:
        entities = declared(text[slice(*head.inner)], text[head.end :])
        gone.append(text[head.start : head.end])
        text = text[: head.start] + expanded(text[head.end :], entities)
        removed["svg.document-type"] = head.start
    walk = _Walk(text, budget)
    walk.run(origin.body)
    for cut in walk.cuts:
        removed.setdefault(cut.code, cut.start)
        gone.append(text[cut.start : cut.end])
    return Clean(origin, spliced(text, walk.cuts), removed, b"\n".join(gone))


def _doctype(text: bytes, at: int, budget: Budget) -> Token | None:
    for token in xmltokens.tokens(text, at, budget):
        if token.kind in (Kind.START, Kind.END):
            return None
        if token.kind is Kind.DOCTYPE:
            return token
    return None


def spliced(data: bytes, cuts: list[Cut]) -> bytes:
    """``data`` without what is cut; the cuts are in order and do not overlap."""
    parts, at = [], 0
    for cut in cuts:
        parts += [data[at : cut.start], cut.instead]
        at = cut.end
    return b"".join((*parts, data[at:])) if cuts else data


class _Walk:
    """One walk through one drawing."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self.data, self.budget = data, budget
        self.cuts: list[Cut] = []
        self.stack: list[_Element] = []
        self.dropped: tuple[int, int, str] | None = None  # depth, start and code of the element that is going
        self.sheet: list[tuple[int, int]] = []  # spans of the style element's text
        self.references = References()
        self.rooted = False
        self.prefixes = 0

    def run(self, at: int) -> None:
        for token in xmltokens.tokens(self.data, at, self.budget):
            _HANDLERS[token.kind](self, token)
        if self.stack or not self.rooted:
            raise Malformed("truncated")
        self.cuts += self.references.unused()
        self.cuts.sort()

    def cut(self, start: int, end: int, code: str, instead: bytes = b"") -> None:
        if self.dropped is None:
            self.cuts.append(Cut(start, end, instead, code))

    # ---- tokens

    def comment(self, token: Token) -> None:
        self.cut(token.start, token.end, "svg.comment")

    def instruction(self, token: Token) -> None:
        if self.data[token.inner[0] : token.inner[0] + 3].lower() == b"xml" and self.data[token.inner[0] + 3] in _BLANK:
            raise Malformed("second XML declaration")
        self.cut(token.start, token.end, "svg.instruction")

    def doctype(self, token: Token) -> None:
        if self.rooted:
            raise Malformed("document type behind the root")
        words = self.data[token.start : token.end]
        if len(words.split()) > 2 and not _of_w3c(words):
            self.cut(token.start, token.end, "svg.document-type")

    def text(self, token: Token) -> None:
        span = self.data[token.start : token.end]
        if not self.stack:
            if span.strip(_BLANK + b"\xef\xbb\xbf"):
                raise Malformed("text outside the root")
        elif self.dropped is None:
            self._letters(token, span)

    def _letters(self, token: Token, span: bytes) -> None:
        top = self.stack[-1]
        if top.local == b"style":
            self.sheet.append(token.inner)
        elif token.kind is Kind.TEXT and not span.strip(_BLANK):
            return
        elif not top.textual:
            self.cut(token.start, token.end, "svg.stray-text")
        if token.kind is Kind.TEXT:
            resolved(span)

    def start(self, token: Token) -> None:
        if self.rooted and not self.stack:
            raise Malformed("second root")
        if len(self.stack) >= xmltokens.DEEPEST:
            raise TooBig("elements inside elements")
        found = xmltokens.attributes(self.data, token)
        element = self._element(token, found)
        if self.dropped is None:
            code = self._verdict(element, found)
            if code:
                self.dropped = (len(self.stack), token.start, code)
            else:
                for one in found:
                    self._attribute(element, one)
        self.rooted = True
        self.stack.append(element)
        if token.empty:
            self._leave(token.end)

    def end(self, token: Token) -> None:
        if not self.stack or self.stack[-1].name != token.name:
            raise Malformed("end tag of another element")
        self._leave(token.end)

    def _leave(self, end: int) -> None:
        element = self.stack.pop()
        if self.dropped is not None:
            depth, start, code = self.dropped
            if depth == len(self.stack):
                self.dropped = None
                self.cut(start, end, code)
        elif element.local == b"style" and self.sheet:
            self._style_sheet()

    # ---- elements

    def _element(self, token: Token, found: list[Attribute]) -> _Element:
        parent = self.stack[-1] if self.stack else _OUTSIDE
        scope = parent.scope
        for one in found:
            if one.name == b"xmlns" or one.name.startswith(b"xmlns:"):
                self.prefixes += 1
                if self.prefixes > _PREFIXES:
                    raise TooBig("namespaces")
                scope = {**scope, one.name[6:]: resolved(self.data[slice(*one.value)]).strip()}
        local = token.name.rpartition(b":")[2]
        return _Element(token.name, local, scope, parent.textual or local in svgnames.TEXTUAL)

    def _verdict(self, element: _Element, found: list[Attribute]) -> str | None:
        """The code why an element goes, None when it stays."""
        prefix = element.name.rpartition(b":")[0]
        space = element.scope.get(prefix, b"?" if prefix else b"")
        if not self.stack:
            if space not in (svgnames.SVG, b"") or element.local != b"svg":
                raise Malformed("root is no svg")
            return None
        if space not in (svgnames.SVG, b""):
            return svgnames.REMOVED.get(element.local, "svg.editor-data") if space == b"?" else "svg.editor-data"
        if element.local not in svgnames.ELEMENTS:
            return svgnames.REMOVED.get(element.local, "svg.editor-data")
        if self.stack[-1].local == b"style":
            return "svg.stray-text"
        return "svg.script" if element.local in svgnames.ANIMATIONS and self._animates_reference(found) else None

    def _animates_reference(self, found: list[Attribute]) -> bool:
        for one in found:
            if one.name == b"attributeName":
                target = resolved(self.data[slice(*one.value)]).strip()
                return target in svgnames.ANIMATABLE_REFERENCES or target.lower().startswith(b"on") or target.endswith(b":href")
        return False

    def _style_sheet(self) -> None:
        """The text of a style element, whose pieces (text, CDATA) are read as one."""
        spans, self.sheet = self.sheet, []
        sheet = b"".join(self.data[slice(*span)] for span in spans)
        found = list(css.cuts(sheet))
        self.references.sheet(spliced(sheet, found))
        for cut in found:
            for start, end, first in _pieces(spans, cut):
                self.cut(start, end, cut.code, cut.instead if first else b"")

    # ---- attributes

    def _attribute(self, element: _Element, one: Attribute) -> None:
        value = self.data[slice(*one.value)]
        code = self._unwanted(element, one.name, value)
        if code:
            self.cut(one.start, one.end, code)
            return
        if one.name in (b"id", b"xml:id"):
            self.references.identifier(resolved(value), one)
        elif one.name == b"class":
            self.references.classes(resolved(value), one)
        else:
            self.references.value(one.name, self._inside(one, value))

    def _unwanted(self, element: _Element, name: bytes, value: bytes) -> str | None:
        """The code why an attribute goes, None when it stays."""
        prefix, _, local = name.rpartition(b":")
        if name == b"xmlns" or prefix == b"xmlns":
            return None if resolved(value).strip() in _KEPT_NAMESPACES else "svg.editor-data"
        if prefix == b"xml":
            return None if local in svgnames.XML_ATTRIBUTES else "svg.external-reference"
        if prefix:
            linked = element.scope.get(prefix) == svgnames.XLINK
            return _link(local, resolved(value)) if linked else "svg.editor-data"
        if name[:2].lower() == b"on":
            return "svg.script"
        if name == b"href":
            return _link(local, resolved(value))
        if not self.stack and name in svgnames.IDLE_ON_ROOT:
            idle = svgnames.IDLE_ON_ROOT[name]
            return "svg.attribute" if idle is None or value.strip() in idle else None
        if name in svgnames.ATTRIBUTES:
            return None
        return "svg.description" if name.startswith(svgnames.DESCRIPTIVE) else "svg.attribute"

    def _inside(self, one: Attribute, value: bytes) -> bytes:
        """The value that stays, without references to other files and comments in it."""
        resolved(value)
        low = value.lower()
        if one.name.endswith(b"href") or one.name.startswith(b"xmlns") or not any(mark in low for mark in _CSS_MARKS):
            return value
        found = list(css.cuts(value))
        for cut in found:
            instead = b"none" if cut.instead in (b"''", b'""') else cut.instead  # no quote inside quotes
            self.cut(one.value[0] + cut.start, one.value[0] + cut.end, cut.code, instead)
        return spliced(value, found)


def _link(local: bytes, value: bytes) -> str | None:
    if local not in svgnames.LINK_ATTRIBUTES:
        return "svg.description"
    if local != b"href":
        return None if value in svgnames.LINK_ATTRIBUTES[local] else "svg.attribute"
    target = value.strip()
    if css.internal(target):
        return None
    return "svg.script" if b"script:" in target.lower() else "svg.external-reference"


def _of_w3c(doctype: bytes) -> bool:
    quoted = doctype.replace(b"'", b'"').split(b'"')[1::2]
    return all(word.startswith(svgnames.PUBLIC + svgnames.SYSTEM) for word in quoted) and b"svg" in doctype.split()[1]


def _pieces(spans: list[tuple[int, int]], cut: Cut) -> Iterator[tuple[int, int, bool]]:
    """The parts of the file (start, end, is it the first) which a cut in the joined text covers."""
    at, first = 0, True
    for start, end in spans:
        low, high = max(cut.start, at), min(cut.end, at + end - start)
        if low < high:
            yield start + low - at, start + high - at, first
            first = False
        at += end - start


_OUTSIDE: Final = _Element(b"", b"", {b"xml": svgnames.XML}, False)
_HANDLERS: Final = {
    Kind.START: _Walk.start,
    Kind.END: _Walk.end,
    Kind.TEXT: _Walk.text,
    Kind.CDATA: _Walk.text,
    Kind.COMMENT: _Walk.comment,
    Kind.INSTRUCTION: _Walk.instruction,
    Kind.DOCTYPE: _Walk.doctype,
}
