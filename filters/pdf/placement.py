"""How large the pages show each picture (ISO 32000-2, 8.3, 8.8): evidence only, nothing where it cannot be told soundly.

Content streams are walked with their forms; clipping is not followed, so that sizes are never smaller than what is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import pikepdf

from filters.api import Budget, FilterError, TooBig
from filters.pdf import lexer, reader
from filters.pdf.reader import Document, Id, Object

FULL_PAGE, SMALL = "pdf.full-page", "pdf.small-on-page"
_SMALL: Final = 25 * (72 / 2.54) ** 2  # 25 square centimetres, in points
_FULL: Final = 0.8  # of the page
_SHARE: Final = 0.1  # of the page: what is small on a tiny page is large on a screen
_TILES: Final = 2  # times the small size that all pictures of a page together may have: a photograph can be cut into strips
_PAGES: Final = 5_000
_FORMS: Final = 12  # inside one another
_WORDS: Final = 200_000  # operators looked at in one document
_STATES: Final = 100  # q without Q

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]
_UNIT: Final[Matrix] = (1, 0, 0, 1, 0, 0)

# Strings, comments and inline data are stepped over; then the operators that place things.
_WORD = re.compile(
    rb"\(|%[^\r\n]*+|<[0-9A-Fa-f\s]*+>"
    rb"|(?<![^\0\t\n\f\r ()<>\[\]{}/%])(?:(?P<bi>BI)|(?P<state>[qQ])|(?P<do>Do)|(?P<cm>cm))(?=[\0\t\n\f\r ()<>\[\]{}/%]|$)"
)
_BEFORE_DO = re.compile(rb"/([^\0\t\n\f\r ()<>\[\]{}/%]++)[\0\t\n\f\r ]*+$")
_OPERANDS: Final = 200  # bytes before an operator in which its operands stand
_PARENTHESIS = re.compile(rb"[()\\]")
_EI = re.compile(rb"[\0\t\n\f\r >]EI(?=[\0\t\n\f\r ]|$)")


class _TooMuch(Exception):
    """More than is worth looking at: nothing is said of any picture."""


@dataclass(slots=True)
class _Seen:
    """Of one picture: whether it was ever shown larger than small, and whether it covered a page."""

    large: bool = False
    full: bool = False


@dataclass(slots=True)
class _Walk:
    document: Document
    budget: Budget
    seen: dict[Id, _Seen] = field(default_factory=dict)
    walked: set[Id] = field(default_factory=set)  # objects whose references are accounted for
    words: int = 0
    box: Box = (0, 0, 0, 0)
    unit: float = 1
    areas: dict[Id, float] = field(default_factory=dict)  # of this page, in points

    def page(self, page: Object, inherited: dict[str, Object]) -> None:
        """One page with its own or inherited size and resources."""
        box = _box(inherited.get("/CropBox")) or _box(inherited.get("/MediaBox"))
        if box is None:
            raise _TooMuch
        scale = reader.entry(page, "/UserUnit")
        self.box, self.unit = box, max(1.0, _float(scale)) if scale is not None else 1.0
        self.walked.add(page.objgen)
        self.areas = {}
        contents = reader.entry(page, "/Contents")
        parts = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
        self.run([one for one in parts if isinstance(one, pikepdf.Stream)], inherited.get("/Resources"), _UNIT, 0)
        if sum(self.areas.values()) > _TILES * _SMALL:
            for ident in self.areas:
                self.seen[ident].large = True

    def run(self, parts: Sequence[Object], resources: Object, matrix: Matrix, depth: int) -> None:
        """One content stream, maybe in parts: every Do under the matrix it stands under."""
        table = reader.entry(resources, "/XObject")
        for holder in (resources, table):
            if isinstance(holder, pikepdf.Dictionary) and holder.is_indirect:
                self.walked.add(holder.objgen)
        if not isinstance(table, pikepdf.Dictionary) or len(table) == 0:
            return
        content = b"\n".join(reader.content(one, self.budget) for one in parts)
        if b"Do" not in content:
            return
        states: list[Matrix] = []
        for word, operands in _words(content, self):
            if word == b"q":
                if len(states) >= _STATES:
                    raise _TooMuch
                states.append(matrix)
            elif word == b"Q":
                matrix = states.pop() if states else matrix
            elif word == b"cm":
                matrix = _times(_matrix(operands), matrix)
            else:
                self.shown(reader.entry(table, "/" + lexer.name_text(operands[0])), resources, matrix, depth)

    def shown(self, one: Object, resources: Object, matrix: Matrix, depth: int) -> None:
        """A picture or a form drawn under ``matrix``."""
        if not isinstance(one, pikepdf.Stream):
            return
        if reader.name(reader.entry(one, "/Subtype")) != "Form":
            self.measured(one.objgen, matrix)
            return
        if depth >= _FORMS:
            raise _TooMuch
        self.walked.add(one.objgen)
        own = reader.entry(one, "/Matrix")
        inner = _times(tuple_of(own), matrix) if isinstance(own, pikepdf.Array) and len(own) == 6 else matrix
        own_resources = reader.entry(one, "/Resources")
        self.run([one], resources if own_resources is None else own_resources, inner, depth + 1)

    def measured(self, ident: Id, matrix: Matrix) -> None:
        a, b, c, d, e, f = matrix
        area = abs(a * d - b * c)
        left, right = e + min(0, a, c, a + c), e + max(0, a, c, a + c)
        low, high = f + min(0, b, d, b + d), f + max(0, b, d, b + d)
        x0, y0, x1, y1 = self.box
        page = (x1 - x0) * (y1 - y0)
        covered = max(0.0, min(right, x1) - max(left, x0)) * max(0.0, min(high, y1) - max(low, y0))
        size = area * self.unit**2
        self.areas[ident] = max(size, self.areas.get(ident, 0.0))
        seen = self.seen.setdefault(ident, _Seen())
        seen.large = seen.large or size >= _SMALL or area >= _SHARE * page
        seen.full = seen.full or (covered >= _FULL * page and area >= _FULL * page)


def _words(content: bytes, walk: _Walk) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    """The operators q, Q, cm and Do with their operands."""
    at = 0
    while found := _WORD.search(content, at):
        at = found.end()
        walk.words += 1
        if walk.words > _WORDS:
            raise _TooMuch
        if found[0] == b"(":
            at = _string_end(content, at)
        elif found["bi"]:
            end = _EI.search(content, at)
            if end is None:
                raise _TooMuch
            at = end.end()
        elif found["state"]:
            yield found["state"], ()
        elif found["do"] or found["cm"]:
            before = content[max(0, found.start() - _OPERANDS) : found.start()]
            yield found[0], _named(before) if found["do"] else _numbers(before)


def _named(before: bytes) -> tuple[bytes, ...]:
    """The operand of Do."""
    found = _BEFORE_DO.search(before)
    if found is None:
        raise _TooMuch
    return found.groups()


def _numbers(before: bytes) -> tuple[bytes, ...]:
    """The six operands of cm; the oldest may be cut short only when the text begins with it."""
    words = before.split()
    if len(words) < 6 or (len(words) == 6 and len(before) == _OPERANDS):
        raise _TooMuch
    return tuple(words[-6:])


def _string_end(content: bytes, at: int) -> int:
    depth = 1
    while depth and (found := _PARENTHESIS.search(content, at)):
        at = found.end() + (found[0] == b"\\")
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
    return at if depth == 0 else len(content)


def _float(value: Object) -> float:
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        raise _TooMuch from None
    if not abs(number) < 1e9:
        raise _TooMuch
    return number


def _matrix(operands: tuple[bytes, ...]) -> Matrix:
    a, b, c, d, e, f = (_float(one) for one in operands)
    return a, b, c, d, e, f


def tuple_of(values: Object) -> Matrix:
    """Six numbers of an array."""
    a, b, c, d, e, f = (_float(one) for one in values)
    return a, b, c, d, e, f


def _times(one: Matrix, other: Matrix) -> Matrix:
    """ISO 32000-2, 8.3.4: ``one`` first, then ``other``."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _box(value: Object) -> Box | None:
    if not isinstance(value, pikepdf.Array) or len(value) != 4:
        return None
    x0, y0, x1, y1 = (_float(one) for one in value)
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return box if box[2] > box[0] and box[3] > box[1] else None


