"""SVG: a drawing is copied as it stands without what draws nothing; the pictures embedded in it are members."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from filters.api import STRICT, Blocked, Budget, Cleaning, Fate, Finding, ImageInfo, Malformed, Nature, Seen
from filters.markup import svgtext, xmltokens
from filters.markup.html import findings, masked, members, replaced, uri_places
from filters.markup.svgclean import clean
from filters.markup.svgentities import declared, expanded, resolved
from filters.markup.xmltokens import Kind
from filters.text import embedded

# A drawing may be decoration and stay as it is: then what would go stays too, and must hide no photograph.
_PICTURES: Final = frozenset(("text.base64-image", "text.data-uri-image", "text.hex-image", "text.uuencode", "text.raw-image"))
_SHEET: Final = re.compile(rb"(?i)data:(?:text/[a-z0-9.+-]{1,60})?(?:;[^,;\"'<>\s]{0,80}){0,4};base64,[a-z0-9+/\s]{400}")


class Svg:
    """The opener for drawings."""

    name = "svg"
    native = False
    rebuilds = True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """What goes, the pictures in the drawing, and Blocked for what hides in what stays."""
        cleaned = clean(data, budget)
        for code, start in cleaned.removed.items():
            yield Finding(code, f"markup@{start}", Fate.REMOVED)
        places = list(uri_places(cleaned.data))
        yield from members(places, budget)
        yield from findings(masked(cleaned.data, [place.hidden for place in places]))
        yield from (Blocked(one.code) for one in embedded(cleaned.gone, html=False) if one.code in _PICTURES)
        if _SHEET.search(cleaned.gone):
            yield Blocked("text.data-uri-image")

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The cleaned drawing with other pictures; the very same object when nothing changed."""
        cleaned = clean(data, budget)
        if not changes and not cleaned.removed:
            return data
        text = replaced(cleaned.data, uri_places(cleaned.data), changes) if changes else cleaned.data
        return cleaned.source.encoded(text)


_LENGTH = re.compile(rb"([0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})\s*+(px|pt|pc|mm|cm|in|em|ex|rem|q)?", re.I)
_UNITS: Final = {b"pt": 4 / 3, b"pc": 16.0, b"mm": 96 / 25.4, b"cm": 96 / 2.54, b"in": 96.0, b"em": 16.0, b"rem": 16.0,
                 b"ex": 8.0, b"q": 96 / 101.6}  # fmt: skip
_UNSTATED: Final = (300, 150)  # of a replaced element without a size (CSS 2.2 10.3.2)


def drawing(data: bytes) -> ImageInfo:
    """The facts of a drawing: its size in CSS pixels, as stated by the root, or of its view box when that is larger.

    Raises FilterError.
    """
    root = _root(data)
    box = [_pixels(word) for word in re.split(rb"[\s,]+", root.get(b"viewBox", b"").strip())]
    inner = (box[2], box[3]) if len(box) == 4 else (0, 0)
    width = max(_pixels(root.get(b"width", b"")), inner[0]) or _UNSTATED[0]
    height = max(_pixels(root.get(b"height", b"")), inner[1]) or _UNSTATED[1]
    return ImageInfo(width=width, height=height, bits=8, nature=Nature.DRAWING)


def _root(data: bytes) -> Mapping[bytes, bytes]:
    origin = svgtext.source(data)
    text, at, entities = origin.data, origin.body, dict[bytes, bytes]()
    for token in xmltokens.tokens(text, at, Budget()):
        if token.kind is Kind.DOCTYPE:
            entities.update(declared(text[slice(*token.inner)], text[token.end :]))
        if token.kind is Kind.START:
            found = xmltokens.attributes(text, token)
            return {one.name: resolved(expanded(text[slice(*one.value)], entities)) for one in found}
    raise Malformed("no root")


def _pixels(length: bytes) -> int:
    """Whole CSS pixels; 0 for percentages and what is no length."""
    match = _LENGTH.fullmatch(length.strip())
    return round(float(match[1]) * _UNITS.get((match[2] or b"px").lower(), 1.0)) if match else 0


SVG = Svg()