_INHERITED: Final = ("/Resources", "/MediaBox", "/CropBox")


def _pages(document: Document) -> Iterator[tuple[Object, dict[str, Object]]]:
    """Every leaf of the tree of pages with what it inherits (ISO 32000-2, 7.7.3); loops are not entered twice."""
    waiting: list[tuple[Object, dict[str, Object]]] = [(reader.entry(document.pdf.Root, "/Pages"), {})]
    seen: set[Id] = set()
    count = 0
    while waiting:
        node, above = waiting.pop()
        if not isinstance(node, pikepdf.Dictionary) or (node.is_indirect and node.objgen in seen):
            continue
        seen.add(node.objgen)
        own = {key: value for key in _INHERITED if (value := reader.entry(node, key)) is not None}
        kids = reader.entry(node, "/Kids")
        if isinstance(kids, pikepdf.Array):
            waiting += [(kid, above | own) for kid in kids]
            continue
        count += 1
        if count > _PAGES:
            raise _TooMuch
        yield node, above | own


def uses(document: Document, budget: Budget) -> dict[Id, frozenset[str]]:
    """What is known of the places of each picture.  Raises TooBig only."""
    walk = _Walk(document, budget)
    try:
        for page, inherited in _pages(document):
            walk.page(page, inherited)
    except TooBig:
        raise
    except (_TooMuch, FilterError):
        return {}
    small = {ident for ident, seen in walk.seen.items() if not seen.large}
    elsewhere = _referred_elsewhere(document, walk, small) if small else small
    found: dict[Id, frozenset[str]] = {}
    for ident, seen in walk.seen.items():
        codes = {FULL_PAGE} if seen.full else set[str]()
        if ident in small and ident not in elsewhere:
            codes.add(SMALL)
        found[ident] = frozenset(codes)
    return found


def _referred_elsewhere(document: Document, walk: _Walk, wanted: set[Id]) -> set[Id]:
    """Pictures that also hang on something that was not walked: a pattern, an annotation, a glyph, another picture."""
    found: set[Id] = set()
    for ident, text in document.texts.items():
        if ident not in walk.walked:
            found.update(one for one in reader.references(text) if one in wanted)
    return found
